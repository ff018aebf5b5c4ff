"""Configurations of switches, for /metrics: how many of each school are as accepted."""

from collections import Counter
from collections.abc import Iterator, Sequence

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from controller.configurations.model import Configuration


def configuration_families(known: Sequence[Configuration]) -> Iterator[Metric]:
    """``tenone_switch_configurations`` by school and state; absent where none was ever fetched."""
    family = GaugeMetricFamily(
        "tenone_switch_configurations",
        "Switches whose configuration is as accepted, was changed by hand, or could not be had.",
        labels=("school", "state"),
    )
    counts = Counter((one.school, one.state) for one in known)
    for (school, state), count in sorted(counts.items()):
        family.add_metric((school, state), count)
    if counts:
        yield family
