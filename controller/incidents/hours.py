"""When a school is served: what of an incident's time counts, and which lessons it met."""

from collections.abc import Callable
from functools import lru_cache

from tenone.calendar.intervals import Intervals
from tenone.calendar.school import SchoolCalendar

DAY_NS = 86_400 * 1_000_000_000
MOST_DAYS = 8192
"""Days of schools that are remembered."""
CalendarOf = Callable[[str], SchoolCalendar | None]


class Hours:
    """Asks the schools' calendars; without one every hour counts and no lesson is known."""

    def __init__(self, calendar_of: CalendarOf = lambda _school: None) -> None:
        self._calendar_of = calendar_of
        self._lessons_of = lru_cache(MOST_DAYS)(self._of_day)

    def measured(self, school: str, start_ns: int, end_ns: int) -> Intervals:
        """The service window in ``[start, end)``."""
        calendar = self._calendar_of(school)
        if calendar is None or end_ns <= start_ns:
            return Intervals.of([(start_ns, end_ns)])
        return calendar.service(start_ns, end_ns).hours

    def lessons(self, school: str, start_ns: int, end_ns: int) -> int | None:
        """How many lessons ``[start, end)`` met; None where no calendar says."""
        calendar = self._calendar_of(school)
        if calendar is None:
            return None
        days = range(start_ns // DAY_NS, end_ns // DAY_NS + 1)
        spans = [span for day in days for span in self._lessons_of(school, day).spans]
        met = [one for one in Intervals.of(spans).spans if one.start_ns < end_ns]
        return sum(one.end_ns > start_ns for one in met)

    def _of_day(self, school: str, day: int) -> Intervals:
        """The lessons of a day of UTC; what crosses midnight is two parts that touch."""
        calendar = self._calendar_of(school)
        if calendar is None:
            return Intervals()
        return calendar.service(day * DAY_NS, (day + 1) * DAY_NS).lessons
