"""What did not fit: kept with its reason, bounded, never silently dropped."""

import sqlite3
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from controller.store.dayfile import connect
from controller.store.protocols import StoreError
from tenone.journal.disk import sync_folder

LIMIT_ROWS = 10_000
LIMIT_BYTES = 64 * 1024 * 1024
MAX_KEPT_BYTES = 1024 * 1024
"""Of one refused message; what is longer is cut."""
PASSED = "passed"
"""Blocks that nobody will send again: no byte of them is cut, and they go last."""

_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS refused (
        id INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL, reason TEXT NOT NULL, school TEXT NOT NULL,
        topic TEXT NOT NULL, sentence TEXT NOT NULL, data BLOB NOT NULL
    )""",
    "CREATE TABLE IF NOT EXISTS totals (reason TEXT PRIMARY KEY, count INTEGER NOT NULL)",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """One message that did not fit."""

    at_ns: int
    reason: str
    school: str
    topic: str
    sentence: str
    data: bytes
    counted_only: bool = False
    """The same bytes are there already."""


class Quarantine:
    """One SQLite file. Beyond its bound the oldest go; the totals stay. Methods block."""

    def __init__(
        self, path: Path, *, limit_rows: int = LIMIT_ROWS, limit_bytes: int = LIMIT_BYTES
    ) -> None:
        self._path = path
        self._limit_rows = limit_rows
        self._limit_bytes = limit_bytes
        self._database: sqlite3.Connection | None = None
        self._totals: dict[str, int] = {}

    def start(self) -> None:
        """Open or make the file; raises :class:`StoreError`."""
        try:
            new = not self._path.exists()
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._database = connect(self._path)
            for statement in _SCHEMA:
                self._database.execute(statement)
            self._totals = dict(self._database.execute("SELECT reason, count FROM totals"))
            if new:
                sync_folder(self._path.parent)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"the quarantine {self._path} cannot be opened: {error}") from error

    def close(self) -> None:
        """Let go of the file."""
        if self._database is not None:
            self._database.close()
            self._database = None

    @property
    def totals(self) -> Mapping[str, int]:
        """How many were refused for which reason, ever."""
        return self._totals

    def put(self, refused: Sequence[Refused]) -> None:
        """Keep them; raises :class:`StoreError`, then nothing of them is kept."""
        if self._database is None:
            raise StoreError("the quarantine is not open")
        totals = dict(self._totals)
        rows = []
        for one in refused:
            totals[one.reason] = totals.get(one.reason, 0) + 1
            if one.counted_only:
                continue
            packed = zlib.compress(one.data if one.reason == PASSED else one.data[:MAX_KEPT_BYTES])
            rows.append((one.at_ns, one.reason, one.school, one.topic, one.sentence, packed))
        try:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany(
                "INSERT INTO refused (at_ns, reason, school, topic, sentence, data)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                rows,
            )
            self._database.executemany(
                "INSERT OR REPLACE INTO totals VALUES (?, ?)", list(totals.items())
            )
            self._bound(self._database)
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise StoreError(f"the quarantine cannot be written: {error}") from error
        self._totals = totals

    def _bound(self, database: sqlite3.Connection) -> None:
        rows, size = database.execute(
            "SELECT count(*), coalesce(sum(length(data)), 0) FROM refused"
        ).fetchone()
        while rows > self._limit_rows or (size > self._limit_bytes and rows > 1):
            oldest, length = database.execute(
                "SELECT id, length(data) FROM refused ORDER BY reason = ?, id LIMIT 1", (PASSED,)
            ).fetchone()
            database.execute("DELETE FROM refused WHERE id = ?", (oldest,))
            rows, size = rows - 1, size - length

    def newest(self, limit: int = 100) -> list[Refused]:
        """What was refused last, newest first."""
        if self._database is None:
            return []
        found = self._database.execute(
            "SELECT at_ns, reason, school, topic, sentence, data FROM refused"
            " ORDER BY id DESC LIMIT ?",
            (limit,),
        )
        return [
            Refused(
                at_ns=at_ns,
                reason=reason,
                school=school,
                topic=topic,
                sentence=sentence,
                data=zlib.decompress(data),
            )
            for at_ns, reason, school, topic, sentence, data in found
        ]
