"""The evidence bundle: one file with a report and everything it can be recomputed from. No I/O.

Little-endian: ``8s`` magic (``T1EVID1`` and a line feed), then sections, then the end. A section is
``4s`` kind, ``I`` stored length, ``32s`` SHA-256 over kind, length and stored bytes, and the stored
bytes, compressed by zlib. The last section, ``ENDS``, has no bytes and its hash is over the whole
file before it, so that any flipped bit is found; what it belongs to is found by the other hashes.

Sections: ``REPT`` the report, ``INPT`` what it was judged by, ``KEYS`` the first key of each
journal (JSON, UTF-8, sorted keys); ``LAYT`` layout documents, ``BLKS`` blocks, ``SEAL`` blocks of
checkpoints (each a list of length and bytes); ``HASH`` hashes of blocks that are not there whole;
``RUNS`` and ``MEAN`` what was kept of days whose raw blocks have aged out.
"""

import hashlib
import json
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tenone.blocks.block import HASH_BYTES, ID_BYTES
from tenone.vocabulary.states import PriorityClass

MAGIC = b"T1EVID1\n"
END = b"ENDS"
CHUNK = 200
"""Blocks a section: what a damaged byte takes with it."""
MAX_SECTION = 256 * 1024 * 1024
_HEAD = struct.Struct("<4sI32s")
_LENGTH = struct.Struct("<I")
_CHAIN = struct.Struct(f"<{ID_BYTES}sBQI")


class BundleError(ValueError):
    """Bytes that are no bundle, or a damaged one; the sentence says where."""


@dataclass(frozen=True, slots=True)
class Section:
    """One part, unpacked. ``at``: where it begins in the file."""

    kind: str
    body: bytes
    at: int


@dataclass(frozen=True, slots=True)
class Hashes:
    """Hashes of consecutive blocks of one chain."""

    journal_id: bytes
    priority: PriorityClass
    first: int
    hashes: tuple[bytes, ...]


def write(sections: Iterable[tuple[str, bytes]]) -> bytes:
    """The file's bytes."""
    parts = [MAGIC]
    for kind, body in sections:
        stored = zlib.compress(body, 6)
        name = kind.encode("ascii")
        parts += [_HEAD.pack(name, len(stored), _digest(name, stored)), stored]
    whole = b"".join(parts)
    return whole + _HEAD.pack(END, 0, hashlib.sha256(whole).digest())


def read(data: bytes) -> tuple[list[Section], list[str]]:
    """Every section that is whole, and a sentence for each thing that is damaged."""
    faults: list[str] = []
    sections: list[Section] = []
    if not data.startswith(MAGIC):
        return [], ["the file does not begin like an evidence bundle"]
    at = len(MAGIC)
    ended = False
    while at + _HEAD.size <= len(data):
        kind, length, digest = _HEAD.unpack_from(data, at)
        begin, stop = at + _HEAD.size, at + _HEAD.size + length
        if kind == END and stop == len(data):
            if digest != hashlib.sha256(data[:at]).digest():
                faults.append("the hash over the whole file does not fit: something was changed")
            ended = True
            break
        stored = data[begin:stop]
        if stop > len(data) or _digest(kind, stored) != digest:
            name = kind.decode("ascii", "replace")
            faults.append(f"the section {name!r} at byte {at} is damaged")
        else:
            sections.append(Section(kind.decode("ascii"), _inflate(stored), at))
        at = stop
    if not ended:
        faults.append("the file does not end as a bundle ends: it was cut or changed")
    return sections, faults


def _digest(kind: bytes, stored: bytes) -> bytes:
    return hashlib.sha256(kind + _LENGTH.pack(len(stored)) + stored).digest()


def _inflate(stored: bytes) -> bytes:
    """A small file must not become a large one without bound."""
    unpacker = zlib.decompressobj()
    body = unpacker.decompress(stored, MAX_SECTION)
    if unpacker.unconsumed_tail:
        raise BundleError(f"a section is larger than {MAX_SECTION} bytes")
    return body


def pack_json(value: object) -> bytes:
    """Canonical JSON."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")


def unpack_json(body: bytes) -> Any:
    """Any JSON; raises :class:`BundleError`."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"a section is no JSON: {error}") from error


def pack_list(items: Sequence[bytes]) -> bytes:
    """Byte strings end to end, each after its length."""
    return b"".join(part for item in items for part in (_LENGTH.pack(len(item)), item))


def unpack_list(body: bytes) -> Iterator[bytes]:
    """The same again; raises :class:`BundleError`."""
    at = 0
    while at < len(body):
        if at + _LENGTH.size > len(body):
            raise BundleError("a list is cut short")
        (length,) = _LENGTH.unpack_from(body, at)
        at += _LENGTH.size
        if at + length > len(body):
            raise BundleError("a list is cut short")
        yield body[at : at + length]
        at += length


def chunks(kind: str, items: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    """A long list as several sections."""
    for start in range(0, len(items), CHUNK):
        yield kind, pack_list(items[start : start + CHUNK])


def pack_hashes(known: Hashes) -> bytes:
    """Consecutive hashes of a chain."""
    head = _CHAIN.pack(known.journal_id, known.priority, known.first, len(known.hashes))
    return head + b"".join(known.hashes)


def unpack_hashes(body: bytes) -> Hashes:
    """The same again; raises :class:`BundleError`."""
    try:
        journal_id, priority, first, count = _CHAIN.unpack_from(body)
        found = tuple(
            body[at : at + HASH_BYTES] for at in range(_CHAIN.size, len(body), HASH_BYTES)
        )
        if len(found) != count or len(body) != _CHAIN.size + count * HASH_BYTES:
            raise BundleError("a list of hashes is cut short")
        return Hashes(journal_id, PriorityClass(priority), first, found)
    except (struct.error, ValueError) as error:
        raise BundleError(f"a list of hashes is damaged: {error}") from error
