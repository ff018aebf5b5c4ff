"""Counters, utilisation and errors for whole columns at once.

The same arithmetic as :mod:`controller.sla.counters`, :mod:`controller.sla.utilisation` and
:mod:`controller.sla.errors`, which state the rules and their sources one value at a time;
``tests/sla/test_counter_columns.py`` holds the two equal. Exact: integers stay integers up to the
one division that makes a ratio. An unknown ratio is NaN; a gap is its code in :data:`GAPS`.

Bounds: speeds to 400 Gb/s, intervals under a year. A 64-bit octet counter wraps after eleven years
at that rate, so the rule of half the wrap time is not asked of those.
"""

from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from controller.arrays import F64, I64, U8, U64, Flags
from controller.sla.counters import NARROW, SHORTEST_FRAME_BITS, TICK_NS, UPTIME_WRAP, Gap
from controller.sla.errors import FEWEST_FRAMES
from tenone.vocabulary.states import Duplex

GAPS: Final = (None, *Gap)
"""What a code means; 0 is no gap."""
UNSAID: Final = -1
"""Ticks that the agent did not say; a tick count is never negative."""
_DIGIT: Final = 5
"""Bits a round of the long division: what still fits 63 bits beside the largest divisor."""


class GapCode(IntEnum):
    """Codes of :class:`controller.sla.counters.Gap`, in its order."""

    NONE = 0
    NO_VALUE = 1
    NO_TIME = 2
    REBOOTED = 3
    CLOCKS_DIFFER = 4
    DISCONTINUITY = 5
    WIDTH_CHANGED = 6
    TOO_FAR_APART = 7
    WENT_BACK = 8


def elapsed(
    before_ns: I64, now_ns: I64, before_ticks: I64, now_ticks: I64, restarted: Flags
) -> tuple[I64, U8]:
    """The agent's own time between two readings, and why there is none.

    As :func:`controller.sla.counters.elapsed_ns`, without boot counters. Ticks that were not said
    leave nothing to check our clock against: no time.
    """
    ours = now_ns - before_ns
    theirs = (now_ticks - before_ticks) % UPTIME_WRAP * TICK_NS
    back = now_ticks < before_ticks
    agree = np.abs(theirs - ours) * 100 <= 5 * ours
    gap = np.where(agree, GapCode.NONE, np.where(back, GapCode.REBOOTED, GapCode.CLOCKS_DIFFER))
    gap[restarted & back] = GapCode.REBOOTED
    gap[(ours <= 0) | (before_ticks == UNSAID) | (now_ticks == UNSAID)] = GapCode.NO_TIME
    return np.where(gap == GapCode.NONE, theirs, 0), gap.astype(np.uint8)


def octet_wrap_ns(speed_mbps: npt.NDArray[np.int64]) -> I64:
    """How soon a 32-bit octet counter can wrap at line rate; 0 where the speed is unknown."""
    return _wrap(8, speed_mbps)


def frame_wrap_ns(speed_mbps: npt.NDArray[np.int64]) -> I64:
    """How soon a 32-bit frame counter can wrap at line rate; 0 where the speed is unknown."""
    return _wrap(SHORTEST_FRAME_BITS, speed_mbps)


def _wrap(bits: int, speed_mbps: I64) -> I64:
    known = speed_mbps > 0
    wrap: I64 = (1 << NARROW) * bits * 1000 // np.where(known, speed_mbps, 1)
    return np.where(known, wrap, 0)


def difference(
    before: U64,
    now: U64,
    *,
    known: Flags,
    narrow: Flags,
    same_width: Flags,
    same_life: Flags,
    elapsed_ns: I64,
    wrap_ns: I64,
) -> tuple[U64, U8]:
    """How far each counter went, and why that cannot be told; 0 where it cannot.

    As :func:`controller.sla.counters.difference`. ``known``: both readings have a value.
    ``narrow``: 32 bits wide, ``same_width``: both times. ``same_life``: both readings have the same
    discontinuity time, or none. ``wrap_ns``: of :func:`octet_wrap_ns` or :func:`frame_wrap_ns`; 0
    is an unknown speed, at which nobody can say how soon a narrow counter comes round.
    """
    shape = np.broadcast_shapes(before.shape, elapsed_ns.shape, wrap_ns.shape)
    elapsed_ns, wrap_ns = np.broadcast_to(elapsed_ns, shape), np.broadcast_to(wrap_ns, shape)
    back = now < before
    delta: U64 = now - before
    gap: U8 = np.where(back, np.uint8(GapCode.WENT_BACK), np.uint8(GapCode.NONE))
    if narrow.any():
        gap[narrow & (2 * elapsed_ns > wrap_ns)] = GapCode.TOO_FAR_APART
        around = narrow & back & known & (gap == GapCode.WENT_BACK)
        if around.any():
            at = np.nonzero(around)
            forward = now[at] + np.uint64(1 << NARROW) - before[at]
            wrapped = forward <= _possible(elapsed_ns[at], wrap_ns[at])
            delta[at] = forward
            gap[at] = np.where(wrapped, GapCode.NONE, GapCode.WENT_BACK)
    gap[~same_life] = GapCode.DISCONTINUITY
    gap[~same_width] = GapCode.WIDTH_CHANGED
    gap[elapsed_ns <= 0] = GapCode.NO_TIME
    gap[~known] = GapCode.NO_VALUE
    delta[gap != GapCode.NONE] = 0
    return delta, gap


def _possible(elapsed_ns: I64, wrap_ns: I64) -> U64:
    """floor(2^32 x elapsed / wrap x 1.05): the way round that the line rate allows.

    By long division, since the product does not fit 64 bits. Asked only where twice the elapsed
    time is at most the wrap time, so the first remainder is less than the divisor.
    """
    divisor = np.maximum(wrap_ns, 1).astype(np.uint64) * np.uint64(100)
    rest = elapsed_ns.astype(np.uint64) * np.uint64(105)
    found = np.zeros(len(rest), np.uint64)
    left = NARROW
    while left:
        bits = np.uint64(min(_DIGIT, left))
        left -= int(bits)
        rest = rest << bits
        found = (found << bits) | (rest // divisor)
        rest %= divisor
    return found


def every_counter_restarted(before: U64, now: U64, known: Flags) -> Flags:
    """Of each column: whether every counter that had counted now stands lower; one row a counter.

    Columns are added up over the ports of one agent by :func:`numpy.logical_and`.
    """
    counted = known & (before > 0)
    lower: Flags = np.logical_and.reduce((now < before) | ~counted, axis=0)
    some: Flags = np.logical_or.reduce(counted, axis=0)
    return lower & some


def utilisation(octets: U64, known: Flags, *, elapsed_ns: I64, speed_mbps: I64) -> F64:
    """The share of the line rate one direction used; NaN where it cannot be told."""
    fit = known & (elapsed_ns > 0) & (speed_mbps > 0)
    ratio = np.full(octets.shape, np.nan)
    full = np.where(fit, elapsed_ns * speed_mbps, 1)
    np.divide(octets * np.uint64(8000), full, out=ratio, where=fit)
    return ratio


def both_ways(in_octets: U64, out_octets: U64, duplex: U8) -> tuple[U64, Flags]:
    """Octets that count for a link as a whole, and where that is known: by duplex.

    The busier direction at full duplex, both together at half.
    """
    full, half = duplex == Duplex.FULL, duplex == Duplex.HALF
    return np.where(half, in_octets + out_octets, np.maximum(in_octets, out_octets)), full | half


def share(part: U64, total: U64, known: Flags) -> F64:
    """``part / total`` where at least 10^4 frames were seen, else NaN."""
    fit = known & (total >= FEWEST_FRAMES)
    ratio = np.full(part.shape, np.nan)
    np.divide(part, np.where(fit, total, 1), out=ratio, where=fit)
    return ratio
