"""What an agent's word of a configuration becomes."""

import json

import pytest

from controller.configurations.model import Configuration, folded, rules_of, rules_text
from controller.topology.reading import Row

NOW_MS = 1_000
RULE = {"rule": "no-telnet", "severity": "critical", "en": "x.", "zh": "y。", "where": ["a"]}


def word(at_ms: int, found: str | None, accepted: str = "a", **more: str) -> Row:
    return {
        "config_at_ms": at_ms,
        "config_hash": found,
        "config_accepted": accepted if found else None,
        "config_differences": more.get("differences", ""),
        "config_broken": more.get("broken", "[]"),
        "config_error": more.get("error", ""),
    }


def told(*rows: Row) -> Configuration:
    known: Configuration | None = None
    for row in rows:
        known = folded(known, "no1", "core", row, received_ms=NOW_MS)
    assert known is not None
    return known


@pytest.mark.parametrize(
    ("rows", "state"),
    [
        ((word(1, "a"),), "accepted"),
        ((word(1, "a"), word(2, "b")), "drifted"),
        ((word(1, "a"), word(2, "b"), word(3, "b", "b")), "accepted"),
        ((word(1, None, error="silent"),), "unknown"),
        ((word(1, "b"), word(2, None, error="silent")), "drifted"),
    ],
)
def test_states(rows: tuple[Row, ...], state: str) -> None:
    assert told(*rows).state == state


def test_a_failed_attempt_takes_nothing_away_and_says_so() -> None:
    one = told(word(1, "b", differences="@ interface 1\n+ x"), word(2, None, error="silent"))
    assert (one.at_ms, one.fetched_ms, one.error, one.section) == (2, 1, "silent", "interface 1")


def test_a_resend_and_an_older_word_change_nothing() -> None:
    one = told(word(5, "b"), word(5, "c"), word(4, "a"))
    assert (one.hash, one.at_ms) == ("b", 5)


def test_a_clock_that_was_ahead_does_not_silence_a_switch() -> None:
    first = folded(None, "no1", "core", word(2**62, "b"), received_ms=100)
    assert first.at_ms == 100
    assert folded(None, "no1", "core", word(-(2**62), "b"), received_ms=100).at_ms == 0
    later = folded(first, "no1", "core", word(101, "a"), received_ms=102)
    assert (later.hash, later.at_ms) == ("a", 101)


def test_a_hash_is_never_longer_than_its_column() -> None:
    assert told(word(1, "f" * 70_000)).hash == "f" * 64


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        (json.dumps([RULE]), 1),
        ("[]", 0),
        ("{", 0),
        ("7", 0),
        ("[" * 8000, 0),
        (json.dumps([RULE | {"en": "\ud800"}]), 0),
        (json.dumps([RULE | {"en": ""}, RULE | {"where": "a"}, 3, RULE]), 1),
    ],
)
def test_rules_that_are_not_understood_are_left_out(text: str, rules: int) -> None:
    found = rules_of(text)
    assert len(found) == rules
    assert rules_of(rules_text(found)) == found
