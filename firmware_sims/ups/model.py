"""A UPS and its battery: mains, on battery with falling charge, low, empty. No I/O.

Battery and load are linear: a full battery carries the full load for ``runtime_seconds``, half of
the load for twice as long, and takes ten times that to fill again. Its management card hangs on
its own output, as most do, so one that has run empty says nothing of it: it falls silent.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from firmware_sims import control
from tenone.runtime.clock import Clock

LOW_MINUTES = 2
"""upsConfigLowBattTime: with so little left the battery is low."""
RECHARGE_TIMES = 10.0
FEWEST_SECONDS, MOST_SECONDS = 1.0, 86_400.0
LEAST_LOAD, MOST_LOAD = 0.01, 1.2
NOMINAL_VOLTS, NOMINAL_TENTH_HERTZ, RATED_WATTS = 230, 500, 1_000
_BATTERY_TENTH_VOLTS_EMPTY, _BATTERY_TENTH_VOLTS_FULL = 420, 546
_TICKS_A_SECOND, _TICKS_RANGE = 100, 2**32


class Happening(Enum):
    """What befalls it."""

    ON_BATTERY = auto()
    LOW = auto()
    EMPTY = auto()
    """No output any more: what it feeds is dead."""
    MAINS = auto()
    """Mains are back; what was dead starts."""


class Alarm(Enum):
    """upsWellKnownAlarms that it raises: the last arc of each."""

    ON_BATTERY = 2
    LOW = 3
    INPUT_BAD = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """What it is at one moment."""

    charge_ratio: float
    minutes_left: int
    """At the present load, mains failing now or having failed; rounded down."""
    on_battery_seconds: int
    is_low: bool


class Ups:
    """One UPS. Time is taken at every look; :meth:`step` finds what has happened since."""

    def __init__(
        self,
        *,
        name: str,
        clock: Clock,
        runtime_seconds: float = 600.0,
        charge_ratio: float = 1.0,
        load_ratio: float = 0.4,
    ) -> None:
        """``runtime_seconds``: how long the full battery carries the *full* load."""
        self.name = name
        self.mains = True
        self.silent = False
        self.load_ratio = load_ratio
        self.line_bads = 0
        """upsInputLineBads: how often mains went."""
        self.has_output = True
        self.on_happening: Callable[[Happening], None] | None = None
        self._runtime_seconds = runtime_seconds
        self._charge = charge_ratio
        self._clock = clock
        self._made_ns = clock.monotonic_ns()
        self._at = 0.0
        self._failed_at: float | None = None
        self._boot = -86_400.0
        self._was_low = False
        self._alarmed_at: dict[Alarm, float] = {}

    def now(self) -> float:
        """Seconds since this object was made."""
        return (self._clock.monotonic_ns() - self._made_ns) / 1e9

    @property
    def uptime_ticks(self) -> int:
        """The sysUpTime of its card."""
        return int((self.now() - self._boot) * _TICKS_A_SECOND) % _TICKS_RANGE

    @property
    def alarms(self) -> list[tuple[Alarm, int]]:
        """Those raised, oldest first, each with the sysUpTime of its beginning."""
        return [
            (alarm, int((at - self._boot) * _TICKS_A_SECOND) % _TICKS_RANGE)
            for alarm, at in self._alarmed_at.items()
        ]

    def answers(self) -> bool:
        """Whether its card lives: it hangs on the output."""
        self.step()
        return self.has_output and not self.silent

    def battery(self) -> Battery:
        """The battery now."""
        now = self.now()
        self._settle(now)
        left = self._charge * self._runtime_seconds / self.load_ratio
        return Battery(
            charge_ratio=self._charge,
            minutes_left=int(left // 60),
            on_battery_seconds=0 if self._failed_at is None else int(now - self._failed_at),
            is_low=not self.mains and left <= LOW_MINUTES * 60,
        )

    @property
    def battery_tenth_volts(self) -> int:
        """upsBatteryVoltage: falls with the charge."""
        span = _BATTERY_TENTH_VOLTS_FULL - _BATTERY_TENTH_VOLTS_EMPTY
        return _BATTERY_TENTH_VOLTS_EMPTY + round(span * self._charge)

    def change(self, changes: Mapping[str, object]) -> None:
        """What a script may set: ``mains``, ``charge_ratio``, ``load_ratio``, ``runtime_seconds``.

        Raises :class:`control.CommandError` and changes nothing.
        """
        control.refuse_others(changes, "mains", "charge_ratio", "load_ratio", "runtime_seconds")
        mains = control.flag(changes.get("mains", self.mains), "mains")
        self._settle(self.now())
        charge = number(changes, "charge_ratio", self._charge)
        load = number(changes, "load_ratio", self.load_ratio)
        runtime = number(changes, "runtime_seconds", self._runtime_seconds)
        self._charge, self.load_ratio, self._runtime_seconds = charge, load, runtime
        self._was_low = self._was_low and self.battery().is_low
        if mains != self.mains:
            self._turn(mains=mains)
        self.step()

    def _turn(self, *, mains: bool) -> None:
        now = self.now()
        self.mains = mains
        if not mains:
            self._failed_at = now
            self.line_bads += 1
            self._alarmed_at |= {Alarm.INPUT_BAD: now, Alarm.ON_BATTERY: now}
            self._tell(Happening.ON_BATTERY)
            return
        self._failed_at, self._was_low = None, False
        self._alarmed_at.clear()
        if not self.has_output:
            self.has_output, self._boot = True, now
        self._tell(Happening.MAINS)

    def step(self) -> None:
        """Tell what has happened by now."""
        battery = self.battery()
        if self.mains or not self.has_output:
            return
        if battery.is_low and not self._was_low:
            self._was_low = True
            self._alarmed_at[Alarm.LOW] = self.now()
            self._tell(Happening.LOW)
        if self._charge <= 0.0:
            self.has_output = False
            self._tell(Happening.EMPTY)

    def next_seconds(self) -> float | None:
        """In how long something happens by itself; None: nothing will."""
        self._settle(self.now())
        if self.mains or not self.has_output:
            return None
        left = self._charge * self._runtime_seconds / self.load_ratio
        return left if self._was_low else max(left - LOW_MINUTES * 60, 0.0)

    def _settle(self, now: float) -> None:
        passed, self._at = now - self._at, now
        if self.mains:
            rate = 1.0 / (RECHARGE_TIMES * self._runtime_seconds)
        else:
            rate = -self.load_ratio / self._runtime_seconds
        charge = self._charge + rate * passed
        # What a float leaves over after the last second is nothing.
        self._charge = 0.0 if charge < 1e-9 else min(charge, 1.0)  # noqa: PLR2004 - a rounding error

    def _tell(self, what: Happening) -> None:
        if self.on_happening is not None:
            self.on_happening(what)


_BOUNDS = {
    "charge_ratio": (0.0, 1.0),
    "load_ratio": (LEAST_LOAD, MOST_LOAD),
    "runtime_seconds": (FEWEST_SECONDS, MOST_SECONDS),
}


def number(given: Mapping[str, object], key: str, default: float) -> float:
    """A number of a plan or command within its bounds; raises :class:`control.CommandError`."""
    return control.number(given.get(key, default), key, *_BOUNDS[key])
