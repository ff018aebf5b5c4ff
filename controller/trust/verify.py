"""Whether an audit ledger is whole: chain, numbers, seams of segments, anchors.

Says which entry is the first that is bad, as far as that can be proved. An entry is proved by its
own hash together with the next entry's ``previous``. Who rewrites the chain from some entry to
its end leaves no trace in it; only a head that was put elsewhere before (an *anchor*) tells, and
then the first bad entry lies between the last anchor that fits and the first that does not.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from controller.trust.chain import ZERO, Head, Row, number_of
from controller.trust.segment import Segment, SegmentError, segments

MOST_PUT_IN = 64
"""So many entries put in at one place are told from others."""
RETIRED = b'"act":"ledger.retire"'


class What(StrEnum):
    """What is wrong with an entry."""

    EDITED = "edited"
    MISSING = "missing"
    INSERTED = "inserted"
    REORDERED = "reordered"
    TRUNCATED = "truncated"
    REPLACED = "replaced"
    """It fits the chain, but not the anchor."""
    UNREADABLE = "unreadable"


class Bad(Exception):  # noqa: N818 - a finding, not a failure of the verifier
    """The first bad entry."""

    def __init__(self, seq: int, what: What, sentence: str) -> None:
        super().__init__(sentence)
        self.seq = seq
        self.what = what


@dataclass(slots=True)
class Verdict:
    """What was found."""

    bad: Bad | None = None
    rows: int = 0
    """Entries read and found good."""
    first: int = 1
    """Number of the oldest that is kept."""
    head: Head | None = None
    anchors: int = 0
    """Anchored heads that fit."""
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)


def verify(place: Path, anchors: Iterable[Head] = ()) -> Verdict:
    """Verify a ledger's folder, or one segment of it, against ``anchors``."""
    whole = place.is_dir()
    verdict = Verdict()
    walk = _Walk(verdict, anchors)
    started = time.perf_counter()
    try:
        files = segments(place) if whole else [place]
        for number, file in enumerate(files):
            walk.segment(file, last=number + 1 == len(files))
        walk.end(whole=whole)
    except Bad as bad:
        verdict.bad = bad
    except SegmentError as error:
        at = verdict.first + verdict.rows
        verdict.bad = Bad(at, What.UNREADABLE, f"from entry {at} on it cannot be read: {error}")
    verdict.seconds = time.perf_counter() - started
    return verdict


def rows_of(folder: Path, after: int = 0) -> Iterator[Row]:
    """The rows of a ledger in order behind number ``after``, unverified; raises SegmentError."""
    files = segments(folder)
    for file, following in zip(files, [*files[1:], None], strict=True):
        if following is not None and int(following.stem) <= after + 1:
            continue
        segment = Segment(file)
        try:
            yield from segment.rows(after=after)
        finally:
            segment.close()


class _Walk:
    """Goes through the entries in order; raises :class:`Bad` at the first that is."""

    def __init__(self, verdict: Verdict, anchors: Iterable[Head]) -> None:
        self._verdict = verdict
        self._anchors = sorted(anchors, key=lambda head: -head.seq)
        self._ledger = ""
        self._expected = 1
        self._previous = ZERO
        self._owed: tuple[int, bytes] | None = None
        """What an entry of the ledger itself has to tell of entries that are gone."""
        self._anchored = 0
        """The newest entry that an anchor vouches for."""
        self._doubt: Bad | None = None
        """What an anchor contradicts; the next entry may tell it more exactly."""

    def segment(self, file: Path, *, last: bool) -> None:
        """Go through one segment."""
        segment = Segment(file)
        try:
            self._seam(segment)
            self._rows(segment)
            self._seal(segment, last=last)
        finally:
            segment.close()

    def end(self, *, whole: bool) -> None:
        """Settle what only the end can tell."""
        if self._doubt is not None:
            raise self._doubt
        verdict = self._verdict
        if not self._ledger:
            raise Bad(1, What.MISSING, "there is no ledger here")
        verdict.head = Head(self._ledger, self._expected - 1, self._previous)
        if self._owed is not None:
            before = f"entries 1 to {self._owed[0]}"
            if whole:
                raise Bad(1, What.MISSING, f"{before} are missing, and no entry tells of it")
            verdict.notes.append(f"{before} were not looked at")
        if self._anchors:
            beyond, first = self._anchors[0].seq, self._anchored + 1
            newer = f"; {first} to {self._expected - 1} may have been written since"
            raise Bad(
                self._expected,
                What.TRUNCATED,
                f"entries {self._expected} to {beyond} are missing: its end was cut off, "
                f"an anchor has seen entry {beyond}{newer if first < self._expected else ''}",
            )

    def _seam(self, segment: Segment) -> None:
        about = segment.about
        if not self._ledger:
            self._ledger = about.ledger
            self._verdict.first = self._expected = about.first
            self._previous = about.previous
            if about.first > 1:
                self._owed = (about.first - 1, about.previous)
            elif about.previous != ZERO:
                raise Bad(1, What.EDITED, "something is said to stand before entry 1")
            self._foreign_anchors()
            self._old_anchors()
        if about.ledger != self._ledger:
            raise Bad(about.first, What.REPLACED, f"{segment.file.name} is of another ledger")
        if about.first > self._expected:
            raise Bad(self._expected, What.MISSING, _missing(self._expected, about.first - 1))
        if (about.first, about.previous) != (self._expected, self._previous):
            raise Bad(
                self._expected - 1,
                What.REPLACED,
                f"{segment.file.name} does not follow entry {self._expected - 1}",
            )

    def _rows(self, segment: Segment) -> None:
        """The fast path: one hash, three comparisons an entry."""
        digest = segment.digest
        expected, previous = self._expected, self._previous
        anchor = self._anchors[-1].seq if self._anchors else 0
        rows = segment.rows()
        for row in rows:
            body = row.body
            if (
                row.seq != expected
                or row.previous != previous
                or digest(previous + body) != row.hash
                or not body.startswith(b'{"seq":%d,' % expected)
            ):
                raise self._diagnosis(segment, row, next(rows, None), expected)
            previous = row.hash
            if expected == anchor:
                anchor = self._meet_anchor(expected, previous)
            if self._owed is not None and RETIRED in body:
                self._settle(body)
            expected += 1
            self._verdict.rows += 1
        self._expected, self._previous = expected, previous

    def _seal(self, segment: Segment, *, last: bool) -> None:
        sealed = segment.seal_of()
        if sealed is None:
            if not last:
                at = self._expected
                raise Bad(at, What.MISSING, f"{segment.file.name} has lost its seal")
            return
        seq, digest = sealed
        if seq >= self._expected:
            raise Bad(self._expected, What.MISSING, _missing(self._expected, seq))
        if (seq, digest) != (self._expected - 1, self._previous):
            raise Bad(
                seq, What.REPLACED, f"entry {seq} is not the one {segment.file.name} was sealed at"
            )

    def _diagnosis(self, segment: Segment, row: Row, following: Row | None, expected: int) -> Bad:
        """Which entry is the first bad one, where ``row`` does not fit."""
        digest = segment.digest
        number = number_of(row.body)
        if row.seq != expected:
            return Bad(expected, What.MISSING, _missing(expected, row.seq - 1))
        if digest(row.previous + row.body) != row.hash or number is None:
            return Bad(
                expected, What.EDITED, f"entry {expected} was edited: it does not fit its hash"
            )
        if number > expected:
            return _instead(expected, number, following)
        if number < expected:
            return _put_in(segment, row, number)
        vouched = following is not None and following.previous == row.hash
        if expected > segment.about.first and (vouched or following is None):
            before = expected - 1
            return Bad(
                before,
                What.EDITED,
                f"entry {before} was rewritten: entry {expected} was made after another one",
            )
        return Bad(expected, What.EDITED, f"entry {expected} was rewritten")

    def _settle(self, body: bytes) -> None:
        """An entry that tells which entries were given up."""
        if self._owed is None:
            return
        seq, digest = self._owed
        if b'"hash":"%s"' % digest.hex().encode() in body and b'"through":%d}' % seq in body:
            self._owed = None

    # -- anchors

    def _foreign_anchors(self) -> None:
        for anchor in self._anchors:
            if anchor.ledger != self._ledger:
                raise Bad(
                    1,
                    What.REPLACED,
                    f"an anchor tells of ledger {anchor.ledger}, with {anchor.seq} entries; "
                    f"this is {self._ledger}: the ledger was begun anew",
                )

    def _old_anchors(self) -> None:
        """Those of entries that are not kept any more, or not looked at, prove nothing here."""
        while self._anchors and self._anchors[-1].seq < self._expected:
            self._anchors.pop()

    def _meet_anchor(self, seq: int, digest: bytes) -> int:
        """Compare what anchors say of entry ``seq``; returns the next entry to come here with."""
        if self._doubt is not None:
            raise self._doubt
        while self._anchors and self._anchors[-1].seq == seq:
            if self._anchors.pop().hash != digest:
                first = self._anchored + 1
                span = f"entry {seq}" if first >= seq else f"one of the entries {first} to {seq}"
                self._doubt = Bad(
                    first, What.REPLACED, f"{span} was replaced: an anchor saw another one"
                )
                return seq + 1
            self._verdict.anchors += 1
        self._anchored = seq
        return self._anchors[-1].seq if self._anchors else 0


def _missing(first: int, last: int) -> str:
    return (
        f"entry {first} is missing" if first == last else f"entries {first} to {last} are missing"
    )


def _instead(expected: int, number: int, following: Row | None) -> Bad:
    """A whole entry stands too early: others were taken out before it, or it was moved."""
    after = None if following is None else number_of(following.body)
    what = What.MISSING if after in {None, number + 1} else What.REORDERED
    return Bad(expected, what, f"entry {expected} is gone: entry {number} stands in its place")


def _put_in(segment: Segment, row: Row, number: int) -> Bad:
    """A whole entry stands too late: others were put in before it, or it is a copy."""
    near = segment.rows(after=row.seq - 2 - MOST_PUT_IN, limit=MOST_PUT_IN + 1)
    before = [one for one in near if one.seq < row.seq]
    copied = any(one.hash == row.hash for one in before)
    first = next((one.seq + 1 for one in before if one.hash == row.previous), None)
    if first is None or copied or number != first:
        return Bad(
            row.seq, What.INSERTED, f"entry {row.seq} was put in: it is a copy of entry {number}"
        )
    return Bad(
        first, What.INSERTED, f"entry {first} was put in: the true one now stands at {row.seq}"
    )
