"""The judge of days: runs and means of the roll-ups become one row a link and local day."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np

from controller.arrays import F64, I64
from controller.evidence.columns import BUSY_RATIO, NO_TRAFFIC, Traffic, day_columns
from controller.evidence.day import DayWindow, LinkDay, judge_day
from controller.evidence.promises import LinkFacts, School, Works, no_works, service_of
from controller.evidence.recorder import MEAN_SECONDS, as_run
from controller.evidence.runs import Days, Run
from controller.sla.availability import NOTHING, approved
from controller.sla.statistics import P95, nearest_rank
from controller.sla.utilisation import MEAN_NS, Busy
from controller.store.rollup_rows import OutageRow, RunRow
from controller.store.rollups import Rollups
from tenone.calendar.intervals import SECOND_NS, Intervals
from tenone.calendar.school import DayKind
from tenone.calendar.zone import day_span

log = logging.getLogger(__name__)
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkInput:
    """All that one link's day is judged from; what a bundle carries and a verifier uses."""

    facts: LinkFacts
    runs: Sequence[Run]
    means: Sequence[float | None]
    """The 5-minute means that lie in W as a whole, in order; None: missing."""
    window: DayWindow
    hold_ns: int
    calendar_unknown: bool = False


@dataclass(slots=True)
class JudgedDay:
    """What :func:`judge_links` made: one entry a link in each list."""

    links: list[str] = field(default_factory=list)
    days: list[LinkDay] = field(default_factory=list)
    traffic: list[Traffic] = field(default_factory=list)
    contracts_mbps: list[int] = field(default_factory=list)
    hold_ns: list[int] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)


def judge_links(inputs: Iterable[LinkInput]) -> JudgedDay:
    """Judge each link's day; a link that was not promised on that day is left out. Pure."""
    judged = JudgedDay()
    for one in inputs:
        span = one.window.span
        promises = [bound.promise for bound in one.facts.between(*span)]
        if not promises:
            continue
        day = judge_day(one.runs, promises, one.window, hold_ns=one.hold_ns)
        samples = sum(run.samples for run in one.runs if run.start_ns >= span.start_ns)
        judged.links.append(one.facts.link)
        judged.days.append(replace(day, samples=samples))
        judged.traffic.append(traffic_of(one.means))
        judged.contracts_mbps.append(promises[-1].contract_mbps)
        judged.hold_ns.append(one.hold_ns)
        judged.flags.append(int(one.calendar_unknown))
    return judged


def traffic_of(means: Sequence[float | None]) -> Traffic:
    """Count and rank the means of a day."""
    known = [mean for mean in means if mean is not None]
    busy = Busy(nearest_rank(known, P95), len(known), len(means) - len(known))
    return Traffic(busy, sum(mean > BUSY_RATIO for mean in known)) if means else NO_TRAFFIC


def buckets_of(service: Intervals, until_ns: int) -> list[int]:
    """The 5-minute buckets that lie in W as a whole and are over, by epoch second."""
    found: list[int] = []
    for start, end in service:
        first, last = -(-start // MEAN_NS), min(end, until_ns) // MEAN_NS
        found += [bucket * MEAN_SECONDS for bucket in range(first, last)]
    return found


class DayJudge:
    """Judges days of districts from the roll-ups, and keeps them there. One thread."""

    def __init__(
        self,
        rollups: Rollups,
        schools: Mapping[str, School],
        *,
        works: Works = no_works,
        days: Days | None = None,
    ) -> None:
        self._rollups = rollups
        self._schools = schools
        self._works = works
        self._days = days or Days()

    def judge(self, district: str, day: date, schools: Iterable[str], now_ns: int) -> int:
        """Judge all links of ``schools`` on ``day``; returns how many. Raises StoreError.

        The same runs and means give the same rows: what is judged again changes nothing.
        """
        inputs = list(self.inputs(day, sorted(set(schools)), now_ns, every=False))
        judged = judge_links(inputs)
        if not judged.links:
            return 0
        columns = day_columns(
            judged.days,
            judged.traffic,
            contracts_mbps=judged.contracts_mbps,
            hold_ns=judged.hold_ns,
            flags=judged.flags,
        )
        outages = [
            OutageRow(
                link=link, day=day, start_ns=out.start_ns, end_ns=out.end_ns, cost_ns=out.cost_ns
            )
            for link, one in zip(judged.links, judged.days, strict=True)
            for out in one.outages
        ]
        self._rollups.put_days(district, day, judged.links, columns, outages)
        return len(judged.links)

    def inputs(
        self, day: date, schools: Sequence[str], now_ns: int, *, every: bool = True
    ) -> Iterable[LinkInput]:
        """What each link's day is judged from.

        ``every``: also of links that were not promised then; :func:`judge_links` leaves them out.
        """
        span = day_span(day, self._days.zone)
        asked = {
            name: [f for f in self._schools[name].links if every or f.between(*span)]
            for name in schools
        }
        wanted = [facts.link for links in asked.values() for facts in links]
        if not wanted:
            return
        runs: dict[str, list[RunRow]] = {}
        for row in self._rollups.runs(day - ONE_DAY, day, frozenset(wanted)):
            runs.setdefault(row.link, []).append(row)
        districts = frozenset(self._schools[name].plan.district for name in schools)
        means = self._means(day, districts, wanted)
        first = 0
        for name in schools:
            school = self._schools[name]
            service = service_of(school.plan.calendar, *span)
            until = min(max(now_ns, span.start_ns), span.end_ns)
            own = slice(first, first + len(asked[name]))
            first = own.stop
            told = _told(means, buckets_of(service.hours, until), own)
            unknown = any(
                each.day == day and each.kind is DayKind.UNKNOWN for each in service.unknown
            )
            for number, facts in enumerate(asked[name]):
                yield LinkInput(
                    facts=facts,
                    runs=speaking(runs.get(facts.link, ()), span.start_ns),
                    means=told[number],
                    window=DayWindow(
                        span=span,
                        service=service.hours,
                        lessons=service.lessons if facts.tier == "class" else NOTHING,
                        maintenance=approved(self._works(facts.link)),
                        until_ns=until,
                    ),
                    hold_ns=school.hold_ns,
                    calendar_unknown=unknown,
                )

    def _means(self, day: date, districts: frozenset[str], links: Sequence[str]) -> dict[int, F64]:
        """By bucket one ratio a link, in the order of ``links``; NaN: missing."""
        span = day_span(day, self._days.zone)
        seconds = (span.start_ns // SECOND_NS, span.end_ns // SECOND_NS - 1)
        number = {link: place for place, link in enumerate(links)}
        found: dict[int, F64] = {}
        cache: dict[str, tuple[Sequence[str], I64]] = {}
        for bucket in self._rollups.means(
            MEAN_SECONDS, (day, day), seconds, districts=districts, names=frozenset({"ratio"})
        ):
            known = cache.get(bucket.district)
            if known is None or known[0] != bucket.links:
                places = np.array([number.get(link, -1) for link in bucket.links], np.int64)
                known = cache[bucket.district] = bucket.links, places
            ours = known[1] >= 0
            here = found.setdefault(bucket.start, np.full(len(links), np.nan))
            here[known[1][ours]] = bucket.columns["ratio"][ours]
        return found


def _told(
    means: Mapping[int, F64], buckets: Sequence[int], links: slice
) -> list[list[float | None]]:
    """Of each link its means in the order of ``buckets``; None: missing."""
    nothing = np.full(links.stop - links.start, np.nan)
    rows = [means[bucket][links] if bucket in means else nothing for bucket in buckets]
    if not rows:
        return [[] for _ in nothing]
    return [
        [None if ratio != ratio else ratio for ratio in own]  # noqa: PLR0124 - NaN alone does so
        for own in np.array(rows).T.tolist()
    ]


def speaking(rows: Sequence[RunRow], start_ns: int) -> list[Run]:
    """The day's runs, and the last one before it."""
    ordered = sorted(rows, key=lambda row: row.start_ns)
    before = [row for row in ordered if row.start_ns < start_ns][-1:]
    inside = [row for row in ordered if row.start_ns >= start_ns]
    return [as_run(row) for row in (*before, *inside)]
