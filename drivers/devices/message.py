"""The envelope every device message shares: topic, bounded JSON, ``ts``, ``n``, ``boot``, ``v``."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NoReturn, TypeAlias

from drivers.wire.topics import DeviceTopic, TopicError
from tenone.vocabulary.states import ClockQuality

MAX_BYTES = 256 * 1024
MAX_DEPTH = 8
MAX_BOOT_CHARACTERS = 64
FARTHEST_MS = 24 * 3600 * 1000
"""A device time further than this from the agent's is not believed."""
MAX_COUNTER = 2**63 - 1
_ENVELOPE = frozenset({"ts", "n", "boot", "v"})

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


class Reason(StrEnum):
    """Why a message was put aside; the list is closed, so that counts can be compared."""

    TOPIC = "topic"
    """Not of the form ``t1/<kind>/<device>/<channel>``."""
    KIND = "kind"
    """A device kind, or a channel of it, that this version does not read."""
    UNKNOWN_DEVICE = "unknown device"
    """Not in school.yaml."""
    SIZE = "size"
    JSON = "json"
    """Not UTF-8, not JSON, NaN or Infinity, or a key twice in one object."""
    DEPTH = "depth"
    ENVELOPE = "envelope"
    """``ts``, ``n``, ``boot`` or ``v`` missing or of the wrong type, or another key beside them."""
    FIELD = "field"
    """A name inside ``v`` that is not in the vocabulary of this kind."""
    TYPE = "type"
    RANGE = "range"
    FLOOD = "flood"
    """More messages than one device may send; the rest of its messages still count."""


class Refused(ValueError):  # noqa: N818 - it is an answer, not a fault of ours
    """A message that does not fit; ``str()`` is one sentence for the quarantine."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        self.reason = reason
        super().__init__(sentence)


def parse_topic(text: str) -> DeviceTopic:
    """Read a device's topic; raises :class:`Refused`."""
    try:
        return DeviceTopic.parse(text)
    except TopicError as error:
        raise Refused(Reason.TOPIC, str(error)[:200]) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What every body says besides its values."""

    boot: str | None
    n: int | None
    time_ms: int
    """Epoch milliseconds: the device's where it is believable, else the agent's."""
    clock_quality: ClockQuality
    """UNKNOWN for a believable device time, IMPLAUSIBLE where the agent stamped."""
    values: dict[str, Json]


def read_envelope(payload: bytes, received_ms: int) -> Envelope:
    """Parse and check a body; raises :class:`Refused`. ``received_ms`` is the agent's epoch ms."""
    body = parse_json(payload)
    if not isinstance(body, dict):
        raise Refused(Reason.ENVELOPE, "the body is not a JSON object")
    strange = sorted(body.keys() - _ENVELOPE)
    if strange:
        raise Refused(Reason.ENVELOPE, f"the body has the unknown key {strange[0][:40]!r}")
    values = body.get("v")
    if not isinstance(values, dict):
        raise Refused(Reason.ENVELOPE, "the body has no object 'v' with the values")
    time_ms, quality = _time(body.get("ts"), received_ms)
    return Envelope(
        boot=_boot(body.get("boot")),
        n=_counter(body.get("n")),
        time_ms=time_ms,
        clock_quality=quality,
        values=values,
    )


def parse_json(payload: bytes) -> Json:
    """Strict JSON of at most 256 KB and eight levels; raises :class:`Refused`."""
    if len(payload) > MAX_BYTES:
        raise Refused(Reason.SIZE, f"{len(payload)} bytes, at most {MAX_BYTES}")
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(Reason.JSON, f"not UTF-8 at byte {error.start}") from error
    try:
        body: Json = json.loads(
            text, object_pairs_hook=_unique_keys, parse_constant=_no_such_number
        )
    except Refused:
        raise
    except RecursionError as error:
        raise Refused(Reason.DEPTH, f"more than {MAX_DEPTH} levels") from error
    except ValueError as error:  # JSONDecodeError, or an integer of thousands of digits
        raise Refused(Reason.JSON, f"not JSON: {str(error)[:120]}") from error
    _check_depth(body)
    return body


def _check_depth(body: Json) -> None:
    level: list[Any] = [body]
    for _ in range(MAX_DEPTH + 1):
        level = [
            child
            for value in level
            if isinstance(value, dict | list)
            for child in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return
    raise Refused(Reason.DEPTH, f"more than {MAX_DEPTH} levels")


def _unique_keys(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused(Reason.JSON, "a key stands twice in one object")
    return found


def _no_such_number(text: str) -> NoReturn:
    raise Refused(Reason.JSON, f"{text} is not JSON")


def _time(value: Json, received_ms: int) -> tuple[int, ClockQuality]:
    if value is None:
        return received_ms, ClockQuality.IMPLAUSIBLE
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused(Reason.ENVELOPE, "'ts' is not a number of milliseconds since 1970")
    # Written so that an infinite number, which JSON can spell as 1e999, is not believed either.
    if not -FARTHEST_MS <= value - received_ms <= FARTHEST_MS:
        return received_ms, ClockQuality.IMPLAUSIBLE
    return int(value), ClockQuality.UNKNOWN


def _counter(value: Json) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_COUNTER:
        raise Refused(Reason.ENVELOPE, "'n' is not a counter from 0")
    return value


def _boot(value: Json) -> str | None:
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) <= MAX_COUNTER else ""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_BOOT_CHARACTERS:
        raise Refused(
            Reason.ENVELOPE, f"'boot' is not a text of 1 to {MAX_BOOT_CHARACTERS} characters"
        )
    return value
