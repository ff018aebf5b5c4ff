"""The streams of a device's own body: each can be one block, labels are plain words."""

import pytest

from tenone.vocabulary import body
from tenone.vocabulary.metrics import METRICS
from tenone.vocabulary.states import PriorityClass


@pytest.mark.parametrize(
    ("name", "priority"),
    [
        ("SENSORS", PriorityClass.P2),
        ("OPTICS", PriorityClass.P2),
        ("POE", PriorityClass.P2),
        ("CHASSIS", PriorityClass.P2),
        ("UPS", PriorityClass.P1),
    ],
)
def test_a_stream_can_be_one_block(name: str, priority: PriorityClass) -> None:
    columns = getattr(body, name)
    assert len(set(columns)) == len(columns)
    found = [METRICS[column] for column in columns]
    assert {metric.priority for metric in found} == {priority}
    assert len({(metric.grade, metric.purpose) for metric in found}) == 1


def test_every_metric_of_the_module_is_in_a_stream() -> None:
    streams = (body.SENSORS, body.OPTICS, body.POE, body.CHASSIS, body.UPS)
    used = [column for stream in streams for column in stream]
    assert sorted(used) == sorted(metric.name for metric in body.METRICS_BODY)


def test_a_ups_says_plainly_what_it_runs_on() -> None:
    assert body.PowerSource.BATTERY.sentence == "on battery"
    assert body.PowerSource.MAINS.sentence == "on mains"
    assert {source.sentence for source in body.PowerSource} >= {"on bypass", "no output"}
    assert body.PoeStatus.OTHER_FAULT.label == "other_fault"
