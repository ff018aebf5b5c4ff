"""``tenone bench console``: a step of configuration, typed by our loop and by netmiko's own.

One JSON line a dialect, all on simulated switches of this process that answer at once, both ways
in the same run: what counts is the ratio. No hardware was measured.
"""

import asyncio
import contextlib
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from drivers.cli.child_consoles import ChildConsoles
from drivers.cli.console import ConsoleLogin
from drivers.cli.dialect import Dialect, Line, PortSettings
from drivers.cli.dialects.registry import DIALECTS
from drivers.cli.hostkeys import HostKeyStore
from firmware_sims.switch.console.front import ConsoleFront, Consoles
from firmware_sims.switch.console.offer import DIALECTS as SPOKEN_BY
from firmware_sims.switch.model import Switch
from tenone.cli.bench_machine import machine, version_of
from tenone.runtime.clock import SystemClock
from tenone.trust.masked import Secret

WANTED_SECONDS = 0.5
_AROUND = frozenset({"system-view", "configure terminal", "end", "return", "quit", "exit"})
"""What ``send_config_set`` types by itself."""
_COMMIT = "commit"


def console(
    rounds: Annotated[int, typer.Option(min=2, help="Steps a dialect.")] = 20,
    theirs: Annotated[int, typer.Option(min=0, help="Of them by netmiko's own loop.")] = 2,
) -> None:
    """A configuration step on a kept session: our line loop beside netmiko's send_config_set."""
    slow = False
    for vendor, name in SPOKEN_BY.items():
        switch = Switch(name="bench", vendor=vendor, clock=SystemClock(), ports=4)
        front = ConsoleFront(switch, name)
        with _served(front), tempfile.TemporaryDirectory(prefix="tenone-bench-") as folder:
            host_keys = Path(folder) / "known_hosts"
            host_keys.write_text(front.known_hosts(), encoding="ascii")
            login = ConsoleLogin(
                host=front.host, port=front.port, dialect=name, username=front.login.user,
                password=Secret(front.login.password), host_keys=host_keys,
            )  # fmt: skip
            line = asyncio.run(_ours(login, switch.sockets[0].name, rounds))
            if theirs:
                line |= _theirs(login, switch.sockets[0].name, theirs, line["step_seconds"])
        slow = slow or line["step_seconds"] > WANTED_SECONDS
        typer.echo(
            json.dumps(
                {"bench": "console", "dialect": name.value, "machine": machine(),
                 "tenone": version_of("tenone"), "netmiko": version_of("netmiko"), **line}
            )
        )  # fmt: skip
    if slow:
        raise typer.Exit(1)


def _steps(dialect: Dialect, port: str, before: PortSettings) -> tuple[tuple[Line, ...], ...]:
    """There and back: the port shut, and open again."""
    shut = replace(before, enabled=not before.enabled)
    return dialect.set_port(port, before, shut), dialect.set_port(port, shut, before)


async def _ours(login: ConsoleLogin, port: str, rounds: int) -> dict[str, Any]:
    dialect = DIALECTS[login.dialect]
    consoles = ChildConsoles()
    try:
        begun = time.perf_counter()
        opened = await consoles.open(login)
        cold = time.perf_counter() - begun
        begun = time.perf_counter()
        other = await consoles.open(login)
        warm = time.perf_counter() - begun
        await other.close()
        begun = time.perf_counter()
        before = dialect.read_port(port, await opened.run(dialect.show_port(port)))
        read = time.perf_counter() - begun
        steps = _steps(dialect, port, before)
        took = []
        for number in range(rounds):
            begun = time.perf_counter()
            await opened.run(steps[number % 2])
            took.append(time.perf_counter() - begun)
        await opened.close()
    finally:
        await consoles.close()
    return {
        "lines": len(steps[0]),
        "login_with_child_seconds": round(cold, 3),
        "login_seconds": round(warm, 3),
        "read_port_seconds": round(read, 4),
        "step_seconds": round(statistics.median(took), 4),
        "step_seconds_max": round(max(took), 4),
    }


def _theirs(login: ConsoleLogin, port: str, rounds: int, ours: float) -> dict[str, Any]:
    from drivers.cli.ssh import Login, log_in  # noqa: PLC0415 - netmiko costs 45 MB

    dialect = DIALECTS[login.dialect]
    connection = log_in(
        Login(
            host=login.host, port=login.port, username=login.username, password=login.password,
            device_type=dialect.device_type,
        ),
        HostKeyStore(login.host_keys),
    )  # fmt: skip
    try:
        steps = _steps(dialect, port, PortSettings())
        took = []
        for number in range(rounds):
            texts = [line.text for line in steps[number % 2]]
            typed = [text for text in texts if text not in _AROUND | {_COMMIT}]
            begun = time.perf_counter()
            connection.send_config_set(typed)
            if _COMMIT in texts:
                connection.commit()
            took.append(time.perf_counter() - begun)
    finally:
        connection.disconnect()
    median = statistics.median(took)
    return {"send_config_set_seconds": round(median, 3), "ratio": round(median / ours, 1)}


@contextlib.contextmanager
def _served(front: ConsoleFront) -> Iterator[None]:
    """The console of a switch in a thread of its own, as if it were somewhere else."""
    ready = threading.Event()
    stop: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        over = asyncio.Event()
        async with Consoles([front]):
            stop.append((asyncio.get_running_loop(), over))
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        if not ready.wait(30):
            raise typer.Exit(1)
        yield
    finally:
        for loop, over in stop:
            loop.call_soon_threadsafe(over.set)
        thread.join()
