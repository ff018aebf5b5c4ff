import string

import pytest

from controller.evidence.day import CAUSES
from dashboards.reports.words import WORDS, Lang, cause, say
from tenone.vocabulary.states import Tier


@pytest.mark.parametrize("key", WORDS)
def test_every_word_is_there_in_both_languages(key: str) -> None:
    zh, en = WORDS[key]
    assert zh
    assert en
    fields = [{f for _, f, _, _ in string.Formatter().parse(text) if f} for text in (zh, en)]
    assert fields[0] == fields[1]


@pytest.mark.parametrize("lang", Lang)
def test_every_cause_and_tier_has_a_name(lang: Lang) -> None:
    for one in CAUSES:
        assert cause(one.label, lang)
    for tier in Tier:
        assert say(tier.value, lang)
