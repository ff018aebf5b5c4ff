"""The export: at least once, in order, over every failure; and a real server at the other end."""

import asyncio
import json
import shutil
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.store.blocks import SqliteBlockStore
from controller.store.influx import (
    BATCH_BLOCKS,
    REPLAY_SECONDS,
    ExportError,
    InfluxExport,
    InfluxTarget,
    RefusedLinesError,
)
from controller.store.protocols import DAY_NS
from tenone.cli.processes import free_port
from tenone.config.city import Influx
from tenone.runtime.clock import ManualClock, SystemClock

from .conftest import NOON_NS, FakeJournal
from .harness import until


class Server:
    """Remembers what it took; may be down, or refuse a text."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.down = False
        self.refuses = ""

    def write(self, lines: str) -> None:
        if self.down:
            raise ExportError("connection refused")
        if self.refuses and self.refuses in lines:
            raise RefusedLinesError("400 Bad Request")
        self.taken += lines.splitlines()

    def close(self) -> None:
        self.down = True


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = SqliteBlockStore(folder / "blocks")
        self.store.start()
        self.server = Server()
        self.clock = ManualClock()
        self.journal = FakeJournal()
        self.export = self.restarted()

    def restarted(self) -> InfluxExport:
        self.export = InfluxExport(
            source=self.store,
            target=self.server,
            cursor_file=self.folder / "export.json",
            city="binhai",
            clock=self.clock,
        )
        return self.export

    def commit(self, count: int, *, day: int = 0) -> None:
        blocks = [self.journal.ports(ports=("GE1",)) for _ in range(count)]
        at = NOON_NS + day * DAY_NS
        self.store.commit([self.journal.arrival(block, received_ns=at) for block in blocks])

    def all(self) -> None:
        while self.export.step():
            pass


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.store.close()


def test_everything_goes_once_and_then_only_what_is_new(bench: Bench) -> None:
    bench.commit(BATCH_BLOCKS + 7)
    bench.commit(3, day=1)
    bench.all()
    assert len(bench.server.taken) == BATCH_BLOCKS + 10
    assert not bench.export.step()
    bench.commit(2, day=1)
    bench.all()
    assert len(bench.server.taken) == BATCH_BLOCKS + 12
    assert bench.export.figures.blocks == BATCH_BLOCKS + 12


def test_a_restart_goes_on_but_sends_the_last_minute_again(bench: Bench) -> None:
    bench.commit(5)
    bench.all()
    bench.clock.advance(REPLAY_SECONDS)
    bench.all()
    bench.commit(3)
    bench.all()
    bench.server.taken.clear()
    bench.restarted()
    bench.all()
    assert len(bench.server.taken) == 3, "what a server may not have written yet"


def test_before_the_first_minute_is_over_all_of_it_is_sent_again(bench: Bench) -> None:
    bench.commit(5)
    bench.all()
    bench.server.taken.clear()
    bench.restarted().step()
    assert len(bench.server.taken) == 5


def test_a_block_the_server_refuses_is_skipped_alone(bench: Bench) -> None:
    bench.commit(2)
    odd = bench.journal.ports(ports=("odd",))
    bench.store.commit([bench.journal.arrival(odd)])
    bench.commit(2)
    bench.server.refuses = "row=odd"
    bench.all()
    assert len(bench.server.taken) == 4
    assert (bench.export.figures.blocks, bench.export.figures.refused) == (4, 1)


async def test_a_server_that_is_down_is_tried_again_and_nothing_is_left_out(bench: Bench) -> None:
    bench.commit(5)
    bench.server.down = True
    task = asyncio.create_task(bench.export.run())
    await until(lambda: bench.export.figures.failures >= 1, 20, "the failure is told")
    assert "refused" in bench.export.figures.trouble
    bench.server.down = False
    for _ in range(200):
        bench.clock.advance(1)
        await asyncio.sleep(0.01)
        if bench.server.taken:
            break
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(bench.server.taken) == 5
    assert bench.export.figures.trouble == ""


def test_a_failure_goes_back_to_what_was_settled(bench: Bench) -> None:
    bench.commit(4)
    bench.all()
    assert bench.export._cursor != bench.export._kept
    bench.export._go_back()
    bench.server.taken.clear()
    bench.all()
    assert len(bench.server.taken) == 4, "the server may have lost what it had not written"


@pytest.mark.parametrize("text", ["", "no json", "{}", '{"cursor": 5}', '{"cursor": {"a": 1}}'])
def test_a_spoilt_cursor_exports_all_anew(bench: Bench, text: str) -> None:
    (bench.folder / "export.json").write_text(text)
    bench.commit(3)
    bench.restarted().step()
    assert len(bench.server.taken) == 3


def test_a_cursor_that_cannot_be_kept_is_told(bench: Bench) -> None:
    bench.commit(1)
    bench.all()
    bench.clock.advance(REPLAY_SECONDS)
    (bench.folder / "file").touch()
    bench.export._file = bench.folder / "file" / "export.json"
    with pytest.raises(ExportError, match="cannot be kept"):
        bench.export.step()


VICTORIA = shutil.which("victoria-metrics")


@pytest.fixture
async def victoria(tmp_path: Path) -> AsyncIterator[int]:
    """Debian's real server; returns its port."""
    if VICTORIA is None:
        pytest.skip("victoria-metrics is missing: sudo apt-get install victoria-metrics")
    port = free_port()
    with (tmp_path / "victoria.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            VICTORIA,
            f"-storageDataPath={tmp_path / 'victoria'}",
            f"-httpListenAddr=127.0.0.1:{port}",
            "-search.latencyOffset=0s",
            "-memory.allowedBytes=256MB",
            stdout=log,
            stderr=log,
        )
    try:
        await until(lambda: answers(port), 30, "VictoriaMetrics answers")
        yield port
    finally:
        process.terminate()
        async with asyncio.timeout(30):
            await process.wait()


def answers(port: int) -> bool:
    try:
        return bool(get(port, "/health"))
    except OSError:
        return False


def get(port: int, path: str, **query: str) -> bytes:
    url = f"http://127.0.0.1:{port}{path}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        body: bytes = answer.read()
        return body


def exported(port: int) -> list[dict[str, Any]]:
    """Every series the server holds, as it says itself."""
    get(port, "/internal/force_flush")
    body = get(port, "/api/v1/export", **{"match[]": '{city="binhai"}'})
    return [json.loads(line) for line in body.splitlines()]


@pytest.mark.parametrize("path", ["", "/influx"])
async def test_a_real_server_has_exactly_what_was_committed(
    tmp_path: Path, victoria: int, path: str
) -> None:
    now_ns = SystemClock().wall_ns() // 10**9 * 10**9
    store = SqliteBlockStore(tmp_path / "blocks")
    store.start()
    journal = FakeJournal()
    for number in range(20):
        at = now_ns - (20 - number) * 10**9
        block = journal.ports(speed_mbps=[number, 1000, None], wall_ns=at)
        store.commit([journal.arrival(block)])
    export = InfluxExport(
        source=store,
        target=InfluxTarget(Influx(url=f"http://127.0.0.1:{victoria}{path}")),
        cursor_file=tmp_path / "export.json",
        city="binhai",
        clock=SystemClock(),
    )
    task = asyncio.create_task(export.run())
    await until(lambda: export.figures.blocks == 20, 30, "all blocks are exported")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await until(lambda: len(exported(victoria)) == 17, 30, "all series are there")
    series = {(one["metric"]["__name__"], one["metric"]["row"]): one for one in exported(victoria)}
    speeds = series["port_state_speed_mbps", "GE1"]
    assert speeds["values"] == list(range(20))
    assert speeds["timestamps"] == [(now_ns - (20 - n) * 10**9) // 10**6 for n in range(20)]
    assert ("port_state_speed_mbps", "XGE1") not in series, "unknown is not exported"
    assert speeds["metric"]["school"] == "no1"
    assert speeds["metric"]["district"] == "east"
    export.close()
    store.close()


async def test_a_server_that_is_not_there_is_an_export_error() -> None:
    target = InfluxTarget(Influx(url=f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(ExportError, match="cannot be reached"):
        await asyncio.to_thread(target.write, "m f=1i 1\n")
    target.close()


async def test_lines_a_server_refuses_are_told_apart(victoria: int) -> None:
    target = InfluxTarget(Influx(url=f"http://127.0.0.1:{victoria}"))
    try:
        await asyncio.to_thread(target.write, "no line protocol at all\n")
    except RefusedLinesError as error:
        assert "400" in str(error)  # noqa: PT017 - a server may also skip the line and say yes
    target.close()
