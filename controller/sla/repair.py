"""MTTR and MTBF over W' (SLA.md, definition 2).

A failure is one part of the united outages, so two overlapping outages are one failure and one
that spans a lunch break is not two. What of it lies outside W' takes no time, and one that lies
outside as a whole is none. Terms are those of IEC 60050-192: mean time to restoration (192-07-23)
over restored failures only, mean operating time between failures (192-05-13) over all.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from controller.sla.availability import Outage, unite
from tenone.calendar.intervals import Intervals


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """Failures of one period."""

    restored: int
    restored_down_ns: int
    """Downtime in W' of the failures that are over."""
    open: int
    """Failures that still last; their end is not known, so they are in no mean to restoration."""
    up_ns: int
    """|W'| less the time down in it."""

    @property
    def mttr_ns(self) -> Fraction | None:
        """Mean time to restoration; None where nothing was restored."""
        return Fraction(self.restored_down_ns, self.restored) if self.restored else None

    @property
    def mtbf_ns(self) -> Fraction | None:
        """Mean operating time between failures; None where nothing failed."""
        failures = self.restored + self.open
        return Fraction(self.up_ns, failures) if failures else None


def reliability(outages: Iterable[Outage], measured: Intervals, now_ns: int) -> Reliability:
    """Count the failures that touch ``measured`` (W') and their time in it.

    An outage that begins after ``now_ns`` (the clock stepped back) has not happened yet.
    """
    begun = [outage for outage in outages if outage.start_ns < now_ns]
    down = unite(begun, now_ns)
    lasting = any(outage.end_ns is None or outage.end_ns > now_ns for outage in begun)
    restored = still_open = restored_down = 0
    for failure in down:
        cost = measured.within(*failure).measure_ns
        if not cost:
            continue
        if lasting and failure.end_ns == now_ns:
            still_open += 1
        else:
            restored += 1
            restored_down += cost
    return Reliability(
        restored=restored,
        restored_down_ns=restored_down,
        open=still_open,
        up_ns=(measured - down).measure_ns,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """When the steps of one repair happened; None for one that did not, or not yet."""

    began_ns: int
    detected_ns: int | None = None
    acknowledged_ns: int | None = None
    fixed_ns: int | None = None
    verified_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """One trouble that was to be repaired, as reports count it."""

    school: str
    link: str | None
    """None where it was about something else: a switch, a gateway, a board."""
    level: str | None
    """Who was responsible; None where nobody was told."""
    alarmed_ns: int | None
    """When people were told; None where a dead parent or announced work held it back."""
    course: Course


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A repair's time in W' by stage; None for a stage that has no end."""

    detect_ns: int | None
    acknowledge_ns: int | None
    fix_ns: int | None
    verify_ns: int | None

    @property
    def total_ns(self) -> int:
        """The time of all stages that ended."""
        stages = (self.detect_ns, self.acknowledge_ns, self.fix_ns, self.verify_ns)
        return sum(stage for stage in stages if stage is not None)


def split(course: Course, measured: Intervals) -> Split:
    """Cut a repair into its stages, each measured over W'.

    A step that has no time takes none: the next stage then runs from the last step there is (a
    link that came back before anybody acknowledged has no acknowledge stage). A step stamped
    before the one it follows took place with it: stages are never negative, and add up to the
    time from the beginning to the last step.
    """
    at = course.began_ns
    stages: list[int | None] = []
    for step in (course.detected_ns, course.acknowledged_ns, course.fixed_ns, course.verified_ns):
        if step is None:
            stages.append(None)
            continue
        stages.append(measured.within(at, step).measure_ns)
        at = max(at, step)
    return Split(
        detect_ns=stages[0], acknowledge_ns=stages[1], fix_ns=stages[2], verify_ns=stages[3]
    )


def mean_split(splits: Iterable[Split]) -> dict[str, Fraction | None]:
    """The mean of each stage over the repairs that have it, by field name of :class:`Split`."""
    every = list(splits)
    means: dict[str, Fraction | None] = {}
    for name in ("detect_ns", "acknowledge_ns", "fix_ns", "verify_ns"):
        known = [value for each in every if (value := getattr(each, name)) is not None]
        means[name] = Fraction(sum(known), len(known)) if known else None
    return means
