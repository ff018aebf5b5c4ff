"""A column: many values of one metric, with a bit each that says whether it is known."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tenone.vocabulary.metric import ColumnType, Metric
from tenone.vocabulary.metrics import METRICS

Value = int | float | str


class ColumnError(ValueError):
    """Values that do not fit their metric's type, or bytes that do not fit a column."""


@dataclass(frozen=True, slots=True)
class Column:
    """``rows`` values of ``metric``; a row whose validity bit is 0 is unknown.

    ``data`` is the canonical encoding: little-endian values end to end, or for text
    NUL-terminated UTF-8. An unknown row is stored as 0 or as the empty string.
    ``validity`` has ``ceil(rows / 8)`` bytes, least significant bit first; bits past
    the last row are 0.
    """

    metric: Metric
    rows: int
    data: bytes
    validity: bytes

    @classmethod
    def of(cls, name: str, values: Iterable[Value | None]) -> "Column":
        """Encode ``values``; None is unknown. Raises :class:`ColumnError` if one does not fit."""
        metric = METRICS[name]
        items = list(values)
        validity = pack_validity(value is not None for value in items)
        if metric.type is ColumnType.TEXT:
            data = b"".join(_text(value, name) + b"\0" for value in items)
        else:
            data = _numbers(metric, items)
        return cls(metric, len(items), data, validity)

    def is_valid(self, row: int) -> bool:
        """Whether ``row`` is known."""
        return bool(self.validity[row >> 3] >> (row & 7) & 1)

    def __len__(self) -> int:
        return self.rows

    def __iter__(self) -> Iterator[Value | None]:
        for row, value in enumerate(self.raw()):
            yield value if self.is_valid(row) else None

    def raw(self) -> Sequence[Value]:
        """All stored values, the unknown ones as 0 or ``""``."""
        if self.metric.type is ColumnType.TEXT:
            return [part.decode() for part in self.data.split(b"\0")[:-1]]
        numbers: array[Any] = array(self.metric.type.code)
        numbers.frombytes(self.data)
        return numbers


def pack_validity(flags: Iterable[bool]) -> bytes:
    """Pack booleans, least significant bit first."""
    bits = 0
    count = 0
    for flag in flags:
        if flag:
            bits |= 1 << count
        count += 1
    return bits.to_bytes((count + 7) // 8, "little")


def all_valid(rows: int) -> bytes:
    """The validity bitmap of ``rows`` known rows."""
    return ((1 << rows) - 1).to_bytes((rows + 7) // 8, "little")


def check_shape(metric: Metric, rows: int, data: bytes, validity: bytes) -> None:
    """Raise :class:`ColumnError` unless ``data`` and ``validity`` are a column of ``rows`` rows."""
    if len(validity) != (rows + 7) // 8 or int.from_bytes(validity, "little") >> rows:
        raise ColumnError(f"column {metric.name}: the validity bitmap does not fit {rows} rows")
    if metric.type is ColumnType.TEXT:
        if data.count(b"\0") != rows or (data and not data.endswith(b"\0")):
            raise ColumnError(f"column {metric.name}: the text does not hold {rows} strings")
        try:
            data.decode()
        except UnicodeDecodeError as error:
            raise ColumnError(f"column {metric.name}: the text is not UTF-8") from error
    elif len(data) != rows * metric.type.width:
        raise ColumnError(
            f"column {metric.name}: {len(data)} bytes are not {rows} rows of {metric.type.width}"
        )


def _text(value: Value | None, name: str) -> bytes:
    if value is None:
        return b""
    if not isinstance(value, str):
        raise ColumnError(f"column {name} holds text, not {value!r}")
    # NUL ends a string on the wire; a device that sends one inside a name gets a visible mark.
    return value.replace("\0", "\N{SYMBOL FOR NULL}").encode("utf-8", "replace")


def _numbers(metric: Metric, items: list[Value | None]) -> bytes:
    numbers: array[Any] = array(metric.type.code)
    try:
        numbers.extend(0 if value is None else value for value in items)
    except (TypeError, OverflowError) as error:
        raise ColumnError(
            f"column {metric.name}: a value does not fit {metric.type.name}: {error}"
        ) from error
    return numbers.tobytes()
