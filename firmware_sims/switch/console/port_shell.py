"""What every vendor's port and VLAN take in the same words; a dialect says which word undoes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from firmware_sims.switch.cable import COPPER_MBPS, HALF_MBPS, PairFault
from firmware_sims.switch.console.grammar import Given
from firmware_sims.switch.console.shell import RefusedError, Shell, on
from firmware_sims.switch.model import Port
from firmware_sims.switch.settings import DEFAULT_VLAN, PortSettings
from tenone.vocabulary.states import Duplex

MOST_VLAN = 4094


class PortShell(Shell):
    """The view ``interface``, and the ways there from ``system`` or ``config``."""

    half_refused: ClassVar[str]
    """What is said to half duplex at a speed that does not have it."""
    test_refused: ClassVar[str]
    """What is said where the cable cannot be tested."""
    vlan = DEFAULT_VLAN
    """The VLAN whose view this is."""

    @on("system config", "interface <port...>")
    def interface(self, given: Given) -> str:
        """Into a port's view."""
        self.at = self.port(given)
        self.view = "interface"
        return ""

    @on("system config", "vlan <id>")
    def enter_vlan(self, given: Given) -> str:
        """Make a VLAN and go into its view."""
        self.vlan = given.number("id", 1, MOST_VLAN)
        config = self.config()
        self.put(replace(config, vlans=config.vlans | {self.vlan}))
        self.view = "vlan"
        return ""

    @on("interface", "description <text...>")
    def description(self, given: Given) -> str:
        """Name the port."""
        return self.change(description=given["text"])

    @on("interface", "{undo} description")
    def undo_description(self, _: Given) -> str:
        """No name."""
        return self.change(description="")

    @on("interface", "shutdown")
    def shutdown(self, _: Given) -> str:
        """Shut the port."""
        return self.change(shutdown=True)

    @on("interface", "{undo} shutdown")
    def undo_shutdown(self, _: Given) -> str:
        """Open the port."""
        return self.change(shutdown=False)

    @on("interface", "speed <mbps>")
    def speed(self, given: Given) -> str:
        """A rate, or ``auto``."""
        if "auto".startswith(given["mbps"].lower()):
            return self.change(speed_mbps=None)
        mbps = self.rate(given)
        if self.settings().duplex is Duplex.HALF and mbps not in HALF_MBPS:
            raise RefusedError(self.half_refused)
        return self.change(speed_mbps=mbps)

    @on("interface", "{undo} speed")
    def undo_speed(self, _: Given) -> str:
        """Negotiated."""
        return self.change(speed_mbps=None)

    @on("interface", "duplex <mode>")
    def duplex(self, given: Given) -> str:
        """``auto``, ``full`` or ``half``."""
        mode = given.one_of("mode", "auto", "full", "half")
        if mode == "half" and self.settings().speed_mbps not in {None, *HALF_MBPS}:
            raise RefusedError(self.half_refused)
        return self.change(duplex={"full": Duplex.FULL, "half": Duplex.HALF}.get(mode))

    @on("interface", "{undo} duplex")
    def undo_duplex(self, _: Given) -> str:
        """Negotiated."""
        return self.change(duplex=None)

    # What dialects ask

    def rate(self, given: Given) -> int:
        """``<mbps>``, one of the rates the socket of this view has."""
        mbps = given.number("mbps", 10, 10_000)
        if mbps not in PortSettings().wish(self.here().nominal_mbps).speeds:
            raise given.wrong("mbps")
        return mbps

    def check_testable(self, port: Port) -> None:
        """Raises :class:`RefusedError` where the socket is not one for copper."""
        if port.nominal_mbps not in COPPER_MBPS:
            raise RefusedError(self.test_refused)

    def tested(self, port: Port) -> tuple[Mapping[str, PairFault | None], int]:
        """What a test finds pair by pair, and the cable's metres; the link goes for a moment."""
        wiring = self.switch.wiring
        found, metres = wiring.pairs(port), wiring.of(port).cable.metres
        wiring.test(port)
        return found, metres
