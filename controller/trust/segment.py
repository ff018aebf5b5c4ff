"""One segment of the audit ledger: an SQLite file of consecutive entries.

Journal mode WAL with ``synchronous=FULL``: one fsync a commit (a rollback journal needs three),
and readers never hinder the writer. Only ``body`` is kept of an entry; the columns that are
searched are computed from it, so they cannot say anything else. Triggers refuse to change or
remove rows, and to leave a number out. Whoever can write the file can drop them: that is what
the chain and its anchors are for.
"""

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from controller.trust.chain import Hasher, Row, hasher, number_of
from tenone.journal.disk import sync_folder

SUFFIX = ".ledger"
FORMAT = 1
BUSY_SECONDS = 5.0
AGAIN_SECONDS = 0.02
TAIL_ROWS = 1000
"""So many of the newest rows are checked when a segment is opened for writing."""

_SCHEMA = (
    "CREATE TABLE about (key TEXT PRIMARY KEY, value) WITHOUT ROWID",
    "CREATE TABLE sealed (seq INTEGER NOT NULL, hash BLOB NOT NULL)",
    """CREATE TABLE entries (
        seq INTEGER PRIMARY KEY, body TEXT NOT NULL, previous BLOB NOT NULL, hash BLOB NOT NULL,
        at_ns INTEGER GENERATED ALWAYS AS (json_extract(body, '$.at_ns')) VIRTUAL,
        act TEXT GENERATED ALWAYS AS (json_extract(body, '$.act')) VIRTUAL,
        noun TEXT GENERATED ALWAYS AS (
            substr(json_extract(body, '$.act'), 1, instr(json_extract(body, '$.act'), '.') - 1)
        ) VIRTUAL,
        actor TEXT GENERATED ALWAYS AS (json_extract(body, '$.actor')) VIRTUAL,
        scope TEXT GENERATED ALWAYS AS (json_extract(body, '$.scope')) VIRTUAL,
        outcome TEXT GENERATED ALWAYS AS (json_extract(body, '$.outcome')) VIRTUAL
    )""",
    # By these an entry is found in the order of its number, without sorting what fits.
    "CREATE INDEX entries_act ON entries (act, seq)",
    "CREATE INDEX entries_noun ON entries (noun, seq)",
    "CREATE INDEX entries_actor ON entries (actor, seq)",
    """CREATE TRIGGER entries_follow BEFORE INSERT ON entries
        WHEN NEW.seq IS NOT coalesce(
            (SELECT max(seq) + 1 FROM entries), (SELECT value FROM about WHERE key = 'first'))
            OR EXISTS (SELECT 1 FROM sealed)
        BEGIN SELECT RAISE(ABORT, 'the ledger has no holes, and nothing follows a seal'); END""",
)
_STAYS = (
    f"CREATE TRIGGER {table}_{event} BEFORE {event} ON {table}"
    " BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
    for table in ("entries", "sealed", "about")
    for event in ("update", "delete")
)
_STATEMENTS = (*_SCHEMA, *_STAYS)
_INSERT = "INSERT INTO entries (seq, body, previous, hash) VALUES (?, ?, ?, ?)"


class SegmentError(Exception):
    """A segment that cannot be read or written, or that is not what it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a segment says of itself."""

    ledger: str
    city: str
    algorithm: str
    first: int
    """The number of its first entry."""
    previous: bytes
    """The hash of the entry before that."""
    created_ns: int


def segment_file(folder: Path, first: int) -> Path:
    """Where the segment that begins with entry ``first`` lies."""
    return folder / f"{first:012d}{SUFFIX}"


def segments(folder: Path) -> list[Path]:
    """The segments of a folder, oldest first."""
    return sorted(folder.glob(f"*{SUFFIX}"))


def make(folder: Path, about: About) -> Path:
    """A new, empty segment, on disk when this returns; raises SegmentError.

    One that is there already stays as it is.
    """
    file = segment_file(folder, about.first)
    unfinished = file.with_suffix(f".{os.getpid()}.new")
    rows = [
        ("format", FORMAT),
        ("ledger", about.ledger),
        ("city", about.city),
        ("algorithm", about.algorithm),
        ("first", about.first),
        ("previous", about.previous),
        ("created_ns", about.created_ns),
    ]
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True, mode=0o750)
            _give_away(folder, folder.parent)
        unfinished.unlink(missing_ok=True)
        database = sqlite3.connect(unfinished, isolation_level=None)
        try:
            database.execute("PRAGMA synchronous = FULL")
            database.execute("BEGIN")
            for statement in _STATEMENTS:
                database.execute(statement)
            database.executemany("INSERT INTO about VALUES (?, ?)", rows)
            database.execute("COMMIT")
        finally:
            database.close()
        unfinished.chmod(0o640)
        _give_away(unfinished, folder)
        with contextlib.suppress(FileExistsError):  # another process was quicker
            os.link(unfinished, file)
        unfinished.unlink()
        sync_folder(folder)
    except (sqlite3.Error, OSError) as error:
        raise SegmentError(str(error)) from error
    return file


def _give_away(path: Path, parent: Path) -> None:
    """What root makes in a command belongs to the service, as the folder above does."""
    if os.geteuid() == 0:
        owner = parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


class Segment:
    """An open segment. Methods block; everything sqlite3 raises comes out as SegmentError."""

    def __init__(self, file: Path, *, writing: bool = False) -> None:
        self.file = file
        self._same: tuple[tuple[int, int], ...] = ()
        try:
            self._connect("rw" if writing else "ro")
            try:
                self.about = self._read_about()
            except sqlite3.OperationalError:
                if writing:
                    raise
                # Its writer was killed and left a journal: whoever reads first has to settle it.
                self._database.close()
                self._connect("rw")
                self._database.execute("PRAGMA query_only = ON")
                self.about = self._read_about()
            self.digest: Hasher = hasher(self.about.algorithm)
            if writing and not self.sealed:
                self._keep_a_log()
                self._database.execute("PRAGMA synchronous = FULL")
                self._database.execute("BEGIN IMMEDIATE")  # the log exists from here on
                self._database.execute("ROLLBACK")
                self._same = self._on_disk()
        except (sqlite3.Error, OSError, ValueError) as error:
            self.close()
            raise SegmentError(f"{file.name}: {error}") from error
        except SegmentError:
            self.close()
            raise

    def _keep_a_log(self) -> None:
        """Write-ahead log on; waits here for others that open or close the same segment.

        SQLite does not wait by its own timeout where a change of the journal's mode meets one of
        another process: it says at once that the database is locked, lest both wait for ever.
        """
        until = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self._database.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(AGAIN_SECONDS)
            else:
                return

    def _connect(self, mode: str) -> None:
        address = f"{self.file.resolve().as_uri()}?mode={mode}"
        self._database = sqlite3.connect(
            address, uri=True, isolation_level=None, timeout=BUSY_SECONDS
        )
        self._database.text_factory = bytes

    def close(self) -> None:
        """Let go of the file."""
        if hasattr(self, "_database"):
            self._database.close()

    def _read_about(self) -> About:
        found = {
            key.decode(): value for key, value in self._database.execute("SELECT * FROM about")
        }
        if found.get("format") != FORMAT:
            raise ValueError("this is no segment of a ledger, or one of a later version")
        try:
            return About(
                ledger=found["ledger"].decode(),
                city=found["city"].decode(),
                algorithm=found["algorithm"].decode(),
                first=int(found["first"]),
                previous=bytes(found["previous"]),
                created_ns=int(found["created_ns"]),
            )
        except (KeyError, AttributeError, TypeError) as error:
            raise ValueError(f"its own description is damaged ({error})") from None

    @property
    def sealed(self) -> bool:
        """Whether nothing follows in this segment."""
        return self.seal_of() is not None

    def seal_of(self) -> tuple[int, bytes] | None:
        """Number and hash of the entry it was sealed at."""
        return self._one("SELECT seq, hash FROM sealed LIMIT 1")

    def head(self) -> tuple[int, bytes]:
        """Number and hash of its newest entry, or of what stands before its first."""
        row = self._one("SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1")
        return (self.about.first - 1, self.about.previous) if row is None else (row[0], row[1])

    def newest_ns(self) -> int | None:
        """When its newest entry was told."""
        row = self._one("SELECT at_ns, hash FROM entries ORDER BY seq DESC LIMIT 1")
        return None if row is None else int(row[0])

    def rows(self, after: int = 0, limit: int = -1) -> Iterator[Row]:
        """Its rows in order, beginning behind number ``after``."""
        try:
            found = self._database.execute(
                "SELECT seq, body, previous, hash FROM entries WHERE seq > ? ORDER BY seq LIMIT ?",
                (after, limit),
            )
            for seq, body, previous, digest in found:
                yield Row(seq, body, previous, digest)
        except sqlite3.Error as error:
            raise SegmentError(f"{self.file.name}: {error}") from error

    def select(self, where: str, values: Sequence[object], limit: int) -> list[Row]:
        """Rows that fit, newest first. ``where`` is ours, never somebody's text."""
        try:
            found = self._database.execute(
                "SELECT seq, body, previous, hash FROM entries"  # noqa: S608 - see above
                f" WHERE {where} ORDER BY seq DESC LIMIT ?",
                (*values, limit),
            ).fetchall()
        except sqlite3.Error as error:
            raise SegmentError(f"{self.file.name}: {error}") from error
        return [Row(*row) for row in found]

    def _one(self, statement: str) -> tuple[int, bytes] | None:
        try:
            row: tuple[int, bytes] | None = self._database.execute(statement).fetchone()
        except sqlite3.Error as error:
            raise SegmentError(f"{self.file.name}: {error}") from error
        return row

    # -- writing

    def begin(self) -> None:
        """Begin a transaction: from here to its end nobody else writes."""
        self.check_there()
        self._run("BEGIN IMMEDIATE")

    def insert(self, rows: Sequence[Row]) -> None:
        """Add rows inside the transaction."""
        try:
            self._database.executemany(
                _INSERT,
                [(row.seq, row.body.decode("ascii"), row.previous, row.hash) for row in rows],
            )
        except sqlite3.Error as error:
            raise SegmentError(str(error)) from error

    def commit(self) -> None:
        """End the transaction: its rows are on the disk when this returns."""
        self._run("COMMIT")

    def rollback(self) -> None:
        """End the transaction without its rows."""
        if self._database.in_transaction:
            self._run("ROLLBACK")

    def seal(self) -> None:
        """Nothing follows here; part of the transaction."""
        seq, digest = self.head()
        try:
            self._database.execute("INSERT INTO sealed VALUES (?, ?)", (seq, digest))
        except sqlite3.Error as error:
            raise SegmentError(str(error)) from error

    def fold(self) -> None:
        """Make a sealed segment one file without a log; left for later where it is being read."""
        try:
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._database.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.OperationalError:
            return

    def check_tail(self) -> None:
        """Check the newest rows; raises SegmentError for what an edit or a bad disk left."""
        seq, _ = self.head()
        start = max(self.about.first - 1, seq - TAIL_ROWS)
        previous = self.about.previous if start < self.about.first else None
        for row in self.rows(after=start):
            broken = previous is not None and row.previous != previous
            if broken or self.digest(row.previous + row.body) != row.hash:
                raise SegmentError(f"entry {row.seq} does not fit its hash")
            if number_of(row.body) != row.seq:
                raise SegmentError(f"entry {row.seq} calls itself another number")
            previous = row.hash

    def check_there(self) -> None:
        """SegmentError unless the files are still those that were opened."""
        if self._same and self._on_disk() != self._same:
            raise SegmentError(f"{self.file.name} has been moved or replaced")

    def _on_disk(self) -> tuple[tuple[int, int], ...]:
        """Which files bear the names; SQLite itself would go on writing into removed ones."""
        found = []
        for path in (self.file, self.file.with_name(self.file.name + "-wal")):
            try:
                stat = path.stat()
            except OSError as error:
                raise SegmentError(f"{path.name}: {error.strerror}") from error
            found.append((stat.st_dev, stat.st_ino))
        return tuple(found)

    def _run(self, statement: str) -> None:
        try:
            self._database.execute(statement)
        except sqlite3.Error as error:
            raise SegmentError(str(error)) from error
