"""The two statistics the definitions share: nearest rank, and what a share of lost packets proves.

Nearest rank (SLA.md 4 and 8): the P-th percentile of N ordered values is number ceil(P N), from
1. It is always a value that was measured, never one in between.

Exact binomial test (Clopper and Pearson, Biometrika 26, 1934): no normal approximation, which
fails at the rare events a loss objective is about.
"""

from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from math import exp, fsum, lgamma, log, log1p
from typing import Final

P95: Final = Fraction(95, 100)
P999: Final = Fraction(999, 1000)


def nearest_rank(values: Iterable[float], share: Fraction) -> float | None:
    """The ``share`` percentile, 0 < share <= 1; None where there is no value."""
    if not 0 < share <= 1:
        raise ValueError(f"a percentile lies above 0 and is at most 1, not {share}")
    ordered = sorted(values)
    if not ordered:
        return None
    rank = -(-len(ordered) * share.numerator // share.denominator)
    return ordered[rank - 1]


@lru_cache(maxsize=65_536)
def at_most(events: int, trials: int, ratio: float) -> float:
    """P(X <= events) for X binomial over ``trials`` with probability ``ratio``."""
    if events < 0:
        return 0.0
    if events >= trials or ratio <= 0:
        return 1.0
    if ratio >= 1:
        return 0.0
    return min(1.0, fsum(_exactly(k, trials, ratio) for k in range(events + 1)))


@lru_cache(maxsize=65_536)
def at_least(events: int, trials: int, ratio: float) -> float:
    """P(X >= events); summed from its own end, so that small chances stay exact."""
    if events <= 0:
        return 1.0
    if events > trials or ratio <= 0:
        return 0.0
    if ratio >= 1:
        return 1.0
    if events <= trials * ratio:
        return 1.0 - at_most(events - 1, trials, ratio)
    terms = []
    for k in range(events, trials + 1):
        term = _exactly(k, trials, ratio)
        terms.append(term)
        if term < terms[0] * 1e-17:
            break
    return min(1.0, fsum(terms))


def _exactly(events: int, trials: int, ratio: float) -> float:
    ways = lgamma(trials + 1) - lgamma(events + 1) - lgamma(trials - events + 1)
    return exp(ways + events * log(ratio) + (trials - events) * log1p(-ratio))
