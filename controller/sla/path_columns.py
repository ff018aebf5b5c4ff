"""Loss, round trip and jitter of many paths at once; one row a path, the newest packet first.

The same arithmetic as :mod:`controller.sla.loss_window` and :mod:`controller.sla.path`;
``tests/sla/test_path_columns.py`` holds the two equal.
"""

from bisect import bisect_left
from functools import lru_cache
from typing import Final

import numpy as np

from controller.arrays import F64, I8, I64, Flags
from controller.sla.loss_window import CONFIDENCE, LONGEST, window_lengths
from controller.sla.statistics import at_least, at_most
from tenone.vocabulary.states import Verdict

LENGTHS: Final = tuple(window_lengths(LONGEST))


@lru_cache(maxsize=64)
def bounds(limit: float) -> tuple[tuple[int, int], ...]:
    """Of each of :data:`LENGTHS`: the fewest losses that do not prove good, and that prove bad."""
    return tuple(_bounds(length, limit) for length in LENGTHS)


def _bounds(length: int, limit: float) -> tuple[int, int]:
    chance = (1 - CONFIDENCE) / len(LENGTHS)
    every = range(length + 1)
    return (
        bisect_left(every, x=True, key=lambda lost: at_most(lost, length, limit) > chance),
        bisect_left(every, x=True, key=lambda lost: at_least(lost, length, limit) <= chance),
    )


def decide(lost: Flags, filled: I64, limit: F64) -> tuple[I8, I64, I64]:
    """Verdict, packets and losses of the shortest window that proves either side.

    ``lost``: [path, :data:`LONGEST`]; ``filled``: how many of a path's packets may be used (those
    since its last outage that is over); ``limit``: of each path. For unknown, packets and losses
    are all that could be used, as in :func:`controller.sla.loss_window.decide`.
    """
    there = np.arange(lost.shape[1]) < filled[:, None]
    sums = np.cumsum(lost & there, axis=1, dtype=np.int64)
    packets = np.minimum(filled, LONGEST)
    losses = np.where(packets > 0, sums[np.arange(len(filled)), np.maximum(packets - 1, 0)], 0)
    verdict = np.full(len(filled), Verdict.UNKNOWN, np.int8)
    for one in np.unique(limit).tolist():
        open_ = limit == one
        for length, (not_good, bad) in zip(LENGTHS, bounds(one), strict=True):
            count = sums[:, length - 1]
            tried = open_ & (filled >= length)
            proved = tried & ((count < not_good) | (count >= bad))
            verdict[proved] = np.where(count[proved] >= bad, Verdict.BAD, Verdict.GOOD)
            packets[proved], losses[proved] = length, count[proved]
            open_ &= ~proved
    return verdict, packets, losses


def nearest_rank(values: F64, numerator: int, denominator: int) -> F64:
    """The ``numerator/denominator`` percentile of each row's numbers; NaN where there is none."""
    known = (~np.isnan(values)).sum(axis=1)
    rank = -(-known * numerator // denominator)
    ordered = np.sort(values, axis=1)  # NaN comes last
    found: F64 = ordered[np.arange(len(values)), np.maximum(rank - 1, 0)]
    return found


def ipdv_p95(delays: F64) -> F64:
    """P95 of |D_i - D_(i-1)|; ``delays``: [path, packet], NaN for lost."""
    return nearest_rank(np.abs(np.diff(delays, axis=1)), 95, 100)
