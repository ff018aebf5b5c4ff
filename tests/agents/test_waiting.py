import asyncio

import pytest

from agents.waiting import sleep_or, within
from tenone.runtime.clock import ManualClock
from tests.agents.conftest import Advance, settle


async def test_sleeps_its_time(clock: ManualClock, advance: Advance) -> None:
    sleeping = asyncio.create_task(sleep_or(clock, 10, asyncio.Event()))
    await advance(9.5)
    assert not sleeping.done()
    await advance(0.5)
    assert await sleeping is False


async def test_an_event_ends_the_sleep(clock: ManualClock) -> None:
    event = asyncio.Event()
    sleeping = asyncio.create_task(sleep_or(clock, 10, event))
    await settle()
    event.set()
    assert await sleeping is True


@pytest.mark.parametrize("seconds", [0, -5])
async def test_no_time_is_no_wait(seconds: float, clock: ManualClock) -> None:
    event = asyncio.Event()
    assert await sleep_or(clock, seconds, event) is False
    event.set()
    assert await sleep_or(clock, seconds, event) is True


async def test_work_in_time_gives_its_result_or_its_error(clock: ManualClock) -> None:
    async def good() -> int:
        return 7

    async def bad() -> int:
        raise KeyError("x")

    assert await within(clock, 1, good()) == 7
    with pytest.raises(KeyError):
        await within(clock, 1, bad())


async def test_late_work_is_cancelled(clock: ManualClock, advance: Advance) -> None:
    ended = asyncio.Event()

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    working = asyncio.create_task(within(clock, 3, slow()))
    await advance(3)
    with pytest.raises(TimeoutError):
        await working
    assert ended.is_set()


async def test_cancelling_the_waiter_cancels_the_work(clock: ManualClock) -> None:
    ended = asyncio.Event()

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    working = asyncio.create_task(within(clock, 3, slow()))
    await settle()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert ended.is_set()
