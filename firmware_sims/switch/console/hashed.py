"""What Cisco's IOS, Ruijie's RGOS and ZTE's ZXROS share: ``name>``, ``name#``, show, no."""

from dataclasses import replace
from typing import ClassVar

from firmware_sims.switch.console import ios_show
from firmware_sims.switch.console.grammar import Fault, Given, LineError
from firmware_sims.switch.console.port_shell import MOST_VLAN, PortShell
from firmware_sims.switch.console.shell import on, text
from firmware_sims.switch.model import Port, Switch
from firmware_sims.switch.settings import DEFAULT_VLAN, Config, LinkType, PortSettings

SHOWN = "user enable"
CONFIGURING = "config interface vlan"
_TRIES = 3


class Hashed(PortShell):
    """Views ``user``, ``enable``, ``config``, ``interface``, ``vlan``."""

    falls_back: ClassVar = {"interface": "config", "vlan": "config"}
    more: ClassVar[str] = " --More-- "
    arrows: ClassVar[bool] = False
    shorts: ClassVar[bool] = True
    undo: ClassVar[str] = "no"
    half_refused: ClassVar[str] = "Speed will not be set to 1000 while the duplex is half\n"
    entered: ClassVar[str] = "Enter configuration commands, one per line.  End with CNTL/Z."
    do: ClassVar[bool] = True
    """``do show ...`` works while configuring."""

    def __init__(self, switch: Switch, *, user: str, enable: str) -> None:
        """See :class:`Shell`. Without a second password the login is privileged."""
        super().__init__(switch, user=user, enable=enable)
        if not enable:
            self.view = "enable"

    @property
    def view_prompt(self) -> str:
        """See :class:`Shell`."""
        name = self.switch.name
        ends = {"user": ">", "enable": "#", "config": "(config)#"}
        if self.view == "interface":
            return f"{name}({self.port_view(self.here())})#"
        return name + ends.get(self.view, f"(config-{self.view})#")

    def port_view(self, port: Port) -> str:  # noqa: ARG002 - dialects name the port here
        """What stands in brackets in a port's view."""
        return "config-if"

    def complaint(self, error: LineError, line: str) -> str:
        """See :class:`Shell`."""
        if error.fault is Fault.INCOMPLETE:
            return text(["% Incomplete command.", ""])
        if error.fault is Fault.AMBIGUOUS:
            return text([f'% Ambiguous command:  "{line.strip()}"'])
        caret = " " * (len(self.view_prompt) + error.column) + "^"
        return text([caret, "% Invalid input detected at '^' marker.", ""])

    # Going about

    @on("user", "enable")
    def enable_(self, _: Given) -> str:
        """Ask for the second password, up to three times."""
        if not self.enable:
            self.view = "enable"
            return ""
        return self._ask_enable(_TRIES)

    def _ask_enable(self, tries: int) -> str:
        def answered(answer: str) -> str:
            if answer == self.enable:
                self.view = "enable"
                return ""
            return self._ask_enable(tries - 1) if tries > 1 else self.denied()

        return self.ask("Password: ", answered, hidden=True)

    def denied(self) -> str:
        """What is said to a wrong second password."""
        return text(["% Bad secrets", ""])

    @on("enable", "enable")
    def already(self, _: Given) -> str:
        """Nothing to do."""
        return ""

    @on("enable", "disable")
    def disable(self, _: Given) -> str:
        """Down again."""
        self.view = "user"
        return ""

    @on("enable", "configure terminal")
    def configure(self, _: Given) -> str:
        """Into configuration."""
        self.view = "config"
        return text([self.entered])

    @on(SHOWN + " " + CONFIGURING, "exit")
    def exit(self, _: Given) -> str:
        """One view up, or out."""
        if self.view in {"user", "enable"}:
            self.closed = True
        elif self.view == "config":
            self.view = "enable"
        else:
            self.at, self.view = None, "config"
        return ""

    @on("user enable", "logout", "quit")
    def logout(self, _: Given) -> str:
        """Out."""
        self.closed = True
        return ""

    @on(CONFIGURING, "end")
    def end(self, _: Given) -> str:
        """To the enable view."""
        self.at, self.view = None, "enable"
        return ""

    @on(CONFIGURING, "do <line...>")
    def do_(self, given: Given) -> str:
        """A line of the enable view, where the vendor has that."""
        if not self.do:
            raise LineError(Fault.UNKNOWN, 0)
        before = (self.view, self.at)
        self.view, self.at = "enable", None
        try:
            return self.carry_out(given["line"])
        finally:
            self.view, self.at = before

    @on(SHOWN, "terminal length <n>")
    def terminal_length(self, given: Given) -> str:
        """Lines a page for this session; 0 is no pages."""
        self.paging = given.number("n", 0, 512) > 0
        return ""

    @on(SHOWN, "terminal width <n>")
    def terminal_width(self, given: Given) -> str:
        """Columns; nothing here is folded."""
        given.number("n", 0, 512)
        return ""

    # A port

    @on("interface", "switchport mode <kind>")
    def mode(self, given: Given) -> str:
        """Access or trunk; the access VLAN is kept for when it is one again."""
        kind = given.one_of("kind", "access", "trunk")
        return self.change(link_type=LinkType(kind))

    @on("interface", "no switchport mode")
    def no_mode(self, _: Given) -> str:
        """The default kind."""
        return self.change(link_type=LinkType.ACCESS)

    @on("interface", "switchport access vlan <id>")
    def access_vlan(self, given: Given) -> str:
        """The VLAN of an access port."""
        vlan = given.number("id", 1, MOST_VLAN)
        config = self.config()
        said = ""
        if vlan not in config.vlans:
            said = self.no_such_vlan(vlan)
            self.put(replace(config, vlans=config.vlans | {vlan}))
        return self.change(vlan=vlan) + said

    def no_such_vlan(self, vlan: int) -> str:
        """What is said of a VLAN that is not there; raising refuses it."""
        return text([f"% Access VLAN does not exist. Creating vlan {vlan}"])

    @on("interface", "no switchport access vlan")
    def no_access_vlan(self, _: Given) -> str:
        """VLAN 1 again."""
        return self.change(vlan=DEFAULT_VLAN)

    # Keeping

    @on("enable", "write", "write memory")
    def write(self, _: Given) -> str:
        """What runs becomes what it starts with."""
        self.switch.store.save()
        return self.written

    written: ClassVar[str] = "Building configuration...\n[OK]\n"

    # Showing

    def section(self, port: Port, settings: PortSettings) -> list[str]:
        """The lines of a port's section after its first."""
        raise NotImplementedError

    def interface_lines(self, port: Port, config: Config) -> list[str]:
        """A port's section."""
        lines = self.section(port, config.ports[port.name])
        return [f"interface {port.descr}", *(f" {line}" for line in lines)]

    def whole(self, config: Config) -> list[str]:
        """A whole configuration as this vendor prints it."""
        lines = ["!", f"hostname {config.name}", "!"]
        for vlan in sorted(config.vlans - {DEFAULT_VLAN}):
            lines += [f"vlan {vlan}", "!"]
        for line in config.lines:
            lines += [line, "!"]
        for port in self.switch.sockets:
            lines += [*self.interface_lines(port, config), "!"]
        return [*lines, "end"]

    @on("enable", "show running-config")
    def running(self, _: Given) -> str:
        """What runs."""
        lines = self.whole(self.switch.wiring.running())
        return text(["Building configuration...", "", *lines])

    @on("enable", "show startup-config")
    def startup(self, _: Given) -> str:
        """What it starts with."""
        return text(self.whole(self.switch.store.startup))

    @on("enable", "show running-config interface <port...>")
    def running_port(self, given: Given) -> str:
        """One port's section of what runs."""
        port = self.port(given)
        lines = self.interface_lines(port, self.switch.wiring.running())
        return text(["Building configuration...", "", *lines, "end", ""])

    @on(SHOWN, "show version")
    def version(self, _: Given) -> str:
        """Model and version."""
        return text(self.switch.style.descr.strip().splitlines())

    @on(SHOWN, "show interfaces status")
    def status(self, _: Given) -> str:
        """A line a port."""
        return text(ios_show.status(self.switch))

    @on(SHOWN, "show interfaces <port...>")
    def show(self, given: Given) -> str:
        """One port."""
        return text(ios_show.interface(self.switch, self.port(given)))

    @on(SHOWN, "show lldp neighbors")
    def lldp(self, _: Given) -> str:
        """Who is heard where."""
        return text(ios_show.neighbours(self.switch))
