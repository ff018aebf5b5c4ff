"""What happens by itself after a while, by the switch's own clock and in the order it is due."""

import heapq
from collections.abc import Callable

Due = Callable[[float], None]
"""Is called with the moment it was due at, in seconds since the switch was made."""


class Timers:
    """Deeds that wait. They are carried out by whoever next asks the switch anything."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int]] = []
        self._deeds: dict[int, Due] = {}
        self._number = 0
        self.on_set: Callable[[float], None] | None = None
        """Told when the next deed is due, so that a running program may wake the switch then."""

    def at(self, due: float, deed: Due) -> int:
        """Let ``deed`` happen at ``due``; returns the number to cancel it by."""
        self._number += 1
        self._deeds[self._number] = deed
        heapq.heappush(self._waiting, (due, self._number))
        if self.on_set is not None:
            self.on_set(due)
        return self._number

    def cancel(self, number: int | None) -> None:
        """It shall not happen; nothing when it has, or for None."""
        if number is not None:
            self._deeds.pop(number, None)

    def run(self, now: float) -> None:
        """Carry out what is due by ``now``, what that sets included."""
        while self._waiting and self._waiting[0][0] <= now:
            due, number = heapq.heappop(self._waiting)
            deed = self._deeds.pop(number, None)
            if deed is not None:
                deed(due)
