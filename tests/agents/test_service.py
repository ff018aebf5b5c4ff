"""The whole agent: real switches (simulated), real boards' messages, a real broker, real kills."""

import asyncio
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from agents.commands import CommandFailed
from agents.origin import Origin
from agents.pending import Standing, parse, rendered
from agents.polled import Polled
from agents.service import Agent
from agents.switch import INVENTORY_BUDGETS, Kind
from agents.tables import Together
from drivers.probe.reflector import Reflector
from drivers.snmp.chassis import ChassisReader
from drivers.snmp.client import SnmpClient
from drivers.snmp.health import HealthReader
from drivers.snmp.surroundings import SurroundingsReader
from drivers.wire.commands import CommandState, Request
from drivers.wire.embedded import EmbeddedBroker
from drivers.wire.mqtt import Endpoint, MqttPort
from tenone.cli.processes import free_port
from tenone.config import School, load_school
from tenone.journal.disk import OpenFile, OsDisk
from tenone.journal.journal import Journal
from tenone.runtime.clock import SystemClock
from tenone.vocabulary.scope import DeviceKind
from tenone.vocabulary.states import PriorityClass
from tests.agents.conftest import until
from tests.agents.host import FakeHost
from tests.agents.test_pending import PENDING

CLOCK = SystemClock()
TENONE = (sys.executable, "-m", "tenone.cli")


@pytest.fixture(scope="module")
def switches() -> Iterator[list[dict[str, object]]]:
    """Two switches of ``tenone sim switch``."""
    sim = subprocess.Popen(
        [*TENONE, "sim", "switch", "--count", "2", "--ports", "8", "--ready-json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert sim.stdout is not None
    assert sim.stdin is not None
    with sim.stdout, sim.stdin:
        yield json.loads(sim.stdout.readline())["switches"]
        sim.terminate()
        sim.wait(10)


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as running:
        yield running


@pytest.fixture
def host(broker: EmbeddedBroker) -> FakeHost:
    return FakeHost(Endpoint(host=broker.host, port=broker.port))


@pytest.fixture
def config(
    switches: list[dict[str, object]],
    broker: EmbeddedBroker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    monkeypatch.setenv("TENONE_TEST_COMMUNITY", "public")
    port = free_port()
    body = {
        "schema_version": 1,
        "school": {"id": "no3", "name": "No. 3", "district": "east", "city": "binhai"},
        "uplink": {"broker": {"host": broker.host, "port": broker.port}},
        "switches": [
            {
                "name": one["name"],
                "host": one["host"],
                "port": one["port"],
                "snmp": {"community": "env:TENONE_TEST_COMMUNITY"},
            }
            for one in switches
        ],
        "devices": [
            {"id": "board/b-1", "mac": "00-11-22-aa-bb-cc"},
            {"id": "board/b-2"},
            *(
                {
                    "id": device,
                    "host": switches[0]["host"],
                    "port": switches[0]["port"],
                    "snmp": {"community": "env:TENONE_TEST_COMMUNITY"},
                }
                for device in ("ups/u-1", "ap/ac-1")
            ),
        ],
        "local_broker": {"embedded": True, "port": port},
        "polling": {"state_seconds": 0.5, "counters_seconds": 2, "timeout_seconds": 0.2},
        "outbox": {"path": str(tmp_path / "outbox")},
    }
    path = tmp_path / "school.yaml"
    path.write_text(yaml.safe_dump(body))
    return path


@pytest.fixture
def school(config: Path) -> School:
    return load_school(config)


def streams(host: FakeHost) -> set[str]:
    return set(host.store.streams.values())


ALL_STREAMS = {
    "port-state",
    "port-counters",
    "port-inventory",
    "switch-status",
    "board-health",
    "agent-health",
    "findings",
    "sensors",
    "chassis",
    "switch-identity",
    "neighbours",
}


async def test_a_school_end_to_end(school: School, host: FakeHost) -> None:
    async with host.running(), Agent(school, clock=CLOCK) as agent:
        ready = await agent.ready()
        assert ready.local_broker is not None
        board = MqttPort(
            endpoint=Endpoint(host=ready.local_broker.host, port=ready.local_broker.port),
            client_id="b-1",
        )
        async with board:
            body = {"n": 1, "boot": "k", "v": {"app": "课堂"}}
            await board.publish("t1/board/b-1/m", json.dumps(body).encode(), qos=1)
            await until(lambda: streams(host) >= ALL_STREAMS)
            await until(lambda: any("课堂".encode() in b.data for b in host.store.blocks.values()))
        before = [arrival.stream for arrival in host.arrivals].count("port-state")
        await host.ask(
            Request(
                verb="Poll",
                id="p1",
                deadline_ms=time.time_ns() // 10**6 + 10_000,
                arguments={"switch": school.switches[0].name},
            )
        )
        await until(lambda: [r.state for r in host.replies][-1:] == [CommandState.SUCCESSFUL])
        assert [arrival.stream for arrival in host.arrivals].count("port-state") > before
        assert not host.faults
        assert not any(task.restarts for task in agent.tasks.health)
    subjects = {block.stamp.subject for block in host.store.blocks.values()}
    assert subjects >= {
        "no3/ups/u-1",
        "no3/ap/ac-1",
        "no3/switch/sw1",
        "no3/switch/sw2",
        "no3/board/all",
        "no3/gateway/agent",
    }


@pytest.mark.slow
async def test_probes_travel_and_a_burst_is_a_command(config: Path, host: FakeHost) -> None:
    reflector = Reflector("127.0.0.1", 0)
    body = yaml.safe_load(config.read_text())  # noqa: ASYNC240 - not under way yet
    target = {"name": "core", "kind": "core", "host": "127.0.0.1", "port": reflector.port}
    body["probes"] = {
        "window_seconds": 1,
        "targets": [target | {"interval_seconds": 0.1, "dscp": [0, 46]}],
        "dns": [{"name": "x.cn", "resolvers": ["127.0.0.1"], "port": reflector.port}],
        "platforms": [{"id": "exam", "url": "http://no-such-host.invalid/", "path": True}],
        "path_hops": 1,
    }
    config.write_text(yaml.safe_dump(body))  # noqa: ASYNC240 - likewise
    async with host.running(), Agent(load_school(config), clock=CLOCK) as agent:
        wanted = {"probe-samples", "probe-targets", "http-samples", "path-hops", "dns-samples"}
        await until(lambda: streams(host) >= wanted)
        await host.ask(
            Request(
                verb="Burst",
                id="b1",
                deadline_ms=time.time_ns() // 10**6 + 30_000,
                arguments={"target": "core", "dscp": 46, "packets": 10},
            )
        )
        await until(lambda: [r.state for r in host.replies][-1:] == [CommandState.SUCCESSFUL])
        assert host.replies[-1].message == "core: 10 sent with DSCP 46, 0 lost"
        await until(lambda: "probe-burst" in streams(host))
        assert not host.faults
        assert not any(task.restarts for task in agent.tasks.health)
    reflector.close()


async def test_a_stop_drains_and_says_goodbye(school: School, host: FakeHost) -> None:
    async with host.running():
        async with Agent(school, clock=CLOCK) as agent:
            await agent.ready()
            await until(lambda: streams(host) >= {"port-state", "board-health"})
        await until(lambda: len(host.deaths) == 1)
    journal = reopen(school)
    assert journal.kept_blocks == 0
    assert len(host.store.blocks) == sum(journal.head(one) for one in PriorityClass)
    journal.close()


def reopen(school: School) -> Journal:
    return Journal.open(
        school.outbox.path,
        clock=CLOCK,
        agent=school.id,
        boot_id=bytes(16),
        limit_bytes=school.outbox.limit_bytes,
    )


@asynccontextmanager
async def process(
    config: Path, *arguments: str, env: dict[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """``tenone agent`` as a process; killed at the end if it still runs."""
    started = await asyncio.create_subprocess_exec(
        *TENONE,
        "agent",
        "-c",
        str(config),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | (env or {}),
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
            await started.communicate()


async def ready_line(agent: asyncio.subprocess.Process) -> dict[str, object]:
    assert agent.stdout is not None
    line = await asyncio.wait_for(agent.stdout.readline(), 30)
    found: dict[str, object] = json.loads(line)
    return found


async def test_kill_9_loses_and_doubles_nothing(
    config: Path, school: School, host: FakeHost, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.jsonl"
    chance = random.Random(3)
    async with host.running():
        for _ in range(5):
            async with process(config, "--kept", str(kept), "--ready-json") as agent:
                await ready_line(agent)
                await asyncio.sleep(chance.uniform(0.0, 1.2))  # the kill must come unforeseen
                agent.send_signal(signal.SIGKILL)
                await agent.wait()
        async with process(config, "--kept", str(kept), "--ready-json") as agent:
            await ready_line(agent)
            lines = len(kept.read_bytes().splitlines())
            await until(lambda: len(kept.read_bytes().splitlines()) > lines + 10)
            agent.send_signal(signal.SIGTERM)
            assert await agent.wait() == 0
    promised = {
        (bytes.fromhex(journal), PriorityClass(priority), seq): bytes.fromhex(digest)
        for journal, priority, seq, digest in map(json.loads, kept.read_text().splitlines())
    }
    stored = {key: block.hash for key, block in host.store.blocks.items()}
    lost = {key for key in promised if stored.get(key) != promised[key]}
    assert not lost
    assert len(promised) > 50
    journal = reopen(school)
    assert journal.kept_blocks == 0
    for priority in PriorityClass:
        seqs = host.store.seqs(priority)
        assert seqs == list(range(1, journal.head(priority) + 1))
        chain = [host.store.blocks[journal.journal_id, priority, seq] for seq in seqs]
        assert all(
            after.follows(before) for before, after in zip([None, *chain], chain, strict=False)
        )
    journal.close()


class BrokenDisk(OsDisk):
    """Its writes are accepted and never reach the medium."""

    def __init__(self) -> None:
        self.broken = False

    def append(self, path: Path) -> OpenFile:
        """See :class:`tenone.journal.disk.Disk`."""
        return BrokenFile(super().append(path), self)


class BrokenFile:
    def __init__(self, file: OpenFile, disk: BrokenDisk) -> None:
        self._file, self._disk = file, disk
        self.write, self.truncate, self.close = file.write, file.truncate, file.close

    def sync(self) -> None:
        if self._disk.broken:
            raise OSError(5, "Input/output error")
        self._file.sync()


async def test_a_disk_that_fails_ends_the_agent_with_the_reason(
    school: School, host: FakeHost, caplog: pytest.LogCaptureFixture
) -> None:
    disk = BrokenDisk()
    async with host.running():
        async with Agent(school, clock=CLOCK, disk=disk) as agent:
            await until(lambda: streams(host) >= {"port-state", "board-health"})
            disk.broken = True
            why = await asyncio.wait_for(agent.failed(), 20)
        assert "restart the agent" in why
        stored = dict(host.store.blocks)
        async with Agent(school, clock=CLOCK):
            await until(lambda: len(host.store.blocks) > len(stored) + 5)
        # Nothing that was only half on disk came back as something else.
        assert host.store.blocks.items() >= stored.items()
    assert "disk failed while syncing" in caplog.text


async def test_a_broker_that_hangs_does_not_hold_up_the_end(
    school: School, broker: EmbeddedBroker, host: FakeHost
) -> None:
    assert broker.pid is not None
    async with host.running():
        try:
            async with asyncio.timeout(30), Agent(school, clock=CLOCK):
                await until(lambda: streams(host) >= {"port-state"})
                os.kill(broker.pid, signal.SIGSTOP)
        finally:
            os.kill(broker.pid, signal.SIGCONT)


async def test_a_running_agent_is_small(config: Path, host: FakeHost) -> None:
    async with host.running(), process(config) as agent:
        await until(lambda: streams(host) >= ALL_STREAMS)
        rollup = Path(f"/proc/{agent.pid}/smaps_rollup").read_text()  # noqa: ASYNC240 - not a disk
    kib = int(re.findall(r"^Pss:\s+(\d+) kB$", rollup, re.MULTILINE)[0])
    print(f"PSS of an agent with two switches: {kib / 1024:.1f} MiB")
    assert kib < 64 * 1024, "a gateway has 256 MB for everything"


HEAVY = {
    "numpy",
    "sqlalchemy",
    "fastapi",
    "starlette",
    "uvicorn",
    "rich",
    "scapy",
    "pysnmp",
    "netmiko",
    "paramiko",
    "influxdb_client",
    "jinja2",
    "babel",
    "controller",
    "dashboards",
    "firmware_sims",
}


async def test_a_running_agent_has_imported_nothing_heavy(
    config: Path, host: FakeHost, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.jsonl"
    env = {"PYTHONPROFILEIMPORTTIME": "1"}
    async with host.running(), process(config, "--kept", str(kept), env=env) as agent:
        assert agent.stderr is not None
        imported: set[str] = set()
        reading = asyncio.create_task(_imports(agent.stderr, imported))
        agent.stderr = None  # it has its reader
        await until(lambda: streams(host) >= ALL_STREAMS)
        agent.send_signal(signal.SIGTERM)
        await agent.wait()
        await reading
    assert {"agents", "drivers", "paho"} <= imported
    assert not imported & HEAVY


async def _imports(stream: asyncio.StreamReader, found: set[str]) -> None:
    async for line in stream:
        if line.startswith(b"import time:"):
            found.add(line.decode().rsplit("|", 1)[1].strip().split(".")[0])


async def test_systemd_is_told(config: Path, tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        listener.setblocking(False)  # noqa: FBT003 - the socket module's own signature
        loop = asyncio.get_running_loop()
        env = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "300000"}
        async with process(config, env=env) as agent:
            told: list[bytes] = []
            async with asyncio.timeout(30):
                while told.count(b"WATCHDOG=1") < 3 or b"READY=1" not in told:
                    told.append(await loop.sock_recv(listener, 100))
                agent.send_signal(signal.SIGTERM)
                while b"STOPPING=1" not in told:
                    told.append(await loop.sock_recv(listener, 100))
            assert await agent.wait() == 0


async def test_a_second_agent_on_the_same_outbox_is_refused(config: Path, school: School) -> None:
    async with Agent(school, clock=CLOCK), process(config) as second:
        _, errors = await second.communicate()
        assert second.returncode == 1
    last = errors.decode().strip().splitlines()[-1]
    assert last.startswith("tenone agent: another agent works on ")
    assert "outbox.path" in last


@pytest.mark.parametrize(
    ("change", "code", "sentence"),
    [
        ({"school": {"id": "No 3"}}, 2, "school.id"),
        (
            {"switches": [{"name": "a", "host": "h", "snmp": {"community": "env:NOT_SET_HERE"}}]},
            1,
            "NOT_SET_HERE",
        ),
    ],
)
def test_what_cannot_start_says_why(
    change: dict[str, object], code: int, sentence: str, config: Path
) -> None:
    config.write_text(yaml.safe_dump(yaml.safe_load(config.read_text()) | change))
    ended = subprocess.run(
        [*TENONE, "agent", "-c", str(config)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == code
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not ended.stdout


async def test_no_reading_outlives_what_its_task_may_take(school: School) -> None:
    """Tables are given up after some budgets of a sweep; whoever reads them ends before."""
    origin = Origin(school=school.id, boot_id=bytes(16), clock=CLOCK)
    async with SnmpClient(clock=CLOCK) as client:
        polled = Polled(school, client, origin=origin, disk=OsDisk())
        switch = polled._switch(school.switches[0], DeviceKind.SWITCH)
    cancelled_seconds = switch._budget_seconds * INVENTORY_BUDGETS
    health, around = (switch._tables[kind] for kind in (Kind.HEALTH, Kind.SURROUNDINGS))
    assert isinstance(health, HealthReader)
    assert isinstance(around, Together)
    assert health._read_budget_seconds + health._learn_budget_seconds < cancelled_seconds
    chassis, others = around._readers
    assert isinstance(chassis, ChassisReader)
    assert isinstance(others, SurroundingsReader)
    assert chassis._budget_seconds + others._seconds < cancelled_seconds


@pytest.fixture
def mending(config: Path, tmp_path: Path) -> tuple[School, str]:
    """A switch with a command line that nobody answers at, and a change that has not ended."""
    body = yaml.safe_load(config.read_text())
    (tmp_path / "password").write_text("x")
    body["switches"][0]["cli"] = {
        "dialect": "huawei-vrp5",
        "username": "tenone",
        "password": f"file:{tmp_path / 'password'}",
        "port": 1,  # nobody listens there
    }
    config.write_text(yaml.safe_dump(body))
    name = body["switches"][0]["name"]
    standing = Standing(pending={name: replace(PENDING, switch=name)})
    (tmp_path / "outbox").mkdir()
    (tmp_path / "outbox" / "repairs-pending").write_bytes(rendered(standing))
    return load_school(config), name


async def test_where_a_switch_has_a_command_line_plans_are_offered_and_what_began_is_ended(
    mending: tuple[School, str], host: FakeHost
) -> None:
    """Without the city's keys no change; a record of before is taken up all the same."""
    school, name = mending
    async with host.running(), Agent(school, clock=CLOCK) as agent:
        assert {"Plan", "FetchConfiguration"} <= set(agent.uplink.commands.verbs)
        assert "Act" not in agent.uplink.commands.verbs
        repairs = agent.repairs
        assert repairs is not None
        await until(lambda: "a-1 at" in repairs.trouble)
        await until(lambda: "configurations" in streams(host))  # it was told that it is away
        with pytest.raises(CommandFailed, match="is not at its end"):
            await repairs.shop.plan(
                {"intent": "bounce-port", "parameters": {"switch": name, "port": "x"}}
            )
    kept = OsDisk().read(school.outbox.path / "repairs-pending")
    assert parse(kept).pending  # nobody has reached it: the next start goes on
