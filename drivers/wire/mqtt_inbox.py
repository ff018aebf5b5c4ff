"""What has arrived and waits for its consumer, and the acknowledgements owed for it.

Bounded on every side: messages, bytes, unacknowledged ones. Acknowledgements leave in the order
of arrival (MQTT 5.0, section 4.6), whatever order the consumer finishes in. No I/O; the port
says how an acknowledgement is sent.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from paho.mqtt.client import MQTTMessage

from drivers.wire.mqtt_values import Arrival, Message, Statistics

log = logging.getLogger(__name__)

MESSAGE_OVERHEAD_BYTES = 500
"""Memory of a waiting message beside its payload, about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much may wait; :class:`drivers.wire.mqtt.MqttPort` says what happens beyond."""

    unacknowledged: int
    """QoS 1 messages; reading stops while this many wait."""
    messages: int
    """Waiting ones, for QoS 0."""
    total_bytes: int


class Inbox:
    """The messages of one connection. ``send_ack`` acknowledges a packet id with its QoS."""

    def __init__(
        self,
        *,
        client_id: str,
        limits: Limits,
        acknowledge_on_arrival: bool,
        statistics: Statistics,
        send_ack: Callable[[int, int], object],
    ) -> None:
        self._client_id = client_id
        self._limits = limits
        self._acknowledge_on_arrival = acknowledge_on_arrival
        self._statistics = statistics
        self._send_ack = send_ack
        self._waiting: deque[Message] = deque()
        self._bytes = 0
        self._kept = 0
        """QoS 1 messages among the waiting ones."""
        self._owed: deque[Arrival] = deque()
        self._news = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether as many QoS 1 messages wait as the broker may send unacknowledged."""
        return self._kept >= self._limits.unacknowledged

    def put(self, message: MQTTMessage) -> bool:
        """Keep ``message``, or throw it away if QoS 0 permits. False: there is no room for it."""
        self._statistics.received += 1
        size = _weight(message.payload)
        too_much = self._bytes + size > self._limits.total_bytes
        if message.qos == 0 and (too_much or len(self._waiting) >= self._limits.messages):
            self._overflow(message.topic)
            return True
        if too_much and self._waiting:
            return False
        properties = message.properties
        pairs = getattr(properties, "UserProperty", ()) if properties is not None else ()
        arrival = None
        if message.qos:
            self._kept += 1
            if self._acknowledge_on_arrival:
                self._send_ack(message.mid, message.qos)
            else:
                arrival = Arrival(message.mid, message.qos)
                self._owed.append(arrival)
        self._bytes += size
        self._waiting.append(
            Message(
                topic=message.topic,
                payload=bytes(message.payload),
                qos=message.qos,
                retain=message.retain,
                duplicate=message.dup,
                user_properties=tuple(pairs),
                arrival=arrival,
            )
        )
        self.wake()
        return True

    def take(self) -> Message:
        """The oldest message that waits; raises ``IndexError`` when none does."""
        message = self._waiting.popleft()
        self._bytes -= _weight(message.payload)
        self._kept -= message.qos > 0
        return message

    def settle(self, arrival: Arrival, *, connected: bool) -> None:
        """``arrival`` is safe: acknowledge it, and what waited for it, while ``connected``."""
        arrival.done = True
        while self._owed and self._owed[0].done:
            first = self._owed.popleft()
            if connected:
                self._send_ack(first.packet_id, first.qos)

    async def wait(self) -> None:
        """Until :meth:`put` keeps a message or someone says :meth:`wake`, from now on."""
        self._news.clear()
        await self._news.wait()

    def wake(self) -> None:
        """Let the consumer look: a message has come, or the connection has ended."""
        self._news.set()

    def _overflow(self, topic: str) -> None:
        count = self._statistics.overflowed = self._statistics.overflowed + 1
        if count & (count - 1) == 0:  # 1, 2, 4, 8, ...: loud at once, bounded for ever
            log.error(
                "client %s: %d QoS 0 messages thrown away, the last for %s: "
                "the consumer is slower than the broker",
                self._client_id,
                count,
                topic,
            )


def _weight(payload: bytes | bytearray) -> int:
    return len(payload) + MESSAGE_OVERHEAD_BYTES
