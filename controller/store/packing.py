"""Columns of numbers as bytes: what the roll-ups keep, one blob a bucket. No I/O.

Little-endian::

    4s magic "T1PC"   H columns   then for each column
    B length of name   name   B length of dtype   dtype   I rows   B coding   I bytes   bytes

``coding`` 0: one value that all rows have; 1: the values' bytes shuffled (all first bytes, then all
second ones, ...) and compressed by zlib. Most columns of a roll-up are 0 or one value throughout.
"""

import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
MAGIC = b"T1PC"
SAME, SHUFFLED = 0, 1
LEVEL = 1
_NAME = struct.Struct("<B")
_BODY = struct.Struct("<IBI")
_KINDS = frozenset({"<i8", "<i4", "<u4", "<u8", "<f4", "<f8", "|u1", "|i1", "<u2", "<i2"})


class PackingError(ValueError):
    """Bytes that are no packed columns."""


def pack(columns: Mapping[str, Array]) -> bytes:
    """All columns, in order; ``ValueError`` for a type that is not a plain number."""
    parts = [MAGIC, struct.pack("<H", len(columns))]
    for name, column in columns.items():
        kind = column.dtype.str
        if kind not in _KINDS:
            raise ValueError(f"column {name} has the type {kind}, which is no plain number")
        coding, body = _encode(np.ascontiguousarray(column))
        for text in (name.encode(), kind.encode()):
            parts += [_NAME.pack(len(text)), text]
        parts += [_BODY.pack(len(column), coding, len(body)), body]
    return b"".join(parts)


def _encode(column: Array) -> tuple[int, bytes]:
    width = column.dtype.itemsize
    raw = column.view(np.uint8).reshape(len(column), width) if len(column) else column
    if len(column) == 0 or bool((raw == raw[0]).all()):
        return SAME, column[:1].tobytes()
    return SHUFFLED, zlib.compress(raw.T.tobytes(), LEVEL)


def unpack(data: bytes, names: frozenset[str] | None = None) -> dict[str, Array]:
    """The columns again, or those called ``names``; raises :class:`PackingError`."""
    if data[:4] != MAGIC:
        raise PackingError("the bytes do not begin like packed columns")
    found: dict[str, Array] = {}
    try:
        (count,) = struct.unpack_from("<H", data, 4)
        at = 6
        for _ in range(count):
            name, at = _text(data, at)
            kind, at = _text(data, at)
            rows, coding, length = _BODY.unpack_from(data, at)
            at += _BODY.size
            body = data[at : at + length]
            at += length
            if kind not in _KINDS or len(body) != length:
                raise PackingError(f"the column {name!r} is cut short or of an unknown type")
            if names is None or name in names:
                found[name] = _decode(np.dtype(kind), rows, coding, body)
    except (struct.error, zlib.error, UnicodeDecodeError, ValueError) as error:
        raise PackingError(f"the packed columns are damaged: {error}") from error
    if at != len(data):
        raise PackingError(f"{len(data) - at} bytes too many")
    return found


def _text(data: bytes, at: int) -> tuple[str, int]:
    (length,) = _NAME.unpack_from(data, at)
    return data[at + 1 : at + 1 + length].decode(), at + 1 + length


def _decode(kind: np.dtype[Any], rows: int, coding: int, body: bytes) -> Array:
    if coding == SAME:
        one = np.frombuffer(body, kind)
        return np.repeat(one, rows) if rows else one[:0]
    raw = np.frombuffer(zlib.decompress(body), np.uint8).reshape(kind.itemsize, rows)
    return np.ascontiguousarray(raw.T).reshape(-1).view(kind)
