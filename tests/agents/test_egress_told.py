"""What the guard refused is told at the start and whenever there is more of it."""

import asyncio
from contextlib import suppress

from agents.egress import EgressRefusedError, Guard
from agents.egress_told import LOOK_SECONDS, EgressTold
from agents.origin import Origin
from tests.agents.conftest import Advance, Kept


def refuse(guard: Guard, port: int) -> None:
    with suppress(EgressRefusedError):
        guard.check("tcp", "203.0.113.1", port)


async def test_told_when_there_is_more(origin: Origin, kept: Kept, advance: Advance) -> None:
    guard = Guard([])
    task = asyncio.create_task(EgressTold(guard, origin=origin, keep=kept.keep).run())
    try:
        await advance(3 * LOOK_SECONDS)
        assert kept.values("egress", "egress_refused_total") == [0]
        for port in (80, 80, 443):
            refuse(guard, port)
        await advance(3 * LOOK_SECONDS)
    finally:
        task.cancel()
    assert kept.values("egress", "egress_refused_total") == [0, 3]
    assert kept.values("egress", "egress_destinations") == [0, 2]
    assert kept.values("egress", "egress_enforced") == [1, 1]
    first, last = kept.values("egress", "egress_last")
    assert first == ""
    assert str(last).startswith("203.0.113.1 port 443 (TCP) is not on the agent's egress list")
