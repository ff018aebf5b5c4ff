"""The list of acts, code, page and handbook say the same; so do the spellings of who did it."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from controller.trust.acts import ACTOR, ACTS, RESERVED, UNKNOWN_CONSOLE, VERBS
from controller.trust.book import Book
from controller.trust.chain import Told
from controller.trust.entries import Entry
from controller.trust.queries import Filter, found
from dashboards.ops.audit_phrases import ACTORS, NOUNS
from dashboards.ops.audit_phrases import VERBS as VERB_WORDS

ROOT = Path(__file__).resolve().parents[2]
OWN = ROOT / "controller/trust/acts.py"
NO_ACTS = {"key.pem", "people.key", "quarantine.db", "vault.py"}
"""Names of files that look like acts."""
LIKE_AN_ACT = re.compile(r"[a-z]+\.[a-z][a-z0-9-]*")
WRITERS = {
    "Entry", "Untold", "ledgered", "told_or_noted", "told", "noted", "_told", "_note", "_tell",
    "_tell_late", "_refused", "_undone", "_end", "_console",
}  # fmt: skip
"""Calls whose first argument, or ``act``, is an act."""
NO_ACTORS = {"bench", "oidc"}
"""Who made a report of a benchmark; by what means a session was closed."""


@cache
def nodes() -> tuple[tuple[Path, ast.AST], ...]:
    """Calls and texts of the code, read once."""
    return tuple(
        (file, node)
        for folder in ("controller", "tenone/cli")
        for file in (ROOT / folder).rglob("*.py")
        if file != OWN
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call | ast.Constant | ast.keyword)
    )


def literals() -> set[str]:
    """Texts of the code that are or look like acts of a known noun."""
    return {
        node.value
        for _, node in nodes()
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and LIKE_AN_ACT.fullmatch(node.value)
        and node.value.partition(".")[0] in {*VERBS, *NOUNS}
    } - NO_ACTS


def written() -> Iterator[tuple[Path, str]]:
    """Acts where they are written, whatever their noun."""
    for file, node in nodes():
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name not in WRITERS:
            continue
        named = [one.value for one in node.keywords if one.arg == "act"]
        for one in (*named, *node.args[:3]):
            text = one.value if isinstance(one, ast.Constant) else None
            if isinstance(text, str) and LIKE_AN_ACT.fullmatch(text):
                yield file, text


def documented() -> set[str]:
    """Acts in the table of docs/ledger.md; ``.verb`` goes with the noun before it."""
    page = (ROOT / "docs/ledger.md").read_text("utf-8")
    table = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    acts, noun = set(), ""
    for cell in table:
        for text in re.findall(r"`([a-z0-9.-]+)`", cell):
            first, dot, verb = text.partition(".")
            noun = first or noun
            if dot:
                acts.add(f"{noun}.{verb}")
    return acts


def test_each_writer_uses_a_listed_act() -> None:
    several = list(written())
    assert len({act for _, act in several}) > 40
    assert {(file.name, act) for file, act in several if act not in ACTS} == set()
    assert literals() <= ACTS


def test_each_listed_act_is_written_somewhere() -> None:
    assert ACTS - literals() - RESERVED == set()


def test_the_handbook_lists_them_all_and_no_other() -> None:
    assert documented() == ACTS


def test_the_page_has_words_for_them_all() -> None:
    assert {act for act in ACTS if act.partition(".")[0] not in NOUNS} == set()
    assert {act for act in ACTS if act.partition(".")[2] not in VERB_WORDS} == set()
    assert {verb for verb in VERB_WORDS if not any(a.endswith(f".{verb}") for a in ACTS)} == set()


def actors() -> Iterator[str]:
    """Who did it, as literals of the code have it."""
    for _, node in nodes():
        if isinstance(node, ast.keyword) and node.arg in {"actor", "by"}:
            one = node.value
            if isinstance(one, ast.Constant) and isinstance(one.value, str):
                yield one.value
            first = one.values[0] if isinstance(one, ast.JoinedStr) else None
            if isinstance(first, ast.Constant):
                yield f"{first.value!s}x"


def test_who_did_it_has_one_spelling() -> None:
    several = [one for one in actors() if one not in {"", *NO_ACTORS}]
    assert len(several) > 10
    assert {one for one in several if not ACTOR.fullmatch(one)} == set()
    assert "console" not in several


@pytest.mark.parametrize(
    ("actor", "good"),
    [
        ("account:li.ming", True),
        ("console:root", True),
        (UNKNOWN_CONSOLE, True),
        ("machine:agent:no3", True),
        ("system", True),
        ("system:enforcement", True),
        ("code", True),
        ("console", False),
        ("console:", False),
        ("li", False),
        ("", False),
    ],
)
def test_spellings(actor: str, good: bool) -> None:
    assert bool(ACTOR.fullmatch(actor)) is good
    if good:
        assert actor in ACTORS or actor.partition(":")[0] in ACTORS


def test_old_entries_are_found_by_the_one_word(tmp_path: Path) -> None:
    book = Book(tmp_path, city="city", boot="b")
    who = ["console", "console:root", "consoles", "console;x", "account:console", UNKNOWN_CONSOLE]
    book.append([Told(Entry(act="machine.issue", actor=one), 1, 1) for one in who])
    book.close()
    rows = found(tmp_path, Filter(actor="console"), 100)
    assert sorted(row.seq for row in rows) == [2, 3, 7]
    assert [row.seq for row in found(tmp_path, Filter(actor="console:root"), 100)] == [3]
