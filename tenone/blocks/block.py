"""A block: the unit that is journalled, sent, committed, sealed, kept and verified.

Canonical bytes, little-endian (version 1)::

    4s  magic "T1BK"            B  format version (1)
    B   priority class          B  data grade          B  purpose
    B   clock quality           B  flags (0)           H  header bytes, all of it
    16s journal id              Q  sequence number in its class, from 1
    32s layout id               32s hash of the block before it in its class (0 for the first)
    16s boot id                 I  rows                I  device sysUpTime ticks (2**32-1: none)
    q   wall clock, ns since 1970 UTC                  q  monotonic clock, ns
    q   exchange sent, monotonic ns (0: none)          q  exchange received, monotonic ns
    H+  agent id, UTF-8 with its length                H+ subject id, likewise
    then the validity bitmaps of all columns, then the data of all columns, in layout order.

These bytes never change. The hash of a block is SHA-256 over all of them.
"""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from tenone.blocks.columns import Column, ColumnError, check_shape
from tenone.blocks.layout import Layout
from tenone.vocabulary.states import ClockQuality, DataGrade, PriorityClass, Purpose

MAGIC = b"T1BK"
VERSION = 1
NO_UPTIME = 0xFFFFFFFF
HASH_BYTES = 32
ID_BYTES = 16
FIRST_PREVIOUS = bytes(HASH_BYTES)
MAX_BLOCK_BYTES = 8 * 1024 * 1024

_FIXED = struct.Struct("<4sBBBBBBH16sQ32s32s16sIIqqqq")
_LENGTH = struct.Struct("<H")


class BlockError(ValueError):
    """Bytes that are no block, or a block that does not fit its layout or chain."""


def place_of(data: bytes) -> tuple[bytes, PriorityClass, int] | None:
    """Journal id, class and number that bytes of this format claim, whatever else is wrong."""
    if len(data) < _FIXED.size or data[:4] != MAGIC:
        return None
    _, version, priority, _, _, _, flags, _, journal_id, seq, *_ = _FIXED.unpack_from(data)
    if version != VERSION or flags or not seq or priority not in set(PriorityClass):
        return None
    return journal_id, PriorityClass(priority), seq


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """When and by whom a block was made.

    ``sent_ns`` and ``received_ns`` are the monotonic times of the first request and the
    last answer of the exchange behind it; 0 where there was none.
    """

    agent: str
    subject: str
    boot_id: bytes
    wall_ns: int
    monotonic_ns: int
    clock_quality: ClockQuality = ClockQuality.UNKNOWN
    uptime_ticks: int | None = None
    sent_ns: int = 0
    received_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A block that has no place in a journal yet: no sequence number, no predecessor."""

    layout: Layout
    stamp: Stamp
    columns: tuple[Column, ...]
    priority: PriorityClass
    grade: DataGrade
    purpose: Purpose

    @classmethod
    def of(
        cls,
        layout: Layout,
        stamp: Stamp,
        columns: Sequence[Column],
        priority: PriorityClass | None = None,
    ) -> "Draft":
        """Check that ``columns`` are exactly those of ``layout``; raises :class:`BlockError`.

        The class is the most urgent of the columns' metrics unless ``priority`` says otherwise;
        grade and purpose must be one for all of them.
        """
        names = tuple(column.metric.name for column in columns)
        if names != layout.columns:
            raise BlockError(f"columns {names} are not those of layout {layout.stream}")
        wrong = [column.metric.name for column in columns if column.rows != len(layout.rows)]
        if wrong:
            raise BlockError(
                f"columns {wrong} do not have the {len(layout.rows)} rows of the layout"
            )
        grades = {metric.grade for metric in layout.metrics}
        purposes = {metric.purpose for metric in layout.metrics}
        if len(grades) != 1 or len(purposes) != 1:
            raise BlockError(f"layout {layout.stream} mixes data grades or purposes")
        return cls(
            layout=layout,
            stamp=stamp,
            columns=tuple(columns),
            priority=min(metric.priority for metric in layout.metrics)
            if priority is None
            else priority,
            grade=grades.pop(),
            purpose=purposes.pop(),
        )

    def seal(self, journal_id: bytes, seq: int, previous: bytes) -> "Block":
        """Give the block its place: journal, sequence number, hash of its predecessor."""
        agent, subject = self.stamp.agent.encode(), self.stamp.subject.encode()
        length = _FIXED.size + 2 * _LENGTH.size + len(agent) + len(subject)
        fixed = _FIXED.pack(
            MAGIC,
            VERSION,
            self.priority,
            self.grade,
            self.purpose,
            self.stamp.clock_quality,
            0,
            length,
            journal_id,
            seq,
            self.layout.id,
            previous,
            self.stamp.boot_id,
            len(self.layout.rows),
            NO_UPTIME if self.stamp.uptime_ticks is None else self.stamp.uptime_ticks,
            self.stamp.wall_ns,
            self.stamp.monotonic_ns,
            self.stamp.sent_ns,
            self.stamp.received_ns,
        )
        header = b"".join(
            (fixed, _LENGTH.pack(len(agent)), agent, _LENGTH.pack(len(subject)), subject)
        )
        validity = b"".join(column.validity for column in self.columns)
        return Block.parse(b"".join((header, validity, *(column.data for column in self.columns))))


@dataclass(frozen=True)
class Block:
    """A parsed block; ``data`` are its canonical bytes, everything else is read from them."""

    data: bytes
    priority: PriorityClass
    grade: DataGrade
    purpose: Purpose
    journal_id: bytes
    seq: int
    layout_id: bytes
    previous: bytes
    rows: int
    header_bytes: int
    stamp: Stamp

    @classmethod
    def parse(cls, data: bytes) -> "Block":
        """Read the header; raises :class:`BlockError`. The columns are read by :meth:`columns`."""
        if len(data) < _FIXED.size or len(data) > MAX_BLOCK_BYTES:
            raise BlockError(f"{len(data)} bytes are no block")
        (
            magic, version, priority, grade, purpose, quality, flags, header_bytes,
            journal_id, seq, layout_id, previous, boot_id, rows, uptime,
            wall_ns, monotonic_ns, sent_ns, received_ns,
        ) = _FIXED.unpack_from(data)  # fmt: skip
        if magic != MAGIC:
            raise BlockError("the bytes do not begin like a block")
        if version != VERSION or flags != 0:
            raise BlockError(f"block format {version} with flags {flags} is not known here")
        try:
            agent, offset = _string(data, _FIXED.size)
            subject, offset = _string(data, offset)
            if offset != header_bytes:
                raise BlockError("the header's length is not what it says")
            if seq == 0:
                raise BlockError("a sequence number starts at 1")
            stamp = Stamp(
                agent=agent,
                subject=subject,
                boot_id=boot_id,
                wall_ns=wall_ns,
                monotonic_ns=monotonic_ns,
                clock_quality=ClockQuality(quality),
                uptime_ticks=None if uptime == NO_UPTIME else uptime,
                sent_ns=sent_ns,
                received_ns=received_ns,
            )
            return cls(
                data=data,
                priority=PriorityClass(priority),
                grade=DataGrade(grade),
                purpose=Purpose(purpose),
                journal_id=journal_id,
                seq=seq,
                layout_id=layout_id,
                previous=previous,
                rows=rows,
                header_bytes=header_bytes,
                stamp=stamp,
            )
        except (ValueError, struct.error) as error:
            raise BlockError(f"the block's header is malformed: {error}") from error

    @cached_property
    def hash(self) -> bytes:
        """SHA-256 of the canonical bytes."""
        return hashlib.sha256(self.data).digest()

    @property
    def header(self) -> bytes:
        """The header's bytes, the first part of the canonical bytes."""
        return self.data[: self.header_bytes]

    def check(self, layout: Layout) -> None:
        """Raise :class:`BlockError` where :meth:`columns` would, without cutting them."""
        body = layout.body_bytes
        if (
            body is None
            or layout.id != self.layout_id
            or self.rows != len(layout.rows)
            or len(self.data) != self.header_bytes + body
        ):
            self.columns(layout)
            return
        bitmap = (self.rows + 7) // 8
        if self.rows & 7:
            # The last byte of every bitmap, which must have no bit past the last row.
            end = self.header_bytes + bitmap * len(layout.columns)
            lasts = self.data[self.header_bytes + bitmap - 1 : end : bitmap]
            if lasts and max(lasts) >> (self.rows & 7):
                self.columns(layout)

    def columns(self, layout: Layout) -> tuple[Column, ...]:
        """Cut the body into columns; raises :class:`BlockError` unless all of it fits."""
        if layout.id != self.layout_id:
            raise BlockError(f"layout {layout.stream} is not the one the block was made with")
        if self.rows != len(layout.rows):
            raise BlockError(f"{self.rows} rows in the block, {len(layout.rows)} in its layout")
        bitmap = (self.rows + 7) // 8
        position = self.header_bytes
        end_of_validity = position + bitmap * len(layout.columns)
        offset = end_of_validity
        columns = []
        for metric in layout.metrics:
            validity = self.data[position : position + bitmap]
            position += bitmap
            if metric.type.width:
                stop = offset + metric.type.width * self.rows
            else:
                stop = _end_of_strings(self.data, offset, self.rows)
            part = self.data[offset:stop]
            try:
                check_shape(metric, self.rows, part, validity)
            except ColumnError as error:
                raise BlockError(str(error)) from error
            columns.append(Column(metric, self.rows, part, validity))
            offset = stop
        if offset != len(self.data):
            raise BlockError(f"{len(self.data) - offset} bytes too many for layout {layout.stream}")
        return tuple(columns)

    def follows(self, before: "Block | None") -> bool:
        """Whether this block is the next in the chain after ``before`` (None: the first)."""
        if before is None:
            return self.seq == 1 and self.previous == FIRST_PREVIOUS
        return (
            self.journal_id == before.journal_id
            and self.priority == before.priority
            and self.seq == before.seq + 1
            and self.previous == before.hash
        )


def _string(data: bytes, offset: int) -> tuple[str, int]:
    (length,) = _LENGTH.unpack_from(data, offset)
    start = offset + _LENGTH.size
    if start + length > len(data):
        raise BlockError("a name in the header is cut short")
    return data[start : start + length].decode(), start + length


def _end_of_strings(data: bytes, offset: int, count: int) -> int:
    for _ in range(count):
        found = data.find(b"\0", offset)
        if found < 0:
            raise BlockError("a text column is cut short")
        offset = found + 1
    return offset
