"""What log lines of each make say about links: data in ``vendors/``, one file a make.

A pattern names ``port`` and ``state`` (up, down), or ``start`` for a device that has started.
"""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import resources

from drivers.syslog.line import Line
from tenone.vocabulary.hints import Hint, HintKind

_STATES = {"up": HintKind.LINK_UP, "down": HintKind.LINK_DOWN}
_GROUPS = ({"port", "state"}, {"start"})


class PatternError(ValueError):
    """A vendor file that cannot be used; the message names file and entry."""


def read_patterns(name: str, text: str) -> Iterator[re.Pattern[str]]:
    """The patterns of one vendor file; raises :class:`PatternError`."""
    try:
        entries = tomllib.loads(text)["line"]
        for number, entry in enumerate(entries, start=1):
            pattern = re.compile(entry["pattern"], re.IGNORECASE)
            if set(pattern.groupindex) not in _GROUPS or not entry["source"]:
                raise PatternError(
                    f"{name}, line {number}: a pattern names port and state, or start, and "
                    "'source' says where it is from"
                )
            yield pattern
    except (tomllib.TOMLDecodeError, KeyError, TypeError, re.error) as error:
        raise PatternError(f"{name}: {error}") from error


@cache
def patterns() -> tuple[re.Pattern[str], ...]:
    """All makes' patterns: a line says itself which make it is from."""
    folder = resources.files("drivers.syslog").joinpath("vendors")
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda f: f.name
    )
    return tuple(
        pattern for file in files for pattern in read_patterns(file.name, file.read_text("utf-8"))
    )


def hint_of(line: Line) -> Hint:
    """What the line says; :attr:`HintKind.OTHER` where no make's pattern fits."""
    for pattern in patterns():
        found = pattern.search(line.text)
        if found is None:
            continue
        groups = found.groupdict()
        if groups.get("start"):
            return Hint(HintKind.STARTED)
        return Hint(_STATES[groups["state"].lower()], groups["port"].strip())
    return Hint(HintKind.OTHER)
