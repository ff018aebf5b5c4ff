"""``tenone bench poll --silent``: what switches that never answer cost those that do."""

import asyncio
import statistics
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
ROUNDS = 12
"""Pairs of a turn alone and a turn beside silent switches."""
TURN_SECONDS = 2.1
"""A turn is at least so long: both tries of a silent switch fall into it."""


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

    @property
    def cpu_ms(self) -> float:
        """CPU a healthy sweep."""
        return round(1000 * self.cpu_seconds / max(self.sweeps, 1), 4)


@dataclass(frozen=True, slots=True)
class Kept:
    """How the rate beside silent switches compares with the rate alone, turn by turn."""

    ratios: tuple[float, ...]

    @classmethod
    def of(cls, pairs: Sequence[tuple[Tally, Tally]]) -> "Kept":
        """``pairs``: a turn alone and the turn beside that was taken right before or after it."""
        return cls(tuple(beside.rate / alone.rate for alone, beside in pairs if alone.rate))

    @property
    def median(self) -> float:
        """What was kept: what befell the machine in one turn does not count."""
        return statistics.median(self.ratios) if self.ratios else 0.0

    @property
    def quartiles(self) -> tuple[float, float]:
        """Half of the turns lie between these: how far the median may be trusted."""
        if len(self.ratios) < 2:  # noqa: PLR2004 - quartiles need two
            return self.median, self.median
        first, _, third = statistics.quantiles(self.ratios, n=4)
        return first, third


async def run(
    count: int, seconds: float, share: float, kind: Kind, *, rounds: int = ROUNDS
) -> Json:
    """Sweep the same healthy switches alone and beside silent ones, in turn: A B, B A, A B, ...

    Every switch has a task of its own, as in an agent, and is asked again as soon as its sweep
    is over; the silent ones wait 1 s and are tried twice. ``seconds`` is the time of each side
    together, or more. The rate is held against that of the turn next to it, so that what else
    the machine does falls on both; a third turn, alone again, shows what noise alone would say.
    """
    silent = max(1, round(count * share))
    turn_seconds = max(TURN_SECONDS, seconds / rounds)
    kind = replace(kind, silent=silent)
    pairs: list[tuple[Tally, Tally]] = []
    nothing: list[tuple[Tally, Tally]] = []
    with tempfile.TemporaryDirectory() as folder:
        async with (
            switches(max(1, count - silent), Path(folder), kind) as load,
            SnmpClient(clock=SystemClock()) as client,
        ):
            healthy = [SwitchReader(client, target(port, kind)) for port in load.ports]
            dumb = [SwitchReader(client, target(port, kind)) for port in load.silent_ports]
            for _ in range(LEARNING_ROUNDS):
                await asyncio.gather(*(_sweep(reader, Tally()) for reader in healthy))
            for number in range(rounds):
                alone, beside, again = Tally(), Tally(), Tally()
                turns = [alone, beside] if number % 2 == 0 else [beside, alone]
                for tally in (*turns, again):
                    others = dumb if tally is beside else []
                    await _together(healthy, others, turn_seconds, tally)
                pairs.append((alone, beside))
                nothing.append((alone, again))
            retried = client.counts.retried
    kept, noise = Kept.of(pairs), Kept.of(nothing)
    alone, beside = (_sum(side) for side in zip(*pairs, strict=True))
    return {
        "client": "tenone",
        "test": "silent switches",
        "load": kind.text,
        "switches": len(healthy),
        "silent_switches": len(dumb),
        "rounds": rounds,
        "healthy_sweeps_per_second_alone": round(alone.rate, 1),
        "healthy_sweeps_per_second_beside": round(beside.rate, 1),
        "share_of_rate_kept": round(kept.median, 3),
        "share_of_rate_kept_quartiles": [round(one, 3) for one in kept.quartiles],
        "alone_against_alone": round(noise.median, 3),
        "alone_against_alone_quartiles": [round(one, 3) for one in noise.quartiles],
        "cpu_ms_per_healthy_sweep_alone": alone.cpu_ms,
        "cpu_ms_per_healthy_sweep_beside": beside.cpu_ms,
        "healthy_sweeps_failed": alone.failed + beside.failed,
        "retries": retried,
    }


def _sum(tallies: Sequence[Tally]) -> Tally:
    return Tally(
        sum(one.sweeps for one in tallies),
        sum(one.failed for one in tallies),
        sum(one.seconds for one in tallies),
        sum(one.cpu_seconds for one in tallies),
    )


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
