"""What is known of a chain: which sequence numbers are stored, which are excused. No I/O."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from tenone.blocks.block import FIRST_PREVIOUS

MAX_LOOSE_ENDS = 4096
"""Hashes a chain remembers for neighbours that have not come; older ones are read back."""


class IntervalSet:
    """A set of positive integers, kept as sorted ranges; made for runs that grow at the end."""

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for first, last in ranges:
            self.add(first, last)

    def add(self, first: int, last: int | None = None) -> int:
        """Add ``first..last`` (both included); return how many of them are new."""
        last = first if last is None else last
        if last < first:
            return 0
        starts, ends = self._starts, self._ends
        low = bisect_right(ends, first - 2)  # the first range that touches or overlaps
        high = low
        covered = 0
        new_first, new_last = first, last
        while high < len(starts) and starts[high] <= last + 1:
            covered += max(0, min(ends[high], last) - max(starts[high], first) + 1)
            new_first = min(new_first, starts[high])
            new_last = max(new_last, ends[high])
            high += 1
        starts[low:high] = [new_first]
        ends[low:high] = [new_last]
        return last - first + 1 - covered

    def __contains__(self, number: int) -> bool:
        index = bisect_right(self._starts, number) - 1
        return index >= 0 and number <= self._ends[index]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self._starts, self._ends, strict=True)

    def __len__(self) -> int:
        """How many ranges."""
        return len(self._starts)

    def end_of_run(self, number: int) -> int:
        """The last member of the run that ``number`` is in; ``number - 1`` if it is in none."""
        index = bisect_right(self._starts, number) - 1
        if index >= 0 and number <= self._ends[index]:
            return self._ends[index]
        return number - 1

    def __str__(self) -> str:
        return ",".join(f"{first}-{last}" for first, last in self)

    @classmethod
    def parse(cls, text: str) -> "IntervalSet":
        """Read what ``str`` wrote; raises ``ValueError``."""
        ranges = (part.split("-") for part in text.split(",") if part)
        return cls((int(first), int(last)) for first, last in ranges)


class Chain:
    """One sequence of one journal: what is stored, what never will come, how it hangs together.

    A number is *excused* when a gap block names it or the agent has announced that it forgot
    it. Excused numbers let the watermark pass, but a block that turns up after all is stored.
    """

    def __init__(self, school: str, district: str) -> None:
        self.school = school
        self.district = district
        self.stored = IntervalSet()
        self.excused = IntervalSet()
        self.base_skipped = 0
        self._through = 0
        self._hashes: dict[int, bytes] = {}
        self._awaiting: dict[int, bytes] = {}

    @property
    def through(self) -> int:
        """The highest number with no hole below it."""
        return self._through

    def restore(self, stored: IntervalSet, excused: IntervalSet, base_skipped: int) -> None:
        """Take over what a checkpoint says, beside what is known already."""
        for first, last in stored:
            self.stored.add(first, last)
        for first, last in excused:
            self.excused.add(first, last)
        self.base_skipped = max(self.base_skipped, base_skipped)
        self._advance()

    def add(self, seq: int) -> bool:
        """Note a stored block; False where it was stored before."""
        if not self.stored.add(seq):
            return False
        if seq == self._through + 1:
            self._advance()
        return True

    def excuse(self, first: int, last: int) -> None:
        """A gap block names ``first..last``."""
        self.excused.add(max(first, 1), last)
        self._advance()

    def holds_up(self, seq: int) -> bool:
        """Whether blocks wait behind ``seq``, and for nothing but it."""
        return seq == self._through + 1 and any(last > seq for _, last in self.stored)

    def announce_base(self, base: int) -> int:
        """The agent has forgotten everything through ``base``; return how many never came."""
        if base <= self._through:
            return 0
        missing = IntervalSet((*self.stored, *self.excused)).add(1, base)
        self.excused.add(1, base)
        self.base_skipped += missing
        self._advance()
        return missing

    def excusing(self, seq: int) -> "Chain":
        """What a checkpoint would say if ``seq`` were excused too."""
        other = Chain(self.school, self.district)
        excused = IntervalSet((*self.excused, (seq, seq)))
        other.restore(self.stored, excused, self.base_skipped)
        return other

    def _advance(self) -> None:
        through = self._through
        while True:
            further = max(self.stored.end_of_run(through + 1), self.excused.end_of_run(through + 1))
            if further <= through:
                break
            through = further
        self._through = through

    def neighbours_to_read(self, seq: int) -> tuple[bool, bool]:
        """Whether the predecessor and the successor are stored but not remembered here."""
        before = seq > 1 and seq - 1 not in self._hashes and seq - 1 in self.stored
        after = seq + 1 not in self._awaiting and seq + 1 in self.stored
        return before, after

    def remember(
        self,
        *,
        hash_of: tuple[int, bytes] | None = None,
        previous_of: tuple[int, bytes] | None = None,
    ) -> None:
        """Take in what was read back from the store."""
        if hash_of is not None:
            self._hashes[hash_of[0]] = hash_of[1]
        if previous_of is not None:
            self._awaiting[previous_of[0]] = previous_of[1]

    def link(self, seq: int, previous: bytes, own_hash: bytes) -> list[int]:
        """Check a newly stored block against its neighbours; return the numbers that do not fit."""
        broken = []
        expected = FIRST_PREVIOUS if seq == 1 else self._hashes.pop(seq - 1, None)
        if expected is None:
            self._note(self._awaiting, seq, previous)
        elif expected != previous:
            broken.append(seq)
        if self._successor_breaks(seq, own_hash):
            broken.append(seq + 1)
        return broken

    def link_gap(self, last: int, last_hash: bytes) -> list[int]:
        """A gap block tells the hash of the last block it stands for."""
        if last in self.stored or last in self._hashes:
            return []
        return [last + 1] if self._successor_breaks(last, last_hash) else []

    def _successor_breaks(self, seq: int, own_hash: bytes) -> bool:
        told = self._awaiting.pop(seq + 1, None)
        if told is None:
            self._note(self._hashes, seq, own_hash)
            return False
        return told != own_hash

    @staticmethod
    def _note(ends: dict[int, bytes], seq: int, value: bytes) -> None:
        ends[seq] = value
        if len(ends) > MAX_LOOSE_ENDS:
            del ends[next(iter(ends))]
