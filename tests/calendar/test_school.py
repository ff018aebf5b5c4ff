"""Bells, terms, exams and exceptions: what a date is, and the window it makes."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenone.calendar.intervals import HOUR_NS, MINUTE_NS, SECOND_NS, whole_minutes
from tenone.calendar.public import (
    ChinaLibrary,
    Layers,
    Overrides,
    PublicCalendar,
    PublicDay,
    PublicKind,
    Weekday,
)
from tenone.calendar.school import (
    BellSchedule,
    DayKind,
    Period,
    SchoolCalendar,
    Service,
    Special,
    Term,
)
from tenone.calendar.zone import day_span, month_span


def lesson(name: str, starts: str, ends: str) -> Period:
    return Period(name, time.fromisoformat(starts), time.fromisoformat(ends))


BELLS = BellSchedule(
    (lesson("1", "08:00", "08:40"), lesson("2", "08:50", "09:30"), lesson("3", "14:00", "14:40"))
)
FRIDAY_BELLS = BellSchedule((lesson("1", "08:00", "08:40"),))
EXAM_BELLS = BellSchedule((lesson("语文", "09:00", "11:30"),), (time(8), time(12)))
WEEK = {weekday: BELLS for weekday in Weekday if not weekday.weekend}
TERMS = (
    Term("spring", date(2026, 3, 2), date(2026, 7, 10)),
    Term("autumn", date(2026, 9, 1), date(2027, 1, 22)),
)
LIBRARY = ChinaLibrary()
OWN = Overrides(
    days={
        date(2027, 1, 1): PublicDay(PublicKind.HOLIDAY, "元旦"),
        date(2027, 1, 9): PublicDay(PublicKind.MAKE_UP, None, Weekday.FRIDAY),
    },
    complete_years=frozenset({2027}),
)
CALENDAR = SchoolCalendar(
    public=LIBRARY,
    weekdays=WEEK,
    terms=TERMS,
    exams={date(2026, 6, 7): Special("高考", EXAM_BELLS)},
    exceptions={date(2026, 6, 8): Special("exam site", None)},
)
UNEVEN = replace(CALENDAR, weekdays={**WEEK, Weekday.FRIDAY: FRIDAY_BELLS})


def with_own(calendar: SchoolCalendar) -> SchoolCalendar:
    return replace(calendar, public=Layers((OWN, LIBRARY)))


@pytest.mark.parametrize(
    ("calendar", "day", "kind", "bells"),
    [
        (CALENDAR, date(2026, 9, 3), DayKind.SCHOOL, BELLS),
        (CALENDAR, date(2026, 9, 5), DayKind.WEEKEND, None),
        (CALENDAR, date(2026, 10, 1), DayKind.HOLIDAY, None),
        (CALENDAR, date(2026, 9, 20), DayKind.MAKE_UP, BELLS),
        (CALENDAR, date(2026, 8, 3), DayKind.VACATION, None),
        (CALENDAR, date(2026, 6, 7), DayKind.EXAM, EXAM_BELLS),  # a Sunday
        (CALENDAR, date(2026, 6, 8), DayKind.EXCEPTION, None),
        (CALENDAR, date(2026, 7, 10), DayKind.SCHOOL, BELLS),  # the last day belongs to it
        (CALENDAR, date(2026, 7, 11), DayKind.VACATION, None),
        (CALENDAR, date(2026, 3, 1), DayKind.UNKNOWN, None),  # before all terms
        (CALENDAR, date(2027, 1, 23), DayKind.UNKNOWN, None),  # the next term is not written down
        (UNEVEN, date(2026, 9, 4), DayKind.SCHOOL, FRIDAY_BELLS),
        (UNEVEN, date(2026, 9, 20), DayKind.UNKNOWN, None),  # whose timetable?
        (with_own(CALENDAR), date(2027, 1, 1), DayKind.HOLIDAY, None),
        (with_own(CALENDAR), date(2027, 1, 4), DayKind.SCHOOL, BELLS),
        (with_own(UNEVEN), date(2027, 1, 9), DayKind.MAKE_UP, FRIDAY_BELLS),
        (with_own(UNEVEN), date(2027, 1, 8), DayKind.SCHOOL, FRIDAY_BELLS),
    ],
)
def test_what_a_day_is(
    calendar: SchoolCalendar, day: date, kind: DayKind, bells: BellSchedule | None
) -> None:
    found = calendar.day(day)
    assert (found.kind, found.bells) == (kind, bells)
    assert (found.kind is DayKind.UNKNOWN) <= found.note.endswith(".")


def over(calendar: SchoolCalendar, first: date, last: date) -> Service:
    zone = calendar.zone
    return calendar.service(day_span(first, zone).start_ns, day_span(last, zone).end_ns)


def test_one_day() -> None:
    found = over(CALENDAR, date(2026, 9, 3), date(2026, 9, 3))
    assert found.hours.measure_ns == (6 * 60 + 40) * MINUTE_NS
    assert found.lessons.measure_ns == 120 * MINUTE_NS
    assert len(list(whole_minutes(found.lessons))) == 120
    start = int(datetime(2026, 9, 3, 8, tzinfo=CALENDAR.zone).timestamp()) * SECOND_NS
    assert found.hours.spans[0].start_ns == start


def test_a_month_with_a_holiday() -> None:
    # October 2026: holidays on 1 to 7, made up for on Saturday 10: 17 weekdays and one more.
    span = month_span(2026, 10, CALENDAR.zone)
    found = CALENDAR.service(*span)
    assert found.hours.measure_ns == 18 * 400 * MINUTE_NS
    assert found.unknown == ()


def test_a_window_is_cut_to_its_span() -> None:
    start = int(datetime(2026, 9, 3, 8, 20, tzinfo=CALENDAR.zone).timestamp()) * SECOND_NS
    found = CALENDAR.service(start, start + HOUR_NS)
    assert found.hours.measure_ns == HOUR_NS
    assert found.lessons.measure_ns == 50 * MINUTE_NS


def test_exam_hours_are_apart() -> None:
    found = over(CALENDAR, date(2026, 6, 5), date(2026, 6, 9))
    assert found.exams.measure_ns == 4 * HOUR_NS
    assert found.exams & found.hours == found.exams


def test_a_missing_year_is_said_and_not_guessed() -> None:
    class Nothing2027:
        def day(self, day: date) -> PublicDay | None:
            return None if day.year == 2027 else LIBRARY.day(day)

    calendar = replace(CALENDAR, public=Nothing2027())
    found = over(calendar, date(2026, 12, 31), date(2027, 1, 5))
    assert found.hours == over(calendar, date(2026, 12, 31), date(2026, 12, 31)).hours
    assert [each.day.day for each in found.unknown] == [1, 2, 3, 4, 5]
    assert found.missing_years == (2027,)
    assert "2027" in found.unknown[0].note
    told = over(with_own(CALENDAR), date(2026, 12, 31), date(2027, 1, 5))
    assert told.missing_years == ()
    assert told.hours.measure_ns == 3 * 400 * MINUTE_NS


def test_one_schools_own_days_and_bells() -> None:
    anniversary = date(2026, 9, 4)
    own = CALENDAR.for_school({anniversary: Special("校庆", None)}, {Weekday.SUNDAY: EXAM_BELLS})
    assert own.day(anniversary).kind is DayKind.EXCEPTION
    assert own.day(date(2026, 6, 8)).kind is DayKind.EXCEPTION  # the city's are kept
    assert own.day(date(2026, 9, 6)).bells == EXAM_BELLS  # a boarding school's Sunday
    assert CALENDAR.day(anniversary).kind is DayKind.SCHOOL
    assert CALENDAR.for_school({}).weekdays == WEEK


MORNING, NOON = time(8), time(12)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: lesson("1", "09:00", "09:00"), "must end after"),
        (lambda: Period("1", time(8, tzinfo=CALENDAR.zone), time(9)), "without a zone"),
        (lambda: BellSchedule(()), "at least one period"),
        (
            lambda: BellSchedule((lesson("1", "08:00", "09:00"), lesson("2", "08:30", "10:00"))),
            "before",
        ),
        (lambda: BellSchedule((lesson("1", "07:00", "09:00"),), (MORNING, NOON)), "leave a period"),
        (lambda: Term("x", date(2026, 9, 2), date(2026, 9, 1)), "before it begins"),
        (lambda: replace(CALENDAR, weekdays={}), "at least one weekday"),
        (lambda: replace(CALENDAR, terms=()), "at least one term"),
        (lambda: replace(CALENDAR, terms=(TERMS[1], TERMS[0])), "is over"),
    ],
)
def test_cannot_be_built_wrong(build: Callable[[], object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        build()


class Drawn:
    """A public calendar of drawn days; the rest of the year is not known."""

    def __init__(self, days: Mapping[date, PublicDay]) -> None:
        self._days = days

    def day(self, day: date) -> PublicDay | None:
        return self._days.get(day)


some_dates = st.dates(date(2026, 8, 25), date(2026, 9, 20))
some_special = st.builds(Special, st.just("x"), st.sampled_from([None, EXAM_BELLS, BELLS]))


@given(
    st.dictionaries(some_dates, st.builds(PublicDay, st.sampled_from(PublicKind))),
    st.dictionaries(some_dates, some_special, max_size=4),
    st.dictionaries(some_dates, some_special, max_size=4),
    some_dates,
    some_dates,
)
def test_the_window_is_the_union_of_its_days(
    public: dict[date, PublicDay],
    exams: dict[date, Special],
    exceptions: dict[date, Special],
    first: date,
    last: date,
) -> None:
    known: PublicCalendar = Drawn(public)
    calendar = replace(CALENDAR, public=known, exams=exams, exceptions=exceptions)
    found = over(calendar, first, last)
    minutes: set[int] = set()
    unknown: list[date] = []
    for offset in range(max(0, (last - first).days + 1)):
        day = first + timedelta(days=offset)
        special = exceptions.get(day) or exams.get(day)
        bells = special.bells if special else None
        if special is None and TERMS[1].first <= day <= TERMS[1].last:
            if day not in public:
                unknown.append(day)
            elif public[day].kind is PublicKind.MAKE_UP or (
                public[day].kind is not PublicKind.HOLIDAY and day.isoweekday() < 6
            ):
                bells = BELLS
        if bells is not None:
            opens, closes = bells.window
            midnight = day_span(day, calendar.zone).start_ns // MINUTE_NS
            minutes |= set(
                range(
                    midnight + opens.hour * 60 + opens.minute,
                    midnight + closes.hour * 60 + closes.minute,
                )
            )
    assert {moment // MINUTE_NS for moment in whole_minutes(found.hours)} == minutes
    assert found.hours.measure_ns == len(minutes) * MINUTE_NS
    assert [each.day for each in found.unknown] == unknown
    assert not found.lessons - found.hours
