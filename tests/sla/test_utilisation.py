"""SLA.md 4: worked figures, and means against a count second by second."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.sla.utilisation import MEAN_NS, Busy, Share, five_minute_means, p95, utilisation
from tenone.calendar.intervals import SECOND_NS
from tenone.vocabulary.states import Duplex


@pytest.mark.parametrize(
    ("in_octets", "out_octets", "seconds", "speed", "duplex", "expected"),
    [
        (3_750_000_000, 750_000_000, 60, 1000, Duplex.FULL, 0.5),
        (750_000_000, 3_750_000_000, 60, 1000, Duplex.FULL, 0.5),
        (375_000_000, 75_000_000, 60, 100, Duplex.HALF, 0.6),
        (75_000_000_000, 0, 60, 10_000, Duplex.FULL, 1.0),
        (0, 0, 60, 1000, Duplex.FULL, 0.0),
        (None, 5, 60, 1000, Duplex.FULL, None),
        (5, None, 60, 1000, Duplex.FULL, None),
        (5, 5, 0, 1000, Duplex.FULL, None),
        (5, 5, 60, None, Duplex.FULL, None),
        (5, 5, 60, 0, Duplex.FULL, None),
        (5, 5, 60, 1000, Duplex.UNKNOWN, None),
        (5, 5, 60, 1000, None, None),
    ],
)
def test_utilisation(
    in_octets: int | None,
    out_octets: int | None,
    seconds: int,
    speed: int | None,
    duplex: Duplex | None,
    expected: float | None,
) -> None:
    found = utilisation(
        in_octets, out_octets, elapsed_ns=seconds * SECOND_NS, speed_mbps=speed, duplex=duplex
    )
    assert found == pytest.approx(expected)


def share(start: int, end: int, ratio: float) -> Share:
    return Share(start * SECOND_NS, end * SECOND_NS, ratio)


@pytest.mark.parametrize(
    ("shares", "means"),
    [
        ([], [None, None]),
        ([share(0, 300, 0.2)], [0.2, None]),
        ([share(0, 240, 0.2)], [0.2, None]),  # 80 % of it was measured
        ([share(0, 239, 0.2)], [None, None]),
        ([share(0, 150, 0.2), share(150, 450, 0.4), share(450, 600, 0.0)], [0.3, 0.2]),
        ([share(0, 300, 0.2), share(0, 300, 0.2)], [0.2, None]),
        ([share(300, 0, 0.9)], [None, None]),
        ([share(-60, 660, 0.5)], [0.5, 0.5]),
    ],
)
def test_means(shares: list[Share], means: list[float | None]) -> None:
    found = five_minute_means(shares, start_ns=0, end_ns=2 * MEAN_NS)
    assert found == pytest.approx(means)


def test_only_whole_five_minutes() -> None:
    assert five_minute_means([], start_ns=1, end_ns=2 * MEAN_NS) == [None]
    assert five_minute_means([], start_ns=1, end_ns=2 * MEAN_NS - 1) == []
    assert five_minute_means([], start_ns=9 * MEAN_NS, end_ns=0) == []


def test_p95_leaves_what_is_missing_missing() -> None:
    assert p95([None, *(number / 100 for number in range(1, 21)), None]) == Busy(0.19, 20, 2)
    assert p95([None]) == Busy(None, 0, 1)


polls = st.lists(
    st.tuples(st.integers(1, 200), st.none() | st.sampled_from([0.0, 0.25, 0.5, 1.0])), max_size=12
)


@given(polls, st.integers(-300, 300), st.data())
def test_means_against_every_second(
    parts: list[tuple[int, float | None]], begin: int, data: st.DataObject
) -> None:
    shares: list[Share] = []
    seconds: dict[int, float] = {}
    at = begin
    for length, ratio in parts:
        if ratio is not None:
            shares.append(share(at, at + length, ratio))
            seconds |= dict.fromkeys(range(at, at + length), ratio)
        at += length
    shuffled = data.draw(st.permutations(shares + shares[:2]))
    found = five_minute_means(shuffled, start_ns=0, end_ns=3 * MEAN_NS)
    for number, mean in enumerate(found):
        known = [seconds[s] for s in range(number * 300, number * 300 + 300) if s in seconds]
        assert mean == (pytest.approx(sum(known) / len(known)) if len(known) >= 240 else None)
