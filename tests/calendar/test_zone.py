"""Local days tile, in Shanghai and where midnight itself was skipped or came twice."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenone.calendar.intervals import HOUR_NS, MINUTE_NS, SECOND_NS
from tenone.calendar.zone import (
    CITY_ZONE,
    day_span,
    local_date,
    local_days,
    local_span,
    month_span,
    utc_ns,
)

SHANGHAI = ZoneInfo(CITY_ZONE)
ZONES = [
    CITY_ZONE,
    "America/Sao_Paulo",  # summer time began at midnight: 00:00 did not exist
    "America/Havana",  # it ends at 01:00: 00:00 comes twice
    "Pacific/Apia",  # 2011-12-30 was left out
    "Australia/Lord_Howe",  # half an hour
    "UTC",
]


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND_NS


@pytest.mark.parametrize(
    ("day", "at", "zone", "utc"),
    [
        (date(2026, 9, 1), time(8), CITY_ZONE, "2026-09-01T00:00"),
        (date(2026, 9, 1), time(), CITY_ZONE, "2026-08-31T16:00"),
        (date(1988, 7, 1), time(8), CITY_ZONE, "1988-06-30T23:00"),  # summer time
        (date(1988, 12, 1), time(8), CITY_ZONE, "1988-12-01T00:00"),
        (date(2018, 11, 4), time(), "America/Sao_Paulo", "2018-11-04T03:00"),  # the leap
        (date(2018, 11, 4), time(0, 30), "America/Sao_Paulo", "2018-11-04T03:00"),
        (date(2025, 11, 2), time(), "America/Havana", "2025-11-02T04:00"),  # the first of two
    ],
)
def test_worked_moments(day: date, at: time, zone: str, utc: str) -> None:
    assert utc_ns(day, at, ZoneInfo(zone)) == ns(utc)


def test_the_second_of_two() -> None:
    havana = ZoneInfo("America/Havana")
    assert utc_ns(date(2025, 11, 2), time(), havana, last=True) == ns("2025-11-02T05:00")


def test_a_day_that_was_left_out_is_empty() -> None:
    apia = ZoneInfo("Pacific/Apia")
    assert day_span(date(2011, 12, 30), apia).length_ns == 0
    before, after = day_span(date(2011, 12, 29), apia), day_span(date(2011, 12, 31), apia)
    assert before.end_ns == after.start_ns


def test_lengths() -> None:
    assert day_span(date(2026, 5, 3), SHANGHAI).length_ns == 24 * HOUR_NS
    assert day_span(date(1988, 4, 17), SHANGHAI).length_ns == 23 * HOUR_NS
    assert day_span(date(1988, 9, 11), SHANGHAI).length_ns == 25 * HOUR_NS
    assert month_span(2026, 12, SHANGHAI).length_ns == 31 * 24 * HOUR_NS
    assert month_span(2026, 12, SHANGHAI).end_ns == month_span(2027, 1, SHANGHAI).start_ns
    assert month_span(2028, 2, SHANGHAI).length_ns == 29 * 24 * HOUR_NS


def test_no_days_in_no_time() -> None:
    moment = ns("2026-09-01T00:00")
    assert list(local_days(moment, moment, SHANGHAI)) == []
    assert list(local_days(moment, moment - 5, SHANGHAI)) == []
    assert list(local_days(moment, moment + 1, SHANGHAI)) == [date(2026, 9, 1)]
    midnight = utc_ns(date(2026, 9, 1), time(), SHANGHAI)
    assert list(local_days(midnight - 1, midnight + 1, SHANGHAI)) == [
        date(2026, 8, 31),
        date(2026, 9, 1),
    ]


dates = st.dates(date(1902, 1, 1), date(2100, 1, 1))


@given(dates, st.sampled_from(ZONES))
def test_days_tile(day: date, name: str) -> None:
    zone = ZoneInfo(name)
    span, following = day_span(day, zone), day_span(day + timedelta(days=1), zone)
    assert span.end_ns == following.start_ns
    assert span.length_ns in {0} | {minutes * MINUTE_NS for minutes in range(1350, 1531)} or (
        day.year < 1945  # local mean time and its seconds
    )


@given(dates, st.integers(0, 86_399), st.sampled_from(ZONES))
def test_a_moment_lies_in_a_day_that_is_found(day: date, second: int, name: str) -> None:
    zone = ZoneInfo(name)
    moment = ns(day.isoformat()) + second * SECOND_NS
    (found,) = local_days(moment, moment + 1, zone)
    # The calendar shows that date, or the clock was set back to the one before.
    assert local_date(moment, zone) in {found, found - timedelta(days=1)}
    if name in {CITY_ZONE, "UTC"} and day.year > 1945:
        assert local_date(moment, zone) == found


@given(dates, st.integers(6 * 60, 22 * 60), st.integers(1, 600), st.integers(0, 1439))
def test_school_hours_are_what_the_clock_shows(
    day: date, starts: int, length: int, minute: int
) -> None:
    """Minute for minute, through all of Shanghai's summers: in the span iff the clock says so."""
    ends = min(starts + length, 22 * 60 + 1)
    opens, closes = (time(at // 60, at % 60) for at in (starts, ends))
    span = local_span(day, opens, closes, SHANGHAI)
    moment = day_span(day, SHANGHAI).start_ns + minute * MINUTE_NS
    shown = datetime.fromtimestamp(moment // SECOND_NS, tz=SHANGHAI)
    inside = shown.date() == day and opens <= shown.time() < closes
    assert (span.start_ns <= moment < span.end_ns) == inside
