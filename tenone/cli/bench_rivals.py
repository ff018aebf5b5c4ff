"""The same switches through other people's pollers, asked for the same sixteen columns."""

import asyncio
import contextlib
import importlib
import json
import shutil
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drivers.snmp.ber import Oid, oid_text
from tenone.cli.bench_switches import (
    COLUMNS,
    PORTS,
    V3_PASSWORD,
    V3_USER,
    Load,
    rate,
    value,
)

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

_CELLS = {
    oid_text((*column, port)): (name, port)
    for name, column, _ in COLUMNS
    for port in range(1, PORTS + 1)
}
_EXPECTED = {oid: value(name, port) for oid, (name, port) in _CELLS.items()}
_RATES = {oid: rate(name, port) for oid, (name, port) in _CELLS.items()}


def check(said: dict[str, Any], score: Score, load: Load | None = None) -> None:
    """Compare one sweep with the truth, value by value."""
    score.sweeps += 1
    score.values += len(said)
    if said == _EXPECTED:
        return
    seconds = 0.0
    if load is not None and load.kind.moving:
        seconds = time.monotonic() - load.started
    for name, first in _EXPECTED.items():
        told = said.get(name)
        if told is None or not first <= told <= first + _RATES[name] * seconds:
            score.wrong += 1


async def run_for(seconds: float, load: Load, workers: int, sweep: Sweeper, score: Score) -> None:
    """Let ``workers`` tasks sweep the switches in turn until the time is over."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    turn, ports = iter(range(1 << 62)), load.ports

    async def work() -> None:
        while loop.time() < end:
            port = ports[next(turn) % len(ports)]
            try:
                check(await sweep(port), score, load)
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


@asynccontextmanager
async def gufo_kept(load: Load) -> AsyncIterator[dict[str, Sweeper]]:
    """By SNMPv3 with a session a switch, opened once: keys and engine ids are known."""
    client = importlib.import_module("gufo.snmp.aio")
    users = importlib.import_module("gufo.snmp.user")
    secret = V3_PASSWORD.encode()
    user = users.User(V3_USER, auth_key=users.Sha256Key(secret), priv_key=users.Aes128Key(secret))
    sessions: dict[int, Any] = {}
    async with contextlib.AsyncExitStack() as stack:
        for port in load.ports:
            session = client.SnmpSession(
                addr="127.0.0.1", port=port, user=user, timeout=GUFO_SECONDS
            )
            sessions[port] = await stack.enter_async_context(session)

        # A session takes one question at a time.
        turns = {port: asyncio.Lock() for port in load.ports}

        async def walk(port: int) -> dict[str, Any]:
            said: dict[str, Any] = {}
            async with turns[port]:
                for _, column, _ in COLUMNS:
                    found = sessions[port].getbulk(oid_text(column))
                    said |= {name: value async for name, value in found}
            return said

        async def get(port: int) -> dict[str, Any]:
            said: dict[str, Any] = {}
            async with turns[port]:
                for names in _GETS:
                    said.update(await sessions[port].get_many(names))
            return said

        yield {"gufo-walk-v3-kept": walk, "gufo-get-48-v3-kept": get}


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
