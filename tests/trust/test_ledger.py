import asyncio
import contextlib
import json
import sqlite3
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from controller.trust.book import Book
from controller.trust.chain import Head, Told
from controller.trust.entries import Entry, LedgerError
from controller.trust.ledger import AuditLedger
from controller.trust.segment import Segment, segments
from tenone.runtime.clock import SystemClock
from tenone.runtime.supervisor import Supervisor


def bodies(folder: Path) -> list[dict[str, object]]:
    found = []
    for file in segments(folder):
        segment = Segment(file)
        found += [json.loads(row.body) for row in segment.rows()]
        segment.close()
    return found


@contextlib.asynccontextmanager
async def running(folder: Path) -> AsyncIterator[tuple[AuditLedger, Supervisor]]:
    clock = SystemClock()
    ledger = AuditLedger(Book(folder, city="city", boot="b"), clock)
    await ledger.open()
    async with Supervisor(clock) as tasks:
        tasks.start("ledger", ledger.run)
        yield ledger, tasks
    await ledger.close()


async def test_what_is_written_is_there(tmp_path: Path) -> None:
    async with running(tmp_path / "ledger") as (ledger, _):
        await asyncio.gather(
            *(ledger.write(Entry(act="a.b", actor="system", detail={"n": n})) for n in range(100))
        )
        assert ledger.figures.written == 100
        assert ledger.figures.commits < 100  # one fsync for several
        found = bodies(tmp_path / "ledger")
    assert [body["seq"] for body in found] == list(range(1, 102))
    assert found[0]["act"] == "ledger.begin"
    assert sorted(body["detail"]["n"] for body in found[1:]) == list(range(100))  # type: ignore[index] # JSON


async def test_it_goes_on_where_it_ended(tmp_path: Path) -> None:
    for number in range(3):
        async with running(tmp_path) as (ledger, _):
            await ledger.write(Entry(act="a.b", actor="system", detail={"n": number}))
    assert [body["seq"] for body in bodies(tmp_path)] == [1, 2, 3, 4]


async def test_a_dead_writer_refuses_and_a_new_one_writes(tmp_path: Path) -> None:
    entry = Entry(act="a.b", actor="system")
    async with running(tmp_path) as (ledger, tasks):
        await ledger.write(entry)
        await tasks.stop("ledger")
        with pytest.raises(LedgerError, match="stopped"):
            await ledger.write(entry)
        tasks.start("ledger", ledger.run)
        await asyncio.sleep(0)
        await ledger.write(entry)
    assert len(bodies(tmp_path)) == 3


@pytest.mark.parametrize(
    "statement", ["UPDATE entries SET body = '{}'", "DELETE FROM entries", "DELETE FROM about"]
)
async def test_rows_stay(tmp_path: Path, statement: str) -> None:
    async with running(tmp_path):
        pass
    (file,) = segments(tmp_path)
    database = sqlite3.connect(file)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        database.execute(statement)
    database.close()


async def test_who_gave_up_while_it_was_written_is_said_not_to_have_acted(tmp_path: Path) -> None:
    """A request that was cut off after its entry went to the disk, and before it could act."""
    entry = Entry(act="link.disable", actor="account:li", scope="c/e/no1", subject="no1/uplink")
    async with running(tmp_path) as (ledger, _):
        begun, go_on = threading.Event(), threading.Event()
        append = ledger.book.append

        def slowly(told: Sequence[Told]) -> Head:
            begun.set()
            assert go_on.wait(20)
            return append(told)

        ledger.book.append = slowly  # type: ignore[method-assign] # a slow disk
        asking = asyncio.create_task(ledger.write(entry))
        assert await asyncio.to_thread(begun.wait, 20)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        go_on.set()
        async with asyncio.timeout(20):
            while len(bodies(tmp_path)) < 3:  # noqa: ASYNC110 - as an outsider sees it
                await asyncio.sleep(0.01)
    said = [(body["act"], body["outcome"], body["subject"]) for body in bodies(tmp_path)[1:]]
    assert said == [
        ("link.disable", "done", "no1/uplink"),
        ("link.disable", "failed", "no1/uplink"),
    ]
