"""Ruijie's RGOS: like IOS; nothing was found about taking a change back by itself."""

from typing import ClassVar

from firmware_sims.switch.cable import PairFault, PairState
from firmware_sims.switch.console.grammar import Fault, Given, LineError
from firmware_sims.switch.console.hashed import Hashed
from firmware_sims.switch.console.shell import on, text
from firmware_sims.switch.model import Port
from firmware_sims.switch.settings import DEFAULT_VLAN, LinkType, PortSettings

_PAIR_STATES = {PairState.OPEN: "Open", PairState.SHORT: "Short"}


class Ruijie(Hashed):
    """Ruijie's switches."""

    written: ClassVar = "\nBuilding configuration...\n[OK]\n"
    test_refused: ClassVar = "% The interface does not support line detection.\n"

    def port_view(self, port: Port) -> str:
        """See :class:`Hashed`."""
        return f"config-if-{port.descr}"

    def complaint(self, error: LineError, line: str) -> str:
        """See :class:`Shell`."""
        if error.fault is Fault.UNKNOWN and error.column == 0:
            return text(["", "% Unknown command.", ""])
        return super().complaint(error, line)

    def denied(self) -> str:
        """See :class:`Hashed`."""
        return text(["% Access denied", ""])

    @on("interface", "mls qos trust dscp")
    def trust(self, _: Given) -> str:
        """Take the DSCP of packets for their class."""
        return self.change(trust_dscp=True)

    @on("interface", "no mls qos trust [dscp]")
    def no_trust(self, _: Given) -> str:
        """Do not."""
        return self.change(trust_dscp=False)

    @on("interface", "priority-queue")
    def strict(self, _: Given) -> str:
        """Serve urgent queues before the rest."""
        return self.change(queueing="priority-queue")

    @on("interface", "no priority-queue")
    def no_strict(self, _: Given) -> str:
        """The default order."""
        return self.change(queueing="")

    @on("interface", "poe enable")
    def poe_enable(self, _: Given) -> str:
        """Feed what hangs on the port."""
        return self.change(poe=True)

    @on("interface", "no poe enable")
    def no_poe_enable(self, _: Given) -> str:
        """Do not feed it."""
        return self.change(poe=False)

    @on("interface", "line-detect")
    def cable_test(self, _: Given) -> str:
        """Measure the pairs; the link goes."""
        port = self.here()
        self.check_testable(port)
        found, metres = self.tested(port)
        return text(
            [
                f"Interface : {port.descr}",
                "start cable-diagnoses,please wait...",
                "cable-diagnoses end!this is result:",
                "4 pairs",
                "pair state   length(meters)",
                "---- ------- --------------",
                *(_pair(pair, fault, metres) for pair, fault in found.items()),
            ]
        )

    def section(self, port: Port, settings: PortSettings) -> list[str]:  # noqa: ARG002 - the same for every port
        """See :class:`Hashed`."""
        lines = []
        if settings.description:
            lines.append(f"description {settings.description}")
        if settings.link_type is LinkType.TRUNK:
            lines.append("switchport mode trunk")
        if settings.vlan != DEFAULT_VLAN:
            lines.append(f"switchport access vlan {settings.vlan}")
        if settings.speed_mbps is not None:
            lines.append(f"speed {settings.speed_mbps}")
        if settings.duplex is not None:
            lines.append(f"duplex {settings.duplex.label}")
        if settings.shutdown:
            lines.append("shutdown")
        if not settings.poe:
            lines.append("no poe enable")
        if settings.trust_dscp:
            lines.append("mls qos trust dscp")
        if settings.queueing:
            lines.append(settings.queueing)
        return lines


def _pair(pair: str, fault: PairFault | None, metres: int) -> str:
    length, state = (metres, "Ok") if fault is None else (fault.metres, _PAIR_STATES[fault.state])
    return f" {pair}    {state:<7} {length}"
