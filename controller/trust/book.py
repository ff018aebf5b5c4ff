"""The folder of the audit ledger: segments in a row, appended to by one process at a time.

Blocking; the service calls it in a thread of its own, commands of the shell call it directly.
Two processes may append at once (the service and a command): each takes up what the other wrote,
under the lock of SQLite, after checking that it continues the chain.
"""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from controller.trust.chain import ZERO, Head, Row, Told, body_of, chained
from controller.trust.entries import Entry, LedgerError
from controller.trust.segment import About, Segment, SegmentError, make, segments
from tenone.config.trust import LEAST_RETENTION_DAYS
from tenone.journal.disk import sync_folder

FOLDER = "ledger"
"""Below ``store.path``."""
SEGMENT_ROWS = 500_000
"""A segment is sealed when it has so many rows, or when a month (UTC) is over."""
MOST_TURNS = 100
RETIRE = "ledger.retire"
DAY_NS = 86_400 * 10**9
LONGEST_GAP_NS = 62 * DAY_NS
"""Two months: what is taken for the age of a segment that was sealed last."""


class Book:
    """Appends. After any failure everything is opened and checked again at the next append."""

    def __init__(
        self,
        folder: Path,
        *,
        city: str,
        boot: str,
        algorithm: str = "sha256",
        segment_rows: int = SEGMENT_ROWS,
    ) -> None:
        self.folder = folder
        self.head: Head | None = None
        """The newest entry that is surely on disk."""
        self._city = city
        self._boot = boot
        self._algorithm = algorithm
        self._segment_rows = segment_rows
        self._segment: Segment | None = None
        self._rows = 0

    def open(self, now: Told) -> None:
        """Open the newest segment, or begin a ledger; raises LedgerError.

        ``now`` says when; its entry is written only as the first of a new ledger.
        """
        files = segments(self.folder)
        try:
            if files:
                self._take(Segment(files[-1], writing=True), files)
            elif self.head is None:
                self._begin(now)
        except SegmentError as error:
            raise self._failed(error) from error
        if self._segment is None:
            raise self._failed(SegmentError("its files are gone"))

    def close(self) -> None:
        """Let go of the files."""
        if self._segment is not None:
            self._segment.close()
            self._segment = None

    def check(self) -> None:
        """Look whether the files are still there, and what others appended; raises LedgerError."""
        try:
            if self._segment is not None:
                self._segment.check_there()
                self._look_up(self._segment)
        except SegmentError as error:
            raise self._failed(error) from error

    def append(self, told: Sequence[Told]) -> Head:
        """Write all or none; on disk when this returns. Raises LedgerError."""
        if self._segment is None:
            self.open(told[0])
        try:
            for _ in range(MOST_TURNS):
                self._turn_over(told[0].at_ns)
                head = self._append(told)
                if head is not None:
                    return head
        except SegmentError as error:
            raise self._failed(error) from error
        raise self._failed(SegmentError("other processes seal one segment after the other"))

    def retire(self, days: float, now: Told) -> int:
        """Give up whole sealed segments whose newest entry is older; returns how many entries.

        An entry tells of it first, with the hash at which the ledger then starts, so that what is
        left can be verified, and a start that nobody told of is found. Raises LedgerError.
        A clock that jumps ahead ages nothing out: by the newest sealed segment, months cannot
        have passed.
        """
        before_ns = self._no_later(now.at_ns) - round(max(days, LEAST_RETENTION_DAYS) * DAY_NS)
        old: list[Path] = []
        start: tuple[int, bytes] | None = None
        try:
            for file in segments(self.folder)[:-1]:
                segment = Segment(file)
                newest_ns, head, sealed = segment.newest_ns(), segment.head(), segment.sealed
                segment.close()
                if not sealed or (newest_ns or before_ns) >= before_ns:
                    break
                old.append(file)
                start = head
        except SegmentError as error:
            raise self._failed(error) from error
        if start is None:
            return 0
        first = int(old[0].stem)
        detail: dict[str, str | int | float | bool | None] = {
            "first": first,
            "through": start[0],
            "hash": start[1].hex(),
        }
        self.append(
            [Told(Entry(act=RETIRE, actor="system", detail=detail), now.at_ns, now.mono_ns)]
        )
        try:
            for file in old:
                file.unlink()
            sync_folder(self.folder)
        except OSError as error:
            raise LedgerError(f"old segments of the ledger cannot be removed: {error}") from error
        return start[0] - first + 1

    # -- inside

    def _no_later(self, at_ns: int) -> int:
        """``at_ns``, or as late as it can be by what is sealed; a segment takes a month at most."""
        sealed = segments(self.folder)[:-1]
        if not sealed:
            return at_ns
        try:
            segment = Segment(sealed[-1])
            try:
                newest_ns = segment.newest_ns()
            finally:
                segment.close()
        except SegmentError as error:
            raise self._failed(error) from error
        return at_ns if newest_ns is None else min(at_ns, newest_ns + LONGEST_GAP_NS)

    def _append(self, told: Sequence[Told]) -> Head | None:
        """None where another process has sealed the segment meanwhile."""
        segment = self._writing()
        segment.begin()
        try:
            if segment.sealed:
                segment.rollback()
                return None
            head = self._catch_up(segment)
            rows: list[Row] = []
            previous = head.hash
            for number, one in enumerate(told, head.seq + 1):
                row = chained(number, body_of(number, one, self._boot), previous, segment.digest)
                rows.append(row)
                previous = row.hash
            segment.insert(rows)
            segment.commit()
        except BaseException:
            segment.rollback()
            raise
        self._rows += len(rows)
        self.head = Head(head.ledger, rows[-1].seq, rows[-1].hash)
        return self.head

    def _catch_up(self, segment: Segment) -> Head:
        """Take up what another process appended since, if it continues what we know."""
        known = self.head or Head(segment.about.ledger, *segment.head())
        seq, digest = segment.head()
        if (seq, digest) == (known.seq, known.hash):
            return known
        previous = known.hash
        for row in segment.rows(after=known.seq):
            if row.previous != previous or segment.digest(previous + row.body) != row.hash:
                raise SegmentError(f"entry {row.seq} does not continue entry {known.seq}")
            previous = row.hash
        if seq <= known.seq or previous != digest:
            raise SegmentError(
                f"its newest entries are gone or changed: it had {known.seq}, its file has {seq}"
            )
        self._rows += seq - known.seq
        return Head(known.ledger, seq, digest)

    def _look_up(self, segment: Segment) -> None:
        """Know the newest entry, for those who put its hash elsewhere."""
        if self.head is None or segment.head() == (self.head.seq, self.head.hash):
            return
        segment.begin()
        try:
            self.head = self._catch_up(segment)
        finally:
            segment.rollback()

    def _take(self, segment: Segment, files: Sequence[Path]) -> None:
        """Go on in ``segment`` if it holds all that is known to be on disk."""
        try:
            if not segment.sealed:
                segment.check_tail()
            self._follows(segment, files)
            seq, digest = segment.head()
            if self.head is not None:
                self._continues(segment, self.head)
        except BaseException:
            segment.close()
            raise
        self.close()
        self._segment = segment
        self._rows = seq + 1 - segment.about.first
        self.head = Head(segment.about.ledger, seq, digest)

    def _follows(self, segment: Segment, files: Sequence[Path]) -> None:
        """Whether a young segment continues the one before it."""
        position = files.index(segment.file)  # another process may have made more since
        if position == 0:
            return
        before = Segment(files[position - 1])
        try:
            about, (seq, digest) = segment.about, before.head()
            if (about.first - 1, about.previous) != (seq, digest):
                raise SegmentError(f"{segment.file.name} does not continue {before.file.name}")
        finally:
            before.close()

    def _continues(self, segment: Segment, known: Head) -> None:
        if known.ledger != segment.about.ledger:
            raise SegmentError("another ledger lies in its place")
        seq, _ = segment.head()
        if known.seq == segment.about.first - 1:
            found = segment.about.previous
        else:
            row = next(segment.rows(after=known.seq - 1, limit=1), None)
            found = row.hash if row is not None and row.seq == known.seq else b""
        if found != known.hash and known.seq >= segment.about.first - 1:
            raise SegmentError(
                f"its newest entries are gone or changed: it had {known.seq}, its file has {seq}"
            )

    def _begin(self, now: Told) -> None:
        ledger = secrets.token_hex(16)
        file = self._make(ledger, 1, ZERO, now.at_ns)
        self._take(Segment(file, writing=True), [file])
        entry = Entry(act="ledger.begin", actor="system", detail={"ledger": ledger})
        self._append([Told(entry, now.at_ns, now.mono_ns)])

    def _turn_over(self, at_ns: int) -> None:
        """Seal a segment that is full, old or of another hash, and begin the next."""
        segment = self._writing()
        about = segment.about
        due = self._rows and (
            self._rows >= self._segment_rows
            or _month(about.created_ns) != _month(at_ns)
            or about.algorithm != self._algorithm
        )
        if not due and not segment.sealed:
            return
        segment.begin()
        try:
            self.head = self._catch_up(segment)
            if segment.sealed:
                segment.rollback()
            else:
                segment.seal()
                segment.commit()
        except BaseException:
            segment.rollback()
            raise
        seq, digest = segment.head()
        file = self._make(about.ledger, seq + 1, digest, at_ns)
        segment.fold()
        self._take(Segment(file, writing=True), segments(self.folder))

    def _make(self, ledger: str, first: int, previous: bytes, at_ns: int) -> Path:
        about = About(
            ledger=ledger,
            city=self._city,
            algorithm=self._algorithm,
            first=first,
            previous=previous,
            created_ns=at_ns,
        )
        return make(self.folder, about)

    def _writing(self) -> Segment:
        if self._segment is None:
            raise SegmentError("it is not open")
        return self._segment

    def _failed(self, error: SegmentError) -> LedgerError:
        """Close, so that the next append looks at everything anew."""
        self.close()
        return LedgerError(f"the audit ledger cannot be written ({error})")


def boot_id() -> str:
    """Which start of this machine it is, 12 hex digits; drawn anew where Linux does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").replace("-", "")[:12]
    except OSError:
        return secrets.token_hex(6)


def _month(at_ns: int) -> tuple[int, int]:
    moment = datetime.fromtimestamp(at_ns / 1e9, UTC)
    return moment.year, moment.month
