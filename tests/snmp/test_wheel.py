"""Deadlines are kept to within two ticks, never early, and cost nothing while there are none."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.snmp.wheel import TICK_NS, TimerWheel
from tenone.runtime.clock import ManualClock

TICK = TICK_NS / 1e9


async def run(delays: list[int]) -> dict[int, int]:
    clock = ManualClock()
    fired: dict[int, int] = {}
    start = clock.monotonic_ns()
    wheel: TimerWheel[int] = TimerWheel(
        clock, lambda item, now_ns: fired.__setitem__(item, now_ns - start)
    )
    task = asyncio.ensure_future(wheel.run())
    for item, delay in enumerate(delays):
        wheel.schedule(item, start + delay)
    async with asyncio.timeout(20):
        while len(fired) < len(delays):
            await asyncio.sleep(0)
            clock.advance(TICK)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return fired


@given(st.lists(st.integers(0, 100 * TICK_NS), max_size=20))
def test_never_early_and_hardly_late(delays: list[int]) -> None:
    fired = asyncio.run(run(delays))
    for item, delay in enumerate(delays):
        assert delay <= fired[item] <= delay + 3 * TICK_NS


async def test_a_due_item_may_schedule_another() -> None:
    clock = ManualClock()
    fired: list[int] = []

    def on_due(item: int, now_ns: int) -> None:
        fired.append(item)
        if item < 3:
            wheel.schedule(item + 1, now_ns)

    wheel: TimerWheel[int] = TimerWheel(clock, on_due)
    wheel.schedule(0, 0)
    task = asyncio.ensure_future(wheel.run())
    async with asyncio.timeout(5):
        while len(fired) < 4:
            await asyncio.sleep(0)
            clock.advance(TICK)
    task.cancel()
    assert fired == [0, 1, 2, 3]
