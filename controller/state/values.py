"""A block's columns as NumPy sees them, and a small block as rows of values."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from controller.arrays import Flags
from controller.state.columns import UNSAID
from controller.store.protocols import Arrival
from tenone.blocks.block import Block, BlockError
from tenone.blocks.columns import Column
from tenone.blocks.layout import Layout

MAX_COUNT: Final = 2**63 - 1
NUMPY: Final = {
    "B": "<u1", "H": "<u2", "I": "<u4", "Q": "<u8", "b": "<i1", "h": "<i2", "i": "<i4", "q": "<i8",
    "f": "<f4", "d": "<f8",
}  # fmt: skip
"""Type code of a :class:`tenone.vocabulary.metric.ColumnType` -> NumPy type, little-endian."""
Values = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a column of numbers lies in the blocks of one layout."""

    column: int
    """Its place in the layout, which is that of its bitmap."""
    kind: np.dtype[Any]
    offset: int
    """Of its values, from the end of the header."""


class Cut:
    """Where columns of numbers lie in the blocks of one layout: what blocks after it need not ask.

    A column behind one of text lies elsewhere in every block: it is not in :attr:`places`, and
    :meth:`values` looks for it.
    """

    def __init__(self, layout: Layout, names: Iterable[str]) -> None:
        self.layout = layout
        self.rows = len(layout.rows)
        self._bitmap = (self.rows + 7) // 8
        wanted = frozenset(names)
        offset = len(layout.columns) * self._bitmap
        self.places: dict[str, Place] = {}
        self._sought: set[str] = set()
        whole = True
        for column, metric in enumerate(layout.metrics):
            whole = whole and metric.type.width > 0
            if metric.name in wanted and metric.type.width:
                if whole:
                    kind = np.dtype(NUMPY[metric.type.code])
                    self.places[metric.name] = Place(column, kind, offset)
                else:
                    self._sought.add(metric.name)
            offset += metric.type.width * self.rows
        self._bytes = offset if whole else None

    def has(self, name: str) -> bool:
        """Whether the layout has the column, as numbers."""
        return name in self.places or name in self._sought

    def check(self, block: Block) -> None:
        """Raise :class:`BlockError` unless the block is of this layout and as long as that says."""
        length = len(block.data) - block.header_bytes
        if (
            block.layout_id != self.layout.id
            or block.rows != self.rows
            or (self._bytes is not None and length != self._bytes)
        ):
            block.check(self.layout)
            raise BlockError(f"{length} bytes are no block of layout {self.layout.stream}")

    def raw(self, block: Block, name: str) -> bytes:
        """Bitmap and values of a column as they stand in a block that was checked."""
        place = self.places.get(name)
        if place is None:
            column = self._look(block, name)
            return column.validity + column.data
        bits = block.header_bytes + place.column * self._bitmap
        start = block.header_bytes + place.offset
        stop = start + place.kind.itemsize * self.rows
        return block.data[bits : bits + self._bitmap] + block.data[start:stop]

    def values(self, block: Block, name: str) -> Values:
        """A column of a block that was checked, over the block's own bytes; 0 where unknown."""
        place = self.places.get(name)
        if place is None:
            column = self._look(block, name)
            return np.frombuffer(column.data, NUMPY[column.metric.type.code])
        return np.frombuffer(block.data, place.kind, self.rows, block.header_bytes + place.offset)

    def known(self, block: Block, name: str) -> Flags:
        """Which of them are known."""
        place = self.places.get(name)
        if place is None:
            return bitmaps(self._look(block, name).validity, 0, 1, self.rows).ravel()
        start = block.header_bytes + place.column * self._bitmap
        return bitmaps(block.data, start, 1, self.rows).ravel()

    def _look(self, block: Block, name: str) -> Column:
        return next(one for one in block.columns(self.layout) if one.metric.name == name)


def bitmaps(data: bytes, start: int, columns: int, rows: int) -> Flags:
    """The validity bitmaps of ``columns`` columns from ``start`` on, one row of flags a column."""
    bitmap = (rows + 7) // 8
    packed = np.frombuffer(data, np.uint8, columns * bitmap, start).reshape(columns, bitmap)
    bits: Flags = np.unpackbits(packed, axis=1, count=rows, bitorder="little").view(np.bool_)
    return bits


def rows_of(arrival: Arrival) -> list[dict[str, Any]]:
    """A small block as rows of values; None is unknown."""
    columns = arrival.block.columns(arrival.layout)
    names = [column.metric.name for column in columns]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def flag(value: int | None) -> int:
    """A yes/no column's code, whatever number a device sent for yes."""
    return UNSAID if value is None else int(value != 0)


def count(value: int | None) -> int:
    """A count that fits a signed column; UNSAID for none."""
    return UNSAID if value is None else min(value, MAX_COUNT)
