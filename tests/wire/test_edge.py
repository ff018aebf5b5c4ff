"""What the checklist (test_tck) does not ask: commands, faults, births that change."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire.commands import Request, declarations
from drivers.wire.receipt import Durable, read_receipt, receipt_declaration, receipt_metric
from drivers.wire.sparkplug.codec import Metric, Payload, decode, encode
from drivers.wire.sparkplug.edge import (
    BirthWanted,
    CommandReceived,
    EdgeFault,
    EdgeSession,
    EdgeState,
)
from drivers.wire.sparkplug.messages import SessionError
from drivers.wire.sparkplug.schema import DataType
from drivers.wire.topics import NodeId
from tenone.vocabulary.states import PriorityClass

NODE = NodeId("east", "no3")
NCMD = "spBv1.0/east/NCMD/no3"
DCMD = "spBv1.0/east/DCMD/no3/switch-a"
SPEED = Metric(name="speed", alias=2, datatype=DataType.INT32, value=-1, timestamp_ms=1)


def where(session: EdgeSession) -> EdgeState:
    return session.state


def born(*metrics: Metric) -> EdgeSession:
    session = EdgeSession(node=NODE, host_id=None, last_bd_seq=None)
    session.connect(now_ms=1)
    (wanted,) = session.connected()
    assert isinstance(wanted, BirthWanted)
    session.birth(metrics, {"switch-a": [SPEED]}, now_ms=2)
    return session


def command(*metrics: Metric) -> bytes:
    return encode(Payload(timestamp_ms=5, metrics=metrics))


def test_without_a_primary_host_nobody_is_waited_for() -> None:
    session = EdgeSession(node=NODE, host_id=None, last_bd_seq=None)
    assert len(session.connect(now_ms=1).subscriptions) == 2
    assert [type(event) for event in session.connected()] == [BirthWanted]


def test_a_retained_state_may_come_before_the_last_suback() -> None:
    session = EdgeSession(node=NODE, host_id="h", last_bd_seq=None)
    session.connect(now_ms=1)
    state = json.dumps({"online": True, "timestamp": 5}).encode()
    assert session.received("spBv1.0/STATE/h", state, now_ms=1) == ()
    assert [type(event) for event in session.connected()] == [BirthWanted]


def test_a_receipt_and_a_request_come_through_named_and_typed() -> None:
    session = born(receipt_declaration(now_ms=1), *declarations("Restore", now_ms=1))
    rows = (Durable(bytes(16), PriorityClass.P1, 42),)
    request = Request(verb="Restore", id="a", deadline_ms=9)
    (event,) = session.received(
        NCMD, command(receipt_metric(rows, now_ms=5), request.metric(now_ms=5)), now_ms=6
    )
    assert isinstance(event, CommandReceived)
    assert event.device is None
    receipt, asked = event.metrics
    assert read_receipt(receipt) == rows
    assert Request.read(asked) == request


def test_a_device_command_by_alias_is_resolved_and_signed() -> None:
    payload = encode(
        Payload(
            timestamp_ms=5,
            metrics=(Metric(alias=2, datatype=DataType.INT32, value=-7, timestamp_ms=5),),
        ),
        datatypes=False,
    )
    (event,) = born().received(DCMD, payload, now_ms=6)
    assert isinstance(event, CommandReceived)
    assert (event.device, event.metrics[0].name, event.metrics[0].value) == (
        "switch-a",
        "speed",
        -7,
    )


@pytest.mark.parametrize(
    ("topic", "payload", "word"),
    [
        (NCMD, b"garbage", "no Sparkplug payload"),
        (NCMD, command(Metric(name="other", datatype=DataType.INT32, value=1)), "was not born"),
        (DCMD, command(Metric(name="speed", datatype=DataType.STRING, value="x")), "INT32"),
        (DCMD.replace("-a", "-b"), command(SPEED), "not born"),
        ("spBv1.0/east/NCMD/no4", command(), "not meant"),
        ("spBv1.0/east/NDATA/no3", command(), "not meant"),
        ("spBv1.0/STATE/else", b"{}", "not the STATE"),
        ("t1/board/x/m", b"", "spBv1.0"),
    ],
)
def test_what_is_ignored_is_said(topic: str, payload: bytes, word: str) -> None:
    session = born()
    (event,) = session.received(topic, payload, now_ms=3)
    assert isinstance(event, EdgeFault)
    assert word in event.sentence
    assert session.state is EdgeState.ONLINE


def test_one_bad_metric_does_not_cost_the_others() -> None:
    session = born(receipt_declaration(now_ms=1))
    events = session.received(
        NCMD,
        command(
            Metric(name="other", datatype=DataType.INT32, value=1),
            Metric(name="Node Control/Rebirth", datatype=DataType.BOOLEAN, value=False),
            receipt_metric([], now_ms=5),
        ),
        now_ms=3,
    )
    assert [type(event) for event in events] == [EdgeFault, CommandReceived]


def test_after_the_end_nothing_is_taken() -> None:
    session = born()
    session.lost()
    assert [type(event) for event in session.received(NCMD, command(), now_ms=3)] == [EdgeFault]
    assert session.leave(now_ms=4) is None


def test_a_rebirth_may_change_the_streams() -> None:
    session = born()
    session.birth([], {"switch-b": [SPEED]}, now_ms=3)
    with pytest.raises(SessionError, match="never born"):
        session.data("switch-a", [], now_ms=4)
    with pytest.raises(SessionError, match="never born"):
        session.device_death("switch-a", now_ms=4)
    session.device_death("switch-b", now_ms=4)
    session.device_birth("switch-a", [SPEED], now_ms=5)


def test_a_refused_birth_changes_nothing() -> None:
    session = born()
    before = decode(session.data(None, [], now_ms=4).payload).seq
    with pytest.raises(SessionError, match="case aside"):
        session.birth([SPEED, Metric(name="SPEED", datatype=DataType.INT32)], {}, now_ms=4)
    assert before is not None
    assert decode(session.data("switch-a", [], now_ms=4).payload).seq == before + 1


def test_a_second_connect_needs_an_end_first() -> None:
    session = born()
    with pytest.raises(SessionError, match="ONLINE"):
        session.connect(now_ms=5)
    session.leave(now_ms=6)
    assert where(session) is EdgeState.OFFLINE
    session.connect(now_ms=7)
    assert session.bd_seq == 1


@given(st.sampled_from([NCMD, DCMD, "spBv1.0/STATE/h", "spBv1.0/STATE/"]), st.binary(max_size=80))
def test_hostile_bytes_never_raise(topic: str, payload: bytes) -> None:
    session = EdgeSession(node=NODE, host_id="h", last_bd_seq=7)
    session.connect(now_ms=1)
    session.received(topic, payload, now_ms=1)
    session.connected()
    session.received(topic, payload, now_ms=1)
