"""Comware: its own timer around a change, sections, cable tests, hostile text."""

import re
from functools import partial
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.cli.dialect import CableState, Pair, PortMode, PortSettings
from drivers.cli.dialects.comware import Comware
from drivers.cli.errors import CannotError, UnreadableError
from drivers.cli.plans import back, plan
from tenone.vocabulary.intents import Intent
from tenone.vocabulary.states import Duplex
from tests.switch_cli import sections
from tests.switch_cli.hostile import attack_both
from tests.switch_cli.sections import any_settings, comware, texts

COMWARE = Comware()
PORT = "GigabitEthernet1/0/3"
FORCED = PortSettings(negotiation=False, speed_mbps=100, duplex=Duplex.FULL)
section = partial(sections.section, name=PORT)
ALLOWED = re.compile(
    r"system-view|interface PORT|return|quit|display current-configuration interface PORT|"
    r"save force|configuration commit|configuration commit delay 5|"
    r"speed auto|duplex auto|(?:undo )?shutdown|undo speed|undo duplex|"
    r"speed (?:10|100|1000|2500|5000|10000)|duplex (?:full|half)|"
    r"port access vlan \d{1,4}|undo port access vlan|"
    r"(?:undo )?poe enable|qos trust dscp|undo qos trust|virtual-cable-test|y|"
)


@pytest.mark.parametrize(
    ("intent", "before", "forth", "inverse", "saves"),
    [
        (
            Intent.RESTORE_NEGOTIATION,
            FORCED,
            ("speed auto", "duplex auto"),
            ("duplex full", "speed 100"),
            True,
        ),
        (
            Intent.RESTORE_NEGOTIATION,
            PortSettings(negotiation=False, speed_mbps=100),
            ("speed auto", "duplex auto"),
            ("undo duplex", "speed 100"),
            True,
        ),
        (
            Intent.RESTORE_NEGOTIATION,
            PortSettings(negotiation=False, duplex=Duplex.HALF),
            ("speed auto", "duplex auto"),
            ("undo speed", "duplex half"),
            True,
        ),
        (Intent.ENABLE_PORT, PortSettings(enabled=False), ("undo shutdown",), ("shutdown",), True),
        (
            Intent.BOUNCE_PORT,
            PortSettings(),
            ("shutdown", "undo shutdown"),
            ("undo shutdown",),
            False,
        ),
        (
            Intent.CYCLE_POE,
            PortSettings(),
            ("undo poe enable", "poe enable"),
            ("poe enable",),
            False,
        ),
        (Intent.EXAM_PRIORITY, PortSettings(), ("qos trust dscp",), ("undo qos trust",), False),
        (
            Intent.QUARANTINE,
            PortSettings(access_vlan=20),
            ("port access vlan 99",),
            ("port access vlan 20",),
            True,
        ),
        (
            Intent.RELEASE,
            PortSettings(access_vlan=99),
            ("undo port access vlan",),
            ("port access vlan 99",),
            True,
        ),
    ],
)
def test_a_change_stands_between_the_timer_and_its_end(
    intent: Intent,
    before: PortSettings,
    forth: tuple[str, ...],
    inverse: tuple[str, ...],
    saves: bool,
) -> None:
    change = plan(COMWARE, intent, "GE1/0/3", before, quarantine_vlan=99)
    assert texts(change) == (
        ("system-view", "configuration commit delay 5", "return"),
        ("system-view", f"interface {PORT}", *forth, "return"),
        ("system-view", "configuration commit", "return"),
        ("system-view", f"interface {PORT}", *inverse, "quit", "configuration commit", "return"),
        ("save force",) if saves else (),
    )
    assert change.revert_seconds == 300
    groups = (change.prepare, change.confirm, change.undo)
    # Comware 5 has no such timer, and refuses.
    assert [line.text for group in groups for line in group if line.optional] == [
        "configuration commit delay 5",
        "configuration commit",
        "configuration commit",
    ]


def test_after_a_lost_session_the_timer_is_ended_too() -> None:
    assert [line.text for line in back(COMWARE, PORT, PortSettings(), FORCED)] == [
        "system-view",
        f"interface {PORT}",
        "duplex full",
        "speed 100",
        "quit",
        "configuration commit",
        "return",
    ]
    assert back(COMWARE, PORT, FORCED, FORCED) == ()


def test_a_port_is_never_made_routed() -> None:
    read = COMWARE.meant(["system-view", f"interface {PORT}", "port link-mode route", "return"])
    assert read.strange == ("port link-mode route",)


def test_a_cable_is_measured_without_a_timer() -> None:
    change = plan(COMWARE, Intent.CABLE_DIAGNOSIS, PORT, PortSettings())
    apply = ("system-view", f"interface {PORT}", "virtual-cable-test", "return")
    assert texts(change) == ((), apply, (), (), ())


@given(any_settings(unset=False, forced_to_nothing=False), st.randoms())
def test_what_is_written_is_read(settings: PortSettings, order: Random) -> None:
    lines = comware(settings)
    order.shuffle(lines)
    assert COMWARE.read_port(PORT, [section(*lines)]) == settings


@pytest.mark.parametrize(
    ("lines", "settings"),
    [
        ((), PortSettings(poe=False)),
        (("port link-mode bridge", "poe enable"), PortSettings()),
        (("port link-mode route",), PortSettings(mode=PortMode.ROUTED, poe=False)),
        (("port link-type hybrid",), PortSettings(mode=PortMode.HYBRID, poe=False)),
        (
            ("speed 100", "duplex full", "shutdown"),
            PortSettings(
                enabled=False, negotiation=False, speed_mbps=100, duplex=Duplex.FULL, poe=False
            ),
        ),
        (("speed 100",), PortSettings(negotiation=False, speed_mbps=100, poe=False)),
        (
            ("duplex half", "speed auto"),
            PortSettings(negotiation=False, duplex=Duplex.HALF, poe=False),
        ),
        (("speed auto 10 100",), PortSettings(poe=False, other=("speed auto 10 100",))),
        (
            ("port access vlan 20", "qos trust dscp", "stp edged-port"),
            PortSettings(access_vlan=20, trust=True, poe=False, other=("stp edged-port",)),
        ),
    ],
)
def test_a_section_is_read(lines: tuple[str, ...], settings: PortSettings) -> None:
    assert COMWARE.read_port("GE1/0/3", [section(*lines)]) == settings


@pytest.mark.parametrize(
    "answer",
    [
        "                                   ^\n % Wrong parameter found at '^' position.\n",
        section(name="GigabitEthernet1/0/4"),
        section("shutdown", "undo shutdown"),
        "",
    ],
)
def test_an_answer_that_is_not_understood_is_told(answer: str) -> None:
    with pytest.raises(UnreadableError):
        COMWARE.read_port(PORT, [answer])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (PortSettings(), PortSettings(negotiation=False)),
        (PortSettings(), PortSettings(duplex=Duplex.FULL)),
        (PortSettings(), PortSettings(speed_mbps=100)),
        (PortSettings(), PortSettings(mode=PortMode.UNSET)),
        (PortSettings(mode=PortMode.TRUNK), PortSettings()),
    ],
)
def test_what_this_switch_cannot_be_set_to(before: PortSettings, after: PortSettings) -> None:
    with pytest.raises(CannotError):
        COMWARE.set_port(PORT, before, after)


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        (" % Unrecognized command found at '^' position.\n", True),
        ("% Too many parameters found at '^' position.\n", True),
        ("Error: The port is in an aggregation group.\n", True),
        ("The specified VLAN does not exist.\n", True),
        ("%Nov 22 10:00:00:000 2026 H3C IFNET/3/PHY_UPDOWN: Physical state is up.\n", False),
        ("Saved the current configuration to mainboard device successfully.\n", False),
        (" description % Error\n", False),
    ],
)
def test_refusals(answer: str, refused: bool) -> None:
    assert any(pattern.search(answer) for pattern in COMWARE.refusals) == refused


@pytest.mark.parametrize(
    ("answer", "pairs"),
    [
        ("Cable status: normal, 1 metres\nPair skew: -ns\n", (Pair("cable", CableState.OK, 1.0),)),
        (
            "Cable status: abnormal(open), 7 metres\r\nPair Impedance mismatch: yes\r\n",
            (Pair("cable", CableState.OPEN, 7.0),),
        ),
        (
            "Cable status: normal, 3 metre(s)\nPair Impedance mismatch: yes\n",
            (Pair("cable", CableState.MISMATCH, 3.0),),
        ),
        ("Cable status: unknown\n", (Pair("cable", CableState.UNKNOWN),)),
        (
            (
                "Cable status: abnormal(short), 9 metre(s)\nPair skew: - ns\n"
                "Pair A: normal, 12 metre(s)\nPair B: abnormal(short), 9 metre(s)\n"
            ),
            (Pair("A", CableState.OK, 12.0), Pair("B", CableState.SHORT, 9.0)),
        ),
    ],
)
def test_cable_tests(answer: str, pairs: tuple[Pair, ...]) -> None:
    assert COMWARE.read_cable(["", "", answer, ""]) == pairs


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "This port does not support VCT.\n",
        "Cable status: normal\nCable status: abnormal(open), 2 metres\n",
        "Pair A: normal, 1 metres\nPair A: abnormal(open), 1 metres\n",
    ],
)
def test_a_cable_test_without_a_result(answer: str) -> None:
    with pytest.raises(UnreadableError):
        COMWARE.read_cable([answer])


GOOD = (PORT, "GE1/0/1", "XGE1/0/25", "Ten-GigabitEthernet1/1/1", "M-GigabitEthernet0/0/0")


def attack(count: int) -> int:
    return attack_both(
        COMWARE,
        PORT,
        GOOD,
        lambda told: [section(f"description {told}", "poe enable")],
        ALLOWED,
        count=count,
        seed=3,
    )


def test_hostile_text() -> None:
    assert attack(1_000) == 0


@pytest.mark.slow
def test_a_lot_of_hostile_text() -> None:
    assert attack(50_000) == 0
