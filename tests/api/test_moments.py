"""Moments that people send."""

from datetime import datetime

import pytest

from controller.api.moments import epoch_ns
from controller.api.problems import Problem


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-09-21T14:13:20", 1_790_000_000),
        ("2026-09-21T14:13:20+00:00", 1_790_000_000),
        ("2026-09-21T22:13:20+08:00", 1_790_000_000),
        ("1971-01-01T00:00:00+14:00", 31_485_600),
        ("2199-12-31T23:59:59-14:00", 7_258_168_799),
    ],
)
def test_moments_are_kept_in_nanoseconds(text: str, seconds: int) -> None:
    assert epoch_ns("start", datetime.fromisoformat(text)) == seconds * 10**9
    assert seconds * 10**9 < 2**63


@pytest.mark.parametrize("text", ["1970-06-01", "0001-01-01T00:00:00+14:00", "2200-01-01"])
def test_moments_that_no_column_holds_are_refused(text: str) -> None:
    with pytest.raises(Problem, match="start: write a moment between 1971 and 2199"):
        epoch_ns("start", datetime.fromisoformat(text))
