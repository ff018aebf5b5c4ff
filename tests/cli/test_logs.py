"""One event is one line, whatever names from outside say."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from tenone.cli._logs import HumanLines, JsonLines, start_log, visible

NASTY = [
    "two\nlines",
    "red \x1b[31m and \x1b]0;title\x07",
    "back\rspace\x08",
    "c1 \x9b31m",
    "bidi \u202e gnp.exe",
    "line\u2028separator",
    "nul \x00",
]


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield root
    root.handlers[:] = before
    root.setLevel(level)


def record(message: str, **extra: object) -> logging.LogRecord:
    return logging.LogRecord("name", logging.WARNING, __file__, 1, message, (), None, **extra)  # type: ignore[arg-type]  # a table


@pytest.mark.parametrize("text", NASTY)
@pytest.mark.parametrize("lines", [JsonLines(), HumanLines()])
def test_no_text_makes_a_second_line_or_moves_the_cursor(
    lines: logging.Formatter, text: str
) -> None:
    line = lines.format(record(text))
    assert len(line.splitlines()) == 1
    assert line.isprintable()


def test_json_says_the_text_exactly() -> None:
    for text in NASTY:
        assert json.loads(JsonLines().format(record(text)))["message"] == text


def test_ordinary_text_stays_as_it_is() -> None:
    assert visible("高一(1)班 ▲ Class 3-1") == "高一(1)班 ▲ Class 3-1"


def test_an_exception_stays_inside_its_event() -> None:
    event = record("failed")

    def fail() -> None:
        raise ValueError("bad\nname")

    try:
        fail()
    except ValueError as error:
        event.exc_info = (ValueError, error, error.__traceback__)
    body = json.loads(JsonLines().format(event))
    assert "ValueError: bad\nname" in body["exception"]
    first, *rest = HumanLines().format(event).splitlines()
    assert first.endswith("failed")
    assert rest
    assert all(line.startswith("    ") for line in rest)


@pytest.mark.parametrize(("terminal", "journal", "as_json"), [
    (True, False, False),
    (True, True, True),
    (False, False, True),
])  # fmt: skip
def test_people_read_lines_machines_read_json(
    root: logging.Logger, monkeypatch: pytest.MonkeyPatch, terminal: bool, journal: bool,
    as_json: bool,
) -> None:  # fmt: skip
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: terminal)
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    if journal:
        monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    start_log(stream=stream)
    root.warning("hello")
    logging.getLogger("alembic").info("not worth a line")
    line = stream.getvalue()
    assert line.count("\n") == 1
    assert line.startswith("{") is as_json
