"""The audit ledger in /metrics: whether it can be written, and who else knows its head."""

from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from controller.trust.figures import AuditFigures


def ledger_families(figures: AuditFigures | None) -> Iterator[Metric]:
    """Nothing where there is no ledger."""
    if figures is None:
        return
    yield GaugeMetricFamily(
        "tenone_ledger_writable",
        "1: it can be written; 0: what must be ledgered is refused.",
        value=float(figures.writable),
    )
    for name, told, value in (
        ("tenone_ledger_entries", "Entries, ever.", figures.entries),
        ("tenone_ledger_refused", "Entries that could not be written.", figures.refused),
        ("tenone_ledger_refusals_summed", "Refusals counted together.", figures.summed),
        ("tenone_ledger_notes_lost", "Notes too many to hold meanwhile.", figures.lost),
    ):
        yield CounterMetricFamily(name, told, value=value)
    yield GaugeMetricFamily("tenone_ledger_notes_held", "Notes that wait.", value=figures.held)
    yield GaugeMetricFamily(
        "tenone_ledger_witnesses", "Schools that keep a head of it.", value=figures.witnesses
    )
    yield GaugeMetricFamily(
        "tenone_ledger_witnesses_contradicting",
        "Schools that keep what it does not hold.",
        value=figures.contradicting,
    )
    if figures.exported is not None:
        yield CounterMetricFamily(
            "tenone_ledger_exported", "Entries the SIEM has, ever.", value=figures.exported
        )
    ages = GaugeMetricFamily(
        "tenone_ledger_anchor_age_seconds",
        "Since the anchor took the head that is the newest it has.",
        labels=["anchor"],
    )
    conflicts = GaugeMetricFamily(
        "tenone_ledger_anchor_conflict",
        "1: the anchor has seen what the ledger does not hold.",
        labels=["anchor"],
    )
    for name, age, conflict in figures.anchors:
        conflicts.add_metric([name], float(conflict))
        if age is not None:
            ages.add_metric([name], age)
    if figures.anchors:
        yield ages
        yield conflicts
