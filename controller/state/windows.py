"""What counters add up to over time, in bounded memory.

The frames of the newest intervals, and the five-minute means of the newest hours. Arrays have one
row a link.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from controller.arrays import F64, I64, U64, Flags
from controller.sla.errors import FEWEST_FRAMES
from controller.sla.path_columns import nearest_rank
from controller.sla.utilisation import MEAN_COVERAGE, MEAN_NS, Busy, p95
from controller.state.columns import NEVER

INTERVALS: Final = 8
"""How many intervals are kept besides the newest one."""
LONGEST_NS: Final = 15 * 60 * 1_000_000_000
"""No interval that began longer ago counts."""
MEANS: Final = 96
"""Five-minute means that are kept: eight hours, a school day."""
KINDS: Final = 4
"""Errors in and out, discards in and out."""
_MOST: Final = 2**32 - 1
_ENOUGH_NS: Final = int(MEAN_COVERAGE * MEAN_NS)


@dataclass(frozen=True, slots=True)
class Frames:
    """Frames of one interval of n links by kind: ``part`` of ``total``; 0 of 0 is unknown."""

    part: U64
    total: U64
    start_ns: I64
    """Monotonic."""


class FrameWindow:
    """The frames of the newest :data:`INTERVALS` intervals of each link."""

    def __init__(self, count: int) -> None:
        self._part = np.zeros((KINDS, INTERVALS, count), np.uint32)
        self._total = np.zeros((KINDS, INTERVALS, count), np.uint32)
        self._start_ns = np.full((INTERVALS, count), NEVER, np.int64)
        self._next = np.zeros(count, np.int8)
        self._some: Flags = np.zeros((KINDS, count), np.bool_)
        """Whether there ever was an interval with frames of that kind."""

    def forget(self, at: I64) -> None:
        """Another port carries the links: nothing that was counted is theirs."""
        self._start_ns[:, at] = NEVER
        self._some[:, at] = False

    def add(self, at: I64, frames: Frames) -> None:
        """An interval is over.

        One of more than 2^32 frames of a kind is not kept for that kind: it decides by itself as
        long as it is the newest, and a window never goes back to it.
        """
        some = ((frames.total > 0) | (frames.part > 0)).any(axis=0)
        at, slot = at[some], self._next[at[some]]
        fits = np.maximum(frames.part, frames.total)[:, some] <= _MOST
        self._part[:, slot, at] = np.where(fits, frames.part[:, some], 0)
        self._total[:, slot, at] = np.where(fits, frames.total[:, some], 0)
        self._start_ns[slot, at] = frames.start_ns[some]
        self._some[:, at] |= frames.total[:, some] > 0
        self._next[at] = (slot + 1) % INTERVALS

    def reach(self, at: I64, newest: Frames, now_ns: I64) -> Frames:
        """``newest`` and as many intervals before it as 10^4 frames take, kind by kind.

        ``now_ns``: when the newest one ended. Where all that is kept does not suffice, the total
        stays below 10^4.
        """
        part, total = newest.part.copy(), newest.total.copy()
        start = np.where((total > 0).any(axis=0), newest.start_ns, now_ns)
        kept = self._some[:, at]
        for back in range(1, INTERVALS + 1):
            wanting = (total < FEWEST_FRAMES) & kept
            short = np.flatnonzero(wanting.any(axis=0))
            if not len(short):
                break
            link, slot = at[short], (self._next[at[short]] - back) % INTERVALS
            began = self._start_ns[slot, link]
            use = wanting[:, short] & (began > now_ns[short] - LONGEST_NS)
            more = np.where(use, self._total[:, slot, link], 0).astype(np.uint64)
            total[:, short] += more
            part[:, short] += np.where(use, self._part[:, slot, link], 0).astype(np.uint64)
            used = (more > 0).any(axis=0)
            start[short] = np.where(used, np.minimum(start[short], began), start[short])
        return Frames(part, total, start)


class MeanWindow:
    """Five-minute means of a ratio, :data:`MEANS` of them, by the UTC clock."""

    def __init__(self, count: int) -> None:
        self._means: npt.NDArray[np.float32] = np.full((MEANS, count), np.nan, np.float32)
        self._bucket = np.full(count, -1, np.int64)
        """Which five minutes are being filled, counted from 1970; -1: none yet."""
        self._weight = np.zeros(count)
        self._known_ns = np.zeros(count, np.int64)
        self.newest: F64 = np.full(count, np.nan)
        """The newest mean that was filled; NaN where it is missing."""
        self.p95: F64 = np.full(count, np.nan)
        """P95 of all means that were kept when the newest was filled."""

    def forget(self, at: I64) -> None:
        """See :meth:`FrameWindow.forget`."""
        self._means[:, at] = np.nan
        self._bucket[at] = -1
        self._weight[at] = 0
        self._known_ns[at] = 0
        self.newest[at] = np.nan
        self.p95[at] = np.nan

    def ended_ns(self, at: I64) -> I64:
        """When the newest filled five minutes ended (UTC)."""
        return self._bucket[at] * MEAN_NS

    def add(self, at: I64, start_ns: I64, end_ns: I64, ratio: F64) -> None:
        """Shares ``[start, end)`` of UTC, which follow each other on a link.

        One that lies before the five minutes being filled (the clock stepped back) is left out.
        """
        start_ns = np.maximum(start_ns, end_ns - (MEANS + 1) * MEAN_NS)
        rest = np.flatnonzero(~np.isnan(ratio) & (end_ns > start_ns))
        while len(rest):
            link, begin = at[rest], start_ns[rest]
            bucket = begin // MEAN_NS
            later = bucket > self._bucket[link]
            self._close(link[later], bucket[later])
            stop = np.minimum(end_ns[rest], (bucket + 1) * MEAN_NS)
            fits = bucket == self._bucket[link]
            here = link[fits]
            self._weight[here] += ratio[rest][fits] * (stop - begin)[fits]
            self._known_ns[here] += (stop - begin)[fits]
            start_ns[rest] = stop
            rest = rest[stop < end_ns[rest]]

    def _close(self, link: I64, bucket: I64) -> None:
        """Five minutes are full and ``bucket`` begins; what lies between is missing."""
        if not len(link):
            return
        before = self._bucket[link]
        known = self._known_ns[link]
        mean = np.full(len(link), np.nan)
        np.divide(self._weight[link], known, out=mean, where=known >= _ENOUGH_NS)
        self._means[before % MEANS, link] = mean
        skipped = np.where(before < 0, MEANS, np.minimum(bucket - before - 1, MEANS))
        for step in range(1, int(skipped.max(initial=0)) + 1):
            there = skipped >= step
            self._means[(before[there] + step) % MEANS, link[there]] = np.nan
        self.newest[link] = np.where(skipped == 0, mean, np.nan)
        self.p95[link] = nearest_rank(self._means[:, link].T.astype(np.float64), 95, 100)
        self._bucket[link] = bucket
        self._weight[link] = 0
        self._known_ns[link] = 0

    def means(self, link: int, now_ns: int) -> list[float | None]:
        """One link's means of the :data:`MEANS` five minutes before ``now_ns`` (UTC).

        Oldest first; None is missing.
        """
        bucket, last = int(self._bucket[link]), now_ns // MEAN_NS
        found: list[float | None] = []
        for number in range(last - MEANS, last):
            kept = bucket - MEANS <= number < bucket
            mean = float(self._means[number % MEANS, link]) if kept else np.nan
            found.append(None if np.isnan(mean) else mean)
        return found

    def busy(self, link: int, now_ns: int) -> Busy:
        """P95 of those, and how many there are."""
        return p95(self.means(link, now_ns))


def known_frames(part: U64, total: U64, known: Flags, start_ns: I64) -> Frames:
    """Frames of one interval; unknown where not ``known``."""
    return Frames(np.where(known, part, 0), np.where(known, total, 0), start_ns)
