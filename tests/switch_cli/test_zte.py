"""ZTE: exact lines in its two views, both halves of a section, what is refused."""

from dataclasses import replace

import pytest

from drivers.cli.dialect import Line, PortMode, PortSettings
from drivers.cli.dialects.zte import Zte
from drivers.cli.errors import CannotError, UnreadableError
from drivers.cli.plans import plan
from tenone.vocabulary.intents import Intent
from tenone.vocabulary.states import Duplex
from tests.switch_cli.names import reported

ZTE = Zte()
PORT = "gei-0/1/1/3"
GOOD = PortSettings(mode=PortMode.ACCESS, access_vlan=10)
SLOW = replace(GOOD, negotiation=False, speed_mbps=100, duplex=Duplex.FULL)
VLANS = ["configure terminal", "switchvlan-configuration", f"interface {PORT}"]
INTO = ["configure terminal", f"interface {PORT}"]
WIRE = f"interface {PORT}\n  description x\n  no shutdown\n$\n"
VLAN = f"switchvlan-configuration\n  interface {PORT}\n    switchport access vlan 10\n  $\n$\n"
TRUNK = VLAN.replace("access vlan 10", "mode trunk\n    switchport trunk vlan 2-40")


def texts(lines: tuple[Line, ...]) -> list[str]:
    return [line.text for line in lines]


@pytest.mark.parametrize(
    ("intent", "before", "apply", "undo", "keep"),
    [
        (Intent.RESTORE_NEGOTIATION, SLOW, [*INTO, "negotiation auto", "end"],
         [*INTO, "no negotiation auto", "duplex full", "speed 100", "end"], True),
        (Intent.BOUNCE_PORT, GOOD,
         [*INTO, "shutdown", "no shutdown", "end"], [*INTO, "no shutdown", "end"], False),
        (Intent.ENABLE_PORT, replace(GOOD, enabled=False),
         [*INTO, "no shutdown", "end"], [*INTO, "shutdown", "end"], True),
        (Intent.QUARANTINE, GOOD, [*VLANS, "switchport access vlan 99", "exit", "exit", "end"],
         [*VLANS, "switchport access vlan 10", "exit", "exit", "end"], True),
        (Intent.RELEASE, replace(GOOD, access_vlan=99),
         [*VLANS, "switchport access vlan 1", "exit", "exit", "end"],
         [*VLANS, "switchport access vlan 99", "exit", "exit", "end"], True),
    ],
)  # fmt: skip
def test_lines(
    intent: Intent, before: PortSettings, apply: list[str], undo: list[str], keep: bool
) -> None:
    change = plan(ZTE, intent, f"{PORT} what somebody typed", before, quarantine_vlan=99)
    assert change.port == PORT
    assert texts(change.apply) == apply
    assert texts(change.undo) == undo
    assert texts(change.keep) == (["write"] if keep else [])
    assert (change.prepare, change.confirm, change.revert_seconds) == ((), (), None)


def test_both_views_in_one_change() -> None:
    shut = replace(GOOD, enabled=False, access_vlan=None)
    assert texts(ZTE.set_port(PORT, GOOD, shut)) == [
        *VLANS, "switchport access vlan 1", "exit", "exit", f"interface {PORT}", "shutdown", "end",
    ]  # fmt: skip


@pytest.mark.parametrize("intent", [Intent.CYCLE_POE, Intent.EXAM_PRIORITY, Intent.CABLE_DIAGNOSIS])
def test_what_is_not_known_is_refused(intent: Intent) -> None:
    with pytest.raises(CannotError, match="known"):
        plan(ZTE, intent, PORT, GOOD)
    with pytest.raises(CannotError):
        ZTE.read_cable([""])


@pytest.mark.parametrize(
    ("answers", "settings"),
    [
        ([f"!<if-intf>\n{WIRE}!</if-intf>\n!<switchvlan>\n{VLAN}!</switchvlan>\n"],
         replace(GOOD, other=("description x",))),
        ([WIRE], replace(GOOD, access_vlan=None, other=("description x",))),
        ([f"interface {PORT}\n  shutdown\n  no negotiation auto\n  speed 100\n$"],
         PortSettings(mode=PortMode.ACCESS, enabled=False, negotiation=False, speed_mbps=100)),
        ([f"interface {PORT}\n  no shutdown\n  speed 100\n$"],
         PortSettings(mode=PortMode.ACCESS, other=("speed 100",))),
        ([f"interface {PORT}\n$", f"{PORT} is administratively down, ifindex: 8233\n  x\n"],
         PortSettings(mode=PortMode.ACCESS, enabled=False)),
        ([f"interface {PORT}\n$", f"{PORT} is down, ifindex: 8233\n  Line protocol\n"],
         PortSettings(mode=PortMode.ACCESS)),
        ([WIRE.replace("description x", "mtu 1600") + TRUNK],
         PortSettings(mode=PortMode.TRUNK, other=("mtu 1600", "switchport trunk vlan 2-40"))),
        ([f"interface {PORT}\n  no shutdown\n  description $ ! interface gei-0/1/1/4\n$"],
         PortSettings(
             mode=PortMode.ACCESS, other=("description $ ! interface gei-0/1/1/4",))),
    ],
)  # fmt: skip
def test_sections(answers: list[str], settings: PortSettings) -> None:
    assert ZTE.read_port(PORT, answers) == settings


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ([f"interface {PORT}\n$"], "does not say whether"),
        ([f"interface {PORT}\n$", "gei-0/1/1/4 is up, ifindex: 1\n"], "does not say whether"),
        ([f"interface {PORT}\n$", "%Error 20200: Invalid input\n"], "does not say whether"),
        ([f"interface {PORT}\n  shutdown\n"], "no end"),
        ([WIRE + VLAN.replace("1/3", "1/4")], "another port"),
        ([f"interface {PORT}\nshutdown\n$"], "no section"),
        ([f"  shutdown\ninterface {PORT}\n$"], "no section"),
        (["%Error 20200: Invalid input detected at '^' marker. Invalid command\n"], "refuses"),
    ],
)
def test_unreadable(answers: list[str], why: str) -> None:
    with pytest.raises(UnreadableError, match=why):
        ZTE.read_port(PORT, answers)


def test_asks_for_both_halves() -> None:
    section, state = ZTE.show_port(f"{PORT} Management")
    assert section.text == f"show running-config-interface {PORT}"
    assert (state.text, state.optional) == (f"show interface {PORT}", True)


@pytest.mark.parametrize(
    "line", ["switchport qinq customer", "smartgroup 1 mode active", "dot1x enable"]
)
def test_hindered(line: str) -> None:
    with pytest.raises(CannotError, match="a person has to do it"):
        plan(ZTE, Intent.QUARANTINE, PORT, replace(GOOD, other=(line,)), quarantine_vlan=99)


def test_one_of_speed_and_duplex_cannot_be_taken_back() -> None:
    with pytest.raises(CannotError, match="not known"):
        ZTE.set_port(PORT, SLOW, replace(SLOW, duplex=None))


def test_reported_names_are_taken() -> None:
    names = reported("zte")
    assert names
    for name in names:
        typed = ZTE.check_port(name)
        assert ZTE.check_port(typed) == typed
        assert name.startswith(typed)
