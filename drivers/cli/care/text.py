"""A running configuration as lines that differ only where something was set. No I/O.

What moves by itself (clocks, byte counts, who saved last) is noise and left out; so are blank
lines, the echo of the command, and the pager's traces. The order of lines is the switch's own:
in access lists and policies it means something.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tenone.vocabulary.intents import Dialect

MOST_BYTES = 4_000_000
"""Larger than any switch's configuration; what is longer is not one."""

_CISCO_LIKE = (
    r"Building configuration\b.*",
    r"Current configuration\s*:.*",
    r"! Last configuration change at .*",
    r"! NVRAM config last updated at .*",
    r"! No configuration change since last restart",
    r"ntp clock-period \d+",
    r"!Time:.*",
    r"!Command:.*",
    r"!config-version.*",
    # With "exec prompt timestamp" the load and the time stand above every answer.
    r"Load for five secs: .*",
    r"Time source is .*",
)
_HUAWEI_LIKE = (
    r"!Software Version .*",
    r"!Last configuration was (?:updated|saved) at .*",
    r"!MKHash .*",
    r"!The current login time is .*",
    r"Info: .*",
    # With "timestamp enable" the time stands above every answer (ytti/oxidized issue 1218).
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?(?: ?[+-]\d\d:\d\d)?(?: DST)?",
)
_NOISE = {
    Dialect.HUAWEI_VRP5: _HUAWEI_LIKE,
    Dialect.HUAWEI_VRP8: _HUAWEI_LIKE,
    Dialect.COMWARE: _HUAWEI_LIKE,
    Dialect.RUIJIE: _CISCO_LIKE,
    Dialect.ZTE: (
        *_CISCO_LIKE,
        r"!<.*>",
        r"! ?[Tt]imestamp.*",
        r"timestamp_write: .*",
        # The block "mim" of version 3: when it was saved, loaded and changed, and by whom.
        r"! ?configuration (?:has|was|saved) .*",
        r"! ?last configuration change at .*",
    ),
    Dialect.CISCO_IOS: _CISCO_LIKE,
    Dialect.LINUX: (),
}
NOISE = {name: re.compile("|".join(some) or r"(?!)") for name, some in _NOISE.items()}
ZTE_WIDTH = 80
"""ZXROS version 3 breaks each line of its configuration there, also in the middle of a secret
(running configurations of two access nodes in public repositories; that switches do it, too, is
inferred: a whole line of just this length would be joined to the next, which hides more)."""
_PAGER = re.compile(r"\x1b\[\d+[A-Z]|-{2,4} ?More ?-{2,4}|\x08+ *\x08*")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_ASKED = re.compile(
    r"^\S*[>#\]] ?(?:display|show) .*$|^(?:display|show) (?:current|running)\S*\s*$"
)
_PROMPT = re.compile(r"^(?:<[^<>\s]+>|\[[^\[\]\s]+\]|[\w.()/-]+[#>])\s*$")


_APART = frozenset({"#", "!"})
"""Between sections. Comware indents lines of no section, too (`` telnet server enable``)."""


class NotAConfigurationError(ValueError):
    """A text that is too long, or holds nothing that was set; one sentence."""


def lines_of(dialect: Dialect, text: str) -> tuple[str, ...]:
    """The lines that mean something, as they stand; raises :class:`NotAConfigurationError`."""
    if len(text) > MOST_BYTES:
        raise NotAConfigurationError(
            f"the answer is longer than {MOST_BYTES // 1_000_000} MB: that is no configuration"
        )
    noise, found = NOISE[dialect], []
    lines = [_CONTROL.sub("", _PAGER.sub("", raw)) for raw in text.replace("\r", "").split("\n")]
    for line in map(str.rstrip, _unbroken(lines) if dialect is Dialect.ZTE else lines):
        bare = line.strip()
        if not bare or noise.fullmatch(bare) or _ASKED.match(bare):
            continue
        found.append(line)
    while found and _PROMPT.match(found[-1]):
        found.pop()
    if not any(line.strip(" #!") for line in found):
        raise NotAConfigurationError("the answer holds nothing that was set")
    return tuple(found)


def _unbroken(lines: Sequence[str]) -> list[str]:
    """Lines that were broken at the switch's own width, in one piece again."""
    whole: list[str] = []
    broken = False
    for line in lines:
        if broken and line:
            whole[-1] += line
        else:
            whole.append(line)
        broken = len(line) == ZTE_WIDTH
    return whole


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed between two configurations."""

    section: str
    """The line above that is less indented, such as ``interface GE0/0/3``; or empty."""
    gone: tuple[str, ...]
    come: tuple[str, ...]


def differences(before: Sequence[str], after: Sequence[str]) -> tuple[Difference, ...]:
    """In the order of the newer one; nothing where they say the same."""
    found: list[Difference] = []
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for kind, one, two, three, four in matcher.get_opcodes():
        if kind == "equal":
            continue
        gone = tuple(line.strip() for line in before[one:two] if line.strip(" #!"))
        come = tuple(line.strip() for line in after[three:four] if line.strip(" #!"))
        if gone or come:
            # The section of what came, else of what went.
            section = _section(after, three) if come else _section(before, one)
            found.append(Difference(section, gone, come))
    return tuple(found)


def _section(lines: Sequence[str], place: int) -> str:
    if place >= len(lines):
        return ""
    depth = _depth(lines[place])
    for line in reversed(lines[:place]):
        if line in _APART:
            return ""
        if depth and _depth(line) < depth and line.strip(" #!"):
            return line.strip()
    return ""


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def as_text(found: Iterable[Difference]) -> str:
    """For people: ``-`` and ``+`` under the section's name."""
    lines: list[str] = []
    for one in found:
        lines.append(f"@ {one.section}" if one.section else "@")
        lines += [f"- {line}" for line in one.gone]
        lines += [f"+ {line}" for line in one.come]
    return "\n".join(lines)
