"""A controller that is stopped, killed and started again still knows what was proved."""

import asyncio
import re
import signal
import urllib.request
from pathlib import Path

import pytest

from drivers.wire.embedded import EmbeddedBroker
from tenone.blocks.columns import Value
from tenone.blocks.layout import Layout
from tenone.cli.processes import free_port
from tenone.vocabulary.probes import PROBE_BURST, PROOF_PACKETS

from .harness import SchoolAgent, write_city
from .test_kill import Process

PROBES = """
probes:
  targets: [{name: t301, link: c301, host: 127.0.0.1}, {name: t302, link: c302, host: 127.0.0.1}]
"""
PROFILES = """
profiles: {default: {tiers: {uplink: {contract_mbps: 10G}, class: {contract_mbps: 1G}}}}
"""
_UNVERIFIED = re.compile(r'^tenone_links_unverified\{.*tier="class"\} ([\d.]+)$', re.MULTILINE)


async def burst(agent: SchoolAgent, target: str, count: int) -> None:
    layout = Layout("probe-burst", PROBE_BURST, tuple(str(row) for row in range(count)))
    values: dict[str, list[Value | None]] = {
        "probe_target": [target] * count,
        "probe_outcome": [1] * count,
        "probe_dscp_sent": [0] * count,
        "probe_away_ns": [900_000] * count,
        "probe_held_ns": [50_000] * count,
    }
    await agent._keep(layout, "no1/gateway/probe", values)
    await agent.drained()  # what comes after something newer would change nothing live


async def unverified(agent: SchoolAgent, port: int, expected: int) -> None:
    """Wait until so many classes are good by negotiation only; the ports stay fresh meanwhile."""

    def ask() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            return str(answer.read().decode())

    found: list[str] = []
    async with asyncio.timeout(60):
        while found != [f"{expected}.0"]:
            found = _UNVERIFIED.findall(await asyncio.to_thread(ask))
            await agent.keep_ports()
            await asyncio.sleep(0.5)


@pytest.mark.slow
async def test_half_a_proof_before_the_end_half_before_the_kill(tmp_path: Path) -> None:
    port = free_port()
    async with EmbeddedBroker() as broker:
        city = write_city(tmp_path, broker_port=broker.port, http_port=port, schools=["no1"])
        school = tmp_path / "schools" / "no1.yaml"
        school.write_text(school.read_text() + PROBES)
        city.write_text(city.read_text() + PROFILES)
        process = Process(city, tmp_path / "controller.log")
        async with SchoolAgent(tmp_path / "agent", port=broker.port, resend_seconds=1.0) as agent:
            await process.start()
            for _ in range(2):
                await burst(agent, "t301", PROOF_PACKETS // 4)
            await agent.drained()
            await unverified(agent, port, 2)
            assert await process.end(signal.SIGTERM) == 0
            await process.start()
            for _ in range(2):
                await burst(agent, "t301", PROOF_PACKETS // 4)
            await agent.drained()
            await process.end(signal.SIGKILL)
            await process.start()
            await unverified(agent, port, 2)
            for target in ("t301", "t302"):
                await burst(agent, target, 1)
            await unverified(agent, port, 1)
            assert await process.end(signal.SIGTERM) == 0
    log = (tmp_path / "controller.log").read_text()
    assert "1 windows taken over and 4 blocks after them" in log, "two of them were in it already"
