"""``tenone bench poll``: what polling switches costs, beside other pollers, on the same load."""

import asyncio
import gc
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from drivers.snmp.client import SnmpClient
from drivers.snmp.errors import SnmpError
from drivers.snmp.switch import SwitchReader
from tenone.cli import bench_fuzz, bench_silent
from tenone.cli import bench_rivals as rivals
from tenone.cli.bench_machine import cpu_seconds, machine, own_cpu_seconds, version_of
from tenone.cli.bench_rivals import Score
from tenone.cli.bench_switches import (
    COLUMNS,
    PORTS,
    VALUES,
    Kind,
    Load,
    switches,
    target,
)
from tenone.cli.bench_truth import Truth
from tenone.runtime.clock import SystemClock

WORKERS = 64
LEARNING_ROUNDS = 2
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """What every client meets: the same switches, time and number of sweeps at once."""

    load: Load
    seconds: float
    workers: int


def poll(  # noqa: PLR0917 - typer hands options over by name
    count: Annotated[int, typer.Option("--switches", min=1, max=4096, help="How many.")] = 1000,
    seconds: Annotated[float, typer.Option(min=0.1, help="Time for each client.")] = 20.0,
    workers: Annotated[int, typer.Option(min=1, help="Sweeps at once.")] = WORKERS,
    only_ours: Annotated[bool, typer.Option("--only-ours", help="No other pollers.")] = False,
    moving: Annotated[bool, typer.Option("--moving", help="Counters count.")] = False,
    v3: Annotated[bool, typer.Option("--v3", help="By SNMPv3, beside gufo-snmp.")] = False,
    silent: Annotated[
        float, typer.Option(min=0, max=0.9, help="Share of switches that never answer.")
    ] = 0.0,
    fuzz: Annotated[
        int, typer.Option(min=0, help="Only this: so many mutated answers, and what they did.")
    ] = 0,
) -> None:
    """CPU and rate of sweeps of 48 ports x 16 columns; one JSON object a line."""
    if fuzz:
        line = asyncio.run(bench_fuzz.run(fuzz, v3=v3))
        _print({"bench": "poll", "machine": machine(), **line})
        if not bench_fuzz.passed(line):
            raise typer.Exit(1)
        return
    if silent:
        line = asyncio.run(bench_silent.run(count, seconds, silent, Kind(moving=moving, v3=v3)))
        _print({"bench": "poll", "machine": machine(), **line})
        return
    kind = Kind(moving=moving, v3=v3)
    lines = asyncio.run(run(count, seconds, workers, kind=kind, others=not only_ours))
    if any(line.get("values_wrong") for line in lines if line["client"] == "tenone"):
        raise typer.Exit(1)


def _print(line: Json) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def run(count: int, seconds: float, workers: int, *, kind: Kind, others: bool) -> list[Json]:
    """Measure every client in turn on the same switches; print each line when it is known."""
    head: Json = {
        "bench": "poll",
        "machine": machine(),
        "switches": count,
        "ports": PORTS,
        "columns": [name for name, _, _ in COLUMNS],
        "workers": workers,
        "load": kind.text,
        "cpu": "user + system time of the polling process alone",
    }
    lines: list[Json] = []

    def say(line: Json) -> None:
        lines.append(line)
        _print({**head, **line})

    with tempfile.TemporaryDirectory() as folder:
        async with switches(count, Path(folder), kind) as load:
            shape = Run(load, seconds, workers)
            say(await _ours(shape))
            if others:
                await _others(shape, Path(folder), say)
    if len(lines) > 1:
        say(_ratios(lines))
    return lines


async def _others(run: Run, folder: Path, say: Callable[[Json], None]) -> None:
    gufo = version_of("gufo-snmp")
    if run.load.kind.v3:
        if gufo is not None:
            async with rivals.gufo_kept(run.load) as kept:
                for client, sweep in kept.items():
                    say(await _rival(run, client, gufo, sweep))
        return
    if gufo is not None:
        for client, sweep in (("gufo-walk", rivals.gufo_walk), ("gufo-get-48", rivals.gufo_get)):
            say(await _rival(run, client, gufo, sweep))
    async with rivals.exporter(folder) as exporter:
        if exporter is not None:
            version = await _exporter_version()
            say(await _rival(run, rivals.EXPORTER, version, exporter.sweep, exporter.pid))


async def _ours(run: Run) -> Json:
    """state() and counters() of every switch in turn.

    Not measured: the first round, which learns the rows, and the second, which learns what
    the answers look like; what both cost is in the line.
    """
    score = Score()
    truth = Truth(run.load)
    async with SnmpClient(clock=SystemClock()) as client:
        kind = run.load.kind
        readers = [SwitchReader(client, target(port, kind)) for port in run.load.ports]

        async def sweep(reader: SwitchReader) -> None:
            try:
                truth.check(score, await reader.state(), await reader.counters())
            except SnmpError as error:
                score.fail(error)

        before = own_cpu_seconds()
        for _ in range(LEARNING_ROUNDS):
            queue = iter(readers)
            await asyncio.gather(*(_drain(queue, sweep) for _ in range(run.workers)))
        learning = own_cpu_seconds() - before
        score = Score()
        gc.collect()
        counts = (client.counts.sent, client.counts.retried)
        line = await _measured(run, readers, sweep, lambda: score)
        sent = client.counts.sent - counts[0]
        return {
            "client": "tenone",
            "version": version_of("tenone") or "0.1.0",
            "shape": "GET of known instances, answers of at most 1,472 bytes",
            **line,
            "requests_per_sweep": round(sent / max(score.sweeps, 1), 2),
            "retries": client.counts.retried - counts[1],
            "learning_cpu_ms_per_switch": round(1000 * learning / len(readers), 3),
        }


async def _drain(queue: Any, sweep: Callable[[Any], Any]) -> None:
    for one in queue:
        await sweep(one)


async def _measured(
    run: Run,
    readers: list[SwitchReader],
    sweep: Callable[[SwitchReader], Any],
    score: Callable[[], Score],
) -> Json:
    seconds, workers = run.seconds, run.workers
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds

    async def work(own: list[SwitchReader]) -> None:
        while own and loop.time() < end:
            for reader in own:
                await sweep(reader)
                if loop.time() >= end:
                    break

    meter = _Meter(run.load)
    await asyncio.gather(*(work(readers[first::workers]) for first in range(workers)))
    return meter.line(score())


class _Meter:
    """Takes the clocks at the start of a run and makes its line at the end."""

    def __init__(self, load: Load, pid: int | None = None) -> None:
        self._load = load
        self._pid = pid
        self._began = asyncio.get_running_loop().time()
        self._cpu = self._polling()
        self._generator = cpu_seconds(*load.pids)

    def _polling(self) -> float:
        return own_cpu_seconds() if self._pid is None else cpu_seconds(self._pid)

    def line(self, score: Score) -> Json:
        """The figures of this run."""
        took = asyncio.get_running_loop().time() - self._began
        cpu = self._polling() - self._cpu
        generator = cpu_seconds(*self._load.pids) - self._generator
        sweeps = max(score.sweeps, 1)
        line: Json = {
            "seconds": round(took, 2),
            "sweeps": score.sweeps,
            "sweeps_per_second": round(score.sweeps / took, 1),
            "cpu_ms_per_sweep": round(1000 * cpu / sweeps, 4),
            "cpu_cores_used": round(cpu / took, 3),
            "generator_cpu_ms_per_sweep": round(1000 * generator / sweeps, 4),
            "values_per_sweep": VALUES,
            "values_checked": score.values,
            "values_wrong": score.wrong + abs(score.values - score.sweeps * VALUES),
            "sweeps_failed": score.failed,
        }
        if score.errors:
            line["errors"] = score.errors
        return line


async def _rival(
    run: Run, client: str, version: str, sweep: rivals.Sweeper, pid: int | None = None
) -> Json:
    gc.collect()
    score = Score()
    meter = _Meter(run.load, pid)
    await rivals.run_for(run.seconds, run.load, run.workers, sweep, score)
    return {"client": client, "version": version, **meter.line(score)}


async def _exporter_version() -> str:
    process = await asyncio.create_subprocess_exec(
        rivals.EXPORTER,
        "--version",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return said.decode().partition("version ")[2].partition(" ")[0]


def _ratios(lines: list[Json]) -> Json:
    """How many times our CPU a sweep costs the others."""
    ours = lines[0]["cpu_ms_per_sweep"]
    return {
        "client": "ratios",
        "cpu_ms_per_sweep_over_tenone": {
            line["client"]: round(line["cpu_ms_per_sweep"] / ours, 2) for line in lines[1:]
        },
    }
