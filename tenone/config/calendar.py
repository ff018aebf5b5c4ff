"""``calendar.yaml``: the editable part of the school calendars of a city.

Announced holidays of years the library does not know yet, corrections of those it does, terms,
bells, exam days, and each school's own exceptions. Every fault is a sentence with its line.
"""

from collections.abc import Iterator
from datetime import date, time
from typing import Annotated, Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, model_validator

from tenone.calendar.public import (
    ChinaLibrary,
    Layers,
    Overrides,
    PublicDay,
    PublicKind,
    Weekday,
)
from tenone.calendar.school import BellSchedule, Period, SchoolCalendar, Special, Term
from tenone.calendar.zone import CITY_ZONE
from tenone.config.base import ConfigModel, SchemaVersion
from tenone.config.quantities import Flag, Name, Slug
from tenone.config.refusal import refusal
from tenone.vocabulary.scope import slug


def _date(value: object) -> date:
    try:
        if isinstance(value, str):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise refusal(f"{value!r} is not a date", "write year, month and day as 2027-01-31")


def _time(value: object) -> time:
    try:
        if isinstance(value, str):
            clock = time.fromisoformat(value)
            if clock.tzinfo is None:
                return clock
    except ValueError:
        pass
    raise refusal(f"{value!r} is not a local time", "write hours and minutes as '08:05', in quotes")


def _weekday(value: object) -> Weekday:
    names = [weekday.name.lower() for weekday in Weekday]
    if isinstance(value, str) and value in names:
        return Weekday[value.upper()]
    raise refusal(f"{value!r} is not a weekday", f"use one of {', '.join(names)}")


def _zone(value: object) -> str:
    try:
        if isinstance(value, str):
            return ZoneInfo(value).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise refusal(f"{value!r} is not a time zone", "write one such as 'Asia/Shanghai'")


Date = Annotated[date, BeforeValidator(_date)]
Clock = Annotated[time, BeforeValidator(_time)]
Day = Annotated[Weekday, BeforeValidator(_weekday)]
LONGEST_HOLIDAY_DAYS: Final = 31
Year = Annotated[int, Field(strict=True, ge=1902, le=2200)]


class Lesson(ConfigModel):
    """One period, local time."""

    name: Name
    starts: Clock
    ends: Clock

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.starts >= self.ends:
            raise refusal("the period must end after it starts", "correct 'starts' or 'ends'")
        return self


class Bells(ConfigModel):
    """The bells of one kind of day; ``opens`` and ``closes`` make its hours longer."""

    periods: tuple[Lesson, ...] = Field(min_length=1)
    opens: Clock | None = None
    closes: Clock | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        try:
            self.schedule()
        except ValueError as error:
            raise refusal(str(error), "correct the times of this day's bells") from error
        return self

    def schedule(self) -> BellSchedule:
        """As the calendar knows it."""
        periods = tuple(Period(each.name, each.starts, each.ends) for each in self.periods)
        hours = (self.opens or periods[0].starts, self.closes or periods[-1].ends)
        return BellSchedule(periods, hours)


class Holiday(ConfigModel):
    """Days on which nobody works; without ``last`` it is one day."""

    first: Date
    last: Date | None = None
    name: Name

    @model_validator(mode="after")
    def _fits(self) -> Self:
        length = ((self.last or self.first) - self.first).days
        if length < 0:
            raise refusal("the holiday ends before it begins", "correct its dates")
        if length >= LONGEST_HOLIDAY_DAYS:
            raise refusal(f"the holiday would last {length + 1} days", "correct its dates")
        return self

    def days(self) -> Iterator[date]:
        """Every date of it."""
        last = self.last or self.first
        return map(date.fromordinal, range(self.first.toordinal(), last.toordinal() + 1))


class MakeUpDay(ConfigModel):
    """A day of the week-end that is worked, and whose timetable it follows."""

    date: Date
    follows: Day | None = None
    name: Name | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not Weekday.of(self.date).weekend:
            raise refusal(
                f"{self.date} is a {Weekday.of(self.date).name.lower()}, and only days of the "
                f"week-end are made up",
                "correct the date, or remove the entry",
            )
        return self


class SpecialDay(ConfigModel):
    """An exam day or an exception: bells of its own, or closed."""

    date: Date
    name: Name
    bells: Slug | None = None
    """Without: nothing is taught."""


class SchoolTerm(ConfigModel):
    """One term; both dates belong to it."""

    name: Name
    first: Date
    last: Date

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.last < self.first:
            raise refusal("the term ends before it begins", "correct 'first' or 'last'")
        return self


class SchoolException(ConfigModel):
    """What one school has of its own."""

    weekdays: Annotated[dict[Day, Slug], Field(min_length=1)] | None = None
    """Instead of the city's; None keeps them."""
    exceptions: tuple[SpecialDay, ...] = ()


class CalendarFile(ConfigModel):
    """The whole of ``calendar.yaml``."""

    schema_version: SchemaVersion = 1
    zone: Annotated[str, BeforeValidator(_zone)] = CITY_ZONE
    china_library: Flag = True
    """Whether announcements the installed package knows are used below the file's own."""
    complete_years: tuple[Year, ...] = ()
    """Years of which every holiday and make-up day stands in this file."""
    holidays: tuple[Holiday, ...] = ()
    make_up_days: tuple[MakeUpDay, ...] = ()
    terms: tuple[SchoolTerm, ...] = Field(min_length=1)
    bells: dict[Slug, Bells] = Field(min_length=1)
    weekdays: dict[Day, Slug] = Field(min_length=1)
    exams: tuple[SpecialDay, ...] = ()
    exceptions: tuple[SpecialDay, ...] = ()
    schools: dict[Slug, SchoolException] = Field(default={})

    def overrides(self) -> Overrides:
        """The public days that stand in the file."""
        days: dict[date, PublicDay] = {}
        for each in self.holidays:
            days |= dict.fromkeys(each.days(), PublicDay(PublicKind.HOLIDAY, each.name))
        for made_up in self.make_up_days:
            days[made_up.date] = PublicDay(PublicKind.MAKE_UP, made_up.name, made_up.follows)
        return Overrides(days=days, complete_years=frozenset(self.complete_years))

    def of_school(self, school: str) -> SchoolCalendar:
        """The calendar of one school; that of the city where the file has nothing of its own."""
        schedules = {name: bells.schedule() for name, bells in self.bells.items()}

        def special(days: tuple[SpecialDay, ...]) -> dict[date, Special]:
            return {
                each.date: Special(each.name, None if each.bells is None else schedules[each.bells])
                for each in days
            }

        own = self.overrides()
        city = SchoolCalendar(
            public=Layers((own, ChinaLibrary())) if self.china_library else own,
            weekdays={weekday: schedules[name] for weekday, name in self.weekdays.items()},
            terms=[Term(each.name, each.first, each.last) for each in self.terms],
            exams=special(self.exams),
            exceptions=special(self.exceptions),
            zone=ZoneInfo(self.zone),
        )
        mine = self.schools.get(slug(school, "school"))
        if mine is None:
            return city
        week = mine.weekdays
        return city.for_school(
            special(mine.exceptions),
            None if week is None else {weekday: schedules[name] for weekday, name in week.items()},
        )
