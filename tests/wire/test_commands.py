import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire.commands import (
    CommandError,
    CommandState,
    Reply,
    Request,
    declarations,
    is_reply,
    is_request,
)
from drivers.wire.sparkplug.codec import Metric, Payload, decode, encode
from drivers.wire.sparkplug.schema import DataType

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


def text(name: str, value: str | None) -> Metric:
    return Metric(name=name, datatype=DataType.STRING, value=value, timestamp_ms=1)


def sent(metric: Metric) -> Metric:
    return decode(encode(Payload(timestamp_ms=1, metrics=(metric,)))).metrics[0]


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), JSON))
def test_requests_survive(arguments: dict[str, object]) -> None:
    arguments = {key: value for key, value in arguments.items() if key not in {"id", "deadline_ms"}}
    request = Request(verb="Restore", id="a-1", deadline_ms=1000, arguments=arguments)
    metric = sent(request.metric(now_ms=1))
    assert metric.name == "Restore/Request"
    assert is_request(metric)
    assert not is_reply(metric)
    read = Request.read(metric)
    assert (read.verb, read.id, read.deadline_ms) == ("Restore", "a-1", 1000)
    assert dict(read.arguments) == arguments


@pytest.mark.parametrize("state", CommandState)
def test_replies_survive(state: CommandState) -> None:
    reply = Reply(verb="Restore", id="a-1", state=state, code=7, message="因为")
    metric = sent(reply.metric(now_ms=1))
    assert is_reply(metric)
    assert Reply.read(metric) == reply
    body = json.loads(str(metric.value))
    assert set(body) == {"id", "state", "code", "message"}
    assert reply.metric(now_ms=1, alias=4).name is None


def test_deadlines() -> None:
    request = Request(verb="Restore", id="a", deadline_ms=1000)
    assert not request.expired(1000)
    assert request.expired(1001)


def test_declarations_are_null_and_without_alias() -> None:
    assert [
        (metric.name, metric.value, metric.alias) for metric in declarations("R2", now_ms=1)
    ] == [
        ("R2/Request", None, None),
        ("R2/Reply", None, None),
    ]


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "[]",
        "{",
        "[" * 100_000,
        "{}",
        '{"id":"a"}',
        '{"id":"a","deadline_ms":"soon"}',
        '{"id":"a","deadline_ms":true}',
        '{"id":"a","deadline_ms":0}',
        '{"id":"a","deadline_ms":99999999999999999999}',
        '{"id":"a b","deadline_ms":1}',
        '{"id":7,"deadline_ms":1}',
    ],
)
def test_bad_requests_are_refused(body: str | None) -> None:
    with pytest.raises(CommandError):
        Request.read(text("Restore/Request", body))


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        '{"id":"a","state":"maybe"}',
        '{"id":"a","state":"failed","code":"x"}',
        '{"id":"a","state":"failed","message":1}',
        '{"state":"failed"}',
    ],
)
def test_bad_replies_are_refused(body: str) -> None:
    with pytest.raises(CommandError):
        Reply.read(text("Restore/Reply", body))


def test_names_and_sizes_are_checked() -> None:
    for name in ("Restore", "Restore/Reply", "restore/Request", "Re store/Request", "/Request"):
        with pytest.raises(CommandError):
            Request.read(text(name, '{"id":"a","deadline_ms":1}'))
    with pytest.raises(CommandError, match="larger"):
        Request(verb="Big", id="a", deadline_ms=1, arguments={"x": "y" * 300_000}).metric(now_ms=1)
    with pytest.raises(CommandError, match="JSON"):
        Request(verb="Big", id="a", deadline_ms=1, arguments={"x": object()}).metric(now_ms=1)
    with pytest.raises(CommandError, match="taken"):
        Request(verb="Big", id="a", deadline_ms=1, arguments={"id": "b"})
    with pytest.raises(CommandError, match="verb"):
        declarations("no verb", now_ms=1)
