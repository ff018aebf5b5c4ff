"""The log of a service: for people in a terminal, one JSON object a line elsewhere.

One event is one line whatever it says: control characters and line ends of names that came from
outside are escaped, so that a device name cannot forge a line or move the cursor.
"""

import json
import logging
import os
import sys
import time
import unicodedata
from typing import TextIO

_QUIET = ("alembic", "uvicorn.access", "uvicorn.error")
"""Libraries whose ordinary words say nothing to an operator."""
_ESCAPED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories that are written out: controls, marks that reorder or hide text, halves of
surrogate pairs (which no UTF-8 stream takes), line and paragraph separators."""


def start_log(*, verbose: bool = False, stream: TextIO | None = None) -> None:
    """Log to ``stream`` (standard error): people's lines on a terminal, JSON otherwise."""
    stream = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(stream)
    as_json = "JOURNAL_STREAM" in os.environ or not stream.isatty()
    handler.setFormatter(JsonLines() if as_json else HumanLines())
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO, handlers=[handler], force=True
    )
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


class JsonLines(logging.Formatter):
    """``{"time", "level", "logger", "message"}``, and ``"exception"`` where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """See :class:`logging.Formatter`. ASCII only, so nothing can move a cursor."""
        body = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info is not None:
            body["exception"] = self.formatException(record.exc_info)
        return json.dumps(body, ensure_ascii=True)


class HumanLines(logging.Formatter):
    """``12:00:01 WARNING logger: message``; a traceback follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """See :class:`logging.Formatter`."""
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        line = f"{clock} {record.levelname:7} {record.name}: {visible(record.getMessage())}"
        if record.exc_info is not None:
            trace = self.formatException(record.exc_info).splitlines()
            line = "\n".join((line, *(f"    {visible(part)}" for part in trace)))
        return line


def visible(text: str) -> str:
    """``text`` with everything that is not a visible character or a space written as an escape."""
    if text.isprintable():
        return text
    return "".join(_escaped(ch) if unicodedata.category(ch) in _ESCAPED else ch for ch in text)


def _escaped(ch: str) -> str:
    return ch.encode("unicode_escape").decode()


def _time(record: logging.LogRecord) -> str:
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{seconds}.{int(record.msecs):03d}Z"
