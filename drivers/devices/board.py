"""Class boards: what they may say on ``m`` and ``s``, checked against the vocabulary.

``t1/board/<serial>/m`` holds any of the measured columns of
:data:`tenone.vocabulary.metrics.BOARD_HEALTH` in its ``v``; null means the board does not
know. ``t1/board/<serial>/s`` holds ``{"online": true|false}``, retained, and is also the
board's will, so its ``ts``, ``n`` and ``boot`` may be missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from drivers.devices.message import Envelope, Json, Reason, Refused, read_envelope
from drivers.wire.topics import Channel, DeviceTopic
from tenone.blocks.columns import Value
from tenone.vocabulary.scope import DeviceKind
from tenone.vocabulary.states import ClockQuality


class _Rule(Protocol):
    def read(self, name: str, value: Json) -> Value:
        """The column's value; raises :class:`Refused`."""
        ...


@dataclass(frozen=True, slots=True)
class _Flag:
    def read(self, name: str, value: Json) -> Value:
        if not isinstance(value, bool):
            raise Refused(Reason.TYPE, f"{name} is not true or false")
        return int(value)


@dataclass(frozen=True, slots=True)
class _Text:
    longest: int

    def read(self, name: str, value: Json) -> Value:
        if not isinstance(value, str):
            raise Refused(Reason.TYPE, f"{name} is not text")
        if len(value) > self.longest:
            raise Refused(Reason.RANGE, f"{name} is longer than {self.longest} characters")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Refused(Reason.TYPE, f"{name} holds half a character") from None
        return value


@dataclass(frozen=True, slots=True)
class _Number:
    low: float
    high: float
    whole: bool = False

    def read(self, name: str, value: Json) -> Value:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Refused(Reason.TYPE, f"{name} is not a number")
        if not self.low <= value <= self.high:  # infinity is out of every range
            raise Refused(Reason.RANGE, f"{name} is outside {self.low:g} to {self.high:g}")
        if not self.whole:
            return float(value)
        if value != int(value):
            raise Refused(Reason.TYPE, f"{name} is not a whole number")
        return int(value)


_MEASURED: Mapping[str, _Rule] = {
    "screen_on": _Flag(),
    "app": _Text(200),
    "firmware": _Text(64),
    "cpu_ratio": _Number(0, 1),
    "storage_free_bytes": _Number(0, 2**53, whole=True),
    "rssi_dbm": _Number(-127, 0, whole=True),
    "temperature_celsius": _Number(-60, 150),
    "volume_ratio": _Number(0, 1),
}
_STATUS: Mapping[str, _Rule] = {"online": _Flag()}


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardSample:
    """One message of a board. ``values`` holds only what the message named; None is unknown."""

    serial: str
    channel: Channel
    boot: str | None
    n: int | None
    time_ms: int
    clock_quality: ClockQuality
    values: dict[str, Value | None] = field(default_factory=dict)


def read_message(topic: DeviceTopic, payload: bytes, received_ms: int) -> BoardSample:
    """Decode one message; raises :class:`Refused`. ``received_ms`` is the agent's epoch ms."""
    if topic.kind is not DeviceKind.BOARD or topic.type is not None:
        raise Refused(Reason.KIND, "this is no topic of a class board")
    if topic.channel not in {Channel.MEASUREMENT, Channel.STATUS}:
        raise Refused(
            Reason.KIND, f"the channel {topic.channel.value!r} of a board is not read yet"
        )
    envelope = read_envelope(payload, received_ms)
    if topic.channel is Channel.MEASUREMENT:
        if envelope.n is None or envelope.boot is None:
            raise Refused(Reason.ENVELOPE, "a measurement needs its 'n' and 'boot'")
        values = _values(envelope, _MEASURED)
    else:
        values = _values(envelope, _STATUS)
        if values.get("online") is None:
            raise Refused(Reason.FIELD, "a status says neither online true nor false")
    return BoardSample(
        serial=topic.device,
        channel=topic.channel,
        boot=envelope.boot,
        n=envelope.n,
        time_ms=envelope.time_ms,
        clock_quality=envelope.clock_quality,
        values=values,
    )


def _values(envelope: Envelope, rules: Mapping[str, _Rule]) -> dict[str, Value | None]:
    values: dict[str, Value | None] = {}
    for name, value in envelope.values.items():
        rule = rules.get(name)
        if rule is None:
            raise Refused(Reason.FIELD, f"'v' has the unknown name {name[:40]!r}")
        values[name] = None if value is None else rule.read(name, value)
    return values
