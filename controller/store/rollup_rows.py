"""The rows of the roll-ups as values, and how runs and columns become rows. No I/O."""

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from controller.store.packing import Array

LINK = "link"
_RUN_CRC = struct.Struct("<qqqqq")
_SAID = struct.Struct("<bBBIB")
RunTuple = tuple[int, int, int, int, bytes, int, bytes, bytes, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run as it is kept. ``said``: seen, admin, oper, speed_mbps, duplex."""

    link: str
    day: date
    start_ns: int
    last_ns: int
    said: tuple[int, int, int, int, int]
    samples: int
    first_hash: bytes
    last_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageRow:
    """A part of an outage within one day."""

    link: str
    day: date
    start_ns: int
    end_ns: int
    cost_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityRow:
    """How one school's blocks of one local day came in."""

    day: date
    school: str
    blocks: int
    late: int
    """Those that were kept back at the school for longer than a minute."""
    worst_age_ns: int
    skew_ns: int
    """Sum over the blocks: our clock at receipt less the sender's at sending."""
    worst_skew_ns: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """A row of columns: the links, and one value a link in each column."""

    district: str
    start: int
    """Epoch seconds; of a day its ordinal."""
    links: Sequence[str]
    columns: Mapping[str, Array]


def merged(known: Mapping[str, Array], new: Mapping[str, Array]) -> dict[str, Array]:
    """``new`` rows in place of those of the same links; a column only one side has is 0 there."""
    stay = ~np.isin(known[LINK], new[LINK])
    rows = (int(stay.sum()), len(new[LINK]))
    merged: dict[str, Array] = {}
    for name in dict.fromkeys((*known, *new)):
        kind = (new if name in new else known)[name].dtype
        old = known[name][stay] if name in known else np.zeros(rows[0], kind)
        fresh = new[name] if name in new else np.zeros(rows[1], kind)
        merged[name] = np.concatenate((old.astype(kind), fresh))
    order = np.argsort(merged[LINK], kind="stable")
    return {name: column[order] for name, column in merged.items()}


def run_row(run: RunRow, number: int) -> tuple[object, ...]:
    """A run as a row of its table."""
    said = _SAID.pack(*run.said)
    values = (number, run.start_ns, run.last_ns, run.day.toordinal(), said, run.samples)
    return (*values, run.first_hash, run.last_hash, _crc(*values, run.first_hash, run.last_hash))


def _crc(  # noqa: PLR0917 - the columns of a row
    link: int, start_ns: int, last_ns: int, day: int, said: bytes, samples: int,
    first_hash: bytes, last_hash: bytes,
) -> int:  # fmt: skip
    numbers = _RUN_CRC.pack(link, start_ns, last_ns, day, samples)
    return zlib.crc32(b"".join((numbers, said, first_hash, last_hash)))


def run_of(row: RunTuple, names: Mapping[int, str]) -> RunRow | None:
    """A row as a run; None where it is damaged."""
    crc = row[8]
    link, start_ns, last_ns, day, said, samples, first_hash, last_hash = row[:8]
    try:
        if _crc(*row[:8]) != crc:
            return None
        return RunRow(
            link=names[link],
            day=date.fromordinal(day),
            start_ns=start_ns,
            last_ns=last_ns,
            said=_SAID.unpack(said),
            samples=samples,
            first_hash=first_hash,
            last_hash=last_hash,
        )
    except (struct.error, TypeError, KeyError, ValueError):
        return None
