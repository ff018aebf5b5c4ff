"""Which minutes of which school are served and taught, for all schools at once.

Schools that share a calendar share the work; a calendar is asked once a local day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from controller.arrays import I64, Flags
from tenone.calendar.intervals import MINUTE_NS, Intervals
from tenone.calendar.school import SchoolCalendar, SchoolDay, Service
from tenone.calendar.zone import day_span, local_date, month_span

ALWAYS_LESSONS = Intervals()


@dataclass(frozen=True, slots=True)
class Month:
    """One local month of one calendar until its end."""

    start_ns: int
    end_ns: int
    hours: Intervals
    """W, the service window of the whole month."""
    lessons: Intervals
    unknown: tuple[SchoolDay, ...]
    """Days that may belong to W, each with its reason."""


class Timetable:
    """``calendars``: one a school, the same object for schools that share it; None: no calendar.

    Without a calendar every moment is served and nothing is taught: availability is of the clock
    round, and there are no class-minutes.
    """

    def __init__(self, calendars: Sequence[SchoolCalendar | None]) -> None:
        self.groups: list[SchoolCalendar | None] = []
        numbers: dict[int, int] = {}
        of_school = []
        for calendar in calendars:
            number = numbers.setdefault(id(calendar), len(self.groups))
            if number == len(self.groups):
                self.groups.append(calendar)
            of_school.append(number)
        self.group_of: I64 = np.array(of_school, np.int64)
        """The number of each school's calendar in ``groups``."""
        self._days: dict[tuple[int, date], Service] = {}

    def taught(self, minute_ns: int) -> Flags:
        """Of each school: whether the whole minute from ``minute_ns`` (UTC) is a lesson's."""
        return self._in(minute_ns, "lessons")[self.group_of]

    def served(self, minute_ns: int) -> Flags:
        """Of each school: whether the whole minute lies in its service window."""
        return self._in(minute_ns, "hours")[self.group_of]

    def _in(self, minute_ns: int, which: str) -> Flags:
        found = np.zeros(len(self.groups), np.bool_)
        for number, calendar in enumerate(self.groups):
            if calendar is None:
                found[number] = which == "hours"
                continue
            service = self._day(number, calendar, minute_ns)
            time: Intervals = getattr(service, which)
            whole = time.within(minute_ns, minute_ns + MINUTE_NS)
            found[number] = whole.measure_ns == MINUTE_NS
        return found

    def _day(self, number: int, calendar: SchoolCalendar, moment_ns: int) -> Service:
        day = local_date(moment_ns, calendar.zone)
        key = (number, day)
        if key not in self._days:
            if len(self._days) > 4 * len(self.groups):
                self._days.clear()
            self._days[key] = calendar.service(*day_span(day, calendar.zone))
        return self._days[key]

    def today(self, school: int, moment_ns: int) -> Service | None:
        """The local day of ``moment_ns`` as a school spends it; None without a calendar."""
        number = int(self.group_of[school])
        calendar = self.groups[number]
        return None if calendar is None else self._day(number, calendar, moment_ns)


def month_of(
    calendar: SchoolCalendar | None, year: int, month: int, span: tuple[int, int]
) -> Month:
    """A month of ``calendar``; without one, ``span`` (ns UTC) served throughout."""
    if calendar is None:
        return Month(*span, Intervals.of((span,)), ALWAYS_LESSONS, ())
    start_ns, end_ns = month_span(year, month, calendar.zone)
    service = calendar.service(start_ns, end_ns)
    return Month(start_ns, end_ns, service.hours, service.lessons, service.unknown)
