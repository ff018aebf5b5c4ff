"""Hostile names and descriptions, and what becomes of them: the same attack on every dialect.

What may be typed is judged by a closed list that each test writes out by hand (``allowed``), not by
the dialect's own reading of its lines.
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from drivers.cli.dialect import Change, Dialect, PortSettings
from drivers.cli.errors import BadPortError, CannotError, UnreadableError
from drivers.cli.plans import back, plan
from tenone.vocabulary.intents import Intent

QUARANTINE = 99
PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9/ :._-]{0,39}")
"""The letters a typed name may have at all."""
COMMANDS = (
    "shutdown",
    "undo shutdown",
    "no shutdown",
    "reboot",
    "reload",
    "reset saved-configuration",
    "erase startup-config",
    "delete /unreserved vrpcfg.zip",
    "undo user-interface vty 0 4",
    "interface range 1 to 48",
    "interface GigabitEthernet0/0/1",
    "interface GigabitEthernet 0/1",
    "local-user evil password cipher x",
    "username evil privilege 15 secret x",
    "port link-type trunk",
    "switchport mode trunk",
    "port default vlan 1",
    "speed 10",
    "undo negotiation auto",
    "system-view",
    "configure terminal",
    "save",
    "rm -rf /",
    "$(reboot)",
    "`reboot`",
    "return",
    "quit",
    "end",
    "exit",
    "commit",
    "abort trial",
    "y",
)
# fmt: off
CONTROL = ("\r", "\n", "\r\n", "\x00", "\x03", "\x04", "\x08", "\x09", "\x0b", "\x0c", "\x11",
           "\x15", "\x16", "\x17", "\x1a", "\x1b", "\x1b[A", "\x1b[2J", "\x1b]0;x\x07", "\x1c",
           "\x1d", "\x1e", "\x7f", "\x85", "\x9b", "\xa0", "\u2028", "\u2029", "\ufeff")
JOINTS = (";", "|", "?", "&", "&&", "||", ">", "<", "#", "!", "$", "`", "'", '"', "\\", "*", "%",
          ",", "-", " - ", " to ", "..", "//", " ", "  ", "\t", "{", "}", "(v)", "@", "^", "~")
ALIKE = {"0": "\uff10\u0660\u04e9O", "1": "\uff11\u0661lI", "3": "\uff13\u0663\u0417",
         "/": "\u2215\u2044\uff0f\\", "E": "\u0415\uff25\u0395", "e": "\u0435\uff45",
         "G": "\uff27\u050c", "i": "\u0456\u0131\u0130", "t": "\u0442\uff54", "K": "\u212a",
         "S": "\u0405\u017f", "a": "\u0430\uff41", " ": "\u2003\u3000\u200b"}
# fmt: on
SHELLS = (
    "#",
    "return",
    "!",
    "end",
    "<HUAWEI>",
    "[HUAWEI]",
    "[*HUAWEI]",
    "Switch#",
    "Switch(config)#",
    "ruijie>",
    "Continue? [Y/N]:",
    "Password:",
    "---- More ----",
    "--More--",
    "Error: Unrecognized command found at '^' position.",
    "% Invalid input detected at '^' marker.",
    "interface GigabitEthernet0/0/2",
    "interface GigabitEthernet 0/2",
)


@dataclass(slots=True)
class Figures:
    """What came of an attack."""

    tried: int = 0
    refused: int = 0
    """Not a port's name, or an answer that is not understood."""
    nothing: int = 0
    """Read, and the intent cannot be done there."""
    planned: int = 0
    lines: int = 0
    outside: int = 0
    """Lines that are none of those that may be typed."""
    example: str = ""

    def __str__(self) -> str:
        return (
            f"{self.tried} tried, {self.refused} refused, {self.nothing} not to be done, "
            f"{self.planned} planned with {self.lines} lines: commands outside the plan "
            f"{self.outside}"
        )


def names(good: Sequence[str], count: int, seed: int) -> Iterator[str]:
    """Names as a switch could report them if somebody wished us ill."""
    chance = random.Random(seed)
    for _ in range(count):
        yield _name(chance, chance.choice(good))


def _name(chance: random.Random, name: str) -> str:
    evil = chance.choice((*CONTROL, *JOINTS))
    command = chance.choice(COMMANDS)
    at = chance.randrange(len(name) + 1)
    many = chance.choice(("0", "9", "/0", " ", name, "A")) * chance.choice((1, 60, 10_000))
    letter = chance.choice([one for one in name if one in ALIKE])
    return chance.choice(
        (
            name + evil + command,
            command + evil + name,
            name[:at] + evil + name[at:],
            name + chance.choice(CONTROL),
            "".join(chance.choice(ALIKE.get(one, one)) for one in name),
            name.replace(letter, chance.choice(ALIKE[letter]), 1),
            name + many,
            command,
            "".join(chr(chance.randrange(1, 0x3000)) for _ in range(chance.randrange(40))),
            name[:at] + name[at + 1 :],
            chance.choice((" ", "", "\n", "no ", "undo ")) + name + chance.choice((" ", "")),
        )
    )


def descriptions(count: int, seed: int) -> Iterator[str]:
    """Descriptions that look like commands, prompts, questions, ends of sections."""
    chance = random.Random(seed)
    for _ in range(count):
        parts = [
            chance.choice((*COMMANDS, *SHELLS, *CONTROL, *JOINTS, "room 3", "\n ", "\r\n", "\n"))
            for _ in range(chance.randrange(1, 7))
        ]
        yield "".join(parts) + "x" * chance.choice((0, 0, 0, 0, 0, 0, 0, 80, 10_000))


def attack_names(
    dialect: Dialect, good: Sequence[str], allowed: re.Pattern[str], *, count: int, seed: int
) -> Figures:
    """Plan every kind of change for ports of hostile names."""
    figures = Figures()
    intents = list(Intent)
    for number, name in enumerate(names(good, count, seed)):
        figures.tried += 1
        before = _befores()[number % len(_befores())]
        try:
            typed = dialect.check_port(name)
        except BadPortError:
            figures.refused += 1
            continue
        if PLAIN.fullmatch(typed) is None:
            figures.outside += 1
            figures.example = repr(name)
        _planned(dialect, intents[number % len(intents)], name, before, allowed, figures)
    return figures


def attack_descriptions(
    dialect: Dialect,
    port: str,
    answers: Callable[[str], Sequence[str]],
    allowed: re.Pattern[str],
    *,
    count: int,
    seed: int,
) -> Figures:
    """Plan every kind of change for a port of hostile descriptions.

    ``answers``: what the switch says to ``dialect.show_port`` if the description is this.
    """
    figures = Figures()
    intents = list(Intent)
    for number, description in enumerate(descriptions(count, seed)):
        figures.tried += 1
        try:
            before = dialect.read_port(port, answers(description))
        except UnreadableError:
            figures.refused += 1
            continue
        _planned(dialect, intents[number % len(intents)], port, before, allowed, figures)
    return figures


def attack_both(
    dialect: Dialect,
    port: str,
    good: Sequence[str],
    answers: Callable[[str], Sequence[str]],
    allowed: re.Pattern[str],
    *,
    count: int,
    seed: int,
) -> int:
    """Names and descriptions, ``count`` of each; how many lines are none that may be typed.

    Fails where most names are taken for ports, or hardly anything came to a plan.
    """
    by_name = attack_names(dialect, good, allowed, count=count, seed=seed)
    text = attack_descriptions(dialect, port, answers, allowed, count=count, seed=seed + 1)
    print(f"{dialect.name}, names: {by_name}\n{dialect.name}, descriptions: {text}")
    assert by_name.refused > count / 2
    assert by_name.planned > count / 100
    assert text.planned > count / 10
    return by_name.outside + text.outside


def _befores() -> tuple[PortSettings, ...]:
    return (
        PortSettings(),
        PortSettings(enabled=False),
        PortSettings(negotiation=False, speed_mbps=100),
        PortSettings(access_vlan=QUARANTINE),
    )


def _planned(
    dialect: Dialect,
    intent: Intent,
    port: str,
    before: PortSettings,
    allowed: re.Pattern[str],
    figures: Figures,
) -> None:
    try:
        change = plan(dialect, intent, port, before, quarantine_vlan=QUARANTINE)
    except CannotError:
        figures.nothing += 1
        return
    figures.planned += 1
    typed = dialect.check_port(port)
    for text in _texts(dialect, change, port, before):
        figures.lines += 1
        if allowed.fullmatch(text.replace(typed, "PORT")) is None or not text.isascii():
            figures.outside += 1
            figures.example = repr(text)


def _texts(dialect: Dialect, change: Change, port: str, before: PortSettings) -> Iterator[str]:
    """Everything that may be typed for a change, and after a cut in its middle."""
    groups = (change.prepare, change.apply, change.confirm, change.undo, change.keep)
    for line in (*dialect.show_port(port), *(line for group in groups for line in group)):
        yield line.text
        yield from (ask.answer for ask in line.asks)
    try:
        cut = back(dialect, port, replace(before, enabled=not before.enabled), before)
    except CannotError:
        return
    yield from (line.text for line in cut)
