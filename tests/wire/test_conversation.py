"""An edge node and a host over real brokers: the sessions, the port and the block mapping at once.

The two runners are the shortest honest use of the room: what agents and controller do, without
journal and store.
"""

import asyncio
import contextlib
import subprocess
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

import pytest

from drivers.wire.blocks import AliasBook, BlockWriter, announced_layouts, decode_blocks, device_of
from drivers.wire.commands import CommandState, Reply, Request, declarations, is_reply, is_request
from drivers.wire.mqtt import ConnectionLostError, Endpoint, MqttPort
from drivers.wire.receipt import (
    DURABLE_THROUGH,
    Durable,
    read_receipt,
    receipt_declaration,
    receipt_metric,
)
from drivers.wire.sparkplug.admission import RebirthAdmission
from drivers.wire.sparkplug.codec import Metric
from drivers.wire.sparkplug.edge import (
    BirthWanted,
    CommandReceived,
    EdgeEvent,
    EdgeSession,
    EdgeState,
    Leave,
)
from drivers.wire.sparkplug.events import (
    Data,
    DeviceBorn,
    HostEvent,
    NodeBorn,
    NodeDied,
    RebirthAsked,
    StateRepaired,
)
from drivers.wire.sparkplug.host import HostSession
from drivers.wire.sparkplug.messages import Moment, Publish
from drivers.wire.topics import NodeId
from tenone.blocks.block import FIRST_PREVIOUS, Block, Draft, Stamp
from tenone.blocks.columns import Column
from tenone.blocks.layout import Layout, layout
from tenone.runtime.clock import SystemClock
from tenone.vocabulary.metric import ColumnType
from tenone.vocabulary.metrics import AGENT_HEALTH, METRICS, PORT_STATE
from tenone.vocabulary.states import PriorityClass

NODE = NodeId("east", "no3")
HOST = "tenone-binhai"
CLOCK = SystemClock()
PORTS = layout("port-state", PORT_STATE, ["GE0/0/1", "GE0/0/2"])
HEALTH = layout("agent-health", AGENT_HEALTH, ["agent"])
Eventually = Callable[[Callable[[], bool], str], Awaitable[None]]


class Broker(Protocol):
    @property
    def endpoint(self) -> Endpoint: ...

    def kill(self) -> None: ...


StartBroker = Callable[..., Broker]


def now() -> Moment:
    return Moment.of(CLOCK)


def block(lay: Layout, subject: str, seq: int) -> Block:
    rows = len(lay.rows)
    columns = [
        Column.of(
            name, [f"{seq}"] * rows if METRICS[name].type is ColumnType.TEXT else [seq] * rows
        )
        for name in lay.columns
    ]
    stamp = Stamp(
        agent="no3", subject=subject, boot_id=bytes(16), wall_ns=CLOCK.wall_ns(), monotonic_ns=1
    )
    return Draft.of(lay, stamp, columns).seal(b"j" * 16, seq, FIRST_PREVIOUS)


@dataclass
class Edge:
    """One school: keeps blocks until their receipt, as a journal would."""

    endpoint: Endpoint
    host_id: str | None = HOST
    session: EdgeSession = field(init=False)
    kept: dict[int, tuple[Layout, Block]] = field(default_factory=dict)
    births: int = 0
    requests: list[Request] = field(default_factory=list)
    port: MqttPort | None = None

    def __post_init__(self) -> None:
        self.session = EdgeSession(node=NODE, host_id=self.host_id, last_bd_seq=None)
        self.writer = BlockWriter(AliasBook())

    async def run(self) -> None:
        while True:
            with contextlib.suppress(ConnectionLostError):
                await self.live()
            self.session.lost()

    async def live(self) -> None:
        plan = self.session.connect(now_ms=now().wall_ms)
        async with MqttPort(
            endpoint=self.endpoint,
            client_id=f"edge-{uuid.uuid4().hex}",
            will=plan.will,
            clean_start=plan.clean_start,
            session_expiry_seconds=plan.session_expiry_seconds,
        ) as port:
            for topic_filter, qos in plan.subscriptions:
                await port.subscribe(topic_filter, qos=qos)
            self.port = port
            await self.handle(port, self.session.connected())
            async for message in port.messages():
                port.ack(message)
                events = self.session.received(message.topic, message.payload, now_ms=now().wall_ms)
                await self.handle(port, events)

    async def handle(self, port: MqttPort, events: tuple[EdgeEvent, ...]) -> None:
        for event in events:
            if isinstance(event, BirthWanted):
                self.births += 1
                await self.send(self.birth())
            elif isinstance(event, Leave):
                await self.send((event.death,))
                await port.disconnect()
            elif isinstance(event, CommandReceived):
                await self.obey(event)

    def birth(self) -> tuple[Publish, ...]:
        now_ms = now().wall_ms
        newest = {lay.stream: (lay, made) for _, (lay, made) in sorted(self.kept.items())}
        node = [
            receipt_declaration(now_ms=now_ms),
            *declarations("Restore", now_ms=now_ms),
            *self.writer.declare(None, [newest.get("agent-health", (HEALTH, None))], now_ms=now_ms),
        ]
        switch = self.writer.declare(
            "switch-core", [newest.get("port-state", (PORTS, None))], now_ms=now_ms
        )
        return self.session.birth(node, {"switch-core": switch}, now_ms=now_ms)

    async def obey(self, event: CommandReceived) -> None:
        for metric in event.metrics:
            if metric.name == DURABLE_THROUGH:
                for row in read_receipt(metric):
                    for seq in [seq for seq in self.kept if seq <= row.seq]:
                        del self.kept[seq]
            elif is_request(metric):
                request = Request.read(metric)
                self.requests.append(request)
                now_ms = now().wall_ms
                late = request.expired(now_ms)
                reply = Reply(
                    verb=request.verb,
                    id=request.id,
                    state=CommandState.FAILED if late else CommandState.SUCCESSFUL,
                    message="too late" if late else "",
                )
                await self.send(
                    (self.session.data(None, [reply.metric(now_ms=now_ms)], now_ms=now_ms),)
                )

    async def put(self, lay: Layout, made: Block) -> None:
        """Journal a block and send it if that is possible now."""
        self.kept[made.seq] = (lay, made)
        if self.session.state is EdgeState.ONLINE:
            await self.resend(made.seq)

    async def resend(self, seq: int) -> None:
        lay, made = self.kept[seq]
        device = device_of(made.stamp.subject)
        metrics = self.writer.encode(made, lay)
        await self.send((self.session.data(device, metrics, now_ms=now().wall_ms),))

    async def send(self, messages: tuple[Publish, ...]) -> None:
        assert self.port is not None
        for message in messages:
            await self.port.publish(
                message.topic, message.payload, qos=message.qos, retain=message.retain
            )


@dataclass
class City:
    """The host: stores blocks by sequence number and sends receipts."""

    endpoint: Endpoint
    last_state_ms: int = 0
    events: list[HostEvent] = field(default_factory=list)
    store: dict[int, Block] = field(default_factory=dict)
    replies: list[Reply] = field(default_factory=list)
    layouts: dict[str | None, dict[str, Layout]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.session = HostSession(
            host_id=HOST,
            reorder_seconds=0.2,
            admission=RebirthAdmission(jitter_seconds=0.0),
            last_state_ms=self.last_state_ms,
        )
        self.outbox: asyncio.Queue[Publish] = asyncio.Queue()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        tasks: list[asyncio.Task[None]] = []
        plan = self.session.connect(at=now())
        async with MqttPort(
            endpoint=self.endpoint, client_id=f"city-{uuid.uuid4().hex}", will=plan.will
        ) as port:
            for topic_filter, qos in plan.subscriptions:
                await port.subscribe(topic_filter, qos=qos)
            self.port = port
            self.outbox.put_nowait(self.session.connected())
            tasks = [asyncio.create_task(work) for work in (self.read(), self.write(), self.tick())]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def read(self) -> None:
        async for message in self.port.messages():
            self.take(self.session.received(message.topic, message.payload, at=now()))
            self.port.ack(message)

    async def write(self) -> None:
        # Apart from reading: rumqttd sends no PUBACK while messages wait to be acknowledged.
        while True:
            message = await self.outbox.get()
            await self.port.publish(
                message.topic, message.payload, qos=message.qos, retain=message.retain
            )

    async def tick(self) -> None:
        while True:
            await asyncio.sleep(0.05)
            self.take(self.session.tick(at=now()))

    def take(self, events: tuple[HostEvent, ...]) -> None:
        for event in events:
            self.events.append(event)
            if isinstance(event, NodeBorn | DeviceBorn):
                device = event.device if isinstance(event, DeviceBorn) else None
                self.layouts[device] = announced_layouts(event.metrics)
                self.keep(device, event.metrics)
            elif isinstance(event, Data):
                self.keep(event.device, event.metrics)
                self.replies += [Reply.read(m) for m in event.metrics if is_reply(m)]
            elif isinstance(event, RebirthAsked):
                self.outbox.put_nowait(event.command)
            elif isinstance(event, StateRepaired):
                self.outbox.put_nowait(event.state)

    def keep(self, device: str | None, metrics: tuple[Metric, ...]) -> None:
        for carried in decode_blocks(metrics, self.layouts[device]):
            self.store[carried.block.seq] = carried.block

    def command(self, *metrics: Metric) -> None:
        self.outbox.put_nowait(self.session.command(NODE, None, metrics, at=now()))

    def receipt(self, seq: int) -> None:
        row = Durable(b"j" * 16, PriorityClass.P1, seq)
        self.command(receipt_metric([row], now_ms=now().wall_ms))

    def count(self, kind: type[HostEvent]) -> int:
        return sum(isinstance(event, kind) for event in self.events)


@contextlib.asynccontextmanager
async def alive(edge: Edge) -> AsyncIterator[Edge]:
    task = asyncio.create_task(edge.run())
    try:
        yield edge
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_births_blocks_receipts_commands(endpoint: Endpoint, eventually: Eventually) -> None:
    city = City(endpoint)
    async with alive(Edge(endpoint)) as edge:
        first = block(PORTS, "no3/switch/core", 1)
        await edge.put(PORTS, first)  # before there is any host: journalled
        async with city.running():
            await eventually(lambda: 1 in city.store, "the block in the birth")
            assert city.store[1].hash == first.hash
            sent = [block(HEALTH, "no3/gateway/agent", 2), block(PORTS, "no3/switch/core", 3)]
            await edge.put(HEALTH, sent[0])
            await edge.put(PORTS, sent[1])
            swapped = layout("port-state", PORT_STATE, ["GE0/0/2", "GE0/0/1"])
            sent.append(block(swapped, "no3/switch/core", 4))
            await edge.put(swapped, sent[2])
            await eventually(lambda: len(city.store) == 4, "four blocks")
            assert [city.store[made.seq].hash for made in sent] == [made.hash for made in sent]
            city.receipt(3)
            await eventually(lambda: set(edge.kept) == {4}, "the receipt")
            for number, deadline in enumerate((now().wall_ms + 60_000, now().wall_ms - 1)):
                request = Request(verb="Restore", id=f"r{number}", deadline_ms=deadline)
                city.command(request.metric(now_ms=now().wall_ms))
            await eventually(lambda: len(city.replies) == 2, "two replies")
            assert [reply.state for reply in city.replies] == ["successful", "failed"]
            assert edge.births == 1


async def test_a_lost_message_leads_to_a_rebirth(
    endpoint: Endpoint, eventually: Eventually
) -> None:
    city = City(endpoint)
    async with alive(Edge(endpoint)) as edge, city.running():
        await eventually(lambda: city.count(DeviceBorn) == 1, "births")
        edge.session.data(None, [], now_ms=now().wall_ms)  # made and never sent
        await edge.put(PORTS, block(PORTS, "no3/switch/core", 1))
        await eventually(lambda: edge.births == 2, "the rebirth")
        await eventually(lambda: city.count(NodeBorn) == 2, "the second NBIRTH")
        assert 1 in city.store
        assert edge.session.bd_seq == 0


async def test_host_restart_and_offline_state(endpoint: Endpoint, eventually: Eventually) -> None:
    """The host dies: its will is STATE offline, the edge leaves, waits, and is born again."""
    first = City(endpoint)
    async with alive(Edge(endpoint)) as edge:
        async with first.running():
            await eventually(lambda: first.count(DeviceBorn) == 1, "births")
            await first.port.disconnect(with_will=True)
            await eventually(lambda: edge.session.bd_seq == 1, "a new session")
            await eventually(lambda: edge.session.state is EdgeState.WAITING, "waiting")
        await edge.put(PORTS, block(PORTS, "no3/switch/core", 1))
        second = City(endpoint, last_state_ms=first.session.state_ms)
        async with second.running():
            await eventually(lambda: 1 in second.store, "what was journalled meanwhile")
        assert edge.births == 2


async def test_a_quick_host_restart_asks_for_one_rebirth(
    endpoint: Endpoint, eventually: Eventually
) -> None:
    """The host is exchanged without a word: the edge stays, its next data is out of context."""
    first = City(endpoint)
    async with alive(Edge(endpoint)) as edge:
        async with first.running():
            await eventually(lambda: first.count(DeviceBorn) == 1, "births")
        second = City(endpoint, last_state_ms=first.session.state_ms)
        async with second.running():
            await edge.put(PORTS, block(PORTS, "no3/switch/core", 1))
            await eventually(lambda: 1 in second.store, "the block, in the rebirth")
            assert second.count(RebirthAsked) == 1
            assert edge.session.bd_seq == 0


async def test_a_cut_edge_is_born_again_in_a_new_session(
    endpoint: Endpoint, eventually: Eventually
) -> None:
    city = City(endpoint)
    async with city.running(), alive(Edge(endpoint)) as edge:
        await eventually(lambda: city.count(DeviceBorn) == 1, "births")
        assert edge.port is not None
        edge.port._end("as if the cable were cut")
        await eventually(lambda: city.count(DeviceBorn) == 2, "the second session")
        births = [event for event in city.events if isinstance(event, NodeBorn)]
        assert [(born.bd_seq, born.again) for born in births] == [(0, False), (1, False)]
        assert city.session.nodes_online == (NODE,)


async def test_an_edge_that_ends_without_a_word_dies_by_its_will(
    endpoint: Endpoint, eventually: Eventually
) -> None:
    city = City(endpoint)
    async with city.running():
        async with alive(Edge(endpoint)):
            await eventually(lambda: city.count(DeviceBorn) == 1, "births")
        await eventually(lambda: city.count(NodeDied) == 1, "the will")
        died = next(event for event in city.events if isinstance(event, NodeDied))
        assert (died.bd_seq, died.devices) == (0, ("switch-core",))
        assert city.session.nodes_online == ()


async def test_somebody_says_that_we_are_offline(
    endpoint: Endpoint, eventually: Eventually
) -> None:
    city = City(endpoint)
    async with city.running(), alive(Edge(endpoint)) as edge:
        await eventually(lambda: city.count(DeviceBorn) == 1, "births")
        twin = HostSession(host_id=HOST)
        twin.connect(at=now())
        lie = twin.leave(at=now())
        async with MqttPort(endpoint=endpoint, client_id="twin") as port:
            await port.publish(lie.topic, lie.payload, qos=1, retain=True)
        await eventually(lambda: city.count(StateRepaired) >= 1, "the contradiction")
        await eventually(lambda: city.count(DeviceBorn) == 2, "the edge is back")
        assert edge.session.bd_seq == 1


def watch(endpoint: Endpoint) -> subprocess.Popen[bytes]:
    """Debian's own client, printing topic, QoS, retain flag and payload in hex."""
    return subprocess.Popen(
        ["mosquitto_sub", "-V", "5", "-h", endpoint.host, "-p", str(endpoint.port),
         "-t", "spBv1.0/#", "-F", "%t %q %r %x", "-q", "1"],
        stdout=subprocess.PIPE,
    )  # fmt: skip


async def test_mosquitto_sub_sees_the_very_bytes(
    start_mosquitto: StartBroker, eventually: Eventually
) -> None:
    """An independent client prints what travels; the blocks in it are ours, byte for byte."""
    endpoint = start_mosquitto().endpoint
    watcher = watch(endpoint)
    try:
        edge = Edge(endpoint, host_id=None)
        async with alive(edge):
            made = block(PORTS, "no3/switch/core", 1)
            await eventually(lambda: edge.session.state is EdgeState.ONLINE, "a session")
            assert watcher.stdout is not None
            lines: list[list[str]] = []
            reading = asyncio.create_task(asyncio.to_thread(_read_until_block, watcher, lines))
            while not reading.done():  # until the watcher's own subscription stands
                await edge.put(PORTS, made)
                await asyncio.sleep(0.05)
            await reading
    finally:
        watcher.kill()
        watcher.wait()
        if watcher.stdout is not None:
            watcher.stdout.close()
    topic, qos, retain, text = lines[-1]
    assert (topic, qos, retain) == ("spBv1.0/east/DDATA/no3/switch-core", "0", "0")
    sent = bytes.fromhex(text)
    for column in made.columns(PORTS):
        assert column.data in sent
    assert made.header in sent


def _read_until_block(watcher: subprocess.Popen[bytes], lines: list[list[str]]) -> None:
    assert watcher.stdout is not None
    for line in watcher.stdout:
        lines.append(line.decode().split())
        if "/DDATA/" in lines[-1][0]:
            return


@pytest.mark.parametrize("count", [3])
async def test_a_broker_killed_and_back(
    start_mosquitto: StartBroker, eventually: Eventually, count: int
) -> None:
    """Blocks kept through a broker's death arrive after it: the journal, not the broker, keeps."""
    broker = start_mosquitto()
    edge = Edge(broker.endpoint, host_id=None)
    task = asyncio.create_task(edge.live())
    await eventually(lambda: edge.session.state is EdgeState.ONLINE, "a session")
    broker.kill()
    with pytest.raises(ConnectionLostError):
        await asyncio.wait_for(task, 20)
    edge.session.lost()
    for seq in range(1, count + 1):
        await edge.put(PORTS, block(PORTS, "no3/switch/core", seq))
    edge.endpoint = start_mosquitto().endpoint
    city = City(edge.endpoint)
    async with city.running(), alive(edge):
        await eventually(lambda: city.count(DeviceBorn) == 1, "births")
        for seq in sorted(edge.kept):
            await edge.resend(seq)
        await eventually(lambda: len(city.store) == count, "all blocks")
