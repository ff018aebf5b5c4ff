"""The hub: encode once, right topics, bounded queues, slow clients dropped, replay or snapshot."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.api.hub import (
    BATCH_SECONDS,
    Bounds,
    Client,
    Hub,
    HubFullError,
    OwnerFullError,
    Topic,
)
from controller.views import Change
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.scope import ScopePath
from tests.api.fake_city import FakeCity, small_city


def topic(scope: str = "", kinds: str = "school,overview") -> Topic:
    return Topic(
        tuple(map(ScopePath.parse, scope.split())) or (ScopePath(),), frozenset(kinds.split(","))
    )


def change(scope: str, kind: str = "link", name: str = "x", value: object = 1) -> Change:
    return Change(scope=ScopePath.parse(scope), kind=kind, id=name, body={"value": value})


def parsed(chunk: bytes | None) -> tuple[str, str, list[dict[str, Any]]]:
    """Event id, event name, changes."""
    assert chunk is not None
    text = chunk.decode()
    assert text.endswith("\n\n")
    fields = dict(line.split(": ", 1) for line in text.strip().split("\n"))
    return fields.get("id", ""), fields["event"], json.loads(fields["data"]).get("changes", [])


def ids(chunk: bytes | None) -> list[str]:
    return [change["id"] for change in parsed(chunk)[2]]


async def first(client: Client) -> tuple[str, str, list[dict[str, Any]]]:
    return parsed(await client.take())


@pytest.fixture
def hub(clock: ManualClock, city: FakeCity) -> Hub:
    return Hub(clock, city)


@pytest.mark.parametrize(
    ("scope", "kinds", "wanted"),
    [
        ("", "link", ["a", "b", "c"]),
        ("binhai", "link", ["a", "b", "c"]),
        ("binhai/east", "link", ["a", "b"]),
        ("binhai/east/no3", "link", ["a"]),
        ("binhai/east/no3", "link,board", ["a", "d"]),
        ("binhai/eas", "link", []),
        ("other", "link", []),
    ],
)
async def test_a_stream_carries_its_scope_and_kinds(
    hub: Hub, scope: str, kinds: str, wanted: list[str]
) -> None:
    client = hub.subscribe(topic(scope, kinds))
    await client.take()
    hub.publish(
        [
            change("binhai/east/no3", name="a"),
            change("binhai/east/no1", name="b"),
            change("binhai/west/no5", name="c"),
            change("binhai/east/no3", kind="board", name="d"),
        ]
    )
    hub.flush()
    hub.beat()
    chunk = await client.take()
    if wanted:
        assert ids(chunk) == wanted
        chunk = await client.take()
    assert parsed(chunk)[1] == "beat"


async def test_changes_are_folded_and_encoded_once(hub: Hub) -> None:
    one, two = hub.subscribe(topic("", "link")), hub.subscribe(topic("", "link"))
    await one.take(), await two.take()
    for value in range(50):
        hub.publish([change("binhai/east/no3", value=value)])
    hub.flush()
    chunk = await one.take()
    assert chunk is await two.take()
    _, name, changes = parsed(chunk)
    assert name == "changes"
    assert [item["body"]["value"] for item in changes] == [49]
    assert hub.figures.changes == 1


async def test_nothing_pending_sends_nothing(hub: Hub) -> None:
    client = hub.subscribe(topic())
    await client.take()
    hub.flush()
    assert client.queued_bytes == 0


async def test_a_snapshot_comes_first_and_holds_what_the_topic_shows(
    hub: Hub, city: FakeCity
) -> None:
    _, name, changes = await first(hub.subscribe(topic("binhai/east", "school,overview")))
    assert name == "snapshot"
    assert {item["id"] for item in changes if item["kind"] == "school"} == {"no1", "no3", "no12"}
    assert {item["id"] for item in changes if item["kind"] == "overview"} == {"binhai/east"}
    _, _, changes = await first(hub.subscribe(topic("binhai/east/no3", "link,board,switch,agent")))
    kinds = [item["kind"] for item in changes]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "link": 19,
        "board": 18,
        "switch": 3,
        "agent": 1,
    }


async def test_a_snapshot_is_shared_for_a_second_and_not_longer(
    hub: Hub, clock: ManualClock, city: FakeCity
) -> None:
    one, two = hub.subscribe(topic()), hub.subscribe(topic())
    assert await one.take() is await two.take()
    city.renamed["east"] = "renamed"
    clock.advance(BATCH_SECONDS)
    chunk = await hub.subscribe(topic()).take()
    assert chunk is not None
    assert "renamed" in chunk.decode()


async def test_a_snapshot_made_in_pieces_holds_what_changed_meanwhile(
    hub: Hub, city: FakeCity, clock: ManualClock
) -> None:
    topic = Topic((ScopePath(),), frozenset({"school", "overview"}))
    making = asyncio.ensure_future(hub.prepare(topic))
    await asyncio.sleep(0)
    hub.publish(
        [Change(scope=ScopePath.parse("binhai/east/no1"), kind="school", id="late", body={})]
    )
    hub.flush()
    await making
    client = hub.subscribe(topic)
    text = (await client.take() or b"").decode()
    assert text.startswith("id: ")
    snapshot, _, since = text.partition("\n\n")
    schools = [one["id"] for one in data_of(snapshot)["changes"] if one["kind"] == "school"]
    assert sorted(schools) == sorted(view.id for view in city.schools(ScopePath()))
    assert [one["id"] for one in data_of(since)["changes"]] == ["late"]
    assert hub.figures.snapshots == 1
    clock.advance(5)
    await hub.prepare(topic)
    client = hub.subscribe(topic)
    assert b"late" not in (await client.take() or b""), "a new one, of what is there now"


def data_of(event: str) -> dict[str, Any]:
    (line,) = (line for line in event.splitlines() if line.startswith("data: "))
    found: dict[str, Any] = json.loads(line.removeprefix("data: "))
    return found


async def test_a_slow_client_is_dropped_and_the_others_are_not(
    clock: ManualClock, city: FakeCity
) -> None:
    hub = Hub(clock, city, bounds=Bounds(client_batches=4))
    slow, quick = hub.subscribe(topic("", "link")), hub.subscribe(topic("", "link"))
    for value in range(10):
        hub.publish([change("binhai/east/no3", value=value)])
        hub.flush()
        await quick.take()
    assert slow.gone.is_set()
    assert slow.queued_bytes == 0
    assert await slow.take() is None
    assert not quick.gone.is_set()
    assert (hub.clients, hub.figures.dropped) == (1, 1)


async def test_a_queue_is_bounded_in_bytes(clock: ManualClock, city: FakeCity) -> None:
    hub = Hub(clock, city, bounds=Bounds(client_bytes=200_000))
    client = hub.subscribe(topic("", "link"))
    hub.publish([change("binhai/east/no3", value="x" * 300_000)])
    hub.flush()
    assert client.gone.is_set()


async def test_the_number_of_streams_is_bounded(clock: ManualClock, city: FakeCity) -> None:
    hub = Hub(clock, city, bounds=Bounds(clients=2))
    held = [hub.subscribe(topic()) for _ in range(2)]
    with pytest.raises(HubFullError):
        hub.subscribe(topic())
    hub.unsubscribe(held[0])
    hub.unsubscribe(held[0])
    assert hub.clients == 1
    hub.subscribe(topic())
    assert hub.figures.refused == 1


async def test_one_sign_in_cannot_take_all_places(clock: ManualClock, city: FakeCity) -> None:
    hub = Hub(clock, city, bounds=Bounds(owner_clients=2))
    mine = [hub.subscribe(topic(), owner="me") for _ in range(2)]
    with pytest.raises(OwnerFullError):
        hub.subscribe(topic(), owner="me")
    assert hub.figures.refused == 1
    hub.subscribe(topic(), owner="you")
    hub.unsubscribe(mine[0])
    hub.unsubscribe(mine[0])
    hub.subscribe(topic(), owner="me")
    assert hub.clients == 3


async def test_a_client_that_returns_gets_what_it_missed(hub: Hub) -> None:
    client = hub.subscribe(topic("", "link"))
    await client.take()
    hub.publish([change("binhai/east/no3", name="seen")])
    hub.flush()
    seen, _, _ = await first(client)
    hub.unsubscribe(client)
    for value in (1, 2):
        hub.publish([change("binhai/east/no3", name="missed", value=value)])
        hub.publish([change("binhai/east/no3", kind="board", name="other")])
        hub.flush()
    last, name, changes = await first(hub.subscribe(topic("", "link"), seen))
    assert name == "changes"
    assert [(item["id"], item["body"]["value"]) for item in changes] == [("missed", 2)]
    again, name, changes = await first(hub.subscribe(topic("", "link"), last))
    assert (again, name, changes) == (last, "changes", [])


@pytest.mark.parametrize(
    "event_id",
    [None, "", "x", "other-1", "{epoch}-", "{epoch}--1", "{epoch}-99", "{epoch}-1", "{epoch}-²"],
)
async def test_what_cannot_be_replayed_becomes_a_snapshot(
    clock: ManualClock, city: FakeCity, event_id: str | None
) -> None:
    hub = Hub(clock, city, bounds=Bounds(ring_batches=2))
    for value in range(5):
        hub.publish([change("binhai/east/no3", value=value)])
        hub.flush()
    asked = event_id and event_id.format(epoch=hub._epoch)
    assert (await first(hub.subscribe(topic("", "link"), asked)))[1] == "snapshot"


async def test_the_ring_is_bounded_in_bytes(clock: ManualClock, city: FakeCity) -> None:
    hub = Hub(clock, city, bounds=Bounds(ring_bytes=10_000))
    for value in range(100):
        hub.publish([change("binhai/east/no3", value=f"{value}" * 500)])
        hub.flush()
        assert hub._ring_bytes <= 10_000
        assert hub._ring_bytes == sum(batch.size for batch in hub._ring)


async def test_closing_ends_every_stream_and_takes_no_more(hub: Hub) -> None:
    client = hub.subscribe(topic())
    hub.close()
    assert await client.take() is None
    assert hub.clients == 0
    with pytest.raises(HubFullError):
        hub.subscribe(topic())


async def turn_loop() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_batches_go_at_most_once_a_second_and_the_first_at_once(
    hub: Hub, clock: ManualClock
) -> None:
    client = hub.subscribe(topic("", "link"))
    await client.take()
    running = asyncio.create_task(hub.run())
    await turn_loop()
    sent = 0
    for tick in range(100):  # 10 s in steps of 0.1 s, a change each
        hub.publish([change("binhai/east/no3", value=tick)])
        await turn_loop()
        clock.advance(0.1)
        await turn_loop()
        if tick == 0:
            assert client.queued_bytes > 0
        while client.queued_bytes:
            assert (await first(client))[1] == "changes"
            sent += 1
    assert 9 <= sent <= 11
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_beats_come_every_fifteen_seconds(hub: Hub, clock: ManualClock) -> None:
    client = hub.subscribe(topic())
    await client.take()
    running = asyncio.create_task(hub.run())
    await turn_loop()
    for _ in range(45):
        clock.advance(1)
        await turn_loop()
    names = []
    while client.queued_bytes:
        names.append((await first(client))[1])
    assert names == ["beat"] * 3
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_beat_makes_young_what_was_said_again(hub: Hub, city: FakeCity) -> None:
    school = hub.subscribe(topic("binhai/east/no3", "link,board,switch,agent"))
    whole = hub.subscribe(topic("", "school,overview,link"))
    await school.take(), await whole.take()
    city.set_link("no3/c-3-2", evidence=city.schools_by_id["no3"].links["no3/c-3-2"].evidence[:1])
    hub.beat()
    chunk = await school.take()
    assert chunk is not None
    ages = json.loads(chunk.decode().split("data: ")[1])["ages"]
    assert ages["link"]["no3/c-3-2"] == [4.0]
    assert len(ages["link"]) == 19
    assert ages["school"] == {"no3": 4.0}
    assert ages["switch"]["no3/switch/acc-3"] == 95.0
    assert ages["board"]["no3/board/b-3-2"] == 6.0
    chunk = await whole.take()
    assert chunk is not None
    ages = json.loads(chunk.decode().split("data: ")[1])["ages"]
    assert "link" not in ages
    assert ages["school"]["no8"] is None
    assert set(ages["overview"]) == {"", "binhai/east", "binhai/west", "binhai/north"}


SCOPES = ["binhai", "binhai/east", "binhai/east/no3", "binhai/west", "binhai/west/no5", "b/east"]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(SCOPES), st.sampled_from(["link", "board"]), st.text(max_size=3))
    ),
    st.sampled_from(["", *SCOPES]),
    st.sampled_from(["link", "link,board"]),
)
def test_the_prefix_index_equals_the_prefix_test(
    changes: list[tuple[str, str, str]], scope: str, kinds: str
) -> None:
    async def run() -> None:
        clock = ManualClock()
        hub = Hub(clock, small_city(1.0))
        wanted = topic(scope, kinds)
        client = hub.subscribe(wanted)
        await client.take()
        published = [change(path, kind, name) for path, kind, name in changes]
        hub.publish(published)
        folded = {(item.kind, item.id): item for item in published}.values()
        hub.flush()
        mine = [i.id for i in folded if i.kind in wanted.kinds and wanted.covers(i.scope)]
        if client.queued_bytes:
            assert ids(await client.take()) == mine
        else:
            assert mine == []

    asyncio.run(run())
