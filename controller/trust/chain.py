"""The chain of the audit ledger: what is hashed, and how. No I/O, no clock.

An entry's *body* is one line of JSON, ASCII only (what is not is escaped), without blanks, its
keys in the order of :data:`KEYS`, those of ``detail`` sorted. It is kept, exported and hashed as
these very bytes. An entry's hash is SHA-256 (or SM3) over the 32 bytes of the entry's before it
and the body; before the first stand 32 zero bytes. So one line of any language verifies it.
"""

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from controller.trust.entries import Entry

ZERO = bytes(32)
"""Stands before the first entry."""
KEYS = (
    "seq", "at_ns", "boot", "mono_ns", "act", "actor", "scope", "subject", "outcome", "detail",
)  # fmt: skip
LONGEST_DETAIL = 4096
"""Characters of ``detail`` as JSON; what is longer has its texts cut, and says so."""
LONGEST_TEXT = 256
"""Characters of actor, scope and subject."""
CUT_TEXT = 200
CUT_KEYS = 16
_ACT = re.compile(r"[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*){1,2}")
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode

Hasher = Callable[[bytes], bytes]
"""32 bytes of any bytes."""
Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Told:
    """An entry and when it was told."""

    entry: Entry
    at_ns: int
    """Nanoseconds since 1970 UTC by the controller's clock, which may step."""
    mono_ns: int
    """Nanoseconds since the machine's start, which do not."""


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as it is kept."""

    seq: int
    body: bytes
    previous: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """How far a ledger goes."""

    ledger: str
    """32 hex digits, drawn when it was begun."""
    seq: int
    """Of its newest entry; 0: there is none."""
    hash: bytes
    at_ns: int = field(default=0, compare=False)
    """When it was seen to be the newest, where somebody else kept it; 0: nobody says."""


def hasher(algorithm: str) -> Hasher:
    """The hash called ``sha256`` or ``sm3``; raises ValueError where the library lacks it."""
    if algorithm == "sha256":
        return lambda data: hashlib.sha256(data).digest()
    try:
        hashlib.new(algorithm)
    except ValueError:
        raise ValueError(f"this machine's OpenSSL has no {algorithm}: use sha256") from None
    return lambda data: hashlib.new(algorithm, data).digest()


def body_of(seq: int, told: Told, boot: str) -> bytes:
    """The canonical bytes of an entry; raises ValueError for an act that is none."""
    entry = told.entry
    if not _ACT.fullmatch(entry.act):
        raise ValueError(f"{entry.act!r} is no act: noun.verb")
    values = (
        seq,
        told.at_ns,
        boot,
        told.mono_ns,
        entry.act,
        entry.actor[:LONGEST_TEXT],
        entry.scope[:LONGEST_TEXT],
        entry.subject[:LONGEST_TEXT],
        entry.outcome.value,
        _detail(entry.detail),
    )
    return _encode(dict(zip(KEYS, values, strict=True))).encode("ascii")


def chained(seq: int, body: bytes, previous: bytes, digest: Hasher) -> Row:
    """The row that follows ``previous``."""
    return Row(seq, body, previous, digest(previous + body))


def number_of(body: bytes) -> int | None:
    """The number a body gives itself; None: it is none of ours."""
    found = re.match(rb'\{"seq":([0-9]{1,18}),', body)
    return int(found[1]) if found else None


def _detail(detail: Mapping[str, Value]) -> dict[str, Value]:
    plain = {key: _plain(detail[key]) for key in sorted(detail)}
    if len(_encode(plain)) <= LONGEST_DETAIL:
        return plain
    cut = {key[:32]: _cut(plain[key]) for key in list(plain)[:CUT_KEYS]}
    while len(_encode(cut)) > LONGEST_DETAIL - 16:
        cut.popitem()
    return cut | {"was_cut": True}


def _plain(value: Value) -> Value:
    """JSON has no infinities."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _cut(value: Value) -> Value:
    return value[:CUT_TEXT] if isinstance(value, str) else value
