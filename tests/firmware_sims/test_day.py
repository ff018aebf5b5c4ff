from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sims.board.day import moment, reading


def shanghai(text: str) -> int:
    """Nanoseconds since 1970 of a wall clock in Shanghai."""
    return (int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) - 8 * 3600) * 10**9


@pytest.mark.parametrize(
    ("at", "lesson"),
    [
        ("2026-11-23T07:59", None),  # a Monday
        ("2026-11-23T08:00", 0),
        ("2026-11-23T08:44", 0),
        ("2026-11-23T08:45", None),
        ("2026-11-23T08:55", 1),
        ("2026-11-23T11:44", None),
        ("2026-11-23T13:30", 4),
        ("2026-11-23T16:20", 7),
        ("2026-11-23T17:00", None),
        ("2026-11-21T09:00", None),  # Saturday
        ("2026-11-22T09:00", None),  # Sunday
    ],
)
def test_lessons(at: str, lesson: int | None) -> None:
    assert moment(shanghai(at)).lesson == lesson


def test_screens_are_on_in_lessons_and_off_at_night() -> None:
    lesson = [reading(str(n), shanghai("2026-11-23T09:00"))["screen_on"] for n in range(200)]
    night = [reading(str(n), shanghai("2026-11-23T23:00"))["screen_on"] for n in range(200)]
    assert 150 < sum(map(bool, lesson)) < 200
    assert not any(night)


@given(st.text(max_size=5), st.integers(0, 4 * 10**18))
def test_readings_stay_in_range_and_repeat(seed: str, wall_ns: int) -> None:
    values = reading(seed, wall_ns)
    assert values == reading(seed, wall_ns)
    cpu, free, volume = (
        values["cpu_ratio"],
        values["storage_free_bytes"],
        values["volume_ratio"],
    )
    assert isinstance(cpu, float)
    assert isinstance(free, int)
    assert isinstance(volume, float)
    assert 0 <= cpu <= 1
    assert 0 < free < 2**53
    assert 0 <= volume <= 1
