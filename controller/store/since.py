"""Stored blocks of a few streams from a moment on, without reading the day before it.

Blocks lie in the order they were committed, which is that of their receipt but for moments; a
search by halves finds where a moment begins.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from controller.store.dayfile import SUFFIX, scan
from controller.store.protocols import StoredBlock
from controller.store.retention import day_of


def read_since(folder: Path, from_ns: int, streams: Iterable[str]) -> Iterator[StoredBlock]:
    """Blocks received at ``from_ns`` (wall clock, UTC) or later, district by district.

    ``folder`` is that of the block store. Damaged rows are left out. Raises ``sqlite3.Error``.
    """
    first_day, wanted = day_of(from_ns), tuple(streams)
    for path in sorted(folder.glob(f"*/*{SUFFIX}")):
        if path.name.removesuffix(SUFFIX) < first_day:
            continue
        after = _before(path, from_ns)
        if after is None:
            continue
        for stream in wanted:
            for found in scan(path, {}, after=after, from_ns=from_ns, stream=stream):
                if isinstance(found, StoredBlock):
                    yield found


def _before(path: Path, from_ns: int) -> int | None:
    """A position after which everything received at ``from_ns`` or later comes.

    None: there are no blocks, as where the controller was killed before it made the tables.
    """
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    try:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'blocks'").fetchone():
            return None
        low, high = 0, connection.execute("SELECT coalesce(max(id), 0) FROM blocks").fetchone()[0]
        while low < high:
            middle = (low + high) // 2
            row = connection.execute(
                "SELECT id, received_ns FROM blocks WHERE id > ? ORDER BY id LIMIT 1", (middle,)
            ).fetchone()
            if row is None or row[1] >= from_ns:
                high = middle
            else:
                low = row[0]
        return int(low)
    finally:
        connection.close()
