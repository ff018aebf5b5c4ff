"""Sentences of agents as codes and values: what goes out comes in, and nothing hostile does."""

import json
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenone.vocabulary.sayings import (
    ENGLISH,
    MOST_CLAUSES,
    MOST_VALUE,
    Saying,
    clauses_of,
    joined,
    read_clauses,
    said,
    to_json,
)


def values_of(saying: Saying) -> dict[str, str]:
    fields = [name for _, name, _, _ in Formatter().parse(ENGLISH[saying]) if name]
    return {name: f"<{name}>" for name in fields}


@pytest.mark.parametrize("saying", Saying)
def test_every_clause_travels(saying: Saying) -> None:
    sentence = said(saying, **values_of(saying))
    assert "{" not in sentence
    assert read_clauses(json.loads(to_json(clauses_of(sentence)))) == sentence.clauses


def test_what_has_no_code_stands_word_by_word() -> None:
    whole = joined("core refuses", said(Saying.PERSON), joined(said(Saying.TAKEN), "and more"))
    assert (
        whole
        == "core refuses; a person has to look at the switch now; all lines were taken; and more"
    )
    assert [one.saying for one in clauses_of(whole)] == [
        Saying.WORDS, Saying.PERSON, Saying.TAKEN, Saying.WORDS
    ]  # fmt: skip


def test_what_is_too_long_is_cut() -> None:
    sent = to_json(clauses_of(joined(*["x" * 9999] * 99)))
    assert len(sent) < (MOST_VALUE + 40) * MOST_CLAUSES
    assert len(read_clauses(json.loads(sent))) == MOST_CLAUSES


@pytest.mark.parametrize(
    "value",
    [
        None, {}, "x", 7, [7], [["begins"]], [["begins", {}]], [["begins", {"intent": "x"}]],
        [["nothing-of-ours", {}]], [["taken", {}], ["taken"]], [[["taken"], {}]],
        [["still-good", {"seconds": 5, "looks": "4"}]], [["taken", {}]] * (MOST_CLAUSES + 1),
        [["taken", {str(number): "" for number in range(7)}]],
    ],
)  # fmt: skip
def test_what_is_none_says_nothing(value: object) -> None:
    assert read_clauses(value) == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(list(Saying)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(JSON)
def test_anything_can_be_sent(value: object) -> None:
    for clause in read_clauses(value):
        assert str(clause) is not None
