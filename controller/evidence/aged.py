"""What stays of raw blocks that age out: their hashes, and whole those that show a change.

One file a school and UTC day of receipt, a bundle's container without a report. Hashes alone prove
with a checkpoint's tree which blocks there were and in which order; a block kept whole is proved by
its own bytes (docs/decisions/0008). Written whole or not at all, before the raw file goes.
"""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from controller.evidence import bundle
from controller.evidence.bundle import BundleError, Hashes
from controller.store.dayfile import SUFFIX, scan
from controller.store.files import replace_file
from controller.store.protocols import ChainKey, StoredBlock, StoreError
from controller.store.rollups import Rollups
from tenone.blocks.block import Block
from tenone.blocks.layout import Layout
from tenone.journal.disk import sync_folder

log = logging.getLogger(__name__)

STUBS = ".stubs"
KEEP_STUB_DAYS = 400
"""A year and a month: so long a month's report can be proved block by block."""


@dataclass(slots=True)
class Aged:
    """What one file holds."""

    blocks: list[Block] = field(default_factory=list)
    layouts: dict[bytes, Layout] = field(default_factory=dict)
    hashes: list[Hashes] = field(default_factory=list)


class Archive:
    """Writes and reads the files; :meth:`keep` runs in the block store's thread."""

    def __init__(self, folder: Path, rollups: Rollups) -> None:
        self._folder = folder
        self._rollups = rollups

    def keep(self, path: Path) -> None:
        """Keep what has to stay of a day file; raises :class:`StoreError`."""
        day = date.fromisoformat(path.name.removesuffix(SUFFIX))
        try:
            for school in _schools(path):
                self._keep_school(path, day, school)
        except (OSError, sqlite3.Error, BundleError) as error:
            raise StoreError(f"the stubs of {path} cannot be written: {error}") from error

    def _keep_school(self, path: Path, day: date, school: str) -> None:
        target = self._folder / school / f"{day}{STUBS}"
        if target.exists():
            return
        shown = self._shown(day, school)
        kept: list[StoredBlock] = []
        hashes: dict[ChainKey, dict[int, bytes]] = {}
        for stored in scan(path, {}, school=school):
            if isinstance(stored, int):
                continue  # damaged: the store has said so
            block = stored.block
            if block.hash in shown:
                kept.append(stored)
            chain = ChainKey(block.journal_id, block.priority)
            hashes.setdefault(chain, {})[block.seq] = block.hash
        sections = [
            *bundle.chunks("LAYT", list({s.layout.id: s.layout.document for s in kept}.values())),
            *bundle.chunks("BLKS", [stored.data for stored in kept]),
            *(("HASH", bundle.pack_hashes(one)) for one in consecutive(hashes)),
        ]
        target.parent.mkdir(parents=True, exist_ok=True)
        sync_folder(target.parent.parent)
        replace_file(target, bundle.write(sections))

    def _shown(self, day: date, school: str) -> set[bytes]:
        """Hashes of the blocks that begin or end a run around that day."""
        around = timedelta(days=1)
        found: set[bytes] = set()
        for run in self._rollups.runs(day - around, day + around):
            if run.link.startswith(f"{school}/"):
                found |= {run.first_hash, run.last_hash}
        return found

    def read(self, school: str, first: date, last: date) -> Iterator[Aged]:
        """What was kept of the UTC days; a damaged file is left out, and logged."""
        folder = self._folder / school
        if not folder.is_dir():
            return
        for path in sorted(folder.glob(f"*{STUBS}")):
            if not first.isoformat() <= path.name.removesuffix(STUBS) <= last.isoformat():
                continue
            sections, faults = bundle.read(path.read_bytes())
            if faults:
                log.error("%s is damaged: %s", path, faults[0])
                continue
            aged = Aged()
            for section in sections:
                match section.kind:
                    case "LAYT":
                        found = map(Layout.parse, bundle.unpack_list(section.body))
                        aged.layouts |= {layout.id: layout for layout in found}
                    case "BLKS":
                        aged.blocks += map(Block.parse, bundle.unpack_list(section.body))
                    case _:
                        aged.hashes.append(bundle.unpack_hashes(section.body))
            yield aged

    def has(self, school: str, day: date) -> bool:
        """Whether the raw blocks of a UTC day have aged out and left their hashes."""
        return (self._folder / school / f"{day}{STUBS}").exists()

    def retain(self, today: date) -> int:
        """Unlink what is past its days; returns how many files."""
        oldest = (today - timedelta(days=KEEP_STUB_DAYS)).isoformat()
        gone = 0
        for path in self._folder.glob(f"*/*{STUBS}"):
            if path.name.removesuffix(STUBS) < oldest:
                path.unlink(missing_ok=True)
                gone += 1
        return gone


def consecutive(hashes: dict[ChainKey, dict[int, bytes]]) -> Iterator[Hashes]:
    """Runs of numbers without a hole, each as one list."""
    for chain, own in sorted(hashes.items()):
        numbers = sorted(own)
        start = 0
        for end in range(1, len(numbers) + 1):
            if end == len(numbers) or numbers[end] != numbers[end - 1] + 1:
                part = numbers[start:end]
                values = tuple(own[seq] for seq in part)
                yield Hashes(chain.journal_id, chain.priority, part[0], values)
                start = end


def _schools(path: Path) -> list[str]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT DISTINCT school FROM journals ORDER BY school")
        return [school for (school,) in rows]
