"""R4 and R16 of TRUST.md: the ledger's disk full, gone, read-only, changed; and what heals."""

import asyncio
import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from controller.trust.book import Book
from controller.trust.chain import Told
from controller.trust.entries import Entry, LedgerError
from controller.trust.ledger import AuditLedger
from controller.trust.segment import segments
from controller.trust.verify import rows_of, verify
from tenone.runtime.clock import SystemClock
from tenone.runtime.supervisor import Supervisor

ENTRY = Entry(act="test.write", actor="system", detail={"text": "x" * 2000})


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries again sooner than once a second."""
    monkeypatch.setattr("controller.trust.ledger.RETRY_SECONDS", 0.05)


@contextlib.asynccontextmanager
async def running(folder: Path) -> AsyncIterator[AuditLedger]:
    clock = SystemClock()
    ledger = AuditLedger(Book(folder, city="city", boot="b"), clock)
    await ledger.open()
    async with Supervisor(clock) as tasks:
        tasks.start("ledger", ledger.run)
        yield ledger
    await ledger.close()


async def heals(ledger: AuditLedger) -> None:
    """By itself: nobody writes meanwhile."""
    async with asyncio.timeout(20):
        while ledger.figures.trouble or ledger.figures.held:  # noqa: ASYNC110 - as an outsider sees it
            await asyncio.sleep(0.05)


def acts(folder: Path) -> list[str]:
    return [json.loads(row.body)["act"] for row in rows_of(folder)]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: mounts a tmpfs")
async def test_a_full_disk(small_disk: Path) -> None:
    folder = small_disk / "ledger"
    acknowledged = 0
    async with running(folder) as ledger:
        with contextlib.suppress(LedgerError):
            for _ in range(1000):
                await ledger.write(ENTRY)
                acknowledged += 1
        assert 20 < acknowledged < 1000
        assert "full" in ledger.health().sentence
        assert not ledger.health().ready
        with pytest.raises(LedgerError, match="full"):
            await ledger.write(ENTRY)
        assert verify(folder).bad is None
        remount = ["mount", "-o", "remount,size=8m", str(small_disk)]
        await asyncio.to_thread(subprocess.run, remount, check=True)
        await heals(ledger)
        await ledger.write(ENTRY)
        assert ledger.health().ready
    assert verify(folder).bad is None
    assert acts(folder).count("test.write") == acknowledged + 1
    assert acts(folder).count("ledger.gap") == 1


def moved_away(folder: Path) -> Callable[[], None]:
    away = folder.with_name("away")
    folder.rename(away)

    def mend() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        away.rename(folder)

    return mend


def file_removed(folder: Path) -> Callable[[], None]:
    kept = folder.with_name("kept")
    shutil.copytree(folder, kept)
    for file in folder.iterdir():
        file.unlink()

    def mend() -> None:
        shutil.rmtree(folder)
        kept.rename(folder)

    return mend


def log_removed(folder: Path) -> Callable[[], None]:
    """SQLite itself would go on writing into a file without a name."""
    kept = folder.with_name("kept")
    shutil.copytree(folder, kept)
    for file in folder.glob("*-wal"):
        file.unlink()

    def mend() -> None:
        shutil.rmtree(folder)
        kept.rename(folder)

    return mend


def another_ledger(folder: Path) -> Callable[[], None]:
    mend = moved_away(folder)
    book = Book(folder, city="city", boot="b")
    book.append([Told(ENTRY, 1, 1)] * 3)
    book.close()
    return mend


def older_copy(folder: Path) -> Callable[[], None]:
    """Somebody brings a backup back while it runs: entries that were acknowledged are not in it."""
    mend = moved_away(folder)
    shutil.copytree(folder.with_name("away"), folder)
    (file,) = segments(folder)
    database = sqlite3.connect(file)
    database.execute("DROP TRIGGER entries_DELETE")
    database.execute("DELETE FROM entries WHERE seq > 3")
    database.commit()
    database.close()
    return mend


def changed_head(folder: Path) -> Callable[[], None]:
    (file,) = segments(folder)
    database = sqlite3.connect(file)
    database.execute("DROP TRIGGER entries_UPDATE")

    def edit(before: str, after: str) -> None:
        database.execute(
            "UPDATE entries SET body = replace(body, ?, ?) WHERE seq = 6", (before, after)
        )
        database.execute("UPDATE entries SET hash = zeroblob(32) WHERE seq = 6")
        database.commit()

    kept = database.execute("SELECT hash FROM entries WHERE seq = 6").fetchone()
    edit("xxx", "yyy")

    def mend() -> None:
        edit("yyy", "xxx")
        database.execute("UPDATE entries SET hash = ? WHERE seq = 6", kept)
        database.commit()
        database.close()

    return mend


@pytest.mark.parametrize(
    "harm", [moved_away, file_removed, log_removed, another_ledger, older_copy, changed_head]
)
async def test_files_that_are_not_what_they_were(
    tmp_path: Path, harm: Callable[[Path], Callable[[], None]]
) -> None:
    folder = tmp_path / "ledger"
    async with running(folder) as ledger:
        for _ in range(5):
            await ledger.write(ENTRY)
        mend = harm(folder)
        with pytest.raises(LedgerError, match="cannot be written"):
            await ledger.write(ENTRY)
        assert not ledger.health().ready
        mend()
        await heals(ledger)
        await ledger.write(ENTRY)
    assert verify(folder).bad is None
    assert acts(folder) == ["ledger.begin", *["test.write"] * 5, "ledger.gap", "test.write"]


async def test_a_file_that_is_gone_is_seen_without_a_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.trust.ledger.LOOK_SECONDS", 0.05)
    folder = tmp_path / "ledger"
    async with running(folder) as ledger:
        mend = moved_away(folder)
        async with asyncio.timeout(10):
            while ledger.health().ready:  # noqa: ASYNC110 - as /readyz sees it
                await asyncio.sleep(0.02)
        mend()
        await heals(ledger)


async def test_a_start_without_a_disk(tmp_path: Path) -> None:
    """The controller starts; what must be ledgered is refused until the disk is there."""
    place = tmp_path / "ledger"
    place.write_text("not a folder")
    async with running(place) as ledger:
        with pytest.raises(LedgerError):
            await ledger.write(ENTRY)
        place.unlink()
        await heals(ledger)
        await ledger.write(ENTRY)
    assert verify(place).bad is None


async def test_notes_wait_for_the_ledger(tmp_path: Path) -> None:
    """What happened by itself is not lost: the catch-up is exact."""
    folder = tmp_path / "ledger"
    async with running(folder) as ledger:
        mend = moved_away(folder)
        with pytest.raises(LedgerError):
            await ledger.write(ENTRY)
        for number in range(700):
            ledger.note(Entry(act="test.note", actor="system", detail={"n": number}))
        mend()
        await heals(ledger)
    noted = [
        json.loads(row.body)["detail"]["n"] for row in rows_of(folder) if b"test.note" in row.body
    ]
    assert noted == list(range(700))
