import asyncio
import time

import pytest

from tenone.runtime.clock import Clock, ManualClock, SystemClock


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_system_clock_is_the_machines() -> None:
    clock: Clock = SystemClock()
    wall, monotonic = time.time_ns(), time.monotonic_ns()
    await clock.sleep(0.01)
    assert clock.wall_ns() >= wall
    assert clock.monotonic_ns() >= monotonic + 10_000_000


async def test_a_manual_clock_stands_still_until_it_is_moved() -> None:
    clock = ManualClock(wall_ns=1000, monotonic_ns=50)
    assert (clock.wall_ns(), clock.monotonic_ns()) == (1000, 50)
    clock.advance(1.5)
    assert (clock.wall_ns(), clock.monotonic_ns()) == (1_500_001_000, 1_500_000_050)


async def test_a_wall_step_leaves_the_monotonic_clock_alone() -> None:
    clock = ManualClock(wall_ns=10**12, monotonic_ns=7)
    clock.step_wall(-60)
    assert clock.wall_ns() == 10**12 - 60 * 10**9
    assert clock.monotonic_ns() == 7


async def test_sleepers_wake_when_their_time_has_come_and_not_before() -> None:
    clock = ManualClock()
    woken: list[str] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(name)

    async with asyncio.TaskGroup() as group:
        group.create_task(sleeper("late", 2))
        group.create_task(sleeper("early", 1))
        group.create_task(sleeper("at once", 0))
        await settle()
        assert woken == ["at once"]
        clock.advance(0.9)
        await settle()
        assert woken == ["at once"]
        clock.advance(0.1)
        await settle()
        assert woken == ["at once", "early"]
        clock.step_wall(100)
        await settle()
        assert woken == ["at once", "early"]
        clock.advance(5)
    assert woken == ["at once", "early", "late"]


async def test_a_sleeper_can_be_cancelled() -> None:
    clock = ManualClock()
    task = asyncio.create_task(clock.sleep(1))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
