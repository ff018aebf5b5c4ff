"""What somebody did to the session is told; what the network did is not."""

import asyncio

from agents.origin import Origin
from agents.uplink_told import LEAST_SECONDS, UplinkTold
from drivers.wire.mqtt_values import (
    ConnectError,
    ConnectionLostError,
    PublishRefusedError,
    SubscribeRefusedError,
)
from tests.agents.conftest import Advance, Kept


async def test_takeovers_refusals_and_cuts(origin: Origin, kept: Kept, advance: Advance) -> None:
    told = UplinkTold(origin=origin, keep=kept.keep)
    task = asyncio.create_task(told.run())
    try:
        for error in (
            ConnectionLostError("the network"),
            ConnectionLostError("keep alive", 0x8D),
            ConnectError("not authorised", 0x87),
            PublishRefusedError("too large", "t", 0x95),
        ):
            told.note(error)
        await advance(2 * LEAST_SECONDS)
        assert kept.values("uplink", "uplink_takeovers_total") == []
        told.note(ConnectionLostError("taken over", 0x8E))
        await advance(2 * LEAST_SECONDS)
        told.note(SubscribeRefusedError("not yours", "#", 0x87))
        told.note(ConnectionLostError("cut", 0x98))
        await advance(2 * LEAST_SECONDS)
    finally:
        task.cancel()
    assert kept.values("uplink", "uplink_takeovers_total") == [1, 1]
    assert kept.values("uplink", "uplink_refusals_total") == [0, 1]
    assert kept.values("uplink", "uplink_ended_total") == [0, 1]
    assert kept.values("uplink", "uplink_trouble_last") == ["taken over", "cut"]
