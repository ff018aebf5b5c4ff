"""Machines, keys and sessions have words in both languages."""

import pytest

from controller.api.problems import Problem
from controller.trust.keys.model import KeyState
from controller.trust.machine_standing import Cut, CutState, Refusal
from controller.trust.people.open_sessions import GONE, OWN
from controller.trust.registry import MachineState
from dashboards.ops import keeping_phrases as k
from dashboards.ops.keeping_words import KeepingWords
from dashboards.ops.language import load
from dashboards.ops.words import Words
from tenone.trust.names import MachineKind

NOW = 1_795_000_000.0
DAY = 86_400


def both() -> list[KeepingWords]:
    return [KeepingWords(Words(language, NOW)) for language in load().values()]


def test_every_state_has_a_word_and_a_mark() -> None:
    assert set(k.STATES) == set(k.MARKS) == set(k.MEANINGS)
    assert set(k.STATES) == {one.value for one in MachineState} | {"late", "absent"}
    assert set(k.KEY_STATES) == set(k.KEY_MARKS) == {one.value for one in KeyState} | {"soon"}
    assert set(k.KINDS) == set(MachineKind)
    assert set(k.CUTS) == set(k.CUT_MARKS) == set(CutState)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (5 * DAY + 60, "in 5 d"), (3 * 3600, "in 3 h"), (61, "in 1 min"), (5, "now"),
        (-30, "30 s ago"), (-2 * DAY, "2 d ago"),
    ],
)  # fmt: skip
def test_when(seconds: float, said: str) -> None:
    english = next(words for words in both() if words.words.language.tag == "en")
    assert english.when(NOW + seconds) == said
    assert english.moment(NOW) == "2026-11-18 19:06"  # the city's clock, UTC+8


def test_the_headline_names_the_worst() -> None:
    counts = dict.fromkeys(k.STATES, 0)
    english = next(words for words in both() if words.words.language.tag == "en")
    assert english.headline(counts) == ("unknown", "No machine is enrolled yet")
    assert english.headline(counts | {"active": 3})[0] == "ok"
    assert english.headline(counts | {"active": 3, "late": 1})[0] == "warn"
    assert english.headline(counts | {"late": 1, "expired": 2})[0] == "crit"


def test_cuts_refusals_and_sentences_in_both_languages() -> None:
    refusal = Refusal(at=NOW, act="machine.renew", code="replay", client="10.0.0.1", machine="m")
    for words in both():
        for state in CutState:
            assert words.cut(Cut(state=state, at=NOW))
            assert words.cut_mark(Cut(state=state))
        assert "10.0.0.1" in words.not_renewed([refusal])
        assert words.not_renewed([])
        assert words.refused_act(refusal)
        for sentence in (GONE, OWN, k.ANEW, k.NEEDS_GRANT, k.BEYOND, k.IN_USE):
            assert words.refusal(Problem(409, sentence)) != words.refusal(Problem(409, "else"))
        assert words.refusal(None) == ""
