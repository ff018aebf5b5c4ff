"""Open incidents for /metrics. Counts only: no person and no text stands in a label."""

from collections import Counter
from collections.abc import Iterator

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

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
