"""What a configuration must and must not say: a small file of rules, explained in zh and en.

A rule is about the whole configuration, or (``each``) about every section whose first line fits.
It holds for the dialects it names. Rules are about secrets, too (a community that everybody knows),
so they are held against the lines as the switch has them, and what is told of a line is masked.
No I/O: :mod:`tenone.config.compliance` reads the file.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from tenone.config.compliance import ComplianceRule
from tenone.vocabulary.intents import Dialect
from tenone.vocabulary.states import Severity


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that a configuration breaks."""

    rule: str
    severity: Severity
    en: str
    zh: str
    where: tuple[str, ...]
    """The sections, or the lines that must not be; empty: something is missing altogether."""


def sections(lines: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each line that is not indented, with the indented ones below it."""
    head: str | None = None
    below: list[str] = []
    for line in lines:
        if not line.startswith(" "):
            if head is not None:
                yield head, tuple(below)
            head, below = line.strip(), []
        else:
            below.append(line.strip())
    if head is not None:
        yield head, tuple(below)


def broken(
    rules: Iterable[ComplianceRule],
    dialect: Dialect,
    lines: Sequence[str],
    *,
    hide: Callable[[str], str],
) -> tuple[Broken, ...]:
    """The rules that do not hold, gravest first; ``lines`` whole, each that is told hidden."""
    bare = tuple(line.strip() for line in lines)
    found = [
        Broken(rule.id, Severity[rule.severity.upper()], rule.en, rule.zh, tuple(map(hide, where)))
        for rule in rules
        if dialect in rule.dialects and (where := _breaks(rule, lines, bare)) is not None
    ]
    return tuple(sorted(found, key=lambda one: (-one.severity, one.rule)))


def _breaks(
    rule: ComplianceRule, lines: Sequence[str], bare: Sequence[str]
) -> tuple[str, ...] | None:
    """Where it does not hold; None where it does."""
    if rule.each is None:
        wrong = tuple(line for line in bare if any(one.match(line) for one in rule.must_not))
        lacks = not all(any(one.match(line) for line in bare) for one in rule.must)
        return wrong if wrong or lacks else None
    places = tuple(
        head
        for head, below in sections(lines)
        if rule.each.match(head)
        and (
            any(one.match(line) for one in rule.must_not for line in below)
            or not all(any(one.match(line) for line in below) for one in rule.must)
        )
    )
    return places or None
