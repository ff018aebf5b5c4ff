"""Cisco IOS: exact lines, the switch's own timer, sections and cable tests."""

from dataclasses import replace

import pytest

from drivers.cli.dialect import CableState, Line, Pair, PortMode, PortSettings
from drivers.cli.dialects.cisco_ios import ARCHIVE, NO_QOS, CiscoIos
from drivers.cli.errors import CannotError, UnreadableError
from drivers.cli.plans import plan
from tenone.vocabulary.intents import Intent
from tenone.vocabulary.states import Duplex
from tests.switch_cli.names import reported

CISCO = CiscoIos()
PORT = "GigabitEthernet1/0/3"
SLOW = PortSettings(
    negotiation=False, speed_mbps=100, duplex=Duplex.FULL, mode=PortMode.ACCESS, access_vlan=10
)
GOOD = PortSettings(mode=PortMode.ACCESS, access_vlan=10)
INTO = ["configure terminal", f"interface {PORT}"]
SECTION = """Building configuration...

Current configuration : 109 bytes
!
interface GigabitEthernet1/0/3
 description Class 3-2 ! interface GigabitEthernet1/0/4
 switchport access vlan 10
 switchport mode access
 switchport voice vlan 20
 speed 100
 duplex full
 mls qos trust dscp
 priority-queue out
 spanning-tree portfast
end
"""


def texts(lines: tuple[Line, ...]) -> list[str]:
    return [line.text for line in lines]


@pytest.mark.parametrize(
    ("intent", "before", "apply", "undo", "keep"),
    [
        (Intent.RESTORE_NEGOTIATION, SLOW,
         ["speed auto", "duplex auto"], ["speed 100", "duplex full"], True),
        (Intent.RESTORE_NEGOTIATION, replace(SLOW, duplex=None),
         ["speed auto", "duplex auto"], ["speed 100", "duplex auto"], True),
        (Intent.RESTORE_NEGOTIATION, replace(SLOW, speed_mbps=None, duplex=None),
         ["no speed nonegotiate"], ["speed nonegotiate"], True),
        (Intent.BOUNCE_PORT, GOOD, ["shutdown", "no shutdown"], ["no shutdown"], False),
        (Intent.ENABLE_PORT, replace(GOOD, enabled=False), ["no shutdown"], ["shutdown"], True),
        (Intent.CYCLE_POE, GOOD,
         ["power inline never", "power inline auto"], ["power inline auto"], False),
        (Intent.EXAM_PRIORITY, GOOD, ["mls qos trust dscp", "priority-queue out"],
         ["no priority-queue out", "no mls qos trust"], False),
        (Intent.QUARANTINE, GOOD,
         ["switchport access vlan 99"], ["switchport access vlan 10"], True),
        (Intent.QUARANTINE, PortSettings(mode=PortMode.UNSET),
         ["switchport access vlan 99", "switchport mode access"],
         ["no switchport access vlan", "no switchport mode"], True),
        (Intent.RELEASE, replace(GOOD, access_vlan=99),
         ["no switchport access vlan"], ["switchport access vlan 99"], True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("archive", [False, True])
def test_lines(
    intent: Intent,
    before: PortSettings,
    apply: list[str],
    undo: list[str],
    keep: bool,
    archive: bool,
) -> None:
    before = replace(before, other=(ARCHIVE,) if archive else ())
    change = plan(CISCO, intent, "Gi1/0/3", before, quarantine_vlan=99)
    assert change.port == PORT
    assert texts(change.apply) == [*INTO, *apply, "end"]
    confirm = ["configure confirm"] if archive else []
    assert texts(change.undo) == [*INTO, *undo, "end", *confirm]
    assert texts(change.prepare) == (
        ["configure terminal revert timer 5", "end"] if archive else []
    )
    assert texts(change.confirm) == confirm
    assert texts(change.keep) == (["write memory"] if keep else [])
    assert change.revert_seconds == (300.0 if archive else None)


def test_ending_the_timer_matters_when_confirming_and_not_when_undoing() -> None:
    change = plan(CISCO, Intent.BOUNCE_PORT, PORT, replace(GOOD, other=(ARCHIVE,)))
    assert [line.optional for line in change.confirm] == [False]
    assert [line.optional for line in change.undo][-1]
    assert not any(line.optional for line in change.undo[:-1])


def test_the_partner_sees_the_link_go() -> None:
    change = plan(CISCO, Intent.BOUNCE_PORT, PORT, GOOD)
    assert {line.text: line.pause for line in change.apply if line.pause} == {"shutdown": 1.6}


def test_after_a_lost_session_the_timer_is_ended_too() -> None:
    archived = replace(SLOW, other=(ARCHIVE,))
    lines = CISCO.set_port(PORT, archived, replace(GOOD, other=(ARCHIVE,)))
    assert texts(lines)[-2:] == ["end", "configure confirm"]
    assert CISCO.set_port(PORT, archived, archived) == ()


def test_section() -> None:
    read = CISCO.read_port("Gi1/0/3", [SECTION, "archive\n path flash:before\nmls qos\n"])
    assert read == PortSettings(
        negotiation=False,
        speed_mbps=100,
        duplex=Duplex.FULL,
        mode=PortMode.ACCESS,
        access_vlan=10,
        trust=True,
        other=(
            "description Class 3-2 ! interface GigabitEthernet1/0/4",
            "switchport voice vlan 20",
            "spanning-tree portfast",
            ARCHIVE,
        ),
    )


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ("archive\n path flash:before\nmls qos\n", {ARCHIVE}),
        ("archive\nmls qos\n", set()),
        (" path flash:before\nmls qos\n", set()),
        ("archive\r\n path tftp://192.0.2.1/x\r\n", {ARCHIVE, NO_QOS}),
        ("", {NO_QOS}),
        ("% Invalid input detected at '^' marker.\n", set()),
        ("description archive\n path \nmls qos", set()),
    ],
)
def test_what_the_whole_switch_is_set_up_for(about: str, said: set[str]) -> None:
    section = f"interface {PORT}\nend"
    assert set(CISCO.read_port(PORT, [section, about]).other) == said


def test_asks_for_both() -> None:
    section, about = CISCO.show_port("Gi1/0/3")
    assert section.text == f"show running-config interface {PORT}"
    assert about.text == "show running-config | include ^archive|^ path |^mls qos$"
    assert about.optional


@pytest.mark.parametrize(
    ("intent", "line"),
    [
        (Intent.EXAM_PRIORITY, NO_QOS),
        (Intent.EXAM_PRIORITY, "mls qos trust cos"),
        (Intent.EXAM_PRIORITY, "mls qos trust dscp"),
        (Intent.EXAM_PRIORITY, "service-policy output Q"),
        (Intent.RESTORE_NEGOTIATION, "speed auto 10 100"),
        (Intent.CYCLE_POE, "power inline static max 15400"),
        (Intent.QUARANTINE, "switchport voice vlan 20"),
        (Intent.QUARANTINE, "authentication port-control auto"),
        (Intent.QUARANTINE, "switchport mode dynamic desirable"),
    ],
)
def test_hindered(intent: Intent, line: str) -> None:
    before = replace(SLOW if intent is Intent.RESTORE_NEGOTIATION else GOOD, other=(line,))
    with pytest.raises(CannotError, match="a person has to do it"):
        plan(CISCO, intent, PORT, before, quarantine_vlan=99)


@pytest.mark.parametrize(
    ("intent", "line"),
    [
        (Intent.CYCLE_POE, "description power inline static"),
        (Intent.CYCLE_POE, "power inline consumption 7000"),
        (Intent.QUARANTINE, "switchport trunk encapsulation dot1q"),
        (Intent.QUARANTINE, "switchport port-security"),
        (Intent.QUARANTINE, "ip dhcp snooping limit rate 20"),
    ],
)
def test_not_hindered(intent: Intent, line: str) -> None:
    before = replace(GOOD, other=(line,))
    assert plan(CISCO, intent, PORT, before, quarantine_vlan=99).apply


def test_trust_takes_both_lines() -> None:
    half = SECTION.replace(" priority-queue out\n", "")
    read = CISCO.read_port(PORT, [half, "mls qos\n"])
    assert not read.trust
    assert "mls qos trust dscp" in read.other


def test_routed_ports_and_trunks_are_told() -> None:
    routed = CISCO.read_port(PORT, [f"interface {PORT}\n no switchport\nend"])
    trunk = CISCO.read_port(PORT, [f"interface {PORT}\n switchport mode trunk\nend"])
    silent = CISCO.read_port(PORT, [f"interface {PORT}\nend"])
    assert [routed.mode, trunk.mode, silent.mode] == [
        PortMode.ROUTED, PortMode.TRUNK, PortMode.UNSET,
    ]  # fmt: skip
    assert silent == PortSettings(mode=PortMode.UNSET)


def test_an_answer_cut_short_is_no_section() -> None:
    with pytest.raises(UnreadableError, match="no end"):
        CISCO.read_port(PORT, [SECTION[: SECTION.index("speed")]])


def test_save() -> None:
    change = plan(CISCO, Intent.SAVE_CONFIGURATION, "", None)
    assert texts(change.keep) == ["write memory"]
    (ask,) = change.keep[0].asks
    assert ask.answer == ""


def test_cable_lines() -> None:
    change = plan(CISCO, Intent.CABLE_DIAGNOSIS, "Gi1/0/3", GOOD)
    assert texts(change.apply) == [
        f"test cable-diagnostics tdr interface {PORT}",
        f"show cable-diagnostics tdr interface {PORT}",
    ]
    assert change.apply[0].pause == 8.0
    assert CISCO.meant(["test cable-diagnostics tdr interface Vlan1"]).strange


HEAD = """TDR test last run on: March 01 20:12:03
Interface Speed Local pair Pair length        Remote pair Pair status
--------- ----- ---------- ------------------ ----------- --------------------
"""
OK, OPEN, SHORT = CableState.OK, CableState.OPEN, CableState.SHORT


@pytest.mark.parametrize(
    ("table", "pairs"),
    [
        ("""Gi1/0/3   1000M Pair A     41   +/- 10 meters Pair A      Normal
                Pair B     41   +/- 10 meters Pair B      Normal
                Pair C     42   +/- 10 meters Pair C      Terminated
                Pair D     42   +/- 10 meters Pair D      Normal
""", [("A", OK, 41), ("B", OK, 41), ("C", OK, 42), ("D", OK, 42)]),
        ("""Gi1/0/3   auto  Pair A     0    +/- 1  meters N/A         Open
                Pair B     12   +/- 1  meters N/A         Short
                Pair C     N/A                N/A         Not Completed
                Pair D     3    +/- 4  meters N/A         Short/Impedance Mis
""", [("A", OPEN, 0), ("B", SHORT, 12), ("C", CableState.UNKNOWN, None), ("D", SHORT, 3)]),
        ("""Fa0/3     100M  Pair A     5    +/- 4 m       Pair A      Normal
                Pair B     5    +/- 4 m       Pair B      Impedance Mismatch
""", [("A", OK, 5), ("B", CableState.MISMATCH, 5)]),
        ("""Gi0/3     1000  1-2  1    +/- 6  m       N/A                 Pair B  Normal
                3-6  9    +/- 6  m       7    +/- 6  m       Pair A  Open
                4-5  1    +/- 6  m       N/A                 Pair C  Normal
                7-8  1    +/- 6  m       N/A                 Pair D  Fail
""", [("A", OK, 1), ("B", OPEN, 7), ("C", OK, 1), ("D", CableState.UNKNOWN, 1)]),
    ],
)  # fmt: skip
def test_cable_tables(table: str, pairs: list[tuple[str, CableState, float | None]]) -> None:
    read = CISCO.read_cable(["TDR test started on interface Gi1/0/3\n", HEAD + table])
    assert read == tuple(Pair(*each) for each in pairs)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        HEAD,
        "% TDR test was never issued on Gi1/0/3\n",
        HEAD + "Gi1/0/3 1000M Pair A 4 +/- 10 meters Pair A Normal\n" * 2,
    ],
)
def test_cable_without_result(answer: str) -> None:
    with pytest.raises(UnreadableError):
        CISCO.read_cable(["", answer])


def test_reported_names_are_taken() -> None:
    names = reported("cisco")
    assert names
    for name in names:
        typed = CISCO.check_port(name)
        assert CISCO.check_port(typed) == typed
        assert typed[0] == name[0]
