"""Blocks as InfluxDB line protocol, column by column: no point objects.

Measurement = stream with ``_`` for ``-``; tags city, district, school, device, row; one field a
column; time = the block's wall clock, ns. Unknown values have no field. The same block gives the
same lines, so a replayed block overwrites itself on a server that keeps one value a time stamp.
"""

import re
from collections.abc import Sequence

from tenone.blocks.block import Block
from tenone.blocks.columns import Column
from tenone.blocks.layout import Layout
from tenone.vocabulary.metric import ColumnType

MAX_PREFIXES = 100_000
_FLOATS = frozenset({ColumnType.FLOAT32, ColumnType.FLOAT64})
_TAG = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ ", "\n": r"\n", "\r": r"\r", "\t": r"\t"})
_OWN_BACKSLASH = re.compile(r"\\(?=[,= \n\r\t\\]|\Z)")
_TEXT = str.maketrans({'"': r"\"", "\\": r"\\", "\n": r"\n", "\r": r"\r"})


class LineWriter:
    """Remembers the escaped beginning of each row's line."""

    def __init__(self, city: str) -> None:
        self._city = city
        self._prefixes: dict[tuple[str, str, bytes], list[str]] = {}

    def lines(self, block: Block, layout: Layout, *, district: str, school: str) -> str:
        """The block's lines with a newline after each; empty where nothing is known."""
        columns = [_fields(column) for column in block.columns(layout)]
        stamp = f" {block.stamp.wall_ns}\n"
        parts = []
        prefixes = self._rows(block, layout, district, school)
        for prefix, *fields in zip(prefixes, *columns, strict=True):
            known = ",".join([text for text in fields if text])
            if known:
                parts.append(f"{prefix} {known}{stamp}")
        return "".join(parts)

    def _rows(self, block: Block, layout: Layout, district: str, school: str) -> list[str]:
        subject = block.stamp.subject
        key = (district, subject, layout.id)
        known = self._prefixes.get(key)
        if known is None:
            device = subject.partition("/")[2].replace("/", "-")
            head = (
                f"{tag(layout.stream.replace('-', '_'))},city={tag(self._city)},"
                f"district={tag(district)},school={tag(school)},device={tag(device)},row="
            )
            known = [head + tag(row) for row in layout.rows]
            if len(self._prefixes) >= MAX_PREFIXES:
                self._prefixes.clear()
            self._prefixes[key] = known
        return known


def tag(text: str) -> str:
    """A tag value: never empty, and no backslash of its own before an escape or at the end.

    Servers read two backslashes differently; with ``_`` between them there is nothing to read.
    """
    return _OWN_BACKSLASH.sub(r"\\_", text).translate(_TAG) or "_"


def _fields(column: Column) -> Sequence[str]:
    """``name=value`` of every row; empty where the row is unknown."""
    name, kind = column.metric.name, column.metric.type
    if kind is ColumnType.TEXT:
        texts = [f'{name}="{str(value).translate(_TEXT)}"' for value in column.raw()]
    elif kind in _FLOATS:
        # A line cannot say NaN or infinity; repr of a float is what reads back the same.
        texts = [_float(name, value) for value in column.raw()]
    else:
        suffix = "u" if kind is ColumnType.UINT64 else "i"
        texts = [f"{name}={value}{suffix}" for value in column.raw()]
    if int.from_bytes(column.validity, "little") == (1 << column.rows) - 1:
        return texts
    return [text if column.is_valid(row) else "" for row, text in enumerate(texts)]


def _float(name: str, value: object) -> str:
    text = repr(value)
    return "" if text in {"nan", "inf", "-inf"} else f"{name}={text}"
