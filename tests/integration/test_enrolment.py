"""From a token to a revocation with real processes: controller, Mosquitto with mTLS, agent."""

import asyncio
import json
import signal
import ssl
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from agents.identity import read_identity
from controller.service import Controller
from drivers.wire.conversation import Connection
from drivers.wire.embedded import EmbeddedBroker
from drivers.wire.sparkplug.messages import ConnectPlan
from tenone.cli.processes import Child, free_port
from tenone.runtime.clock import SystemClock
from tests import mosquitto
from tests.controller.harness import SchoolAgent, city_config
from tests.trust.broker import Broker

TENONE = (sys.executable, "-m", "tenone.cli")
DEADLINE_SECONDS = 90.0
ROTATIONS = 20
AGENT_DAYS = 0.0018
"""Renewed 4 to 26 seconds after it was issued: its life begins five minutes before."""


class Lab:
    """One city with one school in a folder."""

    def __init__(self, folder: Path, mosquitto: str) -> None:
        self.folder = folder
        self.http, self.inner = free_port(), free_port()
        self.url = f"https://127.0.0.1:{self.http}"
        self.broker = Broker(folder / "broker", mosquitto)
        self.broker.inner = self.inner
        self.controller = Child(
            "controller",
            ["controller", "-c", str(folder / "city.yaml"), "--ready-json"],
            log=folder / "controller.log",
        )

    def write(self) -> None:
        city = {
            "schema_version": 1,
            "city": {"id": "binhai", "name": "Binhai"},
            "districts": [{"id": "east", "name": "East"}],
            "schools": ["school.yaml"],
            "broker": {"host": "127.0.0.1", "port": self.inner},
            "http": {"port": self.http, "tls": "off"},
            "trust": {"ca": {"agent_days": AGENT_DAYS, "crl_file": "broker/crl.pem"}},
        }
        school = {
            "schema_version": 1,
            "school": {"id": "no3", "name": "No. 3", "district": "east", "city": "binhai"},
            "uplink": {
                "broker": {"host": "127.0.0.1", "port": self.broker.port},
                "identity": "identity",
                "controller": self.url,
            },
        }
        (self.folder / "city.yaml").write_text(yaml.safe_dump(city))
        (self.folder / "school.yaml").write_text(yaml.safe_dump(school))

    async def tenone(self, *words: str, code: int = 0) -> str:
        running = await asyncio.create_subprocess_exec(
            *TENONE, *words, cwd=self.folder, stdout=-1, stderr=asyncio.subprocess.STDOUT
        )
        said, _ = await running.communicate()
        assert running.returncode == code, said.decode()
        return said.decode()

    def agent(self, name: str) -> Child:
        config = str(self.folder / "school.yaml")
        return Child(name, ["agent", "-c", config, "--ready-json"], log=self.folder / f"{name}.log")

    def parts(self) -> dict[str, str]:
        context = ssl.create_default_context(cafile=self.folder / "broker" / "ca.pem")
        asked = urllib.request.Request(f"{self.url}/readyz")  # noqa: S310 - our own controller
        with urllib.request.urlopen(asked, timeout=10, context=context) as answer:  # noqa: S310 - the same
            said = json.load(answer)
        return {one["name"]: one["sentence"] for one in said["parts"]}

    def serial(self) -> int:
        return read_identity(self.folder / "identity").certificate.serial_number

    def listed(self) -> set[int]:
        text = (self.folder / "broker" / "crl.pem").read_bytes()
        return {one.serial_number for one in x509.load_pem_x509_crl(text)}


async def until(fact: Callable[[], bool], what: str) -> None:
    deadline = asyncio.get_running_loop().time() + DEADLINE_SECONDS
    while not await asyncio.to_thread(fact):
        assert asyncio.get_running_loop().time() < deadline, what
        await asyncio.sleep(0.2)


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_a_school_from_its_token_to_its_revocation(tmp_path: Path) -> None:
    lab = Lab(tmp_path, mosquitto.installed())
    lab.broker.port = free_port()
    lab.write()
    said = await lab.tenone("agent", "-c", "school.yaml", code=1)
    assert "not enrolled" in said
    server = ("enrol", "server", "broker", "-c", "city.yaml")
    await lab.tenone(*server, "--ip", "127.0.0.1", "--out", "broker")
    await lab.controller.start()
    lab.url = lab.controller.ready["url"]
    lab.write()
    try:
        await until((tmp_path / "broker" / "crl.pem").exists, "the list is written")
        lab.broker.start()
        await _enrolled_renewed_revoked(lab)
    finally:
        await lab.controller.stop()
        lab.broker.stop()
    await lab.tenone("audit", "verify", "-c", "city.yaml")
    acts = await lab.tenone("audit", "list", "-c", "city.yaml")
    for act in ("machine.issue", "machine.token", "machine.enrol", "machine.renew"):
        assert act in acts
    assert '"refused"' in acts
    assert '"machine.revoke"' in acts


async def _enrolled_renewed_revoked(lab: Lab) -> None:
    issued = await lab.tenone("enrol", "token", "no3", "-c", "city.yaml")
    token = issued.strip().splitlines()[-1]
    enrol = ("enrol", "--token", token, "-c", "school.yaml")
    assert "is enrolled until" in await lab.tenone(*enrol)
    assert "used" in await lab.tenone(*enrol, code=1)
    first = lab.serial()
    agent = lab.agent("agent")
    await agent.start()
    try:
        await until(lambda: "1 agents online" in lab.parts()["broker"], "the agent is online")
        await until(lambda: lab.serial() != first, "the certificate is renewed")
        second = lab.serial()
        log = lab.folder / "broker" / "mosquitto.log"
        await until(
            lambda: (
                log.read_text().count("New client connected from 127.0.0.1") >= 2
                and log.read_text().count("as tenone-node-no3") >= 2
            ),
            "it connected again with it",
        )
        await until(lambda: "1 agents online" in lab.parts()["broker"], "it is online again")
        evidence = lab.parts()["evidence"]
        assert "0 conflicts, 0 chain breaks, 0 never came" in evidence, "nothing was lost"
        await lab.tenone("enrol", "revoke", "no3", "--why", "stolen", "-c", "city.yaml")
        await until(lambda: second in lab.listed(), "the list names it")
        lab.broker.process.send_signal(signal.SIGHUP)
    finally:
        await agent.stop()
    again = lab.agent("again")
    await again.start()
    try:
        refused = "may not accept this client's certificate"
        text = lab.folder / "again.log"
        await until(lambda: refused in text.read_text(), "it is refused and says so")
        await until(lambda: "cannot be renewed" in text.read_text(), "nor is it renewed")
        assert "0 agents online" in lab.parts()["broker"]
    finally:
        await again.stop()
    fresh = (await lab.tenone("enrol", "token", "no3", "-c", "city.yaml")).strip().splitlines()[-1]
    await lab.tenone("enrol", "--token", fresh, "-c", "school.yaml")
    back = lab.agent("back")
    await back.start()
    try:
        await until(lambda: "1 agents online" in lab.parts()["broker"], "it is back")
    finally:
        await back.stop()


@pytest.mark.slow
async def test_nothing_is_lost_when_certificates_rotate(tmp_path: Path) -> None:
    """R8: what a renewal does to the uplink, twenty times while a sweep is kept every 10 ms."""
    async with EmbeddedBroker() as broker:
        config = city_config(tmp_path / "city", broker_port=broker.port)
        async with Controller(config, clock=SystemClock()) as controller:
            agent = SchoolAgent(tmp_path / "agent", port=broker.port)
            ports: list[Connection] = []
            make = agent.uplink._make_port

            def remembered(plan: ConnectPlan) -> Connection:
                ports.append(make(plan))
                return ports[-1]

            agent.uplink._make_port = remembered
            async with agent:

                async def keep_one() -> None:
                    await agent.keep_ports(last_change_ticks=[len(agent.made), 0, 0])
                    await asyncio.sleep(0.01)

                # By what is online, not by a count of sweeps: a busy machine connects more slowly.
                for rotated in range(ROTATIONS + 1):
                    async with asyncio.timeout(DEADLINE_SECONDS):
                        while not (len(ports) > rotated and agent.uplink.is_online):
                            await keep_one()
                    for _ in range(20):
                        await keep_one()
                    if rotated < ROTATIONS:
                        await ports[-1].disconnect()
                await agent.drained(60)
            figures = controller.ingest.figures
            assert controller.figures().blocks_total == len(agent.made) >= 20 * ROTATIONS
            assert (figures.conflicts, figures.breaks, figures.base_skipped) == (0, 0, 0)
            assert len(ports) == ROTATIONS + 1
