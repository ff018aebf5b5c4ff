"""What Huawei's VRP and H3C's Comware have in common: ``<views>``, ``[views]``, ``undo``, sections.

Sources: Huawei S-series "CLI overview" and "Basic configuration commands", H3C "CLI configuration"
and "Configuration file management commands". None of it was run on real hardware.
"""

import re
from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from drivers.cli import reading
from drivers.cli.dialect import Ask, Line, PortSettings
from drivers.cli.dialects.common import (
    CABLE_SECONDS,
    PAUSES,
    SAVE_SECONDS,
    SHOW_SECONDS,
    Sectioned,
)
from drivers.cli.plans import TRANSIENT
from drivers.cli.reading import Rule
from tenone.vocabulary.intents import Intent
from tenone.vocabulary.states import Duplex

PROMPT = re.compile(r"(?:^|[\r\n])[<\[][~*]?[^\r\n<>\[\]]{1,300}[>\]][ ]?\Z")
"""``<HUAWEI>``, ``[HUAWEI]``, ``[HUAWEI-GigabitEthernet0/0/1]``, ``[*HUAWEI]``, ``[~HUAWEI]``."""
ENDS = frozenset({"#", "return"})
YES_NO = Ask(r"(?i)[\[(]y(?:es)?/n(?:o)?[\])](?:\s?\[[yn]\])?\s*[:?]?\s*\Z", "y")
FILE_NAME = Ask(r"(?i)file ?name[^\r\n]*(?:\r?\n[^\r\n]*enter key\))?[^\r\n\w]*\Z", "")
"""A switch that was never saved asks how the file is to be called; its own proposal is taken."""
ASKED_SECONDS = 30.0
"""A line that asks first, and then takes "a few seconds" as the switch says."""
SWITCHES = {"enabled": ("shutdown", "undo shutdown"), "poe": ("undo poe enable", "poe enable")}
"""Off, on."""

COMMON_RULES: tuple[Rule, ...] = (
    reading.rule(r"shutdown", enabled="no"),
    reading.rule(r"undo shutdown", enabled="yes"),
    reading.rule(r"port link-type (access|trunk|hybrid)", mode="@"),
    reading.rule(r"poe enable", poe="yes"),
    reading.rule(r"undo poe enable", poe="no"),
)
ENTERS = re.compile(r"interface (\S+)", re.ASCII)


class Bracketed(Sectioned):
    """See :class:`drivers.cli.dialect.Dialect`; a vendor's module fills in its words."""

    prompt = PROMPT
    quiet: tuple[Line, ...]
    leave: tuple[Line, ...] = (Line("return", optional=True),)
    """The view of a login does not know it."""

    varying: ClassVar[frozenset[str]] = frozenset()
    """Lines that mean the same and of which a series takes only one: the others are refused."""
    asking: ClassVar[re.Pattern[str]] = re.compile(r"(?!)")
    """Lines that some series ask about before they take them."""

    @abstractmethod
    def inside(self, before: PortSettings, after: PortSettings) -> tuple[str, ...]:
        """What is typed in the port's view to make ``after`` of ``before``."""

    @abstractmethod
    def section_rules(self, lines: Sequence[str]) -> tuple[Rule, ...]:
        """How the lines of a section are read."""

    def show_port(self, port: str) -> tuple[Line, ...]:
        """The section of what runs; allowed in every view."""
        text = f"display current-configuration interface {self.check_port(port)}"
        return (Line(text, seconds=SHOW_SECONDS),)

    def read_port(self, port: str, answers: Sequence[str]) -> PortSettings:
        """One section, of this port."""
        lines = reading.section(
            answers[0] if answers else "",
            lambda name: self.grammar.same(name, port),
            refusals=self.refusals,
            ends=ENDS,
        )
        return reading.settings_of(lines, self.section_rules(lines), self.start)

    def steps(self, port: str, before: PortSettings, after: PortSettings) -> tuple[Line, ...]:
        """Line by line; each says what shall be, so it does no harm twice."""
        inside = self.inside(before, after)
        return self.in_port(port, self.lines(inside)) if inside else ()

    def lines(self, texts: Sequence[str]) -> tuple[Line, ...]:
        """As they are typed in the port's view."""
        return tuple(self.line(text) for text in texts)

    def line(self, text: str, *, pause: float = 0.0) -> Line:
        """One of them."""
        optional = text in self.varying
        if self.asking.fullmatch(text):
            return Line(text, (YES_NO,), ASKED_SECONDS, optional=optional, pause=pause)
        return Line(text, optional=optional, pause=pause)

    def for_good(self, lines: tuple[Line, ...]) -> tuple[Line, ...]:
        """``lines``, and then nothing goes back by itself."""
        return lines

    def set_port(self, port: str, before: PortSettings, after: PortSettings) -> tuple[Line, ...]:
        """The steps, for good."""
        return self.for_good(self.steps(port, before, after))

    def forth_and_back(
        self, intent: Intent, port: str, before: PortSettings, after: PortSettings
    ) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
        """See :class:`Sectioned`."""
        switched = TRANSIENT.get(intent)
        if switched is None:
            return self.steps(port, before, after), self.set_port(port, after, before)
        off, on = SWITCHES[switched]
        down = self.line(off, pause=PAUSES[switched])
        up = self.line(on)
        return self.in_port(port, [down, up]), self.for_good(self.in_port(port, [up]))

    def save(self) -> tuple[Line, ...]:
        """It asks whether to write, sometimes under which name, sometimes over what."""
        return (Line("save", (FILE_NAME, YES_NO), SAVE_SECONDS),)

    def show_configuration(self) -> tuple[Line, ...]:
        """The whole of what runs."""
        return (Line("display current-configuration", seconds=SHOW_SECONDS),)

    def test_cable(self, port: str) -> tuple[Line, ...]:
        """Takes the link down for some seconds, and asks whether it may."""
        return self.in_port(port, [Line("virtual-cable-test", (YES_NO,), CABLE_SECONDS)])

    def in_port(self, port: str, lines: Sequence[Line]) -> tuple[Line, ...]:
        """Into the port's view, ``lines``, and out of it."""
        enter = Line(f"interface {self.check_port(port)}")
        return (Line("system-view"), enter, *lines, Line("return"))


def in_order(speed: str, duplex: str, after: PortSettings) -> list[str]:
    """Half duplex is refused at the top rate: lower the rate first, raise it last."""
    return [speed, duplex] if after.duplex is Duplex.HALF else [duplex, speed]


def on_or_off(before: PortSettings, after: PortSettings) -> list[str]:
    """Power and the port itself, where they differ."""
    lines: list[str] = []
    for name, (off, on) in sorted(SWITCHES.items(), reverse=True):
        if getattr(before, name) != getattr(after, name):
            lines.append(on if getattr(after, name) else off)
    return lines
