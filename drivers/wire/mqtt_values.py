"""What the MQTT port hands out and raises: errors, endpoint, will, message, back-off."""

import random
import ssl
from dataclasses import dataclass, field

from tenone.trust.masked import Secret

SESSION_TAKEN_OVER = 0x8E
"""MQTT 5.0, section 3.14.2.1: another connection came with the same client id."""
HELD_SECONDS = 10.0
"""A connection that stood so long was a good one."""
SHORT_LIVED_SECONDS = 8.0
"""The longest pause after a connection that came about but did not hold."""


class MqttError(Exception):
    """Anything that goes wrong between this client and its broker."""


class ConnectError(MqttError):
    """No connection came about. ``reason_code`` is the CONNACK's, None below MQTT."""

    def __init__(self, message: str, reason_code: int | None = None) -> None:
        super().__init__(message)
        self.reason_code = reason_code


class ConnectionLostError(MqttError):
    """The connection has ended without our doing; unacknowledged messages will come again."""

    def __init__(self, message: str, reason_code: int | None = None) -> None:
        super().__init__(message)
        self.reason_code = reason_code


class RefusedError(MqttError):
    """The broker said no to one publish or subscription; ``reason_code`` is 0x80 or above."""

    def __init__(self, message: str, topic: str, reason_code: int) -> None:
        super().__init__(message)
        self.topic = topic
        self.reason_code = reason_code


class PublishRefusedError(RefusedError):
    """A message was not accepted (not authorised, quota, too large)."""


class SubscribeRefusedError(RefusedError):
    """A subscription was not granted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where the broker is and how to prove who we are. ``tls`` None is plain TCP."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    username: str | None = None
    password: Secret | str | None = None
    """Kept masked."""

    def __post_init__(self) -> None:
        if self.password is not None:
            object.__setattr__(self, "password", Secret.of(self.password))

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Will:
    """What the broker publishes when this connection ends without a normal DISCONNECT."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message that arrived. QoS above 0 wants :meth:`MqttPort.ack`."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    duplicate: bool
    user_properties: tuple[tuple[str, str], ...] = ()
    arrival: "Arrival | None" = field(default=None, repr=False, compare=False)
    """The port's own mark for :meth:`MqttPort.ack`; None for QoS 0."""


@dataclass(slots=True, eq=False)
class Arrival:
    """An unacknowledged QoS 1 or 2 message in the order of arrival."""

    packet_id: int
    qos: int
    done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """What the broker granted."""

    session_present: bool
    receive_maximum: int
    maximum_packet_bytes: int | None
    """None: no limit was named."""


@dataclass(slots=True)
class Statistics:
    """Counters of one connection."""

    received: int = 0
    published: int = 0
    overflowed: int = 0
    """QoS 0 messages thrown away because the consumer was too slow."""


class Backoff:
    """Pauses between connection attempts: exponential, with full jitter.

    ``random_source`` is passed in so that a simulation is repeatable.
    """

    def __init__(
        self,
        *,
        first_seconds: float = 0.5,
        longest_seconds: float = 30.0,
        random_source: random.Random | None = None,
    ) -> None:
        self._first = first_seconds
        self._longest = longest_seconds
        self._limit = first_seconds
        self._random = random_source or random.Random()
        self._connected_ns: int | None = None

    def connected(self, now_ns: int) -> None:
        """A connection came about; times are of a monotonic clock."""
        self._connected_ns = now_ns

    def pause(self, now_ns: int, after: BaseException | None = None) -> float:
        """Seconds to wait before the next attempt: between half and all of a doubling limit.

        A connection that held starts the doubling over. One that did not may be one of two
        clients with one id, who throw each other out: without a pause that grows they would do so
        several times a second. ``after``: what ended it; a broker that says so makes the pause
        the longest.
        """
        since_ns, self._connected_ns = self._connected_ns, None
        if isinstance(after, ConnectionLostError) and after.reason_code == SESSION_TAKEN_OVER:
            self._limit = self._longest
        elif since_ns is not None:
            held = now_ns - since_ns >= HELD_SECONDS * 1e9
            self._limit = self._first if held else min(self._limit, SHORT_LIVED_SECONDS)
        seconds = self._limit * self._random.uniform(0.5, 1.0)
        self._limit = min(self._limit * 2, self._longest)
        return seconds
