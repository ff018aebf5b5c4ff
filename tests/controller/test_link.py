"""The host's connection: STATE, births, rebirths, receipts, reconnection, a planned leave."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence

import pytest

from controller.ingest.commands import CommandDesk
from controller.ingest.decode import Decoder
from controller.ingest.items import AgentBorn, Item, Refusal
from controller.ingest.link import HostLink
from controller.ingest.pipeline import Figures
from controller.ingest.receipts import ReceiptBook
from controller.plan import SchoolPlan
from controller.store.protocols import Arrival, ChainKey
from drivers.wire.commands import CommandState, Reply, declarations
from drivers.wire.mqtt import ConnectError, ConnectionLostError, Message, MqttError
from drivers.wire.receipt import read_receipt, receipt_declaration
from drivers.wire.sparkplug.codec import decode
from drivers.wire.sparkplug.edge import EdgeSession
from drivers.wire.sparkplug.host import HostSession
from drivers.wire.sparkplug.messages import ConnectPlan, Publish
from drivers.wire.topics import MessageType, NodeId
from tenone.runtime.clock import SystemClock
from tenone.vocabulary.states import PriorityClass

from .harness import until

NODE = NodeId("east", "no1")
NOW_MS = 1_790_000_000_000


class FakePort:
    """A broker in a few lines: what is published is remembered, what is put in arrives."""

    def __init__(self, plan: ConnectPlan, *, refuse: bool = False) -> None:
        self.plan = plan
        self.refuse = refuse
        self.published: list[Publish] = []
        self.subscribed: list[str] = []
        self.acked = 0
        self.left: bool | None = None
        self.broken = False
        self.queue: asyncio.Queue[Message | MqttError] = asyncio.Queue()

    async def connect(self) -> object:
        if self.refuse:
            raise ConnectError("broker 127.0.0.1:1 cannot be reached")
        return None

    async def disconnect(self, *, with_will: bool = False) -> None:
        self.left = with_will

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        if self.broken:
            raise ConnectionLostError("gone")
        self.published.append(Publish(topic=topic, payload=payload, qos=qos, retain=retain))

    async def subscribe(self, topic_filter: str, *, qos: int = 1) -> int:
        self.subscribed.append(topic_filter)
        return qos

    async def messages(self) -> AsyncIterator[Message]:
        while True:
            item = await self.queue.get()
            if isinstance(item, MqttError):
                raise item
            yield item

    def ack(self, _message: Message) -> None:
        self.acked += 1

    def arrive(self, message: Publish) -> None:
        self.queue.put_nowait(
            Message(
                topic=message.topic,
                payload=message.payload,
                qos=message.qos,
                retain=False,
                duplicate=False,
            )
        )

    def to(self, topic: str) -> list[Publish]:
        return [message for message in self.published if message.topic == topic]


class Inbox:
    """Stands for ingest: what is handed over."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.figures = Figures()

    async def put(self, items: Sequence[Item]) -> None:
        self.items += items


class Bench:
    def __init__(self) -> None:
        clock = SystemClock()
        self.inbox = Inbox()
        self.book = ReceiptBook()
        self.desk = CommandDesk(clock)
        self.ports: list[FakePort] = []
        self.refusals = 0
        self.kept: list[int] = []
        schools = {"no1": SchoolPlan(id="no1", district="east", name="No. 1")}
        self.link = HostLink(
            session=HostSession(host_id="tenone"),
            decoder=Decoder(schools, clock),
            ingest=self.inbox,  # type: ignore[arg-type]  # only put and figures are used
            book=self.book,
            desk=self.desk,
            make_port=self._make,
            clock=clock,
            keep_state=self.kept.append,
        )
        self.edge = EdgeSession(node=NODE, host_id=None, last_bd_seq=None)
        self.task = asyncio.create_task(self.link.run())

    def _make(self, plan: ConnectPlan) -> FakePort:
        self.ports.append(FakePort(plan, refuse=self.refusals > 0))
        self.refusals -= 1
        return self.ports[-1]

    @property
    def port(self) -> FakePort:
        return self.ports[-1]

    async def up(self) -> None:
        await until(lambda: bool(self.ports) and not self.link.trouble, 10, "connected")

    def born(self) -> None:
        self.edge.connect(now_ms=NOW_MS)
        self.edge.connected()
        metrics = [receipt_declaration(now_ms=NOW_MS), *declarations("Poll", now_ms=NOW_MS)]
        for message in self.edge.birth(metrics, {}, now_ms=NOW_MS):
            self.port.arrive(message)

    async def close(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    await bench.up()
    yield bench
    await bench.close()


async def test_it_says_online_with_an_offline_will_of_the_same_time(bench: Bench) -> None:
    port = bench.port
    (state,) = port.to("spBv1.0/STATE/tenone")
    assert json.loads(state.payload)["online"] is True
    assert (state.qos, state.retain) == (1, True)
    will = json.loads(port.plan.will.payload)
    assert will == {"online": False, "timestamp": json.loads(state.payload)["timestamp"]}
    assert port.subscribed == ["spBv1.0/#"]
    assert bench.kept == [will["timestamp"]]


async def test_a_birth_is_handed_on_and_acknowledged(bench: Bench) -> None:
    bench.born()
    await until(lambda: bench.port.acked == 1, 10, "acknowledged")
    assert [type(item) for item in bench.inbox.items[:1]] == [AgentBorn]
    assert bench.link.nodes == (NODE,)


async def test_data_before_a_birth_asks_for_one(bench: Bench) -> None:
    bench.edge.connect(now_ms=NOW_MS)
    bench.edge.connected()
    bench.edge.birth([], {}, now_ms=NOW_MS)
    bench.port.arrive(bench.edge.data(None, [], now_ms=NOW_MS))
    command = NODE.topic(MessageType.NCMD)
    await until(lambda: bool(bench.port.to(command)), 15, "a rebirth is asked for")
    (metric,) = decode(bench.port.to(command)[0].payload).metrics
    assert (metric.name, metric.value) == ("Node Control/Rebirth", True)


async def test_what_breaks_the_protocol_is_refused_with_a_sentence(bench: Bench) -> None:
    bench.port.arrive(Publish(topic="spBv1.0/east/NDATA/no1", payload=b"\xff\xff"))
    bench.port.arrive(Publish(topic="spBv1.0/a/b/c/d/e/f", payload=b""))
    await until(lambda: len(bench.inbox.items) == 2, 10, "both are refused")
    assert all(isinstance(item, Refusal) for item in bench.inbox.items)
    assert bench.link.faults == 2


async def test_receipts_leave_by_ncmd_and_are_kept_if_they_do_not(bench: Bench) -> None:
    bench.born()
    chain = ChainKey(bytes(16), PriorityClass.P1)
    bench.book.note(NODE, chain, 7, again=False)
    command = NODE.topic(MessageType.NCMD)
    await until(lambda: bool(bench.port.to(command)), 10, "the receipt is out")
    (metric,) = decode(bench.port.to(command)[0].payload).metrics
    (row,) = read_receipt(metric)
    assert (row.journal_id, row.priority, row.seq) == (chain.journal_id, chain.priority, 7)
    assert bench.inbox.figures.receipts == 1
    bench.port.broken = True
    bench.book.note(NODE, chain, 9, again=False)
    await until(lambda: len(bench.ports) == 2, 20, "it connects again")
    await bench.up()
    await until(lambda: bool(bench.port.to(command)), 20, "the receipt is out at last")
    (metric,) = decode(bench.port.to(command)[0].payload).metrics
    assert read_receipt(metric)[0].seq == 9


async def test_somebody_saying_we_are_offline_is_contradicted(bench: Bench) -> None:
    payload = json.dumps({"online": False, "timestamp": bench.kept[-1] + 5}).encode()
    bench.port.arrive(Publish(topic="spBv1.0/STATE/tenone", payload=payload))
    await until(lambda: len(bench.port.to("spBv1.0/STATE/tenone")) == 2, 10, "said again")
    said = json.loads(bench.port.to("spBv1.0/STATE/tenone")[1].payload)
    assert said == {"online": True, "timestamp": bench.kept[-1] + 5}


async def test_a_lost_connection_is_made_again_with_its_will(bench: Bench) -> None:
    first = bench.port
    first.queue.put_nowait(ConnectionLostError("the broker went away"))
    await until(lambda: len(bench.ports) == 2, 20, "a new port")
    await bench.up()
    assert first.left is True


async def test_a_broker_that_is_not_there_is_told_and_tried_again() -> None:
    bench = Bench()
    bench.refusals = 1
    await until(lambda: "cannot be reached" in bench.link.trouble, 10, "the trouble is told")
    with pytest.raises(MqttError, match="no connection"):
        await bench.link.command(NODE, ())
    await until(lambda: not bench.link.trouble, 20, "connected after all")
    await bench.close()


async def test_a_reply_reaches_the_one_who_asked(bench: Bench) -> None:
    bench.born()
    await until(lambda: bench.link.nodes == (NODE,), 10, "born")
    asking = asyncio.create_task(bench.desk.ask(NODE, "Poll", {}, deadline_seconds=10))
    command = NODE.topic(MessageType.NCMD)
    await until(lambda: bool(bench.port.to(command)), 10, "asked")
    (metric,) = decode(bench.port.to(command)[0].payload).metrics
    identity = json.loads(str(metric.value))["id"]
    reply = Reply(verb="Poll", id=identity, state=CommandState.SUCCESSFUL, message="done")
    data = bench.edge.data(None, [reply.metric(now_ms=NOW_MS)], now_ms=NOW_MS)
    bench.port.arrive(data)
    assert (await asking).message == "done"


async def test_a_planned_leave_says_offline_after_the_last_receipts(bench: Bench) -> None:
    bench.born()
    await until(lambda: bench.link.nodes == (NODE,), 10, "born")
    bench.book.note(NODE, ChainKey(bytes(16), PriorityClass.P1), 3, again=False)
    await bench.link.leave()
    await until(lambda: bench.port.left is not None, 10, "disconnected")
    assert bench.port.left is False, "without the will: it has been said"
    last = bench.port.published[-1]
    assert (last.topic, json.loads(last.payload)["online"]) == ("spBv1.0/STATE/tenone", False)
    assert bench.port.published[-2].topic == NODE.topic(MessageType.NCMD)
    assert not [item for item in bench.inbox.items if isinstance(item, Arrival)]
