import pytest

from tenone.vocabulary import probes
from tenone.vocabulary.metric import ColumnType
from tenone.vocabulary.metrics import METRICS
from tenone.vocabulary.states import PriorityClass, Purpose

STREAMS = {
    name: getattr(probes, name)
    for name in (
        "PROBE_SAMPLES",
        "PROBE_BURST",
        "PROBE_TARGETS",
        "DNS_SAMPLES",
        "HTTP_SAMPLES",
        "PATH_HOPS",
    )
}
LATE_NS = 3_000_000_000


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_one_block_of_the_promise(name: str) -> None:
    found = [METRICS[column] for column in STREAMS[name]]
    assert len(set(found)) == len(found)
    assert {metric.priority for metric in found} == {PriorityClass.P1}
    assert {metric.purpose for metric in found} == {Purpose.SLA}
    assert len({metric.grade for metric in found}) == 1


def test_every_metric_is_in_a_stream() -> None:
    used = {column for columns in STREAMS.values() for column in columns}
    assert used == {metric.name for metric in probes.METRICS_PROBES}


def test_the_latest_answer_that_counts_fits_its_column() -> None:
    assert METRICS["probe_away_ns"].type is ColumnType.UINT32
    assert LATE_NS < 2**32


@pytest.mark.parametrize(("suffix", "unit"), [("_us", "us"), ("_ns", "ns")])
def test_a_suffix_says_the_unit(suffix: str, unit: str) -> None:
    named = [metric for metric in probes.METRICS_PROBES if metric.name.endswith(suffix)]
    assert named
    assert {metric.unit for metric in named} == {unit}
