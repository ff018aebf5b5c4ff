"""The library says what was announced, the overrides come first, and nobody guesses."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenone.calendar.public import (
    ChinaLibrary,
    Layers,
    Overrides,
    PublicDay,
    PublicKind,
    Weekday,
    by_weekday,
)

LIBRARY = ChinaLibrary()


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2025, 10, 1), PublicKind.HOLIDAY),
        (date(2025, 10, 8), PublicKind.HOLIDAY),
        (date(2025, 10, 9), PublicKind.WORKDAY),
        (date(2025, 10, 11), PublicKind.MAKE_UP),
        (date(2025, 10, 12), PublicKind.WEEKEND),
        (date(2025, 9, 28), PublicKind.MAKE_UP),
        (date(2026, 2, 14), PublicKind.MAKE_UP),
        (date(2026, 2, 17), PublicKind.HOLIDAY),
        (date(2026, 9, 20), PublicKind.MAKE_UP),
    ],
)
def test_announced_days(day: date, kind: PublicKind) -> None:
    found = LIBRARY.day(day)
    assert found is not None
    assert found.kind is kind


@pytest.mark.parametrize("day", [date(1990, 5, 1), date(2099, 1, 1), date(2099, 1, 3)])
def test_a_year_without_an_announcement_is_not_known(day: date) -> None:
    assert LIBRARY.day(day) is None


MONDAY = date(2099, 1, 5)
SATURDAY = date(2099, 1, 10)
OWN = Overrides(
    days={
        MONDAY: PublicDay(PublicKind.HOLIDAY, "元旦"),
        SATURDAY: PublicDay(PublicKind.MAKE_UP, None, Weekday.MONDAY),
    }
)


def test_an_override_knows_its_days_and_no_other() -> None:
    assert OWN.day(MONDAY) == PublicDay(PublicKind.HOLIDAY, "元旦")
    assert OWN.day(MONDAY + timedelta(days=1)) is None


def test_a_complete_year_has_no_unknown_day() -> None:
    whole = Overrides(days=OWN.days, complete_years=frozenset({2099}))
    assert whole.day(SATURDAY) == PublicDay(PublicKind.MAKE_UP, None, Weekday.MONDAY)
    assert whole.day(MONDAY + timedelta(days=1)) == PublicDay(PublicKind.WORKDAY)
    assert whole.day(SATURDAY + timedelta(days=1)) == PublicDay(PublicKind.WEEKEND)
    assert whole.day(date(2100, 1, 4)) is None


def test_the_first_that_knows_decides() -> None:
    moved = Overrides(days={date(2025, 10, 9): PublicDay(PublicKind.HOLIDAY, "campus")})
    both = Layers((moved, LIBRARY))
    assert both.day(date(2025, 10, 9)) == PublicDay(PublicKind.HOLIDAY, "campus")
    assert both.day(date(2025, 10, 10)) == PublicDay(PublicKind.WORKDAY)
    assert both.day(date(2099, 1, 1)) is None


@pytest.mark.parametrize(
    ("day", "public", "says"),
    [
        (MONDAY, PublicDay(PublicKind.MAKE_UP), "week-end"),
        (MONDAY, PublicDay(PublicKind.HOLIDAY, "x", Weekday.MONDAY), "follows no other"),
        (SATURDAY, PublicDay(PublicKind.WEEKEND, None, Weekday.MONDAY), "follows no other"),
    ],
)
def test_overrides_cannot_be_built_wrong(day: date, public: PublicDay, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Overrides(days={day: public})


@given(st.dates(date(2000, 1, 1), date(2040, 1, 1)))
def test_library_kinds_fit_the_weekday(day: date) -> None:
    found = LIBRARY.day(day)
    if day.year < 2004:
        assert found is None
    if found is not None:
        weekend = Weekday.of(day).weekend
        assert (found.kind in {PublicKind.WEEKEND, PublicKind.MAKE_UP}) <= weekend
        assert (found.kind is PublicKind.WORKDAY) <= (not weekend)
    assert by_weekday(day).kind is (
        PublicKind.WEEKEND if day.isoweekday() >= 6 else PublicKind.WORKDAY
    )
