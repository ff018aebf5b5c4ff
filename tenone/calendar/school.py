"""The school calendar: bells, terms, exams, exceptions; and the service window W they make.

What a date is, from the strongest word to the weakest: the school's own exception, an exam day,
the terms, the public calendar. Where the weakest needed word is missing (a year nobody has
announced, a make-up day of an unknown timetable, a date after the last term) the day is *unknown*:
it is in no window, and it is listed with the reason, so that nobody takes it for a holiday.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from tenone.calendar.intervals import Intervals, Span
from tenone.calendar.public import PublicCalendar, PublicDay, PublicKind, Weekday
from tenone.calendar.zone import CITY_ZONE, local_days, local_span


@dataclass(frozen=True, slots=True)
class Period:
    """One lesson 课节, local time."""

    name: str
    starts: time
    ends: time

    def __post_init__(self) -> None:
        if self.starts.tzinfo is not None or self.ends.tzinfo is not None:
            raise ValueError(f"period {self.name!r}: bells are local times, without a zone")
        if self.starts >= self.ends:
            raise ValueError(f"period {self.name!r} must end after it starts, at {self.starts}")


@dataclass(frozen=True, slots=True)
class BellSchedule:
    """One day's bells. Its hours are the window the promise is measured over.

    ``hours`` is from the first bell to the last where it is not given: breaks belong to it.
    """

    periods: tuple[Period, ...]
    hours: tuple[time, time] | None = None

    def __post_init__(self) -> None:
        if not self.periods:
            raise ValueError("a bell schedule has at least one period")
        for before, after in pairwise(self.periods):
            if after.starts < before.ends:
                raise ValueError(f"period {after.name!r} starts before {before.name!r} ends")
        opens, closes = self.window
        if opens > self.periods[0].starts or closes < self.periods[-1].ends:
            raise ValueError(f"the hours {opens} to {closes} leave a period out")

    @property
    def window(self) -> tuple[time, time]:
        """Local opening and closing time."""
        return self.hours or (self.periods[0].starts, self.periods[-1].ends)


@dataclass(frozen=True, slots=True)
class Term:
    """One term; both dates belong to it."""

    name: str
    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"term {self.name!r} ends on {self.last}, before it begins")


@dataclass(frozen=True, slots=True)
class Special:
    """A date with bells of its own, or with none (closed): an exam day, or an exception."""

    name: str
    bells: BellSchedule | None


class DayKind(StrEnum):
    """What a date is to a school."""

    SCHOOL = "school"
    MAKE_UP = "make-up"
    EXAM = "exam"
    EXCEPTION = "exception"
    HOLIDAY = "holiday"
    WEEKEND = "weekend"
    VACATION = "vacation"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SchoolDay:
    """One date. ``bells`` is None where nothing is taught, or nobody knows."""

    day: date
    kind: DayKind
    bells: BellSchedule | None = None
    note: str = ""
    """The holiday's, exam's or exception's name; for unknown the reason, as a sentence."""


@dataclass(frozen=True, slots=True)
class Service:
    """A span of time as a school spends it, cut to that span."""

    hours: Intervals
    """W, the service window."""
    lessons: Intervals
    """The timetabled periods; of these class-minutes are made."""
    exams: Intervals
    """The part of W that lies on exam days."""
    unknown: tuple[SchoolDay, ...]
    """Days that may belong to W. A report that touches one says so and is not certified."""

    @property
    def missing_years(self) -> tuple[int, ...]:
        """The years with days nobody has said enough about."""
        return tuple(sorted({each.day.year for each in self.unknown}))


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolCalendar:
    """Everything that decides when a school is served. Periods are in order, terms too.

    ``weekdays`` holds the bells of each weekday that is taught; a boarding school may list
    Saturday or Sunday.
    """

    public: PublicCalendar
    weekdays: Mapping[Weekday, BellSchedule]
    terms: Sequence[Term]
    exams: Mapping[date, Special] = field(default_factory=dict)
    exceptions: Mapping[date, Special] = field(default_factory=dict)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo(CITY_ZONE))

    def __post_init__(self) -> None:
        if not self.weekdays:
            raise ValueError("a school calendar needs the bells of at least one weekday")
        if not self.terms:
            raise ValueError("a school calendar needs at least one term")
        for before, after in pairwise(self.terms):
            if after.first <= before.last:
                raise ValueError(f"term {after.name!r} begins before {before.name!r} is over")

    def for_school(
        self,
        exceptions: Mapping[date, Special],
        weekdays: Mapping[Weekday, BellSchedule] | None = None,
    ) -> "SchoolCalendar":
        """The same calendar with one school's own exceptions and, where it has them, bells."""
        return replace(
            self,
            exceptions={**self.exceptions, **exceptions},
            weekdays=self.weekdays if weekdays is None else weekdays,
        )

    def day(self, day: date) -> SchoolDay:
        """What ``day`` is."""
        for kind, specials in ((DayKind.EXCEPTION, self.exceptions), (DayKind.EXAM, self.exams)):
            if day in specials:
                return SchoolDay(day, kind, specials[day].bells, specials[day].name)
        if not any(term.first <= day <= term.last for term in self.terms):
            first, last = self.terms[0].first, self.terms[-1].last
            if first <= day <= last:
                return SchoolDay(day, DayKind.VACATION)
            note = f"The terms written down reach from {first} to {last}: add the one of {day}."
            return SchoolDay(day, DayKind.UNKNOWN, note=note)
        public = self.public.day(day)
        if public is None:
            note = (
                f"Holidays and make-up days of {day.year} are not known: write them into the "
                f"calendar's overrides once they are announced."
            )
            return SchoolDay(day, DayKind.UNKNOWN, note=note)
        return self._in_term(day, public)

    def _in_term(self, day: date, public: PublicDay) -> SchoolDay:
        name = public.name or ""
        weekday = Weekday.of(day)
        match public.kind:
            case PublicKind.HOLIDAY:
                return SchoolDay(day, DayKind.HOLIDAY, None, name)
            case PublicKind.MAKE_UP:
                if public.follows is not None:
                    return SchoolDay(day, DayKind.MAKE_UP, self.weekdays.get(public.follows), name)
                working = {self.weekdays.get(each) for each in Weekday if not each.weekend}
                if len(working) == 1:
                    return SchoolDay(day, DayKind.MAKE_UP, working.pop(), name)
                note = (
                    f"{day} is a make-up day and nobody said whose timetable it follows: add it "
                    f"to the calendar's overrides with the weekday."
                )
                return SchoolDay(day, DayKind.UNKNOWN, note=note)
            case PublicKind.WEEKEND | PublicKind.WORKDAY:
                bells = self.weekdays.get(weekday)
                free = bells is None and weekday.weekend
                return SchoolDay(day, DayKind.WEEKEND if free else DayKind.SCHOOL, bells, name)

    def service(self, start_ns: int, end_ns: int) -> Service:
        """The service window over ``[start, end)``, nanoseconds UTC."""
        hours: list[Span] = []
        lessons: list[Span] = []
        exams: list[Span] = []
        unknown: list[SchoolDay] = []
        for each in map(self.day, local_days(start_ns, end_ns, self.zone)):
            if each.kind is DayKind.UNKNOWN:
                unknown.append(each)
            if each.bells is None:
                continue
            span = local_span(each.day, *each.bells.window, self.zone)
            hours.append(span)
            if each.kind is DayKind.EXAM:
                exams.append(span)
            lessons += [
                local_span(each.day, period.starts, period.ends, self.zone)
                for period in each.bells.periods
            ]
        return Service(
            hours=Intervals.of(hours).within(start_ns, end_ns),
            lessons=Intervals.of(lessons).within(start_ns, end_ns),
            exams=Intervals.of(exams).within(start_ns, end_ns),
            unknown=tuple(unknown),
        )
