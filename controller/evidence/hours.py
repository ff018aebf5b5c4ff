"""Hourly roll-ups from 5-minute ones; made again whenever one of their twelve changed."""

from collections.abc import Iterable
from datetime import date

import numpy as np

from controller.store.packing import Array
from controller.store.rollup_rows import Bucket
from controller.store.rollups import Rollups

HOUR_SECONDS = 3600
Columns = tuple[list[str], dict[str, Array]]


def hour_of(buckets: Iterable[Bucket]) -> Columns:
    """One hour: the mean and the highest of the means that are known, and how many; octets added.

    A link without any mean has none: its ratio is not a number, as in the 5-minute buckets.
    """
    sums: dict[str, list[float]] = {}
    for bucket in buckets:
        values = (bucket.columns[name].tolist() for name in ("ratio", "in_octets", "out_octets"))
        for link, ratio, into, out in zip(bucket.links, *values, strict=True):
            own = sums.setdefault(link, [0.0, float("nan"), 0, 0, 0])
            if ratio == ratio:  # noqa: PLR0124 - false for not-a-number alone
                own[0] += ratio
                own[1] = ratio if not own[4] else max(own[1], ratio)
                own[4] += 1
            own[2] += into
            own[3] += out
    links = sorted(sums)
    rows = [sums[link] for link in links]
    counts = np.array([row[4] for row in rows], np.int32)
    totals = np.array([row[0] for row in rows], np.float64)
    means = np.divide(totals, counts, out=np.full(len(rows), np.nan), where=counts > 0)
    return links, {
        "ratio": means,
        "highest_ratio": np.array([row[1] for row in rows], np.float64),
        "means": counts,
        "in_octets": np.array([row[2] for row in rows], np.int64),
        "out_octets": np.array([row[3] for row in rows], np.int64),
    }


def roll_hours(
    rollups: Rollups, district: str, day: date, starts: Iterable[int], mean_seconds: int
) -> int:
    """Make the hours anew that hold buckets ``starts`` (epoch seconds); returns how many."""
    hours = sorted({start // HOUR_SECONDS * HOUR_SECONDS for start in starts})
    for hour in hours:
        inside = rollups.means(
            mean_seconds, (day, day), (hour, hour + HOUR_SECONDS - 1),
            districts=frozenset({district}),
        )  # fmt: skip
        rollups.put_means(HOUR_SECONDS, district, day, {hour: hour_of(inside)})
    return len(hours)
