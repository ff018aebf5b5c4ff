"""Availability (SLA.md, definition 1): A = 1 - |Down n W'| / |W'|.

W' is W without maintenance and without what is unknown.

First the outages are united, then cut to W', then measured. Subtracting total maintenance from
total downtime gives another and wrong figure as soon as a maintenance has no outage in it; an
outage that is still open ends at now and is never left out. The future is not judged: W ends at
now. A device that was added in mid-period counts from its onboarding.

A_worst counts unknown as down: 1 - |(Down u Unknown) n J| / |J|, J = W without maintenance.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from controller.sla.coverage import coverage, refusal
from tenone.calendar.intervals import Intervals, Span

NOTHING = Intervals()


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage; ``end_ns`` is None while it is open."""

    start_ns: int
    end_ns: int | None = None

    def until(self, now_ns: int) -> Span:
        """The outage as far as it has come; a clock that stepped back makes it empty."""
        end = now_ns if self.end_ns is None else min(self.end_ns, now_ns)
        return Span(self.start_ns, max(self.start_ns, end))


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """Announced work. It leaves the service window only once somebody has approved it."""

    start_ns: int
    end_ns: int
    approved_by: str | None


def approved(works: Iterable[Maintenance]) -> Intervals:
    """The time that leaves the service window."""
    return Intervals.of((work.start_ns, work.end_ns) for work in works if work.approved_by)


def unite(outages: Iterable[Outage], now_ns: int) -> Intervals:
    """All outages as one set of time, open ones until ``now_ns``."""
    return Intervals.of(outage.until(now_ns) for outage in outages)


@dataclass(frozen=True, slots=True)
class Window:
    """W and what is left of it to measure over."""

    service: Intervals
    """W: school hours since onboarding, until now."""
    judged: Intervals
    """W less approved maintenance."""
    measured: Intervals
    """W': W less approved maintenance and unknown."""
    unknown: Intervals
    """What of W is unknown, in maintenance or not."""

    @property
    def coverage(self) -> Fraction | None:
        """C = 1 - |unknown| / |W|; None where W is empty."""
        return coverage(self.unknown.measure_ns, self.service.measure_ns)


def window(
    service: Intervals,
    *,
    now_ns: int,
    maintenance: Intervals = NOTHING,
    unknown: Intervals = NOTHING,
    onboarded_ns: int | None = None,
) -> Window:
    """W, W without maintenance, and W', from ``onboarded_ns`` up to ``now_ns``."""
    hours = service - Intervals.of([(now_ns, service.spans[-1].end_ns)] if service else [])
    if onboarded_ns is not None and hours:
        hours = hours.within(onboarded_ns, hours.spans[-1].end_ns)
    judged = hours - maintenance
    return Window(hours, judged, judged - unknown, hours & unknown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """The figures of one period; all times in nanoseconds of the service window."""

    measured_ns: int
    """|W'|."""
    down_ns: int
    """|Down n W'|."""
    judged_ns: int
    """|J|: W without maintenance, over which A_worst is taken."""
    worst_ns: int
    """|(Down u Unknown) n J|."""
    coverage: Fraction | None

    @property
    def ratio(self) -> Fraction | None:
        """A, 0 to 1, exact; None where nothing was measured."""
        return None if not self.measured_ns else 1 - Fraction(self.down_ns, self.measured_ns)

    @property
    def worst_ratio(self) -> Fraction | None:
        """A_worst, never above A; None where W less maintenance is empty."""
        return None if not self.judged_ns else 1 - Fraction(self.worst_ns, self.judged_ns)

    @property
    def refusal(self) -> str | None:
        """Why this is not certified, as a sentence; None where it is."""
        return refusal(self.coverage)


def availability(time: Window, down: Intervals) -> Availability:
    """Measure ``down`` (see :func:`unite`) over a window."""
    return Availability(
        measured_ns=time.measured.measure_ns,
        down_ns=(down & time.measured).measure_ns,
        judged_ns=time.judged.measure_ns,
        worst_ns=((down | time.unknown) & time.judged).measure_ns,
        coverage=time.coverage,
    )
