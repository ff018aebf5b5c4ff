"""One link, one local day: every figure of SLA.md that a report adds up. Pure.

A day holds seconds, minutes and counts, never percentages: months, schools, districts and cities
add days. What a link was comes from :mod:`controller.evidence.runs`, what that means from
:mod:`controller.sla.verdict`, the sums from the modules of :mod:`controller.sla`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from controller.evidence.runs import PortState, Run
from controller.sla.availability import NOTHING, availability, window
from controller.sla.class_minutes import PRICED
from controller.sla.compliance import Period, compliance, unknown_time
from controller.sla.verdict import Evidence, causes_of, judge
from tenone.calendar.intervals import MINUTE_NS, Intervals, Span, whole_minutes
from tenone.vocabulary.states import AdminStatus, Cause, OperStatus, Verdict

CAUSES = tuple(sorted(PRICED))
US = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """A link as it was promised and bound over a stretch of time."""

    link: str
    contract_mbps: int
    shared: bool
    """It carries others: an uplink or a backbone."""
    from_ns: int
    """Since when it counts: its onboarding, or the change that made it so."""
    to_ns: int | None = None
    bound: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DayWindow:
    """What a link's day is measured over."""

    span: Span
    """From local midnight to local midnight."""
    service: Intervals
    """W."""
    lessons: Intervals = NOTHING
    """Timetabled periods; class-minutes are made of these."""
    maintenance: Intervals = NOTHING
    """Approved."""
    until_ns: int
    """Up to where blocks have come: later time is not judged yet."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A part of an outage within one day. Parts that meet at midnight are one outage."""

    start_ns: int
    end_ns: int
    cost_ns: int
    """What of it lies in W'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkDay:
    """One link's day. All times in nanoseconds of W unless said otherwise."""

    service_ns: int = 0
    judged_ns: int = 0
    """W without maintenance: A_worst's denominator."""
    measured_ns: int = 0
    """W'."""
    unknown_ns: int = 0
    down_ns: int = 0
    worst_ns: int = 0
    good_ns: int = 0
    deficit_mbps_us: int = 0
    """Missing capacity over W', Mbit/s times microseconds, rounded down."""
    contract_mbps_us: int = 0
    """Promised capacity over W', the same unit."""
    samples: int = 0
    until_ns: int = 0
    """Up to where the day is judged, UTC."""
    minutes_good: int = 0
    minutes_unknown: int = 0
    minutes_bad: Mapping[Cause, int] = field(default_factory=dict)
    bad_ns: Mapping[Cause, int] = field(default_factory=dict)
    """Time in W' that is not good, by its one cause; adds up to measured_ns - good_ns."""
    outages: tuple[Outage, ...] = ()


@dataclass(frozen=True, slots=True)
class _Meaning:
    verdict: Verdict
    cause: Cause | None
    delivered_mbps: int | None
    down: bool


@lru_cache(maxsize=65_536)
def meaning(state: PortState, contract_mbps: int, shared: bool, bound: bool) -> _Meaning:  # noqa: FBT001 - cached by its arguments
    """What a port's state means for a promise; by the one judge of the house."""
    here = np.ones(1, np.bool_)
    judged = judge(
        Evidence(
            bound=here if bound else ~here,
            seen=here,
            present=here if state.seen else ~here,
            agent_heard=here,
            reachable=np.array([0 if state.seen < 0 else 1], np.int8),
            age_seconds=np.zeros(1),
            stale_after_seconds=np.ones(1),
            admin=np.array([state.admin], np.uint8),
            oper=np.array([state.oper], np.uint8),
            speed_mbps=np.array([state.speed_mbps], np.uint32),
            duplex=np.array([state.duplex], np.uint8),
            contract_mbps=np.array([contract_mbps], np.uint32),
            shared=here if shared else ~here,
            virtual=~here,  # its runs say that the port is missing: see controller.state.resolve
        )
    )
    verdict = Verdict(int(judged.verdict[0]))
    if verdict is Verdict.UNKNOWN:
        return _Meaning(verdict, None, None, down=False)
    down = state.admin in {AdminStatus.DOWN, AdminStatus.TESTING} or state.oper != OperStatus.UP
    cause = None if verdict is Verdict.GOOD else causes_of(int(judged.causes[0]))[0]
    return _Meaning(verdict, cause, 0 if down else state.speed_mbps, down)


@dataclass(frozen=True, slots=True)
class _Stretch:
    span: Span
    means: _Meaning
    promise: Promise


def judge_day(
    runs: Sequence[Run], promises: Sequence[Promise], time: DayWindow, *, hold_ns: int
) -> LinkDay:
    """Judge one link's day.

    ``runs``: of the day, and the last one before it where that may still speak; any order.
    ``promises``: what was promised when, without an overlap; time outside of all is not in W.
    """
    stretches = list(_stretches(runs, promises, time, hold_ns))
    day = LinkDay(until_ns=min(time.until_ns, time.span.end_ns))
    for promise in promises:
        part = _promised(promise, [s for s in stretches if s.promise is promise], time)
        day = part if len(promises) == 1 else add(day, part)
    return day


def _stretches(
    runs: Sequence[Run], promises: Sequence[Promise], time: DayWindow, hold_ns: int
) -> Iterator[_Stretch]:
    ordered = sorted(runs, key=lambda run: run.start_ns)
    limit = min(time.until_ns, time.span.end_ns)
    ends = [*(after.start_ns for after in ordered[1:]), limit][: len(ordered)]
    for run, following in zip(ordered, ends, strict=True):
        start = max(run.start_ns, time.span.start_ns)
        end = min(following, run.last_ns + hold_ns, limit)
        for promise in promises:
            begin = max(start, promise.from_ns)
            stop = end if promise.to_ns is None else min(end, promise.to_ns)
            if begin < stop:
                means = meaning(run.state, promise.contract_mbps, promise.shared, promise.bound)
                yield _Stretch(Span(begin, stop), means, promise)


def _promised(promise: Promise, stretches: Sequence[_Stretch], time: DayWindow) -> LinkDay:
    """The figures of one promise's part of the day."""
    until = min(time.until_ns, time.span.end_ns)
    if promise.to_ns is not None:
        until = min(until, promise.to_ns)
    service = time.service.within(*time.span)
    history = [
        Period(
            start_ns=s.span.start_ns,
            end_ns=s.span.end_ns,
            verdict=s.means.verdict,
            delivered_mbps=s.means.delivered_mbps,
        )
        for s in stretches
    ]
    hours = window(service, now_ns=until, onboarded_ns=promise.from_ns).service
    measured = window(
        hours, now_ns=until, maintenance=time.maintenance, unknown=unknown_time(history, hours)
    )
    down = Intervals.of(s.span for s in stretches if s.means.down)
    available = availability(measured, down)
    complied = compliance(history, measured, promise.contract_mbps)
    whole = time.lessons.within(max(time.span.start_ns, promise.from_ns), until)
    good, bad, unknown = _minutes(whole - time.maintenance, stretches)
    return LinkDay(
        service_ns=hours.measure_ns,
        judged_ns=available.judged_ns,
        measured_ns=available.measured_ns,
        unknown_ns=measured.unknown.measure_ns,
        down_ns=available.down_ns,
        worst_ns=available.worst_ns,
        good_ns=complied.good_ns,
        deficit_mbps_us=complied.deficit_mbps_ns // US,
        contract_mbps_us=promise.contract_mbps * available.measured_ns // US,
        until_ns=min(time.until_ns, time.span.end_ns),
        minutes_good=good,
        minutes_unknown=unknown,
        minutes_bad=bad,
        bad_ns=_by_cause(stretches, measured.measured),
        outages=tuple(
            Outage(*part, cost_ns=measured.measured.within(*part).measure_ns) for part in down
        ),
    )


def _by_cause(stretches: Iterable[_Stretch], measured: Intervals) -> dict[Cause, int]:
    found: dict[Cause, int] = {}
    for each in stretches:
        if each.means.cause is not None:
            cost = measured.within(*each.span).measure_ns
            if cost:
                found[each.means.cause] = found.get(each.means.cause, 0) + cost
    return found


def _minutes(
    lessons: Intervals, stretches: Sequence[_Stretch]
) -> tuple[int, dict[Cause, int], int]:
    """Good, bad by cause, unknown class-minutes, by the link's clause alone.

    A minute is bad if its link was bad at any moment of it, else good if it was known good for all
    of it; its cause is the weightiest in it.
    """
    minutes = sum(1 for _ in whole_minutes(lessons))
    if not minutes:
        return 0, {}, 0
    known_good = Intervals.of(s.span for s in stretches if s.means.verdict is Verdict.GOOD)
    if not lessons - known_good:
        return minutes, {}, 0
    worst: dict[int, Cause] = {}
    for each in stretches:
        if each.means.cause is not None:
            first = each.span.start_ns // MINUTE_NS * MINUTE_NS
            for minute in range(first, each.span.end_ns, MINUTE_NS):
                worst[minute] = min(each.means.cause, worst.get(minute, each.means.cause))
    bad: dict[Cause, int] = {}
    good = unknown = 0
    for minute in whole_minutes(lessons):
        cause = worst.get(minute)
        if cause is not None:
            bad[cause] = bad.get(cause, 0) + 1
        elif known_good.within(minute, minute + MINUTE_NS).measure_ns == MINUTE_NS:
            good += 1
        else:
            unknown += 1
    return good, bad, unknown


def add(one: LinkDay, other: LinkDay) -> LinkDay:
    """The sum of two parts of one day."""
    sums = {
        name: getattr(one, name) + getattr(other, name)
        for name in (*TIMES, "minutes_good", "minutes_unknown", "samples")
    }
    return LinkDay(
        **sums,
        until_ns=max(one.until_ns, other.until_ns),
        minutes_bad=_sum(one.minutes_bad, other.minutes_bad),
        bad_ns=_sum(one.bad_ns, other.bad_ns),
        outages=(*one.outages, *other.outages),
    )


def _sum(one: Mapping[Cause, int], other: Mapping[Cause, int]) -> dict[Cause, int]:
    return {c: one.get(c, 0) + other.get(c, 0) for c in CAUSES if c in one or c in other}


TIMES = (
    "service_ns", "judged_ns", "measured_ns", "unknown_ns", "down_ns", "worst_ns", "good_ns",
    "deficit_mbps_us", "contract_mbps_us",
)  # fmt: skip
"""The fields of :class:`LinkDay` that are sums over time."""
