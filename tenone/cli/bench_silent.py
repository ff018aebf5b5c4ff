"""``tenone bench poll --silent``: what switches that never answer cost those that do."""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from drivers.snmp.client import SnmpClient
from drivers.snmp.errors import SnmpError
from drivers.snmp.switch import SwitchReader
from tenone.cli.bench_machine import own_cpu_seconds
from tenone.cli.bench_switches import Kind, switches, target
from tenone.runtime.clock import SystemClock

Json = dict[str, Any]
LEARNING_ROUNDS = 2


@dataclass(slots=True)
class Tally:
    """What came of some seconds of sweeps."""

    sweeps: int = 0
    failed: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Healthy sweeps a second."""
        return self.sweeps / self.seconds if self.seconds else 0.0


async def run(count: int, seconds: float, share: float, kind: Kind) -> Json:
    """Sweep the healthy switches alone and beside the silent ones, in turn: A B B A.

    Every switch has a task of its own, as in an agent, and is asked again as soon as its sweep
    is over; the silent ones wait 1 s and are tried twice.
    """
    silent = max(1, round(count * share))
    kind = replace(kind, silent=silent)
    alone, beside = Tally(), Tally()
    with tempfile.TemporaryDirectory() as folder:
        async with (
            switches(max(1, count - silent), Path(folder), kind) as load,
            SnmpClient(clock=SystemClock()) as client,
        ):
            healthy = [SwitchReader(client, target(port, kind)) for port in load.ports]
            dumb = [SwitchReader(client, target(port, kind)) for port in load.silent_ports]
            for _ in range(LEARNING_ROUNDS):
                await asyncio.gather(*(_sweep(reader, Tally()) for reader in healthy))
            for tally in (alone, beside, beside, alone):
                others = dumb if tally is beside else []
                await _together(healthy, others, seconds / 2, tally)
            retried = client.counts.retried
    return {
        "client": "tenone",
        "test": "silent switches",
        "load": kind.text,
        "switches": len(healthy),
        "silent_switches": len(dumb),
        "healthy_sweeps_per_second_alone": round(alone.rate, 1),
        "healthy_sweeps_per_second_beside": round(beside.rate, 1),
        "share_of_rate_kept": round(beside.rate / alone.rate, 3),
        "cpu_ms_per_healthy_sweep_alone": round(1000 * alone.cpu_seconds / alone.sweeps, 4),
        "cpu_ms_per_healthy_sweep_beside": round(1000 * beside.cpu_seconds / beside.sweeps, 4),
        "healthy_sweeps_failed": alone.failed + beside.failed,
        "retries": retried,
    }


async def _together(
    healthy: Sequence[SwitchReader], dumb: Sequence[SwitchReader], seconds: float, tally: Tally
) -> None:
    loop = asyncio.get_running_loop()
    began, cpu = loop.time(), own_cpu_seconds()
    end = began + seconds
    silence = Tally()

    async def work(reader: SwitchReader, own: Tally) -> None:
        while loop.time() < end:
            await _sweep(reader, own)

    waiting = [asyncio.create_task(work(reader, silence)) for reader in dumb]
    await asyncio.gather(*(work(reader, tally) for reader in healthy))
    tally.seconds += loop.time() - began
    tally.cpu_seconds += own_cpu_seconds() - cpu
    await asyncio.gather(*waiting)
    if silence.sweeps:
        raise RuntimeError("a silent switch has answered")


async def _sweep(reader: SwitchReader, tally: Tally) -> None:
    try:
        state, counters = await reader.state(), await reader.counters()
    except SnmpError:
        tally.failed += 1
    else:
        tally.failed += bool(state.errors or counters.errors)
        tally.sweeps += 1
