"""Records of a journal file: ``T1JR``, length, CRC-32, kind, bytes.

A record that does not fit its CRC is either the torn end of the last write or damage.
They are told apart by what follows: after damage there are more good records, after a
torn write there are none.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

MAGIC = b"T1JR"
HEAD = struct.Struct("<4sIIB")
MAX_RECORD_BYTES = 16 * 1024 * 1024


class RecordKind(IntEnum):
    """What a record holds."""

    START = 1
    """First of each file: journal id, class, next sequence number, hash of the block before."""
    LAYOUT = 2
    """A layout document; stands before the first block of the file that uses it."""
    BLOCK = 3
    """A block's canonical bytes."""
    FORGOTTEN = 4
    """All blocks of this class up to this sequence number are receipted."""


_KINDS = frozenset(kind.value for kind in RecordKind)


@dataclass(frozen=True, slots=True)
class Record:
    """One record as read from a file; ``after_damage``: bytes before it were unreadable."""

    kind: RecordKind
    body: bytes
    offset: int
    size: int
    after_damage: bool = False


def encode(kind: RecordKind, body: bytes) -> bytes:
    """One record, ready to append."""
    return HEAD.pack(MAGIC, len(body), _crc(kind, body), kind) + body


def scan(data: bytes) -> Iterator[Record]:
    """All good records of a file, in order. Bytes after the last one are a torn write."""
    offset = 0
    damaged = False
    while offset < len(data):
        record = read_at(data, offset)
        if record is None:
            damaged = True
            found = data.find(MAGIC, offset + 1)
            if found < 0:
                return
            offset = found
            continue
        yield Record(record.kind, record.body, record.offset, record.size, damaged)
        damaged = False
        offset += record.size


def read_at(data: bytes, offset: int) -> Record | None:
    """The record at ``offset``, or None where the bytes there are not a whole good one."""
    if offset + HEAD.size > len(data):
        return None
    magic, length, crc, kind = HEAD.unpack_from(data, offset)
    stop = offset + HEAD.size + length
    if magic != MAGIC or length > MAX_RECORD_BYTES or stop > len(data):
        return None
    body = data[offset + HEAD.size : stop]
    if kind not in _KINDS or _crc(kind, body) != crc:
        return None
    return Record(RecordKind(kind), body, offset, HEAD.size + length)


def _crc(kind: int, body: bytes) -> int:
    return zlib.crc32(body, zlib.crc32(bytes((kind,))))
