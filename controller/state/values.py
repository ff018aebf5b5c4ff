"""A block's columns as NumPy sees them, and a small block as rows of values."""

from typing import Any, Final

from controller.state.columns import UNSAID
from controller.store.protocols import Arrival

MAX_COUNT: Final = 2**63 - 1
NUMPY: Final = {
    "B": "<u1", "H": "<u2", "I": "<u4", "Q": "<u8", "b": "<i1", "h": "<i2", "i": "<i4", "q": "<i8",
    "f": "<f4", "d": "<f8",
}  # fmt: skip
"""Type code of a :class:`tenone.vocabulary.metric.ColumnType` -> NumPy type, little-endian."""


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
