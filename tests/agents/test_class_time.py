"""When classes are probed, by a real calendar."""

import logging
from datetime import datetime

import pytest

from agents.class_time import ClassTime, class_time
from tenone.calendar.intervals import MINUTE_NS
from tenone.config.calendar import CalendarFile
from tenone.config.school import School

CALENDAR = {
    "schema_version": 1,
    "china_library": False,
    "complete_years": [2026],
    "terms": [{"name": "autumn", "first": "2026-09-01", "last": "2027-01-22"}],
    "holidays": [{"first": "2026-10-01", "last": "2026-10-07", "name": "国庆"}],
    "bells": {
        "normal": {
            "periods": [
                {"name": "1", "starts": "08:00", "ends": "08:40"},
                {"name": "2", "starts": "08:50", "ends": "09:30"},
                {"name": "3", "starts": "14:00", "ends": "14:40"},
            ]
        },
        "night": {"periods": [{"name": "1", "starts": "00:05", "ends": "01:00"}]},
    },
    "weekdays": dict.fromkeys(["monday", "tuesday", "wednesday", "thursday"], "normal")
    | {"friday": "night"},
    "schools": {"no4": {"exceptions": [{"date": "2026-11-23", "name": "校庆"}]}},
}


def at(text: str) -> int:
    """Nanoseconds UTC of a local time in the city's zone."""
    return round(datetime.fromisoformat(f"{text}+08:00").timestamp()) * 10**9


@pytest.fixture
def at_school() -> ClassTime:
    return ClassTime(CalendarFile.model_validate(CALENDAR).of_school("no3"))


@pytest.mark.parametrize(
    ("moment", "probed"),
    [
        ("2026-11-23 07:49:59", False),
        ("2026-11-23 07:50:00", True),
        ("2026-11-23 08:39:59", True),
        ("2026-11-23 08:45:00", True),  # an ordinary break
        ("2026-11-23 09:30:00", False),
        ("2026-11-23 13:51:00", True),
        ("2026-11-23 14:40:00", False),
        ("2026-11-22 08:20:00", False),  # a Sunday
        ("2026-10-05 08:20:00", False),  # a holiday
        ("2026-11-26 23:56:00", True),  # before a lesson after midnight
        ("2026-11-27 00:30:00", True),
        ("2026-11-27 01:00:00", False),
    ],
)
def test_lessons_and_ten_minutes_before(at_school: ClassTime, moment: str, *, probed: bool) -> None:
    assert at_school(at(moment)) is probed


def test_a_whole_week_is_its_lessons(at_school: ClassTime) -> None:
    first = at("2026-11-23 00:00:00")
    minutes = sum(at_school(first + number * MINUTE_NS) for number in range(5 * 24 * 60))
    assert minutes == 4 * (100 + 50) + 10 + 55


@pytest.mark.parametrize(
    ("days", "why"),
    [
        (["2027-01-04", "2027-01-05", "2027-01-06"], "of 2027 are not known"),
        (["2027-02-01", "2027-02-02"], "The terms written down reach"),
    ],
)
def test_a_day_nobody_knows_is_probed_and_said_once(
    at_school: ClassTime, caplog: pytest.LogCaptureFixture, days: list[str], why: str
) -> None:
    with caplog.at_level(logging.WARNING):
        for day in days:
            assert all(at_school(at(f"{day} {hour:02}:15:00")) for hour in range(24))
    (line,) = caplog.messages
    assert why in line


def test_each_school_has_its_own_and_none_is_always() -> None:
    calendar = CalendarFile.model_validate(CALENDAR)
    moment = at("2026-11-23 08:20:00")

    def school(name: str) -> School:
        bare = School.model_validate(
            {
                "school": {"id": name, "name": name, "district": "east", "city": "binhai"},
                "uplink": {"broker": {"host": "10.0.0.1"}},
            }
        )
        return bare.model_copy(update={"calendar": calendar})

    assert class_time(school("no3"))(moment)
    assert not class_time(school("no4"))(moment)
    assert class_time(school("no4").model_copy(update={"calendar": None}))(moment)
