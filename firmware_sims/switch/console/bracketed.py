"""What Huawei's VRP and H3C's Comware share: ``<name>``, ``[name]``, display, undo, quit."""

from collections.abc import Mapping
from typing import ClassVar

from firmware_sims.switch.cable import PairFault
from firmware_sims.switch.console.grammar import Fault, Given, LineError
from firmware_sims.switch.console.port_shell import PortShell
from firmware_sims.switch.console.shell import on, text
from firmware_sims.switch.model import Port
from firmware_sims.switch.settings import DEFAULT_VLAN, Config, LinkType, PortSettings

ANYWHERE = "user system interface vlan"


class Bracketed(PortShell):
    """Views ``user``, ``system``, ``interface``, ``vlan``."""

    falls_back: ClassVar = {"interface": "system", "vlan": "system"}
    complaint_form: ClassVar[str] = "{}"
    entered: ClassVar[str] = ""
    mark: ClassVar[str] = ""
    """What stands before the name outside the user view."""
    test_question: ClassVar[str]

    @property
    def system_mark(self) -> str:
        """The sign before the name, which VRP8 has."""
        return self.mark

    @property
    def view_prompt(self) -> str:
        """See :class:`Shell`."""
        name = self.switch.name
        if self.view == "user":
            return f"<{name}>"
        mark = self.system_mark
        if self.view == "interface":
            return f"[{mark}{name}-{self.here().descr}]"
        if self.view == "vlan":
            return f"[{mark}{name}-vlan{self.vlan}]"
        return f"[{mark}{name}]"

    def complaint(self, error: LineError, line: str) -> str:  # noqa: ARG002 - as Shell has it
        """See :class:`Shell`: a caret under the word, and what is wrong with it."""
        what = {
            Fault.UNKNOWN: "Unrecognized command found",
            Fault.INCOMPLETE: "Incomplete command found",
            Fault.AMBIGUOUS: "Ambiguous command found",
            Fault.WRONG: "Wrong parameter found",
            Fault.TOO_MANY: "Too many parameters found",
        }[error.fault]
        caret = " " * (len(self.view_prompt) + error.column) + "^"
        return text([caret, self.complaint_form.format(f"{what} at '^' position.")])

    # Going about

    @on("user", "system-view")
    def system_view(self, _: Given) -> str:
        """Into configuration."""
        self.view = "system"
        return f"{self.entered}\n"

    @on(ANYWHERE, "quit", "q")
    def quit(self, _: Given) -> str:
        """One view up, or out."""
        if self.view == "user":
            self.closed = True
        elif self.view == "system":
            self.view = "user"
        else:
            self.at, self.view = None, "system"
        return ""

    @on("system interface vlan", "return")
    def return_(self, _: Given) -> str:
        """To the user view from anywhere."""
        self.at, self.view = None, "user"
        return ""

    @on("user", "screen-length disable", "screen-length <n> temporary")
    def screen_length(self, given: Given) -> str:
        """Lines a page for this session; 0 is no pages."""
        self.paging = bool(given.get("n")) and given.number("n", 0, 512) > 0
        return ""

    # A port

    @on("interface", "port link-type <kind>")
    def link_type(self, given: Given) -> str:
        """Access, trunk or hybrid; a port that changes kind forgets its VLAN."""
        kind = LinkType(given.one_of("kind", *LinkType))
        if kind is self.settings().link_type:
            return ""
        return self.change(link_type=kind, vlan=DEFAULT_VLAN)

    @on("interface", "undo port link-type")
    def undo_link_type(self, _: Given) -> str:
        """The default kind."""
        return self.change(link_type=LinkType.ACCESS, vlan=DEFAULT_VLAN)

    @on("interface", "poe enable")
    def poe_enable(self, _: Given) -> str:
        """Feed what hangs on the port."""
        return self.change(poe=True)

    @on("interface", "undo poe enable")
    def undo_poe_enable(self, _: Given) -> str:
        """Do not feed it."""
        return self.change(poe=False)

    # The cable

    @on("interface", "virtual-cable-test")
    def cable_test(self, _: Given) -> str:
        """Measure the pairs; asks first, as the link goes."""
        port = self.here()
        self.check_testable(port)
        return self.yes_or_no(self.test_question, lambda: self.test_result(*self.tested(port)))

    def test_result(self, found: Mapping[str, PairFault | None], metres: int) -> str:
        """What is printed of a test: see :meth:`PortShell.tested`."""
        raise NotImplementedError

    # Showing

    def section(self, port: Port, settings: PortSettings) -> list[str]:
        """The lines of a port's section after its first."""
        raise NotImplementedError

    def whole(self, config: Config) -> list[str]:
        """A whole configuration as this vendor prints it."""
        lines = ["#", f"sysname {config.name}", "#", *self.vlan_lines(config), *config.lines]
        for port in self.switch.sockets:
            lines += ["#", *self.interface_lines(port, config)]
        return [*lines, "#", "return"]

    def vlan_lines(self, config: Config) -> list[str]:
        """How the VLANs are printed."""
        return [f"vlan batch {' '.join(str(v) for v in sorted(config.vlans) if v != 1)}"]

    def interface_lines(self, port: Port, config: Config) -> list[str]:
        """A port's section."""
        settings = config.ports[port.name]
        return [f"interface {port.descr}", *(f" {s}" for s in self.section(port, settings))]

    @on(ANYWHERE, "display current-configuration")
    def current(self, _: Given) -> str:
        """What runs."""
        return text(self.whole(self.switch.wiring.running()))

    @on(ANYWHERE, "display saved-configuration")
    def saved(self, _: Given) -> str:
        """What it starts with."""
        return text(self.whole(self.switch.store.startup))

    @on(ANYWHERE, "display current-configuration interface <port...>")
    def current_port(self, given: Given) -> str:
        """One port's section of what runs."""
        port = self.port(given)
        return text(["#", *self.interface_lines(port, self.switch.wiring.running()), "#", "return"])

    @on("interface", "display this")
    def this(self, _: Given) -> str:
        """The section of the view, as it runs."""
        running = self.switch.wiring.running()
        return text(["#", *self.interface_lines(self.here(), running), "#", "return"])

    @on("user system", "display this")
    def this_system(self, _: Given) -> str:
        """Nothing of a port."""
        return text(["#", f"sysname {self.switch.name}", "#", "return"])

    @on(ANYWHERE, "display version")
    def version(self, _: Given) -> str:
        """Model and version."""
        return text(self.switch.style.descr.strip().splitlines())
