"""Huawei VRP8: trials, confirmations, ways back, sections, hostile text."""

import re
from functools import partial
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.cli.dialect import PortMode, PortSettings
from drivers.cli.dialects.huawei_vrp8 import HuaweiVrp8
from drivers.cli.errors import CannotError, UnreadableError
from drivers.cli.plans import back, plan
from tenone.vocabulary.intents import Intent
from tenone.vocabulary.states import Duplex
from tests.switch_cli import sections
from tests.switch_cli.hostile import attack_both
from tests.switch_cli.sections import any_settings, texts, vrp

VRP8 = HuaweiVrp8()
PORT = "GE1/0/3"
FORCED = PortSettings(negotiation=False, speed_mbps=100, duplex=Duplex.FULL)
section = partial(sections.section, name=PORT)
ALLOWED = re.compile(
    r"system-view|interface PORT|return|display current-configuration interface PORT|save|"
    r"commit|commit trial (?:60|300)|abort trial|"
    r"negotiation auto|undo negotiation auto|(?:undo )?shutdown|undo speed|undo duplex|"
    r"speed (?:10|100|1000|2500|5000|10000)|duplex (?:full|half)|"
    r"port default vlan \d{1,4}|undo port default vlan|"
    r"(?:undo )?poe enable|trust dscp|undo trust dscp|undo trust|virtual-cable-test|y|n|c|"
)


@pytest.mark.parametrize(
    ("intent", "before", "forth", "inverse", "saves"),
    [
        (
            Intent.RESTORE_NEGOTIATION,
            FORCED,
            "negotiation auto",
            ("undo negotiation auto", "duplex full", "speed 100"),
            True,
        ),
        (Intent.ENABLE_PORT, PortSettings(enabled=False), "undo shutdown", ("shutdown",), True),
        (
            Intent.EXAM_PRIORITY,
            PortSettings(),
            "trust dscp",
            ("undo trust dscp", "undo trust"),
            False,
        ),
        (
            Intent.QUARANTINE,
            PortSettings(access_vlan=20),
            "port default vlan 99",
            ("port default vlan 20",),
            True,
        ),
        (
            Intent.RELEASE,
            PortSettings(access_vlan=99),
            "undo port default vlan",
            ("port default vlan 99",),
            True,
        ),
    ],
)
def test_a_change_runs_on_trial_until_it_is_confirmed(
    intent: Intent, before: PortSettings, forth: str, inverse: tuple[str, ...], saves: bool
) -> None:
    change = plan(VRP8, intent, PORT, before, quarantine_vlan=99)
    assert texts(change) == (
        (),
        ("system-view", f"interface {PORT}", forth, "commit trial 300", "return"),
        ("system-view", "commit", "return"),
        (
            "system-view",
            "abort trial",
            f"interface {PORT}",
            *inverse,
            "commit",
            "return",
        ),
        ("save",) if saves else (),
    )
    assert change.revert_seconds == 300
    optional = [line.text for line in change.undo if line.optional]
    assert optional == ["system-view", "abort trial", *(one for one in inverse if "trust" in one)]


@pytest.mark.parametrize(
    ("intent", "off", "on"),
    [
        (Intent.BOUNCE_PORT, "shutdown", "undo shutdown"),
        (Intent.CYCLE_POE, "undo poe enable", "poe enable"),
    ],
)
def test_a_port_is_bounced_in_a_trial_that_is_aborted(intent: Intent, off: str, on: str) -> None:
    change = plan(VRP8, intent, PORT, PortSettings())
    assert texts(change) == (
        (),
        ("system-view", f"interface {PORT}", off, "commit trial 60", "abort trial", "return"),
        (),
        ("system-view", "abort trial", f"interface {PORT}", on, "commit", "return"),
        (),
    )
    assert change.revert_seconds == 60
    assert [line.text for line in change.apply if line.pause] == ["commit trial 60"]
    assert [line.text for line in change.apply if line.asks][:-2] == [off] * ("poe" in off)
    assert not any(line.optional for line in change.apply if line.text == "abort trial")


def test_after_a_lost_session_a_trial_is_ended_before_anything_is_set() -> None:
    lines = back(VRP8, PORT, PortSettings(), FORCED)
    assert [line.text for line in lines] == [
        "system-view",
        "abort trial",
        f"interface {PORT}",
        "undo negotiation auto",
        "duplex full",
        "speed 100",
        "commit",
        "return",
    ]
    assert back(VRP8, PORT, FORCED, FORCED) == ()


def test_questions_on_the_way_out() -> None:
    question = (
        "Warning: Uncommitted configurations found. Are you sure to commit them before exiting? "
        "[Y(yes)/N(no)/C(cancel)]:"
    )
    change = plan(VRP8, Intent.RESTORE_NEGOTIATION, PORT, FORCED)
    (stay,) = change.apply[-1].asks
    (forget,) = VRP8.leave[-1].asks
    assert re.search(stay.pattern, question)
    assert re.search(forget.pattern, question)
    assert (stay.answer, forget.answer) == ("c", "n")
    again = "Error: Please choose 'YES', 'NO' or 'CANCEL' first before pressing 'Enter'. [Y/N/C]:"
    assert re.search(stay.pattern, again)
    (abort,) = next(line for line in change.undo if line.text == "abort trial").asks
    assert re.search(abort.pattern, "Warning: It will be rolled back. Continue? [Y/N]:")


@given(any_settings(unset=False, forced_to_nothing=True), st.randoms())
def test_what_is_written_is_read(settings: PortSettings, order: Random) -> None:
    lines = vrp(settings)
    order.shuffle(lines)
    assert VRP8.read_port(PORT, [section(*lines)]) == settings


@pytest.mark.parametrize(
    ("lines", "settings"),
    [
        ((), PortSettings()),
        (("port link-type trunk",), PortSettings(mode=PortMode.TRUNK)),
        (("undo portswitch",), PortSettings(mode=PortMode.ROUTED)),
        (("negotiation disable",), PortSettings(other=("negotiation disable",))),
        (("undo negotiation auto", "speed 10"), PortSettings(negotiation=False, speed_mbps=10)),
    ],
)
def test_a_section_is_read(lines: tuple[str, ...], settings: PortSettings) -> None:
    assert VRP8.read_port(PORT, [section(*lines)]) == settings


def test_either_word_for_a_port_is_the_ports() -> None:
    long = "GigabitEthernet1/0/3"
    assert VRP8.check_port(long) == long
    with pytest.raises(UnreadableError):
        VRP8.read_port(PORT, [section(name="10GE1/0/3")])
    assert VRP8.read_port("XGE1/0/3", [section(name="10GE1/0/3")]) == PortSettings()


def test_another_word_for_no_negotiation_is_left_to_people() -> None:
    before = PortSettings(negotiation=False, other=("negotiation disable",))
    with pytest.raises(CannotError, match="negotiation disable"):
        plan(VRP8, Intent.RESTORE_NEGOTIATION, PORT, before)


def test_a_port_is_not_made_what_it_was_not_said_to_be() -> None:
    with pytest.raises(CannotError):
        VRP8.set_port(PORT, PortSettings(), PortSettings(mode=PortMode.UNSET))


GOOD = (PORT, "10GE1/0/1", "XGE1/0/1", "GigabitEthernet0/1/0", "100GE1/0/1:1", "MEth0/0/0")


def attack(count: int) -> int:
    return attack_both(
        VRP8,
        PORT,
        GOOD,
        lambda told: [section(f"description {told}")],
        ALLOWED,
        count=count,
        seed=8,
    )


def test_hostile_text() -> None:
    assert attack(1_000) == 0


@pytest.mark.slow
def test_a_lot_of_hostile_text() -> None:
    assert attack(50_000) == 0
