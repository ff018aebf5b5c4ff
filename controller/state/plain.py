"""Cells of columns as plain values; None is unknown."""

import numpy as np

from controller.state.columns import NEVER, UNSAID
from controller.store.protocols import NS


def age_of(moment_ns: int, now_ns: int) -> float | None:
    """Seconds since a moment."""
    return None if moment_ns == NEVER else max(now_ns - moment_ns, 0) / NS


def yes_no(value: int) -> bool | None:
    """A flag's code."""
    return None if value == UNSAID else bool(value)


def count_of(value: int) -> int | None:
    """A count that is never negative."""
    return None if value < 0 else value


def figure(value: np.float32) -> float | None:
    """A measured value to four places."""
    return None if np.isnan(value) else round(float(value), 4)
