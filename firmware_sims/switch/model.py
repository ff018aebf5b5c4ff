"""A switch as live state: what its agent serves and what a script may change while it runs."""

import hashlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from firmware_sims.switch.counters import Traffic
from firmware_sims.switch.settings import DEFAULT_VLANS
from firmware_sims.switch.store import Store
from firmware_sims.switch.timers import Timers
from firmware_sims.switch.vendors import GIGABIT_MBPS, STYLES, TEN_GIGABIT_MBPS, Style, Vendor
from firmware_sims.switch.wiring import Wiring
from tenone.runtime.clock import Clock
from tenone.vocabulary.states import AdminStatus, Duplex, OperStatus

_PROP_VIRTUAL = 53
_LOCALLY_ADMINISTERED = 0x02
_TICKS_A_SECOND = 100
_TICKS_RANGE = 2**32
_RENUMBER_STEP = 100
_MISMATCH_ERRORS_PER_SECOND = 4.0
_LINK_UP_SECONDS = 2
"""After a start, ports come up this much later."""


class Quirk(StrEnum):
    """What real agents get wrong in their tables (SLA.md "Counters, clocks and identities")."""

    DUPLICATE_IF_NAME = "duplicate-if-name"
    """The second port carries the first one's ifName."""
    RENUMBER_ON_REBOOT = "renumber-on-reboot"
    """Each reboot gives every port another ifIndex."""
    SPEED_MODULO = "speed-modulo"
    """10G as 10^10 mod 2^32 = 1410065408 and ifHighSpeed 1410."""
    NO_IFX = "no-ifx"
    """No ifXTable, so 10G is the saturated 4294967295."""
    NO_HIGH_SPEED = "no-high-speed"
    """An ifXTable without its ifHighSpeed column."""
    SPEED_IN_MBPS = "speed-in-mbps"
    """ifSpeed holds Mb/s."""
    SPEED_ZERO = "speed-zero"
    """Ports that are up report no speed."""
    HIGH_SPEED_ABSURD = "high-speed-absurd"
    """ifHighSpeed over 2^31."""
    HALF_AT_GIGABIT = "half-at-gigabit"
    """Half duplex claimed at 1G."""
    NO_DUPLEX = "no-duplex"
    """No EtherLike-MIB rows."""
    HC_STUCK = "hc-stuck"
    """64-bit counters stay 0 while their 32-bit twins move."""
    PARTIAL_WALK = "partial-walk"
    """Every other few seconds a third of the ports is missing from every table."""


class OnLink(Protocol):
    """Is told that a port came up or went down."""

    def __call__(self, port: "Port", *, up: bool) -> None:
        """Must not raise."""
        ...


class SimError(ValueError):
    """A change that cannot be made; the message is one sentence that says what can."""


@dataclass(slots=True)
class Port:
    """One interface."""

    name: str
    descr: str
    alias: str
    if_index: int
    if_type: int
    mac: bytes
    nominal_mbps: int
    """0 for a virtual interface."""
    speed_mbps: int
    duplex: Duplex
    link: bool
    admin: AdminStatus
    last_change_ticks: int
    errors_per_second: float
    discards_per_second: float
    traffic: Traffic
    mtu: int = 1500
    discontinuity_ticks: int = 0
    """ifCounterDiscontinuityTime."""
    carrier: bool = True
    """The two ends have come to terms; not while they negotiate."""
    mismatch: bool = False
    """The ends hold different duplex, so frames are lost."""

    @property
    def virtual(self) -> bool:
        """A VLAN interface rather than a socket."""
        return self.nominal_mbps == 0

    @property
    def oper(self) -> OperStatus:
        """Up with a cable, terms and leave to be."""
        up = self.link and self.carrier and self.admin is AdminStatus.UP
        return OperStatus.UP if up else OperStatus.DOWN


@dataclass(frozen=True, slots=True)
class Neighbour:
    """What LLDP heard on a port."""

    port: str
    name: str
    remote_port: str
    mac: bytes


def chassis_mac(name: str) -> bytes:
    """The base MAC address of the switch called ``name``, so that neighbours can know it."""
    return bytes((_LOCALLY_ADMINISTERED, *hashlib.sha256(name.encode()).digest()[:4], 0))


class Switch:
    """One switch. ``generation`` moves with every change of what is not a counter."""

    def __init__(
        self,
        *,
        name: str,
        vendor: Vendor,
        clock: Clock,
        seed: int = 0,
        ports: int = 24,
        uplinks: int = 2,
        virtual: bool = True,
        quirks: frozenset[Quirk] = frozenset(),
    ) -> None:
        """``ports`` are 1G sockets, ``uplinks`` 10G ones; all come up linked at full speed."""
        self.name = name
        self.style: Style = STYLES[vendor]
        self.quirks = quirks
        self.location = ""
        self.neighbours: tuple[Neighbour, ...] = ()
        self.silent = False
        self.powered = True
        self.on_link: OnLink | None = None
        """Told of each port that comes up or goes down."""
        self.on_start: Callable[[float], None] | None = None
        """Told of a start, and how many seconds it takes."""
        self.generation = 0
        self.boots = 7
        """snmpEngineBoots: any number that grows with each start."""
        self.numbering = 0
        """How often the ports have been renumbered or neighbours changed."""
        self.clock = clock
        self.timers = Timers()
        self.wiring = Wiring(self)
        self.vlans = DEFAULT_VLANS
        self.lines: tuple[str, ...] = ()
        """Global lines of the running configuration that mean nothing to this model."""
        self._store: Store | None = None
        self._made_ns = clock.monotonic_ns()
        self._silent_until = 0.0
        self._seed = f"{seed}/{name}"
        chance = random.Random(self._seed)
        self.serial = f"{vendor.value.upper()}{chance.randrange(10**9):09d}"
        self.mac = chassis_mac(name)
        self._boot = -chance.uniform(86_400, 90 * 86_400)
        """When it started, in seconds after it was made; negative."""
        self.ports = self._build(ports, uplinks, virtual=virtual)
        self._by_name = {port.name: port for port in self.ports}

    def _build(self, access: int, uplinks: int, *, virtual: bool) -> list[Port]:
        built: list[Port] = []
        style = self.style

        def add(name: str, descr: str, if_type: int, mbps: int) -> None:
            number = len(built) + 1
            port = Port(
                name=name,
                descr=descr,
                alias="",
                if_index=style.first_index + number - 1,
                if_type=if_type,
                mac=self.mac[:4] + (int.from_bytes(self.mac[4:]) + number).to_bytes(3)[-2:],
                nominal_mbps=mbps,
                speed_mbps=mbps,
                duplex=Duplex.FULL,
                link=True,
                admin=AdminStatus.UP,
                last_change_ticks=_LINK_UP_SECONDS * _TICKS_A_SECOND,
                errors_per_second=0.0,
                discards_per_second=0.0,
                traffic=Traffic(f"{self._seed}/{name}", self._boot),
            )
            self._reload(port, self._boot)
            built.append(port)

        for n in range(1, access + 1):
            descr = style.port_descr(n, access, uplink=False)
            add(style.access_name(n), descr, style.if_type, GIGABIT_MBPS)
        for n in range(1, uplinks + 1):
            descr = style.port_descr(n, access, uplink=True)
            add(style.uplink_name(n, access), descr, style.if_type, TEN_GIGABIT_MBPS)
        if virtual:
            add(style.management, style.management, _PROP_VIRTUAL, 0)
        return built

    # Time

    def now(self) -> float:
        """Seconds since this object was made."""
        return (self.clock.monotonic_ns() - self._made_ns) / 1e9

    def tick(self) -> None:
        """Let happen what is due: negotiations that end, commits on trial that are over."""
        self.timers.run(self.now())

    def uptime_ticks(self, now: float) -> int:
        """sysUpTime: hundredths of a second since it started, wrapping at 497.1 days."""
        return int((now - self._boot) * _TICKS_A_SECOND) % _TICKS_RANGE

    def answers(self, now: float) -> bool:
        """Whether it is there: neither silenced nor without power nor starting up."""
        return self.powered and not self.silent and now >= self._silent_until

    @property
    def store(self) -> Store:
        """What it starts with, its files and checkpoints; made when a console is first used."""
        if self._store is None:
            self._store = Store(self)
        return self._store

    # What a script may do

    @property
    def sockets(self) -> list[Port]:
        """The physical ports."""
        return [port for port in self.ports if not port.virtual]

    def port(self, name: str) -> Port:
        """The port called ``name``; raises :class:`SimError`."""
        try:
            return self._by_name[name]
        except KeyError:
            raise SimError(
                f"switch {self.name} has no port {name!r}: its first is {self.ports[0].name!r}"
            ) from None

    def set_port(self, name: str, changes: Mapping[str, object]) -> None:
        """Change a port: all of ``changes`` or, if one is wrong, none (:class:`SimError`).

        Keys: ``speed_mbps``, ``duplex`` (full, half, unknown), ``oper`` and ``admin`` (up,
        down), ``errors_per_second``, ``discards_per_second``, ``alias``.
        """
        self.tick()
        port = self.port(name)
        checked = {
            "link" if key == "oper" else key: _checked(key, value) for key, value in changes.items()
        }
        before = (port.oper, port.speed_mbps, port.duplex)
        for attribute, value in checked.items():
            setattr(port, attribute, value)
        if not self.wiring.overridden(port, frozenset(checked), before[0]):
            self.changed(port, before, self.now())

    def set_wire(self, name: str, changes: Mapping[str, object]) -> None:
        """Another cable, partner or station on a port: see ``Wiring.rewire`` (ValueError)."""
        self.tick()
        self.wiring.rewire(self.port(name), changes)

    def changed(self, port: Port, before: tuple[OperStatus, int, Duplex], now: float) -> None:
        """``port`` may have changed at ``now``: counters, ifLastChange and listeners follow."""
        if (port.oper, port.speed_mbps, port.duplex) != before:
            # A new speed or duplex is a new negotiation, so the link went and came.
            port.last_change_ticks = self.uptime_ticks(now)
        self._reload(port, now)
        self.generation += 1
        self._tell(port, before)

    def _tell(self, port: Port, before: tuple[OperStatus, int, Duplex]) -> None:
        """A link that goes and comes again, as in a new negotiation, is told twice."""
        after = (port.oper, port.speed_mbps, port.duplex)
        if self.on_link is None or after == before:
            return
        if before[0] is OperStatus.UP:
            self.on_link(port, up=False)
        if port.oper is OperStatus.UP:
            self.on_link(port, up=True)

    def configure(self, name: str, changes: Mapping[str, object]) -> None:
        """Configure a port as somebody at the console would (ValueError for what is not known).

        See :func:`firmware_sims.switch.rewire.configured`.
        """
        self.tick()
        self.wiring.configured(self.port(name), changes)

    def settle(self) -> None:
        """Let every port have been since the start as it is now: nothing has just changed."""
        for port in self.ports:
            self.wiring.adopt(port)
        self.rest()

    def rest(self) -> None:
        """Nothing has changed since the start: counters and times of change say so."""
        for port in self.ports:
            port.last_change_ticks = _LINK_UP_SECONDS * _TICKS_A_SECOND
            port.traffic = Traffic(f"{self._seed}/{port.name}", self._boot)
            self._reload(port, self._boot)
        self.generation += 1

    def reboot(self, silent_seconds: float = 5.0, *, renumber: bool = False) -> None:
        """Start anew: counters and sysUpTime from 0, no answer for ``silent_seconds``."""
        if not 0 <= silent_seconds < 86_400:  # noqa: PLR2004 - a day, as the message says
            raise SimError(f"silent_seconds {silent_seconds} must be from 0 to 86400")
        self.tick()
        now = self.now()
        if self._store is not None:
            self._store.restart()
        self._boot = now
        self.boots += 1
        self._silent_until = now + silent_seconds
        for port in self.ports:
            port.traffic.restart(now)
            port.discontinuity_ticks = 0
            port.last_change_ticks = _LINK_UP_SECONDS * _TICKS_A_SECOND
        if renumber or Quirk.RENUMBER_ON_REBOOT in self.quirks:
            self.numbering += 1
            indices = [self.style.first_index + n for n in range(len(self.ports))]
            shift = self.numbering % 3 * _RENUMBER_STEP
            for port, index in zip(self.ports, reversed(indices), strict=True):
                port.if_index = index + shift
        self.generation += 1
        if self.on_start is not None:
            self.on_start(silent_seconds)

    def age(self, seconds: float) -> None:
        """Have been up for ``seconds``: sysUpTime wraps when they pass 497.1 days."""
        self._boot = self.now() - seconds
        self.generation += 1

    def clear_counters(self, name: str, *, told: bool = True) -> None:
        """A port's counters from 0 again, by ``reset counters``; ``told`` as RFC 2863 asks."""
        self.tick()
        port, now = self.port(name), self.now()
        port.traffic.restart(now)
        if told:
            port.discontinuity_ticks = self.uptime_ticks(now)
        self.generation += 1

    def swap_names(self, one: str, other: str) -> None:
        """Two ports exchange their ifNames and nothing else, as after a renumbering gone wrong."""
        first, second = self.port(one), self.port(other)
        first.name, second.name = other, one
        self._by_name.update({one: second, other: first})
        self.generation += 1

    def set_neighbours(self, neighbours: tuple[Neighbour, ...]) -> None:
        """What LLDP hears from now on."""
        self.neighbours = neighbours
        self.numbering += 1
        self.generation += 1

    @staticmethod
    def _reload(port: Port, now: float) -> None:
        carrying = port.oper is OperStatus.UP
        port.traffic.load(
            now,
            speed_mbps=(port.speed_mbps or GIGABIT_MBPS if port.virtual else port.speed_mbps)
            if carrying
            else 0,
            errors_per_second=port.errors_per_second
            + (_MISMATCH_ERRORS_PER_SECOND if port.mismatch else 0.0),
            discards_per_second=port.discards_per_second,
        )


_STATUS = {"up": True, "down": False}
_ADMIN = {"up": AdminStatus.UP, "down": AdminStatus.DOWN}
_DUPLEX = {"full": Duplex.FULL, "half": Duplex.HALF, "unknown": Duplex.UNKNOWN}
_WORDS: Mapping[str, Mapping[str, object]] = {
    "oper": _STATUS,
    "admin": _ADMIN,
    "duplex": _DUPLEX,
}
_FASTEST_MBPS = 800_000
_MOST_A_SECOND = 1e7
_LONGEST_ALIAS = 64


def _checked(key: str, value: object) -> object:
    """``value`` as the attribute ``key`` holds it; raises :class:`SimError`."""
    words = _WORDS.get(key)
    if words is not None:
        if not isinstance(value, str) or value not in words:
            raise SimError(f"{key} {value!r} must be one of {', '.join(words)}")
        return words[value]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if key == "speed_mbps":
        if not isinstance(value, int) or not number or not 0 <= value <= _FASTEST_MBPS:
            raise SimError(f"speed_mbps {value!r} must be a whole number from 0 to {_FASTEST_MBPS}")
        return value
    if key in ("errors_per_second", "discards_per_second"):
        if not isinstance(value, int | float) or not number or not 0 <= value <= _MOST_A_SECOND:
            raise SimError(f"{key} {value!r} must be a number from 0 to {_MOST_A_SECOND:g}")
        return float(value)
    if key == "alias":
        if not isinstance(value, str) or len(value.encode()) > _LONGEST_ALIAS:
            raise SimError(f"alias {value!r} must be text of at most {_LONGEST_ALIAS} bytes")
        return value
    raise SimError(
        f"{key!r} cannot be set on a port: use speed_mbps, duplex, oper, admin, "
        "errors_per_second, discards_per_second or alias"
    )
