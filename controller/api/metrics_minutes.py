"""Class-minutes and burn rates for Prometheus; the school calendar is known here and not there."""

from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from controller.api.services import ClassMinutes
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Verdict

LABELS = ("district", "school")
SLO = "class-minutes"


def minute_families(minutes: ClassMinutes) -> Iterator[Metric]:
    """All schools."""
    total = CounterMetricFamily(
        "tenone_class_minutes",
        "Class-minutes judged since the controller started.",
        labels=(*LABELS, "quality"),
    )
    blamed = CounterMetricFamily(
        "tenone_class_minutes_bad",
        "Bad class-minutes by their one cause; they add up to the bad ones.",
        labels=(*LABELS, "cause"),
    )
    lesson = GaugeMetricFamily(
        "tenone_school_in_lesson", "1 while a lesson goes on; absent without a calendar.",
        labels=LABELS,
    )  # fmt: skip
    objective = GaugeMetricFamily(
        "tenone_slo_objective_ratio", "What was promised.", labels=(*LABELS, "slo")
    )
    rate = GaugeMetricFamily(
        "tenone_slo_burn_rate",
        "Multiples of the error budget's even use over the last lesson hours; absent where "
        "nothing is known.",
        labels=(*LABELS, "slo", "alert", "window"),
    )
    threshold = GaugeMetricFamily(
        "tenone_slo_burn_threshold",
        "An alert stands while the long and the short window both burn faster than this.",
        labels=(*LABELS, "slo", "alert"),
    )
    stands = GaugeMetricFamily(
        "tenone_slo_burn_alert",
        "1 the alert stands, 0 it does not, -1 too little is known to tell.",
        labels=(*LABELS, "slo", "alert"),
    )
    for school in minutes.schools(ScopePath()):
        labels = (str(school.scope.parts[1]), school.school)
        tally = minutes.total(school.school)
        for quality, count in (
            ("good", tally.good), ("bad", tally.bad), ("unknown", tally.unknown)
        ):  # fmt: skip
            total.add_metric((*labels, quality), count)
        for cause, count in tally.bad_by_cause.items():
            blamed.add_metric((*labels, cause.label), count)
        if school.taught is None:
            continue
        lesson.add_metric(labels, float(school.taught))
        objective.add_metric((*labels, SLO), school.objective_ratio)
        for alert, burn in school.burn.items():
            threshold.add_metric((*labels, SLO, alert), burn.threshold)
            stands.add_metric((*labels, SLO, alert), _STANDS[burn.verdict])
            for window, value in (("long", burn.long), ("short", burn.short)):
                if value is not None:
                    rate.add_metric((*labels, SLO, alert, window), value)
    families = (total, blamed, lesson, objective, rate, threshold, stands)
    yield from (family for family in families if family.samples)


_STANDS = {Verdict.BAD: 1.0, Verdict.GOOD: 0.0, Verdict.UNKNOWN: -1.0}
