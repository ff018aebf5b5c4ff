"""Makes the files of days that are over smaller, without touching a canonical byte.

A sweep differs from the one before it in a few fields. So each block of a closed day is compressed
anew with the first block of its layout as zlib's dictionary (RFC 1950, section 2.2: FDICT). Every
block is unpacked again and its SHA-256 compared before the file's one transaction commits; a
``kill -9`` or power cut at any point leaves the rows as they were or as they shall be. Then SQLite
gives the room back (VACUUM).
"""

import hashlib
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from controller.store.dayfile import (
    DELTA,
    SUFFIX,
    connect,
    decode,
    encode_delta,
    row_crc,
    size_of,
)
from controller.store.protocols import StoreError

log = logging.getLogger(__name__)

DONE = "repacked"
DICTIONARY_BYTES = 32_768
"""As far back as zlib looks."""
_DICTIONARIES = (
    "CREATE TABLE IF NOT EXISTS dictionaries (layout INTEGER PRIMARY KEY, data BLOB NOT NULL)"
)


@dataclass(frozen=True, slots=True)
class Repacked:
    """What one file came to."""

    rows: int
    before_bytes: int
    after_bytes: int


def closed(folder: Path) -> Iterator[Path]:
    """Day files that are not done and that nobody writes: all but the newest of a district."""
    for district in sorted(path for path in folder.iterdir() if path.is_dir()):
        for path in sorted(district.glob(f"*{SUFFIX}"))[:-1]:
            try:
                with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
                    found = database.execute("SELECT 1 FROM about WHERE key = ?", (DONE,))
                    done = found.fetchone() is not None
            except sqlite3.Error as error:
                log.warning("the block file %s cannot be looked at: %s", path, error)
                continue
            if not done:
                yield path


def repack(path: Path) -> Repacked:
    """Repack one file; raises :class:`StoreError`, and then the file is as it was."""
    before = size_of(path)
    try:
        with closing(connect(path)) as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                rows = _rows(database)
                database.execute("INSERT OR REPLACE INTO about VALUES (?, 1)", (DONE,))
            except BaseException:
                database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")
            database.execute("VACUUM")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except (sqlite3.Error, ValueError) as error:
        raise StoreError(f"the block file {path} could not be repacked: {error}") from error
    done = Repacked(rows, before, size_of(path))
    log.info("block file %s: %d bytes, %d before", path, done.after_bytes, before)
    return done


def _rows(database: sqlite3.Connection) -> int:
    """Every block that gets smaller; gap blocks stay, the store reads these at its start."""
    database.execute(_DICTIONARIES)
    dictionaries: dict[int, bytes] = {}
    ids = [
        number
        for (number,) in database.execute(
            "SELECT b.id FROM blocks b JOIN layouts l ON l.id = b.layout WHERE l.stream != 'gap'"
            " AND b.coding != ?",
            (DELTA,),
        )
    ]
    for number in ids:
        *numbers, crc, data = database.execute(
            "SELECT journal, class, seq, subject, layout, received_ns, wall_ns, age_ns, coding,"
            " crc, data FROM blocks WHERE id = ?",
            (number,),
        ).fetchone()
        if row_crc(numbers, data) != crc:
            continue  # damaged: it stays as it is, and readers say so
        canonical = decode(numbers[-1], data)
        layout = numbers[4]
        dictionary = dictionaries.get(layout)
        if dictionary is None:
            dictionary = dictionaries[layout] = canonical[:DICTIONARY_BYTES]
            database.execute(
                "INSERT OR REPLACE INTO dictionaries VALUES (?, ?)", (layout, dictionary)
            )
        packed = encode_delta(canonical, dictionary)
        again = decode(DELTA, packed, dictionary)
        if hashlib.sha256(again).digest() != hashlib.sha256(canonical).digest():
            raise ValueError(f"row {number} did not come back as it was")
        if len(packed) < len(data):
            numbers[-1] = DELTA
            database.execute(
                "UPDATE blocks SET coding = ?, crc = ?, data = ? WHERE id = ?",
                (DELTA, row_crc(numbers, packed), packed, number),
            )
    return len(ids)
