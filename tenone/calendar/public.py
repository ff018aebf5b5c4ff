"""Public holidays and the week-ends that are worked instead (调休).

The State Council announces them each autumn for one year, so no library knows a future year: what
nobody has written down is *not known* here, and is never guessed from the weekday. Three sources:
a library for the years it knows, a city's own overrides, and both in layers, the overrides first.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum, StrEnum
from typing import Protocol

import chinese_calendar

# The package has no annotations: this is the one function used of it.
_detail: Callable[[date], tuple[bool, str | None]] = chinese_calendar.get_holiday_detail


class Weekday(IntEnum):
    """ISO 8601 weekdays, as ``date.isoweekday`` numbers them."""

    MONDAY = 1
    TUESDAY = 2
    WEDNESDAY = 3
    THURSDAY = 4
    FRIDAY = 5
    SATURDAY = 6
    SUNDAY = 7

    @classmethod
    def of(cls, day: date) -> "Weekday":
        """The weekday of a date."""
        return cls(day.isoweekday())

    @property
    def weekend(self) -> bool:
        """Saturday or Sunday."""
        return self >= Weekday.SATURDAY


class PublicKind(StrEnum):
    """What a date is to everybody."""

    WORKDAY = "workday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    MAKE_UP = "make-up"
    """A day of the week-end that is worked for a holiday."""


@dataclass(frozen=True, slots=True)
class PublicDay:
    """One date. ``follows``: whose timetable a make-up day has, where somebody said so."""

    kind: PublicKind
    name: str | None = None
    follows: Weekday | None = None


class PublicCalendar(Protocol):
    """Who knows about public days."""

    def day(self, day: date) -> PublicDay | None:
        """What ``day`` is; None where that is not known."""
        ...


class ChinaLibrary:
    """The announcements of the State Council as package ``chinesecalendar`` knows them."""

    def day(self, day: date) -> PublicDay | None:
        """See :class:`PublicCalendar`."""
        try:
            rests, name = _detail(day)
        except NotImplementedError:  # a year it has no announcement of
            return None
        if rests:
            kind = PublicKind.WEEKEND if name is None else PublicKind.HOLIDAY
            return PublicDay(kind, name)
        weekend = Weekday.of(day).weekend
        return PublicDay(PublicKind.MAKE_UP if weekend else PublicKind.WORKDAY, name)


@dataclass(frozen=True, slots=True)
class Overrides:
    """What a city wrote down. In ``complete_years`` every other day is what its weekday is."""

    days: Mapping[date, PublicDay] = field(default_factory=dict)
    complete_years: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        for day, public in self.days.items():
            weekend = Weekday.of(day).weekend
            if public.kind is PublicKind.MAKE_UP and not weekend:
                raise ValueError(f"{day} is no day of a week-end, so it cannot be a make-up day")
            if public.follows is not None and public.kind is not PublicKind.MAKE_UP:
                raise ValueError(f"{day} is no make-up day, so it follows no other weekday")

    def day(self, day: date) -> PublicDay | None:
        """See :class:`PublicCalendar`."""
        if day in self.days:
            return self.days[day]
        return by_weekday(day) if day.year in self.complete_years else None


@dataclass(frozen=True, slots=True)
class Layers:
    """Several calendars; the first that knows a date says what it is."""

    calendars: Sequence[PublicCalendar]

    def day(self, day: date) -> PublicDay | None:
        """See :class:`PublicCalendar`."""
        return next(
            (found for each in self.calendars if (found := each.day(day)) is not None), None
        )


def by_weekday(day: date) -> PublicDay:
    """What a date is where it is known that nothing was announced for it."""
    return PublicDay(PublicKind.WEEKEND if Weekday.of(day).weekend else PublicKind.WORKDAY)
