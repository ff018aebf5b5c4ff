"""The truth under a switch's console: cables, negotiation, power, and which VLAN a station is in.

Nothing is made for a port before somebody asks, so a fleet that only answers SNMP pays nothing.
A change of speed or duplex by a control line (``Switch.set_port``) is what the last negotiation
came to: the next one, such as after a bounce, comes to what cable and partner allow.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from firmware_sims.switch.cable import (
    COPPER_MBPS,
    FIBRE_MBPS,
    PAIRS,
    Cable,
    PairFault,
    Partner,
    Result,
    agree,
)
from firmware_sims.switch.settings import Config, LinkType, PortSettings
from firmware_sims.switch.vendors import Vendor
from tenone.vocabulary.states import AdminStatus, Duplex, OperStatus

if TYPE_CHECKING:
    from firmware_sims.switch.model import Port, Switch

NEGOTIATION_SECONDS = 1.5
"""Ours, chosen to resemble copper; not a measurement of hardware."""
BOOT_SECONDS = 2.0
"""From power to the first frame of what hangs on a port."""
TEST_SECONDS = 1.0
"""How long a cable test holds the link."""


@dataclass(slots=True)
class Wired:
    """What is known of one port beside what its agent serves."""

    settings: PortSettings
    cable: Cable
    draws: bool = False
    """What hangs there is fed by the port."""
    powered: bool = True
    """Power is not held back by a command that is no configuration."""
    hung: bool = False
    """It does nothing until its power goes and comes."""
    training: int | None = None
    """The timer at whose end the link comes up."""


class Wiring:
    """The ports of one switch as things with cables."""

    def __init__(self, switch: "Switch") -> None:
        self._switch = switch
        self._wired: dict[int, Wired] = {}
        """By the identity of the port: its name and its number may change."""
        self.negotiation_seconds = NEGOTIATION_SECONDS
        self.boot_seconds = BOOT_SECONDS

    # What is

    def of(self, port: "Port") -> Wired:
        """What hangs on ``port``, made at the first question."""
        found = self._wired.get(id(port))
        if found is None:
            found = Wired(_delivered(port), Cable(partner=_partner(port, port.nominal_mbps)))
            self._wired[id(port)] = found
        return found

    def settings(self, port: "Port") -> PortSettings:
        """The running configuration of ``port``."""
        return replace(
            self.of(port).settings,
            shutdown=port.admin is AdminStatus.DOWN,
            description=port.alias,
        )

    def vlan_of(self, port: "Port") -> int | None:
        """The VLAN in which frames of the station on ``port`` travel; None without a link."""
        return self.of(port).settings.vlan if port.oper is OperStatus.UP else None

    def pairs(self, port: "Port") -> Mapping[str, PairFault | None]:
        """What a test of the cable finds, pair by pair."""
        cable = self.of(port).cable
        return {pair: cable.fault(pair) for pair in PAIRS}

    # What is done

    def adopt(self, port: "Port") -> None:
        """``port`` has been so for ever: the other end offers no more than it shows."""
        if port.virtual or (
            port.speed_mbps == port.nominal_mbps and port.duplex is not Duplex.HALF
        ):
            return
        partner = _partner(port, port.speed_mbps)
        self.of(port).cable = Cable(partner=partner)

    def configure(self, port: "Port", settings: PortSettings) -> None:
        """Let ``settings`` be what ``port`` runs with."""
        before, wired = self.settings(port), self.of(port)
        if settings == before:
            return
        wired.settings = settings
        port.alias = settings.description
        was = port.oper
        port.admin = AdminStatus.DOWN if settings.shutdown else AdminStatus.UP
        self._switch.generation += 1
        if before.poe != settings.poe and wired.draws:
            self._fed(port, was)
        elif before.wire() != settings.wire():
            self.negotiate(port, was=was)

    def feed(self, port: "Port", *, on: bool) -> None:
        """Hold the power of ``port`` back, or give it again, beside all configuration."""
        wired = self.of(port)
        if wired.powered != on:
            wired.powered = on
            if wired.draws:
                self._fed(port, port.oper)

    def _fed(self, port: "Port", was: OperStatus) -> None:
        """What hangs on ``port`` has lost its power or got it back, and starts anew."""
        wired = self.of(port)
        fed = wired.settings.poe and wired.powered
        wired.hung = wired.hung and fed
        self.negotiate(port, was=was, after=self.boot_seconds if fed else 0.0)

    def rewire(self, port: "Port", changes: Mapping[str, object]) -> None:
        """Another cable or partner; the link goes and comes as they allow.

        Raises ValueError for a key that is unknown or a value it does not take: see
        :func:`firmware_sims.switch.rewire.changed`.
        """
        from firmware_sims.switch.rewire import changed  # noqa: PLC0415 - only tests and faults do

        wired = self.of(port)
        stuck = changed(wired, changes)
        self.negotiate(port, stuck=stuck)

    def configured(self, port: "Port", changes: Mapping[str, object]) -> None:
        """Change the running configuration of ``port``: see ``rewire.configured``."""
        from firmware_sims.switch.rewire import configured  # noqa: PLC0415 - only tests and faults do

        makes_own = self._switch.style.vendor in {Vendor.HUAWEI, Vendor.HUAWEI_CE}
        self.configure(port, configured(self.settings(port), changes, makes_own=makes_own))

    def test(self, port: "Port") -> None:
        """A cable test takes the link for a moment."""
        self.negotiate(port, after=TEST_SECONDS)

    def negotiate(
        self,
        port: "Port",
        *,
        was: OperStatus | None = None,
        after: float = 0.0,
        stuck: Result | None = None,
    ) -> None:
        """The link goes, and comes ``after`` + ``negotiation_seconds`` later if it can.

        ``was``: how it was before, where the caller has changed that already; ``stuck``: what
        it shall come to this time, whatever the ends offer.
        """
        switch, wired = self._switch, self.of(port)
        now = switch.now()
        switch.timers.cancel(wired.training)
        wired.training = None
        before = (port.oper if was is None else was, port.speed_mbps, port.duplex)
        port.carrier = False
        switch.changed(port, before, now)
        if port.admin is AdminStatus.UP:
            due = now + after + self.negotiation_seconds
            wired.training = switch.timers.at(due, lambda at: self._trained(port, stuck, at))

    def _trained(self, port: "Port", stuck: Result | None, now: float) -> None:
        wired = self.of(port)
        wired.training = None
        found = self._possible(port) if stuck is None else stuck
        before = (port.oper, port.speed_mbps, port.duplex)
        port.carrier = found is not None
        if found is not None:
            port.speed_mbps, port.duplex = found.speed_mbps, found.duplex
            port.mismatch = found.mismatch
        self._switch.changed(port, before, now)

    def _possible(self, port: "Port") -> Result | None:
        wired = self.of(port)
        fed = wired.settings.poe and wired.powered
        if wired.draws and (wired.hung or not fed):
            return None
        return agree(wired.settings.wish(port.nominal_mbps), wired.cable)

    def overridden(self, port: "Port", keys: frozenset[str], was: OperStatus) -> bool:
        """A control line has set these of ``port``: it says how the link is, negotiated or not.

        ``was``: how it was before. Whether that began a negotiation, which tells of the change.
        """
        wired = self._wired.get(id(port))
        if wired is None:
            return False
        if keys & {"speed_mbps", "duplex", "link"}:
            self._switch.timers.cancel(wired.training)
            wired.training = None
            port.carrier = True
            port.mismatch = False
            return False
        if "admin" in keys:
            self.negotiate(port, was=was)
            return True
        return False

    # The whole

    def running(self) -> Config:
        """The running configuration."""
        switch = self._switch
        return Config(
            name=switch.name,
            ports={port.name: self.settings(port) for port in switch.sockets},
            vlans=switch.vlans,
            lines=switch.lines,
        )

    def load(self, config: Config) -> None:
        """Let ``config`` run: every port that differs is changed."""
        switch = self._switch
        switch.vlans, switch.lines = config.vlans, config.lines
        for port in switch.sockets:
            if port.name in config.ports:
                self.configure(port, config.ports[port.name])


def _delivered(port: "Port") -> PortSettings:
    """Class sockets are access ports, the fast ones carry every VLAN."""
    trunk = port.nominal_mbps not in COPPER_MBPS
    return PortSettings(link_type=LinkType.TRUNK if trunk else LinkType.ACCESS)


def _partner(port: "Port", most_mbps: int) -> Partner:
    family = COPPER_MBPS if port.nominal_mbps in COPPER_MBPS else FIBRE_MBPS
    able = frozenset(mbps for mbps in family if mbps <= most_mbps)
    half = port.duplex is Duplex.HALF
    return Partner(
        speeds=able or frozenset({most_mbps}), duplex=Duplex.HALF if half else Duplex.FULL
    )
