"""SLA.md 5: worked figures; discards are congestion and never errors."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.sla.errors import Frames, congestion_ratio, error_ratio, judge
from tenone.vocabulary.states import Verdict


def frames(
    errors: int | None = 0,
    unicast: int | None = 0,
    multicast: int | None = 0,
    broadcast: int | None = 0,
    discards: int | None = None,
) -> Frames:
    return Frames(
        errors=errors,
        unicast=unicast,
        multicast=multicast,
        broadcast=broadcast,
        discards=discards,
    )


@pytest.mark.parametrize(
    ("counted", "expected"),
    [
        (frames(10, 9000, 900, 90), Fraction(10, 10_000)),
        (frames(9, 9000, 900, 90), None),  # 9,999 frames say nothing
        (frames(10_000), Fraction(1)),
        (frames(0, 10_000), Fraction(0)),
        (frames(0, 10_000, discards=9000), Fraction(0)),
        (frames(None, 10_000), None),
        (frames(1, None, 10_000, 10_000), None),
        (frames(1, 10_000, None, 10_000), None),
        (frames(1, 10_000, 10_000, None), None),
        (frames(), None),
    ],
)
def test_error_ratio(counted: Frames, expected: Fraction | None) -> None:
    assert error_ratio(counted) == expected


@pytest.mark.parametrize(
    ("counted", "inside", "expected"),
    [
        (frames(0, 9000, discards=1000), False, Fraction(1, 10)),
        (frames(0, 10_000, discards=1000), True, Fraction(1, 10)),
        (frames(0, 10_000, discards=20_000), True, Fraction(1)),
        (frames(5000, 9000, discards=1), False, None),  # broken frames do not fill up
        (frames(0, 10_000), True, None),
        (frames(0, None, discards=3), True, None),
    ],
)
def test_congestion_ratio(counted: Frames, expected: Fraction | None, *, inside: bool) -> None:
    assert congestion_ratio(counted, discards_counted=inside) == expected


@pytest.mark.parametrize(
    ("ratio", "verdict"),
    [
        (None, Verdict.UNKNOWN),
        (Fraction(0), Verdict.GOOD),
        (Fraction(1, 1024), Verdict.GOOD),
        (Fraction(2, 1024), Verdict.BAD),
    ],
)
def test_judge(ratio: Fraction | None, verdict: Verdict) -> None:
    assert judge(ratio, 1 / 1024) is verdict


count = st.integers(0, 10**6)


@given(count, count, count, count, count, count)
def test_discards_never_move_the_error_ratio(
    errors: int, unicast: int, multicast: int, broadcast: int, one: int, two: int
) -> None:
    first = error_ratio(frames(errors, unicast, multicast, broadcast, one))
    assert first == error_ratio(frames(errors, unicast, multicast, broadcast, two))
    assert first is None or 0 <= first <= 1
