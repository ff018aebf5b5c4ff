"""The controller's one connection to the broker: Sparkplug host, receipts, commands out."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from controller.ingest.commands import CommandDesk
from controller.ingest.decode import Decoder, RebirthNeededError
from controller.ingest.items import Item, Refusal
from controller.ingest.pipeline import Ingest
from controller.ingest.receipts import ReceiptBook
from controller.store.protocols import ChainKey
from drivers.wire.commands import CommandError, Reply, is_reply
from drivers.wire.conversation import Connection
from drivers.wire.mqtt import Backoff, Message, MqttError, MqttPort
from drivers.wire.mqtt_values import Endpoint
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
    RebirthWanted,
    StateRepaired,
)
from drivers.wire.sparkplug.host import HostSession
from drivers.wire.sparkplug.messages import ConnectPlan, Moment, Publish, SessionError
from drivers.wire.topics import NodeId, is_state
from tenone.runtime.clock import Clock

log = logging.getLogger(__name__)

LONGEST_TICK_SECONDS = 0.5
RECEIPT_SECONDS = 0.2
"""How often it is asked whether receipts are due; the book keeps the pace of each node."""


PortMaker = Callable[[ConnectPlan], Connection]


class HostLink:
    """Keeps one connection up; :meth:`run` is for a Supervisor."""

    def __init__(
        self,
        *,
        session: HostSession,
        decoder: Decoder,
        ingest: Ingest,
        book: ReceiptBook,
        desk: CommandDesk,
        make_port: PortMaker,
        clock: Clock,
        keep_state: Callable[[int], None] = lambda _state_ms: None,
    ) -> None:
        """``keep_state`` stores the STATE timestamp, so that a restart never goes back."""
        self._session = session
        self._decoder = decoder
        self._ingest = ingest
        self._book = book
        self._desk = desk
        self._make_port = make_port
        self._clock = clock
        self._keep_state = keep_state
        self._port: Connection | None = None
        self._leaving = asyncio.Event()
        self.trouble = "not connected yet"
        """Why there is no connection; empty while there is one."""
        self.losses = 0
        """Connections that ended without our doing."""
        self.faults = 0
        """Messages that broke the protocol."""
        self.on_born: Callable[[NodeBorn], None] = lambda _birth: None
        """Told of every birth of a node, before it is decoded."""
        desk.send_by(self.command)

    @property
    def nodes(self) -> tuple[NodeId, ...]:
        """Edge nodes that are born and not dead."""
        return self._session.nodes_online

    async def run(self) -> None:
        """Connect, serve, and connect again, until :meth:`leave`."""
        backoff = Backoff()
        while not self._leaving.is_set():
            failure: BaseException | None = None
            try:
                await self._serve(backoff)
            except* MqttError as group:
                failure = group.exceptions[0]
                self.losses += self.trouble == ""
                self.trouble = "; ".join(str(error) for error in group.exceptions)
                log.warning("%s", self.trouble)
            if not self._leaving.is_set():
                await self._clock.sleep(backoff.pause(self._clock.monotonic_ns(), failure))
        await asyncio.Event().wait()  # a task that returns would be started again

    async def _serve(self, backoff: Backoff) -> None:
        plan = self._session.connect(at=self._now())
        self._keep_state(self._session.state_ms)
        port = self._make_port(plan)
        await port.connect()
        try:
            for topic_filter, qos in plan.subscriptions:
                await port.subscribe(topic_filter, qos=qos)
            await self._send(port, self._session.connected())
            self._port = port
            self.trouble = ""
            backoff.connected(self._clock.monotonic_ns())
            log.info("connected to the broker as host %s", self._session.host_id)
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._receive(port)),
                    group.create_task(self._tick(port)),
                    group.create_task(self._receipts(port)),
                ]
                group.create_task(self._end_when_leaving(tasks))
        finally:
            self._port = None
            self._session.lost()
            with contextlib.suppress(MqttError):
                await port.disconnect(with_will=not self._leaving.is_set())

    async def _end_when_leaving(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        await self._leaving.wait()
        for task in tasks:
            task.cancel()

    # -- in

    async def _receive(self, port: Connection) -> None:
        async for message in port.messages():
            if message.retain and not is_state(message.topic):
                await self._refuse_retained(message)
                port.ack(message)
                continue
            events = self._session.received(message.topic, message.payload, at=self._now())
            await self._handle(port, events)
            port.ack(message)

    async def _refuse_retained(self, message: Message) -> None:
        """Sparkplug B 3.0 retains STATE alone: what a broker kept is of unknown age and sender.

        The broker's access lists cannot say that a topic must not be retained; a session's own
        births, data and deaths never are.
        """
        self.faults += 1
        sentence = f"a retained message on {message.topic} is not believed: only STATE is retained"
        log.warning("%s", sentence)
        refused = Refusal(
            reason="retained",
            sentence=sentence,
            school="",
            topic=message.topic,
            data=message.payload,
        )
        await self._ingest.put([refused])

    async def _tick(self, port: Connection) -> None:
        while True:
            now = self._now()
            await self._handle(port, self._session.tick(at=now))
            due = self._session.next_tick(at=now)
            pause = LONGEST_TICK_SECONDS if due is None else due - now.monotonic
            await self._clock.sleep(min(max(pause, 0.01), LONGEST_TICK_SECONDS))

    async def _handle(self, port: Connection, events: Sequence[HostEvent]) -> None:
        for event in events:
            match event:
                case RebirthAsked():
                    log.info("asking %s for a rebirth: %s", event.node, event.reason)
                    await self._send(port, event.command)
                case StateRepaired():
                    log.warning("somebody said that this host is offline; saying otherwise")
                    await self._send(port, event.state)
                case Fault():
                    self.faults += 1
                    await self._ingest.put([_fault(event)])
                case _:
                    await self._ingest.put(self._items(event))

    def _items(self, event: HostEvent) -> list[Item]:
        try:
            match event:
                case NodeBorn():
                    log.info("%s was born%s", event.node, " again" if event.again else "")
                    self.on_born(event)
                    return self._decoder.born(event)
                case DeviceBorn():
                    return self._decoder.device_born(event)
                case Data():
                    if event.device is None:
                        self._replies(event)
                    return self._decoder.data(event)
                case NodeDied():
                    log.info("%s died", event.node)
                    return self._decoder.died(event)
                case RebirthWanted():
                    log.info("%s needs a rebirth: %s", event.node, event.reason)
        except RebirthNeededError as error:
            self._session.want_rebirth(error.node, str(error), at=self._now())
        return []

    def _replies(self, event: Data) -> None:
        for metric in event.metrics:
            if is_reply(metric):
                try:
                    self._desk.replied(event.node, Reply.read(metric))
                except CommandError as error:
                    log.warning("a reply of %s is ignored: %s", event.node, error)

    # -- out

    async def _receipts(self, port: Connection) -> None:
        while True:
            await self._send_receipts(port)
            await self._clock.sleep(RECEIPT_SECONDS)

    async def _send_receipts(self, port: Connection) -> None:
        for node, due in self._book.take(self._clock.monotonic_ns()):
            try:
                await self._send_receipt(port, node, due)
            except SessionError as error:
                log.warning("no receipt to %s: %s", node, error)
            except BaseException:
                self._book.failed(node, due.items())
                raise

    async def _send_receipt(self, port: Connection, node: NodeId, due: dict[ChainKey, int]) -> None:
        now = self._now()
        rows = [Durable(key.journal_id, key.priority, seq) for key, seq in sorted(due.items())]
        metric = receipt_metric(rows, now_ms=now.wall_ms)
        await self._send(port, self._session.command(node, None, (metric,), at=now))
        self._ingest.figures.receipts += 1

    async def command(self, node: NodeId, metrics: tuple[Metric, ...]) -> None:
        """Send an NCMD; raises :class:`MqttError` or :class:`SessionError`."""
        if self._port is None:
            raise MqttError(f"there is no connection to the broker: {self.trouble}")
        await self._send(self._port, self._session.command(node, None, metrics, at=self._now()))

    @staticmethod
    async def _send(port: Connection, message: Publish) -> None:
        await port.publish(message.topic, message.payload, qos=message.qos, retain=message.retain)

    async def leave(self) -> None:
        """A planned exit: last receipts, STATE offline, disconnect. Call once all is committed."""
        port = self._port
        if port is not None:
            try:
                await self._send_receipts(port)
                await self._send(port, self._session.leave(at=self._now()))
                self._keep_state(self._session.state_ms)
            except MqttError as error:
                log.warning("left without saying goodbye: %s", error)
        self._leaving.set()

    def _now(self) -> Moment:
        return Moment.of(self._clock)


def _fault(event: Fault) -> Refusal:
    school = "" if event.node is None else event.node.node
    return Refusal(
        reason="protocol", sentence=event.sentence, school=school, topic=event.topic, data=b""
    )


def port_maker(endpoint: Endpoint, client_id: str) -> PortMaker:
    """Makes the MQTT ports of a host session."""

    def make(plan: ConnectPlan) -> MqttPort:
        return MqttPort(
            endpoint=endpoint,
            client_id=client_id,
            will=plan.will,
            clean_start=plan.clean_start,
            session_expiry_seconds=plan.session_expiry_seconds,
            receive_maximum=1000,
            acknowledge_on_arrival=True,
        )

    return make
