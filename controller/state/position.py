"""Where a block stands in time, so that what comes late or twice changes nothing."""

from dataclasses import dataclass

from controller.state.columns import NEVER


@dataclass(frozen=True, slots=True)
class Position:
    """Where a block stands in time: by its chain where that can tell, else by its age."""

    journal_id: bytes
    seq: int
    evidence_ns: int

    def before(self, other: "Position") -> bool:
        """Whether ``other`` is newer than this, or the same."""
        if self.journal_id == other.journal_id:
            return self.seq <= other.seq
        return self.evidence_ns <= other.evidence_ns

    def same(self, other: "Position") -> bool:
        """Whether both are of one block, which may have come twice and so at two times."""
        return (self.journal_id, self.seq) == (other.journal_id, other.seq)


START = Position(b"", 0, NEVER)
