"""What a class board measures at a moment of a school day: a function of seed and clock."""

import random
from dataclasses import dataclass

_SHANGHAI_SECONDS = 8 * 3600
_DAY_SECONDS = 86_400
_THURSDAY = 3
"""1970-01-01; Monday is 0."""
_SATURDAY = 5
_HALVES = ((8 * 60, 11 * 60 + 40), (13 * 60 + 30, 17 * 60))
"""Minutes of the day between which lessons are held."""
_LESSON_MINUTES = 45
_LESSON_AND_BREAK_MINUTES = 55
_WIRED_RATIO = 0.7
_LESSON_APPS = ("whiteboard", "slides", "video", "dictation", "browser")
_IDLE_APP = "timetable"
FIRMWARES = ("4.2.0", "4.2.1", "4.3.0")

Value = bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment as the school's bell sees it."""

    minute_of_day: int
    day: int
    lesson: int | None
    """Which lesson of the day is held, from 0; None in breaks, at night, at weekends."""


def moment(wall_ns: int) -> Moment:
    """The moment at ``wall_ns`` nanoseconds since 1970 UTC, in Asia/Shanghai."""
    seconds = wall_ns // 1_000_000_000 + _SHANGHAI_SECONDS
    day, minute = seconds // _DAY_SECONDS, seconds % _DAY_SECONDS // 60
    lesson = None
    if (day + _THURSDAY) % 7 < _SATURDAY:
        before = 0
        for begin, end in _HALVES:
            held, rest = divmod(minute - begin, _LESSON_AND_BREAK_MINUTES)
            if begin <= minute < end and rest < _LESSON_MINUTES:
                lesson = before + held
            before += -((begin - end) // _LESSON_AND_BREAK_MINUTES)
    return Moment(minute, day, lesson)


def reading(seed: str, wall_ns: int) -> dict[str, Value]:
    """The measured columns of BOARD_HEALTH at ``wall_ns``; the same within one minute."""
    now = moment(wall_ns)
    self_ = random.Random(f"{seed}/self")
    chance = random.Random(f"{seed}/{now.day}/{now.minute_of_day}")
    lesson = random.Random(f"{seed}/{now.day}/{now.lesson}")
    wired = self_.random() < _WIRED_RATIO
    room_celsius = self_.uniform(22, 27)
    free_gigabytes = self_.uniform(9, 52)
    firmware = self_.choice(FIRMWARES)
    in_use = now.lesson is not None and lesson.random() > 0.08  # noqa: PLR2004 - some lessons go without
    app = lesson.choice(_LESSON_APPS) if in_use else _IDLE_APP
    cpu = (0.55 if app == "video" else 0.3 if in_use else 0.06) + chance.uniform(-0.04, 0.08)
    return {
        "screen_on": in_use,
        "app": app,
        "firmware": firmware,
        "cpu_ratio": round(cpu, 3),
        "storage_free_bytes": int((free_gigabytes - now.day % 30 * 0.05) * 1e9),
        "rssi_dbm": None if wired else chance.randint(-71, -48),
        "temperature_celsius": round(
            room_celsius + (14 if in_use else 6) + chance.uniform(-0.6, 0.6), 1
        ),
        "volume_ratio": round(lesson.uniform(0.3, 0.75), 2) if app == "video" else 0.2,
    }
