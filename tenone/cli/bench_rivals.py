"""The same switches through other people's pollers, asked for the same sixteen columns."""

import asyncio
import contextlib
import importlib
import json
import shutil
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drivers.snmp.ber import Oid, oid_text
from tenone.cli.bench_switches import COLUMNS, PORTS, expected

EXPORTER = "prometheus-snmp-exporter"
GUFO_SECONDS = 1.0


@dataclass(slots=True)
class Score:
    """Sweeps delivered and what was wrong with them."""

    sweeps: int = 0
    values: int = 0
    wrong: int = 0
    failed: int = 0
    errors: dict[str, int] = field(default_factory=dict)

    def fail(self, error: BaseException) -> None:
        """Count a sweep that ended in an error."""
        self.failed += 1
        name = type(error).__name__
        self.errors[name] = self.errors.get(name, 0) + 1


Sweeper = Callable[[int], Coroutine[Any, Any, dict[str, Any]]]
"""Takes a port, returns what a switch said, by the text of its object identifiers."""

_EXPECTED = {
    oid_text((*column, port + 1)): values[port]
    for (_, column, _), values in zip(COLUMNS, expected().values(), strict=True)
    for port in range(PORTS)
}


def check(said: dict[str, Any], score: Score) -> None:
    """Compare one sweep with the truth, value by value."""
    score.sweeps += 1
    score.values += len(said)
    if said != _EXPECTED:
        score.wrong += sum(said.get(name) != value for name, value in _EXPECTED.items())


async def run_for(
    seconds: float, ports: tuple[int, ...], workers: int, sweep: Sweeper, score: Score
) -> None:
    """Let ``workers`` tasks sweep the switches in turn until the time is over."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    turn = iter(range(1 << 62))

    async def work() -> None:
        while loop.time() < end:
            port = ports[next(turn) % len(ports)]
            try:
                check(await sweep(port), score)
            except (Exception, _panic()) as error:  # noqa: BLE001 - a rival's errors are its result
                score.fail(error)

    await asyncio.gather(*(work() for _ in range(workers)))


def _panic() -> type[BaseException]:
    """What gufo's Rust part raises past ``except Exception``, if it is installed."""
    with contextlib.suppress(ImportError, AttributeError):
        found = importlib.import_module("pyo3_runtime").PanicException
        if isinstance(found, type) and issubclass(found, BaseException):
            return found
    return ZeroDivisionError


def gufo_walk(port: int) -> Coroutine[Any, Any, dict[str, Any]]:
    """As users do: a session a switch, a GETBULK walk a column with the default settings."""
    client = importlib.import_module("gufo.snmp.aio")

    async def sweep() -> dict[str, Any]:
        said: dict[str, Any] = {}
        async with client.SnmpSession(addr="127.0.0.1", port=port, timeout=GUFO_SECONDS) as session:
            for _, column, _ in COLUMNS:
                said |= {name: value async for name, value in session.getbulk(oid_text(column))}
        return said

    return sweep()


def gufo_get(port: int) -> Coroutine[Any, Any, dict[str, Any]]:
    """At its best: GET of 48 known instances at a time."""
    client = importlib.import_module("gufo.snmp.aio")

    async def sweep() -> dict[str, Any]:
        said: dict[str, Any] = {}
        async with client.SnmpSession(addr="127.0.0.1", port=port, timeout=GUFO_SECONDS) as session:
            for names in _GETS:
                said.update(await session.get_many(names))
        return said

    return sweep()


_GETS = [[oid_text((*column, port)) for port in range(1, PORTS + 1)] for _, column, _ in COLUMNS]


@dataclass(frozen=True, slots=True)
class Exporter:
    """A running prometheus-snmp-exporter."""

    pid: int
    port: int

    def sweep(self, target: int) -> Coroutine[Any, Any, dict[str, Any]]:
        """One scrape of one switch, its lines read back into objects and values."""
        return self._sweep(target)

    async def _sweep(self, target: int) -> dict[str, Any]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            request = (
                f"GET /snmp?module=bench&target=127.0.0.1:{target} HTTP/1.0\r\n"
                "Host: 127.0.0.1\r\n\r\n"  # 1.0: no chunks to put together again
            )
            writer.write(request.encode())
            answer = (await reader.read()).decode()
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        if not answer.startswith("HTTP/1.0 200"):
            raise RuntimeError(answer.partition("\r\n")[0])
        said: dict[str, Any] = {}
        for line in answer.splitlines():
            metric, brace, rest = line.partition("{")
            if brace and metric in _METRICS:
                labels, _, number = rest.partition("} ")
                index = labels.partition('ifIndex="')[2].partition('"')[0]
                said[f"{_METRICS[metric]}.{index}"] = int(float(number))
        return said


_METRICS = {f"bench_{name}": oid_text(column) for name, column, _ in COLUMNS}


@asynccontextmanager
async def exporter(folder: Path) -> AsyncIterator[Exporter | None]:
    """Run Debian's exporter with a module for the sixteen columns; None where it is not there."""
    program = shutil.which(EXPORTER)
    if program is None:
        yield None
        return
    settings = folder / "snmp.json"  # YAML takes JSON
    settings.write_text(json.dumps({"bench": _module()}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    process = await asyncio.create_subprocess_exec(
        program,
        f"--config.file={settings}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await _listening(port, process)
        yield Exporter(process.pid, port)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _listening(port: int, process: asyncio.subprocess.Process) -> None:
    for _ in range(200):
        if process.returncode is not None:
            raise RuntimeError(f"{EXPORTER} ended with {process.returncode}")
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            await writer.wait_closed()
            return
        await asyncio.sleep(0.05)
    raise RuntimeError(f"{EXPORTER} did not listen within 10 s")


def _module() -> dict[str, Any]:
    def metric(name: str, column: Oid, kind: str) -> dict[str, Any]:
        return {
            "name": f"bench_{name}",
            "oid": oid_text(column),
            "type": kind,
            "help": name,
            "indexes": [{"labelname": "ifIndex", "type": "gauge"}],
        }

    return {
        "walk": [oid_text(column) for _, column, _ in COLUMNS],
        "metrics": [
            metric(name, column, "counter" if "COUNTER" in tag.name else "gauge")
            for name, column, tag in COLUMNS
        ],
        "version": 2,
        "auth": {"community": "public"},
    }
