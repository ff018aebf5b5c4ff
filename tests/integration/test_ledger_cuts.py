"""A process that writes to the ledger is killed, or its power cut: nothing acknowledged is lost."""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.trust.verify import rows_of, verify
from tests.integration.test_power_cut import FrozenDisk

KILLS = int(os.environ.get("TENONE_LEDGER_KILLS", "100"))
CUTS = int(os.environ.get("TENONE_LEDGER_CUTS", "20"))

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


class Writer:
    """The process, and what it was promised."""

    def __init__(self, folder: Path, acks: Path) -> None:
        self._words = [
            sys.executable,
            "-m",
            "tests.integration.ledger_writer",
            str(folder),
            str(acks),
        ]
        self._acks = acks
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        before = len(self.acknowledged())
        self._process = subprocess.Popen(self._words)
        until = time.monotonic() + 60
        while len(self.acknowledged()) < before + 50:
            assert time.monotonic() < until, "the writer does not write"
            assert self._process.poll() is None, "the writer ended by itself"
            time.sleep(0.005)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def acknowledged(self) -> list[str]:
        """The last line may be half written: then its acknowledgement was not seen."""
        text = self._acks.read_text() if self._acks.exists() else ""
        return text.split("\n")[:-1]


def lost(folder: Path, acknowledged: list[str]) -> tuple[set[str], int]:
    """Acknowledged entries that are not there, and entries that are there twice."""
    verdict = verify(folder)
    assert verdict.bad is None, verdict.bad
    found = Counter(
        body["subject"]
        for row in rows_of(folder)
        if (body := json.loads(row.body))["act"] == "test.write"
    )
    return set(acknowledged) - found.keys(), sum(count - 1 for count in found.values())


def test_kill_9_loses_nothing_acknowledged(tmp_path: Path) -> None:
    folder, chance = tmp_path / "ledger", random.Random(9)
    writer = Writer(folder, tmp_path / "acks")
    for _ in range(KILLS):
        writer.start()
        time.sleep(chance.uniform(0, 0.1))
        writer.kill()
        assert verify(folder).bad is None
    acknowledged = writer.acknowledged()
    gone, twice = lost(folder, acknowledged)
    segments = len(list(folder.glob("*.ledger")))
    print(
        f"\n{KILLS} kills: {len(acknowledged)} entries acknowledged, lost {len(gone)}, "
        f"twice {twice}, {segments} segments"
    )
    assert len(acknowledged) >= KILLS * 50
    assert (gone, twice) == (set(), 0)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[FrozenDisk]:
    made = FrozenDisk(tmp_path)
    try:
        made.mount()
        yield made
    finally:
        made.unmount()


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: mounts loop files")
@pytest.mark.skipif(shutil.which("mkfs.xfs") is None, reason="needs xfsprogs (mkfs.xfs)")
def test_a_power_cut_loses_nothing_acknowledged(tmp_path: Path, disk: FrozenDisk) -> None:
    chance = random.Random(10)
    writer = Writer(disk.mounted / "ledger", tmp_path / "acks")
    total = 0
    writer.start()
    try:
        for _ in range(CUTS):
            time.sleep(chance.uniform(0.1, 0.5))
            promised = writer.acknowledged()  # before the cut; what comes after it is owed nothing
            disk.cut()
            after = disk.look()
            try:
                # As a start after the cut does it: the log is replayed where the disk is writable.
                gone, twice = lost(after / "ledger", promised)
            finally:
                disk.done_looking()
            assert (gone, twice) == (set(), 0)
            total = len(promised)
    finally:
        writer.kill()
    print(f"\n{CUTS} power cuts: {total} entries promised by the last one, lost 0, chain whole")
    assert total > CUTS
