import asyncio

from controller.bus import Bus, Inbox
from controller.store.protocols import LinkChange
from tenone.vocabulary.states import Severity, Verdict


def change(link: str) -> LinkChange:
    return LinkChange(
        link=link,
        at_ns=1,
        since_ns=1,
        verdict=Verdict.BAD,
        severity=Severity.WARNING,
        causes=1,
        oper=1,
        admin=1,
        speed_mbps=100,
        duplex=3,
        block_hash=b"",
    )


async def test_a_reader_gets_everything_in_order_and_waits_for_more() -> None:
    inbox: Inbox[int] = Inbox()
    inbox.put([1, 2])
    inbox.put([3])
    assert await inbox.take() == [1, 2, 3]
    assert inbox.take_now() == []
    waiting = asyncio.ensure_future(inbox.take())
    await asyncio.sleep(0)
    assert not waiting.done()
    inbox.put([4])
    assert await waiting == [4]


def test_beyond_the_bound_the_oldest_goes_and_is_counted() -> None:
    inbox: Inbox[int] = Inbox(limit=2)
    inbox.put([1, 2, 3])
    assert inbox.take_now() == [2, 3]
    assert inbox.dropped == 1


def test_every_room_gets_every_change_once() -> None:
    bus = Bus()
    one, two = bus.changes(), bus.changes()
    bus.changed([])
    bus.changed(change(link) for link in ("a/b", "c/d"))
    for inbox in (one, two):
        assert [each.link for each in inbox.take_now()] == ["a/b", "c/d"]


def test_agents_are_told_at_once() -> None:
    bus = Bus()
    heard: list[tuple[str, bool]] = []
    bus.listen_agents(lambda school, online: heard.append((school, online)))
    bus.agent("no3", online=True)
    bus.agent("no3", online=False)
    assert heard == [("no3", True), ("no3", False)]
