"""One SQLite file: the blocks one district received on one UTC day, and all needed to read them.

Journal mode is WAL with ``synchronous=FULL``. SQLite then syncs the log at every commit, so a
returned commit survives a power cut (FULL lost 0 of 122,150 acknowledged rows under simulated
cuts, NORMAL a third, because it syncs the log at checkpoints only), and it costs one fsync
where a rollback journal at FULL costs three. Frames of the log carry checksums; a torn one is
cut off at the next open. The directory is synced by us after a file is made.

SQLite has no page checksum (92 of 300 flipped bits came back as silently wrong values), so each
row has a CRC-32 over its stored bytes and its numbers.
"""

import sqlite3
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from controller.store.protocols import Arrival, ChainKey, StoredBlock, StoreError
from controller.store.watermark import Chain, IntervalSet
from tenone.blocks.layout import Layout, LayoutError
from tenone.journal.disk import sync_folder
from tenone.vocabulary.states import PriorityClass

FORMAT = 1
SUFFIX = ".blocks"
RAW, ZLIB, DELTA = 0, 1, 2
ZLIB_LEVEL = 1
SMALLEST_ZLIB = 256
CHECKPOINT_ROWS = 2000
"""Rows after which the watermarks are written again; so many are read at most at a start."""

_SCHEMA = """
CREATE TABLE about (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE journals (id INTEGER PRIMARY KEY, journal BLOB NOT NULL UNIQUE, school TEXT NOT NULL);
CREATE TABLE subjects (id INTEGER PRIMARY KEY, subject TEXT NOT NULL UNIQUE);
CREATE TABLE layouts (
    id INTEGER PRIMARY KEY, layout BLOB NOT NULL UNIQUE, stream TEXT NOT NULL,
    document BLOB NOT NULL
);
CREATE TABLE blocks (
    id INTEGER PRIMARY KEY, journal INTEGER NOT NULL, class INTEGER NOT NULL,
    seq INTEGER NOT NULL, subject INTEGER NOT NULL, layout INTEGER NOT NULL,
    received_ns INTEGER NOT NULL, wall_ns INTEGER NOT NULL, age_ns INTEGER NOT NULL,
    coding INTEGER NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL
);
CREATE UNIQUE INDEX blocks_chain ON blocks (journal, class, seq);
CREATE TABLE watermarks (
    journal INTEGER NOT NULL, class INTEGER NOT NULL, stored TEXT NOT NULL,
    excused TEXT NOT NULL, base_skipped INTEGER NOT NULL, PRIMARY KEY (journal, class)
) WITHOUT ROWID;
"""
_INSERT = "INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_CRC = struct.Struct("<QBQQQqqqB")
_SELECT = (
    "SELECT b.id, b.journal, b.class, b.seq, b.subject, b.layout, b.received_ns, b.wall_ns,"
    " b.age_ns, b.coding, b.crc, b.data, l.layout, j.school"
    " FROM blocks b JOIN journals j ON j.id = b.journal JOIN layouts l ON l.id = b.layout"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TailRow:
    """A row written after the last checkpoint."""

    chain: ChainKey
    seq: int
    school: str
    stream: str
    data: bytes


def day_file(folder: Path, district: str, day: str) -> Path:
    """Where the blocks of a district's day lie."""
    return folder / district / f"{day}{SUFFIX}"


def companions(path: Path) -> tuple[Path, Path]:
    """The log and the shared memory SQLite keeps beside a file."""
    return path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")


def size_of(path: Path) -> int:
    """Bytes of a day file with its companions."""
    total = 0
    for name in (path, *companions(path)):
        try:
            total += name.stat().st_size
        except FileNotFoundError:
            continue
    return total


def connect(path: Path) -> sqlite3.Connection:
    """Open a file for its single writer, made if missing."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA wal_autocheckpoint=2000")
    return connection


class DayFile:
    """The open file of one district and day. One thread at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.district = path.parent.name
        self.day = path.name.removesuffix(SUFFIX)
        self._journals: dict[bytes, int] = {}
        self._subjects: dict[str, int] = {}
        self._layouts: dict[bytes, int] = {}
        self._next = 1
        self._since_checkpoint = 0
        self.dirty: set[ChainKey] = set()
        """Chains whose watermark moved since the last checkpoint."""
        self._marked: set[ChainKey] = set()
        self.complete = False
        """The watermarks cover all older files of the district."""
        new = not path.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._database = connect(path)
            self._begin(new=new)
        except sqlite3.Error as error:
            raise StoreError(f"the block file {path} cannot be opened: {error}") from error

    def _begin(self, *, new: bool) -> None:
        execute = self._database.execute
        if execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None:
            about = {"format": FORMAT, "district": self.district, "day": self.day}
            about |= {"checkpoint": 0, "complete": 0}
            execute("BEGIN IMMEDIATE")
            for statement in _SCHEMA.split(";"):
                execute(statement)
            self._database.executemany("INSERT INTO about VALUES (?, ?)", about.items())
            execute("COMMIT")
        if new:
            sync_folder(self.path.parent)
            sync_folder(self.path.parent.parent)
        found = dict(execute("SELECT key, value FROM about"))
        if found.get("format") != FORMAT:
            raise StoreError(
                f"the block file {self.path} has format {found.get('format')}, this version "
                f"reads {FORMAT}: move it away or run the version that wrote it"
            )
        self.checkpoint = int(found["checkpoint"])
        self.complete = bool(found["complete"])
        self._journals = {
            bytes(key): row for row, key in execute("SELECT id, journal FROM journals")
        }
        self._subjects = {key: row for row, key in execute("SELECT id, subject FROM subjects")}
        self._layouts = {bytes(key): row for row, key in execute("SELECT id, layout FROM layouts")}
        self._next = 1 + (execute("SELECT max(id) FROM blocks").fetchone()[0] or 0)
        self._since_checkpoint = self._next - 1 - self.checkpoint

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    # -- writing: begin, put, (mark), commit or roll_back

    def begin(self) -> None:
        """Open the transaction of one group commit."""
        self._database.execute("BEGIN IMMEDIATE")

    def put(self, arrivals: Iterable[Arrival]) -> None:
        """Write blocks; nothing is kept before :meth:`commit`."""
        rows = [self._row(arrival) for arrival in arrivals]
        self._database.executemany(_INSERT, rows)
        self._since_checkpoint += len(rows)

    def _row(self, arrival: Arrival) -> tuple[object, ...]:
        block = arrival.block
        coding, data = encode(block.data)
        numbers = (
            self._journal(block.journal_id, arrival.school),
            int(block.priority),
            block.seq,
            self._number("subjects", self._subjects, block.stamp.subject),
            self._layout(arrival.layout),
            arrival.received_ns,
            block.stamp.wall_ns,
            arrival.age_ns,
            coding,
        )
        row = (self._next, *numbers, row_crc(numbers, data), data)
        self._next += 1
        return row

    def wants_checkpoint(self) -> bool:
        """Whether enough has been written since the last one."""
        return self._since_checkpoint >= CHECKPOINT_ROWS

    def mark(self, chains: Iterable[tuple[ChainKey, Chain]], *, everything: bool) -> None:
        """Write the watermarks of ``chains`` as of all blocks put so far: a checkpoint.

        ``everything``: they are all chains of the district, so no older file is needed any more.
        """
        rows = [
            (
                self._journal(key.journal_id, chain.school),
                int(key.priority),
                str(chain.stored),
                str(chain.excused),
                chain.base_skipped,
            )
            for key, chain in chains
        ]
        self._database.executemany("INSERT OR REPLACE INTO watermarks VALUES (?, ?, ?, ?, ?)", rows)
        values = [(self._next - 1, "checkpoint"), (int(everything or self.complete), "complete")]
        self._database.executemany("UPDATE about SET value = ? WHERE key = ?", values)
        self.checkpoint = self._next - 1
        self.complete = everything or self.complete
        self._since_checkpoint = 0
        self._marked = set(self.dirty)

    def commit(self) -> None:
        """Make it survive a power cut: one fsync of the log."""
        self._database.execute("COMMIT")
        self.dirty -= self._marked
        self._marked = set()

    def roll_back(self) -> None:
        """Undo everything since :meth:`begin`, in the file and here."""
        if self._database.in_transaction:
            self._database.execute("ROLLBACK")
        self._marked = set()
        self._begin(new=False)

    def _journal(self, journal_id: bytes, school: str) -> int:
        known = self._journals.get(journal_id)
        if known is None:
            cursor = self._database.execute(
                "INSERT INTO journals (journal, school) VALUES (?, ?)", (journal_id, school)
            )
            known = self._journals[journal_id] = int(cursor.lastrowid or 0)
        return known

    def _layout(self, layout: Layout) -> int:
        known = self._layouts.get(layout.id)
        if known is None:
            cursor = self._database.execute(
                "INSERT INTO layouts (layout, stream, document) VALUES (?, ?, ?)",
                (layout.id, layout.stream, zlib.compress(layout.document)),
            )
            known = self._layouts[layout.id] = int(cursor.lastrowid or 0)
        return known

    def _number(self, table: str, known: dict[str, int], key: str) -> int:
        number = known.get(key)
        if number is None:
            statement = f"INSERT INTO {table} (subject) VALUES (?)"  # noqa: S608 - our own table names
            number = known[key] = int(self._database.execute(statement, (key,)).lastrowid or 0)
        return number

    # -- reading back on the writer's connection

    def watermarks(self) -> Iterator[tuple[ChainKey, str, IntervalSet, IntervalSet, int]]:
        """The last checkpoint: chain, school, stored, excused, base_skipped."""
        rows = self._database.execute(
            "SELECT j.journal, w.class, j.school, w.stored, w.excused, w.base_skipped"
            " FROM watermarks w JOIN journals j ON j.id = w.journal"
        )
        for journal, priority, school, stored, excused, skipped in rows:
            key = ChainKey(bytes(journal), PriorityClass(priority))
            yield key, school, IntervalSet.parse(stored), IntervalSet.parse(excused), skipped

    def tail(self) -> Iterator[TailRow]:
        """Rows written after the last checkpoint, oldest first; only gap blocks carry data."""
        rows = self._database.execute(
            "SELECT j.journal, b.class, b.seq, j.school, l.stream,"
            " CASE l.stream WHEN 'gap' THEN b.data END, b.coding"
            " FROM blocks b JOIN journals j ON j.id = b.journal JOIN layouts l ON l.id = b.layout"
            " WHERE b.id > ? ORDER BY b.id",
            (self.checkpoint,),
        )
        for journal, priority, seq, school, stream, data, coding in rows:
            yield TailRow(
                chain=ChainKey(bytes(journal), PriorityClass(priority)),
                seq=seq,
                school=school,
                stream=stream,
                data=b"" if data is None else decode(coding, data),
            )

    def newest_wall_ns(self) -> int:
        """The newest block's own clock, of the last few hundred; 0 where there is none."""
        found = self._database.execute(
            "SELECT max(wall_ns) FROM blocks WHERE id > (SELECT max(id) FROM blocks) - 500"
        ).fetchone()
        return int(found[0] or 0)

    def find(self, chain: ChainKey, seq: int) -> bytes | None:
        """The canonical bytes of one block, or None."""
        journal = self._journals.get(chain.journal_id)
        if journal is None:
            return None
        row = self._database.execute(
            "SELECT coding, data FROM blocks WHERE journal = ? AND class = ? AND seq = ?",
            (journal, int(chain.priority), seq),
        ).fetchone()
        return None if row is None else decode(*row)

    def layouts(self) -> Iterator[Layout]:
        """All layouts of the file that this version can read."""
        for (document,) in self._database.execute("SELECT document FROM layouts"):
            try:
                yield Layout.parse(zlib.decompress(document))
            except (LayoutError, zlib.error):
                continue  # written by another version; its blocks stay readable as bytes


def encode(data: bytes) -> tuple[int, bytes]:
    """Compress canonical bytes where it pays."""
    if len(data) >= SMALLEST_ZLIB:
        packed = zlib.compress(data, ZLIB_LEVEL)
        if len(packed) < len(data):
            return ZLIB, packed
    return RAW, data


def encode_delta(data: bytes, dictionary: bytes) -> bytes:
    """Compress canonical bytes against a block like them; see :mod:`controller.store.repack`."""
    packer = zlib.compressobj(6, zdict=dictionary)
    return packer.compress(data) + packer.flush()


def decode(coding: int, data: bytes, dictionary: bytes = b"") -> bytes:
    """The canonical bytes again; raises ``zlib.error`` on damage."""
    if coding == DELTA:
        unpacker = zlib.decompressobj(zdict=dictionary)
        return unpacker.decompress(data) + unpacker.flush()
    return zlib.decompress(data) if coding == ZLIB else bytes(data)


def row_crc(numbers: Sequence[int], data: bytes) -> int:
    """CRC-32 over a row's numbers (journal to coding) and its stored bytes."""
    return zlib.crc32(data, zlib.crc32(_CRC.pack(*numbers)))


def _dictionaries(connection: sqlite3.Connection) -> dict[int, bytes]:
    """By layout's number; a file that was not repacked has none."""
    there = "SELECT 1 FROM sqlite_master WHERE name = 'dictionaries'"
    if connection.execute(there).fetchone() is None:
        return {}
    return dict(connection.execute("SELECT layout, data FROM dictionaries"))


def find_block(path: Path, chain: ChainKey, seq: int) -> bytes | None:
    """The canonical bytes of one block of a file nobody writes any more, or None."""
    connection = _reader(path)
    try:
        row = connection.execute(
            "SELECT b.coding, b.data, b.layout FROM blocks b JOIN journals j ON j.id = b.journal"
            " WHERE j.journal = ? AND b.class = ? AND b.seq = ?",
            (chain.journal_id, int(chain.priority), seq),
        ).fetchone()
        if row is None:
            return None
        coding, data, layout = row
        known = _dictionaries(connection) if coding == DELTA else {}
        return decode(coding, data, known.get(layout, b""))
    finally:
        connection.close()


def scan(
    path: Path,
    layouts: dict[bytes, Layout],
    *,
    after: int = 0,
    limit: int = -1,
    from_ns: int = 0,
    to_ns: int | None = None,
    school: str | None = None,
    stream: str | None = None,
) -> Iterator[StoredBlock | int]:
    """Read a file on a connection of its own, beside its writer, in order of receipt.

    Yields the row's number instead of a block where the row is damaged. ``layouts`` is a cache
    that grows.
    """
    filters: list[tuple[str, Any]] = [
        ("b.id > ?", after),
        ("b.received_ns >= ?", from_ns),
        ("b.received_ns < ?", to_ns),
        ("b.journal IN (SELECT id FROM journals WHERE school = ?)", school),
        ("b.layout IN (SELECT id FROM layouts WHERE stream = ?)", stream),
    ]
    used = [(text, value) for text, value in filters if value is not None]
    where = " AND ".join(text for text, _ in used)
    statement = f"{_SELECT} WHERE {where} ORDER BY b.id LIMIT ?"
    connection = _reader(path)
    try:
        known = _dictionaries(connection)
        for row in connection.execute(statement, (*(value for _, value in used), limit)):
            yield _stored(connection, path, row, layouts, known)
    finally:
        connection.close()


def _reader(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)


def _stored(
    connection: sqlite3.Connection,
    path: Path,
    row: Any,
    layouts: dict[bytes, Layout],
    dictionaries: Mapping[int, bytes],
) -> StoredBlock | int:
    position, *numbers, crc, data, layout_id, school = row
    try:
        if row_crc(numbers, data) != crc:
            return int(position)
        canonical = decode(numbers[-1], data, dictionaries.get(numbers[4], b""))
    except (struct.error, zlib.error, TypeError):
        return int(position)
    if layout_id not in layouts:
        found = connection.execute("SELECT document FROM layouts WHERE layout = ?", (layout_id,))
        layouts[layout_id] = Layout.parse(zlib.decompress(found.fetchone()[0]))
    return StoredBlock(
        data=canonical,
        school=school,
        district=path.parent.name,
        day=path.name.removesuffix(SUFFIX),
        position=position,
        received_ns=numbers[5],
        age_ns=numbers[7],
        layout=layouts[layout_id],
    )
