"""``tenone bench ledger``: appends to and verifications of an audit ledger, against plain SQLite.

One JSON line. ``plain`` is the same rows into a table without chain, triggers and indexes, one
commit each and the same ``synchronous=FULL``, in the same folder and the same run.
"""

import asyncio
import json
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from controller.trust.book import Book
from controller.trust.chain import Told, body_of, hasher
from controller.trust.entries import Entry
from controller.trust.ledger import AuditLedger
from controller.trust.queries import Filter, found
from controller.trust.segment import segments
from controller.trust.verify import verify
from tenone.cli.bench_machine import machine, version_of
from tenone.runtime.clock import SystemClock
from tenone.runtime.supervisor import Supervisor

BATCH = 5000


def ledger(
    seconds: Annotated[float, typer.Option(help="How long each way of writing runs.")] = 3.0,
    rows: Annotated[int, typer.Option(min=1000, help="Rows of the ledger to verify.")] = 1_000_000,
    writers: Annotated[int, typer.Option(min=1, help="Who write at once.")] = 64,
    folder: Annotated[Path | None, typer.Option(help="Where; else the temporary folder.")] = None,
) -> None:
    """Appends a second by one and by many writers, fsyncs, rows verified a second, bytes a row."""
    with tempfile.TemporaryDirectory(prefix="tenone-bench-", dir=folder) as made:
        here = Path(made)
        body: dict[str, Any] = {
            "bench": "ledger",
            "version": version_of("tenone"),
            "machine": machine(),
            "sqlite": sqlite3.sqlite_version,
            "fsyncs_per_s": round(_rate(seconds / 2, _fsync(here / "probe")), 1),
            "plain_per_s": round(_rate(seconds, _plain(here / "plain.db")), 1),
            "one_writer": asyncio.run(_served(here / "one", seconds, 1)),
            "many_writers": asyncio.run(_served(here / "many", seconds, writers)),
            "verify": {
                name: _verified(here / name, rows // share, name)
                for name, share in zip(_algorithms(), (1, 10), strict=False)
            },
        }
    typer.echo(json.dumps(body))
    if not all(one["whole"] for one in body["verify"].values()):
        raise typer.Exit(1)


def _entry(number: int) -> Entry:
    return Entry(
        act="maintenance.plan",
        actor="account:li.ming",
        scope="binhai/east/no3",
        subject=f"m-{number:012x}",
        detail={"from_ns": 1_790_000_000_000_000_000 + number, "reason": "更换三层交换机电源"},
    )


def _algorithms() -> list[str]:
    names = []
    for name in ("sha256", "sm3"):
        try:
            hasher(name)
        except ValueError:
            continue
        names.append(name)
    return names


def _rate(seconds: float, one: Callable[[int], None]) -> float:
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        one(count)
        count += 1
    return count / (time.perf_counter() - started)


def _fsync(file: Path) -> Callable[[int], None]:
    opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def one(_number: int) -> None:
        os.write(opened, bytes(4096))
        os.fdatasync(opened)

    return one


def _plain(file: Path) -> Callable[[int], None]:
    database = sqlite3.connect(file, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE rows (seq INTEGER PRIMARY KEY, body TEXT NOT NULL)")

    def one(number: int) -> None:
        told = Told(_entry(number), time.time_ns(), time.monotonic_ns())
        body = body_of(number, told, "boot").decode()
        database.execute("INSERT INTO rows (body) VALUES (?)", (body,))

    return one


async def _served(folder: Path, seconds: float, writers: int) -> dict[str, Any]:
    """Through the whole service: queue, thread, commit, and back."""
    clock = SystemClock()
    made = AuditLedger(Book(folder, city="bench", boot="boot"), clock)
    await made.open()
    waits: list[float] = []
    until = time.perf_counter() + seconds

    async def write() -> None:
        while (started := time.perf_counter()) < until:
            await made.write(_entry(len(waits)))
            waits.append(time.perf_counter() - started)

    async with Supervisor(clock) as tasks:
        tasks.start("ledger", made.run)
        started = time.perf_counter()
        await asyncio.gather(*(write() for _ in range(writers)))
        elapsed = time.perf_counter() - started
    await made.close()
    waits.sort()
    return {
        "writers": writers,
        "per_s": round(len(waits) / elapsed, 1),
        "entries_per_commit": round(made.figures.written / max(1, made.figures.commits), 2),
        "p50_ms": round(waits[len(waits) // 2] * 1e3, 3),
        "p99_ms": round(waits[len(waits) * 99 // 100] * 1e3, 3),
        "whole": verify(folder).bad is None,
    }


def _verified(folder: Path, rows: int, algorithm: str) -> dict[str, Any]:
    book = Book(folder, city="bench", boot="boot", algorithm=algorithm)
    started = time.perf_counter()
    for start in range(0, rows, BATCH):
        batch = range(start, min(start + BATCH, rows))
        now_ns, mono_ns = time.time_ns(), time.monotonic_ns()
        book.append([Told(_entry(number), now_ns, mono_ns) for number in batch])
    filled = time.perf_counter() - started
    book.close()
    verdict = verify(folder)
    size = sum(file.stat().st_size for file in folder.iterdir())
    started = time.perf_counter()
    newest = found(folder, Filter(act="maintenance", scopes=("binhai/east",)), 100)
    asked = time.perf_counter() - started
    return {
        "rows": verdict.rows,
        "whole": verdict.bad is None and len(newest) == 100,  # noqa: PLR2004 - as asked for
        "seconds": round(verdict.seconds, 3),
        "rows_per_s": round(verdict.rows / verdict.seconds),
        "filled_per_s": round(rows / filled),
        "bytes_per_row": round(size / verdict.rows, 1),
        "segments": len(segments(folder)),
        "newest_100_ms": round(asked * 1e3, 2),
    }
