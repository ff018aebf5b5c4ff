"""The embedded block store: SQLite files, one a day and district, each block exactly once.

Knowledge of what is stored lives in memory and decides duplicates, also against earlier days.
It is rebuilt at the start from the newest file of each district: the watermarks written there at
the last checkpoint, then the rows after it. Blocks and checkpoint share transactions, so a
``kill -9`` or power cut at any point leaves a file that says exactly what it holds.
"""

import fcntl
import logging
import os
import sqlite3
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from controller.store.dayfile import (
    SUFFIX,
    DayFile,
    day_file,
    find_block,
    scan,
    size_of,
)
from controller.store.gap import excuse
from controller.store.passing import Passing
from controller.store.protocols import (
    DAY_NS,
    Arrival,
    BaseNotice,
    ChainBreak,
    ChainKey,
    CommitResult,
    StoredBlock,
    StoreError,
    Usage,
)
from controller.store.retention import day_of, due, remove, unreadable
from controller.store.watermark import Chain
from tenone.blocks.block import Block
from tenone.blocks.layout import Layout
from tenone.journal.journal import GAP_LAYOUT

log = logging.getLogger(__name__)

LOCK_FILE = "lock"
MAX_LAYOUTS = 200_000
"""Layouts remembered; a city of 10,800 switches has about 40,000, all of them are in the files."""


class SqliteBlockStore(Passing):
    """See the module; a :class:`controller.store.protocols.BlockStore`.

    ``retention_days``: so many days of files stay, today's included; None keeps all.
    ``limit_bytes``: oldest files go when all together are larger; today's always stay.
    """

    def __init__(
        self, folder: Path, *, retention_days: int | None = None, limit_bytes: int | None = None
    ) -> None:
        self._folder = folder
        self._retention_days = retention_days
        self._limit_bytes = limit_bytes
        self._lock = threading.RLock()
        self._chains: dict[ChainKey, Chain] = {}
        self._open: dict[str, DayFile] = {}
        self._layouts: dict[bytes, Layout] = {}
        self._read_layouts: dict[bytes, Layout] = {}
        """Of blocks read back, for whoever follows: a layout is parsed once, not once a portion."""
        self._damaged = 0
        self.before_removal: Callable[[Path], None] = lambda path: None  # noqa: ARG005 - nothing
        """Keeps what has to stay of a day file; raises :class:`StoreError`."""
        self.unread: dict[str, str] = {}
        """Districts whose files could not be read -> why."""
        self._newest_ns = 0
        """By the blocks' own clocks: a controller's clock that jumps ahead ages nothing out."""
        self.duplicates: Counter[str] = Counter()
        """Blocks that came more than once, by school, since the start."""
        self._guard = -1

    def start(self) -> None:
        """Take the folder for this process and learn what it holds; raises :class:`StoreError`."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._guard = os.open(self._folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreError(
                f"another controller is using the block store in {self._folder}: stop it first"
            ) from error
        except OSError as error:
            raise StoreError(
                f"the block store in {self._folder} cannot be used: {error}"
            ) from error
        for district in self.districts():
            try:
                self._learn_district(district)
            except (StoreError, sqlite3.Error) as error:
                # The other districts go on; this one is learnt again before it takes a block.
                self.unread[district] = unreadable(district, error)
                log.error("%s", self.unread[district])  # noqa: TRY400 - said in one line

    def close(self) -> None:
        """See the protocol."""
        with self._lock:
            for file in self._open.values():
                self._checkpoint(file)
                file.close()
            self._open.clear()
            if self._guard >= 0:
                os.close(self._guard)
                self._guard = -1

    # -- writing

    def commit(self, batch: Sequence[Arrival], bases: Sequence[BaseNotice] = ()) -> CommitResult:
        """See the protocol."""
        with self._lock:
            skipped = 0
            for notice in bases:
                chain = self._chain(notice.chain, notice.school, notice.district)
                if chain.school == notice.school:
                    skipped += chain.announce_base(notice.base)
            owned, foreign = self._owned(batch)
            fresh, duplicates, conflicts = self._fold(owned)
            by_district: dict[str, list[Arrival]] = {}
            for arrival in fresh:
                by_district.setdefault(arrival.district, []).append(arrival)
            stored: list[Arrival] = []
            failed: list[Arrival] = []
            breaks: list[ChainBreak] = []
            error = ""
            for arrivals in by_district.values():
                try:
                    file = self._write(arrivals)
                except (StoreError, OSError) as problem:
                    failed += arrivals
                    error = str(problem)
                    continue
                breaks += self._know(file, arrivals)
                stored += arrivals
            touched = {arrival.chain for arrival in owned} | {notice.chain for notice in bases}
            return CommitResult(
                stored=stored,
                duplicates=duplicates,
                conflicts=conflicts,
                foreign=foreign,
                breaks=breaks,
                base_skipped=skipped,
                failed=failed,
                error=error,
                through={key: self._chains[key].through for key in touched if key in self._chains},
            )

    def _owned(self, batch: Sequence[Arrival]) -> tuple[list[Arrival], list[Arrival]]:
        """A journal belongs to the school it came from first: no other may add to it."""
        owned: list[Arrival] = []
        foreign: list[Arrival] = []
        owner: dict[ChainKey, str] = {}
        for arrival in batch:
            key = arrival.chain
            chain = self._chains.get(key)
            first = owner.setdefault(key, arrival.school if chain is None else chain.school)
            (owned if first == arrival.school else foreign).append(arrival)
        return owned, foreign

    def _fold(self, batch: Sequence[Arrival]) -> tuple[list[Arrival], int, list[Arrival]]:
        fresh: dict[tuple[ChainKey, int], Arrival] = {}
        conflicts: list[Arrival] = []
        duplicates = 0
        for arrival in batch:
            key, seq = arrival.chain, arrival.block.seq
            chain = self._chains.get(key)
            if chain is not None and seq in chain.stored:
                before: bytes | None = self._find(chain, key, seq)
            elif (key, seq) in fresh:
                before = fresh[key, seq].block.data
            else:
                fresh[key, seq] = arrival
                continue
            if before is None or before == arrival.block.data:
                self.duplicates[arrival.school] += 1
                duplicates += 1  # None: the first copy has aged out and cannot be compared
            else:
                conflicts.append(arrival)
        return list(fresh.values()), duplicates, conflicts

    def _write(self, arrivals: list[Arrival]) -> DayFile:
        """One transaction of one district's file: all of it or nothing."""
        sealed_ns = max(self._newest_ns, *(one.block.stamp.wall_ns for one in arrivals))
        self._newest_ns = sealed_ns
        received_ns = min(max(one.received_ns for one in arrivals), sealed_ns + DAY_NS)
        file = self._file_for(arrivals[0].district, received_ns)
        try:
            file.begin()
            if file.wants_checkpoint():
                self._mark(file)
            file.put(arrivals)
            file.commit()
        except sqlite3.Error as error:
            try:
                file.roll_back()
            except (sqlite3.Error, StoreError):
                # The file is in no known state: open it anew at the next commit.
                log.exception("the block file %s could not be rolled back", file.path)
                self._open.pop(file.district, None)
            raise StoreError(
                f"{len(arrivals)} blocks could not be written to {file.path}: {error}; nothing "
                "of them is receipted, and they are tried again"
            ) from error
        return file

    def _know(self, file: DayFile, arrivals: list[Arrival]) -> list[ChainBreak]:
        """Only after the commit: remember what is stored, and check how it hangs together."""
        breaks = []
        for arrival in arrivals:
            key, block = arrival.chain, arrival.block
            chain = self._chain(key, arrival.school, arrival.district)
            self._remember_neighbours(chain, key, block.seq)
            broken = chain.link(block.seq, block.previous, block.hash)
            chain.add(block.seq)
            if arrival.layout.id == GAP_LAYOUT.id:
                broken += excuse(chain, block)
            file.dirty.add(key)
            self._remember_layout(arrival.layout)
            breaks += [ChainBreak(chain=key, seq=seq, school=arrival.school) for seq in broken]
        return breaks

    def _remember_layout(self, layout: Layout) -> None:
        self._layouts.setdefault(layout.id, layout)
        if len(self._layouts) > MAX_LAYOUTS:
            del self._layouts[next(iter(self._layouts))]

    def _remember_neighbours(self, chain: Chain, key: ChainKey, seq: int) -> None:
        """After a restart the ends of a chain are on disk only."""
        before, after = chain.neighbours_to_read(seq)
        if before and (data := self._find(chain, key, seq - 1)) is not None:
            chain.remember(hash_of=(seq - 1, Block.parse(data).hash))
        if after and (data := self._find(chain, key, seq + 1)) is not None:
            chain.remember(previous_of=(seq + 1, Block.parse(data).previous))

    def _find(self, chain: Chain, key: ChainKey, seq: int) -> bytes | None:
        """The canonical bytes of a stored block, newest day first; None where it has aged out."""
        current = self._open.get(chain.district)
        for path in reversed(self._files(chain.district)):
            try:
                if current is not None and current.path == path:
                    found = current.find(key, seq)
                else:
                    found = find_block(path, key, seq)
            except (sqlite3.Error, zlib.error) as error:
                log.error("block %d in %s cannot be read: %s", seq, path, error)  # noqa: TRY400 - said in one line
                continue
            if found is not None:
                return found
        return None

    def _chain(self, key: ChainKey, school: str, district: str) -> Chain:
        chain = self._chains.get(key)
        if chain is None:
            chain = self._chains[key] = Chain(school, district)
        if chain.school == school:
            chain.district = district
        return chain

    # -- files

    def _file_for(self, district: str, received_ns: int) -> DayFile:
        """The file of the day of receipt; a wall clock that steps back stays in the newest."""
        day = day_of(received_ns)
        file = self._open.get(district)
        if district in self.unread:
            self._learn_again(district)
        if file is None:
            known = self._files(district)
            newest = known[-1].name.removesuffix(SUFFIX) if known else ""
            file = self._open_file(day_file(self._folder, district, max(day, newest)))
        elif day > file.day:
            self._checkpoint(file)
            file.close()
            del self._open[district]
            file = self._open_file(day_file(self._folder, district, day))
        if not file.complete:
            self._checkpoint(file, everything=True)
            self.retain(received_ns)
        return file

    def _open_file(self, path: Path) -> DayFile:
        file = DayFile(path)
        self._open[file.district] = file
        return file

    def _files(self, district: str) -> list[Path]:
        return sorted((self._folder / district).glob(f"*{SUFFIX}"))

    def districts(self) -> list[str]:
        """Districts that have blocks."""
        return sorted(path.name for path in self._folder.iterdir() if path.is_dir())

    def _learn_district(self, district: str) -> None:
        """Read back to the newest file whose watermarks cover all before it."""
        needed: list[DayFile] = []
        for path in reversed(self._files(district)):
            needed.append(DayFile(path))
            if needed[-1].complete:
                break
        for file in reversed(needed):
            self._learn(file)
            if file is needed[0]:
                self._open[district] = file
            else:
                file.close()

    def _learn_again(self, district: str) -> None:
        """A district that could not be read at the start; raises :class:`StoreError`."""
        try:
            self._learn_district(district)
        except (StoreError, sqlite3.Error) as error:
            raise StoreError(self.unread[district]) from error
        del self.unread[district]

    def _learn(self, file: DayFile) -> None:
        """Rebuild knowledge from a checkpoint and the rows after it."""
        for layout in file.layouts():
            self._remember_layout(layout)
        for key, school, stored, excused, skipped in file.watermarks():
            self._chain(key, school, file.district).restore(stored, excused, skipped)
        for row in file.tail():
            chain = self._chain(row.chain, row.school, file.district)
            chain.add(row.seq)
            if row.stream == GAP_LAYOUT.stream and row.data:
                excuse(chain, Block.parse(row.data))
            file.dirty.add(row.chain)
        self._newest_ns = max(self._newest_ns, file.newest_wall_ns())

    def _mark(self, file: DayFile, *, everything: bool = False) -> None:
        keys = [
            key
            for key, chain in self._chains.items()
            if (key in file.dirty or everything) and chain.district == file.district
        ]
        file.mark([(key, self._chains[key]) for key in keys], everything=everything)

    def _checkpoint(self, file: DayFile, *, everything: bool = False) -> None:
        try:
            file.begin()
            self._mark(file, everything=everything)
            file.commit()
        except sqlite3.Error as error:
            file.roll_back()
            if everything:  # a new day's file must know what the older ones hold
                raise StoreError(
                    f"no checkpoint could be written to {file.path}: {error}"
                ) from error
            log.warning("no checkpoint could be written to %s: %s", file.path, error)

    # -- retention

    def retain(self, now_ns: int) -> int:
        """Unlink day files past their time or the bound; return how many went.

        ``before_removal`` is called first with each; what it cannot keep stays, unless the disk
        bound takes it.
        """
        with self._lock:
            going = due(
                [path for district in self.districts() for path in self._files(district)],
                now_ns=min(now_ns, self._newest_ns),
                retention_days=self._retention_days,
                limit_bytes=self._limit_bytes,
                in_use={file.path for file in self._open.values()},
            )
            return sum(remove(path, old=old, keep=self.before_removal) for path, old in going)

    # -- reading

    def through(self, chain: ChainKey) -> int:
        """See the protocol."""
        with self._lock:
            known = self._chains.get(chain)
            return 0 if known is None else known.through

    def chains(self) -> dict[ChainKey, Chain]:
        """Everything known, for tests and for the loss ledger; do not change it."""
        return self._chains

    def layout(self, layout_id: bytes) -> Layout | None:
        """See the protocol."""
        return self._layouts.get(layout_id)

    def read(
        self,
        *,
        from_ns: int = 0,
        to_ns: int | None = None,
        school: str | None = None,
        stream: str | None = None,
    ) -> Iterator[StoredBlock]:
        """See the protocol."""
        last = "9999" if to_ns is None else day_of(to_ns)
        paths = [
            path
            for district in self.districts()
            for path in self._files(district)
            if path.name.removesuffix(SUFFIX) <= last
        ]
        cache: dict[bytes, Layout] = {}
        for path in sorted(paths, key=lambda path: (path.name, path.parent.name)):
            found = scan(path, cache, from_ns=from_ns, to_ns=to_ns, school=school, stream=stream)
            yield from self._good(path, found)

    def read_after(self, district: str, day: str, position: int, limit: int) -> list[StoredBlock]:
        """The next blocks of a district after a position, for exports that keep a cursor.

        Goes on to the next day's file where this one is read to its end and a newer one is there.
        """
        if len(self._read_layouts) > MAX_LAYOUTS:
            self._read_layouts = {}
        cache = self._read_layouts
        for path in self._files(district):
            name = path.name.removesuffix(SUFFIX)
            if name < day:
                continue
            after = position if name == day else 0
            found = list(self._good(path, scan(path, cache, after=after, limit=limit)))
            if found:
                return found
        return []

    def _good(self, path: Path, found: Iterator[StoredBlock | int]) -> Iterator[StoredBlock]:
        for item in found:
            if isinstance(item, int):
                self._damaged += 1
                log.error("row %d of %s is damaged: its CRC does not fit; skipped", item, path)
            else:
                yield item

    def usage(self) -> Usage:
        """See the protocol."""
        files = [path for district in self.districts() for path in self._files(district)]
        days = sorted(path.name.removesuffix(SUFFIX) for path in files)
        return Usage(
            files=len(files),
            bytes=sum(size_of(path) for path in files),
            oldest_day=days[0] if days else None,
            newest_day=days[-1] if days else None,
            damaged_rows=self._damaged,
        )
