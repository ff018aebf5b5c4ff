"""Every dialect: line by line, what is printed and what stands before the next line.

Expectations are taken from vendors' manuals and from samples of real output, never from
``drivers/cli``. None of them was seen on real hardware.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sims.switch.console import CommandLine
from firmware_sims.switch.console.line import SHELLS
from firmware_sims.switch.model import Port, Switch
from firmware_sims.switch.settings import Config, PortSettings
from firmware_sims.switch.vendors import Vendor
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.intents import Dialect
from tenone.vocabulary.states import Duplex, OperStatus

VENDORS = {
    Dialect.HUAWEI_VRP5: Vendor.HUAWEI,
    Dialect.HUAWEI_VRP8: Vendor.HUAWEI_CE,
    Dialect.COMWARE: Vendor.H3C,
    Dialect.RUIJIE: Vendor.RUIJIE,
    Dialect.ZTE: Vendor.ZTE,
    Dialect.CISCO_IOS: Vendor.CISCO,
}
UP, DOWN = OperStatus.UP, OperStatus.DOWN


@dataclass
class Seat:
    """Somebody at the console of a switch whose clock we hold."""

    dialect: Dialect
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        vendor = VENDORS[self.dialect]
        self.switch = Switch(name="sw1", vendor=vendor, clock=self.clock, ports=2, uplinks=1)
        self.line = CommandLine(self.switch, self.dialect, user="ann")

    @property
    def port(self) -> Port:
        return self.switch.sockets[0]

    def again(self, user: str = "ann") -> CommandLine:
        """Another session."""
        return CommandLine(self.switch, self.dialect, user=user)

    def type(self, *lines: str) -> str:
        """Type lines; what the last of them printed."""
        printed = ""
        for line in lines:
            printed = self.line.type(line)
        return printed

    def state(self, after: float = 0.0) -> tuple[OperStatus, int, Duplex]:
        self.clock.advance(after)
        self.switch.tick()
        return self.port.oper, self.port.speed_mbps, self.port.duplex

    @property
    def settings(self) -> PortSettings:
        return self.switch.wiring.settings(self.port)


Script = Sequence[tuple[str, str]]
"""Lines, and what must be in what each prints (the prompt is its end)."""

VRP5_PORT = "[sw1-GigabitEthernet0/0/1]"
SCRIPTS: dict[Dialect, list[Script]] = {
    Dialect.HUAWEI_VRP5: [
        [
            ("", "<sw1>"),
            ("system-view", "Enter system view, return user view with Ctrl+Z.\n[sw1]"),
            ("interface g0/0/1", VRP5_PORT),
            ("speed 100", "Error: Please close the auto-negotiation mode first.\n"),
            ("duplex full", "Error: Please close the auto-negotiation mode first.\n"),
            ("undo negotiation auto", VRP5_PORT),
            ("duplex half", "Error: The half-duplex mode conflicts with the speed.\n"),
            ("speed 100", VRP5_PORT),
            ("duplex half", VRP5_PORT),
            ("speed 1000", "Error: The speed conflicts with the half-duplex mode.\n"),
            ("speed 70", " ^\nError: Wrong parameter found at '^' position.\n"),
            ("speed", "Error: Incomplete command found at '^' position.\n"),
            ("s", "Error: Ambiguous command found at '^' position.\n"),
            ("negotiation auto now", "Error: Too many parameters found at '^' position.\n"),
            ("display this", " undo negotiation auto\n speed 100\n duplex half\n port link-type"),
            ("negotiation auto", VRP5_PORT),
            ("display this", "interface GigabitEthernet0/0/1\n port link-type access\n#\nreturn"),
            ("auto speed 100", VRP5_PORT),
            ("display this", " auto speed 100\n"),
            ("undo auto speed", VRP5_PORT),
            ("port default vlan 77", "Error: The VLAN 77 does not exist.\n"),
            ("port default vlan 4095", "Error: Wrong parameter found"),
            ("port default vlan 99", VRP5_PORT),
            ("port link-type trunk", VRP5_PORT),
            ("port default vlan 99", "Error: The port link type is not access"),
            ("undo port link-type", VRP5_PORT),
            ("trust dscp", VRP5_PORT),
            ("qos pq", VRP5_PORT),
            ("undo poe enable", VRP5_PORT),
            ("shutdown", VRP5_PORT),
            ("description to class 3-2", VRP5_PORT),
            (
                "display current-configuration interface GigabitEthernet 0/0/1",
                " description to class 3-2\n shutdown\n port link-type access\n trust dscp\n"
                " qos pq\n undo poe enable\n#\nreturn\n" + VRP5_PORT,
            ),
            ("vlan 77", "[sw1-vlan77]"),
            ("interface gigabitethernet0/0/2", "[sw1-GigabitEthernet0/0/2]"),
            ("port default vlan 77", "[sw1-GigabitEthernet0/0/2]"),
            ("interface GigabitEthernet0/0/9", "Wrong parameter"),
            ("display this", "interface GigabitEthernet0/0/2"),
            ("return", "<sw1>"),
            ("display interface brief", "GigabitEthernet0/0/1        *down down"),
            ("display interface Gi0/0/1", "Speed : 1000,"),
            ("commit", "Error: Unrecognized command found at '^' position."),
            ("quit", ""),
        ],
        [
            ("save", "Are you sure to continue?[Y/N]"),
            ("x", "Are you sure to continue?[Y/N]"),
            ("n", "<sw1>"),
            ("save kept.cfg", "flash:/kept.cfg?[Y/N]"),
            ("y", "Save the configuration successfully.\n<sw1>"),
            ("save kept.txt", "Wrong parameter"),
            ("poe power-off interface g0/0/9", "Wrong parameter"),
            ("poe power-off interface g0/0/1", "<sw1>"),
            ("display version", "S5720"),
        ],
    ],
    Dialect.HUAWEI_VRP8: [
        [
            ("system-view", "[~sw1]"),
            ("interface GE1/0/1", "[~sw1-GE1/0/1]"),
            ("speed 100", "Error: Please close"),
            ("undo negotiation auto", "[*sw1-GE1/0/1]"),
            ("display this", "interface GE1/0/1\n port link-type access\n#"),
            ("display configuration candidate", " undo negotiation auto\n"),
            ("negotiation auto", "[~sw1-GE1/0/1]"),
            ("port default vlan 99", "[*sw1-GE1/0/1]"),
            ("commit label first", "[~sw1-GE1/0/1]"),
            ("display this", "port default vlan 99"),
            ("commit label first", "Error: The label first already exists."),
            ("shutdown", "[*sw1-GE1/0/1]"),
            ("clear configuration candidate", "[~sw1-GE1/0/1]"),
            ("commit trial", "Error: There is no uncommitted configuration to try."),
            ("abort trial", "Error: No trial configuration is running."),
            ("shutdown", "[*sw1-GE1/0/1]"),
            ("commit trial 59", "Wrong parameter"),
            ("return", "[Y(yes)/N(no)/C(cancel)]:"),
            ("maybe", "[Y(yes)/N(no)/C(cancel)]:"),
            ("C", "[*sw1-GE1/0/1]"),
            ("quit", "[*sw1]"),
            ("quit", "[Y(yes)/N(no)/C(cancel)]:"),
            ("Y", "<sw1>"),
            ("display configuration commit list", "2    1000000001     first "),
            ("rollback configuration to label nothing", "Error: The specified commit does"),
            ("rollback configuration to label first", "[Y/N]:"),
            ("Y", "Info: Succeeded in rolling back the configuration.\n<sw1>"),
            ("rollback configuration last 9", "Error: There are not that many commits."),
            ("save", "Continue? [Y/N]:"),
            ("Y", "Info: Save the configuration successfully.\n<sw1>"),
        ],
    ],
    Dialect.COMWARE: [
        [
            ("system-view", "System View: return to User View with Ctrl+Z.\n[sw1]"),
            ("interface GE1/0/1", "[sw1-GigabitEthernet1/0/1]"),
            ("negotiation auto", " ^\n % Unrecognized command found at '^' position.\n"),
            ("speed", " % Incomplete command found at '^' position.\n"),
            ("speed 100", "[sw1-GigabitEthernet1/0/1]"),
            ("duplex half", "[sw1-GigabitEthernet1/0/1]"),
            ("speed 1000", "Half duplex is not supported at this speed."),
            ("speed 17", " % Wrong parameter found at '^' position."),
            ("qos trust dscp", "[sw1-GigabitEthernet1/0/1]"),
            ("qos sp", "[sw1-GigabitEthernet1/0/1]"),
            ("port access vlan 98", "The specified VLAN does not exist."),
            ("port access vlan 99", "[sw1-GigabitEthernet1/0/1]"),
            (
                "display this",
                (
                    "#\ninterface GigabitEthernet1/0/1\n"
                    " port link-mode bridge\n port access vlan 99\n"
                    " speed 100\n duplex half\n qos trust dscp\n qos sp\n#\nreturn\n"
                ),
            ),
            ("undo qos trust", "[sw1"),
            ("undo qos sp", "[sw1"),
            ("undo port access vlan", "[sw1"),
            ("speed auto", "[sw1"),
            ("undo duplex", "[sw1"),
            ("display this", "1/0/1\n port link-mode bridge\n#"),
            ("configuration commit", "No delayed configuration commit is running."),
            ("save kept.cfg", "flash:/kept.cfg. Continue? [Y/N]:"),
            ("y", "Configuration is saved to device successfully."),
            ("save kept.cfg", "Continue? [Y/N]:"),
            ("y", "flash:/kept.cfg exists, overwrite? [Y/N]:"),
            ("n", "[sw1-GigabitEthernet1/0/1]"),
            ("save", "Are you sure? [Y/N]:"),
            ("y", "press the enter key):"),
            ("", "flash:/startup.cfg exists, overwrite? [Y/N]:"),
            ("y", "Saved the current configuration to mainboard device successfully."),
            ("save force", "Saved the current configuration to mainboard device successfully."),
            ("configuration replace file other.cfg", "The file flash:/other.cfg does not exist."),
            ("shutdown", "[sw1-GigabitEthernet1/0/1]"),
            ("configuration replace file kept.cfg", "save current configuration? [Y/N]:"),
            ("n", "Succeeded in replacing current configuration with the file flash:/kept.cfg."),
            ("quit", "<sw1>"),
            ("display interface brief", "GE1/0/2              UP   1G(a)     F(a)   A    1"),
            ("display interface XGE1/0/3", "10Gbps-speed mode, full-duplex mode"),
            ("quit", ""),
        ],
    ],
    Dialect.RUIJIE: [
        [
            ("", "sw1#"),
            ("conf t", "sw1(config)#"),
            ("interface GigabitEthernet 0/1", "sw1(config-if-GigabitEthernet 0/1)#"),
            ("speed 100", "sw1(config-if"),
            ("duplex full", "sw1(config-if"),
            ("switchport access vlan 99", "0/1)#"),
            ("speed 5", "^\n% Invalid input detected at '^' marker.\n"),
            ("speed", "% Incomplete command.\n"),
            ("nonsense", "% Unknown command.\n"),
            ("mls qos trust dscp", "0/1)#"),
            ("do show interfaces status", "Gi0/1                        notconnect   99"),
            ("end", "sw1#"),
            (
                "show running-config interface Gi0/1",
                (
                    "interface GigabitEthernet 0/1\n switchport access vlan 99\n speed 100\n"
                    " duplex full\n mls qos trust dscp\nend\n"
                ),
            ),
            ("write", "[OK]\nsw1#"),
            ("disable", "sw1>"),
            ("show running-config", "% Invalid input detected at '^' marker."),
            ("enable", "sw1#"),
            ("exit", ""),
        ],
    ],
    Dialect.ZTE: [
        [
            ("configure terminal", "%Info 20272: Enter configuration commands"),
            ("interface gei-0/1/1/1", "sw1(config-if-gei-0/1/1/1)#"),
            ("switchport access vlan 99", "%Error 20200: Invalid input detected at '^' marker."),
            ("speed 100", "sw1(config-if-gei-0/1/1/1)#"),
            ("speed 7", "%Error 20202: Invalid input detected at '^' marker. Invalid parameter"),
            ("speed", "%Error 20203: Incomplete command"),
            ("duplex full", "sw1(config-if"),
            ("show this", "interface gei-0/1/1/1\n no shutdown\n speed 100\n duplex full\n$\n"),
            ("negotiation auto", "sw1(config-if"),
            ("show this", "interface gei-0/1/1/1\n no shutdown\n$\n"),
            ("$", "sw1(config)#"),
            ("switchvlan-configuration", "sw1(config-swvlan)#"),
            ("interface gei-0/1/1/1", "sw1(config-swvlan-if-gei-0/1/1/1)#"),
            ("switchport access vlan 98", "VLAN 98 does not exist"),
            ("switchport access vlan 99", "sw1(config-swvlan-if-gei-0/1/1/1)#"),
            ("exit", "sw1(config-swvlan)#"),
            ("exit", "sw1(config)#"),
            ("exit", "sw1#"),
            ("show running-config switchvlan", "  switchport access vlan 99\n $\n"),
            ("show interface brief", "gei-0/1/1/2             electric   Duplex/full  1G    up"),
            ("show running-config-interface gei-0/1/1/1", "switchvlan-configuration\n interface"),
            ("write", "[OK]\nsw1#"),
            ("exit", ""),
        ],
    ],
    Dialect.CISCO_IOS: [
        [
            ("", "sw1#"),
            ("configure terminal", "sw1(config)#"),
            ("int gi1/0/1", "sw1(config-if)#"),
            ("speed 100", "sw1(config-if)#"),
            ("sw", "% Incomplete command."),
            ("s", '% Ambiguous command:  "s"'),
            ("switchport access vlan 55", "% Access VLAN does not exist. Creating vlan 55\n"),
            ("power inline never", "sw1(config-if)#"),
            ("priority-queue out", "sw1(config-if)#"),
            ("mls qos", "sw1(config)#"),
            ("do show running-config interface gi1/0/1", " switchport access vlan 55\n"),
            ("end", "sw1#"),
            (
                "show running-config interface GigabitEthernet1/0/1",
                (
                    "interface GigabitEthernet1/0/1\n switchport access vlan 55\n"
                    " switchport mode access\n speed 100\n"
                    " power inline never\n priority-queue out\n"
                ),
            ),
            ("show interfaces status", "Gi1/0/1                      notconnect   55 "),
            ("copy running-config flash:before", "Destination filename [before]? "),
            ("", "bytes copied"),
            ("copy running-config flash:before", "[before]? "),
            ("", "Do you want to over write? [confirm]"),
            ("", "bytes copied"),
            ("configure replace flash:nothing force", "%Error opening flash:nothing"),
            ("configure replace flash:before", "[no]: "),
            ("Y", "Rollback Done"),
            ("configure replace flash:before force", "Total number of passes: 0\nRollback Done"),
            ("configure confirm", "% No Rollback Confirmed Change pending"),
            ("copy running-config startup-config", "[startup-config]? "),
            ("", "[OK]\nsw1#"),
            ("show cable-diagnostics tdr interface gi1/0/1", "% TDR test was never issued"),
            ("write memory", "Building configuration...\n[OK]\nsw1#"),
            ("exit", ""),
        ],
    ],
}


def scripts() -> Iterator[tuple[Dialect, Script]]:
    for dialect, found in SCRIPTS.items():
        for script in found:
            yield dialect, script


@pytest.mark.parametrize(("dialect", "script"), list(scripts()))
def test_line_by_line(dialect: Dialect, script: Script) -> None:
    seat = Seat(dialect)
    for number, (line, expected) in enumerate(script):
        printed = seat.line.type(line)
        assert expected in printed, (number, line, printed)
        assert seat.line.closed or printed.endswith(seat.line.prompt)
    if not script[-1][1]:
        assert seat.line.closed
        with pytest.raises(ValueError, match="has ended"):
            seat.line.type("")


def test_no_simulator_speaks_linux() -> None:
    switch = Switch(name="sw1", vendor=Vendor.HUAWEI, clock=ManualClock(), ports=1)
    with pytest.raises(ValueError, match="no simulated switch speaks linux"):
        CommandLine(switch, Dialect.LINUX)
    assert set(SHELLS) == set(Dialect) - {Dialect.LINUX}


# What the lines do

FORCE = {
    Dialect.HUAWEI_VRP5: [
        "system-view", "interface GigabitEthernet0/0/1", "undo negotiation auto", "speed 100",
    ],
    Dialect.HUAWEI_VRP8: [
        "system-view", "interface GE1/0/1", "undo negotiation auto", "speed 100", "commit",
    ],
    Dialect.COMWARE: [
        "system-view", "interface GigabitEthernet1/0/1", "speed 100", "duplex full",
    ],
    Dialect.RUIJIE: ["configure terminal", "interface Gi0/1", "speed 100", "duplex full"],
    Dialect.ZTE: ["configure terminal", "interface gei-0/1/1/1", "speed 100", "duplex full"],
    Dialect.CISCO_IOS: ["configure terminal", "interface gi1/0/1", "speed 100", "duplex full"],
}  # fmt: skip
RESTORE = {
    Dialect.HUAWEI_VRP5: ["negotiation auto"],
    Dialect.HUAWEI_VRP8: ["negotiation auto", "commit"],
    Dialect.COMWARE: ["undo speed", "undo duplex"],
    Dialect.RUIJIE: ["speed auto", "duplex auto"],
    Dialect.ZTE: ["negotiation auto"],
    Dialect.CISCO_IOS: ["no speed", "no duplex"],
}
OPEN_AGAIN = {
    Dialect.HUAWEI_VRP5: ["shutdown", "undo shutdown"],
    Dialect.HUAWEI_VRP8: ["shutdown", "commit", "undo shutdown", "commit"],
    Dialect.COMWARE: ["shutdown", "undo shutdown"],
    Dialect.RUIJIE: ["shutdown", "no shutdown"],
    Dialect.ZTE: ["shutdown", "no shutdown"],
    Dialect.CISCO_IOS: ["shutdown", "no shutdown"],
}
CABLE_TEST = {
    Dialect.HUAWEI_VRP5: (["virtual-cable-test", "Y"], "Pair C length: 17meter(s)", "Open"),
    Dialect.HUAWEI_VRP8: (["virtual-cable-test", "Y"], "Pair C length: 17meter(s)", "Open"),
    Dialect.COMWARE: (["virtual-cable-test", "y"], "Pair C: abnormal(open), 17 metre(s)", "normal"),
    Dialect.RUIJIE: (["line-detect"], " C    Open    17", " D    Ok      40"),
    Dialect.ZTE: (["end", "show vct interface gei-0/1/1/1"], "C     Open    17", "Normal  40"),
    Dialect.CISCO_IOS: (
        [
            "end",
            "test cable-diagnostics tdr interface gi1/0/1",
            "show cable-diagnostics tdr interface gi1/0/1",
        ],
        "Pair C     17   +/- 4  meters   N/A         Open",
        "Pair D     40   +/- 4  meters   Pair D      Normal",
    ),
}


@pytest.fixture(params=SHELLS)
def seat(request: pytest.FixtureRequest) -> Seat:
    return Seat(request.param)


def test_force_restore_and_bounce(seat: Seat) -> None:
    seat.type(*FORCE[seat.dialect])
    assert seat.state()[0] is DOWN
    assert seat.state(1.5) == (UP, 100, Duplex.FULL)
    assert not seat.settings.negotiates
    seat.type(*RESTORE[seat.dialect])
    assert seat.state(1.5) == (UP, 1000, Duplex.FULL)
    assert seat.settings == Seat(seat.dialect).settings
    seat.switch.set_wire(seat.port.name, {"stuck": {"speed_mbps": 10, "duplex": "half"}})
    assert seat.state(1.5) == (UP, 10, Duplex.HALF)
    seat.type(*OPEN_AGAIN[seat.dialect])
    assert seat.state(1.5) == (UP, 1000, Duplex.FULL)


def test_the_console_shows_what_faults_did(seat: Seat) -> None:
    show = {Dialect.ZTE: "show interface", Dialect.RUIJIE: "show interfaces"}.get(
        seat.dialect,
        "show interfaces" if seat.dialect is Dialect.CISCO_IOS else "display interface",
    )
    before = seat.type(f"{show} {seat.port.descr}")
    seat.switch.set_port(seat.port.name, {"speed_mbps": 100, "duplex": "half"})
    after = seat.type(f"{show} {seat.port.descr}")
    assert "100" in after
    assert "half" in after.lower()
    assert "half" not in before.lower()
    seat.switch.set_port(seat.port.name, {"admin": "down"})
    assert "administratively" in seat.type(f"{show} {seat.port.descr}").lower()


def test_a_cable_test_says_which_pair_and_takes_the_link(seat: Seat) -> None:
    lines, bad, good = CABLE_TEST[seat.dialect]
    seat.switch.set_wire(seat.port.name, {"pairs": {"C": {"state": "open", "metres": 17}}})
    assert seat.state(2) == (UP, 100, Duplex.FULL)
    seat.type(*FORCE[seat.dialect][:2])
    printed = seat.type(*lines)
    assert bad in printed
    assert good in printed
    assert seat.state()[0] is DOWN
    assert seat.state(3) == (UP, 100, Duplex.FULL)


def test_long_output_comes_in_pages(seat: Seat) -> None:
    whole = "display current-configuration"
    off = "screen-length 0 temporary"
    if seat.dialect in {Dialect.RUIJIE, Dialect.ZTE, Dialect.CISCO_IOS}:
        whole, off = "show running-config", "terminal length 0"
    seat.type(FORCE[seat.dialect][0])
    for vlan in range(200, 220):
        seat.switch.vlans |= {vlan}
    seat.switch.lines = tuple(f"line {number}" for number in range(60))
    seat.line.close()
    seat.line = seat.again()
    first = seat.line.type(whole)
    assert "More" in seat.line.prompt
    paging = [seat.line.paging]
    assert first.count("\n") == 24
    second = seat.line.type(" ")
    third = seat.line.type("")
    assert (second.count("\n"), third.count("\n")) == (24, 1)
    assert not seat.line.type("q").count("line ")
    paging.append(seat.line.paging)
    seat.type(off)
    assert seat.type(whole).count("\n") > 60
    paging.append(seat.line.paging)
    assert paging == [True, False, False]


def test_startup_is_what_was_saved(seat: Seat) -> None:
    save = {
        Dialect.HUAWEI_VRP5: ["return", "save", "y"],
        Dialect.HUAWEI_VRP8: ["return", "save", "y"],
        Dialect.COMWARE: ["save force"],
        Dialect.RUIJIE: ["end", "write"],
        Dialect.ZTE: ["end", "write"],
        Dialect.CISCO_IOS: ["end", "write memory"],
    }[seat.dialect]
    before = seat.switch.store.startup
    seat.type(*FORCE[seat.dialect])
    assert seat.switch.store.startup == before != seat.switch.wiring.running()
    seat.type(*save)
    assert seat.switch.store.startup == seat.switch.wiring.running()
    seat.type("disable") if seat.dialect is Dialect.RUIJIE else None
    seat.switch.reboot(0)
    assert seat.state(2) == (UP, 100, Duplex.FULL)


def test_cut_at_each_line(seat: Seat) -> None:
    """Lines that were taken stay; of a VRP8 candidate nothing stays without its commit."""
    lines = FORCE[seat.dialect]
    for taken in range(len(lines) + 1):
        cut = Seat(seat.dialect)
        cut.type("", *lines[:taken])
        so_far = cut.switch.wiring.running()
        cut.line.close()
        assert cut.line.closed
        cut.line.close()
        assert cut.switch.wiring.running() == so_far
        assert not cut.switch.store.candidates
        if seat.dialect is Dialect.HUAWEI_VRP8:
            assert cut.settings.negotiates == (taken < len(lines))


# Going back by itself


def _running(seat: Seat) -> Config:
    return seat.switch.wiring.running()


def test_a_candidate_is_seen_by_nobody_else_and_merges() -> None:
    seat = Seat(Dialect.HUAWEI_VRP8)
    seat.type("system-view", "interface GE1/0/1", "port default vlan 99")
    assert seat.settings.vlan == 1
    other = seat.again("bob")
    for line in ("system-view", "interface GE1/0/2", "shutdown", "commit"):
        other.type(line)
    seat.switch.set_port("GE1/0/1", {"admin": "down"})
    seat.type("commit")
    running = _running(seat)
    assert running.port("GE1/0/2").shutdown
    assert (running.port("GE1/0/1").vlan, running.port("GE1/0/1").shutdown) == (99, True)


@pytest.mark.parametrize("cut", [False, True])
def test_a_trial_ends_by_its_time(cut: bool) -> None:
    seat = Seat(Dialect.HUAWEI_VRP8)
    before = _running(seat)
    seat.type("system-view", "interface GE1/0/1", "shutdown", "commit trial 60")
    assert seat.settings.shutdown
    if cut:
        seat.line.close()
    seat.state(59.9)
    assert seat.settings.shutdown
    seat.state(0.2)
    assert _running(seat) == before
    assert seat.state(2) == (UP, 1000, Duplex.FULL)


def test_a_trial_is_confirmed_aborted_and_prolonged() -> None:
    seat = Seat(Dialect.HUAWEI_VRP8)
    before = _running(seat)
    seat.type("system-view", "interface GE1/0/1", "shutdown", "commit trial 60")
    assert "ACTIVE" in seat.type("display configuration trial status")
    other = seat.again("bob")
    other.type("system-view")
    assert "A trial of the user ann is running" in other.type("commit")
    seat.type("abort trial")
    assert _running(seat) == before
    seat.type("shutdown", "commit trial 60")
    seat.state(50)
    seat.type("port default vlan 99", "commit trial 60")
    seat.state(50)
    assert seat.settings.vlan == 99
    seat.state(11)
    assert _running(seat) == before
    seat.type("shutdown", "commit trial 60", "commit")
    seat.state(100)
    assert seat.settings.shutdown
    assert "INACTIVE" in seat.type("display configuration trial status")


def test_rollback_to_every_point() -> None:
    seat = Seat(Dialect.HUAWEI_VRP8)
    points = [_running(seat)]
    seat.type("system-view", "interface GE1/0/1")
    for line in ("port default vlan 99", "shutdown", "description x"):
        seat.type(line, "commit")
        points.append(_running(seat))
    seat.type("return")
    numbers = [made.number for made in seat.switch.store.commits]
    for back in (1, 2):
        fresh = Seat(Dialect.HUAWEI_VRP8)
        fresh.type("system-view", "interface GE1/0/1")
        for line in ("port default vlan 99", "shutdown", "description x"):
            fresh.type(line, "commit")
        fresh.type("return", f"rollback configuration last {back}", "Y")
        assert _running(fresh) == points[3 - back]
    for number, point in zip(numbers, points[1:], strict=True):
        seat.type(f"rollback configuration to commit-id {number}", "Y")
        assert _running(seat) == point


@pytest.mark.parametrize("confirmed", [False, True])
@pytest.mark.parametrize(
    ("dialect", "begin", "confirm"),
    [
        (
            Dialect.COMWARE,
            ["system-view", "configuration commit delay 1", "interface GE1/0/1", "shutdown"],
            ["configuration commit"],
        ),
        (
            Dialect.CISCO_IOS,
            ["configure terminal revert timer 1", "interface gi1/0/1", "shutdown"],
            ["end", "configure confirm"],
        ),
    ],
)
def test_delayed_commits_and_revert_timers(
    dialect: Dialect,
    begin: list[str],
    confirm: list[str],
    confirmed: bool,
) -> None:
    seat = Seat(dialect)
    before = _running(seat)
    seat.type(*begin)
    if confirmed:
        seat.type(*confirm)
    seat.line.close()
    seat.state(59)
    assert seat.settings.shutdown
    seat.state(2)
    assert seat.settings.shutdown == confirmed
    assert (_running(seat) == before) != confirmed


def test_replace_with_a_time_and_revert_now() -> None:
    seat = Seat(Dialect.CISCO_IOS)
    seat.type("copy running-config flash:before", "")
    seat.type(*FORCE[Dialect.CISCO_IOS], "end")
    forced = _running(seat)
    seat.type("configure replace flash:before force time 1")
    assert seat.settings.negotiates
    seat.state(61)
    assert _running(seat) == forced
    seat.type("configure replace flash:before force time 1", "configure revert now")
    assert _running(seat) == forced
    seat.type("configure replace flash:before force time 1", "configure confirm")
    seat.state(61)
    assert seat.settings.negotiates


def test_the_second_password() -> None:
    switch = Switch(name="sw1", vendor=Vendor.CISCO, clock=ManualClock(), ports=1)
    line = CommandLine(switch, Dialect.CISCO_IOS, enable="more")
    assert line.greeting == "sw1>"
    assert "% Invalid input" in line.type("configure terminal")
    assert line.type("enable") == "Password: "
    hidden = [line.hidden]
    assert line.type("wrong") == "Password: "
    assert line.type("wrong") == "Password: "
    assert line.type("wrong") == "% Bad secrets\n\nsw1>"
    hidden.append(line.hidden)
    line.type("enable")
    assert line.type("more") == "sw1#"
    assert hidden == [True, False]


WORDS = sorted(
    {
        word
        for found in SCRIPTS.values()
        for script in found
        for line, _ in script
        for word in line.split()
    }
    | {word for lines in FORCE.values() for line in lines for word in line.split()}
)
TYPED = st.lists(
    st.one_of(
        st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join),
        st.sampled_from([line for lines in FORCE.values() for line in lines]),
        st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=12),
    ),
    max_size=25,
)


@given(dialect=st.sampled_from(sorted(SHELLS)), lines=TYPED)
def test_whatever_is_typed_is_answered(dialect: Dialect, lines: list[str]) -> None:
    """No line breaks a session, and after a reset of every setting a link comes up again."""
    seat = Seat(dialect)
    before = seat.switch.wiring.running()
    for line in lines:
        if seat.line.closed:
            seat.line = seat.again()
        printed = seat.line.type(line)
        assert seat.line.closed or printed.endswith(seat.line.prompt)
        seat.state(0.7)
    seat.switch.store.confirm()
    seat.switch.wiring.load(before)
    seat.switch.wiring.feed(seat.port, on=True)
    assert seat.state(10) == (UP, 1000, Duplex.FULL)
