"""When the next sweep is due: slots on a grid that neither drift nor queue up.

All times are monotonic nanoseconds.
"""

import hashlib
from dataclasses import dataclass

LONGEST_BACKOFF = 3
"""A silent switch is still probed at least every so many state intervals."""


def spread(name: str, span_ns: int) -> int:
    """A fixed share of ``span_ns`` for ``name``: 0 <= share < span (0 for an empty span)."""
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:8], "big") * span_ns >> 64


@dataclass(frozen=True, slots=True)
class Grid:
    """Slots at ``first_ns + k * interval_ns`` plus a jitter that is fixed for each slot.

    The jitter is below ``jitter_ns``, which must not exceed the interval: slots stay in
    order, and what one slot is late by is never handed to the next.
    """

    name: str
    first_ns: int
    interval_ns: int
    jitter_ns: int = 0

    @classmethod
    def of(cls, name: str, *, start_ns: int, interval: float, jitter_ratio: float) -> "Grid":
        """A grid whose first slot is spread over one interval (seconds) by the hash of ``name``."""
        interval_ns = max(round(interval * 1e9), 1)
        first_ns = start_ns + spread(name, interval_ns)
        return cls(name, first_ns, interval_ns, round(interval_ns * jitter_ratio))

    def slot(self, index: int) -> int:
        """When slot ``index`` (from 0) is due."""
        jitter = spread(f"{self.name}/{index}", self.jitter_ns)
        return self.first_ns + index * self.interval_ns + jitter

    def after(self, now_ns: int, skip: int = 0) -> int:
        """The first slot later than ``now_ns``, or the one ``skip`` slots after it.

        Slots that have passed meanwhile are skipped, not caught up.
        """
        index = max((now_ns - self.first_ns) // self.interval_ns, 0)
        while self.slot(index) <= now_ns:  # at most two rounds: jitter is below one interval
            index += 1
        return self.slot(index + skip)


def backoff_slots(failures: int) -> int:
    """How many slots to leave out after so many failures in a row: 0, 0, 1, 2, 2, ..."""
    return min(max(failures - 1, 0), LONGEST_BACKOFF - 1)
