"""Ruijie: exact lines, sections, the cable table."""

from dataclasses import replace

import pytest

from drivers.cli.dialect import CableState, Line, Pair, PortMode, PortSettings
from drivers.cli.dialects.ruijie import Ruijie
from drivers.cli.errors import CannotError, UnreadableError
from drivers.cli.plans import plan
from tenone.vocabulary.intents import Intent
from tenone.vocabulary.states import Duplex
from tests.switch_cli.names import reported

RUIJIE = Ruijie()
PORT = "GigabitEthernet 0/3"
GOOD = PortSettings(mode=PortMode.ACCESS, access_vlan=10)
SLOW = replace(GOOD, negotiation=False, speed_mbps=100, duplex=Duplex.HALF)
INTO = ["configure terminal", f"interface {PORT}"]


def texts(lines: tuple[Line, ...]) -> list[str]:
    return [line.text for line in lines]


@pytest.mark.parametrize(
    ("intent", "before", "apply", "undo", "keep"),
    [
        (Intent.RESTORE_NEGOTIATION, SLOW,
         ["speed auto", "duplex auto"], ["speed 100", "duplex half"], True),
        (Intent.BOUNCE_PORT, GOOD, ["shutdown", "no shutdown"], ["no shutdown"], False),
        (Intent.ENABLE_PORT, replace(GOOD, enabled=False), ["no shutdown"], ["shutdown"], True),
        (Intent.CYCLE_POE, GOOD, ["no poe enable", "poe enable"], ["poe enable"], False),
        (Intent.EXAM_PRIORITY, GOOD, ["mls qos trust dscp"], ["no mls qos trust"], False),
        (Intent.QUARANTINE, GOOD,
         ["switchport access vlan 99"], ["switchport access vlan 10"], True),
        (Intent.RELEASE, replace(GOOD, access_vlan=99),
         ["no switchport access vlan"], ["switchport access vlan 99"], True),
        (Intent.CABLE_DIAGNOSIS, GOOD, ["line-detect"], None, False),
    ],
)  # fmt: skip
def test_lines(
    intent: Intent, before: PortSettings, apply: list[str], undo: list[str] | None, keep: bool
) -> None:
    change = plan(RUIJIE, intent, "Gi0/3", before, quarantine_vlan=99)
    assert texts(change.apply) == [*INTO, *apply, "end"]
    assert texts(change.undo) == ([] if undo is None else [*INTO, *undo, "end"])
    assert texts(change.keep) == (["write"] if keep else [])
    assert (change.prepare, change.confirm, change.revert_seconds) == ((), (), None)


@pytest.mark.parametrize("end", ["", "end\n", "!\n"])
def test_section(end: str) -> None:
    answer = (
        "\nBuilding configuration...\nCurrent configuration : 71 bytes\n\n"
        "interface GigabitEthernet 0/3\n description $x# shutdown\n switchport access vlan 7\n"
        f" no poe enable\n speed 100\n{end}"
    )
    assert RUIJIE.read_port("Gi0/3", [answer]) == PortSettings(
        negotiation=False,
        speed_mbps=100,
        mode=PortMode.ACCESS,
        access_vlan=7,
        poe=False,
        other=("description $x# shutdown",),
    )


@pytest.mark.parametrize(
    ("intent", "line"),
    [
        (Intent.EXAM_PRIORITY, "mls qos trust cos"),
        (Intent.QUARANTINE, "dot1x port-control auto"),
        (Intent.QUARANTINE, "switchport voice vlan 5"),
        (Intent.RESTORE_NEGOTIATION, "port-group 1"),
    ],
)
def test_hindered(intent: Intent, line: str) -> None:
    before = replace(SLOW if intent is Intent.RESTORE_NEGOTIATION else GOOD, other=(line,))
    with pytest.raises(CannotError, match="a person has to do it"):
        plan(RUIJIE, intent, PORT, before, quarantine_vlan=99)


def test_cable_table() -> None:
    table = (
        "Interface : GigabitEthernet 0/3\nstart cable-diagnoses,please wait...\n"
        "cable-daignoses end!this is result:\n4 pairs\npair state   length(meters)\n"
        "---- ------- --------------\n A    Ok      2\n B    Open    17\n C    Short   1\n"
        " D    Cross   --\n"
    )
    answers = ["Enter configuration commands, one per line.  End with CNTL/Z.", "", table, ""]
    assert RUIJIE.read_cable(answers) == (
        Pair("A", CableState.OK, 2.0),
        Pair("B", CableState.OPEN, 17.0),
        Pair("C", CableState.SHORT, 1.0),
        Pair("D", CableState.UNKNOWN, None),
    )


@pytest.mark.parametrize(
    "answers", [[], ["", "% The interface does not support line detection.\n"], ["A Ok 1\nA Ok 2"]]
)
def test_cable_without_result(answers: list[str]) -> None:
    with pytest.raises(UnreadableError):
        RUIJIE.read_cable(answers)


def test_reported_names_are_taken() -> None:
    names = reported("ruijie")
    assert names
    for name in names:
        typed = RUIJIE.check_port(name)
        assert RUIJIE.check_port(typed) == typed
        assert " " in typed
