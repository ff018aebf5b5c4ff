import json
import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.devices.message import (
    FARTHEST_MS,
    MAX_BYTES,
    MAX_DEPTH,
    Reason,
    Refused,
    parse_json,
    parse_topic,
    read_envelope,
)
from tenone.vocabulary.states import ClockQuality

NOW_MS = 1_790_000_000_000


def refusal(payload: bytes) -> Refused:
    with pytest.raises(Refused) as caught:
        read_envelope(payload, NOW_MS)
    return caught.value


def test_reads_a_whole_body() -> None:
    body = {"ts": NOW_MS - 5, "n": 7, "boot": "a1", "v": {"x": 1}}
    envelope = read_envelope(json.dumps(body).encode(), NOW_MS)
    assert (envelope.time_ms, envelope.n, envelope.boot) == (NOW_MS - 5, 7, "a1")
    assert envelope.clock_quality is ClockQuality.UNKNOWN
    assert envelope.values == {"x": 1}


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Reason.JSON),
        (b"{", Reason.JSON),
        (b"\xff{}", Reason.JSON),
        (b"\xef\xbb\xbf{}", Reason.JSON),
        ('{"v":{}}'.encode("utf-16"), Reason.JSON),
        (b'{"v":{"x":NaN}}', Reason.JSON),
        (b'{"v":{"x":-Infinity}}', Reason.JSON),
        (b'{"v":{"x":1,"x":2}}', Reason.JSON),
        (b'{"v":{},"v":{}}', Reason.JSON),
        (b'{"v":{"x":' + b"9" * 5000 + b"}}", Reason.JSON),
        (b"{}  {}", Reason.JSON),
        (b"[" * 100_000 + b"]" * 100_000, Reason.DEPTH),
        (b'{"v":' + b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH + b"}", Reason.DEPTH),
        (b" " * (MAX_BYTES + 1), Reason.SIZE),
        (b"[]", Reason.ENVELOPE),
        (b"7", Reason.ENVELOPE),
        (b"{}", Reason.ENVELOPE),
        (b'{"v":[]}', Reason.ENVELOPE),
        (b'{"v":{},"extra":1}', Reason.ENVELOPE),
        (b'{"v":{},"n":-1}', Reason.ENVELOPE),
        (b'{"v":{},"n":1.5}', Reason.ENVELOPE),
        (b'{"v":{},"n":true}', Reason.ENVELOPE),
        (b'{"v":{},"n":9223372036854775808}', Reason.ENVELOPE),
        (b'{"v":{},"boot":""}', Reason.ENVELOPE),
        (b'{"v":{},"boot":[]}', Reason.ENVELOPE),
        (b'{"v":{},"boot":"' + b"x" * 65 + b'"}', Reason.ENVELOPE),
        (b'{"v":{},"ts":"yesterday"}', Reason.ENVELOPE),
        (b'{"v":{},"ts":false}', Reason.ENVELOPE),
    ],
)
def test_refuses(payload: bytes, reason: Reason) -> None:
    refused = refusal(payload)
    assert refused.reason is reason
    assert 0 < len(str(refused)) < 300


@pytest.mark.parametrize(
    ("ts", "time_ms", "quality"),
    [
        (str(NOW_MS), NOW_MS, ClockQuality.UNKNOWN),
        (f"{NOW_MS}.75", NOW_MS, ClockQuality.UNKNOWN),
        (str(NOW_MS - FARTHEST_MS), NOW_MS - FARTHEST_MS, ClockQuality.UNKNOWN),
        (str(NOW_MS - FARTHEST_MS - 1), NOW_MS, ClockQuality.IMPLAUSIBLE),
        (str(NOW_MS + FARTHEST_MS + 1), NOW_MS, ClockQuality.IMPLAUSIBLE),
        (str(NOW_MS // 1000), NOW_MS, ClockQuality.IMPLAUSIBLE),  # seconds, not milliseconds
        ("0", NOW_MS, ClockQuality.IMPLAUSIBLE),
        ("-1e999", NOW_MS, ClockQuality.IMPLAUSIBLE),
        ("1e999", NOW_MS, ClockQuality.IMPLAUSIBLE),
        ("9" * 400, NOW_MS, ClockQuality.IMPLAUSIBLE),
        ("null", NOW_MS, ClockQuality.IMPLAUSIBLE),
    ],
)
def test_a_time_that_cannot_be_believed_is_the_agents(
    ts: str, time_ms: int, quality: ClockQuality
) -> None:
    envelope = read_envelope(f'{{"ts":{ts},"v":{{}}}}'.encode(), NOW_MS)
    assert (envelope.time_ms, envelope.clock_quality) == (time_ms, quality)


def test_a_deep_body_within_the_bound_is_read() -> None:
    body = b'{"v":' + b'{"a":' * (MAX_DEPTH - 2) + b"1" + b"}" * (MAX_DEPTH - 2) + b"}"
    assert read_envelope(body, NOW_MS).values


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(payload: bytes) -> None:
    with suppress(Refused):
        assert isinstance(read_envelope(payload, NOW_MS).values, dict)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_any_json_is_what_it_was_or_refused(value: object) -> None:
    text = json.dumps(value)
    try:
        read = parse_json(text.encode())
    except Refused:
        assert "Infinity" in text or text.count("[") + text.count("{") > MAX_DEPTH
    else:
        assert read == json.loads(text)


@given(
    st.dictionaries(
        st.sampled_from(["ts", "n", "boot", "v", "x"]), json_values | st.just({}), max_size=5
    )
)
def test_any_envelope_ends_in_an_answer(body: dict[str, object]) -> None:
    try:
        envelope = read_envelope(json.dumps(body).encode(), NOW_MS)
    except Refused:
        return
    assert math.isfinite(envelope.time_ms)
    assert envelope.values == body["v"]


@pytest.mark.parametrize("topic", ["", "t1", "t2/board/b1/m", "t1/toaster/b1/m", "t1/board/B 1/m"])
def test_refuses_a_topic(topic: str) -> None:
    with pytest.raises(Refused) as caught:
        parse_topic(topic)
    assert caught.value.reason is Reason.TOPIC
