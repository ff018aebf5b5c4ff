"""Both languages have every sentence, with the same places in it."""

from string import Formatter

import pytest

from controller.enforcement import sentences
from controller.enforcement.sentences import EN, STEPS, ZH, Text, both, say, speed_words
from drivers.cli.dialect import CableState
from tenone.vocabulary.intents import Intent
from tenone.vocabulary.repairs import RepairStep

PAIRS = [
    *((EN[text], ZH[text]) for text in Text),
    *STEPS.values(),
    sentences.PROVED,
    sentences.UNPROVED,
    sentences.NO_PLAN,
    sentences.HELD,
]


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize(("en", "zh"), PAIRS)
def test_the_places_are_the_same(en: str, zh: str) -> None:
    assert places(zh) <= places(en)
    assert places(en) - places(zh) <= {"intent"}
    assert any(ord(letter) > 0x3000 for letter in zh)
    assert all(ord(letter) < 0x3000 for letter in en)


def test_nothing_is_without_words() -> None:
    assert set(EN) == set(ZH) == set(Text)
    assert set(STEPS) == set(RepairStep)
    assert {Intent(one) for one in sentences.INTENTS_ZH} == set(Intent)
    assert {CableState(one) for one in sentences.CABLE_STATES} == set(CableState) - {
        CableState.OK,
        CableState.UNKNOWN,
    }


def test_chinese_has_its_own_words_where_it_needs_them() -> None:
    said = say(Text.NAMES, {"name": "A"}, {"name": "甲"})
    assert said["en"].startswith("A: ")
    assert said["zh"].startswith("甲：")
    begun = both(STEPS[RepairStep.BEGUN], action="a-1", intent="bounce-port")
    assert begun["en"] == "Repair a-1 begins: bounce-port."
    assert "关闭再打开端口" in begun["zh"]


@pytest.mark.parametrize(
    ("mbps", "said"), [(10, "10M"), (999, "999M"), (1000, "1G"), (2500, "2.5G")]
)
def test_speeds(mbps: int, said: str) -> None:
    assert speed_words(mbps) == said
