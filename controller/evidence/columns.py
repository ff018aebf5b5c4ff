"""A link's day as columns of the roll-ups, and back. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from controller.evidence.day import CAUSES, TIMES, LinkDay
from controller.sla.utilisation import Busy
from controller.store.packing import Array
from tenone.vocabulary.states import Cause

BUSY_RATIO = 0.8
"""A mean above this is counted as busy; counts add up over links and days, percentiles do not."""
SUMS = (*TIMES, "minutes_good", "minutes_unknown", "samples")


@cache
def minutes_column(cause: Cause) -> str:
    """Class-minutes that were bad by a cause."""
    return f"minutes_bad_{cause.label.replace('-', '_')}"


@cache
def bad_column(cause: Cause) -> str:
    """Time of W' that was not good, by its cause."""
    return f"bad_ns_{cause.label.replace('-', '_')}"


@dataclass(frozen=True, slots=True)
class Traffic:
    """The 5-minute means of one link and day that lie in W."""

    busy: Busy
    above: int
    """How many lie above :data:`BUSY_RATIO`."""


NO_TRAFFIC = Traffic(Busy(None, 0, 0), 0)


def day_columns(
    days: Sequence[LinkDay],
    traffic: Sequence[Traffic],
    *,
    contracts_mbps: Sequence[int],
    hold_ns: Sequence[int],
    flags: Sequence[int],
) -> dict[str, Array]:
    """One row a link; ``flags``: 1 where the calendar does not know the day."""
    columns: dict[str, Array] = {
        name: np.array([getattr(day, name) for day in days], np.int64)
        for name in (*SUMS, "until_ns")
    }
    for cause in CAUSES:
        columns[minutes_column(cause)] = np.array(
            [day.minutes_bad.get(cause, 0) for day in days], np.int32
        )
        columns[bad_column(cause)] = np.array([day.bad_ns.get(cause, 0) for day in days], np.int64)
    columns["means"] = np.array([one.busy.measured for one in traffic], np.int32)
    columns["means_missing"] = np.array([one.busy.missing for one in traffic], np.int32)
    columns["means_busy"] = np.array([one.above for one in traffic], np.int32)
    columns["p95_ratio"] = np.array(
        [np.nan if one.busy.p95_ratio is None else one.busy.p95_ratio for one in traffic],
        np.float64,
    )
    columns["contract_mbps"] = np.array(contracts_mbps, np.int32)
    columns["hold_ns"] = np.array(hold_ns, np.int64)
    columns["calendar_unknown"] = np.array(flags, np.uint8)
    return columns


ADDED = (
    *SUMS,
    *(minutes_column(cause) for cause in CAUSES),
    *(bad_column(cause) for cause in CAUSES),
    "means",
    "means_missing",
    "means_busy",
    "calendar_unknown",
)
"""Columns that months, schools, districts and cities add up."""


def exact_sums(values: Array, groups: Array, count: int) -> list[int]:
    """Sum integers by group without ever overflowing; ``groups``: 0 to ``count - 1``."""
    wide = values.astype(np.int64)
    low, high = wide & 0xFFFFFFFF, wide >> 32
    sums_low, sums_high = np.zeros(count, np.int64), np.zeros(count, np.int64)
    np.add.at(sums_low, groups, low)
    np.add.at(sums_high, groups, high)
    return [
        (int(above) << 32) + int(below) for above, below in zip(sums_high, sums_low, strict=True)
    ]


def row(columns: Mapping[str, Array], number: int) -> dict[str, int | float]:
    """One link's values."""
    return {name: column[number].item() for name, column in columns.items()}
