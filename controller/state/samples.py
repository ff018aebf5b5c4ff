"""Counter samples of links as columns: where they lie in a block, and two of each link."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from controller.arrays import I64, U64, Flags
from controller.sla.counter_columns import UNSAID
from controller.state.columns import NEVER
from controller.state.position import Position
from controller.state.values import bitmaps
from controller.store.protocols import Arrival
from tenone.blocks.layout import Layout
from tenone.vocabulary.metric import ColumnType
from tenone.vocabulary.metrics import PORT_COUNTERS

COUNTERS: Final = PORT_COUNTERS[:12]
"""Rows of every two-dimensional array here; the order is that of the bits of narrow_counters."""
WIDTH: Final = len(COUNTERS)
U16 = npt.NDArray[np.uint16]
_WORD: Final = 8
_BITS: Final = np.arange(WIDTH, dtype=np.uint16)[:, None]


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading of each of n links. Two-dimensional arrays have one row a counter."""

    values: U64
    known: Flags
    """The value came, and how wide its counter is came with it."""
    narrow: U16
    """Bit k: the k-th counter is 32 bits wide."""
    discontinuity: I64
    """Ticks; UNSAID where the agent has no such column."""
    ns: I64
    """The agent's monotonic clock in the middle of the exchange; NEVER for no reading."""
    ticks: I64
    """sysUpTime; UNSAID for none."""
    boot: U64
    """Which life of the agent ``ns`` belongs to."""
    wall_ns: I64
    """UTC by the controller's clock."""
    evidence_ns: I64
    """The controller's monotonic clock."""

    def part(self, at: I64 | slice) -> "Sample":
        """The links at ``at``; of a slice a view."""
        return Sample(*(getattr(self, name)[..., at] for name in _FIELDS))

    def put(self, at: I64, other: "Sample") -> None:
        """Write the readings of ``other`` at ``at``."""
        for name in _FIELDS:
            getattr(self, name)[..., at] = getattr(other, name)

    def clear(self, at: I64) -> None:
        """No reading at ``at`` any more."""
        self.known[:, at] = False
        self.ns[at] = NEVER

    def narrow_rows(self) -> Flags:
        """``narrow`` as one row a counter."""
        rows: Flags = (self.narrow >> _BITS & np.uint16(1)).astype(np.bool_)
        return rows


_FIELDS: Final = tuple(Sample.__dataclass_fields__)


def no_samples(count: int) -> Sample:
    """Room for ``count`` links, without a reading."""
    return Sample(
        values=np.zeros((WIDTH, count), np.uint64),
        known=np.zeros((WIDTH, count), np.bool_),
        narrow=np.zeros(count, np.uint16),
        discontinuity=np.full(count, UNSAID, np.int64),
        ns=np.full(count, NEVER, np.int64),
        ticks=np.full(count, UNSAID, np.int64),
        boot=np.zeros(count, np.uint64),
        wall_ns=np.zeros(count, np.int64),
        evidence_ns=np.full(count, NEVER, np.int64),
    )


@dataclass(frozen=True, slots=True)
class _Extra:
    """A column of 4 or 2 bytes: its place in the layout and in the data."""

    column: int
    offset: int


@dataclass(frozen=True, slots=True)
class CounterCut:
    """Where the counters of a switch's links lie in blocks of one layout.

    ``offsets`` count from the end of the header.
    """

    links: I64
    rows: I64
    every: bool
    """The links take all rows in their order: nothing has to be picked."""
    runs: tuple[tuple[int, int, int], ...]
    """Counters that lie end to end: number of the first, how many, offset."""
    columns: I64
    """The counters' places in the layout, for their validity."""
    counters: I64
    """Which counters those are."""
    discontinuity: _Extra | None
    narrow: _Extra | None
    width: int
    """Columns of the layout."""

    @classmethod
    def of(cls, layout: Layout, row_of: Mapping[int, int]) -> "CounterCut":
        """``row_of``: link number -> row of the layout."""
        rows = len(layout.rows)
        offset = len(layout.columns) * ((rows + 7) // 8)
        runs: list[tuple[int, int, int]] = []
        found: list[tuple[int, int]] = []
        extras: dict[str, _Extra] = {}
        for column, metric in enumerate(layout.metrics):
            if metric.type.width == 0:
                break  # behind a text column nothing lies where it always lies
            if metric.name in COUNTERS and metric.type is ColumnType.UINT64:
                number = COUNTERS.index(metric.name)
                found.append((column, number))
                if runs and _joins(runs[-1], number, offset, rows):
                    first, many, start = runs[-1]
                    runs[-1] = (first, many + 1, start)
                else:
                    runs.append((number, 1, offset))
            elif metric.name in {"discontinuity_ticks", "narrow_counters"}:
                extras[metric.name] = _Extra(column, offset)
            offset += metric.type.width * rows
        narrow = extras.get("narrow_counters")
        fit = found if narrow is not None else []  # of unknown width: no reading
        order = sorted(row_of.items()) if fit else []
        picked = np.array([row for _, row in order], np.int64)
        return cls(
            links=np.array([link for link, _ in order], np.int64),
            rows=picked,
            every=np.array_equal(picked, np.arange(rows)),
            runs=tuple(runs),
            columns=np.array([column for column, _ in found], np.int64),
            counters=np.array([number for _, number in found], np.int64),
            discontinuity=extras.get("discontinuity_ticks"),
            narrow=narrow,
            width=len(layout.columns),
        )

    def read(self, into: Sample, at: slice, arrival: Arrival, position: Position) -> None:
        """Write what the block says of the links to ``into``, one after the other."""
        block = arrival.block
        data, start, rows = block.data, block.header_bytes, block.rows
        pick = slice(None) if self.every else self.rows
        bits = bitmaps(data, start, self.width, rows)
        if len(self.counters) < WIDTH:
            into.known[:, at] = False
            into.values[:, at] = 0
        for first, many, offset in self.runs:
            run = np.frombuffer(data, "<u8", many * rows, start + offset).reshape(many, rows)
            into.values[first : first + many, at] = run[:, pick]
        known = bits[self.columns][:, pick]
        if (narrow := self.narrow) is not None:
            column = np.frombuffer(data, "<u2", rows, start + narrow.offset)
            into.narrow[at] = column[pick]
            known &= bits[narrow.column][pick]
        into.known[self.counters, at] = known
        into.discontinuity[at] = UNSAID
        if (extra := self.discontinuity) is not None:
            column = np.frombuffer(data, "<u4", rows, start + extra.offset)
            into.discontinuity[at] = np.where(bits[extra.column], column.astype(np.int64), UNSAID)[
                pick
            ]
        stamp = block.stamp
        exchanged = stamp.sent_ns and stamp.received_ns
        into.ns[at] = (stamp.sent_ns + stamp.received_ns) // 2 if exchanged else stamp.monotonic_ns
        into.ticks[at] = UNSAID if stamp.uptime_ticks is None else stamp.uptime_ticks
        into.boot[at] = int.from_bytes(stamp.boot_id[:_WORD], "little")
        into.wall_ns[at] = arrival.received_ns - max(arrival.age_ns, 0)
        into.evidence_ns[at] = position.evidence_ns


def _joins(run: tuple[int, int, int], number: int, offset: int, rows: int) -> bool:
    first, many, start = run
    return number == first + many and offset == start + many * rows * _WORD
