"""From a port that goes down to the block that leaves: with a trap, with a log line, without.

Real processes: ``tenone agent``, ``tenone sim switch``; states are asked for every ten seconds.
The times are printed; what is asserted is that the block comes and says what happened, and
that the agent believed what it was told.
"""

import asyncio
import json
import os
import random
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from drivers.wire.embedded import EmbeddedBroker
from drivers.wire.mqtt import Endpoint
from tenone.cli.processes import free_port
from tenone.vocabulary.states import OperStatus
from tests.agents.conftest import until
from tests.agents.host import FakeHost

TENONE = (sys.executable, "-m", "tenone.cli")


@asynccontextmanager
async def process(
    *arguments: str, log: Path
) -> AsyncIterator[tuple[asyncio.subprocess.Process, Any]]:
    """A part of the product with its ready line; killed at the end."""
    with log.open("wb") as errors:
        started = await asyncio.create_subprocess_exec(
            *TENONE,
            *arguments,
            "--ready-json",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            env=os.environ | {"HINT_COMMUNITY": "public"},
        )
    assert started.stdout is not None
    try:
        line = await asyncio.wait_for(started.stdout.readline(), 60)
        yield started, json.loads(line)
    finally:
        started.kill()
        await started.communicate()


@dataclass
class Lab:
    """A switch whose first port goes up and down, and the host its agent tells."""

    host: FakeHost
    sim: asyncio.subprocess.Process
    switch: dict[str, Any]

    def set(self, oper: str) -> None:
        assert self.sim.stdin is not None
        command = {"switch": self.switch["name"], "port": self.port, "set": {"oper": oper}}
        self.sim.stdin.write(json.dumps(command).encode() + b"\n")

    @property
    def port(self) -> str:
        return str(self.switch["ports"][0])

    def newest(self, stream: str, column: str) -> dict[str, Any]:
        store = self.host.store
        keys = [key for key, what in store.streams.items() if what == stream]
        if not keys:
            return {}
        key = max(keys, key=lambda one: one[2])
        layout, block = store.layouts[key], store.blocks[key]
        values = block.columns(layout)[layout.columns.index(column)]
        return dict(zip(layout.rows, values, strict=True))

    async def seconds_to(self, oper: str) -> float:
        wanted = OperStatus[oper.upper()]
        self.set(oper)
        began = time.monotonic()
        await until(lambda: self.newest("port-state", "oper").get(self.port) == wanted, 60)
        return time.monotonic() - began


@asynccontextmanager
async def lab(folder: Path, how: str) -> AsyncIterator[Lab]:
    ports = {"traps": free_port(), "syslog": free_port()}
    options = [] if how == "polls alone" else [f"--{how}", f"127.0.0.1:{ports[how]}"]
    with EmbeddedBroker() as broker:
        host = FakeHost(Endpoint(host=broker.host, port=broker.port))
        sim_log, agent_log = folder / "sim.log", folder / "agent.log"
        async with process("sim", "switch", "--ports", "8", *options, log=sim_log) as (sim, ready):
            (switch,) = ready["switches"]
            config = folder / "school.yaml"
            body = {
                "schema_version": 1,
                "school": {"id": "no3", "name": "No. 3", "district": "east", "city": "binhai"},
                "uplink": {"broker": {"host": broker.host, "port": broker.port}},
                "switches": [
                    {
                        "name": switch["name"],
                        "host": switch["host"],
                        "port": switch["port"],
                        "snmp": {"community": "env:HINT_COMMUNITY"},
                    }
                ],
                "outbox": {"path": str(folder / "outbox")},
                "traps": {
                    "listen": f"127.0.0.1:{ports['traps']}",
                    "communities": ["env:HINT_COMMUNITY"],
                },
                "syslog": {"listen": f"127.0.0.1:{ports['syslog']}"},
            }
            config.write_text(yaml.safe_dump(body))
            async with host.running(), process("agent", "-c", str(config), log=agent_log):
                one = Lab(host, sim, switch)
                await until(lambda: one.newest("port-state", "oper"), 60)
                yield one


async def measure(folder: Path, how: str, changes: Sequence[str]) -> list[float]:
    async with lab(folder, how) as one:
        chance = random.Random(how)
        taken = []
        for oper in changes:
            await asyncio.sleep(chance.uniform(2.5, 4))
            taken.append(await one.seconds_to(oper))
        if how == "polls alone":
            return taken
        hints = len(changes)
        await until(lambda: one.newest("agent-health", "hints_total").get("agent") == hints, 90)
        assert one.newest("agent-health", "hints_refused_total") == {"agent": 0}
    return taken


@pytest.mark.slow
@pytest.mark.parametrize("how", ["traps", "syslog", "polls alone"])
async def test_from_a_port_that_goes_down_to_the_block(how: str, tmp_path: Path) -> None:
    taken = await measure(tmp_path, how, ["down", "up"] * 4)
    print(
        f"{how}: median {statistics.median(taken):.3f} s, "
        f"least {min(taken):.3f} s, most {max(taken):.3f} s of {len(taken)}"
    )
