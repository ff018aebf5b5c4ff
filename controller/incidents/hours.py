"""When a school is served: what of an incident's time counts, and which lessons it met."""

from collections.abc import Callable

from tenone.calendar.intervals import Intervals
from tenone.calendar.school import SchoolCalendar

CalendarOf = Callable[[str], SchoolCalendar | None]


class Hours:
    """Asks the schools' calendars; without one every hour counts and no lesson is known."""

    def __init__(self, calendar_of: CalendarOf = lambda _school: None) -> None:
        self._calendar_of = calendar_of

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
        if end_ns <= start_ns:
            return 0
        return len(calendar.service(start_ns, end_ns).lessons.spans)
