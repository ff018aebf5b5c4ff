"""Huawei VRP5: every line written out, sections read, hostile text."""

import os
import re
from functools import partial
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.cli.dialect import CableState, Pair, PortMode, PortSettings
from drivers.cli.dialects.huawei_vrp5 import HuaweiVrp5
from drivers.cli.errors import BadPortError, CannotError, UnreadableError
from drivers.cli.plans import plan
from tenone.vocabulary.intents import Intent
from tenone.vocabulary.states import Duplex
from tests.switch_cli import sections
from tests.switch_cli.hostile import attack_both
from tests.switch_cli.sections import any_settings, vrp

VRP5 = HuaweiVrp5()
PORT = "GigabitEthernet0/0/3"
FOLDER = (
    Path(os.environ.get("TENONE_CAPTURES", Path(__file__).parents[3] / "shared" / "data"))
    / "cli/huawei_vrp/virtual-cable-test"
)
HALF, FULL = Duplex.HALF, Duplex.FULL
FORCED = PortSettings(negotiation=False, speed_mbps=100, duplex=FULL, access_vlan=20)
UNSET = PortSettings(mode=PortMode.UNSET)
Y_N = "[Y/N]:"
ASKED = {"port link-type access", "undo port link-type", "undo poe enable"}
section = partial(sections.section, name=PORT)
ALLOWED = re.compile(
    r"system-view|interface PORT|return|display current-configuration interface PORT|save|"
    r"negotiation auto|undo negotiation auto|(?:undo )?shutdown|undo speed|undo duplex|"
    r"speed (?:10|100|1000|2500|5000|10000)|duplex (?:full|half)|port link-type access|"
    r"port default vlan \d{1,4}|undo port default vlan|undo port link-type|"
    r"(?:undo )?poe enable|trust dscp|undo trust dscp|undo trust|virtual-cable-test|y|"
)


def inside(*lines: str) -> tuple[str, ...]:
    return ("system-view", f"interface {PORT}", *lines, "return")


@pytest.mark.parametrize(
    ("intent", "before", "apply", "undo", "saves"),
    [
        (
            Intent.RESTORE_NEGOTIATION,
            FORCED,
            ("negotiation auto",),
            ("undo negotiation auto", "duplex full", "speed 100"),
            True,
        ),
        (
            Intent.RESTORE_NEGOTIATION,
            PortSettings(negotiation=False),
            ("negotiation auto",),
            ("undo negotiation auto", "undo duplex", "undo speed"),
            True,
        ),
        (
            Intent.RESTORE_NEGOTIATION,
            PortSettings(negotiation=False, speed_mbps=10, duplex=HALF),
            ("negotiation auto",),
            ("undo negotiation auto", "speed 10", "duplex half"),
            True,
        ),
        (
            Intent.BOUNCE_PORT,
            PortSettings(),
            ("shutdown", "undo shutdown"),
            ("undo shutdown",),
            False,
        ),
        (
            Intent.ENABLE_PORT,
            PortSettings(enabled=False),
            ("undo shutdown",),
            ("shutdown",),
            True,
        ),
        (
            Intent.CYCLE_POE,
            PortSettings(),
            ("undo poe enable", "poe enable"),
            ("poe enable",),
            False,
        ),
        (
            Intent.EXAM_PRIORITY,
            PortSettings(),
            ("trust dscp",),
            ("undo trust dscp", "undo trust"),
            False,
        ),
        (
            Intent.QUARANTINE,
            PortSettings(access_vlan=20),
            ("port default vlan 99",),
            ("port default vlan 20",),
            True,
        ),
        (
            Intent.QUARANTINE,
            PortSettings(),
            ("port default vlan 99",),
            ("undo port default vlan",),
            True,
        ),
        (
            Intent.QUARANTINE,
            UNSET,
            ("port link-type access", "port default vlan 99"),
            ("undo port default vlan", "undo port link-type"),
            True,
        ),
        (
            Intent.RELEASE,
            PortSettings(access_vlan=99),
            ("undo port default vlan",),
            ("port default vlan 99",),
            True,
        ),
    ],
)
def test_lines_of_a_change(
    intent: Intent,
    before: PortSettings,
    apply: tuple[str, ...],
    undo: tuple[str, ...],
    saves: bool,
) -> None:
    change = plan(VRP5, intent, "GE0/0/3", before, quarantine_vlan=99)
    assert tuple(line.text for line in change.apply) == inside(*apply)
    assert tuple(line.text for line in change.undo) == inside(*undo)
    assert tuple(line.text for line in change.keep) == (("save",) if saves else ())
    assert (change.prepare, change.confirm, change.revert_seconds) == ((), (), None)


def test_a_port_that_is_bounced_stays_shut_until_the_far_end_has_seen_it() -> None:
    change = plan(VRP5, Intent.BOUNCE_PORT, PORT, PortSettings())
    assert [line.pause > 1.5 for line in change.apply] == [False, False, True, False, False]


@given(any_settings(unset=True, forced_to_nothing=True), st.randoms())
def test_what_is_written_is_read(settings: PortSettings, order: Random) -> None:
    lines = vrp(settings)
    order.shuffle(lines)
    assert VRP5.read_port(PORT, [section(*lines)]) == settings


@pytest.mark.parametrize(
    ("lines", "settings"),
    [
        ((), UNSET),
        (("port link-type access",), PortSettings()),
        (("undo negotiation auto",), PortSettings(negotiation=False, mode=PortMode.UNSET)),
        (
            ("undo negotiation auto", "speed 100", "duplex half"),
            PortSettings(negotiation=False, speed_mbps=100, duplex=HALF, mode=PortMode.UNSET),
        ),
        (
            ("description upstairs shutdown", "shutdown", "port link-type trunk"),
            PortSettings(
                enabled=False, mode=PortMode.TRUNK, other=("description upstairs shutdown",)
            ),
        ),
        (
            ("port link-type access", "port default vlan 20", "undo poe enable", "trust dscp"),
            PortSettings(access_vlan=20, poe=False, trust=True),
        ),
        (
            ("auto speed 10 100", "port hybrid pvid vlan 7", "undo portswitch"),
            PortSettings(
                mode=PortMode.ROUTED, other=("auto speed 10 100", "port hybrid pvid vlan 7")
            ),
        ),
        (("speed 100",), PortSettings(mode=PortMode.UNSET, other=("speed 100",))),
        (
            ("port default vlan 0",),
            PortSettings(mode=PortMode.UNSET, other=("port default vlan 0",)),
        ),
        (
            ("description \x1b[2J\u2028 shutdown\x0c",),
            PortSettings(mode=PortMode.UNSET, other=("description \x1b[2J\u2028 shutdown\x0c",)),
        ),
    ],
)
def test_a_section_is_read(lines: tuple[str, ...], settings: PortSettings) -> None:
    assert VRP5.read_port("GE0/0/3", [section(*lines)]) == settings
    assert VRP5.read_port(PORT, [section(*lines).replace("\n", "\r\n")]) == settings


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("", "shows no configuration"),
        ("Error: Wrong parameter found at '^' position.\n", 'refuses to show the port: "Error: W'),
        (section(name="GigabitEthernet0/0/4"), "shows another port: 'GigabitEthernet0/0/4'"),
        (section(name="GigabitEthernet0/0/3.1"), "shows another port"),
        (section() + section(), "more than one port"),
        (section("shutdown").replace(" shutdown", "shutdown"), "a line outside of it"),
        (section("shutdown").split("\n#\nreturn")[0], "the answer was cut"),
        (section("undo shutdown", "shutdown"), "contradict each other"),
        (section("description " + "x" * 5_000), "longer than any known"),
    ],
)
def test_an_answer_that_is_not_understood_is_told(answer: str, words: str) -> None:
    with pytest.raises(UnreadableError, match=re.escape(words)):
        VRP5.read_port(PORT, [answer])


def test_no_answer_at_all_is_not_understood() -> None:
    with pytest.raises(UnreadableError):
        VRP5.read_port(PORT, [])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (PortSettings(), PortSettings(mode=PortMode.TRUNK)),
        (PortSettings(mode=PortMode.HYBRID), PortSettings()),
        (PortSettings(), PortSettings(mode=PortMode.UNSET, access_vlan=3)),
        (PortSettings(), PortSettings(speed_mbps=100)),
        (PortSettings(), PortSettings(duplex=FULL)),
        (PortSettings(), PortSettings(negotiation=False, duplex=Duplex.UNKNOWN)),
    ],
)
def test_what_this_switch_cannot_be_set_to(before: PortSettings, after: PortSettings) -> None:
    with pytest.raises(CannotError):
        VRP5.set_port(PORT, before, after)


def test_what_is_shown_saved_and_asked() -> None:
    assert [line.text for line in VRP5.show_port("XGE0/0/1")] == [
        "display current-configuration interface XGigabitEthernet0/0/1"
    ]
    assert [line.text for line in VRP5.show_configuration()] == ["display current-configuration"]
    with pytest.raises(BadPortError):
        VRP5.show_port("GE0/0/1 | include x")
    (save,) = VRP5.save()
    for question, answer in (
        ("Are you sure to continue?[Y/N]", "y"),
        ("Are you sure to continue? (y/n)[n]:", "y"),
        ("Continue? [Y/N]:", "y"),
        ("Please input the file name(*.cfg, *.zip) [vrpcfg.zip]:", ""),
        ("flash:/vrpcfg.zip exists, overwrite?[Y/N]:", "y"),
        ("Enter password:", None),
    ):
        found = [ask.answer for ask in save.asks if re.search(ask.pattern, question)]
        assert found == ([] if answer is None else [answer]), question


@pytest.mark.parametrize(
    ("prompt", "is_one"),
    [
        ("<HUAWEI>", True),
        ("text\n<HUAWEI>", True),
        ("text\r\n[HUAWEI-GigabitEthernet0/0/1]", True),
        ("\n[~HUAWEI]", True),
        ("\n[*HUAWEI-10GE1/0/1] ", True),
        ("\n description <HUAWEI>", False),
        ("\n<HUAWEI>display", False),
        ("Continue? [Y/N]:", False),
        ("\n[Y/N]:", False),
    ],
)
def test_prompts(prompt: str, is_one: bool) -> None:
    assert (VRP5.prompt.search(prompt) is not None) == is_one


@pytest.mark.parametrize(
    ("line", "question"),
    [
        (
            "port link-type access",
            "Warning: This command will delete VLANs on this port. Continue?" + Y_N,
        ),
        (
            "undo port link-type",
            "Warning: This command will delete VLANs on this port. Continue?" + Y_N,
        ),
        (
            "undo poe enable",
            "Warning: This operation will power off the PD connected to this port. Continue? "
            + Y_N,
        ),
    ],
)
def test_what_some_series_ask_is_answered(line: str, question: str) -> None:
    quarantined = plan(VRP5, Intent.QUARANTINE, PORT, UNSET, quarantine_vlan=99)
    cycled = plan(VRP5, Intent.CYCLE_POE, PORT, PortSettings())
    typed = [*quarantined.apply, *quarantined.undo, *cycled.apply]
    typed += VRP5.set_port(PORT, PortSettings(), PortSettings(poe=False))
    found = [one for one in typed if one.text == line]
    assert found
    for one in found:
        (ask,) = one.asks
        assert re.search(ask.pattern, question)
        assert ask.answer == "y"
    assert all(not one.asks for one in typed if one.text not in ASKED)


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        ("          ^\nError: Unrecognized command found at '^' position.\n", True),
        ("Error: Please renew the default configurations.\n", True),
        ("Info: Interface GigabitEthernet0/0/1 is not shutdown.\n", False),
        ("Warning: This operation may take a few seconds.\n", False),
        (" description Error: none\n", False),
    ],
)
def test_refusals(answer: str, refused: bool) -> None:
    assert any(pattern.search(answer) for pattern in VRP5.refusals) == refused


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no recorded test in {FOLDER}: TENONE_CAPTURES")
def test_the_recorded_cable_test() -> None:
    (raw,) = FOLDER.glob("*.raw")
    expected = tuple(Pair(name, CableState.OK) for name in "ABCD")
    assert VRP5.read_cable(["", "", raw.read_text(), ""]) == expected


def cable(**pairs: tuple[str, str]) -> str:
    lines = [f"Pair {name} length: {length}" for name, (length, _) in pairs.items()]
    return "\n".join([*lines, *(f"Pair {name} state: {said}" for name, (_, said) in pairs.items())])


def test_faults_of_pairs() -> None:
    answer = cable(
        A=("189meter(s)", "Ok"),
        B=("7.5meter(s)", "Open"),
        C=("12 m", "Short"),
        D=("Unknown", "Crosstalk"),
    )
    assert VRP5.read_cable([answer]) == (
        Pair("A", CableState.OK, 189.0),
        Pair("B", CableState.OPEN, 7.5),
        Pair("C", CableState.SHORT, 12.0),
        Pair("D", CableState.CROSSTALK),
    )


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "Error: The interface does not support the cable test.",
        cable(A=("1m", "Ok"), B=("1m", "Ok")),
        cable(A=("1m", "Ok"), B=("1m", "Ok"), C=("1m", "Ok")) + "\nPair A state: Ok",
        cable(A=("1m", "Ok"), B=("1m", "Ok"), C=("1m", "Ok"), D=("1m", "Ok"))
        + "\nPair A state: Open",
    ],
)
def test_a_cable_test_without_a_result(answer: str) -> None:
    with pytest.raises(UnreadableError):
        VRP5.read_cable([answer])


GOOD = (PORT, "GE0/0/1", "XGE0/0/1", "XGigabitEthernet1/0/2", "Ethernet0/0/47", "MEth0/0/1")


def attack(count: int) -> int:
    return attack_both(
        VRP5,
        PORT,
        GOOD,
        lambda told: [section(f"description {told}", "port link-type access")],
        ALLOWED,
        count=count,
        seed=5,
    )


def test_hostile_text() -> None:
    assert attack(1_000) == 0


@pytest.mark.slow
def test_a_lot_of_hostile_text() -> None:
    assert attack(50_000) == 0
