"""Sets of time: half-open intervals ``[start, end)`` in whole nanoseconds since 1970 UTC.

A set is kept normalised (ordered, disjoint, no two parts touching, none empty), so equal sets are
equal values and every measure is exact: integers do not round. An interval whose end does not lie
after its start holds no time: that is what a wall clock that steps back makes of one, and why no
measure here is ever negative.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

SECOND_NS: Final = 1_000_000_000
MINUTE_NS: Final = 60 * SECOND_NS
HOUR_NS: Final = 3600 * SECOND_NS


class Span(NamedTuple):
    """One half-open interval, nanoseconds UTC."""

    start_ns: int
    end_ns: int

    @property
    def length_ns(self) -> int:
        """Nanoseconds in it; 0 where the end does not lie after the start."""
        return max(0, self.end_ns - self.start_ns)


@dataclass(frozen=True, slots=True)
class Intervals:
    """A set of time. Build it with :meth:`of`; ``spans`` must be normalised already."""

    spans: tuple[Span, ...] = ()

    def __post_init__(self) -> None:
        before: int | None = None
        for start, end in self.spans:
            if end <= start or (before is not None and start <= before):
                raise ValueError("these spans are not normalised: build the set with Intervals.of")
            before = end

    @classmethod
    def of(cls, spans: Iterable[tuple[int, int]]) -> "Intervals":
        """The union of ``spans``, which may overlap, touch, be empty and come in any order."""
        united: list[Span] = []
        for start, end in sorted(spans):
            if end <= start:
                continue
            if united and start <= united[-1].end_ns:
                if end > united[-1].end_ns:
                    united[-1] = Span(united[-1].start_ns, end)
            else:
                united.append(Span(start, end))
        return cls(tuple(united))

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __iter__(self) -> Iterator[Span]:
        return iter(self.spans)

    def __or__(self, other: "Intervals") -> "Intervals":
        return Intervals.of((*self.spans, *other.spans))

    def __and__(self, other: "Intervals") -> "Intervals":
        common: list[Span] = []
        mine = theirs = 0
        while mine < len(self.spans) and theirs < len(other.spans):
            one, two = self.spans[mine], other.spans[theirs]
            start, end = max(one.start_ns, two.start_ns), min(one.end_ns, two.end_ns)
            if start < end:
                common.append(Span(start, end))
            if one.end_ns <= two.end_ns:
                mine += 1
            else:
                theirs += 1
        return Intervals(tuple(common))

    def __sub__(self, other: "Intervals") -> "Intervals":
        left: list[Span] = []
        theirs = 0
        for start, end in self.spans:
            begin = start
            while theirs < len(other.spans) and other.spans[theirs].end_ns <= begin:
                theirs += 1
            at = theirs
            while at < len(other.spans) and other.spans[at].start_ns < end:
                hole = other.spans[at]
                if hole.start_ns > begin:
                    left.append(Span(begin, hole.start_ns))
                begin = max(begin, hole.end_ns)
                at += 1
            if begin < end:
                left.append(Span(begin, end))
        return Intervals(tuple(left))

    @property
    def measure_ns(self) -> int:
        """Nanoseconds in the set."""
        return sum(end - start for start, end in self.spans)

    def __contains__(self, moment_ns: int) -> bool:
        low, high = 0, len(self.spans)
        while low < high:
            middle = (low + high) // 2
            if self.spans[middle].end_ns <= moment_ns:
                low = middle + 1
            else:
                high = middle
        return low < len(self.spans) and self.spans[low].start_ns <= moment_ns

    def within(self, start_ns: int, end_ns: int) -> "Intervals":
        """What of the set lies in ``[start, end)``."""
        return self & Intervals.of(((start_ns, end_ns),))

    def last(self, length_ns: int) -> "Intervals":
        """The latest ``length_ns`` of the set: all of it where it holds no more."""
        taken: list[Span] = []
        for start, end in reversed(self.spans):
            if length_ns <= 0:
                break
            taken.append(Span(max(start, end - length_ns), end))
            length_ns -= end - start
        return Intervals(tuple(reversed(taken)))


def whole_minutes(time: Intervals) -> Iterator[int]:
    """The start of each minute of the UTC clock that lies in ``time`` as a whole."""
    for start, end in time:
        yield from range(-(-start // MINUTE_NS) * MINUTE_NS, end - MINUTE_NS + 1, MINUTE_NS)
