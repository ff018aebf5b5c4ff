"""Time comes in as an argument; these are the two clocks it comes from."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What a part may ask about time."""

    def wall_ns(self) -> int:
        """Nanoseconds since 1970 UTC; may step."""
        ...

    def monotonic_ns(self) -> int:
        """Nanoseconds since some fixed moment; never steps."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that long by the monotonic clock."""
        ...


class SystemClock:
    """The machine's clocks."""

    def wall_ns(self) -> int:
        """See :class:`Clock`."""
        return time.time_ns()

    def monotonic_ns(self) -> int:
        """See :class:`Clock`."""
        return time.monotonic_ns()

    async def sleep(self, seconds: float) -> None:
        """See :class:`Clock`."""
        await asyncio.sleep(seconds)


class ManualClock:
    """A clock that moves when it is told to: tests and simulations."""

    def __init__(
        self, *, wall_ns: int = 1_790_000_000_000_000_000, monotonic_ns: int = 10**9
    ) -> None:
        self._wall_ns = wall_ns
        self._monotonic_ns = monotonic_ns
        self._moved = asyncio.Event()

    def wall_ns(self) -> int:
        """See :class:`Clock`."""
        return self._wall_ns

    def monotonic_ns(self) -> int:
        """See :class:`Clock`."""
        return self._monotonic_ns

    def advance(self, seconds: float) -> None:
        """Move both clocks on and wake sleepers whose time has come."""
        step = round(seconds * 1e9)
        self._wall_ns += step
        self._monotonic_ns += step
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    def step_wall(self, seconds: float) -> None:
        """Step the wall clock alone, as NTP does."""
        self._wall_ns += round(seconds * 1e9)

    async def sleep(self, seconds: float) -> None:
        """See :class:`Clock`."""
        until = self._monotonic_ns + round(seconds * 1e9)
        while self._monotonic_ns < until:
            await self._moved.wait()
