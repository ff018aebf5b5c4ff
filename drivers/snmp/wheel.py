"""A timer wheel: thousands of deadlines for the price of a dictionary and one sleeping task."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from tenone.runtime.clock import Clock

TICK_NS = 10_000_000
"""Width of a slot: a deadline is noticed at most two ticks late, never early."""

Item = TypeVar("Item")


class TimerWheel(Generic[Item]):
    """Calls ``on_due(item, now_ns)`` when an item's time has come.

    Nothing is ever taken out early: whoever no longer cares lets the call pass.
    """

    def __init__(self, clock: Clock, on_due: Callable[[Item, int], None]) -> None:
        self._clock = clock
        self._on_due = on_due
        self._slots: dict[int, list[Item]] = {}
        self._turned = 0
        self._busy = asyncio.Event()

    def schedule(self, item: Item, due_ns: int) -> None:
        """Call for ``item`` at ``due_ns`` on the monotonic clock, or up to two ticks later."""
        slot = max(due_ns // TICK_NS, self._turned) + 1
        items = self._slots.get(slot)
        if items is None:
            self._slots[slot] = [item]
            self._busy.set()
        else:
            items.append(item)

    async def run(self) -> None:
        """Turn for ever; asleep while nothing is scheduled."""
        while True:
            if not self._slots:
                self._busy.clear()
                await self._busy.wait()
            await self._clock.sleep(TICK_NS / 1e9)
            now_ns = self._clock.monotonic_ns()
            self._turned = now_ns // TICK_NS
            for slot in sorted(slot for slot in self._slots if slot <= self._turned):
                for item in self._slots.pop(slot):
                    self._on_due(item, now_ns)
