import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire.topics import (
    Channel,
    DeviceTopic,
    MessageType,
    NodeId,
    NorthboundTopic,
    SparkplugTopic,
    TopicError,
    check_device,
    device_filter,
    host_filters,
    is_state,
    node_filters,
    state_topic,
)
from tenone.vocabulary.scope import DeviceKind

SLUGS = st.from_regex(re.compile(r"[a-z0-9-]{1,32}"), fullmatch=True)
NODE = NodeId("east", "no3")


@given(
    SLUGS,
    SLUGS,
    st.sampled_from(MessageType),
    st.sampled_from(DeviceKind),
    SLUGS,
)
def test_sparkplug_topics_survive_the_wire(
    group: str, node: str, kind: MessageType, device_kind: DeviceKind, asset: str
) -> None:
    device = f"{device_kind}-{asset}" if kind.is_device else None
    topic = SparkplugTopic(NodeId(group, node), kind, device)
    assert SparkplugTopic.parse(topic.path) == topic
    assert topic.path.startswith("spBv1.0/")


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("spBv1.0/east/NDATA", "spBv1.0/group"),
        ("spBv1.0/east/NDATA/no3/board-1/x", "spBv1.0/group"),
        ("spAv1.0/east/NDATA/no3", "spBv1.0/group"),
        ("spBv1.0/east/HELLO/no3", "HELLO"),
        ("spBv1.0/east/NDATA/no3/board-1", "never"),
        ("spBv1.0/east/DDATA/no3", "D messages"),
        ("spBv1.0/East/NDATA/no3", "group id"),
        ("spBv1.0/e+t/NDATA/no3", "group id"),
        ("spBv1.0/east/NDATA/no#3", "edge node id"),
        ("spBv1.0/east/NDATA/", "edge node id"),
        ("spBv1.0/east/DDATA/no3/toaster-1", "toaster"),
        ("spBv1.0/east/DDATA/no3/board", "<kind>-<asset>"),
        ("spBv1.0/east/DDATA/no3/board-", "asset"),
        ("spBv1.0/east/DDATA/no3/board-A", "asset"),
    ],
)
def test_bad_sparkplug_topics_are_refused_by_name(path: str, word: str) -> None:
    with pytest.raises(TopicError, match=re.escape(word)):
        SparkplugTopic.parse(path)


def test_filters() -> None:
    assert node_filters(NODE) == ("spBv1.0/east/NCMD/no3", "spBv1.0/east/DCMD/no3/+")
    assert host_filters() == ("spBv1.0/#",)
    assert host_filters(("east", "west")) == ("spBv1.0/east/#", "spBv1.0/west/#")
    assert state_topic("tenone-binhai") == "spBv1.0/STATE/tenone-binhai"
    assert is_state("spBv1.0/STATE/x")
    assert not is_state("spBv1.0/east/NDATA/no3")
    assert device_filter() == "t1/+/+/#"
    assert device_filter(DeviceKind.BOARD) == "t1/board/+/#"
    assert device_filter(DeviceKind.BOARD, "b1") == "t1/board/b1/#"
    assert check_device("board-a-1") == "board-a-1"


@pytest.mark.parametrize(
    "make",
    [
        lambda: state_topic("a/b"),
        lambda: state_topic(""),
        lambda: state_topic("TenOne"),
        lambda: host_filters(("a+",)),
        lambda: device_filter(None, "b1"),
        lambda: device_filter(DeviceKind.BOARD, "#"),
        lambda: NodeId("east", ""),
    ],
)
def test_bad_parts_are_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(TopicError):
        make()


@pytest.mark.parametrize(
    ("path", "channel", "retained"),
    [
        ("t1/board/b1/m", Channel.MEASUREMENT, False),
        ("t1/board/b1/m/health", Channel.MEASUREMENT, False),
        ("t1/card/c-9/e/swipe/42_x", Channel.EVENT, False),
        ("t1/sensor/s1/a/smoke", Channel.ALARM, True),
        ("t1/board/b1/s", Channel.STATUS, True),
        ("t1/board/b1/cmd/reboot/0199-a", Channel.COMMAND, True),
        ("t1/board/b1/twin/desired", Channel.TWIN, True),
        ("t1/board/b1/twin/reported", Channel.TWIN, True),
    ],
)
def test_device_topics(path: str, channel: Channel, retained: bool) -> None:
    topic = DeviceTopic.parse(path)
    assert topic.channel is channel
    assert topic.retained is retained
    assert topic.path == path


@pytest.mark.parametrize(
    "path",
    [
        "t1/board/b1",
        "t1/board/b1/m/a/b/c",
        "t2/board/b1/m",
        "t1/toaster/b1/m",
        "t1/board/B1/m",
        "t1/board/b1/x",
        "t1/board/b1/cmd",
        "t1/board/b1/cmd/reboot",
        "t1/board/b1/cmd/reboot/a b",
        "t1/board/b1/twin",
        "t1/board/b1/twin/wanted",
        "t1/board/b1/twin/desired/1",
        "t1/board/b1/m/+",
        "t1/board/b1/m/Health",
        "t1/board/b1/m/",
        "t1/board/b1/e/swipe/",
    ],
)
def test_bad_device_topics_are_refused(path: str) -> None:
    with pytest.raises(TopicError):
        DeviceTopic.parse(path)


@given(st.text(max_size=60))
def test_any_text_is_a_topic_or_a_typed_error(path: str) -> None:
    for parse in (SparkplugTopic.parse, DeviceTopic.parse, NorthboundTopic.parse):
        for text in (path, f"t1/{path}", f"spBv1.0/{path}", f"t1nb/{path}"):
            try:
                topic = parse(text)
            except TopicError:
                continue
            assert topic.path == text


def test_northbound() -> None:
    path = "t1nb/guard/security/no3/sos.raised"
    assert NorthboundTopic.parse(path).path == path
    for bad in ("t1nb/guard/security/no3", "t1nb/guard/security/no3/SOS", "t1nb/g/s/no 3/x"):
        with pytest.raises(TopicError):
            NorthboundTopic.parse(bad)
