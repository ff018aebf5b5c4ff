"""Open incidents for /metrics. Counts only: no person and no text stands in a label."""

from collections import Counter
from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from controller.api.incident_services import Incidents
from tenone.vocabulary.scope import ScopePath

DISTRICT = 1


def incident_families(incidents: Incidents) -> Iterator[Metric]:
    """``tenone_incidents_open`` by district, severity and cause; absent where none is open."""
    counted = Counter(
        (str(view.scope.parts[DISTRICT]), view.severity.label or "none", view.cause.label)
        for view in incidents.views(ScopePath())
        if len(view.scope.parts) > DISTRICT
    )
    family = GaugeMetricFamily(
        "tenone_incidents_open",
        "Incidents open now, one a cause; what is shadowed by another has none.",
        labels=("district", "severity", "cause"),
    )
    for labels, count in sorted(counted.items()):
        family.add_metric(labels, count)
    if counted:
        yield family
    yield from _notice_families(incidents)


def _notice_families(incidents: Incidents) -> Iterator[Metric]:
    """Messages of incidents by destination; absent where none is configured."""
    views = incidents.destinations()
    if not views:
        return
    waiting = GaugeMetricFamily(
        "tenone_notices_waiting",
        "Messages that wait behind a destination whose last one did not go out.",
        labels=("level", "channel"),
    )
    failures = GaugeMetricFamily(
        "tenone_notice_failures",
        "Tries in a row that a destination did not answer.",
        labels=("level", "channel"),
    )
    dropped = CounterMetricFamily(
        "tenone_notices_dropped",
        "Messages given up because too many waited for the same destination.",
        labels=("level", "channel"),
    )
    for view in views:
        labels = (view.level, view.channel)
        waiting.add_metric(labels, view.waiting)
        failures.add_metric(labels, view.failures)
        dropped.add_metric(labels, view.dropped)
    yield from (waiting, failures, dropped)
