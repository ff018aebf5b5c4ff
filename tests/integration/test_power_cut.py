import asyncio
import json
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenone.journal.journal import Journal
from tenone.journal.records import RecordKind, scan
from tenone.journal.segment import FORGOTTEN
from tenone.runtime.clock import SystemClock
from tenone.vocabulary.states import PriorityClass
from tests.integration.town import Key, Town, compare, kept

ROUNDS = int(os.environ.get("TENONE_POWER_CUTS", "20"))
DISK_BYTES = 256 * 1024 * 1024

pytestmark = [
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: mounts loop files"),
    pytest.mark.skipif(shutil.which("mkfs.xfs") is None, reason="needs xfsprogs (mkfs.xfs)"),
    pytest.mark.skipif(shutil.which("mosquitto") is None, reason="needs mosquitto"),
]


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


class FrozenDisk:
    """An ext4 disk in a file on an XFS that can copy a file in an instant.

    The copy holds what the disk was told to keep, and whatever else the kernel had
    already written: the state of a drive that honours flushes, at the moment of the cut.
    """

    def __init__(self, folder: Path) -> None:
        self._host = folder / "host"
        self._image = folder / "host.img"
        self.mounted = folder / "disk"
        self.after = folder / "after"
        self._cuts = 0
        for path in (self._host, self.mounted, self.after):
            path.mkdir()

    def mount(self) -> None:
        with self._image.open("wb") as file:
            file.truncate(4 * DISK_BYTES)
        run("mkfs.xfs", "-q", "-m", "reflink=1", str(self._image))
        run("mount", "-o", "loop", str(self._image), str(self._host))
        disk = self._host / "disk.img"
        with disk.open("wb") as file:
            file.truncate(DISK_BYTES)
        run("mkfs.ext4", "-q", "-F", str(disk))
        run("mount", "-o", "loop", str(disk), str(self.mounted))

    @property
    def _frozen(self) -> Path:
        """Of the newest cut. Each has a file of its own: a namespace that somebody makes in the
        middle keeps the last mount, and a mount of the same file would show that one again.
        """
        return self._host / f"cut-{self._cuts}.img"

    def cut(self) -> None:
        self._cuts += 1
        run("cp", "--reflink=always", str(self._host / "disk.img"), str(self._frozen))

    def look(self) -> Path:
        run("mount", "-o", "loop", str(self._frozen), str(self.after))
        return self.after

    def done_looking(self) -> None:
        run("umount", str(self.after))
        self._frozen.unlink()

    def unmount(self) -> None:
        for path in (self.after, self.mounted, self._host):
            subprocess.run(["umount", str(path)], check=False, capture_output=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[FrozenDisk]:
    made = FrozenDisk(tmp_path)
    try:
        made.mount()
        yield made
    finally:
        made.unmount()


def in_journals(data: Path) -> dict[Key, str]:
    """Every block the agents' journals still hold, opened as the agent opens them."""
    found: dict[Key, str] = {}
    for path in data.glob("outbox-*"):
        journal = Journal.open(
            path, clock=SystemClock(), agent="check", boot_id=bytes(16), limit_bytes=1 << 30
        )
        for priority in PriorityClass:
            for block in journal.pending(priority, 0, 1 << 40):
                found[block.journal_id.hex(), int(priority), block.seq] = block.hash.hex()
        journal.close()
    return found


def receipted(data: Path) -> dict[tuple[str, int], int]:
    """How far the running agents have been told that the controller has it on disk."""
    found: dict[tuple[str, int], int] = {}
    for folder in data.glob("outbox-*"):
        journal = json.loads((folder / "journal.json").read_text())["journal_id"]
        for path in folder.glob("p*/*.journal"):
            chain = (journal, int(path.parent.name[1:]))
            for record in scan(path.read_bytes()):
                if record.kind is RecordKind.FORGOTTEN:
                    through = FORGOTTEN.unpack(record.body)[0]
                    found[chain] = max(found.get(chain, 0), through)
    return found


async def test_a_power_cut_loses_nothing_that_was_promised(
    tmp_path: Path, disk: FrozenDisk
) -> None:
    """Two promises: kept is in the journal or the store, receipted is in the store.

    In every other round the broker is away before the cut, so that the journals alone must
    have what was kept; without their fsync this test finds losses, and so it does with a
    store that receipts before its commit is on the disk.
    """
    town = Town(folder=tmp_path / "town", data=disk.mounted / "data")
    chance = random.Random(7)
    total_kept = lost = lost_receipted = doubled = changed = 0
    try:
        await town.start()
        for number in range(ROUNDS):
            await asyncio.sleep(chance.uniform(0.5, 2.0))
            if number % 2:
                await town.broker.kill()
                await asyncio.sleep(chance.uniform(0.5, 1.5))
            told = receipted(town.data)
            promised = kept(town.folder)
            await asyncio.to_thread(disk.cut)
            if number % 2:
                await town.broker.start()
            after = await asyncio.to_thread(disk.look) / "data"
            truth = compare(town, after, promised, in_journals(after))
            owed = {key: has for key, has in promised.items() if key[2] <= told.get(key[:2], 0)}
            in_store = compare(town, after, owed)
            await asyncio.to_thread(disk.done_looking)
            total_kept = truth.kept
            lost += len(truth.lost)
            lost_receipted += len(in_store.lost)
            doubled += len(truth.doubled) + len(truth.sweeps_doubled)
            changed += len(truth.changed)
    finally:
        await town.stop()
    print(
        f"\n{ROUNDS} power cuts: {total_kept} blocks promised by the last one, lost {lost}, "
        f"receipted and not stored {lost_receipted}, doubled {doubled}, changed {changed}"
    )
    assert total_kept > ROUNDS
    assert (lost, lost_receipted, doubled, changed) == (0, 0, 0, 0)
