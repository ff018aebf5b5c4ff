"""Utilisation and its percentile (SLA.md, definition 4).

u = 8 d(octets) / (dt speed): the busier direction at full duplex, both together at half, where
they share one medium. P95 is the nearest rank over 5-minute means; a mean that is missing stays
missing: it is neither zero nor its neighbours' mean.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from controller.sla.statistics import P95, nearest_rank
from tenone.calendar.intervals import MINUTE_NS, Intervals
from tenone.vocabulary.states import Duplex

MEAN_NS: Final = 5 * MINUTE_NS
MEAN_COVERAGE: Final = Fraction(8, 10)
"""How much of its five minutes a mean must have been measured; with less it is missing."""


def utilisation(
    in_octets: int | None,
    out_octets: int | None,
    *,
    elapsed_ns: int,
    speed_mbps: int | None,
    duplex: Duplex | None,
) -> float | None:
    """The share of the link in use, 1 is full; None where it cannot be told.

    Differences as of :func:`controller.sla.counters.difference`, gaps as None. The value is not
    cut at 1: agents that refresh their counters in steps may show a little more.
    """
    if in_octets is None or out_octets is None or not speed_mbps or elapsed_ns <= 0:
        return None
    match duplex:
        case Duplex.FULL:
            octets = max(in_octets, out_octets)
        case Duplex.HALF:
            octets = in_octets + out_octets
        case _:
            return None
    return 8 * octets * 1000 / (elapsed_ns * speed_mbps)


@dataclass(frozen=True, slots=True, order=True)
class Share:
    """The utilisation between two polls, UTC."""

    start_ns: int
    end_ns: int
    ratio: float


def five_minute_means(shares: Iterable[Share], *, start_ns: int, end_ns: int) -> list[float | None]:
    """The mean of each five minutes of the UTC clock that lies in ``[start, end)`` as a whole.

    Weighted by time; a poll interval over the border counts on both sides by its part. Repeated
    and reordered shares change nothing. None where less than :data:`MEAN_COVERAGE` was measured.
    """
    first = -(-start_ns // MEAN_NS)
    count = max(0, end_ns // MEAN_NS - first)
    parts: list[list[Share]] = [[] for _ in range(count)]
    for share in sorted(set(shares)):
        if share.end_ns <= share.start_ns:
            continue
        low = max(first, share.start_ns // MEAN_NS)
        high = min(first + count, -(-share.end_ns // MEAN_NS))
        for number in range(low, high):
            begin, end = number * MEAN_NS, (number + 1) * MEAN_NS
            cut = Share(max(begin, share.start_ns), min(end, share.end_ns), share.ratio)
            parts[number - first].append(cut)
    return [_mean(part) for part in parts]


def _mean(parts: Sequence[Share]) -> float | None:
    known = Intervals.of((part.start_ns, part.end_ns) for part in parts).measure_ns
    if known < MEAN_COVERAGE * MEAN_NS:
        return None
    weight = sum(part.end_ns - part.start_ns for part in parts)
    return sum(part.ratio * (part.end_ns - part.start_ns) for part in parts) / weight


@dataclass(frozen=True, slots=True)
class Busy:
    """P95 of the means there are, and how many of them there are."""

    p95_ratio: float | None
    measured: int
    missing: int


def p95(means: Iterable[float | None]) -> Busy:
    """The sample number ceil(0.95 N) of the N means that are not missing."""
    every = list(means)
    known = [mean for mean in every if mean is not None]
    return Busy(nearest_rank(known, P95), len(known), len(every) - len(known))
