"""Repairs for /metrics: how they ended, how long proof took, red stops that stand."""

from collections.abc import Iterator

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from controller.enforcement.figures import BUCKETS, Figures
from controller.enforcement.model import Standing


def enforcement_families(figures: Figures, standing: Standing) -> Iterator[Metric]:
    """``figures`` since the start, ``standing`` of everything."""
    ended = CounterMetricFamily(
        "tenone_repairs",
        "Repairs that are over, by what came of them.",
        labels=("intent", "outcome"),
    )
    for (intent, outcome), count in sorted(figures.outcomes.items()):
        ended.add_metric((intent, outcome), count)
    if figures.outcomes:
        yield ended
    yield _seconds(figures)
    yield GaugeMetricFamily(
        "tenone_enforcement_stops", "Red stops that stand.", value=len(standing.stops)
    )
    if standing.stops:
        yield GaugeMetricFamily(
            "tenone_enforcement_oldest_stop_timestamp_seconds",
            "Since when the oldest red stop stands; absent where none does.",
            value=min(stop.at for stop in standing.stops),
        )
    yield GaugeMetricFamily(
        "tenone_enforcement_under_way", "Actions under way at switches.", value=standing.under_way
    )


def _seconds(figures: Figures) -> Metric:
    buckets, total = [], 0
    for bound, count in zip(BUCKETS, figures.buckets, strict=True):
        total += count
        buckets.append((str(bound), total))
    buckets.append(("+Inf", figures.count))
    found = HistogramMetricFamily(
        "tenone_repair_seconds", "Seconds from a fault to its proved repair."
    )
    found.add_metric((), buckets, figures.seconds)
    return found
