"""Huawei's VRP: what versions 5 and 8 share (S5700 and NE8000 command references)."""

from collections.abc import Mapping
from typing import ClassVar

from firmware_sims.switch.cable import HALF_MBPS, PairFault, PairState
from firmware_sims.switch.console import vrp_show
from firmware_sims.switch.console.bracketed import ANYWHERE, Bracketed
from firmware_sims.switch.console.grammar import Given
from firmware_sims.switch.console.port_shell import MOST_VLAN
from firmware_sims.switch.console.shell import RefusedError, on, text
from firmware_sims.switch.model import Port
from firmware_sims.switch.settings import DEFAULT_VLAN, LinkType, PortSettings
from tenone.vocabulary.states import Duplex

_PAIR_STATES = {PairState.OPEN: "Open", PairState.SHORT: "Short"}


class Vrp(Bracketed):
    """Huawei's command line."""

    complaint_form: ClassVar = "Error: {}"
    banner: ClassVar = (
        "\nInfo: The max number of VTY users is 5, and the number\n"
        "      of current VTY users on line is 1.\n"
    )
    entered: ClassVar = "Enter system view, return user view with Ctrl+Z."
    test_refused: ClassVar = "Error: The interface does not support the cable test.\n"
    test_question: ClassVar = "Warning: The command will stop service for a while. Continue? [Y/N]:"

    # Speed and duplex

    @on("interface", "negotiation auto")
    def negotiation(self, _: Given) -> str:
        """Negotiate; what was forced is forgotten."""
        return self.change(auto=None, speed_mbps=None, duplex=None)

    @on("interface", "undo negotiation auto")
    def undo_negotiation(self, _: Given) -> str:
        """Force: the top rate and full duplex until something else is said."""
        settings = self.settings()
        if not settings.negotiates:
            return ""
        return self.change(auto=False, speed_mbps=self.here().nominal_mbps, duplex=Duplex.FULL)

    def _forced(self) -> PortSettings:
        settings = self.settings()
        if settings.negotiates:
            raise RefusedError("Error: Please close the auto-negotiation mode first.\n")
        return settings

    @on("interface", "speed <mbps>")
    def speed(self, given: Given) -> str:
        """Force a rate; refused while the port negotiates."""
        mbps = self.rate(given)
        settings = self._forced()
        if settings.duplex is Duplex.HALF and mbps not in HALF_MBPS:
            raise RefusedError("Error: The speed conflicts with the half-duplex mode.\n")
        return self.change(speed_mbps=mbps)

    @on("interface", "undo speed")
    def undo_speed(self, _: Given) -> str:
        """The top rate."""
        self._forced()
        return self.change(speed_mbps=self.here().nominal_mbps)

    @on("interface", "duplex <mode>")
    def duplex(self, given: Given) -> str:
        """Force full or half; refused while the port negotiates."""
        mode = given.one_of("mode", "full", "half")
        settings = self._forced()
        if mode == "half" and settings.speed_mbps not in HALF_MBPS:
            raise RefusedError("Error: The half-duplex mode conflicts with the speed.\n")
        return self.change(duplex=Duplex.HALF if mode == "half" else Duplex.FULL)

    @on("interface", "undo duplex")
    def undo_duplex(self, _: Given) -> str:
        """Full."""
        self._forced()
        return self.change(duplex=Duplex.FULL)

    @on("interface", "auto speed <mbps>")
    def auto_speed(self, given: Given) -> str:
        """Negotiate, offering one rate; refused while the port does not negotiate."""
        mbps = self.rate(given)
        if not self.settings().negotiates:
            raise RefusedError("Error: Please open the auto-negotiation mode first.\n")
        return self.change(auto=True, speed_mbps=mbps)

    @on("interface", "undo auto speed")
    def undo_auto_speed(self, _: Given) -> str:
        """Offer every rate."""
        if self.settings().negotiates:
            self.change(auto=None, speed_mbps=None)
        return ""

    # VLANs and queues

    @on("interface", "port default vlan <id>")
    def default_vlan(self, given: Given) -> str:
        """The VLAN of an access port."""
        vlan = given.number("id", 1, MOST_VLAN)
        if self.settings().link_type is not LinkType.ACCESS:
            raise RefusedError("Error: The port link type is not access or dot1q-tunnel.\n")
        if vlan not in self.config().vlans:
            raise RefusedError(f"Error: The VLAN {vlan} does not exist.\n")
        return self.change(vlan=vlan)

    @on("interface", "undo port default vlan")
    def undo_default_vlan(self, _: Given) -> str:
        """VLAN 1 again."""
        return self.change(vlan=DEFAULT_VLAN)

    @on("interface", "trust dscp")
    def trust(self, _: Given) -> str:
        """Take the DSCP of packets for their class."""
        return self.change(trust_dscp=True)

    @on("interface", "undo trust [dscp]")
    def undo_trust(self, _: Given) -> str:
        """Do not."""
        return self.change(trust_dscp=False)

    @on("interface", "qos pq")
    def strict(self, _: Given) -> str:
        """Serve urgent queues before the rest."""
        return self.change(queueing="qos pq")

    @on("interface", "qos wrr")
    def weighted(self, _: Given) -> str:
        """Serve queues by weight."""
        return self.change(queueing="qos wrr")

    @on("interface", "undo qos [pq]", "undo qos wrr")
    def undo_queueing(self, _: Given) -> str:
        """The default order."""
        return self.change(queueing="")

    # The cable

    def test_result(self, found: Mapping[str, PairFault | None], metres: int) -> str:
        """See :class:`Bracketed`."""
        lengths = [
            f"Pair {p} length: {metres if fault is None else fault.metres}meter(s)"
            for p, fault in found.items()
        ]
        states = [f"Pair {p} state: {_state(fault)}" for p, fault in found.items()]
        return text(
            [
                "Info: This operation may take a few seconds. Please wait for a moment...done.",
                *lengths,
                *states,
                "Info: The test result is only for reference.",
            ]
        )

    # Showing

    def section(self, port: Port, settings: PortSettings) -> list[str]:
        """See :class:`Bracketed`."""
        lines = [
            *([f"description {settings.description}"] if settings.description else []),
            *(["shutdown"] if settings.shutdown else []),
            *_speed_lines(port, settings),
            f"port link-type {settings.link_type.value}",
        ]
        if settings.vlan != DEFAULT_VLAN:
            lines.append(f"port default vlan {settings.vlan}")
        if settings.trust_dscp:
            lines.append("trust dscp")
        if settings.queueing:
            lines.append(settings.queueing)
        if not settings.poe:
            lines.append("undo poe enable")
        return lines

    @on(ANYWHERE, "display interface brief")
    def brief(self, _: Given) -> str:
        """A line a port."""
        return text(vrp_show.brief(self.switch))

    @on(ANYWHERE, "display interface <port...>")
    def show(self, given: Given) -> str:
        """One port."""
        return text(vrp_show.interface(self.switch, self.port(given)))

    @on(ANYWHERE, "display lldp neighbor brief")
    def lldp(self, _: Given) -> str:
        """Who is heard where."""
        return text(vrp_show.neighbours(self.switch))


def _state(fault: PairFault | None) -> str:
    return "Ok" if fault is None else _PAIR_STATES[fault.state]


def _speed_lines(port: Port, settings: PortSettings) -> list[str]:
    if settings.negotiates:
        limited = settings.speed_mbps is not None
        return [f"auto speed {settings.speed_mbps}"] if limited else []
    lines = ["undo negotiation auto"]
    if settings.speed_mbps != port.nominal_mbps:
        lines.append(f"speed {settings.speed_mbps}")
    if settings.duplex is Duplex.HALF:
        lines.append("duplex half")
    return lines
