"""The column form of loss windows and jitter gives what the value-by-value form gives."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.sla import loss_window, path_columns, statistics
from controller.sla.loss_window import LONGEST
from tenone.vocabulary.states import Verdict


def newest_first(lost: list[bool]) -> np.ndarray:
    row = np.zeros((1, LONGEST), np.bool_)
    part = lost[::-1][:LONGEST]
    row[0, : len(part)] = part
    return row


@st.composite
def fates(draw: st.DrawFn) -> list[bool]:
    """Runs of luck and of loss, so that every window length gets to decide."""
    found: list[bool] = []
    for _ in range(draw(st.integers(0, 6))):
        length = draw(st.integers(1, 1200))
        every = draw(st.sampled_from([1, 2, 3, 40, 150, 10_000]))
        found += [number % every == 0 for number in range(1, length + 1)]
    return found


@given(lost=fates(), limit=st.sampled_from([0.005, 0.01, 0.05]))
def test_decide(lost: list[bool], limit: float) -> None:
    told = loss_window.decide(lost, limit=limit)
    usable = loss_window.since_outage(lost)
    verdict, packets, losses = path_columns.decide(
        newest_first(lost), np.array([len(usable)]), np.array([limit])
    )
    assert (verdict[0], packets[0], losses[0]) == (told.verdict, told.packets, told.lost)


def test_paths_with_different_limits_side_by_side() -> None:
    lost = np.concatenate([newest_first([False] * 1059), newest_first([True] * 4)])
    verdict, packets, _ = path_columns.decide(lost, np.array([1059, 4]), np.array([0.005, 0.01]))
    assert verdict.tolist() == [Verdict.UNKNOWN, Verdict.BAD]
    assert packets.tolist() == [1059, 4]


delays = st.lists(st.none() | st.floats(0, 1e6), max_size=40)


@given(delays, st.sampled_from([(1, 2), (95, 100), (1, 1)]))
def test_nearest_rank(values: list[float | None], share: tuple[int, int]) -> None:
    row = np.array([[math.nan if value is None else value for value in values] or [math.nan]])
    known = [value for value in values if value is not None]
    told = statistics.nearest_rank(known, Fraction(*share))
    (seen,) = path_columns.nearest_rank(row, *share)
    assert math.isnan(seen) if told is None else seen == told


def test_ipdv() -> None:
    (seen,) = path_columns.ipdv_p95(np.array([[10, 14, 11, math.nan, 90, 91]], np.float64))
    assert seen == pytest.approx(4)  # 4, 3 and 1
