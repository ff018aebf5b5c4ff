"""The school's devices: class boards over the school's MQTT broker.

A message is acknowledged only after what it said is on disk: in a kept block, or in the
quarantine. One ``board-health`` block a school holds all boards; it is made at most once a
second when something changed (more often only while a flood would otherwise hold the
other boards' messages back) and at least once a minute.
"""

import asyncio
import logging
from collections.abc import Callable

from agents.boards import BoardTable
from agents.hang_up import hang_up
from agents.origin import Origin
from agents.ports import Keep
from agents.quarantine import Quarantine
from agents.waiting import sleep_or
from drivers.devices.board import BoardSample, read_message
from drivers.devices.message import Reason, Refused, parse_topic
from drivers.wire.conversation import Connection
from drivers.wire.mqtt_values import Backoff, Message, MqttError
from drivers.wire.topics import device_filter
from tenone.blocks.block import Draft
from tenone.runtime.bucket import TokenBucket
from tenone.runtime.supervisor import Supervisor
from tenone.vocabulary.scope import DeviceKind

log = logging.getLogger(__name__)

SUBJECT = "board/all"
CHANGED_SECONDS = 1.0
UNCHANGED_SECONDS = 60.0
PRESSED_SECONDS = 0.05
"""Between two writes when so many messages wait that the broker would hold others back."""
RECEIVE_MAXIMUM = 1000
PRESSED_MESSAGES = 10
"""Below the 20 that Mosquitto by default (and the 100 that the embedded broker always) leaves
unacknowledged, whatever receive maximum it is asked for."""
RATE_A_SECOND = 5.0
BURST = 50.0
"""A board says a thing every few seconds; after a cut it may tell 50 at once."""


class Gateway:
    """Receives, checks, folds and keeps what the boards say. :meth:`start` gives it its tasks.

    ``make_port`` makes a port that is not connected yet, for a session that outlives it.
    ``broker_up`` is waited for before each connection, where the broker is ours.
    """

    def __init__(
        self,
        *,
        table: BoardTable,
        quarantine: Quarantine,
        origin: Origin,
        keep: Keep,
        make_port: Callable[[], Connection],
        broker_up: asyncio.Event | None = None,
    ) -> None:
        self.table = table
        self.quarantine = quarantine
        self.listening = asyncio.Event()
        """Set while subscribed at the broker."""
        self._origin = origin
        self._clock = origin.clock
        self._keep = keep
        self._make_port = make_port
        self._broker_up = broker_up
        self._port: Connection | None = None
        self._held: list[Message] = []
        self._taken = 0
        """Messages since the last write: so many may wait behind a held one."""
        self._kept_version = -1
        self._kept_ns: int | None = None
        self._wake = asyncio.Event()
        self._pressed = asyncio.Event()
        self._told_ns = now_ns = self._clock.monotonic_ns()
        self._buckets: dict[str, TokenBucket] = {}
        self._strangers = TokenBucket(rate=RATE_A_SECOND, burst=BURST, now_ns=now_ns)

    def start(self, tasks: Supervisor) -> None:
        """One task listens, one writes; a broker out of reach does not stop the blocks."""
        tasks.start("boards listen", self._listen)
        tasks.start("boards write", self._write)

    async def close(self) -> None:
        """Write what is held, acknowledge it, disconnect. The tasks must have ended."""
        await self._flush()
        if self.quarantine.is_waiting:
            await self._write_quarantine()
        if self._port is not None:
            await hang_up(self._clock, self._port)

    # -- listening -----------------------------------------------------------------------

    async def _listen(self) -> None:
        backoff = Backoff()
        while True:
            if self._broker_up is not None:
                await self._broker_up.wait()
            port, failure = self._make_port(), None
            try:
                await self._consume(port, backoff)
            except MqttError as error:
                failure = error
                log.warning("school broker: %s", error)
            if self.listening.is_set():
                self.listening.clear()
                self.table.forget_presence()
                self._wake.set()
            await hang_up(self._clock, port)
            await self._clock.sleep(backoff.pause(self._clock.monotonic_ns(), failure))

    async def _consume(self, port: Connection, backoff: Backoff) -> None:
        await port.connect()
        await port.subscribe(device_filter(), qos=1)
        backoff.connected(self._clock.monotonic_ns())
        self._port, self._held = port, []
        self.listening.set()
        self._wake.set()
        log.info("listening to the school's devices")
        async for message in port.messages():
            self._take(message)

    def _take(self, message: Message) -> None:
        """Judge one message and hold it until what it said is on disk.

        What is over a device's allowance is counted and let go at once, or the broker could not
        hand out the others' messages behind it.
        """
        wall_ns = self._clock.wall_ns()
        flood = False
        try:
            self.table.apply(self._read(message, wall_ns))
        except Refused as refused:
            flood = refused.reason is Reason.FLOOD
            self.quarantine.add(
                refused.reason, str(refused), message.topic, message.payload, wall_ns
            )
        if flood and self._port is not None:
            self._port.ack(message)
        else:
            self._held.append(message)
        self._wake.set()
        self._taken += 1
        if self._held and self._taken >= PRESSED_MESSAGES:
            self._pressed.set()

    def _read(self, message: Message, wall_ns: int) -> BoardSample:
        """The sample in a message; raises :class:`Refused`. Cheap checks come first."""
        topic = parse_topic(message.topic)
        is_board = topic.kind is DeviceKind.BOARD
        known = is_board and topic.device in self.table
        if not self._bucket(topic.device if known else None).take(self._clock.monotonic_ns()):
            raise Refused(Reason.FLOOD, "more messages than one device may send")
        if is_board and not known:
            raise Refused(Reason.UNKNOWN_DEVICE, f"no board {topic.device} in school.yaml")
        return read_message(topic, message.payload, wall_ns // 1_000_000)

    def _bucket(self, serial: str | None) -> TokenBucket:
        """A configured board has its own; all others share one, however many they claim to be."""
        if serial is None:
            return self._strangers
        bucket = self._buckets.get(serial)
        if bucket is None:
            bucket = self._buckets[serial] = TokenBucket(
                rate=RATE_A_SECOND, burst=BURST, now_ns=self._clock.monotonic_ns()
            )
        return bucket

    # -- writing -------------------------------------------------------------------------

    async def _write(self) -> None:
        while True:
            await sleep_or(self._clock, UNCHANGED_SECONDS, self._wake)
            self._wake.clear()
            self._pressed.clear()
            await self._flush()
            if self.quarantine.is_waiting:
                self._wake.set()  # the rest of a flood is told by the next write
            await self._clock.sleep(PRESSED_SECONDS)
            await sleep_or(self._clock, CHANGED_SECONDS - PRESSED_SECONDS, self._pressed)

    async def _flush(self) -> None:
        """Put everything on disk that is known so far, then acknowledge it."""
        held, self._held = self._held, []
        self._taken = 0
        port, version = self._port, self.table.version
        if version != self._kept_version or self._is_old():
            try:
                await self._keep([self._draft()])
            except BaseException:
                if port is self._port:
                    self._held = held + self._held  # acknowledged when a later write succeeds
                raise
            self._kept_version, self._kept_ns = version, self._clock.monotonic_ns()
        if self.quarantine.is_precious or self._is_quarantine_due():
            await self._write_quarantine()
        if port is not None:
            for message in held:
                port.ack(message)

    def _is_quarantine_due(self) -> bool:
        """A flood is counted at once and told once a second, or telling it would be a flood."""
        if not self.quarantine.is_waiting:
            return False
        return self._clock.monotonic_ns() - self._told_ns >= CHANGED_SECONDS * 1e9

    async def _write_quarantine(self) -> None:
        self._told_ns = self._clock.monotonic_ns()
        lines = self.quarantine.take_lines()
        try:
            await asyncio.to_thread(self.quarantine.write, lines)
        except OSError as error:
            # The counts stand; a full disk must not stop the boards.
            log.error("the quarantine could not be written: %s", error)  # noqa: TRY400 - the sentence says it all

    def _is_old(self) -> bool:
        if self._kept_ns is None:
            return True
        return self._clock.monotonic_ns() - self._kept_ns >= UNCHANGED_SECONDS * 1e9

    def _draft(self) -> Draft:
        return Draft.of(self.table.layout, self._origin.stamp(SUBJECT), self.table.columns())
