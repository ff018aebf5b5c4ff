"""Nearest rank by its definition; binomial tails against exact fractions."""

from fractions import Fraction
from math import comb, isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.sla.statistics import P95, P999, at_least, at_most, nearest_rank


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], P95, None),
        ([7.0], P95, 7.0),
        (range(1, 21), P95, 19),  # 0.95 * 20 is 19 exactly, where floats would say 19.0...01
        (range(1, 22), P95, 20),
        (range(1, 101), P95, 95),
        (range(1, 1001), P999, 999),
        (range(1, 11), P999, 10),
        ([3.0, 1.0, 2.0], Fraction(1), 3.0),
        ([3.0, 1.0, 2.0], Fraction(1, 3), 1.0),
    ],
)
def test_nearest_rank(values: list[float], share: Fraction, expected: float | None) -> None:
    assert nearest_rank(values, share) == expected


@pytest.mark.parametrize("share", [Fraction(0), Fraction(-1, 2), Fraction(101, 100)])
def test_no_such_percentile(share: Fraction) -> None:
    with pytest.raises(ValueError, match="percentile"):
        nearest_rank([1.0], share)


@given(st.lists(st.integers(0, 50), min_size=1), st.fractions(Fraction(1, 1000), 1))
def test_nearest_rank_is_the_least_value_with_that_share_below(
    values: list[int], share: Fraction
) -> None:
    found = nearest_rank(values, share)
    expected = min(v for v in values if sum(w <= v for w in values) >= share * len(values))
    assert found == expected


@given(st.integers(-1, 45), st.integers(0, 40), st.fractions(0, 1, max_denominator=400))
def test_tails_against_fractions(events: int, trials: int, ratio: Fraction) -> None:
    def exactly(k: int) -> Fraction:
        return comb(trials, k) * ratio**k * (1 - ratio) ** (trials - k)

    below = sum((exactly(k) for k in range(trials + 1) if k <= events), Fraction(0))
    above = sum((exactly(k) for k in range(trials + 1) if k >= events), Fraction(0))
    assert isclose(at_most(events, trials, float(ratio)), below, rel_tol=1e-9, abs_tol=1e-12)
    assert isclose(at_least(events, trials, float(ratio)), above, rel_tol=1e-9, abs_tol=1e-12)


def test_the_rule_of_three() -> None:
    # 598 packets without a loss show at 95 % that the loss is at most 0.5 %; 597 do not.
    assert at_most(0, 598, 0.005) <= 0.05
    assert at_most(0, 597, 0.005) > 0.05
