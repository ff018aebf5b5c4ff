"""The journal: four classes, each with its own sequence, chain, files and watermark.

What it promises: a block that :meth:`Journal.append` returned survives ``kill -9`` and a
power cut; it is forgotten only by :meth:`Journal.forget` or, at the disk bound, oldest of
the lowest class first and with a ``gap`` block in its place. Not thread safe: one owner.
"""

import logging
import struct
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from tenone.blocks.block import FIRST_PREVIOUS, Block, Draft, Stamp
from tenone.blocks.columns import Column
from tenone.blocks.layout import Layout
from tenone.journal.classes import ClassJournal, Gap
from tenone.journal.disk import Disk, OsDisk
from tenone.journal.identity import Identity, Order, clear
from tenone.journal.records import RecordKind, encode
from tenone.journal.segment import FORGOTTEN, SUFFIX, Segment
from tenone.runtime.clock import Clock
from tenone.vocabulary.metrics import GAP
from tenone.vocabulary.states import PriorityClass

log = logging.getLogger(__name__)

SEGMENT_BYTES = 4 * 1024 * 1024
GAP_LAYOUT = Layout("gap", GAP, ("gap",))
COPY_BYTES = 1024 * 1024
RESERVE_FILE = "reserve"
RESERVE_BYTES = 64 * 1024
"""Given up when the disk is full, so that the eviction itself can be written down."""


class JournalError(Exception):
    """The journal cannot keep what it was given; the message says why and what to do."""


class Journal:
    """See the module. Made by :meth:`open`."""

    def __init__(
        self, directory: Path, *, disk: Disk, clock: Clock, agent: str, boot_id: bytes,
        limit_bytes: int, segment_bytes: int,
    ) -> None:  # fmt: skip
        self._disk = disk
        self._clock = clock
        self._agent = agent
        self._boot_id = boot_id
        self._limit = limit_bytes
        self._segment_bytes = min(segment_bytes, max(limit_bytes // 8, 4096))
        self._directory = directory
        self._identity = Identity(b"")
        self._classes: dict[PriorityClass, ClassJournal] = {}
        self._broken = ""
        self.evicted_blocks = 0
        self.newest: dict[tuple[str, str], Block] = {}
        """The newest block of each (subject, stream) that is still known here; for births."""

    @classmethod
    def open(
        cls, directory: Path, *, clock: Clock, agent: str, boot_id: bytes, limit_bytes: int,
        disk: Disk | None = None, segment_bytes: int = SEGMENT_BYTES,
    ) -> "Journal":  # fmt: skip
        """Open or make the journal in ``directory``; raises :class:`JournalError`.

        A torn last write is cut off. Damage inside a file costs the blocks it hit, and a
        ``gap`` block with reason ``damaged`` says which. ``limit_bytes`` bounds the files.
        """
        journal = cls(
            directory, disk=OsDisk() if disk is None else disk, clock=clock, agent=agent,
            boot_id=boot_id, limit_bytes=limit_bytes, segment_bytes=segment_bytes,
        )  # fmt: skip
        try:
            journal._start()
            order = Order.read(journal._disk, directory)
            if order is not None:
                journal = journal._begun_anew(order)
        except OSError as error:
            raise JournalError(f"the journal in {directory} cannot be opened: {error}") from error
        except (ValueError, LookupError, TypeError, struct.error) as error:
            raise JournalError(
                f"the journal in {directory} is not readable by this version ({error}): run the "
                "version that wrote it until its outbox is empty, or move the folder away and "
                "start again"
            ) from error
        return journal

    @property
    def journal_id(self) -> bytes:
        """The random id made with the journal."""
        return self._identity.journal_id

    @property
    def broken(self) -> str:
        """Why nothing more can be kept until the agent is started again; empty while it can."""
        return self._broken

    @property
    def kept_bytes(self) -> int:
        """Size of all files."""
        return sum(segment.size for one in self._classes.values() for segment in one.segments)

    @property
    def kept_blocks(self) -> int:
        """Blocks not yet receipted."""
        return sum(one.kept for one in self._classes.values())

    def base(self, priority: PriorityClass) -> int:
        """All blocks of the class up to this sequence number are receipted or evicted."""
        return self._classes[priority].base

    def head(self, priority: PriorityClass) -> int:
        """The newest sequence number of the class; 0 before the first."""
        return self._classes[priority].head

    def head_hash(self, priority: PriorityClass) -> bytes:
        """The hash of the newest block of the class; zeros before the first."""
        return self._classes[priority].active.previous

    def layout(self, layout_id: bytes) -> Layout:
        """The layout with that id; ``KeyError`` when no kept block uses it."""
        for one in self._classes.values():
            for segment in reversed(one.segments):
                if layout_id in segment.layouts:
                    return segment.layouts[layout_id]
        raise KeyError(layout_id.hex())

    def append(self, drafts: Sequence[Draft]) -> list[Block]:
        """Seal ``drafts`` in order, write them, and return when they survive a power cut.

        Raises :class:`JournalError` when the disk refuses even after eviction; then none of
        them is kept and no sequence number is used up.
        """
        if self._broken:
            raise JournalError(self._broken)
        try:
            self._make_room(sum(_estimate(draft) for draft in drafts))
            return self._append(drafts)
        except OSError as error:
            log.warning("the disk under the journal is full: %s", error)
        # The reserve gives the room in which an eviction can be written down.
        self._disk.remove(self._directory / RESERVE_FILE)
        try:
            self._evict("disk-full")
            return self._append(drafts)
        except OSError as error:
            raise JournalError(f"the journal's disk is full: {error}") from error
        finally:
            self._make_reserve()

    def pending(self, priority: PriorityClass, after_seq: int, limit_bytes: int) -> list[Block]:
        """Unreceipted blocks after ``after_seq``, in order, about ``limit_bytes`` of them."""
        one = self._classes[priority]
        seq = max(after_seq, one.base) + 1
        found: list[Block] = []
        budget = limit_bytes
        for segment in one.segments:
            if segment.next_seq <= seq or budget <= 0:
                continue
            blocks = segment.read_from(seq, budget)
            found.extend(blocks)
            budget -= sum(len(block.data) for block in blocks)
            if blocks and blocks[-1].seq + 1 < segment.next_seq:
                break  # the budget ended inside this file; a later one must not jump the queue
        return found

    def forget(self, priority: PriorityClass, through_seq: int) -> None:
        """A receipt covers everything up to ``through_seq``: delete what it frees.

        The note of it is not synced; losing it only means sending again.
        """
        one = self._classes[priority]
        through_seq = min(through_seq, one.head)
        if through_seq <= one.base or self._broken:
            return
        one.base = through_seq
        if one.head == one.base:
            self._rotate_if_full(one)
        while len(one.segments) > 1 and one.segments[0].next_seq <= one.base + 1:
            one.segments.pop(0).remove()
        try:
            one.active.write(encode(RecordKind.FORGOTTEN, FORGOTTEN.pack(one.base)))
        except OSError as error:
            log.warning("the receipt through %d could not be noted: %s", through_seq, error)

    def give_up(self, priority: PriorityClass, seq: int) -> None:
        """Tell by a gap block that ``seq`` cannot be sent; it stays until a receipt passes it.

        Told once, also over restarts. Raises :class:`JournalError` or ``OSError``.
        """
        one = self._classes[priority]
        blocks = self.pending(priority, seq - 1, 1)
        if self._broken or not blocks or blocks[0].seq != seq or self._told(one, seq - 1, seq + 1):
            return
        self._write_gap(one, Gap(seq, seq, 1, 1), "unsendable", blocks[0].hash)
        self.evicted_blocks += 1

    def set_back(self, priority: PriorityClass, through_seq: int) -> None:
        """A receipt covers more than was ever written here: this folder is a copy, or was restored.

        Its next numbers are taken, so what is given them would be refused. The next
        :meth:`open` begins a new journal with what is unreceipted; until then nothing is kept.
        """
        order = Order(Identity.new(own_folder=True), self._identity.folder)
        order.write(self._disk, self._directory)
        self._broken = (
            f"the city has blocks of class {priority.name} up to {through_seq} of this journal, "
            f"which ends at {self.head(priority)}: {self._directory} is a copy or was restored; "
            "a new journal begins at the next start of the agent"
        )

    def close(self) -> None:
        """Sync and close all files."""
        for one in self._classes.values():
            if not self._broken:
                one.active.sync()
            for segment in one.segments:
                segment.close()

    def _start(self) -> None:
        self._disk.make_folder(self._directory)
        known = Identity.read(self._disk, self._directory)
        self._identity = known or Identity.new()
        if known is None:
            self._identity.write(self._disk, self._directory)
        self._start_classes()
        self._make_reserve()

    def _start_classes(self) -> None:
        for priority in PriorityClass:
            self._start_class(priority)

    def _begun_anew(self, order: Order) -> "Journal":
        """What is unreceipted under a new id; the same again after a crash at any point."""
        journal = self
        if self._identity != order.fresh:
            clear(self._disk, self._directory / order.fresh.folder)
            journal = Journal(
                self._directory, disk=self._disk, clock=self._clock, agent=self._agent,
                boot_id=self._boot_id, limit_bytes=self._limit, segment_bytes=self._segment_bytes,
            )  # fmt: skip
            journal._identity = order.fresh
            journal._start_classes()
            for priority in PriorityClass:
                self._copy_to(journal, priority)
            self.close()
            order.fresh.write(self._disk, self._directory)  # from here on the new one counts
            log.warning(
                "a copy or a restored folder: journal %s goes on as %s with %d blocks",
                self.journal_id.hex()[:8],
                journal.journal_id.hex()[:8],
                journal.kept_blocks,
            )
        order.done(self._disk, self._directory)
        return journal

    def _copy_to(self, fresh: "Journal", priority: PriorityClass) -> None:
        """Gap blocks stay behind: they speak of numbers of the old journal."""
        seq = self.base(priority)
        while blocks := self.pending(priority, seq, COPY_BYTES):
            seq = blocks[-1].seq
            fresh.append(
                [
                    Draft.of(layout, block.stamp, block.columns(layout), priority)
                    for block in blocks
                    for layout in [self.layout(block.layout_id)]
                    if layout.id != GAP_LAYOUT.id
                ]
            )

    def _start_class(self, priority: PriorityClass) -> None:
        home = self._directory / self._identity.folder
        one = ClassJournal(priority, home / f"p{priority.value}")
        self._classes[priority] = one
        self._disk.make_folder(one.folder)
        seqs: list[int] = []
        for name in self._disk.names(one.folder):
            if name.endswith(SUFFIX):
                seqs += self._recover_segment(one, Segment(self._disk, one.folder / name))
        if not one.segments:
            one.segments.append(self._new_segment(one, 1, FIRST_PREVIOUS))
        first = one.segments[0]
        start = first.first_seq or (first.seqs[0] if first.seqs else first.next_seq)
        one.base = max(one.base, start - 1)
        here = [one.base, *(seq for seq in seqs if seq > one.base), one.head + 1]
        for before, after in pairwise(here):
            if after > before + 1 and not self._told(one, before, after):
                lost = after - before - 1
                self._write_gap(one, Gap(before + 1, after - 1, lost, lost), "damaged", b"")

    def _recover_segment(self, one: ClassJournal, segment: Segment) -> list[int]:
        known = {key: kept for older in one.segments for key, kept in older.layouts.items()}
        forgotten, damaged, blocks = segment.recover(self.journal_id, one.priority, known)
        if segment.size == 0:  # its start was never synced, so nothing in it was kept
            segment.remove()
            return []
        if damaged:
            log.error("the journal file %s is damaged", segment.path.name)
        one.base = max(one.base, forgotten)
        one.segments.append(segment)
        for block in blocks:
            stream = segment.layouts[block.layout_id].stream
            self.newest[block.stamp.subject, stream] = block
        return [block.seq for block in blocks]

    def _new_segment(self, one: ClassJournal, seq: int, previous: bytes) -> Segment:
        return Segment.create(
            self._disk,
            one.folder,
            journal_id=self.journal_id,
            priority=one.priority,
            seq=seq,
            previous=previous,
            forgotten=one.base,
        )

    def _make_reserve(self) -> None:
        if RESERVE_FILE in self._disk.names(self._directory):
            return
        try:
            self._disk.replace(self._directory / RESERVE_FILE, bytes(RESERVE_BYTES))
        except OSError as error:
            log.warning("no room for the journal's reserve of %d bytes: %s", RESERVE_BYTES, error)

    def _told(self, one: ClassJournal, before: int, after: int) -> bool:
        """Whether a gap block already tells of the hole, so a restart does not tell it again."""
        for block in self.pending(one.priority, before, self._limit):
            if block.layout_id == GAP_LAYOUT.id:
                first, last = (column.raw()[0] for column in block.columns(GAP_LAYOUT)[:2])
                if (first, last) == (before + 1, after - 1):
                    return True
        return False

    def _append(self, drafts: Sequence[Draft]) -> list[Block]:
        sealed: list[Block] = []
        marks: dict[PriorityClass, tuple[int, bytes]] = {}
        groups: dict[PriorityClass, tuple[list[Block], list[Layout]]] = {}
        for draft in drafts:
            segment = self._classes[draft.priority].active
            seq, previous = marks.get(draft.priority, (segment.next_seq, segment.previous))
            block = draft.seal(self.journal_id, seq, previous)
            marks[draft.priority] = (seq + 1, block.hash)
            blocks, layouts = groups.setdefault(draft.priority, ([], []))
            blocks.append(block)
            layouts.append(draft.layout)
            sealed.append(block)
        marks_back = {priority: self._classes[priority].active.mark() for priority in groups}
        try:
            for priority, (blocks, layouts) in groups.items():
                self._classes[priority].active.append(blocks, layouts)
        except OSError:
            for priority, mark in marks_back.items():
                self._classes[priority].active.roll_back(mark)
            raise
        try:
            for priority in groups:
                self._classes[priority].active.sync()
        except OSError as error:
            # After a failed fsync nobody knows what is on the disk, so nothing more is promised.
            self._broken = f"the disk failed while syncing ({error}); restart the agent"
            raise JournalError(self._broken) from error
        for draft, block in zip(drafts, sealed, strict=True):
            self.newest[block.stamp.subject, draft.layout.stream] = block
        for priority in groups:
            self._rotate_if_full(self._classes[priority])
        return sealed

    def _rotate_if_full(self, one: ClassJournal) -> None:
        """Start a new file if it is time. What is kept stays kept where that does not work."""
        if one.active.size < self._segment_bytes:
            return
        try:
            self._rotate(one)
        except OSError as error:
            log.warning(
                "no new file could be started for class %s, the old one goes on: %s",
                one.priority.name,
                error,
            )

    def _rotate(self, one: ClassJournal) -> None:
        old = one.active
        one.segments.append(self._new_segment(one, old.next_seq, old.previous))
        old.close()

    def _make_room(self, size: int) -> None:
        while self.kept_bytes + size > self._limit:
            if not self._evict("disk-bound"):
                return

    def _evict(self, reason: str) -> bool:
        """Drop the oldest file of the lowest class that holds unreceipted blocks."""
        for priority in reversed(PriorityClass):
            one = self._classes[priority]
            if one.kept == 0 or (
                len(one.segments) == 1 and set(one.active.layouts) <= {GAP_LAYOUT.id}
            ):
                continue
            if len(one.segments) == 1:
                self._rotate(one)
            victim = one.segments[0]
            lost = victim.count_from(one.base + 1)
            if lost:
                gap = self._gap_of(one, victim, lost)
                self._write_gap(one, gap, reason, victim.previous)
                self.evicted_blocks += gap.fresh
                log.error(
                    "outbox full (%s): %d blocks of class %s given up",
                    reason,
                    gap.fresh,
                    priority.name,
                )
            one.segments.pop(0).remove()
            one.base = max(one.base, victim.next_seq - 1)
            return True
        return False

    def _gap_of(self, one: ClassJournal, victim: Segment, lost: int) -> Gap:
        """What goes with ``victim``. An older gap record in it is told on, not lost.

        Everything up to the victim's end is gone from here, so one range may span them all;
        the count is of the blocks that no other record counts.
        """
        first, last = victim.seqs[len(victim.seqs) - lost], victim.seqs[-1]
        told, records = 0, 0
        if GAP_LAYOUT.id in victim.layouts:
            for block in victim.read_from(one.base + 1, victim.size):
                if block.layout_id == GAP_LAYOUT.id:
                    begin, _, count = (column.raw()[0] for column in block.columns(GAP_LAYOUT)[:3])
                    first, told, records = min(first, int(begin)), told + int(count), records + 1
        return Gap(first, last, lost - records + told, lost - records)

    def _write_gap(self, one: ClassJournal, gap: Gap, reason: str, last_hash: bytes) -> None:
        values: tuple[int | str, ...] = (gap.first, gap.last, gap.count, reason, last_hash.hex())
        stamp = Stamp(
            agent=self._agent,
            subject=f"{self._agent}/gateway/journal",
            boot_id=self._boot_id,
            wall_ns=self._clock.wall_ns(),
            monotonic_ns=self._clock.monotonic_ns(),
        )
        columns = [Column.of(name, [value]) for name, value in zip(GAP, values, strict=True)]
        self._append([Draft.of(GAP_LAYOUT, stamp, columns, one.priority)])


def _estimate(draft: Draft) -> int:
    body = sum(len(column.data) + len(column.validity) for column in draft.columns)
    return body + 512
