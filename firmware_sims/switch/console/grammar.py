"""Lines against the commands of a view: abbreviations, and where a line goes wrong.

A pattern is words and captures: ``interface <port...>`` takes the rest of the line, ``speed
<n>`` one word. A word may be shortened as long as only one word of the view begins so.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto


class Fault(Enum):
    """Why a line is no command."""

    UNKNOWN = auto()
    INCOMPLETE = auto()
    AMBIGUOUS = auto()
    WRONG = auto()
    """A parameter the command does not take."""
    TOO_MANY = auto()


class LineError(Exception):
    """A line that is no command; ``column`` counts from 0 in the typed line."""

    def __init__(self, fault: Fault, column: int, word: str = "") -> None:
        super().__init__(f"{fault.name} at {column}")
        self.fault = fault
        self.column = column
        self.word = word


@dataclass(frozen=True, slots=True)
class Given:
    """What a command's captures caught."""

    words: dict[str, str]
    columns: dict[str, int]

    def __getitem__(self, name: str) -> str:
        """The text caught by ``<name>``."""
        return self.words[name]

    def get(self, name: str) -> str:
        """The same, empty where the pattern has no such capture."""
        return self.words.get(name, "")

    def wrong(self, name: str) -> LineError:
        """``<name>`` is not what the command takes."""
        return LineError(Fault.WRONG, self.columns[name], self.words[name])

    def number(self, name: str, low: int, high: int) -> int:
        """``<name>`` as a number; raises :class:`LineError`."""
        text = self.words[name]
        if not text.isascii() or not text.isdecimal() or not low <= int(text) <= high:
            raise self.wrong(name)
        return int(text)

    def one_of(self, name: str, *words: str) -> str:
        """``<name>`` as one of ``words``, shortened or not; raises :class:`LineError`."""
        text = self.words[name].lower()
        found = [word for word in words if word.startswith(text)]
        if text in words:
            return text
        if len(found) != 1:
            raise self.wrong(name)
        return found[0]


@dataclass(frozen=True, slots=True)
class Command:
    """One pattern and the method that carries it out."""

    parts: tuple[str, ...]
    method: str


def compiled(patterns: Sequence[str], method: str) -> Iterator[Command]:
    """``patterns`` as commands; ``a [b c]`` stands for ``a`` and ``a b c``."""
    for pattern in patterns:
        plain = re.sub(r"\s*\[.*\]", "", pattern)
        yield Command(tuple(plain.split()), method)
        if plain != pattern:
            yield Command(tuple(pattern.replace("[", "").replace("]", "").split()), method)


_WORD = re.compile(r"\S+")


def match(line: str, commands: Sequence[Command]) -> tuple[Command, Given]:
    """The command ``line`` is; raises :class:`LineError`."""
    tokens = [(found.group(), found.start()) for found in _WORD.finditer(line)]
    alive = list(commands)
    for place, (token, column) in enumerate(tokens):
        alive = _narrowed(alive, place, token, column)
        rest = next((c for c in alive if c.parts[place].endswith("...>")), None)
        if rest is not None and len(alive) == 1:
            return rest, _given(rest, tokens, line)
    whole = [command for command in alive if len(command.parts) == len(tokens)]
    if not whole:
        raise LineError(Fault.INCOMPLETE, len(line.rstrip()))
    return whole[0], _given(whole[0], tokens, line)


def _narrowed(alive: list[Command], place: int, token: str, column: int) -> list[Command]:
    longer = [command for command in alive if len(command.parts) > place]
    if not longer:
        raise LineError(Fault.TOO_MANY, column, token)
    lower = token.lower()
    words = {c.parts[place] for c in longer if not c.parts[place].startswith("<")}
    begun = {word for word in words if word.startswith(lower)}
    if lower in words:
        begun = {lower}
    if len(begun) > 1:
        raise LineError(Fault.AMBIGUOUS, column, token)
    if begun:
        return [command for command in longer if command.parts[place] in begun]
    caught = [command for command in longer if command.parts[place].startswith("<")]
    if not caught:
        raise LineError(Fault.UNKNOWN if place == 0 or words else Fault.WRONG, column, token)
    return caught


def _given(command: Command, tokens: Sequence[tuple[str, int]], line: str) -> Given:
    words: dict[str, str] = {}
    columns: dict[str, int] = {}
    for part, (token, column) in zip(command.parts, tokens, strict=False):
        if part.startswith("<"):
            name = part.strip("<>").removesuffix("...")
            words[name] = line[column:].rstrip() if part.endswith("...>") else token
            columns[name] = column
    return Given(words, columns)


Question = Callable[[str], str]
"""Takes the answer to a question and returns what is printed."""
