"""Two schools, a city and a broker as real processes, with witnesses outside of them.

Witnesses: the switch simulator logs every answer before it leaves; each agent logs every
block whose fsync has returned. A checker that shares no code path with ingest compares
both with the rows of the controller's SQLite files.
"""

import asyncio
import json
import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tenone.blocks.block import Block
from tenone.blocks.layout import Layout
from tenone.cli.processes import Child, free_port

COMMUNITY = "public"


class Broker:
    """Mosquitto as an operator would run it, but on loopback and in memory only."""

    def __init__(self, folder: Path, port: int) -> None:
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
            "max_inflight_messages 0\nmax_queued_messages 0\n"
        )
        self._log = folder / "mosquitto.log"
        self._process: asyncio.subprocess.Process | None = None
        self._port = port

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                "mosquitto", "-c", str(self._config), stdout=log, stderr=log
            )
        for _ in range(100):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                await writer.wait_closed()
                return
        raise AssertionError("mosquitto did not start")

    async def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        await self._process.wait()


@dataclass
class Town:
    """Everything of it; ``data`` is what must survive, ``folder`` is where witnesses write."""

    folder: Path
    data: Path
    schools: int = 2
    switches_each: int = 2
    state_seconds: float = 0.5
    switch_sim: Child = field(init=False)
    controller: Child = field(init=False)
    agents: dict[str, Child] = field(init=False, default_factory=dict)
    broker: Broker = field(init=False)
    first_ports: dict[str, str] = field(init=False, default_factory=dict)

    def child(self, name: str, *argv: str) -> Child:
        return Child(
            name,
            [*argv, "--ready-json"],
            log=self.folder / f"{name}.log",
            env={"TOWN_COMMUNITY": COMMUNITY},
        )

    async def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        port = free_port()
        self.broker = Broker(self.folder, port)
        await self.broker.start()
        self.switch_sim = self.child(
            "switches", "sim", "switch", "--vendor", "mixed", "--ports", "8",
            "--count", str(self.schools * self.switches_each),
            "--answers", str(self.folder / "answers.jsonl"),
        )  # fmt: skip
        await self.switch_sim.start()
        self._configure(port)
        self.controller = self.child(
            "controller", "controller", "-c", str(self.folder / "city.yaml")
        )
        await self.controller.start()
        for number in range(self.schools):
            name = f"s{number + 1}"
            self.agents[name] = self.child(
                name, "agent", "-c", str(self.folder / "schools" / f"{name}.yaml"),
                "--kept", str(self.folder / f"{name}.kept"),
            )  # fmt: skip
        await asyncio.gather(*(agent.start() for agent in self.agents.values()))

    def _configure(self, port: int) -> None:
        served = self.switch_sim.ready["switches"]
        (self.folder / "schools").mkdir(exist_ok=True)
        self.data.mkdir(parents=True, exist_ok=True)
        for number in range(self.schools):
            name = f"s{number + 1}"
            mine = served[number * self.switches_each : (number + 1) * self.switches_each]
            for one in mine:
                self.first_ports[f"{name}/switch/{one['name']}"] = one["ports"][0]
            self._write(self.folder / "schools" / f"{name}.yaml", self._school(name, mine, port))
        self._write(
            self.folder / "city.yaml",
            {
                "schema_version": 1,
                "city": {"id": "town", "name": "Town"},
                "districts": [{"id": "d1", "name": "One"}],
                "schools": "schools",
                "broker": {"host": "127.0.0.1", "port": port},
                "store": {"path": str(self.data / "store")},
                "records": {"url": f"sqlite:///{self.data / 'records.db'}"},
                "http": {"port": free_port(), "tls": "off"},
            },
        )

    def _school(self, name: str, switches: list[dict[str, object]], port: int) -> dict[str, object]:
        return {
            "schema_version": 1,
            "school": {"id": name, "name": name, "district": "d1", "city": "town"},
            "uplink": {"broker": {"host": "127.0.0.1", "port": port}},
            "switches": [
                {
                    "name": one["name"],
                    "host": one["host"],
                    "port": one["port"],
                    "snmp": {"community": "env:TOWN_COMMUNITY"},
                }
                for one in switches
            ],
            "links": [
                {
                    "id": f"class-{one['name']}",
                    "tier": "class",
                    "switch": one["name"],
                    "port": one["ports"][0],  # type: ignore[index]  # a JSON list
                }
                for one in switches
            ],
            "local_broker": {"embedded": True, "port": free_port()},
            "polling": {
                "state_seconds": self.state_seconds,
                "counters_seconds": self.state_seconds,
                "timeout_seconds": 0.2,
                "retries": 1,
            },
            "outbox": {"path": str(self.data / f"outbox-{name}"), "limit_mb": 64},
        }

    @staticmethod
    def _write(path: Path, body: dict[str, object]) -> None:
        path.write_text(yaml.safe_dump(body, allow_unicode=True), encoding="utf-8")

    async def stop(self) -> None:
        children = [*self.agents.values(), self.controller, self.switch_sim]
        for child in children:
            await child.stop()
        await self.broker.kill()


Key = tuple[str, int, int]
"""Journal id (hex), class, sequence number."""


def kept(folder: Path) -> dict[Key, str]:
    """What the agents' witnesses wrote: block -> hash (hex). A torn last line does not count."""
    found: dict[Key, str] = {}
    for path in folder.glob("*.kept"):
        text = path.read_text()
        for line in text[: text.rfind("\n") + 1].splitlines():
            journal, priority, seq, digest = json.loads(line)
            found[journal, priority, seq] = digest
    return found


def stored(data: Path, scratch: Path) -> Iterator[tuple[Block, Layout]]:
    """Every row of the controller's files, read from a copy by plain SQL."""
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(data / "store", scratch)
    for path in sorted(scratch.rglob("*.blocks")):
        database = sqlite3.connect(path)
        rows = database.execute(
            "SELECT b.coding, b.data, l.document FROM blocks b JOIN layouts l ON l.id = b.layout"
        )
        for coding, body, document in rows:
            yield (
                Block.parse(zlib.decompress(body) if coding else body),
                Layout.parse(zlib.decompress(document)),
            )
        database.close()


def answers(folder: Path) -> dict[str, set[int]]:
    """Switch -> the answer numbers its simulator logged."""
    found: dict[str, set[int]] = {}
    for line in (folder / "answers.jsonl").read_text().splitlines():
        entry = json.loads(line)
        if entry["answer"] is not None:
            found.setdefault(entry["switch"], set()).add(entry["answer"])
    return found


@dataclass
class Truth:
    """What the comparison found."""

    kept: int = 0
    stored: int = 0
    answered: int = 0
    sweeps_stored: int = 0
    lost: list[Key] = field(default_factory=list)
    changed: list[Key] = field(default_factory=list)
    doubled: list[Key] = field(default_factory=list)
    sweeps_doubled: list[tuple[str, int]] = field(default_factory=list)
    sweeps_invented: list[tuple[str, int]] = field(default_factory=list)


def compare(
    town: Town, data: Path, promised: dict[Key, str], in_journal: dict[Key, str] | None = None
) -> Truth:
    """Witnesses against rows; ``in_journal`` are blocks still to be sent, which are not lost."""
    truth = Truth(kept=len(promised))
    spoken = answers(town.folder)
    truth.answered = sum(len(numbers) for numbers in spoken.values())
    rows: dict[Key, str] = {}
    sweeps: set[tuple[str, int]] = set()
    for block, layout in stored(data, town.folder / "scratch"):
        key = (block.journal_id.hex(), int(block.priority), block.seq)
        if key in rows:
            truth.doubled.append(key)
        rows[key] = block.hash.hex()
        if layout.stream != "port-counters":
            continue
        row = layout.rows.index(town.first_ports[block.stamp.subject])
        number = block.columns(layout)[layout.columns.index("in_octets")].raw()[row]
        sweep = (block.stamp.subject.rsplit("/", 1)[1], int(number))
        if sweep in sweeps:
            truth.sweeps_doubled.append(sweep)
        sweeps.add(sweep)
        if sweep[1] not in spoken[sweep[0]]:
            truth.sweeps_invented.append(sweep)
    truth.stored, truth.sweeps_stored = len(rows), len(sweeps)
    have = rows | (in_journal or {})
    truth.lost = sorted(key for key in promised if key not in have)
    truth.changed = sorted(
        key for key, digest in promised.items() if have.get(key, digest) != digest
    )
    return truth
