"""Actions that are over, for /metrics. Counts only: no person and no text stands in a label."""

from collections.abc import Iterator, Mapping

from prometheus_client.metrics_core import CounterMetricFamily, Metric


def action_families(outcomes: Mapping[str, int]) -> Iterator[Metric]:
    """``tenone_actions_total`` by outcome since the start; absent where there are no actions."""
    family = CounterMetricFamily(
        "tenone_actions", "Actions that are over, by what came of them.", labels=("outcome",)
    )
    for outcome, count in sorted(outcomes.items()):
        family.add_metric((outcome,), count)
    if outcomes:
        yield family
