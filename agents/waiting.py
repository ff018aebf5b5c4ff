"""Waiting by the injected clock: until an event, or no longer than so many seconds."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from tenone.runtime.clock import Clock

T = TypeVar("T")


async def sleep_or(clock: Clock, seconds: float, event: asyncio.Event) -> bool:
    """Sleep ``seconds``, less if ``event`` is set meanwhile; returns whether it is set."""
    if event.is_set() or seconds <= 0:
        return event.is_set()
    waiter = asyncio.ensure_future(event.wait())
    sleeper = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({waiter, sleeper}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _drop(waiter, sleeper)
    return event.is_set()


async def within(clock: Clock, seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """The result of ``work``; cancels it and raises ``TimeoutError`` after ``seconds``."""
    worker = asyncio.ensure_future(work)
    sleeper = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({worker, sleeper}, return_when=asyncio.FIRST_COMPLETED)
        if worker.done():
            return worker.result()
        raise TimeoutError
    finally:
        await _drop(worker, sleeper)


async def _drop(*tasks: "asyncio.Future[Any]") -> None:
    """Cancel what is left and wait until it has ended, so nothing outlives its caller."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
