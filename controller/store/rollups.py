"""What outlives raw blocks: runs and days of links for years, means of traffic for a while.

SQLite files by local month, ``synchronous=FULL``: ``days-YYYY-MM.db`` holds runs (what a link's
port said from when to when, with the hashes of the blocks that show it), outages, and one row of
packed columns a district and day; ``means-YYYY-MM.db`` one a district and bucket (5 min, 1 h).
Everything here can be made again from blocks, and writing the same again changes nothing. Retention
is unlinking a file. Each row has a CRC-32, because SQLite has no page checksum.
"""

import logging
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from controller.store.dayfile import connect
from controller.store.packing import Array, PackingError, pack, unpack
from controller.store.protocols import StoreError
from controller.store.rollup_rows import (
    LINK,
    Bucket,
    OutageRow,
    QualityRow,
    RunRow,
    merged,
    run_of,
    run_row,
)
from tenone.journal.disk import sync_folder

log = logging.getLogger(__name__)

KEEP_DAYS_MONTHS = 37
"""Runs and days: three years and the month begun, enough to prove a past report (BLOCKS.md)."""
KEEP_MEANS_MONTHS = 14
DAYS, MEANS = "days", "means"
DAY_SECONDS = 86_400
_SCHEMA = {
    DAYS: """
CREATE TABLE IF NOT EXISTS links (id INTEGER PRIMARY KEY, link TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS rows (
    seconds INTEGER NOT NULL, district TEXT NOT NULL, start INTEGER NOT NULL,
    crc INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (seconds, district, start)
);
CREATE TABLE IF NOT EXISTS runs (
    link INTEGER NOT NULL, start_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL,
    day INTEGER NOT NULL, said BLOB NOT NULL, samples INTEGER NOT NULL,
    first_hash BLOB NOT NULL, last_hash BLOB NOT NULL, crc INTEGER NOT NULL,
    PRIMARY KEY (link, start_ns)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outages (
    link INTEGER NOT NULL, day INTEGER NOT NULL, start_ns INTEGER NOT NULL,
    end_ns INTEGER NOT NULL, cost_ns INTEGER NOT NULL, PRIMARY KEY (link, day, start_ns)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS quality (
    day INTEGER NOT NULL, school TEXT NOT NULL, blocks INTEGER NOT NULL, late INTEGER NOT NULL,
    worst_age_ns INTEGER NOT NULL, skew_ns INTEGER NOT NULL, worst_skew_ns INTEGER NOT NULL,
    PRIMARY KEY (day, school)
) WITHOUT ROWID;
""",
    MEANS: """
CREATE TABLE IF NOT EXISTS links (id INTEGER PRIMARY KEY, link TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS rows (
    seconds INTEGER NOT NULL, district TEXT NOT NULL, start INTEGER NOT NULL,
    crc INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (seconds, district, start)
);
""",
}


class Rollups:
    """See the module. One thread; reading is done on connections of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[Path, sqlite3.Connection] = {}
        self.damaged = 0
        """Rows whose CRC did not fit; they are left out, to be made again from blocks."""

    def start(self) -> None:
        """Make the folder; raises :class:`StoreError`."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"the roll-ups in {self._folder} cannot be used: {error}") from error

    def close(self) -> None:
        """Let go of the files."""
        for database in self._open.values():
            database.close()
        self._open.clear()

    # -- writing

    def put_runs(self, runs: Iterable[RunRow], *, instead: Sequence[tuple[str, date]] = ()) -> None:
        """Keep runs; those of ``instead`` (link and day) are forgotten first. StoreError."""
        months: dict[str, list[RunRow]] = {}
        gone: dict[str, list[tuple[str, date]]] = {}
        for run in runs:
            months.setdefault(_month(run.day), []).append(run)
        for link, day in instead:
            gone.setdefault(_month(day), []).append((link, day))
        for month in sorted({*months, *gone}):
            with self._unit(DAYS, month) as unit:
                numbers = _numbers(unit, [run.link for run in months.get(month, ())])
                old = _numbers(unit, [link for link, _ in gone.get(month, ())])
                unit.executemany(
                    "DELETE FROM runs WHERE link = ? AND day = ?",
                    [(old[link], day.toordinal()) for link, day in gone.get(month, ())],
                )
                unit.executemany(
                    "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    [run_row(run, numbers[run.link]) for run in months.get(month, ())],
                )

    def put_days(
        self,
        district: str,
        day: date,
        links: Sequence[str],
        columns: Mapping[str, Array],
        outages: Iterable[OutageRow] = (),
    ) -> None:
        """Keep one row a link of a district's day, in place of those there are. StoreError."""
        with self._unit(DAYS, _month(day)) as unit:
            key = (DAY_SECONDS, district, day.toordinal())
            numbers = self._put(unit, key, links, columns)
            unit.executemany(
                "DELETE FROM outages WHERE link = ? AND day = ?",
                [(numbers[link], day.toordinal()) for link in links],
            )
            unit.executemany(
                "INSERT INTO outages VALUES (?, ?, ?, ?, ?)",
                [
                    (numbers[one.link], day.toordinal(), one.start_ns, one.end_ns, one.cost_ns)
                    for one in outages
                ],
            )

    def add_quality(self, rows: Iterable[QualityRow]) -> None:
        """Add to what is kept of each school and day. StoreError."""
        for row in rows:
            with self._unit(DAYS, _month(row.day)) as unit:
                unit.execute(
                    "INSERT INTO quality VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                    " blocks = blocks + excluded.blocks, late = late + excluded.late,"
                    " worst_age_ns = max(worst_age_ns, excluded.worst_age_ns),"
                    " skew_ns = skew_ns + excluded.skew_ns, worst_skew_ns = CASE WHEN"
                    " abs(excluded.worst_skew_ns) > abs(worst_skew_ns)"
                    " THEN excluded.worst_skew_ns ELSE worst_skew_ns END",
                    (
                        row.day.toordinal(), row.school, row.blocks, row.late,
                        row.worst_age_ns, row.skew_ns, row.worst_skew_ns,
                    ),
                )  # fmt: skip

    def quality(self, first: date, last: date) -> Iterator[QualityRow]:
        """How blocks came in, by day and school."""
        for path in self._files(DAYS, first, last):
            with closing(_reader(path)) as database:
                rows = database.execute(
                    "SELECT * FROM quality WHERE day BETWEEN ? AND ? ORDER BY day, school",
                    (first.toordinal(), last.toordinal()),
                )
                for day, school, blocks, late, age, skew, worst in rows:
                    yield QualityRow(
                        day=date.fromordinal(day), school=school, blocks=blocks, late=late,
                        worst_age_ns=age, skew_ns=skew, worst_skew_ns=worst,
                    )  # fmt: skip

    def put_means(
        self, seconds: int, district: str, day: date,
        buckets: Mapping[int, tuple[Sequence[str], Mapping[str, Array]]],
    ) -> None:  # fmt: skip
        """Keep rows of buckets ``seconds`` long, by epoch second, of one local day. StoreError."""
        with self._unit(MEANS, _month(day)) as unit:
            for start, (links, columns) in buckets.items():
                self._put(unit, (seconds, district, start), links, columns)

    def _put(
        self, unit: sqlite3.Connection, key: tuple[int, str, int],
        links: Sequence[str], columns: Mapping[str, Array],
    ) -> dict[str, int]:  # fmt: skip
        numbers = _numbers(unit, links)
        new = {LINK: np.array([numbers[link] for link in links], np.int32), **columns}
        found = unit.execute(
            "SELECT crc, data FROM rows WHERE seconds = ? AND district = ? AND start = ?",
            key,
        ).fetchone()
        if found is not None and (known := self._unpacked(*found)) is not None:
            new = merged(known, new)
        data = pack(new)
        unit.execute(
            "INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?, ?)",
            (*key, zlib.crc32(data), data),
        )
        return numbers

    # -- reading

    def runs(
        self, first: date, last: date, links: frozenset[str] | None = None
    ) -> Iterator[RunRow]:
        """The runs of local days ``first`` to ``last``, by link and time within a month."""
        for path in self._files(DAYS, first, last):
            with closing(_reader(path)) as database:
                where = "day BETWEEN ? AND ?"
                values: list[int] = [first.toordinal(), last.toordinal()]
                names = dict(database.execute("SELECT id, link FROM links"))
                if links is not None:
                    wanted = [number for number, name in names.items() if name in links]
                    where += f" AND link IN ({','.join('?' * len(wanted))})"
                    values += wanted
                statement = f"SELECT * FROM runs WHERE {where} ORDER BY link, start_ns"  # noqa: S608 - our own text
                for row in database.execute(statement, values):
                    run = run_of(row, names)
                    if run is None:
                        self._damage(f"a run in {path.name}")
                    else:
                        yield run

    def days(
        self, first: date, last: date, *, districts: frozenset[str] | None = None,
        names: frozenset[str] | None = None,
    ) -> Iterator[Bucket]:  # fmt: skip
        """The rows of days, district after district within a day; ``names``: columns to read."""
        span = (DAY_SECONDS, first.toordinal(), last.toordinal())
        for path in self._files(DAYS, first, last):
            yield from self._rows(path, span, districts, names)

    def means(
        self, seconds: int, days: tuple[date, date], span: tuple[int, int], *,
        districts: frozenset[str] | None = None, names: frozenset[str] | None = None,
    ) -> Iterator[Bucket]:  # fmt: skip
        """Buckets that start in ``span`` (epoch seconds, last included) of local ``days``."""
        for path in self._files(MEANS, *days):
            yield from self._rows(path, (seconds, *span), districts, names)

    def _rows(
        self, path: Path, span: tuple[int, int, int],
        districts: frozenset[str] | None, columns: frozenset[str] | None,
    ) -> Iterator[Bucket]:  # fmt: skip
        wanted = None if columns is None else columns | {LINK}
        with closing(_reader(path)) as database:
            names = dict(database.execute("SELECT id, link FROM links"))
            found = database.execute(
                "SELECT district, start, crc, data FROM rows WHERE seconds = ?"
                " AND start BETWEEN ? AND ? ORDER BY start, district",
                span,
            )
            for district, start, crc, data in found:
                if districts is not None and district not in districts:
                    continue
                values = self._unpacked(crc, data, wanted)
                if values is not None:
                    links = [names[number] for number in values.pop(LINK).tolist()]
                    yield Bucket(district, start, links, values)

    def outages(
        self, first: date, last: date, links: frozenset[str] | None = None
    ) -> Iterator[OutageRow]:
        """The parts of outages, by link and time within a month."""
        for path in self._files(DAYS, first, last):
            with closing(_reader(path)) as database:
                rows = database.execute(
                    "SELECT l.link, o.day, o.start_ns, o.end_ns, o.cost_ns FROM outages o"
                    " JOIN links l ON l.id = o.link WHERE o.day BETWEEN ? AND ?"
                    " ORDER BY o.link, o.start_ns",
                    (first.toordinal(), last.toordinal()),
                )
                for link, day, start_ns, end_ns, cost_ns in rows:
                    if links is None or link in links:
                        yield OutageRow(
                            link=link, day=date.fromordinal(day), start_ns=start_ns,
                            end_ns=end_ns, cost_ns=cost_ns,
                        )  # fmt: skip

    # -- files

    def retain(self, today: date) -> int:
        """Unlink the months past their time; return how many files went."""
        gone = 0
        for kind, months in ((DAYS, KEEP_DAYS_MONTHS), (MEANS, KEEP_MEANS_MONTHS)):
            oldest = _month_before(today, months)
            for path in self._folder.glob(f"{kind}-????-??.db"):
                if path.stem.removeprefix(f"{kind}-") < oldest:
                    database = self._open.pop(path, None)
                    if database is not None:
                        database.close()
                    for name in (path, *(path.with_name(path.name + s) for s in ("-wal", "-shm"))):
                        name.unlink(missing_ok=True)
                    gone += 1
        return gone

    @staticmethod
    def oldest_means(today: date) -> date:
        """The first day whose means are still kept: older days cannot be judged again."""
        return date.fromisoformat(f"{_month_before(today, KEEP_MEANS_MONTHS)}-01")

    def _files(self, kind: str, first: date, last: date) -> list[Path]:
        low, high = _month(first), _month(last)
        return sorted(
            path
            for path in self._folder.glob(f"{kind}-????-??.db")
            if low <= path.stem.removeprefix(f"{kind}-") <= high
        )

    @contextmanager
    def _unit(self, kind: str, month: str) -> Iterator[sqlite3.Connection]:
        path = self._folder / f"{kind}-{month}.db"
        try:
            database = self._open.get(path)
            if database is None:
                database = self._opened(path, kind)
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
            except BaseException:
                database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"the roll-ups {path} cannot be written: {error}") from error

    def _opened(self, path: Path, kind: str) -> sqlite3.Connection:
        new = not path.exists()
        database = connect(path)
        for statement in _SCHEMA[kind].split(";"):
            database.execute(statement)
        if new:
            sync_folder(path.parent)
        self._open[path] = database
        return database

    def _unpacked(
        self, crc: int, data: bytes, names: frozenset[str] | None = None
    ) -> dict[str, Array] | None:
        if zlib.crc32(data) == crc:
            try:
                return unpack(data, names)
            except PackingError as error:
                log.error("a roll-up cannot be read: %s", error)  # noqa: TRY400 - said in one line
        self._damage("a row of columns")
        return None

    def _damage(self, what: str) -> None:
        self.damaged += 1
        log.error("%s in the roll-ups is damaged and left out", what)


def _reader(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)


def _month(day: date) -> str:
    return f"{day:%Y-%m}"


def _month_before(day: date, months: int) -> str:
    count = day.year * 12 + day.month - 1 - months
    return f"{count // 12:04d}-{count % 12 + 1:02d}"


def month_days(month: str) -> tuple[date, date]:
    """The first and the last day of ``YYYY-MM``; raises ``ValueError``."""
    first = date.fromisoformat(f"{month}-01")
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return first, following - timedelta(days=1)


def _numbers(unit: sqlite3.Connection, links: Sequence[str]) -> dict[str, int]:
    known = {link: number for number, link in unit.execute("SELECT id, link FROM links")}
    new = sorted({link for link in links if link not in known})
    if new:
        unit.executemany("INSERT INTO links (link) VALUES (?)", [(link,) for link in new])
        known = {link: number for number, link in unit.execute("SELECT id, link FROM links")}
    return known
