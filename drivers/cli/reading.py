"""Reading what a switch says of a port, and reading lines back before they are typed.

Both work from one table of rules per dialect, and neither shares anything with the rendering:
a rule says in a regular expression what a line sets. What fits no rule is kept as it is (in a
section) or called strange (in lines to be typed).

Text of a switch is hostile: descriptions may hold anything. So a section is cut at line feeds only
(Python's ``splitlines`` also cuts at form feeds, U+2028 and six others), and nothing of it is ever
put into a line.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from drivers.cli.dialect import Meant, PortSettings
from drivers.cli.errors import UnreadableError
from drivers.cli.settings import NO, YES, set_all

MOST_CHARS = 4_000
"""Of one line of a section; a description has 80 to 242 characters on the switches we know."""
SHOWN = 80


@dataclass(frozen=True, slots=True)
class Rule:
    """What one kind of line sets."""

    pattern: re.Pattern[str]
    sets: tuple[tuple[str, str], ...] = ()
    """(attribute, value as text); the value ``@`` is the pattern's first group."""

    def read(self, line: str) -> tuple[tuple[str, str], ...] | None:
        """What ``line`` sets; None: it is none of this kind."""
        found = self.pattern.fullmatch(line)
        if found is None:
            return None
        return tuple((name, found[1] if value == "@" else value) for name, value in self.sets)


def rule(pattern: str, **sets: str) -> Rule:
    """One row of a table."""
    return Rule(re.compile(pattern, re.ASCII), tuple(sets.items()))


def read_line(rules: Iterable[Rule], line: str) -> tuple[tuple[str, str], ...] | None:
    """What the first rule that fits makes of it; None: nobody knows the line."""
    for each in rules:
        sets = each.read(line)
        if sets is not None:
            return sets
    return None


def section(
    answer: str,
    is_port: Callable[[str], bool],
    *,
    refusals: Sequence[re.Pattern[str]],
    ends: frozenset[str],
) -> tuple[str, ...]:
    """The lines of one port's section of a running configuration, without their indentation.

    Raises :class:`UnreadableError` where the switch refused, says nothing of the port, speaks of
    another one or of more than one.
    """
    lines = [line.removesuffix("\r") for line in answer.split("\n")]
    starts = [at for at, line in enumerate(lines) if line.lower().startswith("interface ")]
    if not starts:
        raise UnreadableError(_refused(answer, refusals))
    if len(starts) > 1:
        raise UnreadableError("the switch shows the configuration of more than one port")
    name = lines[starts[0]][len("interface ") :].strip(" ")
    if not is_port(name):
        raise UnreadableError(f"the switch shows another port: {name[:SHOWN]!a}")
    found: list[str] = []
    for line in lines[starts[0] + 1 :]:
        if line.rstrip(" ") in ends:
            return tuple(found)
        if line.strip(" "):
            found.append(_inside(line))
    raise UnreadableError("the port's configuration has no end: the answer was cut")


def _refused(answer: str, refusals: Sequence[re.Pattern[str]]) -> str:
    for refusal in refusals:
        if found := refusal.search(answer):
            said = answer[found.start() :].strip().split("\n")[0]
            return f"the switch refuses to show the port: {said[:SHOWN]!a}"
    return "the switch shows no configuration of the port"


def _inside(line: str) -> str:
    if not line.startswith(" "):
        raise UnreadableError(
            f"the port's configuration has a line outside of it: {line[:SHOWN]!a}"
        )
    if len(line) > MOST_CHARS:
        raise UnreadableError(f"a line of the port is longer than any known: {line[:SHOWN]!a}")
    return line.strip(" ")


def settings_of(
    lines: Iterable[str], rules: Sequence[Rule], start: PortSettings | None = None
) -> PortSettings:
    """The settings that a section's lines say, beginning with the vendor's defaults.

    Raises :class:`UnreadableError` where one attribute is said twice and differently.
    """
    said: dict[str, tuple[str, str]] = {}
    other: list[str] = []
    for line in lines:
        sets = read_line(rules, line)
        if sets is None:
            other.append(line)
            continue
        for name, value in sets:
            if name in said and said[name][0] != value:
                raise UnreadableError(
                    f"two lines of the port contradict each other: "
                    f"{said[name][1][:SHOWN]!a} and {line[:SHOWN]!a}"
                )
            said[name] = (value, line)
    settings = set_all(
        PortSettings() if start is None else start,
        ((name, value) for name, (value, _) in said.items()),
    )
    return replace(settings, other=tuple(other))


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """All the lines that a dialect's renderings are made of."""

    enters: re.Pattern[str]
    """Into a port's view; the first group is the port as typed."""
    is_typed: Callable[[str], bool]
    """Whether a name is one as the dialect types it."""
    rules: tuple[Rule, ...]
    """In a port's view."""
    leaves: frozenset[str]
    """Out of a port's view."""
    passing: re.Pattern[str]
    """Lines that set nothing, in whatever view."""
    saves: frozenset[str] = frozenset()
    """Lines that write the start-up configuration; outside of a port's view."""
    settles: re.Pattern[str] | None = None
    """Makes what was set before the running configuration (two-stage switches), for good."""
    reverts: str | None = None
    """Takes back what was tried since: the opposite of what was switched on or off."""


@dataclass(slots=True)
class _Reader:
    """Where a reading stands."""

    words: Vocabulary
    port: str | None = None
    ports: set[str] = field(default_factory=set)
    sets: list[tuple[str, str]] = field(default_factory=list)
    settled: int = 0
    saves: bool = False
    strange: list[str] = field(default_factory=list)

    def take(self, line: str) -> None:
        words = self.words
        if entered := words.enters.fullmatch(line):
            self._enter(line, entered[1])
        elif line in words.leaves:
            self.port = None
        elif line == words.reverts:
            self._revert(line)
        elif words.settles is not None and words.settles.fullmatch(line):
            self.settled = len(self.sets)
        elif line in words.saves and self.port is None:
            self.saves = True
        elif not words.passing.fullmatch(line):
            sets = read_line(words.rules, line) if self.port is not None else None
            if sets is None:
                self.strange.append(line)
            else:
                self.sets.extend(sets)

    def _enter(self, line: str, port: str) -> None:
        if not self.words.is_typed(port):
            self.strange.append(line)
        self.port = port
        self.ports.add(port)

    def _revert(self, line: str) -> None:
        opposite = {YES: NO, NO: YES}
        for name, value in self.sets[self.settled :]:
            if value in opposite:
                self.sets.append((name, opposite[value]))
            else:
                self.strange.append(line)
        self.settled = len(self.sets)


def meant(words: Vocabulary, lines: Iterable[str]) -> Meant:
    """Read rendered lines back; see :meth:`drivers.cli.dialect.Dialect.meant`."""
    reader = _Reader(words)
    for line in lines:
        reader.take(line)
    return Meant(
        ports=frozenset(reader.ports),
        sets=tuple(reader.sets),
        saves=reader.saves,
        strange=tuple(reader.strange),
    )
