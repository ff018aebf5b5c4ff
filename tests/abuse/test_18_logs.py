"""Abuse case 18: names that forge log lines or drive a terminal; one event is one line."""

import io
import json
import logging
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenone.cli._logs import HumanLines, JsonLines, visible

ROOT = Path(__file__).parents[2]
FOLDERS = ("agents", "controller", "dashboards", "drivers", "tenone")
NAMES = (
    "a\nb", "a\r\nERROR root: forged", "a\rb", "\x1b]0;title\x07", "\x1b[2J\x1b[1;31mred",
    "\x9b31m",
    "\x08\x08\x08", "\x00", "\x0b\x0c", "\x1c\x1d\x1e", "\x85", "\u2028", "\u2029", "\u202eexe.cod",
    "\u2066x\u2069", "\u200e\u200f", "\u061c", "\ufeff", "\u200b", "\ud800", "\udcff", "\U000e0041",
    "%s%n", "{0}", "a\tb", "\x7f", "\u00ad", "a" * 100_000,
)  # fmt: skip
FORMATS = ("%s", "%r", "%.60s", "agent %s: %s")


def lines_of(formatter: logging.Formatter, format_: str, name: str) -> str:
    """What a service writes for one event."""
    stream = io.TextIOWrapper(io.BytesIO(), "utf-8", newline="")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    arguments = (name,) * format_.count("%")
    handler.handle(logging.LogRecord("x", logging.WARNING, "", 1, format_, arguments, None))
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode("utf-8")


@pytest.mark.parametrize("formatter", [JsonLines(), HumanLines()], ids=["json", "terminal"])
@pytest.mark.parametrize("format_", FORMATS)
def test_one_event_is_one_line(formatter: logging.Formatter, format_: str) -> None:
    for name in NAMES:
        written = lines_of(formatter, format_, name)
        assert written.endswith("\n"), ascii(name)
        assert len(written.splitlines()) == 1, ascii(name)
        assert not any(
            unicodedata.category(ch) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for ch in written[:-1]
        )
        if isinstance(formatter, JsonLines):
            assert json.loads(written)["message"] == format_ % ((name,) * format_.count("%"))


@given(st.text(st.characters(exclude_categories=()), max_size=40))
def test_whatever_a_name_is(name: str) -> None:
    for formatter in (JsonLines(), HumanLines()):
        written = lines_of(formatter, "%s", name)
        assert len(written.splitlines()) == 1
        assert written.endswith("\n")
    assert visible(visible(name)) == visible(name)


def test_a_traceback_of_a_name_stays_in_its_event() -> None:
    error = ValueError("a\n2026-01-01 ERROR root: forged\x1b[2J")
    record = logging.LogRecord("x", logging.ERROR, "", 1, "no", (), (type(error), error, None))
    told = JsonLines().format(record)
    assert len(told.splitlines()) == 1
    shown = HumanLines().format(record)
    # Lines of the traceback are indented, so none of them looks like an event.
    assert all(line.startswith("    ") for line in shown.splitlines()[1:])
    assert "\x1b" not in shown


def test_every_log_line_of_the_product_has_a_constant_format() -> None:
    """So no text from outside is ever the format, and every one passes the formatters above."""
    call = re.compile(r"\b_?log(?:ger)?\.(debug|info|warning|error|exception|critical|log)\(\s*")
    constant = re.compile(r'(?:(?:logging\.[A-Z]+|level),\s*)?"(?:[^"\\]|\\[^nrtx])*"\s*[,)"]')
    counted = 0
    bad = []
    for path, text in sources():
        for found in call.finditer(text):
            counted += 1
            if not constant.match(text, found.end()):
                bad.append(f"{path}: {text[found.start() : found.end() + 60]!r}")
    print(f"\nlog lines: {counted}, whose format is not constant {len(bad)}")
    assert bad == []
    assert counted > 100


def sources() -> Iterator[tuple[str, str]]:
    """Every module of the product."""
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            if "node_modules" not in path.parts:
                yield str(path.relative_to(ROOT)), path.read_text()


def test_nobody_sets_up_a_log_of_their_own() -> None:
    own = re.compile(r"logging\.(basicConfig|StreamHandler|FileHandler)\(")
    found = {path for path, text in sources() if own.search(text)}
    assert found == {"tenone/cli/_logs.py", "drivers/cli/child.py"}, "the child is a program"
