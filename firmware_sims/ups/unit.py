"""A UPS at its socket: what it tells unasked, what it feeds, how a fleet file and a line say it."""

import asyncio
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from firmware_sims import control
from firmware_sims.switch import ber, notify
from firmware_sims.switch.agent import Agent
from firmware_sims.switch.misbehave import plain
from firmware_sims.switch.model import Switch
from firmware_sims.switch.server import Endpoint, Part
from firmware_sims.ups import mib
from firmware_sims.ups.model import LOW_MINUTES, Happening, Ups, number
from tenone.runtime.clock import Clock

KIND = "ups"
RESENT_SECONDS = 60.0
"""The trap upsTrapOnBattery is told anew every minute (RFC 1628)."""
BOOT_SECONDS = 5.0
_ON_BATTERY, _ALARM_ADDED, _ALARM_REMOVED = 1, 3, 4
"""upsTraps: the last arc of each."""
_ALARM_ON_BATTERY, _ALARM_LOW = 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsPlan:
    """One UPS of a fleet."""

    name: str
    feeds: tuple[str, ...] = ()
    """Names of switches of the same fleet: dead while it has no output."""
    community: str = "public"
    traps: str = ""
    """``host:port`` that its traps go to."""
    runtime_seconds: float = 600.0
    charge_ratio: float = 1.0
    load_ratio: float = 0.4
    boot_seconds: float = BOOT_SECONDS
    """How long a switch takes to start when there is power again."""

    @property
    def entry(self) -> dict[str, object]:
        """As it stands in a fleet file."""
        fields = {key: getattr(self, key) for key in self.__dataclass_fields__}
        return {"kind": KIND, **fields, "feeds": list(self.feeds)}


def read(entry: Mapping[str, object]) -> UpsPlan:
    """An entry of a fleet file; raises :class:`control.CommandError`."""
    control.refuse_others(entry, "kind", *UpsPlan.__dataclass_fields__)
    feeds = entry.get("feeds", [])
    if not isinstance(feeds, list) or not all(isinstance(one, str) for one in feeds):
        raise control.CommandError(f"'feeds' must be a list of switches' names, not {feeds!r}")
    boot = control.number(entry.get("boot_seconds", BOOT_SECONDS), "boot_seconds", 0, 3600)
    return UpsPlan(
        name=control.text(entry, "name"),
        feeds=tuple(feeds),
        community=control.text({"community": "public", **entry}, "community"),
        traps=control.text({"traps": "", **entry}, "traps"),
        runtime_seconds=number(entry, "runtime_seconds", 600.0),
        charge_ratio=number(entry, "charge_ratio", 1.0),
        load_ratio=number(entry, "load_ratio", 0.4),
        boot_seconds=boot,
    )


@dataclass(slots=True, kw_only=True)
class UpsUnit:
    """A UPS, its socket and what hangs on it; a :class:`Part`."""

    ups: Ups
    endpoint: Endpoint
    community: str
    boot_seconds: float
    fed: Sequence[Switch]
    traps: tuple[str, int] | None = None
    _socket: socket.socket | None = None
    _timer: asyncio.TimerHandle | None = None
    _number: int = 0

    @property
    def name(self) -> str:
        """What control lines call it."""
        return self.ups.name

    @property
    def parts(self) -> list[Part]:
        """What opens and closes with it."""
        return [self.endpoint, self]

    def ready(self) -> dict[str, object]:
        """What the ready line says of it."""
        return {
            "name": self.name,
            "host": self.endpoint.host,
            "port": self.endpoint.port,
            "community": self.community,
            "feeds": [switch.name for switch in self.fed],
        }

    def attach(self) -> None:
        """Run down, feed and tell from now on, in the running loop."""
        family = socket.AF_INET6 if ":" in self.endpoint.host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind((self.endpoint.host, 0))
        self.ups.on_happening = self._happened
        self._arm()

    def close(self) -> None:
        """Do and say nothing more."""
        self.ups.on_happening = None
        if self._timer is not None:
            self._timer.cancel()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def handle(self, command: Mapping[str, object]) -> None:
        """``{"ups", "set": {...}}`` or ``{"ups", "silent": true}``; raises ValueError."""
        match sorted(set(command) - {KIND}):
            case ["set"]:
                self.ups.change(control.mapping(command["set"], "set"))
                self._arm()
            case ["silent"]:
                self.ups.silent = control.flag(command["silent"], "silent")
            case others:
                raise control.CommandError(
                    f"a command for a UPS holds set, or silent; "
                    f"this one holds {', '.join(others) or 'nothing'}"
                )

    # -- what happens by itself

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        seconds = self.ups.next_seconds()
        if seconds is not None:
            loop = asyncio.get_running_loop()
            # A hair later than the moment, so that it has come.
            again = min(seconds + 0.001, RESENT_SECONDS)
            self._timer = loop.call_later(again, self._due, again == RESENT_SECONDS)

    def _due(self, resend: bool) -> None:  # noqa: FBT001 - call_later hands it over by place
        self.ups.step()
        if resend and self.ups.answers():
            self._tell_on_battery()
        self._arm()

    def _happened(self, what: Happening) -> None:
        match what:
            case Happening.ON_BATTERY:
                self._tell_on_battery()
            case Happening.LOW:
                self._tell_alarm(_ALARM_ADDED, _ALARM_LOW)
            case Happening.EMPTY:
                for switch in self.fed:
                    switch.powered = False
            case Happening.MAINS:
                self._tell_alarm(_ALARM_REMOVED, _ALARM_ON_BATTERY)
                for switch in self.fed:
                    if not switch.powered:
                        switch.powered = True
                        switch.reboot(self.boot_seconds)

    def _tell_on_battery(self) -> None:
        battery = self.ups.battery()
        self._tell(
            (*mib.TRAPS, _ON_BATTERY),
            [
                (mib.MINUTES_LEFT, ber.integer(battery.minutes_left)),
                (mib.ON_BATTERY_SECONDS, ber.integer(battery.on_battery_seconds)),
                (mib.LOW_TIME, ber.integer(LOW_MINUTES)),
            ],
        )

    def _tell_alarm(self, which: int, alarm: int) -> None:
        self._tell(
            (*mib.TRAPS, which),
            [
                ((*mib.UPS_MIB, 1, 6, 2, 1, 1), ber.integer(1)),
                ((*mib.UPS_MIB, 1, 6, 2, 1, 2), ber.oid((*mib.ALARMS, alarm))),
            ],
        )

    def _tell(self, trap: ber.Arcs, bound: list[tuple[ber.Arcs, bytes]]) -> None:
        if self._socket is None or self.traps is None or self.ups.silent:
            return
        self._number += 1
        data = notify.notification(
            trap,
            bound,
            uptime_ticks=self.ups.uptime_ticks,
            community=self.community,
            number=self._number,
        )
        try:
            self._socket.sendto(data, self.traps)
        except OSError:
            return  # UDP promises nothing


def live(
    plan: UpsPlan, where: tuple[str, int], clock: Clock, switches: Mapping[str, Switch]
) -> UpsUnit:
    """Build a UPS and bind its socket; raises ValueError, or OSError when the address is taken."""
    strangers = [name for name in plan.feeds if name not in switches]
    if strangers:
        raise control.CommandError(
            f"{plan.name!r} feeds {strangers[0]!r}, which no switch is called"
        )
    ups = Ups(
        name=plan.name,
        clock=clock,
        runtime_seconds=plan.runtime_seconds,
        charge_ratio=plan.charge_ratio,
        load_ratio=plan.load_ratio,
    )
    tree = mib.UpsTree(ups)
    agent = Agent(tree, community=plan.community, begin=tree.begin)
    return UpsUnit(
        ups=ups,
        endpoint=Endpoint(plain(agent), *where),
        community=plan.community,
        boot_seconds=plan.boot_seconds,
        fed=[switches[name] for name in plan.feeds],
        traps=notify.destination(plan.traps) if plan.traps else None,
    )
