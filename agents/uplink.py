"""The way to the controller: Sparkplug B on MQTT 5, kept until the receipt.

One task owns the session. A reader hands in what arrives; a sender is the only one that
publishes, so sequence numbers leave in order: replies first, then live blocks, then the rest by
class and age. Live blocks that do not fit in memory are not lost, they are sent from the journal.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agents.birth_counter import BirthCounter
from agents.births import Announcer, NodeFacts
from agents.commands import Commands
from agents.hang_up import hang_up
from agents.outbox import Due, LiveQueue, Outbox
from agents.waiting import sleep_or, within
from drivers.wire.blocks import device_of
from drivers.wire.commands import CommandError, Reply, Request, is_request
from drivers.wire.conversation import Connection
from drivers.wire.mqtt_values import Backoff, MqttError, PublishRefusedError
from drivers.wire.receipt import DURABLE_THROUGH, Durable, ReceiptError, read_receipt
from drivers.wire.sparkplug.codec import Metric
from drivers.wire.sparkplug.edge import (
    BirthWanted,
    CommandReceived,
    EdgeFault,
    EdgeSession,
    EdgeState,
    Leave,
)
from drivers.wire.sparkplug.messages import ConnectPlan, Publish
from tenone.blocks.block import Block, Draft
from tenone.blocks.layout import Layout
from tenone.journal.journal import JournalError
from tenone.journal.keeper import JournalKeeper
from tenone.runtime.clock import Clock
from tenone.vocabulary.states import PriorityClass

log = logging.getLogger(__name__)

READ_BYTES = 128 * 1024
LOOK_SECONDS = 1.0
"""How often a sender with nothing to do looks whether something must be sent again."""
RETAINED_SECONDS = 1.0
"""A STATE that comes sooner after the subscription was there before: nobody waited for it."""
GOODBYE_SECONDS = 1.0
REMEMBERED_LAYOUTS = 64
MAX_REPLIES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class UplinkSettings:
    """How much may be under way, and when it is sent again."""

    window_bytes: int = 512 * 1024
    """Unreceipted bytes of one class beyond which backfill waits."""
    resend_seconds: float = 30.0
    spread_seconds: float = 3.0
    """A city's nodes that all see their host come or go act within this time, not at once."""


class _HostLeft(Exception):  # noqa: N818 - it ends a session, it is no fault
    """The primary host went offline; ``death`` is to be published."""

    def __init__(self, leave: Leave) -> None:
        self.death = leave.death
        super().__init__(leave.reason)


class Uplink:
    """See the module. Give :meth:`run` to a supervisor; everyone keeps through :meth:`keep`."""

    def __init__(
        self,
        *,
        session: EdgeSession,
        birth_counter: BirthCounter,
        keeper: JournalKeeper,
        clock: Clock,
        version: str,
        boot_id: bytes,
        make_port: Callable[[ConnectPlan], Connection],
        commands: Commands,
        streams: Sequence[Layout] = (),
        settings: UplinkSettings | None = None,
        random_source: random.Random | None = None,
    ) -> None:
        settings = settings or UplinkSettings()
        self._random = random_source or random.Random()
        self._spread_seconds = settings.spread_seconds
        self._subscribed_ns = self._birth_ns = 0
        self._born = self._recalled = False
        self.commands = commands
        self._session = session
        self._birth_counter = birth_counter
        self._keeper = keeper
        self._journal = keeper.journal
        self._clock, self._make_port = clock, make_port
        self._version, self._boot_id = version, boot_id
        self._outbox = Outbox(
            window_bytes=settings.window_bytes, resend_seconds=settings.resend_seconds
        )
        self._announcer = Announcer(streams)
        self._layouts: dict[bytes, Layout] = {}
        self._live = LiveQueue()
        self._keeping = 0
        self._heads = dict.fromkeys(PriorityClass, 0)
        self._replies: deque[Reply] = deque(maxlen=MAX_REPLIES)
        self._wake = asyncio.Event()
        self.on_trouble: Callable[[MqttError], None] = lambda _: None  # told why a session ended
        commands.reply_to(self.reply)

    @property
    def is_online(self) -> bool:
        """Whether a birth stands, so that blocks flow."""
        return self._session.state is EdgeState.ONLINE

    @property
    def is_drained(self) -> bool:
        """Whether everything kept has been receipted."""
        return self._journal.kept_blocks == 0

    # -- for the agent's other rooms -----------------------------------------------------

    async def keep(self, drafts: Sequence[Draft]) -> list[Block]:
        """Journal ``drafts``, then send them; returns once they survive a power cut."""
        self._keeping += 1
        try:
            blocks = await self._keeper.keep(drafts)
        finally:
            self._keeping -= 1
        for block, draft in zip(blocks, drafts, strict=True):
            self._announcer.note(block, draft.layout)
            self._heads[block.priority] = max(self._heads[block.priority], block.seq)
            if self.is_online:
                self._live.push(block, draft.layout)
        if blocks:
            self._wake.set()
        return blocks

    def reply(self, reply: Reply) -> None:
        """Send the answer to a command; lost without a session, for it can be asked again."""
        if self.is_online:
            self._replies.append(reply)
            self._wake.set()

    async def run(self) -> None:
        """Hold a session with the controller for ever; says goodbye when cancelled."""
        await self._recall()
        backoff = Backoff(random_source=self._random)
        while True:
            pause_seconds, failure = None, None
            plan = self._session.connect(now_ms=self._now_ms())
            try:
                await asyncio.to_thread(self._birth_counter.store, self._session.bd_seq)
                port = self._make_port(plan)
                await self._one_session(port, plan, backoff)
            except MqttError as error:
                failure = error
                log.warning("uplink: %s", error)
                self.on_trouble(error)
            except _HostLeft as left:
                log.info("uplink: %s", left)
                pause_seconds = self._random.uniform(0.1, 1.0) * self._spread_seconds
            finally:
                self._session.lost()
            if pause_seconds is None:
                pause_seconds = backoff.pause(self._clock.monotonic_ns(), failure)
            await self._clock.sleep(pause_seconds)

    # -- one session ---------------------------------------------------------------------
    async def _one_session(self, port: Connection, plan: ConnectPlan, backoff: Backoff) -> None:
        self._born = False
        try:
            await port.connect()
            for topic_filter, qos in plan.subscriptions:
                await port.subscribe(topic_filter, qos=qos)
            self._subscribed_ns = self._clock.monotonic_ns()
            for event in self._session.connected():
                self._plan_birth(event)
            backoff.connected(self._subscribed_ns)
            await self._read_and_send(port)
        except asyncio.CancelledError:
            await self._goodbye(port, self._session.leave(now_ms=self._now_ms()))
            raise
        except _HostLeft as left:
            await self._goodbye(port, left.death)
            raise
        finally:
            self._live.clear()
            self._replies.clear()
            await hang_up(self._clock, port)

    async def _read_and_send(self, port: Connection) -> None:
        """Until the connection or the host is lost; whichever of the two ends takes the other."""
        reader = asyncio.create_task(self._read(port), name="uplink reads")
        sender = asyncio.create_task(self._send(port), name="uplink sends")
        try:
            done, _ = await asyncio.wait({reader, sender}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            reader.cancel()
            sender.cancel()
            await asyncio.gather(reader, sender, return_exceptions=True)

    async def _goodbye(self, port: Connection, death: Publish | None) -> None:
        """NDEATH, if it still gets through."""
        if death is None:
            return
        try:
            await within(self._clock, GOODBYE_SECONDS, self._publish(port, death))
        except (MqttError, TimeoutError) as error:
            log.info("uplink: the broker's will stands in for our NDEATH: %s", error)

    # -- reading -------------------------------------------------------------------------

    async def _read(self, port: Connection) -> None:
        async for message in port.messages():
            events = self._session.received(message.topic, message.payload, now_ms=self._now_ms())
            port.ack(message)
            for event in events:
                match event:
                    case Leave():
                        raise _HostLeft(event)
                    case CommandReceived():
                        await self._command(event)
                    case EdgeFault():
                        log.warning("uplink: %s", event.sentence)
                    case BirthWanted():
                        self._plan_birth(event)

    def _plan_birth(self, event: object) -> None:
        """At once, or within the spread when a host that all waited for has come."""
        if not isinstance(event, BirthWanted):
            return
        now_ns = self._clock.monotonic_ns()
        self._birth_ns = now_ns
        waited = now_ns - self._subscribed_ns >= RETAINED_SECONDS * 1e9
        if waited and not self._born:
            self._birth_ns += round(self._random.uniform(0, self._spread_seconds) * 1e9)
        log.info("uplink: giving birth, %s", event.reason)
        self._wake.set()

    async def _command(self, event: CommandReceived) -> None:
        for metric in event.metrics:
            try:
                if metric.name == DURABLE_THROUGH:
                    await self._receipts(metric)
                elif is_request(metric):
                    self.commands.take(Request.read(metric))
                else:
                    log.warning("uplink: the command %s is not known here", metric.name)
            except (ReceiptError, CommandError) as error:
                log.warning("uplink: %s", error)

    async def _receipts(self, metric: Metric) -> None:
        for row in read_receipt(metric):
            if row.journal_id != self._journal.journal_id:
                continue  # of a journal this gateway had before; nothing of it is here
            if row.seq > self._journal.head(row.priority):
                await self._begin_anew(row)
                return
            if self._outbox.receipt(row.priority, row.seq, self._clock.monotonic_ns()):
                await self._keeper.forget(row.priority, row.seq)
                self._wake.set()

    async def _begin_anew(self, row: Durable) -> None:
        """The city knows more of this journal than this folder: nothing here may be forgotten."""
        if self._journal.broken:
            return
        try:
            await self._keeper.set_back(row.priority, row.seq)
        except OSError as error:
            log.error("uplink: the journal cannot be begun anew: %s", error)  # noqa: TRY400 - the sentence says it all
        else:
            log.error("uplink: %s", self._journal.broken)

    # -- sending -------------------------------------------------------------------------

    async def _send(self, port: Connection) -> None:
        while True:
            self._wake.clear()
            if self._session.state is EdgeState.BIRTH_DUE:
                ahead_ns = self._birth_ns - self._clock.monotonic_ns()
                if ahead_ns > 0:
                    await self._clock.sleep(ahead_ns / 1e9)
                    continue
                await self._birth(port)
            if self._session.state is EdgeState.ONLINE and await self._send_next(port):
                continue
            await sleep_or(self._clock, LOOK_SECONDS, self._wake)

    async def _send_next(self, port: Connection) -> bool:
        """Send what is most urgent; returns whether there was anything."""
        if self._replies:
            reply = self._replies.popleft().metric(now_ms=self._now_ms())
            await self._publish(port, self._session.data(None, [reply], now_ms=self._now_ms()))
            return True
        if self._live:
            block, layout = self._live.pop()
            if not self._outbox.is_sent(block.priority, block.seq):
                await self._send_block(port, block, layout, live=True)
            return True
        for priority in PriorityClass:
            self._outbox.evicted(priority, self._journal.base(priority))
        due = self._outbox.due(heads := dict(self._known_heads()), self._clock.monotonic_ns())
        return due is not None and await self._backfill(port, due, heads[due.priority])

    async def _backfill(self, port: Connection, due: Due, head: int) -> bool:
        """Send older blocks of one class until something more urgent comes up."""
        most = min(due.limit_bytes, READ_BYTES)
        found = await self._keeper.pending(due.priority, due.after_seq, most)
        blocks = [one for one in found if one.seq <= head]  # later: of devices nobody knows yet
        self._outbox.skip(due.priority, blocks[0].seq - 1 if blocks else head)
        for block in blocks:
            if self._session.state is not EdgeState.ONLINE:
                return False
            if not self._outbox.is_sent(block.priority, block.seq):
                await self._send_old(port, block)
            if self._live or self._replies:
                return True
        return bool(blocks)

    async def _send_old(self, port: Connection, block: Block) -> None:
        try:
            layout = await self._layout(block)
        except KeyError:
            return  # receipted or evicted since it was read, and its layout with it
        self._announcer.meet(block, layout)
        await self._send_block(port, block, layout, live=False)

    async def _send_block(
        self, port: Connection, block: Block, layout: Layout, *, live: bool
    ) -> None:
        """Send one block, after its device's birth where that is needed."""
        announcer, session, now_ms = self._announcer, self._session, self._now_ms()
        if session.state is not EdgeState.ONLINE:
            return  # a rebirth was asked for meanwhile; the block goes with it or after it
        device = device_of(block.stamp.subject)
        if device is not None and announcer.needs_birth(block, layout):
            born = await self._device_birth(port, device)
            if self._outbox.is_sent(block.priority, block.seq) or not self.is_online:
                return
            if not born:
                await self._give_up(block)
                return
        historical = not live and not announcer.is_newest(block, layout.stream)
        metrics = announcer.writer.encode(block, layout, historical=historical)
        if await self._publish(port, session.data(device, metrics, now_ms=now_ms)):
            self._mark_sent([block], in_window=not live)
        else:
            await self._give_up(block)

    async def _device_birth(self, port: Connection, device: str) -> bool:
        """DBIRTH with the newest blocks, without them where that is too large for the broker."""
        now_ms = self._now_ms()
        for with_blocks in (True, False):
            if not self.is_online:
                return False
            metrics, carried = self._announcer.declare(device, now_ms, with_blocks=with_blocks)
            birth = self._session.device_birth(device, metrics, now_ms=now_ms)
            if await self._publish(port, birth):
                self._mark_sent(carried)
                return True
        self._announcer.writer.withdraw(device)
        return False

    async def _birth(self, port: Connection) -> None:
        """NBIRTH and all DBIRTHs; whatever was under way before counts as not sent."""
        now_ms, announcer = self._now_ms(), self._announcer
        bases = {priority: self._journal.base(priority) for priority in PriorityClass}
        facts = NodeFacts(
            journal_id=self._journal.journal_id,
            bases=bases,
            heads=self._known_heads(),
            version=self._version,
            boot_id=self._boot_id,
            verbs=self.commands.verbs,
        )
        node, carried = announcer.declare(None, now_ms)
        (birth,) = self._session.birth([*facts.metrics(now_ms), *node], {}, now_ms=now_ms)
        self._born = True
        self._outbox.begin(bases)
        await port.publish(birth.topic, birth.payload)
        self._mark_sent(carried)
        for device in announcer.devices():
            await self._device_birth(port, device)

    async def _publish(self, port: Connection, message: Publish) -> bool:
        """False where the message is too large for this broker, now and always."""
        try:
            await port.publish(
                message.topic, message.payload, qos=message.qos, retain=message.retain
            )
        except PublishRefusedError as error:
            log.error("uplink: %s", error)  # noqa: TRY400 - the sentence says it all
            if message.qos == 0:
                self._session.unsent()
            return False
        return True

    async def _give_up(self, block: Block) -> None:
        """It cannot be sent: a gap block takes its place, so that receipts can pass it."""
        self._mark_sent([block])
        try:
            await self._keeper.give_up(block.priority, block.seq)
        except (JournalError, OSError) as error:
            log.error("uplink: block %d cannot be given up: %s", block.seq, error)  # noqa: TRY400 - the sentence says it all

    def _mark_sent(self, blocks: Sequence[Block], *, in_window: bool = False) -> None:
        now_ns = self._clock.monotonic_ns()
        for block in blocks:
            size = len(block.data) if in_window else 0
            self._outbox.sent(block.priority, block.seq, size, now_ns)

    # -- memory --------------------------------------------------------------------------

    async def _recall(self) -> None:
        """After a start: the newest block of each stream the journal still holds."""
        if self._recalled:
            return
        for block in list(self._journal.newest.values()):
            self._announcer.note(block, await self._layout(block))
        self._recalled = True

    async def _layout(self, block: Block) -> Layout:
        layout = self._layouts.get(block.layout_id)
        if layout is None:
            layout = self._layouts[block.layout_id] = await self._keeper.layout(block.layout_id)
            while len(self._layouts) > REMEMBERED_LAYOUTS:
                del self._layouts[next(iter(self._layouts))]
        return layout

    def _known_heads(self) -> dict[PriorityClass, int]:
        """The newest block of each class that is surely on disk.

        While something is being kept, the journal's own heads may be ahead of the disk and of the
        live queue. Otherwise they count: they know of gap blocks, which the journal makes itself.
        """
        if not self._keeping:
            self._heads = {priority: self._journal.head(priority) for priority in PriorityClass}
        return self._heads

    def _now_ms(self) -> int:
        return self._clock.wall_ns() // 1_000_000
