"""What the agent and its child process say to each other: one JSON object a line.

To the child: ``{"id", "do", ...}``; from it ``{"id", "ok": ...}``, ``{"id", "error": {...}}``, and
while lines are typed ``{"id", "line": number}``. Passwords go this way and no other.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from drivers.cli.answers import NoTemplateError
from drivers.cli.console import ConsoleLogin
from drivers.cli.dialect import Ask, Line
from drivers.cli.errors import (
    AccessDeniedError,
    CliError,
    LineRefusedError,
    LoginError,
    SessionLostError,
    UnreadableError,
)
from drivers.cli.hostkeys import HostKeyChangedError, HostKeyError, HostKeyUnknownError
from drivers.cli.manners import Manners
from tenone.trust.masked import Secret

MAX_LINE_BYTES = 64_000_000
"""Many answers of 2 MB, written as JSON."""
_PLAIN: dict[str, type[Exception]] = {
    kind.__name__: kind
    for kind in (
        AccessDeniedError,
        LoginError,
        HostKeyError,
        HostKeyChangedError,
        HostKeyUnknownError,
        NoTemplateError,
        UnreadableError,
    )
}
_NUMBERED: dict[str, type[LineRefusedError | SessionLostError]] = {
    kind.__name__: kind for kind in (LineRefusedError, SessionLostError)
}


def packed(message: Mapping[str, Any]) -> bytes:
    """One line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def unpacked(line: bytes) -> dict[str, Any]:
    """What :func:`packed` made; raises ValueError."""
    message = json.loads(line)
    if not isinstance(message, dict):
        raise ValueError("no object")  # noqa: TRY004 - one error for all that is no message
    return message


def of_lines(lines: Iterable[Line]) -> list[Any]:
    """Lines as JSON."""
    return [
        {**asdict(one), "asks": [[ask.pattern, ask.answer] for ask in one.asks]} for one in lines
    ]


def lines_of(data: Any) -> tuple[Line, ...]:
    """What :func:`of_lines` made."""
    return tuple(Line(**{**one, "asks": tuple(Ask(*ask) for ask in one["asks"])}) for one in data)


def of_manners(manners: Manners) -> dict[str, Any]:
    """Manners as JSON."""
    return {
        "device_type": manners.device_type,
        "prompt": _of_pattern(manners.prompt),
        "refusals": [_of_pattern(one) for one in manners.refusals],
        "quiet": of_lines(manners.quiet),
        "leave": of_lines(manners.leave),
        "raises": manners.raises,
    }


def manners_of(data: Mapping[str, Any]) -> Manners:
    """What :func:`of_manners` made."""
    return Manners(
        device_type=data["device_type"],
        prompt=re.compile(*data["prompt"]),
        refusals=tuple(re.compile(*one) for one in data["refusals"]),
        quiet=lines_of(data["quiet"]),
        leave=lines_of(data["leave"]),
        raises=data["raises"],
    )


def _of_pattern(pattern: re.Pattern[str]) -> list[Any]:
    return [pattern.pattern, pattern.flags & ~re.UNICODE]


def of_login(login: ConsoleLogin, address: str) -> dict[str, Any]:
    """A login as JSON, its passwords with it; ``address`` is where its name was found."""
    return {
        "host": login.host,
        "address": address,
        "port": login.port,
        "username": login.username,
        "password": login.password.use(),
        "enable": None if login.enable is None else login.enable.use(),
        "host_keys": str(login.host_keys),
    }


def secret_of(text: str | None) -> Secret | None:
    """A password masked as soon as it is out of the pipe."""
    return None if text is None else Secret(text)


def of_error(error: Exception) -> dict[str, Any]:
    """An error of this room as JSON."""
    return {
        "kind": type(error).__name__,
        "number": getattr(error, "number", None),
        "sentence": str(error),
    }


def error_of(data: Mapping[str, Any]) -> Exception:
    """What :func:`of_error` made; of a kind not known, a :class:`CliError`."""
    kind, sentence = str(data["kind"]), str(data["sentence"])
    if kind in _NUMBERED:
        return _NUMBERED[kind](int(data["number"]), sentence)
    return _PLAIN.get(kind, CliError)(sentence)
