"""Signed checkpoints, kept for ever, and the first key of every journal.

``keys.db`` remembers which key a journal had first: until devices have certificates, the first one
seen is trusted and any other is a finding. ``seals-YYYY-MM.db`` (UTC months) holds the checkpoints'
blocks whole, so that their own place in the chain can be shown too.
"""

import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from controller.store.dayfile import connect
from controller.store.protocols import NS, StoreError
from tenone.blocks.block import Block
from tenone.blocks.seal import Checkpoint, Seal, SealError
from tenone.journal.disk import sync_folder

_KEYS = """CREATE TABLE IF NOT EXISTS keys (
    journal BLOB PRIMARY KEY, school TEXT NOT NULL, key BLOB NOT NULL, since_ns INTEGER NOT NULL
) WITHOUT ROWID"""
_SEALS = """CREATE TABLE IF NOT EXISTS seals (
    school TEXT NOT NULL, wall_ns INTEGER NOT NULL, journal BLOB NOT NULL, seq INTEGER NOT NULL,
    data BLOB NOT NULL, PRIMARY KEY (school, wall_ns, journal, seq)
) WITHOUT ROWID"""


@dataclass(frozen=True, slots=True)
class KeptSeal:
    """A checkpoint whose signature held when it came."""

    block: Block
    seal: Seal
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A journal that is signed by a key it was not signed by before."""

    school: str
    journal: bytes
    key_id: str
    first: bool
    """The journal is new; else its key was another one."""


class Seals:
    """See the module. One thread writes; reading is done on connections of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[Path, sqlite3.Connection] = {}
        self._keys: dict[bytes, bytes] = {}
        self._told: set[tuple[bytes, str]] = set()
        self._changes: list[KeyChange] = []
        self.kept = 0
        """Checkpoints taken since the start."""

    def start(self) -> None:
        """Open the keys; raises :class:`StoreError`."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            database = self._database(self._folder / "keys.db", _KEYS)
            self._keys = {
                bytes(journal): bytes(key)
                for journal, key in database.execute("SELECT journal, key FROM keys")
            }
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"the seals in {self._folder} cannot be opened: {error}") from error

    def close(self) -> None:
        """Let go of the files."""
        for database in self._open.values():
            database.close()
        self._open.clear()

    def put(self, school: str, blocks: Iterable[Block]) -> list[str]:
        """Keep checkpoints that hold; returns a sentence for each thing that is wrong. StoreError.

        One with another key than the journal's first is kept too: it is evidence of the change.
        """
        findings: list[str] = []
        months: dict[str, list[tuple[object, ...]]] = {}
        for block in blocks:
            try:
                seal = Seal.of(block)
                checkpoint = seal.check()
            except SealError as error:
                findings.append(f"{school}: checkpoint {block.seq} does not hold: {error}")
                continue
            if checkpoint.journal_id != block.journal_id:
                findings.append(f"{school}: checkpoint {block.seq} speaks of another journal")
                continue
            finding = self._key(school, block, seal, checkpoint)
            if finding:
                findings.append(finding)
            wall_ns = block.stamp.wall_ns
            row = (school, wall_ns, block.journal_id, block.seq, zlib.compress(block.data, 6))
            months.setdefault(f"{datetime.fromtimestamp(wall_ns / NS, UTC):%Y-%m}", []).append(row)
        for month, rows in months.items():
            self._insert(month, rows)
            self.kept += len(rows)
        return findings

    def _key(self, school: str, block: Block, seal: Seal, checkpoint: Checkpoint) -> str:
        first = self._keys.get(block.journal_id)
        if first is None:
            try:
                self._database(self._folder / "keys.db", _KEYS).execute(
                    "INSERT INTO keys VALUES (?, ?, ?, ?)",
                    (block.journal_id, school, seal.public_key, block.stamp.wall_ns),
                )
            except sqlite3.Error as error:
                raise StoreError(f"the key of {school} cannot be kept: {error}") from error
            self._keys[block.journal_id] = seal.public_key
            self._tell(KeyChange(school, block.journal_id, checkpoint.key_id, first=True))
        elif first != seal.public_key:
            self._tell(KeyChange(school, block.journal_id, checkpoint.key_id, first=False))
            return (
                f"{school}: journal {block.journal_id.hex()[:8]} is now signed by the key "
                f"{checkpoint.key_id}, which is not the one it began with: was the gateway's "
                "key file lost or replaced?"
            )
        return ""

    def changes(self) -> list[KeyChange]:
        """Keys that journals were seen with for the first time, since this was asked last."""
        found, self._changes = self._changes, []
        return found

    def _tell(self, change: KeyChange) -> None:
        """Once a process; every checkpoint that follows would say the same."""
        if (change.journal, change.key_id) not in self._told:
            self._told.add((change.journal, change.key_id))
            self._changes.append(change)

    def _insert(self, month: str, rows: list[tuple[object, ...]]) -> None:
        path = self._folder / f"seals-{month}.db"
        try:
            database = self._database(path, _SEALS)
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT OR REPLACE INTO seals VALUES (?, ?, ?, ?, ?)", rows)
            database.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            known = self._open.pop(path, None)
            if known is not None:
                known.close()
            raise StoreError(f"the seals {path} cannot be written: {error}") from error

    def _database(self, path: Path, schema: str) -> sqlite3.Connection:
        database = self._open.get(path)
        if database is None:
            new = not path.exists()
            database = self._open[path] = connect(path)
            database.execute(schema)
            if new:
                sync_folder(path.parent)
        return database

    # -- reading

    def first_keys(self, school: str) -> dict[bytes, bytes]:
        """Journal -> the key it began with."""
        path = self._folder / "keys.db"
        if not path.exists():
            return {}
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            found = database.execute("SELECT journal, key FROM keys WHERE school = ?", (school,))
            return {bytes(journal): bytes(key) for journal, key in found}

    def between(self, school: str, start_ns: int, end_ns: int) -> Iterator[KeptSeal]:
        """The checkpoints of a school made in ``[start, end)``, in order of time."""
        low, high = (f"{datetime.fromtimestamp(ns / NS, UTC):%Y-%m}" for ns in (start_ns, end_ns))
        for path in sorted(self._folder.glob("seals-????-??.db")):
            if not low <= path.stem.removeprefix("seals-") <= high:
                continue
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
                rows = database.execute(
                    "SELECT data FROM seals WHERE school = ? AND wall_ns >= ? AND wall_ns < ?"
                    " ORDER BY wall_ns, seq",
                    (school, start_ns, end_ns),
                )
                for (data,) in rows:
                    block = Block.parse(zlib.decompress(data))
                    seal = Seal.of(block)
                    yield KeptSeal(block, seal, Checkpoint.parse(seal.text))
