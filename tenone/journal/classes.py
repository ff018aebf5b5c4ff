"""One class of a journal: its files and how far they are receipted. No I/O of its own."""

from dataclasses import dataclass
from pathlib import Path

from tenone.journal.segment import Segment
from tenone.vocabulary.states import PriorityClass


class ClassJournal:
    """The files of one class, oldest first; the last one is being written."""

    def __init__(self, priority: PriorityClass, folder: Path) -> None:
        self.priority = priority
        self.folder = folder
        self.segments: list[Segment] = []
        self.base = 0
        """Everything up to here is receipted or given up."""

    @property
    def active(self) -> Segment:
        """The file that is being written."""
        return self.segments[-1]

    @property
    def head(self) -> int:
        """The newest sequence number; 0 before the first."""
        return self.active.next_seq - 1

    @property
    def kept(self) -> int:
        """Blocks not yet receipted."""
        return sum(segment.count_from(self.base + 1) for segment in self.segments)


@dataclass(frozen=True, slots=True)
class Gap:
    """Sequence numbers of a class that will not come: ``first`` to ``last``."""

    first: int
    last: int
    count: int
    fresh: int
    """Of ``count``, the blocks that are given up now, not by an earlier record."""
