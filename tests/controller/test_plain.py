"""Cells as plain values: what is unknown is None, never 0."""

import numpy as np
import pytest

from controller.state.columns import NEVER, UNSAID
from controller.state.plain import age_of, count_of, figure, yes_no


@pytest.mark.parametrize(
    ("moment", "now", "seconds"), [(NEVER, 5, None), (1, 2_000_000_001, 2.0), (9, 3, 0.0)]
)
def test_ages(moment: int, now: int, seconds: float | None) -> None:
    assert age_of(moment, now) == seconds


@pytest.mark.parametrize(("code", "said"), [(UNSAID, None), (0, False), (1, True)])
def test_flags(code: int, said: bool | None) -> None:
    assert yes_no(code) is said


def test_counts_and_figures() -> None:
    assert (count_of(-1), count_of(0), count_of(7)) == (None, 0, 7)
    assert figure(np.float32(np.nan)) is None
    assert figure(np.float32(0.12345678)) == 0.1235
