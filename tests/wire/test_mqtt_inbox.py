import asyncio
import logging
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from drivers.wire.mqtt_inbox import MESSAGE_OVERHEAD_BYTES, Inbox, Limits
from drivers.wire.mqtt_values import Message, Statistics


@dataclass
class Desk:
    """An inbox, and what it acknowledged."""

    unacknowledged: int = 3
    messages: int = 4
    total_bytes: int = 1_000_000
    on_arrival: bool = False
    statistics: Statistics = field(default_factory=Statistics)
    acknowledged: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.inbox = Inbox(
            client_id="c",
            limits=Limits(
                unacknowledged=self.unacknowledged,
                messages=self.messages,
                total_bytes=self.total_bytes,
            ),
            acknowledge_on_arrival=self.on_arrival,
            statistics=self.statistics,
            send_ack=lambda packet_id, _qos: self.acknowledged.append(packet_id),
        )

    def settle(self, message: Message, *, connected: bool = True) -> None:
        assert message.arrival is not None
        self.inbox.settle(message.arrival, connected=connected)


def packet(packet_id: int = 0, qos: int = 1, payload: bytes = b"x") -> MQTTMessage:
    message = MQTTMessage(packet_id, b"t")
    message.qos, message.payload = qos, payload
    return message


def test_a_message_comes_out_as_it_came_in() -> None:
    desk = Desk()
    came = packet(7, payload=b"\0")
    came.retain, came.dup = True, True
    came.properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho's
    came.properties.UserProperty = [("k", "v"), ("k", "w")]
    assert desk.inbox.put(came)
    message = desk.inbox.take()
    assert message == Message(
        topic="t",
        payload=b"\0",
        qos=1,
        retain=True,
        duplicate=True,
        user_properties=(("k", "v"), ("k", "w")),
    )
    assert len(desk.inbox) == 0
    assert desk.statistics.received == 1
    with pytest.raises(IndexError):
        desk.inbox.take()


@given(st.permutations(range(1, 9)))
def test_acknowledgements_leave_in_the_order_of_arrival(order: list[int]) -> None:
    desk = Desk(unacknowledged=8)
    for packet_id in range(1, 9):
        desk.inbox.put(packet(packet_id))
    taken = {packet_id: desk.inbox.take() for packet_id in range(1, 9)}
    settled: set[int] = set()
    for packet_id in order:
        desk.settle(taken[packet_id])
        desk.settle(taken[packet_id])  # a second time means nothing
        settled.add(packet_id)
        unbroken = next(n for n in range(10) if n + 1 not in settled)
        assert desk.acknowledged == list(range(1, unbroken + 1))


def test_nothing_is_acknowledged_on_a_connection_that_ended() -> None:
    desk = Desk()
    desk.inbox.put(packet(1))
    desk.settle(desk.inbox.take(), connected=False)
    assert desk.acknowledged == []


def test_acknowledged_on_arrival_wants_nothing_more() -> None:
    desk = Desk(on_arrival=True)
    for packet_id in (1, 2):
        desk.inbox.put(packet(packet_id))
    assert desk.acknowledged == [1, 2]
    assert desk.inbox.take().arrival is None


def test_it_is_full_by_qos_1_alone_until_something_is_taken() -> None:
    desk = Desk(unacknowledged=2)
    for qos in (0, 0, 1):
        desk.inbox.put(packet(1, qos))
    assert not _full(desk)
    desk.inbox.put(packet(2))
    assert _full(desk)
    desk.inbox.take()
    desk.inbox.take()
    assert _full(desk), "only QoS 0 was taken"
    desk.inbox.take()
    assert not _full(desk)


def _full(desk: Desk) -> bool:
    return desk.inbox.is_full


@pytest.mark.parametrize(
    ("qos", "count", "fits", "waiting", "overflowed"),
    [
        (0, 4, True, 4, 0),
        (0, 5, True, 4, 1),  # beyond the number of messages: thrown away
        (1, 5, True, 5, 0),  # which does not count for QoS 1
        (0, 3, True, 3, 0),
        (1, 6, False, 5, 0),  # beyond the bytes: the connection must end
    ],
)
def test_limits(qos: int, count: int, fits: bool, waiting: int, overflowed: int) -> None:
    desk = Desk(total_bytes=5 * (MESSAGE_OVERHEAD_BYTES + 100))
    results = [desk.inbox.put(packet(n + 1, qos, bytes(100))) for n in range(count)]
    assert results == [True] * (count - 1) + [fits]
    assert len(desk.inbox) == waiting
    assert desk.statistics.received == count
    assert desk.statistics.overflowed == overflowed


def test_one_message_always_fits_and_its_bytes_are_given_back() -> None:
    desk = Desk(total_bytes=1000)
    for _ in range(3):
        assert desk.inbox.put(packet(1, payload=bytes(5000)))
        assert not desk.inbox.put(packet(2))
        desk.inbox.take()


def test_overflow_is_logged_at_powers_of_two(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(messages=0)
    with caplog.at_level(logging.ERROR):
        for _ in range(20):
            desk.inbox.put(packet(qos=0))
    assert desk.statistics.overflowed == 20
    counts = [int(record.getMessage().split()[2]) for record in caplog.records]
    assert counts == [1, 2, 4, 8, 16]


async def test_the_consumer_is_woken() -> None:
    desk = Desk()
    for wake in (lambda: desk.inbox.put(packet(1)), desk.inbox.wake):
        waiting = asyncio.create_task(desk.inbox.wait())
        await asyncio.sleep(0)
        assert not waiting.done()
        wake()
        async with asyncio.timeout(10):
            await waiting
