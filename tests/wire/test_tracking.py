import pytest

from drivers.wire.sparkplug.codec import CodecError, Metric, Payload
from drivers.wire.sparkplug.schema import DataType
from drivers.wire.sparkplug.tracking import BirthTable, Held, NodeTrack
from drivers.wire.topics import MessageType, NodeId, SparkplugTopic

NODE = NodeId("east", "no3")
SPEED = Metric(name="speed", alias=2, datatype=DataType.INT32)
NAMED = Metric(name="plain", datatype=DataType.STRING)


def held(seq: int, time_ms: int = 10) -> Held:
    return Held(SparkplugTopic(NODE, MessageType.NDATA), Payload(timestamp_ms=time_ms, seq=seq))


def track(next_seq: int | None, *seqs: int) -> NodeTrack:
    return NodeTrack(NODE, online=True, next_seq=next_seq, held={seq: held(seq) for seq in seqs})


def seqs(messages: list[Held]) -> list[int | None]:
    return [message.payload.seq for message in messages]


def test_tables_resolve_by_alias_or_name() -> None:
    table = BirthTable.of([SPEED, NAMED])
    known = table.resolve(Metric(alias=2, value=0xFFFFFFFF))
    assert (known.name, known.value, known.datatype) == ("speed", -1, DataType.INT32)
    assert table.resolve(Metric(name="plain", value="x")).datatype is DataType.STRING
    written = table.written(Metric(name="speed", datatype=DataType.INT32, value=4))
    assert (written.name, written.alias) == (None, 2)
    for unknown in (Metric(alias=3, value=1), Metric(name="x", value=1), Metric(value=1)):
        with pytest.raises(CodecError, match="no birth"):
            table.resolve(unknown)


@pytest.mark.parametrize(
    "metrics",
    [
        [Metric(alias=1, datatype=DataType.INT32)],
        [Metric(name="x")],
        [SPEED, SPEED],
        [SPEED, Metric(name="other", alias=2, datatype=DataType.INT32)],
    ],
)
def test_births_that_contradict_themselves(metrics: list[Metric]) -> None:
    with pytest.raises(CodecError):
        BirthTable.of(metrics)


@pytest.mark.parametrize(
    ("next_seq", "waiting", "in_order", "then"),
    [
        (5, (5, 6, 8), [5, 6], 7),
        (5, (6,), [], 5),
        (254, (254, 255, 0, 1), [254, 255, 0, 1], 2),
        (None, (1,), [], None),
    ],
)
def test_in_order(
    next_seq: int | None, waiting: tuple[int, ...], in_order: list[int], then: int | None
) -> None:
    node = track(next_seq, *waiting)
    assert seqs(list(node.in_order())) == in_order
    assert node.next_seq == then


def test_giving_up_keeps_the_order_over_the_wrap() -> None:
    node = track(250, 3, 255, 252, 0)
    assert seqs(node.give_up()) == [252, 255, 0, 3]
    assert node.next_seq == 4
    assert node.held == {}


def test_older_messages_are_taken_out_in_order() -> None:
    node = track(250)
    node.held = {0: held(0, 10), 252: held(252, 9), 7: held(7, 11)}
    assert seqs(node.take_older(11)) == [252, 0]
    assert list(node.held) == [7]


def test_devices_need_their_node() -> None:
    node = NodeTrack(NODE)
    with pytest.raises(CodecError, match="not born"):
        node.device_born("switch-a", BirthTable.of([]))
    with pytest.raises(CodecError, match="no birth"):
        node.table(None)
    node.born(3, 0, BirthTable.of([]))
    node.device_born("switch-a", BirthTable.of([SPEED]))
    assert node.table("switch-a").by_alias
    node.died()
    assert not node.online
    assert node.tables == {}
