"""SLA.md, three-valued truth: coverage, and when it is too small to certify."""

from fractions import Fraction

import pytest

from controller.sla.coverage import coverage, refusal


@pytest.mark.parametrize(
    ("unknown", "service", "expected"),
    [(0, 100, Fraction(1)), (2, 100, Fraction(98, 100)), (100, 100, Fraction(0)), (0, 0, None)],
)
def test_coverage(unknown: int, service: int, expected: Fraction | None) -> None:
    assert coverage(unknown, service) == expected


@pytest.mark.parametrize(("unknown", "service"), [(-1, 5), (6, 5), (1, 0)])
def test_impossible_shares_are_refused(unknown: int, service: int) -> None:
    with pytest.raises(ValueError, match="cannot be unknown"):
        coverage(unknown, service)


@pytest.mark.parametrize(
    ("known", "says"),
    [
        (Fraction(1), None),
        (Fraction(98, 100), None),
        (Fraction(98, 100) - Fraction(1, 10**9), "97.99 %"),
        (Fraction(0), "0.00 %"),
        (None, "nothing to certify"),
    ],
)
def test_refusal(known: Fraction | None, says: str | None) -> None:
    sentence = refusal(known)
    if says is None:
        assert sentence is None
    else:
        assert sentence is not None
        assert says in sentence
