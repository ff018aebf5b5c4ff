"""The gateway's seal over a real journal: what is kept is signed, once, also across starts."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from agents.checkpoints import INTERVAL_SECONDS, KEY_FILE, Checkpoints, SealKeyError, seal_key
from agents.health import HEALTH_LAYOUT
from agents.origin import Origin
from tenone.blocks.block import Block, Draft
from tenone.blocks.columns import Column
from tenone.blocks.seal import Checkpoint, Seal, merkle_root
from tenone.journal.disk import OsDisk
from tenone.journal.journal import Journal
from tenone.runtime.clock import ManualClock
from tenone.trust.envelope import KeyKey, Suite
from tenone.trust.sealed_files import SealedFiles, is_sealed
from tenone.vocabulary.metrics import AGENT_HEALTH
from tenone.vocabulary.states import PriorityClass
from tests.agents.conftest import Advance

P2 = PriorityClass.P2
DISK = OsDisk()


class Kept:
    """A journal that tells its witness, as the keeper does."""

    def __init__(self, folder: Path, origin: Origin) -> None:
        self.origin = origin
        self.folder = folder
        self.blocks: list[Block] = []
        self.open()

    def open(self) -> None:
        self.journal = Journal.open(
            self.folder,
            clock=self.origin.clock,
            agent="no3",
            boot_id=self.origin.boot_id,
            limit_bytes=10**7,
        )
        key = seal_key(self.folder, DISK)
        self.checkpoints = Checkpoints(
            origin=self.origin, keep=self.keep, journal=self.journal, key=key
        )

    async def keep(self, drafts: Sequence[Draft]) -> list[Block]:
        blocks = self.journal.append(drafts)
        self.blocks += blocks
        self.checkpoints.note(blocks)
        return blocks

    async def health(self, count: int) -> None:
        columns = [Column.of(name, [None]) for name in AGENT_HEALTH]
        for _ in range(count):
            await self.keep([Draft.of(HEALTH_LAYOUT, self.origin.stamp("gateway/agent"), columns)])

    @property
    def signed(self) -> list[Checkpoint]:
        return [
            Seal.of(block).check()
            for block in self.blocks
            if self.journal.layout(block.layout_id).stream == "checkpoint"
        ]


@pytest.fixture
def kept(tmp_path: Path, origin: Origin) -> Kept:
    return Kept(tmp_path / "outbox", origin)


def test_the_key_is_private_and_stays(tmp_path: Path) -> None:
    first = seal_key(tmp_path, DISK)
    path = tmp_path / KEY_FILE
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_bytes())["key"].startswith("ed25519:")
    assert seal_key(tmp_path, DISK).private_bytes_raw() == first.private_bytes_raw()


def test_a_torn_key_is_made_anew_and_a_broken_one_refused(tmp_path: Path) -> None:
    first = seal_key(tmp_path, DISK)
    path = tmp_path / KEY_FILE
    whole = path.read_bytes()
    path.write_bytes(whole[:40])
    assert seal_key(tmp_path, DISK).private_bytes_raw() != first.private_bytes_raw()
    path.write_bytes(b'{"format": 1}\n')
    with pytest.raises(SealKeyError, match="restore the file"):
        seal_key(tmp_path, DISK)


async def test_every_block_is_signed_once(kept: Kept) -> None:
    await kept.health(3)
    await kept.checkpoints.tell()
    await kept.health(2)
    await kept.checkpoints.tell()
    first, second = (checkpoint.heads[P2] for checkpoint in kept.signed)
    assert (first.first, first.last) == (1, 3)
    assert (second.first, second.last) == (4, 6), "the first checkpoint's own block too"
    hashes = {block.seq: block.hash for block in kept.blocks}
    assert first.proves(hashes)
    assert second.proves(hashes)
    assert second.hash == hashes[6]


async def test_a_gap_record_of_the_journal_is_signed_by_its_follower(kept: Kept) -> None:
    await kept.health(2)
    kept.journal.give_up(P2, 1)  # writes a block that no witness hears of
    await kept.health(1)
    await kept.checkpoints.tell()
    head = kept.signed[-1].heads[P2]
    (gap,) = (b for b in kept.journal.pending(P2, 2, 1) if b.seq == 3)
    hashes = {block.seq: block.hash for block in (*kept.blocks, gap)}
    assert (head.first, head.last) == (1, 4)
    assert head.proves(hashes)


async def test_after_a_start_heads_are_told_and_the_tree_begins_anew(kept: Kept) -> None:
    await kept.health(3)
    kept.journal.close()
    kept.open()
    await kept.checkpoints.tell()
    head = kept.signed[-1].heads[P2]
    assert (head.first, head.last) == (4, 3)
    assert head.hash == kept.blocks[2].hash
    assert head.root == merkle_root([])
    assert P2 in kept.signed[-1].heads
    assert PriorityClass.P0 not in kept.signed[-1].heads, "nothing was ever kept there"


async def test_what_cannot_be_kept_is_signed_with_the_next(kept: Kept) -> None:
    await kept.health(2)
    good, kept.checkpoints._keep = kept.checkpoints._keep, _refuse
    with pytest.raises(OSError):
        await kept.checkpoints.tell()
    kept.checkpoints._keep = good
    await kept.checkpoints.tell()
    head = kept.signed[-1].heads[P2]
    assert (head.first, head.last) == (1, 2)


async def _refuse(drafts: Sequence[Draft]) -> list[Block]:
    raise OSError("full")


async def test_one_a_minute(kept: Kept, clock: ManualClock, advance: Advance) -> None:
    task = asyncio.create_task(kept.checkpoints.run())
    await advance(3 * INTERVAL_SECONDS)
    task.cancel()
    assert kept.checkpoints.signed == 3


def test_the_key_is_sealed_where_there_is_a_vault(tmp_path: Path) -> None:
    clear = seal_key(tmp_path, DISK)
    key = KeyKey.fresh()
    files = SealedFiles(lambda: (Suite.AES, key))
    for _ in range(2):
        assert seal_key(tmp_path, DISK, files).private_bytes_raw() == clear.private_bytes_raw()
    text = (tmp_path / KEY_FILE).read_bytes()
    assert is_sealed(text)
    assert clear.private_bytes_raw().hex().encode() not in text
    with pytest.raises(SealKeyError, match="name that vault"):
        seal_key(tmp_path, DISK)
    made = seal_key(tmp_path / "other", DISK, files)
    assert is_sealed((tmp_path / "other" / KEY_FILE).read_bytes())
    assert seal_key(tmp_path / "other", DISK, files).private_bytes_raw() == made.private_bytes_raw()
