"""Control lines: one JSON object a line in, one a line out, while a simulator runs."""

import json
from collections.abc import Callable, Mapping


class CommandError(ValueError):
    """A command, or a file of them, that cannot be carried out; one sentence says why."""


Handler = Callable[[Mapping[str, object]], None]
"""Carries out one command; raises ValueError with one sentence when it cannot."""


def answer(line: bytes, handle: Handler) -> str:
    """Carry out one line and say how it went: ``{"ok": true}`` or the reason why not."""
    try:
        command = json.loads(line)
    except ValueError as error:
        return _refusal(f"this line is not JSON: {error}")
    if not isinstance(command, dict):
        return _refusal('a command is a JSON object, such as {"switch": "sw1", "silent": true}')
    try:
        handle(command)
    except ValueError as error:
        return _refusal(str(error))
    return json.dumps({"ok": True})


def _refusal(reason: str) -> str:
    return json.dumps({"ok": False, "error": reason}, ensure_ascii=False)


def texts(value: object, what: str) -> tuple[str, ...]:
    """A list of texts; raises :class:`CommandError`."""
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise CommandError(f"{what} must be a list of texts")
    return tuple(value)


def text(command: Mapping[str, object], key: str) -> str:
    """A text field; raises :class:`CommandError`."""
    value = command.get(key)
    if not isinstance(value, str):
        raise CommandError(f"{key!r} must be text, not {value!r}")
    return value


def flag(value: object, key: str) -> bool:
    """A true or false; raises :class:`CommandError`."""
    if not isinstance(value, bool):
        raise CommandError(f"{key!r} must be true or false, not {value!r}")
    return value


def number(value: object, key: str, low: float, high: float) -> float:
    """A number from ``low`` to ``high``; raises :class:`CommandError`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise CommandError(f"{key!r} must be a number from {low:g} to {high:g}, not {value!r}")
    return float(value)


def mapping(value: object, key: str) -> Mapping[str, object]:
    """A JSON object; raises :class:`CommandError`."""
    if not isinstance(value, dict):
        raise CommandError(f"{key!r} must be an object, not {value!r}")
    return value


def refuse_others(command: Mapping[str, object], *known: str) -> None:
    """Raise :class:`CommandError` when a command holds a key that nothing here reads."""
    for key in command:
        if key not in known:
            raise CommandError(f"{key!r} is not known: use {', '.join(known)}")
