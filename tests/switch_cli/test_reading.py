"""Sections of a configuration, and lines read back, as far as no vendor matters."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.cli.dialect import Meant, PortSettings
from drivers.cli.errors import UnreadableError
from drivers.cli.reading import (
    Vocabulary,
    meant,
    read_line,
    rule,
    section,
    settings_of,
)

RULES = (
    rule(r"shutdown", enabled="no"),
    rule(r"undo shutdown", enabled="yes"),
    rule(r"speed (\d+)", speed_mbps="@", negotiation="no"),
    rule(r"test"),
)
WORDS = Vocabulary(
    enters=re.compile(r"interface (\S+)"),
    is_typed=lambda port: port.startswith("GE"),
    rules=RULES,
    leaves=frozenset({"quit"}),
    passing=re.compile(r"system-view|try"),
    saves=frozenset({"save"}),
    settles=re.compile(r"commit"),
    reverts="abort",
)
ENDS = frozenset({"#", "end"})
REFUSALS = (re.compile(r"(?m)^Error:.*"),)


def lines_of(answer: str) -> tuple[str, ...]:
    return section(answer, lambda name: name == "GE1", refusals=REFUSALS, ends=ENDS)


# What a description may hold: a line feed ends it on every switch.
within = st.text(st.characters(exclude_characters="\n"), max_size=30)


@given(st.lists(within, max_size=5))
def test_lines_are_cut_at_line_feeds_only(texts: list[str]) -> None:
    said = [f"description {text}" for text in texts]
    answer = "#\ninterface GE1\n" + "".join(f" {line}\n" for line in said) + "#\nend\n"
    assert lines_of(answer) == tuple(line.removesuffix("\r").strip(" ") for line in said)


@given(st.text())
def test_any_answer_is_lines_or_one_sentence(answer: str) -> None:
    try:
        found = lines_of(answer)
    except UnreadableError as error:
        found = (str(error),)
    assert all("\n" not in line for line in found)


def test_text_around_a_section_is_no_part_of_it() -> None:
    answer = "Building...\n\n#\ninterface GE1\n a\n\n b \nend\nrest\n"
    assert lines_of(answer) == ("a", "b")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("", "shows no configuration"),
        ("x\nError: no such port\n", "refuses to show the port: 'Error: no such port'"),
        ("interface GE2\n#\n", "shows another port: 'GE2'"),
        ("interface GE1\n a\nb\n#\n", "has a line outside of it: 'b'"),
        ("interface GE1\n a\n", "has no end"),
        ("interface GE1\n#\ninterface GE1\n#\n", "more than one port"),
        ("interface GE1\n " + "x" * 5000 + "\n#\n", "longer than any known"),
        ("interface GE1\x1b[2J\n#\n", r"shows another port: 'GE1\x1b[2J'"),
    ],
)
def test_what_is_no_section(answer: str, words: str) -> None:
    with pytest.raises(UnreadableError, match=re.escape(words)):
        lines_of(answer)


def test_settings_of_a_section() -> None:
    assert settings_of(("shutdown", "speed 10", "x", "x"), RULES) == PortSettings(
        enabled=False, negotiation=False, speed_mbps=10, other=("x", "x")
    )
    assert settings_of((), RULES, PortSettings(poe=False)) == PortSettings(poe=False)
    assert settings_of(("shutdown", "shutdown"), RULES) == PortSettings(enabled=False)
    with pytest.raises(UnreadableError, match="'speed 10' and 'speed 100'"):
        settings_of(("speed 10", "speed 100"), RULES)


def test_rules_are_read_whole_and_in_ascii() -> None:
    assert read_line(RULES, "speed 10") == (("speed_mbps", "10"), ("negotiation", "no"))
    assert read_line(RULES, "test") == ()
    for line in ("speed \u0661\u0660", "speed 10 ", "speed 10\n", "shutdown x", "SHUTDOWN"):
        assert read_line(RULES, line) is None


@pytest.mark.parametrize(
    ("lines", "read"),
    [
        (
            ["system-view", "interface GE1", "shutdown", "quit", "save"],
            Meant(ports=frozenset({"GE1"}), sets=(("enabled", "no"),), saves=True),
        ),
        (["shutdown"], Meant(strange=("shutdown",))),
        (["interface X1"], Meant(ports=frozenset({"X1"}), strange=("interface X1",))),
        (["interface GE1", "save"], Meant(ports=frozenset({"GE1"}), strange=("save",))),
        (["reboot"], Meant(strange=("reboot",))),
        (["try "], Meant(strange=("try ",))),
        (
            ["interface GE1", "shutdown", "try", "abort"],
            Meant(ports=frozenset({"GE1"}), sets=(("enabled", "no"), ("enabled", "yes"))),
        ),
        (
            ["interface GE1", "shutdown", "commit", "abort"],
            Meant(ports=frozenset({"GE1"}), sets=(("enabled", "no"),)),
        ),
        (
            ["interface GE1", "speed 10", "abort"],
            Meant(
                ports=frozenset({"GE1"}),
                sets=(("speed_mbps", "10"), ("negotiation", "no"), ("negotiation", "yes")),
                strange=("abort",),
            ),
        ),
        (
            ["interface GE1", "quit", "interface GE2", "test"],
            Meant(ports=frozenset({"GE1", "GE2"})),
        ),
    ],
)
def test_lines_read_back(lines: list[str], read: Meant) -> None:
    assert meant(WORDS, lines) == read
