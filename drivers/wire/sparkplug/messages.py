"""What both sessions exchange with their caller: messages to send, moments, STATE, names."""

import json
from dataclasses import dataclass

from drivers.wire.mqtt_values import Will
from drivers.wire.sparkplug.codec import MAX_TIMESTAMP_MS, Metric, Payload, encode
from drivers.wire.sparkplug.schema import DataType
from drivers.wire.topics import state_topic
from tenone.runtime.clock import Clock

BD_SEQ = "bdSeq"
REBIRTH = "Node Control/Rebirth"
SEQ_MODULUS = 256


class SessionError(RuntimeError):
    """The caller asked a session for something its state or the standard does not allow."""


class StateError(ValueError):
    """A STATE payload that is not what the standard says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """One message to send."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """Both clocks at one instant: windows run by ``monotonic`` (s), stamps by ``wall_ms``."""

    monotonic: float
    wall_ms: int

    @classmethod
    def of(cls, clock: Clock) -> "Moment":
        """The moment ``clock`` shows."""
        return cls(clock.monotonic_ns() / 1e9, clock.wall_ns() // 1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectPlan:
    """How to open the MQTT session: with this will, and always clean.

    MQTT 5: clean start and session expiry 0 (``principles-persistence-clean-session-50``).
    Subscribe to all of ``subscriptions`` before telling the session that it is connected.
    """

    will: Will
    subscriptions: tuple[tuple[str, int], ...]
    """Topic filter and QoS."""
    clean_start: bool = True
    session_expiry_seconds: int = 0


@dataclass(frozen=True, slots=True)
class HostState:
    """A host's STATE payload: JSON ``{"online": bool, "timestamp": epoch ms}``."""

    online: bool
    timestamp_ms: int

    @classmethod
    def parse(cls, payload: bytes) -> "HostState":
        """Read it; raises :class:`StateError`."""
        try:
            body = json.loads(payload)
        except (ValueError, RecursionError) as error:
            raise StateError(f"STATE is no JSON: {error}") from error
        online = body.get("online") if isinstance(body, dict) else None
        timestamp = body.get("timestamp") if isinstance(body, dict) else None
        if not isinstance(online, bool):
            raise StateError("STATE has no boolean 'online'")
        if (
            not isinstance(timestamp, int)
            or isinstance(timestamp, bool)
            or not 0 <= timestamp <= MAX_TIMESTAMP_MS
        ):
            raise StateError("STATE has no 'timestamp' in epoch milliseconds")
        return cls(online, timestamp)

    def publish(self, host_id: str) -> Publish:
        """The retained QoS 1 message that says it."""
        return Publish(
            topic=state_topic(host_id),
            payload=json.dumps({"online": self.online, "timestamp": self.timestamp_ms}).encode(),
            qos=1,
            retain=True,
        )

    def will(self, host_id: str) -> Will:
        """The same as a will."""
        message = self.publish(host_id)
        return Will(topic=message.topic, payload=message.payload, qos=1, retain=True)


def death_payload(bd_seq: int, *, now_ms: int) -> bytes:
    """An NDEATH: bdSeq is its only metric, and it has no seq."""
    metric = Metric(name=BD_SEQ, datatype=DataType.INT64, value=bd_seq, timestamp_ms=now_ms)
    return encode(Payload(timestamp_ms=now_ms, metrics=(metric,)))
