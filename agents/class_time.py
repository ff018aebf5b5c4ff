"""Whether it is class time at a school, as its calendar says: when classes are probed.

A calendar that does not know a day (nobody announced its year, its term is not written down) rests
nobody: probing goes on, and one line of the log says why.
"""

import logging
from collections.abc import Callable
from datetime import date
from typing import Final

from tenone.calendar.intervals import MINUTE_NS
from tenone.calendar.school import DayKind, SchoolCalendar
from tenone.calendar.zone import day_span, local_date
from tenone.config.school import School

log = logging.getLogger(__name__)

EARLY_NS: Final = 10 * MINUTE_NS
"""Class time begins so long before each lesson: what its first minute needs is known by then, and
an ordinary break is no rest."""


class ClassTime:
    """Call it with a wall-clock time, nanoseconds UTC."""

    def __init__(self, calendar: SchoolCalendar) -> None:
        self._calendar = calendar
        self._day: date | None = None
        self._start_ns = self._end_ns = 0
        self._spans: list[tuple[int, int]] = []
        self._told: set[str] = set()
        """What has been said already."""

    def __call__(self, wall_ns: int) -> bool:
        """Whether it is class time, or nobody knows."""
        if self._day is None or not self._start_ns <= wall_ns < self._end_ns:
            self._turn(wall_ns)
        return any(start <= wall_ns < end for start, end in self._spans)

    def _turn(self, wall_ns: int) -> None:
        """Another local day."""
        calendar = self._calendar
        self._day = local_date(wall_ns, calendar.zone)
        span = day_span(self._day, calendar.zone)
        self._start_ns, self._end_ns = span.start_ns, span.end_ns
        today = calendar.day(self._day)
        if today.kind is DayKind.UNKNOWN:
            self._spans = [(self._start_ns, self._end_ns)]
            self._tell(today.note)
            return
        # A lesson right after midnight begins in the evening.
        lessons = calendar.service(self._start_ns, self._end_ns + EARLY_NS).lessons
        self._spans = [(one.start_ns - EARLY_NS, one.end_ns) for one in lessons]

    def _tell(self, note: str) -> None:
        # The notes of a year without announcements, or of days after the last term, differ by day.
        kind = note if self._day is None else note.replace(str(self._day), "the day")
        if kind not in self._told:
            self._told.add(kind)
            log.warning("class time is not known today, so classes are probed all day: %s", note)


def class_time(school: School) -> Callable[[int], bool]:
    """Class time at ``school``; always, where its configuration names no calendar."""
    if school.calendar is None:
        return lambda _wall_ns: True
    return ClassTime(school.calendar.of_school(school.id))
