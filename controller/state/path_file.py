"""Loss windows as octets, for a file: a headline, a JSON header, arrays, SHA-256 of all before it.

No I/O. What is read is judged in full before any of it is used: octets that are not whole, and
numbers that no window can have, raise :class:`BadWindowsError`.
"""

import hashlib
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from controller.sla.loss_window import LONGEST
from controller.state.paths import OCTETS, Windows
from controller.state.probe_streams import Chains, PathId

HEADLINE: Final = b"TenOne loss windows 1\n"
_LENGTH: Final = struct.Struct("<I")
_COLUMNS: Final = (("next", "<u2"), ("filled", "<u2"), ("run", "<u2"), ("heard_ns", "<i8"))


class BadWindowsError(ValueError):
    """The octets are no windows; the message is one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All windows of one moment. ``windows.heard_ns`` is wall-clock time here, ns UTC."""

    written_ns: int
    paths: Sequence[PathId]
    windows: Windows
    chains: Chains


def encode(snapshot: Snapshot) -> bytes:
    """The whole file."""
    header = {
        "written_ns": snapshot.written_ns,
        "longest": LONGEST,
        "paths": [[one.link, one.target, one.dscp] for one in snapshot.paths],
        "chains": [
            [school, stream, journal.hex(), seq]
            for (school, stream), (journal, seq) in snapshot.chains.items()
        ],
    }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    windows = snapshot.windows
    parts = [HEADLINE, _LENGTH.pack(len(text)), text, windows.lost.tobytes()]
    parts += [getattr(windows, name).astype(kind).tobytes() for name, kind in _COLUMNS]
    whole = b"".join(parts)
    return whole + hashlib.sha256(whole).digest()


def decode(data: bytes) -> Snapshot:
    """Read what :func:`encode` wrote; raises :class:`BadWindowsError`."""
    whole, digest = data[:-32], data[-32:]
    if not whole.startswith(HEADLINE):
        raise BadWindowsError("it does not begin like a file of loss windows of this version")
    if hashlib.sha256(whole).digest() != digest:
        raise BadWindowsError("it is damaged: its checksum does not fit")
    at = len(HEADLINE) + _LENGTH.size
    try:
        (length,) = _LENGTH.unpack_from(whole, len(HEADLINE))
        header: Any = json.loads(whole[at : at + length])
        paths = [
            PathId(str(link), str(target), int(dscp)) for link, target, dscp in header["paths"]
        ]
        chains = {
            (str(school), str(stream)): (bytes.fromhex(journal), int(seq))
            for school, stream, journal, seq in header["chains"]
        }
        written_ns, longest = int(header["written_ns"]), header["longest"]
    except (struct.error, ValueError, KeyError, TypeError) as error:
        raise BadWindowsError(f"its header cannot be read: {error}") from error
    if longest != LONGEST:
        raise BadWindowsError(
            f"its windows hold {longest} packets, those of this version {LONGEST}"
        )
    windows = _windows(whole[at + length :], len(paths))
    return Snapshot(written_ns=written_ns, paths=paths, windows=windows, chains=chains)


def _windows(body: bytes, count: int) -> Windows:
    widths = [OCTETS, *(np.dtype(kind).itemsize for _, kind in _COLUMNS)]
    if len(body) != count * sum(widths):
        raise BadWindowsError(
            f"it holds {len(body)} octets where {count} windows need {sum(widths)} each"
        )
    columns: dict[str, Any] = {}
    at = count * OCTETS
    for (name, kind), width in zip(_COLUMNS, widths[1:], strict=True):
        part = np.frombuffer(body, kind, count, at)
        columns[name] = part.astype(np.int64)
        at += count * width
    for name, most in (("next", LONGEST - 1), ("filled", LONGEST), ("run", LONGEST)):
        if (columns[name] > most).any():
            raise BadWindowsError(f"{name!r} of a window is more than {most}")
    lost = np.frombuffer(body, np.uint8, count * OCTETS).reshape(count, OCTETS).copy()
    return Windows(lost=lost, **columns)
