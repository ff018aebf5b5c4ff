"""What is wrong with a configuration: where, what, and how to mend it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]
"""The way from the top of a file to a value: ``("switches", 0, "host")``."""


def spell(path: KeyPath) -> str:
    """Write a key path as people read it: ``switches[0].host``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One thing to mend. Lines and columns count from 1; 0 means the whole file."""

    file: Path
    line: int
    column: int
    key: str
    what: str
    """What is wrong, one clause without a full stop."""
    remedy: str
    """What to write instead, one clause without a full stop."""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else str(self.file)
        key = f"{self.key}: " if self.key else ""
        return f"{where}: {key}{self.what}. {self.remedy[:1].upper()}{self.remedy[1:]}."


class ConfigError(Exception):
    """A configuration that cannot be used; ``problems`` holds all that was found."""

    def __init__(self, problems: Iterable[ConfigProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
