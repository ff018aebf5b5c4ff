"""The starred requirements of the Sparkplug 3.0 checklist, each with its test.

Ids are those of the specification without ``tck-id-``. A decorator says which ids a test is
the proof of; the last test checks that every starred id is proved once or excused by name.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import pytest

from drivers.wire.mqtt import Endpoint, MqttPort, Will
from drivers.wire.sparkplug.admission import RebirthAdmission
from drivers.wire.sparkplug.codec import Metric, Payload, decode, encode
from drivers.wire.sparkplug.edge import (
    BirthWanted,
    CommandReceived,
    EdgeFault,
    EdgeSession,
    EdgeState,
    Leave,
)
from drivers.wire.sparkplug.events import (
    Data,
    DeviceDied,
    HostEvent,
    NodeBorn,
    NodeDied,
    RebirthAsked,
    RebirthWanted,
    StateRepaired,
)
from drivers.wire.sparkplug.host import HostSession
from drivers.wire.sparkplug.messages import REBIRTH, Moment, Publish, SessionError
from drivers.wire.sparkplug.schema import DataType
from drivers.wire.topics import MessageType, NodeId, SparkplugTopic, TopicError

Test = TypeVar("Test", bound=Callable[..., object])

_STARRED = """
topic-structure-namespace-a
topic-structure-namespace-valid-group-id
topic-structure-namespace-valid-edge-node-id
topic-structure-namespace-valid-device-id
topic-structure-namespace-unique-edge-node-descriptor
topic-structure-namespace-unique-device-id
principles-persistence-clean-session-311
principles-persistence-clean-session-50
message-flow-edge-node-birth-publish-connect
message-flow-edge-node-birth-publish-will-message
message-flow-edge-node-birth-publish-will-message-qos
message-flow-edge-node-birth-publish-will-message-will-retained
message-flow-edge-node-birth-publish-will-message-payload-bdSeq
topics-nbirth-bdseq-increment
topics-nbirth-bdseq-matching
payloads-ndeath-bdseq
message-flow-edge-node-ncmd-subscribe
message-flow-device-dcmd-subscribe
operational-behavior-edge-node-intentional-disconnect-ndeath
principles-birth-certificates-order
topics-nbirth-mqtt
topics-nbirth-seq-num
topics-nbirth-metric-reqs
topics-nbirth-rebirth-metric
operational-behavior-data-commands-rebirth-name-aliases
message-flow-device-birth-publish-nbirth-wait
payloads-dbirth-order
topics-dbirth-metric-reqs
payloads-sequence-num-always-included
payloads-sequence-num-incrementing
operational-behavior-device-ddeath
operational-behavior-data-publish-nbirth-order
operational-behavior-data-commands-rebirth-action-1
operational-behavior-data-commands-rebirth-action-2
operational-behavior-data-commands-rebirth-action-3
message-flow-edge-node-birth-publish-phid-wait
message-flow-edge-node-birth-publish-phid-wait-id
message-flow-edge-node-birth-publish-phid-wait-online
message-flow-edge-node-birth-publish-phid-wait-timestamp
message-flow-edge-node-birth-publish-phid-offline
operational-behavior-edge-node-termination-host-offline-timestamp
payloads-alias-uniqueness
payloads-alias-birth-requirement
payloads-alias-data-cmd-requirement
payloads-name-birth-data-requirement
message-flow-phid-sparkplug-clean-session-50
operational-behavior-host-application-host-id
host-topic-phid-death-required
message-flow-phid-sparkplug-subscription
host-topic-phid-birth-message
host-topic-phid-birth-payload-timestamp
message-flow-hid-sparkplug-state-message-delivered
operational-behavior-edge-node-termination-host-action-ndeath-node-offline
operational-behavior-edge-node-termination-host-action-ndeath-node-tags-stale
operational-behavior-edge-node-termination-host-action-ddeath-devices-offline
operational-behavior-host-reordering-start
operational-behavior-host-reordering-rebirth
operational-behavior-host-reordering-success
operational-behavior-data-commands-ncmd-rebirth-name
payloads-ncmd-seq
payloads-dcmd-seq
conformance-mqtt-will-messages
"""
STARRED = _STARRED.split()
ON, OFF = True, False

NOT_COVERED = {
    "principles-persistence-clean-session-311": "3.1.1 is not offered between agent and controller",
    "topic-structure-namespace-unique-edge-node-descriptor": (
        "uniqueness in the estate is the registry's promise (enrolment), not the wire's"
    ),
    "operational-behavior-host-application-host-id": (
        "that a host id is unique in the estate is the deployment's promise; its grammar is tested"
    ),
    "operational-behavior-edge-node-termination-host-action-ndeath-node-tags-stale": (
        "the event says so; marking values stale is live state's work (controller/state)"
    ),
}

PROOFS: dict[str, str] = {}


def proves(*ids: str) -> Callable[[Test], Test]:
    def register(test: Test) -> Test:
        for identity in ids:
            assert identity not in PROOFS, f"{identity} has two proofs"
            PROOFS[identity] = test.__name__
        return test

    return register


NODE = NodeId("east", "no3")
HOST = "tenone-binhai"
STATE = f"spBv1.0/STATE/{HOST}"
M = Metric(name="Load", alias=1, datatype=DataType.DOUBLE, value=0.5, timestamp_ms=10)
P = Metric(name="port/speed", alias=2, datatype=DataType.UINT32, value=1000, timestamp_ms=10)
NULL = Metric(name="None Yet", alias=3, datatype=DataType.INT32)


def edge(last_bd_seq: int | None = None, host_id: str | None = HOST) -> EdgeSession:
    return EdgeSession(node=NODE, host_id=host_id, last_bd_seq=last_bd_seq)


def state(online: object, timestamp: object) -> bytes:
    return json.dumps({"online": online, "timestamp": timestamp}).encode()


def online(last_bd_seq: int | None = None) -> tuple[EdgeSession, tuple[Publish, ...]]:
    """An edge node that is born with one device."""
    session = edge(last_bd_seq)
    session.connect(now_ms=1)
    session.connected()
    assert session.received(STATE, state(ON, 100), now_ms=2)
    return session, session.birth([M, NULL], {"switch-a": [P]}, now_ms=3)


def where(session: EdgeSession) -> EdgeState:
    return session.state


def data(session: EdgeSession, device: str | None = "switch-a", now_ms: int = 20) -> Publish:
    metric = replace(P if device else M, name=None, timestamp_ms=now_ms)
    return session.data(device, [metric], now_ms=now_ms)


def read(message: Publish) -> tuple[SparkplugTopic, Payload]:
    return SparkplugTopic.parse(message.topic), decode(message.payload)


def at(seconds: float = 0.0) -> Moment:
    return Moment(seconds, 1_000_000 + round(seconds * 1000))


def host(**options: float) -> HostSession:
    session = HostSession(
        host_id=HOST,
        admission=RebirthAdmission(jitter_seconds=0.0),
        **options,  # type: ignore[arg-type] # one number or none
    )
    session.connect(at=at())
    session.connected()
    return session


def feed(session: HostSession, messages: Sequence[Publish], seconds: float) -> list[HostEvent]:
    events: list[HostEvent] = []
    for message in messages:
        events += session.received(message.topic, message.payload, at=at(seconds))
    return events


def kinds(events: Sequence[object]) -> list[str]:
    return [type(event).__name__ for event in events]


# -- names and topics ------------------------------------------------------------------------


@proves("topic-structure-namespace-a")
def test_everything_stands_under_the_namespace() -> None:
    session, births = online()
    death = session.leave(now_ms=9)
    assert death is not None
    paths = [message.topic for message in (*births, death)]
    assert paths == [
        "spBv1.0/east/NBIRTH/no3",
        "spBv1.0/east/DBIRTH/no3/switch-a",
        "spBv1.0/east/NDEATH/no3",
    ]


@proves(
    "topic-structure-namespace-valid-group-id",
    "topic-structure-namespace-valid-edge-node-id",
    "topic-structure-namespace-valid-device-id",
)
@pytest.mark.parametrize("bad", ["a+b", "a/b", "a#b", "", "\ud800"])
def test_ids_with_reserved_characters_are_refused(bad: str) -> None:
    for group, node in ((bad, "no3"), ("east", bad)):
        with pytest.raises(TopicError):
            NodeId(group, node)
    with pytest.raises(TopicError):
        NODE.topic(MessageType.DDATA, f"board-{bad}")


@proves("topic-structure-namespace-unique-device-id")
def test_a_device_is_one_device_of_its_node() -> None:
    session, _ = online()
    again = session.device_birth("switch-a", [P], now_ms=5)
    heard = host()
    feed(heard, online()[1], 0)
    events = feed(heard, [again], 0)
    assert kinds(events) == ["DeviceBorn"]  # reborn, not a second one
    died = heard.received(NODE.topic(MessageType.NDEATH), edge_death(0), at=at(1))
    assert isinstance(died[0], NodeDied)
    assert died[0].devices == ("switch-a",)


def edge_death(bd_seq: int) -> bytes:
    metric = Metric(name="bdSeq", datatype=DataType.INT64, value=bd_seq, timestamp_ms=1)
    return encode(Payload(timestamp_ms=1, metrics=(metric,)))


# -- edge node: connect and will -------------------------------------------------------------


@proves("principles-persistence-clean-session-50", "message-flow-phid-sparkplug-clean-session-50")
def test_sessions_are_clean() -> None:
    for plan in (edge().connect(now_ms=1), HostSession(host_id=HOST).connect(at=at())):
        assert plan.clean_start
        assert plan.session_expiry_seconds == 0


@proves("message-flow-edge-node-birth-publish-connect", "principles-birth-certificates-order")
def test_nothing_is_published_before_the_session_and_the_birth() -> None:
    session = edge()
    for attempt in (
        lambda: session.birth([M], {}, now_ms=1),
        lambda: session.data(None, [M], now_ms=1),
        lambda: session.device_birth("switch-a", [P], now_ms=1),
    ):
        for step in (
            lambda: None,
            lambda: session.connect(now_ms=1),
            session.connected,
        ):
            step()
            with pytest.raises(SessionError):
                attempt()
        session.lost()


@proves(
    "message-flow-edge-node-birth-publish-will-message",
    "message-flow-edge-node-birth-publish-will-message-qos",
    "message-flow-edge-node-birth-publish-will-message-will-retained",
    "message-flow-edge-node-birth-publish-will-message-payload-bdSeq",
)
def test_the_will_is_the_ndeath() -> None:
    will = edge().connect(now_ms=77).will
    assert (will.topic, will.qos, will.retain) == ("spBv1.0/east/NDEATH/no3", 1, False)
    payload = decode(will.payload)
    assert payload.seq is None
    (metric,) = payload.metrics
    assert (metric.name, metric.datatype, metric.value) == ("bdSeq", DataType.INT64, 0)


@proves("topics-nbirth-bdseq-increment")
@pytest.mark.parametrize(("last", "following"), [(None, 0), (0, 1), (254, 255), (255, 0)])
def test_bd_seq_counts_connects(last: int | None, following: int) -> None:
    session = edge(last)
    session.connect(now_ms=1)
    assert session.bd_seq == following
    session.lost()
    session.connect(now_ms=2)
    assert session.bd_seq == (following + 1) % 256


@proves("topics-nbirth-bdseq-matching", "payloads-ndeath-bdseq")
def test_birth_will_and_death_carry_one_bd_seq() -> None:
    session = edge(40)
    will = session.connect(now_ms=1).will
    session.connected()
    session.received(STATE, state(ON, 100), now_ms=2)
    birth, *_ = session.birth([M], {}, now_ms=3)
    death = session.leave(now_ms=4)
    assert death is not None
    found = [
        next(metric for metric in decode(payload).metrics if metric.name == "bdSeq")
        for payload in (will.payload, birth.payload, death.payload)
    ]
    assert [(metric.value, metric.datatype) for metric in found] == [(41, DataType.INT64)] * 3


@proves("message-flow-edge-node-ncmd-subscribe", "message-flow-device-dcmd-subscribe")
def test_commands_and_state_are_subscribed_before_birth() -> None:
    assert edge().connect(now_ms=1).subscriptions == (
        ("spBv1.0/east/NCMD/no3", 1),
        ("spBv1.0/east/DCMD/no3/+", 1),
        (STATE, 1),
    )


@proves("operational-behavior-edge-node-intentional-disconnect-ndeath")
def test_leaving_on_purpose_publishes_ndeath() -> None:
    session, _ = online()
    death = session.leave(now_ms=9)
    assert death is not None
    assert death.topic == "spBv1.0/east/NDEATH/no3"
    assert where(session) is EdgeState.OFFLINE
    assert session.leave(now_ms=10) is None


# -- edge node: births -----------------------------------------------------------------------


@proves("topics-nbirth-mqtt", "topics-nbirth-seq-num")
def test_births_are_qos_0_not_retained_and_begin_at_seq_0() -> None:
    _, births = online()
    assert [(message.qos, message.retain) for message in births] == [(0, False)] * 2
    assert [decode(message.payload).seq for message in births] == [0, 1]


@proves(
    "topics-nbirth-metric-reqs",
    "topics-dbirth-metric-reqs",
    "payloads-name-birth-data-requirement",
)
def test_births_list_every_metric_whole() -> None:
    session, births = online()
    node, device = (decode(message.payload) for message in births)
    assert [metric.name for metric in node.metrics] == ["bdSeq", REBIRTH, "Load", "None Yet"]
    assert [metric.name for metric in device.metrics] == ["port/speed"]
    for metric in (*node.metrics, *device.metrics):
        assert metric.datatype is not None
        assert metric.timestamp_ms is not None
        assert (metric.value is None) == (metric.name == "None Yet")
    with pytest.raises(SessionError, match="was not born"):
        session.data(None, [Metric(alias=99, value=b"", timestamp_ms=1)], now_ms=1)
    with pytest.raises(SessionError, match="timestamp"):
        session.data(None, [Metric(alias=1, datatype=DataType.DOUBLE, value=0.1)], now_ms=1)
    for incomplete in (replace(M, name=None), replace(M, datatype=None)):
        with pytest.raises(SessionError, match="name and a datatype"):
            session.birth([incomplete], {}, now_ms=1)


@proves("topics-nbirth-rebirth-metric", "operational-behavior-data-commands-rebirth-name-aliases")
def test_rebirth_is_offered_without_an_alias() -> None:
    session, births = online()
    offered = next(m for m in decode(births[0].payload).metrics if m.name == REBIRTH)
    assert (offered.datatype, offered.value, offered.alias) == (DataType.BOOLEAN, False, None)
    aliased = Metric(name=REBIRTH, alias=9, datatype=DataType.BOOLEAN, value=False)
    with pytest.raises(SessionError):
        session.birth([aliased], {}, now_ms=1)


@proves("message-flow-device-birth-publish-nbirth-wait", "payloads-dbirth-order")
def test_device_births_follow_the_nodes_and_precede_data() -> None:
    session, births = online()
    assert [read(message)[0].kind for message in births] == ["NBIRTH", "DBIRTH"]
    with pytest.raises(SessionError, match="never born"):
        session.data("switch-b", [replace(P, name=None)], now_ms=1)
    late = session.device_birth("switch-b", [replace(P, alias=8)], now_ms=5)
    assert decode(late.payload).seq == 2


# -- edge node: data, deaths, rebirth --------------------------------------------------------


@proves("payloads-sequence-num-always-included", "payloads-sequence-num-incrementing")
def test_one_sequence_for_the_node_and_its_devices() -> None:
    session, births = online()
    numbers = [decode(message.payload).seq for message in births]
    for count in range(600):
        device = "switch-a" if count % 3 else None
        numbers.append(decode(data(session, device).payload).seq)
    assert numbers == [count % 256 for count in range(602)]
    death = session.device_death("switch-a", now_ms=1)
    assert decode(death.payload).seq == 602 % 256
    last = session.leave(now_ms=2)
    assert last is not None
    assert decode(last.payload).seq is None


@proves("operational-behavior-device-ddeath")
def test_a_lost_device_dies_in_sequence() -> None:
    session, _ = online()
    topic, payload = read(session.device_death("switch-a", now_ms=50))
    assert (topic.kind, topic.device) == ("DDEATH", "switch-a")
    assert (payload.seq, payload.timestamp_ms, payload.metrics) == (2, 50, ())
    with pytest.raises(SessionError):
        data(session)


@proves("operational-behavior-data-publish-nbirth-order")
def test_live_metrics_go_in_time_order() -> None:
    session, _ = online()
    metrics = [
        replace(M, name=None, timestamp_ms=time, is_historical=old)
        for time, old in ((30, False), (5, True), (10, False), (20, False))
    ]
    sent = decode(session.data(None, metrics, now_ms=40).payload).metrics
    assert [metric.timestamp_ms for metric in sent if not metric.is_historical] == [10, 20, 30]
    assert [metric.timestamp_ms for metric in sent if metric.is_historical] == [5]


@proves(
    "operational-behavior-data-commands-rebirth-action-1",
    "operational-behavior-data-commands-rebirth-action-2",
    "operational-behavior-data-commands-rebirth-action-3",
)
def test_a_rebirth_stops_data_and_repeats_the_births_with_the_same_bd_seq() -> None:
    session, first = online(5)
    data(session)
    ask = Metric(name=REBIRTH, datatype=DataType.BOOLEAN, value=True, timestamp_ms=1)
    command = encode(Payload(timestamp_ms=1, metrics=(ask,)))
    events = session.received("spBv1.0/east/NCMD/no3", command, now_ms=30)
    assert kinds(events) == ["BirthWanted"]
    with pytest.raises(SessionError):
        data(session)
    again = session.birth([M], {"switch-a": [P]}, now_ms=31)
    assert [message.topic for message in again] == [message.topic for message in first]
    assert [decode(message.payload).seq for message in again] == [0, 1]
    assert decode(again[0].payload).metrics[0].value == 6
    assert session.bd_seq == 6
    data(session)


# -- edge node: primary host -----------------------------------------------------------------


@proves(
    "message-flow-edge-node-birth-publish-phid-wait",
    "message-flow-edge-node-birth-publish-phid-wait-id",
    "message-flow-edge-node-birth-publish-phid-wait-online",
)
def test_births_wait_for_the_right_host_to_be_online() -> None:
    session = edge()
    session.connect(now_ms=1)
    assert session.connected() == ()
    for topic, payload in (
        ("spBv1.0/STATE/another", state(ON, 100)),
        (STATE, state(OFF, 100)),
        (STATE, b"ONLINE"),
        (STATE, state("true", 100)),
        (STATE, state(ON, "now")),
        (STATE, state(ON, ON)),
        (STATE, state(ON, -1)),
        (STATE, b"[]"),
    ):
        events = session.received(topic, payload, now_ms=2)
        assert not any(isinstance(event, BirthWanted) for event in events)
        assert where(session) is EdgeState.WAITING
    assert kinds(session.received(STATE, state(ON, 100), now_ms=3)) == ["BirthWanted"]


@proves("message-flow-edge-node-birth-publish-phid-wait-timestamp")
def test_an_older_online_does_not_count() -> None:
    session = edge()
    session.connect(now_ms=1)
    session.received(STATE, state(OFF, 100), now_ms=2)
    session.connected()
    assert kinds(session.received(STATE, state(ON, 99), now_ms=3)) == ["EdgeFault"]
    assert kinds(session.received(STATE, state(ON, 100), now_ms=3)) == ["BirthWanted"]
    session.lost()
    session.connect(now_ms=4)
    session.connected()  # the timestamp is remembered over connections
    assert kinds(session.received(STATE, state(ON, 99), now_ms=5)) == ["EdgeFault"]


@proves(
    "message-flow-edge-node-birth-publish-phid-offline",
    "operational-behavior-edge-node-termination-host-offline-timestamp",
)
def test_a_valid_offline_ends_the_session_and_a_stale_one_does_not() -> None:
    session, _ = online()
    (fault,) = session.received(STATE, state(OFF, 99), now_ms=5)
    assert isinstance(fault, EdgeFault)
    assert "older" in fault.sentence
    assert where(session) is EdgeState.ONLINE
    (leave,) = session.received(STATE, state(OFF, 100), now_ms=6)
    assert isinstance(leave, Leave)
    assert leave.death.topic == "spBv1.0/east/NDEATH/no3"
    assert where(session) is EdgeState.OFFLINE
    session.connect(now_ms=7)
    session.connected()
    assert where(session) is EdgeState.WAITING
    assert session.bd_seq == 1


# -- payload rules ---------------------------------------------------------------------------


@proves("payloads-alias-uniqueness")
def test_an_alias_is_unique_over_node_and_devices() -> None:
    session, _ = online()
    for node, devices in (
        ([M, replace(NULL, alias=1)], {}),
        ([M], {"switch-a": [replace(P, alias=1)]}),
        ([M], {"switch-a": [P], "switch-b": [P]}),
    ):
        with pytest.raises(SessionError, match="alias"):
            session.birth(node, devices, now_ms=1)
    with pytest.raises(SessionError, match="alias"):
        session.device_birth("switch-b", [P], now_ms=1)


@proves("payloads-alias-birth-requirement")
def test_births_have_name_and_alias() -> None:
    _, births = online()
    metrics = {metric.name: metric.alias for metric in decode(births[0].payload).metrics}
    assert metrics == {"bdSeq": None, REBIRTH: None, "Load": 1, "None Yet": 3}


@proves("payloads-alias-data-cmd-requirement")
def test_later_messages_have_the_alias_alone() -> None:
    session, births = online()
    for metrics in ([M], [Metric(name="Load", value=b"", timestamp_ms=1)]):
        with pytest.raises(SessionError, match="alias"):
            session.data(None, metrics, now_ms=1)
    (sent,) = decode(data(session, None).payload).metrics
    assert (sent.name, sent.alias, sent.datatype) == (None, 1, None)
    heard = host()
    feed(heard, births, 0)
    command = heard.command(NODE, None, [replace(M, alias=None)], at=at())
    (written,) = decode(command.payload).metrics
    assert (written.name, written.alias) == (None, 1)
    events = session.received(command.topic, command.payload, now_ms=1)
    assert isinstance(events[0], CommandReceived)
    assert events[0].metrics[0].name == "Load"


# -- primary host application ----------------------------------------------------------------


@proves("host-topic-phid-death-required", "host-topic-phid-birth-payload-timestamp")
def test_the_hosts_will_and_birth_share_a_timestamp() -> None:
    session = HostSession(host_id=HOST)
    will = session.connect(at=at(5)).will
    assert (will.topic, will.qos, will.retain) == (STATE, 1, True)
    assert json.loads(will.payload) == {"online": False, "timestamp": 1_005_000}
    assert json.loads(session.connected().payload) == {"online": True, "timestamp": 1_005_000}


@proves("message-flow-phid-sparkplug-subscription")
def test_the_host_subscribes_to_namespace_and_its_state() -> None:
    assert HostSession(host_id=HOST).connect(at=at()).subscriptions == (("spBv1.0/#", 1),)
    assert HostSession(host_id=HOST, groups=("east",)).connect(at=at()).subscriptions == (
        ("spBv1.0/east/#", 1),
        (STATE, 1),
    )


@proves("host-topic-phid-birth-message")
def test_the_hosts_birth_is_retained_qos_1() -> None:
    session = HostSession(host_id=HOST)
    session.connect(at=at())
    birth = session.connected()
    assert (birth.topic, birth.qos, birth.retain) == (STATE, 1, True)


@proves("message-flow-hid-sparkplug-state-message-delivered")
def test_the_host_contradicts_its_own_offline_at_once() -> None:
    session = host()
    assert session.received(STATE, state(ON, 1_000_000), at=at()) == ()
    (repaired,) = session.received(STATE, state(OFF, 1_000_000), at=at())
    assert isinstance(repaired, StateRepaired)
    assert (repaired.state.topic, repaired.state.qos, repaired.state.retain) == (STATE, 1, True)
    assert json.loads(repaired.state.payload) == {"online": True, "timestamp": 1_000_000}


@proves("operational-behavior-edge-node-termination-host-action-ndeath-node-offline")
def test_ndeath_takes_the_node_and_its_devices_by_the_hosts_clock() -> None:
    session = host()
    feed(session, online()[1], 0)
    assert list(session.nodes_online) == [NODE]
    (died,) = session.received(NODE.topic(MessageType.NDEATH), edge_death(0), at=at(60))
    assert died == NodeDied(NODE, 0, 1_060_000, ("switch-a",))
    assert not list(session.nodes_online)


@proves("operational-behavior-edge-node-termination-host-action-ddeath-devices-offline")
def test_ddeath_takes_the_device_by_the_payloads_clock() -> None:
    session = host()
    node, births = online()
    feed(session, births, 0)
    (died,) = feed(session, [node.device_death("switch-a", now_ms=50)], 60)
    assert died == DeviceDied(NODE, "switch-a", 50)


@proves(
    "operational-behavior-host-reordering-start", "operational-behavior-host-reordering-success"
)
def test_a_gap_that_fills_in_time_is_no_gap() -> None:
    session = host(reorder_seconds=3.0)
    node, births = online()
    feed(session, births, 0)
    one, two, three = (data(node, now_ms=time) for time in (20, 21, 22))
    assert feed(session, [three, two], 1) == []
    assert session.next_tick(at=at()) == 4.0
    events = feed(session, [one], 2)
    assert [event.timestamp_ms for event in events if isinstance(event, Data)] == [20, 21, 22]
    assert session.next_tick(at=at()) is None
    assert session.tick(at=at(100)) == ()


@proves(
    "operational-behavior-host-reordering-rebirth",
    "operational-behavior-data-commands-ncmd-rebirth-name",
    "payloads-ncmd-seq",
)
def test_a_gap_that_stays_asks_for_a_rebirth() -> None:
    session = host(reorder_seconds=3.0)
    node, births = online()
    feed(session, births, 0)
    data(node)
    assert feed(session, [data(node)], 1) == []
    assert session.tick(at=at(3.9)) == ()
    events = session.tick(at=at(4))
    assert kinds(events) == ["Data", "RebirthWanted", "RebirthAsked"]
    wanted, asked = events[1:]
    assert isinstance(wanted, RebirthWanted)
    assert isinstance(asked, RebirthAsked)
    topic, payload = read(asked.command)
    assert (topic.kind, asked.command.qos, asked.command.retain) == ("NCMD", 0, False)
    assert (payload.seq, payload.timestamp_ms) == (None, 1_004_000)
    (metric,) = payload.metrics
    assert (metric.name, metric.datatype, metric.value) == (REBIRTH, DataType.BOOLEAN, True)
    assert kinds(node.received(asked.command.topic, asked.command.payload, now_ms=1)) == [
        "BirthWanted"
    ]
    again = feed(session, node.birth([M], {"switch-a": [P]}, now_ms=40), 5)
    assert isinstance(again[0], NodeBorn)
    assert again[0].again
    assert session.rebirths_wanted == 0


@proves("payloads-dcmd-seq")
def test_device_commands_have_no_seq() -> None:
    session = host()
    feed(session, online()[1], 0)
    command = session.command(NODE, "switch-a", [replace(P, alias=None)], at=at())
    topic, payload = read(command)
    assert (topic.kind, topic.device, payload.seq) == ("DCMD", "switch-a", None)
    assert payload.timestamp_ms == 1_000_000
    unknown = Metric(name="other", datatype=DataType.INT32, value=1)
    with pytest.raises(SessionError, match="other"):
        session.command(NODE, "switch-a", [unknown], at=at())


# -- broker ----------------------------------------------------------------------------------


@proves("conformance-mqtt-will-messages")
@pytest.mark.parametrize("retain", [False, True])
async def test_brokers_publish_wills(endpoint: Endpoint, retain: bool) -> None:
    topic = f"will/{retain}"
    will = Will(topic=topic, payload=b"gone", qos=1, retain=retain)
    async with MqttPort(endpoint=endpoint, client_id="watcher") as watcher:
        await watcher.subscribe(topic)
        async with MqttPort(endpoint=endpoint, client_id="mortal", will=will) as mortal:
            await mortal.disconnect(with_will=True)
        async for message in watcher.messages():
            watcher.ack(message)
            assert (message.topic, message.payload, message.qos) == (topic, b"gone", 1)
            break
    if retain:
        async with MqttPort(endpoint=endpoint, client_id="late") as late:
            await late.subscribe(topic)
            async for message in late.messages():
                assert (message.payload, message.retain) == (b"gone", True)
                break


def test_every_starred_id_is_proved_or_excused() -> None:
    assert len(STARRED) == len(set(STARRED)) == 62
    assert set(STARRED) == PROOFS.keys() | NOT_COVERED.keys()
    assert not PROOFS.keys() & NOT_COVERED.keys()
