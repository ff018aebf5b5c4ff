import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.devices.board import BoardSample, read_message
from drivers.devices.message import Reason, Refused, parse_topic
from tenone.blocks.columns import Column
from tenone.vocabulary.metrics import BOARD_HEALTH
from tenone.vocabulary.states import ClockQuality

NOW_MS = 1_790_000_000_000
MEASUREMENT = parse_topic("t1/board/b-0301/m")
STATUS = parse_topic("t1/board/b-0301/s")
GOOD = {
    "screen_on": True,
    "app": "课堂",
    "firmware": "2.4.1",
    "cpu_ratio": 0.25,
    "storage_free_bytes": 12_000_000_000,
    "rssi_dbm": -61,
    "temperature_celsius": 41.5,
    "volume_ratio": 1,
}


def measure(values: object) -> BoardSample:
    body = {"ts": NOW_MS, "n": 3, "boot": "k1", "v": values}
    return read_message(MEASUREMENT, json.dumps(body).encode(), NOW_MS)


def test_reads_a_measurement() -> None:
    sample = measure(GOOD)
    assert sample.serial == "b-0301"
    assert (sample.boot, sample.n, sample.time_ms) == ("k1", 3, NOW_MS)
    assert sample.values == GOOD | {"screen_on": 1, "volume_ratio": 1.0}


def test_null_is_unknown_and_left_out_is_not_said() -> None:
    assert measure({"rssi_dbm": None}).values == {"rssi_dbm": None}


@pytest.mark.parametrize("online", [True, False])
def test_reads_a_status_without_time_and_counter(online: bool) -> None:
    sample = read_message(STATUS, json.dumps({"v": {"online": online}}).encode(), NOW_MS)
    assert sample.values == {"online": int(online)}
    assert sample.clock_quality is ClockQuality.IMPLAUSIBLE


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("screen_on", 1, Reason.TYPE),
        ("app", 5, Reason.TYPE),
        ("app", "x" * 201, Reason.RANGE),
        ("app", "\ud800", Reason.TYPE),
        ("cpu_ratio", 1.01, Reason.RANGE),
        ("cpu_ratio", True, Reason.TYPE),
        ("cpu_ratio", "0.5", Reason.TYPE),
        ("storage_free_bytes", -1, Reason.RANGE),
        ("storage_free_bytes", 0.5, Reason.TYPE),
        ("rssi_dbm", 12, Reason.RANGE),
        ("temperature_celsius", 10**400, Reason.RANGE),
        ("online", True, Reason.FIELD),
        ("message_counter", 1, Reason.FIELD),
        ("surprise", 1, Reason.FIELD),
    ],
)
def test_refuses_a_value(name: str, value: object, reason: Reason) -> None:
    with pytest.raises(Refused) as caught:
        measure(GOOD | {name: value})
    assert caught.value.reason is reason
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("topic", "body", "reason"),
    [
        ("t1/board/b1/m", {"v": {}}, Reason.ENVELOPE),
        ("t1/board/b1/m", {"v": {}, "n": 1}, Reason.ENVELOPE),
        ("t1/board/b1/s", {"v": {}}, Reason.FIELD),
        ("t1/board/b1/s", {"v": {"online": None}}, Reason.FIELD),
        ("t1/board/b1/s", {"v": {"online": 1}}, Reason.TYPE),
        ("t1/board/b1/s", {"v": {"online": True, "app": "x"}}, Reason.FIELD),
        ("t1/board/b1/e/swipe", {"v": {}}, Reason.KIND),
        ("t1/board/b1/m/extra", {"v": {}, "n": 1, "boot": "a"}, Reason.KIND),
        ("t1/sensor/b1/m", {"v": {}, "n": 1, "boot": "a"}, Reason.KIND),
    ],
)
def test_refuses_a_message(topic: str, body: dict[str, object], reason: Reason) -> None:
    with pytest.raises(Refused) as caught:
        read_message(parse_topic(topic), json.dumps(body).encode(), NOW_MS)
    assert caught.value.reason is reason


def test_infinity_spelled_as_a_number_is_out_of_range() -> None:
    payload = b'{"n":1,"boot":"a","v":{"cpu_ratio":1e999}}'
    with pytest.raises(Refused) as caught:
        read_message(MEASUREMENT, payload, NOW_MS)
    assert caught.value.reason is Reason.RANGE


values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=210)
    | st.lists(st.integers(), max_size=2)
)


@given(st.dictionaries(st.sampled_from(BOARD_HEALTH) | st.text(max_size=5), values, max_size=6))
def test_whatever_is_accepted_fits_its_column(said: dict[str, object]) -> None:
    try:
        sample = measure(said)
    except Refused:
        return
    assert sample.values.keys() == said.keys()
    for name, value in sample.values.items():
        assert next(iter(Column.of(name, [value]))) == pytest.approx(value)
