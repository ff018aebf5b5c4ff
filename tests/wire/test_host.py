"""What the checklist (test_tck) does not ask: lost births, late deaths, restarts, storms."""

import json
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.wire.sparkplug import host as host_module
from drivers.wire.sparkplug.admission import RebirthAdmission
from drivers.wire.sparkplug.codec import Metric, Payload, encode
from drivers.wire.sparkplug.edge import EdgeSession
from drivers.wire.sparkplug.events import (
    Data,
    Fault,
    HostEvent,
    NodeBorn,
    RebirthAsked,
    RebirthWanted,
    StateRepaired,
)
from drivers.wire.sparkplug.host import HostSession
from drivers.wire.sparkplug.messages import HostState, Moment, Publish, death_payload
from drivers.wire.sparkplug.schema import DataType
from drivers.wire.sparkplug.tracking import NodeSnapshot
from drivers.wire.topics import NodeId

NODE = NodeId("east", "no3")
LOAD = Metric(name="Load", alias=1, datatype=DataType.INT32, value=-1, timestamp_ms=10)
PORT = Metric(name="port", alias=2, datatype=DataType.BYTES, value=b"x", timestamp_ms=10)


def at(seconds: float = 0.0) -> Moment:
    return Moment(seconds, 1_000_000 + round(seconds * 1000))


def host(resumed: Sequence[NodeSnapshot] = ()) -> HostSession:
    session = HostSession(
        host_id="h", admission=RebirthAdmission(jitter_seconds=0.0), resumed=resumed
    )
    session.connect(at=at())
    session.connected()
    return session


class Edge:
    """An edge node that counts in the value of its metric."""

    def __init__(self, node: NodeId = NODE) -> None:
        self.session = EdgeSession(node=node, host_id=None, last_bd_seq=None)
        self.count = 0
        self.session.connect(now_ms=1)
        self.session.connected()

    def birth(self, now_ms: int = 5) -> tuple[Publish, ...]:
        return self.session.birth([LOAD], {"switch-a": [PORT]}, now_ms=now_ms)

    def data(self, now_ms: int = 20) -> Publish:
        self.count += 1
        metric = replace(LOAD, name=None, value=-self.count, timestamp_ms=now_ms)
        return self.session.data(None, [metric], now_ms=now_ms)

    def device_data(self, now_ms: int = 20) -> Publish:
        metric = replace(PORT, name=None, timestamp_ms=now_ms)
        return self.session.data("switch-a", [metric], now_ms=now_ms)


def feed(session: HostSession, messages: Sequence[Publish], seconds: float = 0) -> list[HostEvent]:
    events: list[HostEvent] = []
    for message in messages:
        events += session.received(message.topic, message.payload, at=at(seconds))
    return events


def kinds(events: Sequence[object]) -> list[str]:
    return [type(event).__name__ for event in events]


def values(events: Sequence[HostEvent]) -> list[object]:
    return [event.metrics[0].value for event in events if isinstance(event, Data)]


def test_a_whole_conversation() -> None:
    session, edge = host(), Edge()
    events = feed(session, [*edge.birth(), edge.data(), edge.device_data()])
    assert kinds(events) == ["NodeBorn", "DeviceBorn", "Data", "Data"]
    born, _, data, device_data = events
    assert isinstance(born, NodeBorn)
    assert not born.again
    assert isinstance(data, Data)
    assert (data.node, data.device, data.timestamp_ms) == (NODE, None, 20)
    assert data.metrics[0].name == "Load"
    assert data.metrics[0].value == -1
    assert isinstance(device_data, Data)
    assert device_data.device == "switch-a"


@pytest.mark.parametrize("order", [(2, 0, 1), (2, 1, 0), (1, 2, 0), (0, 2, 1)])
def test_data_before_its_birth_waits_for_it(order: tuple[int, ...]) -> None:
    edge = Edge()
    messages = [*edge.birth(), edge.device_data()]
    events = feed(host(), [messages[index] for index in order])
    assert kinds(events) == ["NodeBorn", "DeviceBorn", "Data"]


def test_a_birth_that_never_comes_is_asked_for() -> None:
    session, edge = host(), Edge()
    edge.birth()
    assert feed(session, [edge.data(), edge.data()]) == []
    events = session.tick(at=at(2))
    assert kinds(events) == ["Fault", "RebirthWanted", "RebirthAsked"]
    assert session.tick(at=at(20)) == ()
    assert kinds(session.tick(at=at(32))) == ["RebirthAsked"]  # not answered: asked again
    feed(session, edge.birth(), 33)
    assert session.tick(at=at(100)) == ()
    assert session.next_tick(at=at()) is None


def test_a_lost_device_birth_asks_for_a_rebirth() -> None:
    session, edge = host(), Edge()
    node_birth, _ = edge.birth()
    assert feed(session, [node_birth, edge.device_data()], 1)[1:] == []
    events = session.tick(at=at(3))
    assert kinds(events) == ["Fault", "RebirthWanted", "RebirthAsked"]


def test_what_waited_behind_a_gap_is_handed_out() -> None:
    session, edge = host(), Edge()
    feed(session, edge.birth())
    edge.data()
    later = [edge.data(), edge.data()]
    assert feed(session, later, 1) == []
    assert values(session.tick(at=at(3))) == [-2, -3]
    assert values(feed(session, [edge.data()], 4)) == [-4]  # and order goes on from there


def test_held_data_of_the_old_session_comes_before_the_new_birth() -> None:
    session, edge = host(), Edge()
    feed(session, edge.birth())
    edge.data()
    stuck = edge.data(now_ms=30)
    assert feed(session, [stuck], 1) == []
    events = feed(session, edge.birth(now_ms=40), 1.5)
    assert kinds(events) == ["Data", "NodeBorn", "DeviceBorn"]
    assert session.next_tick(at=at()) is None


def test_the_death_of_an_earlier_session_is_ignored() -> None:
    session, edge = host(), Edge()
    feed(session, edge.birth())
    edge.session.lost()
    edge.session.connect(now_ms=50)
    edge.session.connected()
    feed(session, edge.birth(now_ms=51))
    death = "spBv1.0/east/NDEATH/no3"
    (fault,) = session.received(death, death_payload(0, now_ms=52), at=at(1))
    assert isinstance(fault, Fault)
    assert "session 0" in fault.sentence
    assert session.nodes_online == (NODE,)
    assert kinds(session.received(death, death_payload(1, now_ms=52), at=at(1))) == ["NodeDied"]
    assert session.received(death, death_payload(1, now_ms=52), at=at(1)) == ()


def test_a_dead_node_is_not_asked() -> None:
    session, edge = host(), Edge()
    edge.birth()
    feed(session, [edge.data()])
    session.tick(at=at(2))
    assert session.rebirths_wanted == 1
    session.received("spBv1.0/east/NDEATH/no3", death_payload(0, now_ms=9), at=at(3))
    assert session.rebirths_wanted == 0
    assert session.tick(at=at(100)) == ()


@pytest.mark.parametrize(
    ("topic", "payload", "word"),
    [
        ("spBv1.0/east/NDATA/NO3", b"", "edge node id"),
        ("spBv1.0/x", b"", "spBv1.0/group"),
        ("spBv1.0/STATE/h", b"OFFLINE", "overwritten"),
        ("spBv1.0/east/NBIRTH/no3", b"junk", "no Sparkplug payload"),
        ("spBv1.0/east/NBIRTH/no3", encode(Payload(timestamp_ms=1, seq=0)), "no bdSeq"),
        ("spBv1.0/east/NDATA/no3", encode(Payload(timestamp_ms=1)), "no seq"),
        ("spBv1.0/east/NDATA/no3", encode(Payload(timestamp_ms=None, seq=1)), "no seq or no time"),
        ("spBv1.0/east/NDEATH/no3", encode(Payload(timestamp_ms=1)), "no bdSeq"),
    ],
)
def test_faults_have_a_sentence(topic: str, payload: bytes, word: str) -> None:
    session = host()
    feed(session, Edge().birth())
    (fault, *rest) = session.received(topic, payload, at=at(1))
    assert isinstance(fault, Fault)
    assert word in fault.sentence
    assert all(isinstance(event, RebirthWanted) for event in rest)


def test_a_metric_that_was_not_born_asks_for_a_rebirth() -> None:
    session, edge = host(), Edge()
    feed(session, edge.birth())
    for metric in (
        Metric(alias=99, value=b"x", timestamp_ms=1),
        Metric(alias=1, value=b"not an int", timestamp_ms=1),
    ):
        payload = encode(Payload(timestamp_ms=1, seq=2, metrics=(metric,)))
        again = host()
        feed(again, Edge().birth())
        events = again.received("spBv1.0/east/NDATA/no3", payload, at=at(1))
        assert kinds(events) == ["Fault", "RebirthWanted"]


def test_commands_of_others_are_none_of_our_business() -> None:
    assert host().received("spBv1.0/east/NCMD/no3", b"junk", at=at()) == ()
    assert host().received("spBv1.0/STATE/other", b"junk", at=at()) == ()


def test_the_caller_may_ask_for_a_rebirth_too() -> None:
    session = host()
    assert kinds(session.want_rebirth(NODE, "unknown layout", at=at())) == ["RebirthWanted"]
    assert session.want_rebirth(NODE, "unknown layout", at=at()) == ()
    (asked,) = session.tick(at=at())
    assert isinstance(asked, RebirthAsked)
    assert asked.reason == "unknown layout"


def test_held_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_module, "MAX_HELD_BYTES", 1000)
    session, edge = host(), Edge()
    feed(session, edge.birth())
    edge.data()
    events = feed(session, [edge.data() for _ in range(10)], 1)
    assert values(events) == [-value for value in range(2, 12)]
    assert "RebirthWanted" in kinds(events)


def test_a_restart_goes_on_where_nothing_was_missed() -> None:
    before, edge = host(), Edge()
    feed(before, [*edge.birth(), edge.data()])
    after = host(before.snapshots())
    assert values(feed(after, [edge.data()])) == [-2]
    assert after.tick(at=at(100)) == ()
    missed = host(before.snapshots())
    edge.data()
    assert feed(missed, [edge.data()], 1) == []
    assert "RebirthAsked" in kinds(missed.tick(at=at(3)))


def test_state_never_goes_back_and_can_be_left() -> None:
    session = HostSession(host_id="h", last_state_ms=5_000_000)
    will = session.connect(at=at()).will
    assert json.loads(will.payload)["timestamp"] == 5_000_000
    session.connected()
    newer = json.dumps({"online": False, "timestamp": 6_000_000}).encode()
    (repaired,) = session.received("spBv1.0/STATE/h", newer, at=at())
    assert isinstance(repaired, StateRepaired)
    assert json.loads(repaired.state.payload) == {"online": True, "timestamp": 6_000_000}
    gone = session.leave(at=at(10_000))
    assert json.loads(gone.payload) == {"online": False, "timestamp": 11_000_000}
    assert (gone.qos, gone.retain) == (1, True)
    assert session.state_ms == 11_000_000
    assert session.received("spBv1.0/STATE/h", newer, at=at()) == ()  # we are offline indeed


def test_the_will_of_the_session_before_needs_no_contradiction() -> None:
    """What a broker kept of a host that was killed comes ahead of our own birth, and only there."""
    session = HostSession(host_id="h", last_state_ms=5_000_000)
    for _ in range(2):  # as well after a lost connection
        session.connect(at=at())
        born = session.connected()
        older, will = (HostState(online=False, timestamp_ms=ms) for ms in (4_000_000, 5_000_000))
        for kept in (older.publish("h"), will.publish("h")):
            assert session.received(born.topic, kept.payload, at=at()) == ()
        assert session.received(born.topic, born.payload, at=at()) == ()
        (late,) = session.received(born.topic, will.publish("h").payload, at=at())
        assert isinstance(late, StateRepaired)
        assert late.state == born
        session.lost()


@given(st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_reordered_and_lost_messages_end_in_order(seed: int) -> None:
    """Some messages late, some lost: what is handed out is in order, and rebirths heal it."""
    chance = random.Random(seed)
    session, edge = host(), Edge()
    now, wire, seen = 0.0, [(0.0, message) for message in edge.birth()], []
    rebirth_due = False
    for step in range(120):
        now = step * 0.1
        if rebirth_due and chance.random() < 0.5:
            wire += [(now, message) for message in edge.birth(now_ms=1000 + step)]
            rebirth_due = False
        message = edge.data(now_ms=1000 + step)
        if chance.random() > 0.05:
            wire.append((now + (chance.random() if chance.random() < 0.2 else 0.0), message))
        due = [entry for entry in wire if entry[0] <= now]
        wire = [entry for entry in wire if entry[0] > now]
        events = feed(session, [message for _, message in sorted(due, key=lambda e: e[0])], now)
        events += session.tick(at=at(now))
        seen += values(events)
        rebirth_due = rebirth_due or any(isinstance(event, RebirthAsked) for event in events)
    assert len(seen) == len(set(map(str, seen)))
    assert len(seen) > 60
    # Calm weather: one birth heals whatever is open, and from then on nothing is missed.
    feed(session, [message for _, message in wire], now + 1)
    session.tick(at=at(now + 10))
    healed = feed(session, [*edge.birth(now_ms=9000), edge.data(9001), edge.data(9002)], now + 11)
    assert kinds(healed)[-4:] == ["NodeBorn", "DeviceBorn", "Data", "Data"]
    assert session.next_tick(at=at()) is None
    assert session.rebirths_wanted == 0


@given(
    st.sampled_from(["NBIRTH/no3", "NDATA/no3", "NDEATH/no3", "DDATA/no3/switch-a"]),
    st.binary(max_size=80),
)
def test_hostile_bytes_never_raise(tail: str, payload: bytes) -> None:
    session = host()
    feed(session, Edge().birth())
    session.received(f"spBv1.0/east/{tail}", payload, at=at())
    session.tick(at=at(100))
