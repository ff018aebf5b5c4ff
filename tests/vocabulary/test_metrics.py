import struct

import pytest

from tenone.vocabulary import findings, metrics
from tenone.vocabulary.metric import ColumnType, Metric
from tenone.vocabulary.metrics import METRICS
from tenone.vocabulary.states import PriorityClass

LAYOUTS = {
    name: getattr(metrics, name)
    for name in (
        "PORT_STATE",
        "PORT_COUNTERS",
        "PORT_INVENTORY",
        "SWITCH_STATUS",
        "BOARD_HEALTH",
        "AGENT_HEALTH",
        "GAP",
    )
} | {"FINDINGS": findings.FINDINGS}


@pytest.mark.parametrize("kind", ColumnType)
def test_width_and_code_agree_with_struct(kind: ColumnType) -> None:
    if kind is ColumnType.TEXT:
        assert (kind.width, kind.code) == (0, "")
    else:
        assert kind.width == struct.calcsize(f"<{kind.code}")


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_set_of_columns_can_be_one_block(name: str) -> None:
    columns = LAYOUTS[name]
    assert len(set(columns)) == len(columns)
    found = [METRICS[column] for column in columns]
    # BLOCKS.md: a block never mixes data grades or purposes.
    assert len({metric.grade for metric in found}) == 1
    assert len({metric.purpose for metric in found}) == 1


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_every_metric_is_complete(metric: Metric) -> None:
    assert METRICS[metric.name] is metric
    assert metric.unit
    assert metric.source
    if metric.counter:
        assert metric.type is ColumnType.UINT64


@pytest.mark.parametrize(
    ("suffix", "unit"),
    [
        ("_mbps", "Mbit/s"),
        ("_seconds", "s"),
        ("_ms", "ms"),
        ("_ratio", "1"),
        ("_bytes", "byte"),
        ("_octets", "byte"),
        ("_ticks", "10 ms"),
        ("_dbm", "dBm"),
        ("_celsius", "Cel"),
    ],
)
def test_a_suffix_says_the_unit(suffix: str, unit: str) -> None:
    named = [metric for metric in METRICS.values() if metric.name.endswith(suffix)]
    assert named
    assert {metric.unit for metric in named} == {unit}


def test_port_metrics_travel_before_health() -> None:
    assert {METRICS[name].priority for name in metrics.PORT_STATE} == {PriorityClass.P1}
    assert {METRICS[name].priority for name in metrics.BOARD_HEALTH} == {PriorityClass.P2}


def test_the_catalogue_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        METRICS["x"] = METRICS["admin"]  # type: ignore[index]  # that it is refused is the test
