from dataclasses import replace
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from controller.minutes.timetable import Timetable, month_of
from tenone.calendar.intervals import HOUR_NS, MINUTE_NS
from tenone.calendar.public import Overrides, Weekday
from tenone.calendar.school import BellSchedule, Period, SchoolCalendar, Term

ZONE = ZoneInfo("Asia/Shanghai")
BELLS = BellSchedule(
    (Period("1", time(8), time(8, 40)), Period("2", time(8, 50), time(9, 30))),
    (time(7, 30), time(17, 30)),
)
CALENDAR = SchoolCalendar(
    public=Overrides(days={}, complete_years=frozenset({2026})),
    weekdays={day: BELLS for day in Weekday if not day.weekend},
    terms=[Term("autumn", date(2026, 9, 1), date(2027, 1, 20))],
)
OTHER = replace(CALENDAR, terms=[Term("late", date(2026, 11, 24), date(2027, 1, 20))])


def at(day: int, hour: int, minute: int) -> int:
    moment = datetime(2026, 11, day, hour, minute, tzinfo=ZONE)
    return int(moment.astimezone(UTC).timestamp()) * 1_000_000_000


@pytest.mark.parametrize(
    ("moment", "taught", "served"),
    [
        (at(23, 7, 29), [False, False, False], [False, False, True]),
        (at(23, 7, 30), [False, False, False], [True, False, True]),
        (at(23, 8, 0), [True, False, False], [True, False, True]),
        (at(23, 8, 39), [True, False, False], [True, False, True]),
        (at(23, 8, 40), [False, False, False], [True, False, True]),
        (at(24, 8, 0), [True, True, False], [True, True, True]),
        (at(22, 8, 0), [False, False, False], [False, False, True]),
        (at(23, 17, 30), [False, False, False], [False, False, True]),
    ],
)
def test_who_is_taught_and_who_is_served(
    moment: int, taught: list[bool], served: list[bool]
) -> None:
    timetable = Timetable([CALENDAR, OTHER, None])
    assert timetable.taught(moment).tolist() == taught
    assert timetable.served(moment).tolist() == served


def test_schools_share_a_calendar_by_identity() -> None:
    timetable = Timetable([CALENDAR, None, CALENDAR, OTHER, None])
    assert timetable.group_of.tolist() == [0, 1, 0, 2, 1]
    today = timetable.today(0, at(23, 12, 0))
    assert today is not None
    assert today.lessons.measure_ns == 80 * MINUTE_NS
    assert timetable.today(1, at(23, 12, 0)) is None


def test_a_month_with_and_without_a_calendar() -> None:
    month = month_of(CALENDAR, 2026, 11, (0, 1))
    assert month.hours.measure_ns == 21 * 10 * HOUR_NS
    assert month.lessons.measure_ns == 21 * 80 * MINUTE_NS
    assert month.unknown == ()
    bare = month_of(None, 2026, 11, (5, 9))
    assert (bare.hours.measure_ns, bare.lessons.measure_ns) == (4, 0)
    missing = month_of(CALENDAR, 2027, 2, (0, 1))
    assert len(missing.unknown) == 28
