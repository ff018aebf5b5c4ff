"""One file of one class: what is in it, where each block lies, and appending to it."""

import struct
from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tenone.blocks.block import Block
from tenone.blocks.layout import Layout
from tenone.journal.disk import Disk, OpenFile
from tenone.journal.records import HEAD, Record, RecordKind, encode, scan
from tenone.vocabulary.states import PriorityClass

START = struct.Struct("<16sBQ32s")
"""Journal id, class, sequence number of the first block to come, hash of the block before it."""
FORGOTTEN = struct.Struct("<Q")
SUFFIX = ".journal"


class SegmentError(OSError):
    """A file that is no segment of this journal."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A state of a file to go back to."""

    size: int
    blocks: int
    next_seq: int
    previous: bytes
    layouts: set[bytes]


class Segment:
    """A file of records; the blocks in it have ascending sequence numbers."""

    def __init__(self, disk: Disk, path: Path) -> None:
        self._disk = disk
        self._file: OpenFile | None = None
        self.path = path
        self.size = 0
        self.seqs = array("Q")
        self._offsets = array("I")
        self.layouts: dict[bytes, Layout] = {}
        self.first_seq = 0
        """What the file's start says of its first block; 0 where the start is damaged."""
        self.next_seq = 1
        self.previous = bytes(32)

    @classmethod
    def create(
        cls, disk: Disk, folder: Path, *, journal_id: bytes, priority: PriorityClass, seq: int,
        previous: bytes, forgotten: int = 0,
    ) -> "Segment":  # fmt: skip
        """Start a file whose first block will be ``seq``; durable when this returns.

        ``forgotten``: everything up to there is receipted. Raises ``OSError``; then there is no
        such file, for what is left of one would shift all that a next try writes.
        """
        segment = cls(disk, folder / f"{seq:020d}{SUFFIX}")
        segment.first_seq = segment.next_seq = seq
        segment.previous = previous
        start = encode(RecordKind.START, START.pack(journal_id, priority, seq, previous))
        try:
            segment.write(start + encode(RecordKind.FORGOTTEN, FORGOTTEN.pack(forgotten)))
            segment.sync()
        except OSError:
            segment.remove()
            raise
        return segment

    def recover(
        self, journal_id: bytes, priority: PriorityClass, known: Mapping[bytes, Layout]
    ) -> tuple[int, bool, list[Block]]:
        """Read the file after a restart and cut off a torn end.

        Returns the highest receipted sequence number it records, whether damage was found,
        and every block in it. ``known``: layouts of older files, for blocks whose own copy is
        damaged; a block whose layout is nowhere says nothing and counts as damaged. Raises
        :class:`SegmentError` when the file is another journal's, ``ValueError`` when another
        version wrote it.
        """
        data = self._disk.read(self.path)
        forgotten, damaged, end = 0, False, 0
        blocks = []
        for record in scan(data):
            end = record.offset + record.size
            damaged = damaged or record.after_damage
            if record.kind is RecordKind.START:
                self._check_start(record, journal_id, priority)
            elif record.kind is RecordKind.LAYOUT:
                layout = Layout.parse(record.body)
                self.layouts[layout.id] = layout
            elif record.kind is RecordKind.BLOCK:
                block = Block.parse(record.body)
                if block.layout_id not in self.layouts:
                    if block.layout_id not in known:
                        damaged = True
                        self.next_seq, self.previous = block.seq + 1, block.hash
                        continue
                    self.layouts[block.layout_id] = known[block.layout_id]
                self._note(block, record.offset)
                blocks.append(block)
            else:
                forgotten = max(forgotten, FORGOTTEN.unpack(record.body)[0])
        self.size = end
        if end < len(data):
            self._open().truncate(end)
        return forgotten, damaged, blocks

    def _check_start(self, record: Record, journal_id: bytes, priority: PriorityClass) -> None:
        found_id, found_class, seq, previous = START.unpack(record.body)
        if found_id != journal_id or found_class != priority:
            raise SegmentError(
                f"{self.path} belongs to another journal; move it away and start again"
            )
        self.first_seq = self.next_seq = seq
        self.previous = previous

    def _note(self, block: Block, offset: int) -> None:
        self.seqs.append(block.seq)
        self._offsets.append(offset)
        self.next_seq = block.seq + 1
        self.previous = block.hash

    def write(self, data: bytes) -> None:
        """Append; on failure the file is cut back to what it was and the error goes on."""
        file = self._open()
        try:
            file.write(data)
        except OSError:
            file.truncate(self.size)
            raise
        self.size += len(data)

    def encode(self, blocks: Sequence[Block], layouts: Sequence[Layout]) -> bytes:
        """The records for ``blocks``, each layout before the first block that needs it."""
        known = set(self.layouts)
        parts = []
        for block, layout in zip(blocks, layouts, strict=True):
            if layout.id not in known:
                known.add(layout.id)
                parts.append(encode(RecordKind.LAYOUT, layout.document))
            parts.append(encode(RecordKind.BLOCK, block.data))
        return b"".join(parts)

    def append(self, blocks: Sequence[Block], layouts: Sequence[Layout]) -> None:
        """Write blocks; they count as kept after :meth:`sync`."""
        data = self.encode(blocks, layouts)
        start = self.size
        self.write(data)
        offset = start
        for block, layout in zip(blocks, layouts, strict=True):
            if layout.id not in self.layouts:
                self.layouts[layout.id] = layout
                offset += HEAD.size + len(layout.document)
            self._note(block, offset)
            offset += HEAD.size + len(block.data)

    def mark(self) -> Mark:
        """Where the file stands, for :meth:`roll_back`."""
        return Mark(self.size, len(self.seqs), self.next_seq, self.previous, set(self.layouts))

    def roll_back(self, mark: Mark) -> None:
        """Cut the file back to ``mark``; nothing after it was synced or promised."""
        if self.size == mark.size:
            return
        self._open().truncate(mark.size)
        self.size, self.next_seq, self.previous = mark.size, mark.next_seq, mark.previous
        del self.seqs[mark.blocks :]
        del self._offsets[mark.blocks :]
        for layout_id in set(self.layouts) - mark.layouts:
            del self.layouts[layout_id]

    def sync(self) -> None:
        """Return when everything written survives a power cut."""
        self._open().sync()

    def read_from(self, seq: int, limit_bytes: int) -> list[Block]:
        """Blocks from ``seq`` on, at least one if there is one, about ``limit_bytes`` at most."""
        first = bisect_left(self.seqs, seq)
        if first == len(self.seqs):
            return []
        offset = self._offsets[first]
        wanted = max(limit_bytes, self._end(first) - offset)
        data = self._disk.read_range(self.path, offset, min(wanted, self.size - offset))
        blocks = [
            Block.parse(record.body) for record in scan(data) if record.kind is RecordKind.BLOCK
        ]
        return [block for block in blocks if block.layout_id in self.layouts]

    def count_from(self, seq: int) -> int:
        """How many blocks from ``seq`` on lie in this file."""
        return len(self.seqs) - bisect_left(self.seqs, seq)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def remove(self) -> None:
        """Close and delete the file."""
        self.close()
        self._disk.remove(self.path)

    def _end(self, index: int) -> int:
        return self._offsets[index + 1] if index + 1 < len(self._offsets) else self.size

    def _open(self) -> OpenFile:
        if self._file is None:
            self._file = self._disk.append(self.path)
        return self._file
