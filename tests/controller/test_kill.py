"""Truth under kill: the controller dies by -9 again and again, and nothing is lost or doubled."""

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from controller.store.dayfile import scan
from controller.store.protocols import StoredBlock
from drivers.wire.embedded import EmbeddedBroker
from tenone.cli.processes import free_port
from tenone.vocabulary.states import PriorityClass

from .harness import SchoolAgent, write_city

BLOCKS = 2000
START_SECONDS = 60.0


class Process:
    """``tenone controller`` as a process of its own."""

    def __init__(self, config: Path, log: Path) -> None:
        self._config = config
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tenone.cli", "controller", "-c", str(self._config),
                "--ready-json", stdout=asyncio.subprocess.PIPE, stderr=log,
            )  # fmt: skip
        assert self._process.stdout is not None
        async with asyncio.timeout(START_SECONDS):
            line = await self._process.stdout.readline()
        assert line, self._log.read_text()[-3000:]
        assert json.loads(line)["ready"] is True

    async def end(self, number: signal.Signals) -> int:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)
        async with asyncio.timeout(30):
            return await self._process.wait()


def stored(folder: Path) -> list[StoredBlock]:
    """What lies in the day files; nobody writes them now."""
    found: list[StoredBlock] = []
    for path in sorted((folder / "store" / "blocks").glob("*/*.blocks")):
        with contextlib.suppress(sqlite3.OperationalError):  # killed before its tables were made
            for item in scan(path, {}):
                assert isinstance(item, StoredBlock), "a damaged row"
                found.append(item)
    return found


def watermark(blocks: list[StoredBlock], priority: PriorityClass) -> int:
    seqs = {one.block.seq for one in blocks if one.block.priority is priority}
    through = 0
    while through + 1 in seqs:
        through += 1
    return through


@pytest.fixture
async def broker() -> AsyncIterator[EmbeddedBroker]:
    async with EmbeddedBroker() as broker:
        yield broker


async def run(folder: Path, broker: EmbeddedBroker, kills: int) -> None:
    city = write_city(folder, broker_port=broker.port, http_port=free_port(), schools=["no1"])
    process = Process(city, folder / "controller.log")
    await process.start()
    async with SchoolAgent(folder / "agent", port=broker.port, resend_seconds=1.0) as agent:
        fed = asyncio.create_task(feed(agent, kills))
        for number in range(kills):
            await asyncio.sleep(0.4 + 0.13 * (number % 7))  # anywhere in what it does
            await process.end(signal.SIGKILL)
            kept = stored(folder)
            await asyncio.sleep(0.3)  # receipts that were under way still arrive
            for priority in (PriorityClass.P1, PriorityClass.P2):
                base = agent.journal.base(priority)
                assert base <= watermark(kept, priority), "receipted, but not stored"
            await process.start()
        await fed
        await agent.drained(90)
    assert await process.end(signal.SIGTERM) == 0, (folder / "controller.log").read_text()[-3000:]
    blocks = stored(folder)
    counts = Counter((int(one.block.priority), one.block.seq) for one in blocks)
    assert sum(counts.values()) == len(agent.made) == BLOCKS
    assert max(counts.values()) == 1, "doubled"
    assert {(int(b.block.priority), b.block.seq): b.block.hash for b in blocks} == agent.made


async def feed(agent: SchoolAgent, kills: int) -> None:
    """Blocks over the whole time, in bursts; every tenth of another class."""
    pause = 0.004 * max(kills, 3)
    for number in range(BLOCKS):
        if number % 10 == 9:
            await agent.keep_board(online=[1])
        else:
            await agent.keep_ports(last_change_ticks=[number, number, number])
        if number % 20 == 0:
            await asyncio.sleep(pause * 5)


@pytest.mark.slow
async def test_five_kills_lose_and_double_nothing(tmp_path: Path, broker: EmbeddedBroker) -> None:
    await run(tmp_path, broker, 5)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_twenty_kills_lose_and_double_nothing(tmp_path: Path, broker: EmbeddedBroker) -> None:
    await run(tmp_path, broker, 20)


async def test_sigterm_drains_and_leaves_nothing_behind(
    tmp_path: Path, broker: EmbeddedBroker
) -> None:
    city = write_city(tmp_path, broker_port=broker.port, http_port=free_port(), schools=["no1"])
    process = Process(city, tmp_path / "controller.log")
    await process.start()
    async with SchoolAgent(tmp_path / "agent", port=broker.port) as agent:
        for _ in range(50):
            await agent.keep_ports()
        await agent.drained(30)
        assert await process.end(signal.SIGTERM) == 0
    assert not list((tmp_path / "store" / "blocks").glob("*/*-wal")), "closed, not torn away"
    assert watermark(stored(tmp_path), PriorityClass.P1) == 50
    assert "error" not in (tmp_path / "controller.log").read_text()
    assert os.path.exists(tmp_path / "store" / "host-state.json")  # noqa: PTH110, ASYNC240 - one look
