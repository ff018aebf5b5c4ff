"""The generator of ``tenone bench ingest``: schools whose switches change all the time.

A process of its own: real MQTT connections, real Sparkplug sessions, real chained blocks; only
the switches behind them and the journal's disk are missing. Counters move, verdicts change, and
at the end it says what it sent, so that what was stored can be compared.
"""

import asyncio
import hashlib
import json
import secrets
import struct
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from drivers.wire.blocks import AliasBook, BlockWriter
from drivers.wire.mqtt import MqttPort
from drivers.wire.mqtt_values import Endpoint
from drivers.wire.receipt import DURABLE_THROUGH, read_receipt, receipt_declaration
from drivers.wire.sparkplug.codec import Metric
from drivers.wire.sparkplug.edge import BirthWanted, CommandReceived, EdgeSession
from drivers.wire.sparkplug.schema import DataType
from drivers.wire.topics import NodeId
from tenone.blocks.block import FIRST_PREVIOUS, Block, Draft, Stamp
from tenone.blocks.columns import Column
from tenone.blocks.layout import Layout
from tenone.cli.bench_machine import own_cpu_seconds
from tenone.vocabulary.metrics import PORT_STATE
from tenone.vocabulary.states import ClockQuality, PriorityClass

COUNTED = (
    *("in_octets", "out_octets", "in_unicast", "out_unicast", "in_multicast", "in_broadcast"),
    *("in_errors", "in_discards"),
)
COLUMNS = (*PORT_STATE, *COUNTED, "discontinuity_ticks", "narrow_counters")
"""Sixteen: the state of a port, and the counters its utilisation, error and discard ratios need."""
DRAIN_SECONDS = 120.0
"""How long the last receipts may take."""
DISTRICT = "east"
OFTEN, RARE = 10**6, 3
"""How far counters of octets and whole frames move in each sweep, and the two others."""
CHANGING_SHARE = 0.01
"""Of all ports, how many change their speed in each sweep."""
_SEQ_AT, _PREVIOUS_AT, _CLOCKS_AT = 28, 68, 120
"""Where sequence number, predecessor's hash and the clocks stand in a block's header."""
_U64, _CLOCKS = struct.Struct("<Q"), struct.Struct("<Iqq")
"""The clocks: sysUpTime ticks, wall clock and monotonic clock in ns."""
_TICK_NS = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is asked for."""

    port: int
    schools: int
    switches: int
    ports: int
    interval_seconds: float
    seconds: float
    warm_seconds: float
    """After the births, before anything is measured: every link changes then."""
    seed: int


def school_name(number: int) -> str:
    """Slug of the school with that number."""
    return f"s{number:04d}"


def port_names(count: int) -> tuple[str, ...]:
    """Row keys of every switch; the last is the uplink."""
    return tuple(f"GigabitEthernet0/0/{number + 1}" for number in range(count))


class _Switch:
    """One switch: a block that is changed in place and hashed anew for every sweep."""

    def __init__(self, school: str, number: int, load: Load, random: np.random.Generator) -> None:
        self.layout = Layout("port-state", COLUMNS, port_names(load.ports))
        self.random = random
        rows = load.ports
        speeds = np.full(rows, 1000, np.uint32)
        values: dict[str, Sequence[int]] = {
            "if_index": range(1, rows + 1),
            "admin": [1] * rows,
            "oper": [1] * rows,
            "speed_mbps": speeds.tolist(),
            "duplex": [3] * rows,
            "last_change_ticks": [0] * rows,
        }
        for name in COUNTED:
            values[name] = random.integers(0, 2**40, rows).tolist()
        values["discontinuity_ticks"] = values["narrow_counters"] = [0] * rows
        stamp = Stamp(
            agent=f"{school}/gateway/agent",
            subject=f"{school}/switch/sw{number}",
            boot_id=secrets.token_bytes(16),
            wall_ns=time.time_ns(),
            monotonic_ns=time.monotonic_ns(),
            clock_quality=ClockQuality.SYNCHRONISED,
            uptime_ticks=0,
        )
        draft = Draft.of(
            self.layout, stamp, [Column.of(name, values[name]) for name in self.layout.columns]
        )
        self.data = bytearray(draft.seal(bytes(16), 1, FIRST_PREVIOUS).data)
        self.header_bytes = Block.parse(bytes(self.data)).header_bytes
        self._views()

    def _views(self) -> None:
        """Arrays over the block's own bytes."""
        rows = len(self.layout.rows)
        offset = self.header_bytes + len(COLUMNS) * ((rows + 7) // 8)
        whole = np.frombuffer(self.data, np.uint8)
        self.counters = []
        for metric in self.layout.metrics:
            size = metric.type.width * rows
            part = whole[offset : offset + size]
            if metric.name == "speed_mbps":
                self.speeds = part.view(np.uint32)
            elif metric.counter:
                broken = metric.name in {"in_errors", "in_discards"}
                self.counters.append((part.view(np.uint64), RARE if broken else OFTEN))
            offset += size

    def sweep(self, journal_id: bytes, seq: int, previous: bytes) -> Block:
        """The next block: counters have moved, some ports have changed their speed."""
        rows = len(self.layout.rows)
        for counter, most in self.counters:
            np.add(counter, self.random.integers(0, most, rows, np.uint64), out=counter)
        if self.random.random() < CHANGING_SHARE * rows:
            port = int(self.random.integers(0, rows))
            self.speeds[port] = 1000 if self.speeds[port] == 100 else 100  # noqa: PLR2004 - Mbit/s
        self.data[12:28] = journal_id
        _U64.pack_into(self.data, _SEQ_AT, seq)
        self.data[_PREVIOUS_AT : _PREVIOUS_AT + 32] = previous
        now_ns = time.monotonic_ns()
        ticks = now_ns // _TICK_NS % 2**32
        _CLOCKS.pack_into(self.data, _CLOCKS_AT, ticks, time.time_ns(), now_ns)
        return Block.parse(bytes(self.data))


class _School:
    """One edge node with its connection."""

    def __init__(self, number: int, load: Load) -> None:
        random = np.random.default_rng((load.seed, number))
        self.name = school_name(number)
        self.switches = [_Switch(self.name, one, load, random) for one in range(load.switches)]
        self.journal_id = random.bytes(16)
        self.session = EdgeSession(
            # It waits for no host: a controller that stumbles has to catch up, not to be spared.
            node=NodeId(DISTRICT, self.name),
            host_id=None,
            last_bd_seq=None,
        )
        self.writer = BlockWriter(AliasBook())
        self.head, self.previous = 0, FIRST_PREVIOUS
        self.through = 0
        self.sent: list[Block] = []
        """Not receipted yet; kept to be sent again."""
        self.resent = 0
        self.digest = 0
        self.phase = float(random.random())
        self._load = load
        self._born = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Connect, be born, send sweeps on their grid until ``stop`` and the last receipt."""
        plan = self.session.connect(now_ms=_now_ms())
        async with MqttPort(
            endpoint=Endpoint(host="127.0.0.1", port=self._load.port),
            client_id=f"bench-{self.name}",
            will=plan.will,
        ) as port:
            reader = asyncio.create_task(self._read(port))
            try:
                for topic_filter, qos in plan.subscriptions:
                    await port.subscribe(topic_filter, qos=qos)
                await self._handle(port, self.session.connected())
                await self._born.wait()
                await self._sweeps(port, stop)
                await self._drain(port)
            finally:
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)

    async def _read(self, port: MqttPort) -> None:
        async for message in port.messages():
            events = self.session.received(message.topic, message.payload, now_ms=_now_ms())
            await self._handle(port, events)
            port.ack(message)

    async def _handle(self, port: MqttPort, events: Sequence[object]) -> None:
        for event in events:
            if isinstance(event, BirthWanted):
                await self._birth(port)
            elif isinstance(event, CommandReceived):
                for metric in event.metrics:
                    if metric.name == DURABLE_THROUGH:
                        self._receipt(metric)

    async def _birth(self, port: MqttPort) -> None:
        now_ms = _now_ms()
        facts = [
            Metric(name="Journal/Id", datatype=DataType.STRING, value=self.journal_id.hex()),
            Metric(name="Agent/Version", datatype=DataType.STRING, value="bench"),
            receipt_declaration(now_ms=now_ms),
        ]
        devices = {
            f"switch-sw{number}": self.writer.declare(
                f"switch-sw{number}", [(switch.layout, None)], now_ms=now_ms
            )
            for number, switch in enumerate(self.switches)
        }
        for message in self.session.birth(facts, devices, now_ms=now_ms):
            await port.publish(message.topic, message.payload)
        self._born.set()

    def _receipt(self, metric: Metric) -> None:
        for row in read_receipt(metric):
            if row.journal_id == self.journal_id and row.priority is PriorityClass.P1:
                self.through = max(self.through, row.seq)
        self.sent = [block for block in self.sent if block.seq > self.through]

    async def _sweeps(self, port: MqttPort, stop: asyncio.Event) -> None:
        interval = self._load.interval_seconds / len(self.switches)
        due = time.monotonic() + self.phase * self._load.interval_seconds
        while not stop.is_set():
            for number, switch in enumerate(self.switches):
                await asyncio.sleep(due - time.monotonic())
                due += interval
                if stop.is_set():
                    return
                await self._sweep(port, number, switch)

    async def _sweep(self, port: MqttPort, number: int, switch: _Switch) -> None:
        self.head += 1
        block = switch.sweep(self.journal_id, self.head, self.previous)
        self.previous = block.hash
        self.digest ^= int.from_bytes(hashlib.sha256(block.hash).digest()[:8], "little")
        self.sent.append(block)
        await self._publish(port, number, switch, block)

    async def _publish(self, port: MqttPort, number: int, switch: _Switch, block: Block) -> None:
        metrics = self.writer.encode(block, switch.layout)
        message = self.session.data(f"switch-sw{number}", metrics, now_ms=_now_ms())
        await port.publish(message.topic, message.payload)

    async def _drain(self, port: MqttPort) -> None:
        """Until the last receipt; what has none after 5 s is sent again."""
        patience = time.monotonic() + 5
        while self.through < self.head:
            await asyncio.sleep(0.05)
            if time.monotonic() < patience:
                continue
            patience = time.monotonic() + 5
            for block in list(self.sent):
                number = int(block.stamp.subject.rpartition("sw")[2])
                await self._publish(port, number, self.switches[number], block)
                self.resent += 1


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


async def _main(load: Load) -> None:
    print(json.dumps({"ready": True}), flush=True)
    schools = [_School(number, load) for number in range(load.schools)]
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        tasks = []
        for school in schools:
            tasks.append(group.create_task(school.run(stop)))
            await asyncio.sleep(0.002)  # connecting all at once is no part of what is measured
        await _until_born(schools)
        print(json.dumps({"born": load.schools}), flush=True)
        await asyncio.sleep(load.warm_seconds + load.seconds)
        made = sum(school.head for school in schools)
        cpu = own_cpu_seconds()
        stop.set()
        async with asyncio.timeout(DRAIN_SECONDS):
            await asyncio.gather(*tasks)
    ports = load.ports
    slow = sum(int((s.speeds[:ports] == 100).sum()) for one in schools for s in one.switches)  # noqa: PLR2004 - Mbit/s
    digest = 0
    for school in schools:
        digest ^= school.digest
    body = {
        "blocks": sum(school.head for school in schools),
        "blocks_at_stop": made,
        "resent": sum(school.resent for school in schools),
        "digest": digest,
        "slow_ports": slow,
        "cpu_seconds": cpu,
    }
    print(json.dumps(body), flush=True)


async def _until_born(schools: Sequence[_School]) -> None:
    for school in schools:
        async with asyncio.timeout(120):
            await school._born.wait()  # noqa: SLF001 - a part of the same module


if __name__ == "__main__":
    asyncio.run(_main(Load(**json.loads(sys.argv[1]))))
