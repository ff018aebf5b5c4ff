"""One board's state and the bodies it sends, right or spoilt; no network here.

Topics are ``t1/board/<serial>/m`` (measurements), ``/s`` (status, retained, also the will)
and ``/e/<type>`` (events); a body is ``{"ts": epoch_ms, "n": counter, "boot": id, "v": {...}}``.
"""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from firmware_sims import control
from firmware_sims.board.day import Value, reading
from tenone.runtime.clock import Clock

FLOOD_MESSAGES = 200
CLOCK_FOUND_SECONDS = 60.0
"""After a start without a clock, the board finds the time this much later."""
BATTERY_SECONDS = 300.0
"""How long a board that fails by chance stays dead."""
MEASURED = frozenset(reading("", 0))


class Fault(StrEnum):
    """What a board can get wrong in what it sends."""

    DUPLICATES = "duplicates"
    """Every message twice, with the same counter."""
    BAD_JSON = "bad-json"
    """A body cut in the middle."""
    UNKNOWN_FIELD = "unknown-field"
    """A name the vocabulary does not know."""
    NAN = "nan"
    """NaN where a number belongs, which is not JSON."""
    OUT_OF_RANGE = "out-of-range"
    """A CPU share of 7 and 999 degrees."""
    FLOOD = "flood"
    """Two hundred messages at once."""
    CLOCK_1970 = "clock-1970"
    """The clock never finds the time and counts from 1970."""
    SILENT = "silent"
    """Connected, but says nothing: the application hangs."""


class Chance(StrEnum):
    """What may befall a board by the seed, besides a :class:`Fault` for one message."""

    REBOOT = "reboot"
    """A start without a clock: 1970 for a minute."""
    BATTERY = "battery"
    """Gone for five minutes."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to publish at QoS 1."""

    topic: str
    payload: bytes
    retain: bool = False


class Board:
    """A class board. Time comes from ``clock``, all chance from ``seed``."""

    def __init__(self, serial: str, *, clock: Clock, seed: int = 0) -> None:
        self.serial = serial
        self.offline = False
        self.fault: Fault | None = None
        self.fixed: dict[str, Value] = {}
        """Measured values that a script has set."""
        self._clock = clock
        self._seed = f"{seed}/{serial}"
        self._chance = random.Random(f"{self._seed}/faults")
        self._boots = random.Random(f"{self._seed}/boots")
        self._away_until_ns = 0
        self._n = 0
        self._boot = ""
        self._booted_ns = 0
        self._clock_found_ns = 0
        self._start(clock_lost=False)

    def _start(self, *, clock_lost: bool) -> None:
        now_ns = self._clock.monotonic_ns()
        self._boot = self._boots.randbytes(6).hex()
        self._n = 0
        self._booted_ns = now_ns
        self._clock_found_ns = now_ns + int(CLOCK_FOUND_SECONDS * 1e9) * clock_lost

    # What a script may do

    def reboot(self, *, silent_seconds: float, clock_lost: bool) -> None:
        """Start anew: another boot id, the counter from 1, gone meanwhile."""
        self._start(clock_lost=clock_lost)
        self._away_until_ns = self._clock.monotonic_ns() + int(silent_seconds * 1e9)

    def set(self, changes: Mapping[str, object]) -> None:
        """Change the board: all of ``changes`` or none; raises CommandError.

        ``offline`` (true, false), ``fault`` (a :class:`Fault` or null), or a measured name
        with the value it shall have from now on (``"auto"`` gives it back to the day).
        """
        offline, fault, fixed = self.offline, self.fault, dict(self.fixed)
        for key, value in changes.items():
            if key == "offline":
                offline = control.flag(value, key)
            elif key == "fault":
                fault = _fault(value)
            elif key not in MEASURED:
                names = ", ".join(sorted(MEASURED))
                raise control.CommandError(
                    f"{key!r} cannot be set on a board: use offline, fault or one of {names}"
                )
            elif value == "auto":
                fixed.pop(key, None)
            elif isinstance(value, list | dict):
                raise control.CommandError(f"{key!r} must be one value, not {value!r}")
            else:
                fixed[key] = value  # type: ignore[assignment] # what is left of JSON
        self.offline, self.fault, self.fixed = offline, fault, fixed

    @property
    def away_seconds(self) -> float:
        """How long it stays away yet; infinite while it is offline."""
        if self.offline:
            return float("inf")
        return max(0.0, (self._away_until_ns - self._clock.monotonic_ns()) / 1e9)

    # What it says

    def topic(self, channel: str) -> str:
        """``t1/board/<serial>/<channel>``."""
        return f"t1/board/{self.serial}/{channel}"

    def will(self) -> Outgoing:
        """What the broker shall say when the board is gone: no time, since nobody knows it yet."""
        return Outgoing(self.topic("s"), _json({"v": {"online": False}}), retain=True)

    def online(self) -> Outgoing:
        """Said after each connect."""
        return Outgoing(self.topic("s"), _json(self._body({"online": True})), retain=True)

    def event(self, kind: str, values: Mapping[str, Value]) -> Outgoing:
        """Something that happened at one moment."""
        return Outgoing(self.topic(f"e/{kind}"), _json(self._body(values)))

    def measurements(self, faults_a_message: float = 0.0) -> list[Outgoing]:
        """What is sent this time: one message, none, or what a fault makes of it.

        ``faults_a_message`` is the chance that something befalls this message.
        """
        fault = self.fault
        if fault is None and self._chance.random() < faults_a_message:
            drawn = self._chance.choice([*Fault, *Chance])
            if isinstance(drawn, Fault):
                fault = drawn
            else:
                battery = drawn is Chance.BATTERY
                self.reboot(
                    silent_seconds=BATTERY_SECONDS if battery else 5.0, clock_lost=not battery
                )
                return []
        if fault is Fault.SILENT:
            return []
        count = FLOOD_MESSAGES if fault is Fault.FLOOD else 1
        sent = [self._measurement(fault) for _ in range(count)]
        return sent * 2 if fault is Fault.DUPLICATES else sent

    def _measurement(self, fault: Fault | None) -> Outgoing:
        values = {**reading(self._seed, self._clock.wall_ns()), **self.fixed}
        if fault is Fault.UNKNOWN_FIELD:
            values["mood"] = "good"
        elif fault is Fault.OUT_OF_RANGE:
            values |= {"cpu_ratio": 7.0, "temperature_celsius": 999.0}
        elif fault is Fault.NAN:
            values["cpu_ratio"] = float("nan")
        payload = _json(self._body(values))
        if fault is Fault.BAD_JSON:
            payload = payload[: len(payload) // 2]
        return Outgoing(self.topic("m"), payload)

    def _body(self, values: Mapping[str, Value]) -> dict[str, object]:
        self._n += 1
        return {"ts": self._time_ms(), "n": self._n, "boot": self._boot, "v": dict(values)}

    def _time_ms(self) -> int:
        now_ns = self._clock.monotonic_ns()
        if self.fault is Fault.CLOCK_1970 or now_ns < self._clock_found_ns:
            return (now_ns - self._booted_ns) // 1_000_000
        return self._clock.wall_ns() // 1_000_000


def _fault(value: object) -> Fault | None:
    if value is None:
        return None
    if value not in list(Fault):
        raise control.CommandError(f"no fault is called {value!r}: use {', '.join(Fault)} or null")
    return Fault(str(value))


def _json(body: Mapping[str, object]) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
