"""ZTE's ZXROS (ZXR10 5900, 5950): like IOS with a view of its own for VLANs, ``$`` ends a section.

The source is thinner than for the others: configuration seen in public files, not a command
reference; speed, duplex and the cable test are our reading (docs/simulated-switches.md).
"""

from typing import ClassVar

from firmware_sims.switch.cable import PairFault, PairState
from firmware_sims.switch.console import zte_show
from firmware_sims.switch.console.grammar import Fault, Given, LineError
from firmware_sims.switch.console.hashed import CONFIGURING, SHOWN, Hashed
from firmware_sims.switch.console.port_shell import MOST_VLAN
from firmware_sims.switch.console.shell import RefusedError, on, text
from firmware_sims.switch.model import Port
from firmware_sims.switch.settings import DEFAULT_VLAN, Config, LinkType, PortSettings

_PAIR_STATES = {PairState.OPEN: "Open", PairState.SHORT: "Short"}
_PORT_VIEWS = "interface swinterface"


class Zte(Hashed):
    """ZTE's switches: ports have a section each for the wire and for VLANs."""

    falls_back: ClassVar = {
        "interface": "config",
        "vlan": "config",
        "swvlan": "config",
        "swinterface": "swvlan",
    }
    more: ClassVar = " --More--"
    entered: ClassVar = "%Info 20272: Enter configuration commands, one per line. End with CTRL/Z."
    written: ClassVar = "Building configuration...\n..[OK]\n"
    half_refused: ClassVar = "%Error 20405: Half duplex is not supported at this speed.\n"
    test_refused: ClassVar = "%Error 20411: The port does not support VCT.\n"
    do: ClassVar = False

    def port_view(self, port: Port) -> str:
        """See :class:`Hashed`."""
        return f"config-if-{port.descr}"

    @property
    def view_prompt(self) -> str:
        """See :class:`Shell`."""
        if self.view == "swinterface":
            return f"{self.switch.name}(config-swvlan-if-{self.here().descr})#"
        return super().view_prompt

    def complaint(self, error: LineError, line: str) -> str:  # noqa: ARG002 - as Shell has it
        """See :class:`Shell`: numbered errors."""
        caret = " " * (len(self.view_prompt) + error.column) + "^"
        if error.fault is Fault.INCOMPLETE:
            return text(["%Error 20203: Incomplete command"])
        if error.fault is Fault.AMBIGUOUS:
            return text([caret, "%Error 20201: Ambiguous command"])
        number, what = (
            ("20202", "parameter") if error.fault is Fault.WRONG else ("20200", "command")
        )
        return text(
            [caret, f"%Error {number}: Invalid input detected at '^' marker. Invalid {what}"]
        )

    def denied(self) -> str:
        """See :class:`Hashed`."""
        return text(["%Error 20209: No username or bad password"])

    # VLANs have a view of their own

    @on("config", "switchvlan-configuration")
    def switchvlan(self, _: Given) -> str:
        """Into the view of VLANs."""
        self.view = "swvlan"
        return ""

    @on("swvlan", "interface <port...>")
    def switchvlan_port(self, given: Given) -> str:
        """A port as VLANs see it."""
        self.at = self.port(given)
        self.view = "swinterface"
        return ""

    @on("swvlan swinterface user enable " + CONFIGURING, "$", "exit")
    def exit(self, given: Given) -> str:
        """One view up."""
        if self.view == "swinterface":
            self.at, self.view = None, "swvlan"
        elif self.view == "swvlan":
            self.view = "config"
        else:
            return super().exit(given)
        return ""

    @on("swvlan swinterface " + CONFIGURING, "end")
    def end(self, given: Given) -> str:
        """To the enable view."""
        return super().end(given)

    @on("swinterface", "switchport mode <kind>")
    def mode(self, given: Given) -> str:
        """Access, trunk or hybrid."""
        return self.change(link_type=LinkType(given.one_of("kind", *LinkType)))

    @on("swinterface", "switchport access vlan <id>")
    def access_vlan(self, given: Given) -> str:
        """The VLAN of an access port."""
        vlan = given.number("id", 1, MOST_VLAN)
        if self.settings().link_type is not LinkType.ACCESS:
            raise RefusedError("%Error 20715: The port is not in access mode.\n")
        if vlan not in self.config().vlans:
            raise RefusedError(f"%Error 20703: VLAN {vlan} does not exist.\n")
        return self.change(vlan=vlan)

    @on("swinterface", "no switchport access vlan")
    def no_access_vlan(self, given: Given) -> str:
        """VLAN 1 again."""
        return super().no_access_vlan(given)

    # A port

    @on("interface", "negotiation auto")
    def negotiation(self, _: Given) -> str:
        """Negotiate speed and duplex."""
        return self.change(auto=None, speed_mbps=None, duplex=None)

    @on("interface", "no negotiation auto")
    def no_negotiation(self, _: Given) -> str:
        """Force: what is set, or the top rate and full duplex."""
        return self.change(auto=False)

    @on("interface", "trust dscp")
    def trust(self, _: Given) -> str:
        """Take the DSCP of packets for their class."""
        return self.change(trust_dscp=True)

    @on("interface", "no trust dscp")
    def no_trust(self, _: Given) -> str:
        """Do not."""
        return self.change(trust_dscp=False)

    @on("interface", "poe enable")
    def poe_enable(self, _: Given) -> str:
        """Feed what hangs on the port."""
        return self.change(poe=True)

    @on("interface", "poe disable", "no poe enable")
    def no_poe_enable(self, _: Given) -> str:
        """Do not feed it."""
        return self.change(poe=False)

    # Showing

    def section(self, port: Port, settings: PortSettings) -> list[str]:  # noqa: ARG002 - the same for every port
        """See :class:`Hashed`: the wire's half."""
        lines = ["shutdown" if settings.shutdown else "no shutdown"]
        if settings.description:
            lines.insert(0, f"description {settings.description}")
        if settings.auto is False:
            lines.append("no negotiation auto")
        if settings.speed_mbps is not None:
            lines.append(f"speed {settings.speed_mbps}")
        if settings.duplex is not None:
            lines.append(f"duplex {settings.duplex.label}")
        if settings.trust_dscp:
            lines.append("trust dscp")
        if not settings.poe:
            lines.append("poe disable")
        return lines

    def interface_lines(self, port: Port, config: Config) -> list[str]:
        """See :class:`Hashed`."""
        return [*super().interface_lines(port, config), "$"]

    def vlan_section(self, port: Port, config: Config) -> list[str]:
        """The VLANs' half of a port."""
        settings = config.ports[port.name]
        lines = [f"  switchport mode {settings.link_type.value}"]
        if settings.vlan != DEFAULT_VLAN:
            lines.append(f"  switchport access vlan {settings.vlan}")
        return [f" interface {port.descr}", *lines, " $"]

    def switchvlan_lines(self, config: Config) -> list[str]:
        """The section of VLANs."""
        lines = ["switchvlan-configuration"]
        for vlan in sorted(config.vlans - {DEFAULT_VLAN}):
            lines += [f" vlan {vlan}", " $"]
        for port in self.switch.sockets:
            lines += self.vlan_section(port, config)
        return [*lines, "$"]

    def whole(self, config: Config) -> list[str]:
        """See :class:`Hashed`."""
        lines = ["!", f"hostname {config.name}", *config.lines]
        for port in self.switch.sockets:
            lines += ["!", *self.interface_lines(port, config)]
        return [*lines, "!", *self.switchvlan_lines(config), "!", "end"]

    @on("enable", "show running-config switchvlan")
    def running_switchvlan(self, _: Given) -> str:
        """The section of VLANs."""
        return text(self.switchvlan_lines(self.switch.wiring.running()))

    @on("enable", "show running-config-interface <port...>")
    def running_interface(self, given: Given) -> str:
        """Both halves of one port."""
        port, config = self.port(given), self.switch.wiring.running()
        return text(
            [
                "!",
                *self.interface_lines(port, config),
                "!",
                "switchvlan-configuration",
                *self.vlan_section(port, config),
                "$",
                "!",
            ]
        )

    @on(_PORT_VIEWS, "show this")
    def this(self, _: Given) -> str:
        """The section of the view."""
        port, config = self.here(), self.switch.wiring.running()
        if self.view == "swinterface":
            return text(self.vlan_section(port, config))
        return text(self.interface_lines(port, config))

    @on(CONFIGURING + " swvlan swinterface", "show running-config")
    def running_here(self, given: Given) -> str:
        """ZXROS shows from any view."""
        return self.running(given)

    @on(SHOWN, "show interface brief")
    def brief(self, _: Given) -> str:
        """A line a port."""
        return text(zte_show.brief(self.switch))

    @on(SHOWN, "show interface <port...>")
    def show_one(self, given: Given) -> str:
        """One port."""
        return text(zte_show.interface(self.switch, self.port(given)))

    @on("enable", "show vct interface <port...>")
    def cable_test(self, given: Given) -> str:
        """Measure the pairs; the link goes."""
        port = self.port(given)
        self.check_testable(port)
        found, metres = self.tested(port)
        rows = [_pair(pair, fault, metres) for pair, fault in found.items()]
        return text([f"{port.descr} VCT result:", "Pair  Status  Length(m)", *rows])


def _pair(pair: str, fault: PairFault | None, metres: int) -> str:
    length, state = (
        (metres, "Normal") if fault is None else (fault.metres, _PAIR_STATES[fault.state])
    )
    return f"{pair:<5} {state:<7} {length}"
