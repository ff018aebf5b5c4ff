"""Each cause, what would help, and what people are told to carry where."""

import json
from typing import Any

import pytest

from controller.enforcement.diagnosis import LinkFacts, Tried, diagnose, read_cable
from tenone.vocabulary.body import PoeStatus
from tenone.vocabulary.intents import Intent
from tenone.vocabulary.states import Cause

REPAIRED = frozenset({Intent.RESTORE_NEGOTIATION})


def facts(*causes: Cause, **changed: Any) -> LinkFacts:
    values: dict[str, Any] = {
        "name": "Class 3-2",
        "room": "302",
        "switch": "sw3",
        "port": "GE0/0/7",
        "contract_mbps": 1000,
        "speed_mbps": 100,
        "causes": causes,
    }
    return LinkFacts(**(values | changed))


def cable(*pairs: tuple[str, str, float | None]) -> str:
    return json.dumps([{"pair": a, "state": b, "metres": c} for a, b, c in pairs])


OPEN = cable(("A", "ok", 40.0), ("C", "open", 12.0))
C = Cause
I = Intent  # noqa: E741 - a table of them


@pytest.mark.parametrize(
    ("known", "intent", "said"),
    [
        (facts(C.SPEED), I.RESTORE_NEGOTIATION, "Class 3-2: the port runs at 100M instead of 1G"),
        (facts(C.SPEED, negotiates=True), I.BOUNCE_PORT, "close and reopen it once"),
        (facts(C.SPEED, C.DUPLEX), I.RESTORE_NEGOTIATION, "100M"),
        (facts(C.SPEED, fibre=True, contract_mbps=10_000, speed_mbps=1000), None, "1G instead of"),
        (facts(C.SPEED, contract_mbps=2500, speed_mbps=1000), I.RESTORE_NEGOTIATION, "of 2.5G"),
        (facts(C.DUPLEX), I.RESTORE_NEGOTIATION, "half duplex"),
        (facts(C.DUPLEX, negotiates=True), I.BOUNCE_PORT, "got half duplex"),
        (facts(C.CONFIGURATION), I.ENABLE_PORT, "the port is shut; TenOne can open it"),
        (facts(C.LINK_DOWN), None, "See in room 302"),
        (facts(C.LINK_DOWN, fibre=True), None, "fibre patch cord"),
        (facts(C.LINK_DOWN, poe=PoeStatus.DELIVERING), I.CYCLE_POE, "take the power away"),
        (facts(C.LINK_DOWN, poe=PoeStatus.FAULT), I.CYCLE_POE, "take the power away"),
        (facts(C.LINK_DOWN, poe=PoeStatus.SEARCHING), None, "nothing answers"),
        (facts(C.LINK_DOWN, poe=PoeStatus.DISABLED), None, "nothing answers"),
        (facts(C.ERRORS), I.CABLE_DIAGNOSIS, "broken"),
        (facts(C.ERRORS, tried=Tried(cable=OPEN)), None, "pair C of the cable is open at 12 m"),
        (facts(C.CONGESTION), None, "the line is full"),
        (facts(C.LOSS), None, "lost beyond the port"),
        (facts(C.DNS), None, "DNS"),
        (facts(C.ENDPOINT), None, "class board does not answer"),
        (
            facts(C.ENDPOINT, poe=PoeStatus.DELIVERING, board_online=False),
            I.CYCLE_POE,
            "restart it that way",
        ),
        (facts(C.ENDPOINT, poe=PoeStatus.DELIVERING), None, "class board does not answer"),
        (facts(), None, "lost beyond the port"),
        (facts(C.SPEED, tried=Tried(intents=REPAIRED)), I.CABLE_DIAGNOSIS, "measure the cable"),
        (
            facts(C.SPEED, tried=Tried(intents=REPAIRED, cable=OPEN)),
            None,
            (
                "pair C of the cable is open at 12 m from the switch (switch sw3, port GE0/0/7). "
                "Look there first: the first metres are the patch cord at the switch, the last "
                "ones that in room 302"
            ),
        ),
        (
            facts(C.SPEED, tried=Tried(intents=REPAIRED, cable=cable(("B", "short", None)))),
            None,
            "pair B of the cable is shorted: carry",
        ),
        (
            facts(C.SPEED, tried=Tried(intents=REPAIRED, cable=cable(("A", "ok", None)))),
            None,
            "network card",
        ),
        (
            facts(C.SPEED, tried=Tried(intents=REPAIRED | {I.CABLE_DIAGNOSIS})),
            None,
            "Carry a patch cord to room 302 and to switch sw3",
        ),
        (facts(C.SPEED, tried=Tried(intents=REPAIRED, cable="[]")), None, "Carry a patch cord"),
        (
            facts(C.SPEED, room=None, tried=Tried(intents=REPAIRED, cable="x")),
            None,
            "cord to the room",
        ),
        (facts(C.SPEED, fibre=True, tried=Tried(intents=REPAIRED)), None, "fibre patch cord"),
        (
            facts(C.CONFIGURATION, tried=Tried(intents=frozenset({I.ENABLE_PORT}))),
            None,
            "did not last",
        ),
        (
            facts(C.ENDPOINT, tried=Tried(intents=frozenset({I.CYCLE_POE}))),
            None,
            "its program runs",
        ),
        (facts(C.SPEED, tried=Tried(stuck=True)), None, "a person has to look"),
    ],
)
def test_what_would_help(known: LinkFacts, intent: Intent | None, said: str) -> None:
    found = diagnose(known)
    assert found.intent is intent
    assert said in found.sentence["en"]
    assert known.name in found.sentence["zh"]
    assert not found.shadowed
    assert not found.only_propose


@pytest.mark.parametrize(
    ("known", "zh"),
    [
        (facts(C.POWER, C.LINK_DOWN), "供电"),
        (facts(C.UPLINK), "上行链路"),
        (facts(C.SPEED, shadow="its switch does not answer"), "交换机无应答"),
        (facts(C.CONFIGURATION, shadow="trouble above it"), "上级故障"),
        (facts(C.LINK_DOWN, poe=PoeStatus.DELIVERING, shadow="power"), "供电"),
    ],
)
def test_what_lies_behind_other_trouble_is_left_alone(known: LinkFacts, zh: str) -> None:
    found = diagnose(known)
    assert found.shadowed
    assert found.intent is None
    assert zh in found.sentence["zh"]


@pytest.mark.parametrize("why", ["planned work", "the configuration says so", "never seen open"])
def test_a_port_that_may_be_shut_on_purpose_is_only_proposed(why: str) -> None:
    found = diagnose(facts(C.CONFIGURATION, meant=why))
    assert found.intent is I.ENABLE_PORT
    assert found.only_propose
    assert why in found.sentence["en"]
    assert why not in found.sentence["zh"]


def test_what_is_set_so_already_is_met_by_other_means_once() -> None:
    found = diagnose(facts(C.SPEED))
    assert found.otherwise is not None
    assert found.otherwise.intent is I.BOUNCE_PORT
    assert found.otherwise.otherwise is None


@pytest.mark.parametrize(
    ("text", "measured", "pair"),
    [
        ("", False, None),
        ("not JSON", False, None),
        ("{}", False, None),
        ("7", False, None),
        ("[1, null]", False, None),
        (cable(("A", "unknown", None)), False, None),
        (cable(("A", "ok", 3.0), ("B", "ok", 3.0)), True, None),
        (cable(("A", "ok", 3.0), ("B", "crosstalk", 3.5)), True, "B"),
        ('[{"pair": "D", "state": "mismatch", "metres": true}]', True, "D"),
        ("[" * 4096, False, None),
        ('[{"pair": "A", "state": "open", "metres": 1' + "0" * 400 + "}]", False, None),
        (r'[{"pair": "\ud800", "state": "open"}]', False, None),
        ('[{"pair": "A", "state": "open", "metres": NaN}]', False, None),
    ],
)
def test_cable_tests_are_read_with_care(text: str, measured: bool, pair: str | None) -> None:
    said, fault = read_cable(text)
    assert said is measured
    assert (None if fault is None else fault.pair) == pair
    if pair == "D":
        assert fault is not None
        assert fault.metres is None


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_has_its_sentence(cause: Cause) -> None:
    for tried in (Tried(), Tried(intents=REPAIRED), Tried(cable=OPEN)):
        found = diagnose(facts(cause, tried=tried))
        assert found.sentence["en"]
        assert found.sentence["zh"]
