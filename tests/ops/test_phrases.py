"""The browser's copy of the phrases and tables is held to the server's."""

import re
from pathlib import Path

from dashboards.ops import phrases
from tenone.vocabulary.states import AdminStatus, OperStatus

ISLANDS = Path(phrases.__file__).parent / "static" / "islands"


def test_the_browser_uses_the_messages_it_is_sent_and_no_others() -> None:
    """Literals of the islands that are messages, against what the page embeds."""
    sources = "\n".join(path.read_text(encoding="utf-8") for path in ISLANDS.glob("*.js"))
    asked = set(re.findall(r'\bt\(\s*"([^"]+)"', sources))
    assert asked, "no message found: the pattern is wrong"
    assert asked <= set(phrases.CLIENT_MESSAGES)
    literals = set(re.findall(r'"([^"\n]*)"', sources))
    assert set(phrases.CLIENT_MESSAGES) - literals - {"negotiated", "probed", "tested"} == set()


def test_the_browser_knows_every_cause_by_the_same_words() -> None:
    source = (ISLANDS / "words.js").read_text(encoding="utf-8")
    table = source.split("const CAUSES = {")[1].split("};")[0]
    found = dict(re.findall(r'"([^"]+)": "([^"]+)"', table))
    assert found == {cause.label: text for cause, text in phrases.CAUSES.items()}


def test_the_browser_knows_every_refusal_by_the_same_words() -> None:
    source = (ISLANDS / "detail.js").read_text(encoding="utf-8")
    table = source.split("const REFUSALS = {")[1].split("};")[0]
    assert dict(re.findall(r'"([^"]+)": "([^"]+)"', table)) == phrases.POLL_REFUSALS


def test_every_port_state_has_its_words() -> None:
    assert set(phrases.OPER) == {state.label for state in OperStatus}
    assert set(phrases.ADMIN) == {state.label for state in AdminStatus}
