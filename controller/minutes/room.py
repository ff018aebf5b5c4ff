"""The room: judges every taught minute once it is over, counts, keeps, and answers questions.

What it counts is provisional: evidence that comes later (an agent that was cut off) is in the
stored blocks and in the day's report, not in this running count.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Protocol
from zoneinfo import ZoneInfo

import numpy as np

from controller.api.services import Health
from controller.arrays import F64, I8, I64, Flags
from controller.house import House
from controller.minutes.availability import UNKNOWN, MonthToDate, states_of
from controller.minutes.burning import Burning, Rates
from controller.minutes.count import CAUSES, ClauseColumns, Counts, count, judge
from controller.minutes.kept import KEEP_NS, KeptHours
from controller.minutes.timeline import LinkTimeline
from controller.minutes.timetable import Month, Timetable, month_of
from controller.minutes.views import BurnView, SchoolMinutes
from controller.sla.class_minutes import Tally
from controller.store.protocols import LinkChange, StoreError
from tenone.calendar.intervals import MINUTE_NS, SECOND_NS
from tenone.calendar.zone import CITY_ZONE, local_date, month_span
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Cause, Tier, Verdict

log = logging.getLogger(__name__)


GRACE_NS = 20 * SECOND_NS
"""How long after its end a minute is judged: what was read in it must have arrived and been
judged (a state poll every 10 s)."""
LONGEST_LEAP = 24 * 60
"""Minutes of a leap of the clock, or of a stop, that are counted as unknown one by one."""
UNKEPT_MINUTES = 600
"""Minutes held while the records cannot be written."""

Clauses = Callable[[], ClauseColumns]


class Work(Protocol):
    """Approved work on a link, or on everything inside a scope."""

    @property
    def scope(self) -> ScopePath:
        """Where."""
        ...

    @property
    def link(self) -> str | None:
        """The one link, by its id; None: all of the scope."""
        ...

    @property
    def start_ns(self) -> int:
        """UTC."""
        ...

    @property
    def until_ns(self) -> int:
        """UTC, half open."""
        ...


def no_works() -> Iterable[Work]:
    """Nobody works."""
    return ()


class MinutesRoom:
    """See :class:`controller.house.Room`."""

    name = "class-minutes"

    def __init__(self, house: House, *, clauses: Clauses | None = None) -> None:
        n = house.live.numbering
        self._house = house
        self._n = n
        schools, links = len(n.schools), len(n.links)
        self._clauses = clauses or self._live_clauses
        self.works: Callable[[], Iterable[Work]] = no_works
        """Approved work; whoever knows of it puts itself here."""
        self._timetable = Timetable([school.calendar for school in n.schools])
        self._timeline = LinkTimeline(links)
        self._inbox = house.bus.changes()
        self._dropped = 0
        self._kept = KeptHours(house.records, [school.id for school in n.schools])
        self._burning = Burning(np.array([one.class_minute_objective for one in n.schools]))
        self._class_links: Flags = np.array([link.tier is Tier.CLASS for link in n.links], np.bool_)
        self._school_of: I64 = n.link_school.astype(np.int64)
        self._unseen: Flags = np.ones(links, np.bool_)
        """Of which nothing has been known since the controller started."""
        self._unwritten: list[tuple[int, Counts, Flags]] = []
        self._trouble = ""
        self._last_ns = 0
        """The start of the minute judged last."""
        self._day = self._pruned = local_date(0, self._zone)
        self._today = Counts.zero(schools)
        self.totals = Counts.zero(schools)
        """Since the controller started."""
        self._taught: Flags = np.zeros(schools, np.bool_)
        self._served: Flags = np.zeros(schools, np.bool_)
        self._months: list[Month] = []
        self._to_date: MonthToDate
        self._rates: list[Rates] = []
        self._availability: tuple[F64, F64] = (np.full(links, np.nan), np.full(links, np.nan))

    @property
    def _zone(self) -> ZoneInfo:
        for calendar in self._timetable.groups:
            if calendar is not None:
                return calendar.zone
        return ZoneInfo(CITY_ZONE)

    # -- the room

    def open(self) -> None:
        """See the protocol."""
        now_ns = self._house.clock.wall_ns()
        self._last_ns = now_ns - now_ns % MINUTE_NS - MINUTE_NS
        self._day = local_date(self._last_ns, self._zone)
        for link, change in self._house.records.changes_at(now_ns).items():
            number = self._n.link_number.get(link)
            if number is not None:
                self._timeline.put(number, change.at_ns, change.verdict, change.causes)
        last_ns = self._load(now_ns)
        self._begin_month(now_ns)
        if last_ns is not None:
            self._miss(last_ns, self._last_ns)
        self._reckon(now_ns)

    def _load(self, now_ns: int) -> int | None:
        """Take in the kept minutes; return the start of the newest."""
        last_ns = None
        for start_ns, counts, taught in self._kept.load(now_ns - KEEP_NS):
            self._burning.add(counts, taught)
            if local_date(start_ns, self._zone) == self._day:
                self._today.add(counts)
            last_ns = start_ns
        return last_ns

    def tasks(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """See the protocol."""
        return {"class-minutes": self.run}

    def health(self) -> Health:
        """See the protocol."""
        if self._trouble:
            return Health(name=self.name, ready=False, sentence=self._trouble)
        if all(calendar is None for calendar in self._timetable.groups):
            return Health(
                name=self.name,
                ready=True,
                sentence="no calendar is configured: there are no class-minutes, and availability "
                "is of every hour of the day",
            )
        days = sorted({day.day for month in self._months for day in month.unknown})
        missing = f"; {len(days)} days of this month are not known, from {days[0]}" if days else ""
        return Health(
            name=self.name,
            ready=True,
            sentence=f"{int(self._taught.sum())} schools are in a lesson{missing}",
        )

    def close(self) -> None:
        """See the protocol."""
        if self._unwritten:
            try:
                self._kept.put(self._unwritten)
            except StoreError as error:
                log.error("%s", error)  # noqa: TRY400 - the sentence is all there is to say

    async def run(self) -> None:
        """Judge every minute a little after its end, for ever."""
        while True:
            wait_ns = self._last_ns + 2 * MINUTE_NS + GRACE_NS - self._house.clock.wall_ns()
            if wait_ns > 0:
                await self._house.clock.sleep(min(wait_ns, MINUTE_NS) / SECOND_NS)
                continue
            self.judge_due()
            await self._write()

    # -- minutes

    def judge_due(self) -> None:
        """Judge the minutes that are over; of a leap of the clock all but the last are unknown."""
        now_ns = self._house.clock.wall_ns()
        due_ns = now_ns - GRACE_NS - MINUTE_NS
        newest_ns = due_ns - due_ns % MINUTE_NS
        if newest_ns <= self._last_ns:
            return
        self._take_changes()
        if newest_ns - self._last_ns > 2 * MINUTE_NS:
            self._miss(self._last_ns, newest_ns - MINUTE_NS)
            self._last_ns = newest_ns - MINUTE_NS
        while self._last_ns < newest_ns:
            self._last_ns += MINUTE_NS
            self._judge(self._last_ns)
        self._reckon(now_ns)

    def _take_changes(self) -> None:
        changes = self._inbox.take_now()
        for change in changes:
            link = self._n.link_number.get(change.link)
            if link is not None:
                self._timeline.put(link, change.at_ns, change.verdict, change.causes)
                self._unseen[link] &= change.verdict is Verdict.UNKNOWN
        self._to_date.change(*self._columns(changes))
        if self._inbox.dropped > self._dropped:
            self._dropped = self._inbox.dropped
            log.warning("class-minutes: changes were lost; going on from what links are now")
            self._take_now()

    def _take_now(self) -> None:
        links, now_ns = self._house.live.links, self._house.clock.wall_ns()
        for number, verdict in enumerate(links.verdict.tolist()):
            self._timeline.put(number, now_ns, verdict, int(links.causes[number]))
        every = np.arange(len(links.verdict), dtype=np.int64)
        states = states_of(links.verdict, links.causes)
        self._to_date.change(every, np.full(len(every), now_ns, np.int64), states)

    def _columns(self, changes: Sequence[LinkChange]) -> tuple[I64, I64, I8]:
        """Links, moments and states of changes of links that are in the plan."""
        known = [one for one in changes if one.link in self._n.link_number]
        states = states_of(
            np.array([one.verdict for one in known], np.int8),
            np.array([one.causes for one in known], np.uint64),
        )
        links = np.array([self._n.link_number[one.link] for one in known], np.int64)
        return links, np.array([one.at_ns for one in known], np.int64), states

    def _judge(self, start_ns: int) -> None:
        if start_ns >= self._to_date.end_ns:
            self._next_month(start_ns)
        minute = self._timeline.take(start_ns)
        # What the records last said is not known any more while an agent is away. A minute that
        # was seen to be bad stays so.
        unknown = self._house.live.links.verdict == Verdict.UNKNOWN
        self._unseen &= unknown
        lost = unknown & (self._unseen | (minute.verdict == Verdict.GOOD))
        verdict = np.where(lost, np.int8(Verdict.UNKNOWN), minute.verdict)
        taught = self._timetable.taught(start_ns)
        counted = self._class_links & taught[self._school_of] & ~self._in_works(start_ns)
        judged = judge(verdict, minute.causes, self._clauses())
        self._add(start_ns, count(judged, self._school_of, counted, len(taught)), taught)
        self._taught, self._served = taught, self._timetable.served(start_ns)

    def _in_works(self, start_ns: int) -> Flags:
        """Links with approved work in some part of the minute: it leaves the service window."""
        found: Flags = np.zeros(len(self._class_links), np.bool_)
        for work in self.works():
            if work.start_ns >= start_ns + MINUTE_NS or work.until_ns <= start_ns:
                continue
            if work.link is None:
                links = self._n.span(work.scope).links
                found[links.start : links.stop] = True
            elif work.link in self._n.link_number:
                found[self._n.link_number[work.link]] = True
        return found

    def _live_clauses(self) -> ClauseColumns:
        now = self._house.live.clauses(self._house.clock.monotonic_ns())
        return ClauseColumns(bad=now.bad, unknown=now.unknown, deeper=now.deeper)

    def _miss(self, last_ns: int, until_ns: int) -> None:
        """Nobody looked after ``last_ns``, up to ``until_ns``: what was taught then is unknown."""
        first_ns = max(last_ns + MINUTE_NS, until_ns - (LONGEST_LEAP - 1) * MINUTE_NS)
        schools = len(self._n.schools)
        for start_ns in range(first_ns, until_ns + 1, MINUTE_NS):
            taught = self._timetable.taught(start_ns)
            if taught.any():
                counts = Counts.zero(schools)
                counted = self._school_of[self._class_links & taught[self._school_of]]
                counts.unknown[:] = np.bincount(counted, minlength=schools)
                self._add(start_ns, counts, taught)

    def _add(self, start_ns: int, counts: Counts, taught: Flags) -> None:
        day = local_date(start_ns, self._zone)
        if day != self._day:
            self._day, self._today = day, Counts.zero(len(self._n.schools))
        if not taught.any():
            return
        self._today.add(counts)
        self.totals.add(counts)
        self._burning.add(counts, taught)
        self._unwritten.append((start_ns, counts, taught))
        if len(self._unwritten) > UNKEPT_MINUTES:
            log.error("a minute of class-minutes is given up: the records cannot be written")
            del self._unwritten[0]

    async def _write(self) -> None:
        minutes, self._unwritten = self._unwritten, []
        if not minutes:
            return
        try:
            await self._house.in_records(self._kept.put, minutes)
        except StoreError as error:
            self._trouble = str(error)
            self._unwritten = minutes + self._unwritten
            log.warning("%s", error)
            return
        self._trouble = ""
        if self._pruned != self._day:
            self._pruned = self._day
            await self._house.in_records(self._kept.prune, self._last_ns)

    # -- the month

    def _begin_month(self, now_ns: int) -> None:
        """Learn the month so far from the records."""
        self._to_date = self._month_at(now_ns)
        start_ns = self._to_date.start_ns
        records = self._house.records
        since = records.links_since()
        names = [link.id for link in self._n.links]
        links, _, known = self._columns(list(records.changes_at(start_ns).values()))
        states = np.full(len(names), UNKNOWN, np.int8)
        states[links] = known
        from_ns = np.array([since.get(name, start_ns) for name in names], np.int64)
        self._to_date.begin(from_ns, states)
        self._to_date.change(*self._columns(records.changes_between(start_ns, now_ns + 1)))

    def _next_month(self, start_ns: int) -> None:
        """A new month begins as the minute before it ended."""
        self._to_date = self._month_at(start_ns)
        timeline = self._timeline
        begin = np.full(len(timeline.verdict), self._to_date.start_ns, np.int64)
        self._to_date.begin(begin, states_of(timeline.verdict, timeline.causes))
        waiting = timeline.waiting()
        moments, links, verdicts, causes = (
            np.array([one[place] for one in waiting], kind)
            for place, kind in enumerate((np.int64, np.int64, np.int8, np.uint64))
        )
        self._to_date.change(links, moments, states_of(verdicts, causes))

    def _month_at(self, moment_ns: int) -> MonthToDate:
        day = local_date(moment_ns, self._zone)
        span = month_span(day.year, day.month, self._zone)
        groups = self._timetable.groups
        self._months = [month_of(one, day.year, day.month, span) for one in groups]
        return MonthToDate(
            start_ns=span.start_ns,
            end_ns=span.end_ns,
            windows=[month.hours for month in self._months],
            window_of=self._timetable.group_of[self._school_of],
        )

    def _reckon(self, now_ns: int) -> None:
        """What is asked for often and changes once a minute."""
        lessons = np.array(
            [month.lessons.measure_ns // MINUTE_NS for month in self._months], np.int64
        )
        self._rates = self._burning.rates(lessons[self._timetable.group_of])
        self._availability = self._to_date.availability(now_ns)

    # -- questions

    def tally(self, scope: ScopePath) -> Tally:
        """The class-minutes of the local day so far inside ``scope``."""
        return _tally(self._today, self._n.span(scope).schools)

    def total(self, school: str) -> Tally:
        """The class-minutes of one school since the controller started."""
        number = self._n.school_number[school]
        return _tally(self.totals, range(number, number + 1))

    def schools(self, scope: ScopePath) -> list[SchoolMinutes]:
        """Every school inside ``scope``."""
        return [self._school(number) for number in self._n.span(scope).schools]

    def _school(self, number: int) -> SchoolMinutes:
        group = int(self._timetable.group_of[number])
        has_calendar = self._timetable.groups[group] is not None
        return SchoolMinutes(
            school=self._n.schools[number].id,
            scope=self._n.scopes[number],
            taught=bool(self._taught[number]) if has_calendar else None,
            served=bool(self._served[number]),
            tally=_tally(self._today, range(number, number + 1)),
            objective_ratio=self._n.schools[number].class_minute_objective,
            burn={
                f"{rates.alert.window_ns // (60 * MINUTE_NS)}h": BurnView(
                    threshold=float(rates.threshold[number]),
                    long=_or_none(rates.long[number]),
                    short=_or_none(rates.short[number]),
                    verdict=Verdict(int(rates.verdict[number])),
                )
                for rates in self._rates
            }
            if has_calendar
            else {},
            unknown_days=self._months[group].unknown,
            today=self._timetable.today(number, self._house.clock.wall_ns()),
        )

    def availability(self, link: str) -> tuple[float | None, float | None]:
        """Of one link: availability of the month so far and its coverage, 0 to 1, or None."""
        number = self._n.link_number.get(link)
        if number is None:
            return None, None
        known, covered = self._availability
        return _or_none(known[number]), _or_none(covered[number])


def _tally(counts: Counts, schools: range) -> Tally:
    rows = slice(schools.start, schools.stop)
    bad = counts.bad[rows].sum(axis=0).tolist()
    return Tally(
        good=int(counts.good[rows].sum()),
        unknown=int(counts.unknown[rows].sum()),
        bad_by_cause={Cause(cause): n for cause, n in zip(CAUSES, bad, strict=True) if n},
    )


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
