"""A small controller for tests: a Sparkplug host that commits to memory and sends receipts."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from drivers.wire.blocks import UnknownLayoutError, announced_layouts, decode_blocks
from drivers.wire.commands import Reply, Request, is_reply
from drivers.wire.conversation import Connection
from drivers.wire.mqtt import Endpoint, MqttError, MqttPort, Will
from drivers.wire.receipt import Durable, receipt_metric
from drivers.wire.sparkplug.codec import Metric
from drivers.wire.sparkplug.events import (
    Data,
    DeviceBorn,
    Fault,
    HostEvent,
    NodeBorn,
    NodeDied,
    RebirthAsked,
    StateRepaired,
)
from drivers.wire.sparkplug.host import HostSession
from drivers.wire.sparkplug.messages import Moment, Publish
from drivers.wire.topics import NodeId
from tenone.blocks.block import Block
from tenone.blocks.layout import Layout
from tenone.journal.journal import GAP_LAYOUT
from tenone.runtime.clock import Clock, SystemClock
from tenone.vocabulary.states import PriorityClass

HOST_ID = "tenone"
NODE = NodeId("east", "no3")
Key = tuple[bytes, PriorityClass, int]


@dataclass
class Store:
    """What outlives a restart of the host."""

    blocks: dict[Key, Block] = field(default_factory=dict)
    streams: dict[Key, str] = field(default_factory=dict)
    layouts: dict[Key, Layout] = field(default_factory=dict)
    bases: dict[tuple[bytes, PriorityClass], int] = field(default_factory=dict)
    gaps: set[Key] = field(default_factory=set)
    deliveries: int = 0
    state_ms: int = 0

    def watermark(self, journal_id: bytes, priority: PriorityClass) -> int:
        seq = self.bases.get((journal_id, priority), 0)
        while (key := (journal_id, priority, seq + 1)) in self.blocks or key in self.gaps:
            seq += 1
        return seq

    def seqs(self, priority: PriorityClass) -> list[int]:
        return sorted(seq for _, cls, seq in self.blocks if cls is priority)


@dataclass
class Arrival:
    """One block in the order it came."""

    stream: str
    priority: PriorityClass
    seq: int
    historical: bool
    raw: bool
    by_birth: bool


class FakeHost:
    """``async with host.running():`` is one life of it; ``store`` stays between lives."""

    def __init__(
        self,
        endpoint: Endpoint | None = None,
        *,
        clock: Clock | None = None,
        make_port: Callable[[Will], Connection] | None = None,
    ) -> None:
        self.endpoint = endpoint
        self._make_port = make_port or self._mqtt_port
        self.store = Store()
        self.receipts = True
        self.arrivals: list[Arrival] = []
        self.replies: list[Reply] = []
        self.births: list[NodeBorn] = []
        self.deaths: list[NodeDied] = []
        self.faults: list[str] = []
        self.rebirths = 0
        self._clock: Clock = clock or SystemClock()
        self._port: Connection | None = None
        self._session: HostSession | None = None
        self._layouts: dict[str | None, dict[str, Layout]] = {}
        self._receipted: dict[tuple[bytes, PriorityClass], int] = {}

    @asynccontextmanager
    async def running(self, *, orderly: bool = True) -> AsyncIterator["FakeHost"]:
        session = HostSession(host_id=HOST_ID, last_state_ms=self.store.state_ms)
        plan = session.connect(at=self._now())
        self.store.state_ms = session.state_ms
        self._port = port = self._make_port(plan.will)
        self._session, self._layouts, self._receipted = session, {}, {}
        await port.connect()
        for topic_filter, qos in plan.subscriptions:
            await port.subscribe(topic_filter, qos=qos)
        await self._publish(session.connected())
        tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._tick())]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with suppress(MqttError):
                if orderly:
                    await self._publish(session.leave(at=self._now()))
            if isinstance(port, MqttPort):
                await port.disconnect(with_will=not orderly)
            else:
                await port.disconnect()
            self._port = None

    def _mqtt_port(self, will: Will) -> MqttPort:
        assert self.endpoint is not None
        return MqttPort(endpoint=self.endpoint, client_id=f"host-{HOST_ID}", will=will)

    async def ask(self, request: Request) -> None:
        await self._command(request.metric(now_ms=self._now().wall_ms))

    async def ask_rebirth(self) -> None:
        assert self._session is not None
        await self._events(self._session.want_rebirth(NODE, "a test wants it", at=self._now()))

    def live(self, stream: str) -> list[Arrival]:
        return [one for one in self.arrivals if one.stream == stream and not one.historical]

    async def _read(self) -> None:
        assert self._port is not None
        assert self._session is not None
        async for message in self._port.messages():
            self._port.ack(message)
            await self._events(
                self._session.received(message.topic, message.payload, at=self._now())
            )

    async def _tick(self) -> None:
        assert self._session is not None
        while True:
            await self._clock.sleep(0.05)
            await self._events(self._session.tick(at=self._now()))
            if self.receipts:
                await self._send_receipts()

    async def _send_receipts(self) -> None:
        rows = []
        for journal_id, priority in {key[:2] for key in self.store.blocks} | set(self.store.bases):
            seq = self.store.watermark(journal_id, priority)
            if self._receipted.get((journal_id, priority), 0) < seq:
                self._receipted[journal_id, priority] = seq
                rows.append(Durable(journal_id, priority, seq))
        if rows and NODE in (self._session.nodes_online if self._session else ()):
            await self._command(receipt_metric(rows, now_ms=self._now().wall_ms))

    async def _command(self, metric: Metric) -> None:
        assert self._session is not None
        await self._publish(self._session.command(NODE, None, [metric], at=self._now()))

    async def _events(self, events: tuple[HostEvent, ...]) -> None:
        for event in events:
            match event:
                case NodeBorn():
                    self.births.append(event)
                    self._receipted.clear()
                    self._announce(None, event.metrics)
                    self._bases(event)
                    await self._take(None, event.metrics, by_birth=True)
                case DeviceBorn():
                    self._announce(event.device, event.metrics)
                    await self._take(event.device, event.metrics, by_birth=True)
                case Data():
                    await self._take(event.device, event.metrics, by_birth=False)
                case NodeDied():
                    self.deaths.append(event)
                case RebirthAsked():
                    self.rebirths += 1
                    await self._publish(event.command)
                case StateRepaired():
                    await self._publish(event.state)
                case Fault():
                    self.faults.append(event.sentence)

    def _announce(self, device: str | None, metrics: tuple[Metric, ...]) -> None:
        self._layouts[device] = announced_layouts(metrics)

    def _bases(self, born: NodeBorn) -> None:
        named = {metric.name: metric.value for metric in born.metrics}
        journal_id = bytes.fromhex(str(named["Journal/Id"]))
        for priority in PriorityClass:
            base = named[f"Journal/{priority.name}/Base"]
            assert isinstance(base, int)
            key = (journal_id, priority)
            self.store.bases[key] = max(self.store.bases.get(key, 0), base)

    async def _take(
        self, device: str | None, metrics: tuple[Metric, ...], *, by_birth: bool
    ) -> None:
        for metric in metrics:
            if is_reply(metric) and metric.value is not None:
                self.replies.append(Reply.read(metric))
        try:
            carried = decode_blocks(metrics, self._layouts.get(device, {}))
        except UnknownLayoutError:
            await self.ask_rebirth()
            return
        for one in carried:
            block = one.block
            key = (block.journal_id, block.priority, block.seq)
            assert self.store.blocks.setdefault(key, block).data == block.data
            self.store.streams[key] = one.layout.stream
            self.store.layouts[key] = one.layout
            self.store.deliveries += 1
            raw = any(metric.name == "Block/Raw" and metric.value for metric in metrics)
            self.arrivals.append(
                Arrival(one.layout.stream, block.priority, block.seq, one.historical, raw, by_birth)
            )
            if block.layout_id == GAP_LAYOUT.id:
                first, last = (int(column.raw()[0]) for column in block.columns(GAP_LAYOUT)[:2])
                for seq in range(first, last + 1):
                    self.store.gaps.add((block.journal_id, block.priority, seq))

    async def _publish(self, message: Publish) -> None:
        assert self._port is not None
        await self._port.publish(
            message.topic, message.payload, qos=message.qos, retain=message.retain
        )

    def _now(self) -> Moment:
        return Moment.of(self._clock)
