"""What Cisco IOS, Ruijie RGOS and ZTE ZXROS have in common: views, sections, ordered steps.

None of it was run on real hardware. Sources of what is said here and not in a vendor's module:

- ``configure terminal``, ``interface``, ``end``, ``exit``: Cisco "Using the Command-Line Interface
  in Cisco IOS", Ruijie "Configuring CLI" (RG-S29 series, RGOS 11.4), ZTE "ZXR10 5900E command
  reference";
- ``speed``, ``duplex``, ``shutdown`` and their ``no`` forms: Cisco "Configuring interface
  characteristics" (Catalyst 2960-X), Ruijie "Configuring interfaces";
- ``end`` is no command of the privileged view, and IOS looks a word it does not know up in DNS,
  for half a minute: so the way out of any view goes into the configuration first.
"""

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import ClassVar

from drivers.cli import reading
from drivers.cli.dialect import Ask, Line, Pair, PortMode, PortSettings
from drivers.cli.dialects.common import (
    PAUSES,
    SHOW_SECONDS,
    Sectioned,
    check_all_negotiated,
    check_movable,
    check_something_forced,
    duplex_word,
    wire,
)
from drivers.cli.errors import CannotError
from drivers.cli.plans import TRANSIENT
from drivers.cli.reading import Rule, rule
from tenone.vocabulary.intents import Intent
from tenone.vocabulary.states import Duplex

PROMPT = re.compile(r"(?:^|[\r\n])[^\s()#>]{1,64}(?:\([^()\r\n]{1,80}\))?[>#][ ]?\Z")
"""``Switch>``, ``Switch#``, ``Switch(config-if)#``, ``Ruijie(config-if-GigabitEthernet 0/1)#``."""
LEAVE: tuple[Line, ...] = (Line("configure terminal", optional=True), Line("end"))
CONFIRM = Ask(r"(?i)\[confirm\][ ]?\Z", "")
YES_NO = Ask(r"(?i)[\[(]y(?:es)?/n(?:o)?[\])][:?]?[ ]?\Z", "y")
LOG = r"[A-Z][A-Z0-9_]*(?:-[A-Z0-9_]+)*-[0-7]-[A-Z0-9_]+:"
"""``%LINK-3-UPDOWN:``, ``%LINK-SW1-3-UPDOWN:`` of a stack: the beginning of a log line."""
REFUSED = re.compile(
    rf"(?m)^%(?![ ]?(?:(?i:warning)\b|Access VLAN does not exist\. Creating|{LOG})).*"
)
"""Whether a blank stands behind the percent sign differs by release and by message. A VLAN that is
made (``% Access VLAN does not exist. Creating vlan 99``) is a VLAN that is there."""
REFUSED_IN_WORDS = re.compile(
    r"(?mi)^[ \t]*(?:command rejected|(?:speed|duplex) (?:can ?not|will not) be set|error\b).*"
)
"""Where no ``%`` tells it; at the beginning of a line, where no description stands."""
_PORT_INTENTS = frozenset(Intent) - {Intent.SAVE_CONFIGURATION, Intent.CABLE_DIAGNOSIS}

SHUT_RULES: tuple[Rule, ...] = (
    rule(r"shutdown", enabled="no"),
    rule(r"no shutdown", enabled="yes"),
)
SPEED_RULES: tuple[Rule, ...] = (
    rule(r"speed ([1-9]\d{1,5})", negotiation="no", speed_mbps="@"),
    rule(r"duplex (full|half)", negotiation="no", duplex="@"),
)
VLAN_RULES: tuple[Rule, ...] = (
    rule(r"switchport mode (access|trunk)", mode="@"),
    rule(r"switchport access vlan ([1-9]\d{0,3})", access_vlan="@"),
)
SECTION_RULES: tuple[Rule, ...] = (
    *SHUT_RULES,
    *SPEED_RULES,
    *VLAN_RULES,
    rule(r"speed auto", speed_mbps="-"),
    rule(r"duplex auto", duplex="-"),
)
"""In a section ``speed auto`` says nothing of ``duplex``; a port with either forced has no full
negotiation, whatever the other is."""
TYPED_RULES: tuple[Rule, ...] = (
    *SHUT_RULES,
    *SPEED_RULES,
    *VLAN_RULES,
    rule(r"speed auto", negotiation="yes", speed_mbps="-"),
    rule(r"no speed", speed_mbps="-"),
    rule(r"duplex auto", duplex="-"),
    rule(r"no switchport mode", mode="unset"),
    rule(r"no switchport access vlan", access_vlan="-"),
)
"""``speed auto`` is typed only where ``duplex auto`` follows; for the speed alone it is
``no speed``, which means the same to the switch."""


class IosLike(Sectioned):
    """See :class:`drivers.cli.dialect.Dialect`; a vendor's module fills in its words."""

    prompt = PROMPT
    quiet: tuple[Line, ...] = (
        Line("terminal length 0"),
        Line("terminal no monitor", optional=True),
    )
    leave: tuple[Line, ...] = LEAVE
    hinders: Mapping[Intent, re.Pattern[str]] = MappingProxyType({})

    section_rules: ClassVar[tuple[Rule, ...]]
    start: ClassVar[PortSettings] = PortSettings(mode=PortMode.UNSET)
    ends: ClassVar[frozenset[str]] = frozenset({"end", "!"})
    end_is_shown: ClassVar[bool] = True
    """Whether a section that was shown whole always has an end mark."""
    save_line: ClassVar[Line]

    @abstractmethod
    def inside(self, before: PortSettings, after: PortSettings) -> list[str]:
        """What is typed in the port's view to make ``after`` of ``before``."""

    def show_port(self, port: str) -> tuple[Line, ...]:
        """The port's section."""
        return (
            Line(f"show running-config interface {self.check_port(port)}", seconds=SHOW_SECONDS),
        )

    def read_port(self, port: str, answers: Sequence[str]) -> PortSettings:
        """One section, of this port."""
        lines = self.section(port, answers[0] if answers else "")
        return reading.settings_of(lines, self.section_rules, self.start)

    def section(self, port: str, answer: str) -> tuple[str, ...]:
        """The lines of the port's section; raises :class:`UnreadableError`."""
        whole = answer if self.end_is_shown else f"{answer}\n!"
        return reading.section(
            whole,
            lambda name: self.grammar.same(name, port),
            refusals=self.refusals,
            ends=self.ends,
        )

    def set_port(self, port: str, before: PortSettings, after: PortSettings) -> tuple[Line, ...]:
        """In force line by line; each line says what shall be, so it does no harm twice."""
        inside = self.inside(before, after)
        return self.in_port(port, [Line(line) for line in inside]) if inside else ()

    def forth_and_back(
        self, intent: Intent, port: str, before: PortSettings, after: PortSettings
    ) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
        """See :class:`Sectioned`: these switches have no other way back of their own."""
        if intent not in _PORT_INTENTS:
            raise CannotError(f"{intent.value} changes no port")
        switched = TRANSIENT.get(intent)
        if switched is None:
            return self.set_port(port, before, after), self.set_port(port, after, before)
        shut = switched == "enabled"
        on = replace(before, enabled=True) if shut else replace(before, poe=True)
        off = replace(on, enabled=False) if shut else replace(on, poe=False)
        down = [Line(line, pause=PAUSES[switched]) for line in self.inside(on, off)]
        up = [Line(line) for line in self.inside(off, on)]
        return self.in_port(port, [*down, *up]), self.in_port(port, up)

    def save(self) -> tuple[Line, ...]:
        """Some releases ask whether to write over what another release had written."""
        return (self.save_line,)

    def show_configuration(self) -> tuple[Line, ...]:
        """The whole running configuration."""
        return (Line("show running-config", seconds=SHOW_SECONDS),)

    def test_cable(self, port: str) -> tuple[Line, ...]:
        """No test that is known."""
        raise CannotError(f"no cable test is known for {self.check_port(port)} of this switch")

    def read_cable(self, answers: Sequence[str]) -> tuple[Pair, ...]:
        """No test that is known."""
        raise CannotError(f"no cable test is known whose {len(answers)} answers could be read")

    def in_port(self, port: str, lines: Sequence[Line]) -> tuple[Line, ...]:
        """Into the port's view, ``lines``, and out of it."""
        return (
            Line("configure terminal"),
            Line(f"interface {self.check_port(port)}"),
            *lines,
            Line("end"),
        )


def negotiation(before: PortSettings, after: PortSettings) -> list[str]:
    """``speed`` and ``duplex``, both whenever either differs; raises :class:`CannotError`."""
    if wire(before) == wire(after):
        return []
    if after.negotiation:
        check_all_negotiated(after)
        return ["speed auto", "duplex auto"]
    check_something_forced(after)
    speed = "no speed" if after.speed_mbps is None else f"speed {after.speed_mbps:d}"
    duplex = "duplex auto" if after.duplex is None else f"duplex {duplex_word(after.duplex)}"
    # Duplex is refused while the speed is negotiated, and half duplex at the top rate.
    if before.duplex is Duplex.HALF and after.duplex is not Duplex.HALF:
        return [duplex, speed]
    return [speed, duplex]


def access_vlan(before: PortSettings, after: PortSettings) -> list[str]:
    """``switchport``; only between access ports and ports that are not said to be anything."""
    if (before.mode, before.access_vlan) == (after.mode, after.access_vlan):
        return []
    check_movable(before, after, frozenset({PortMode.ACCESS, PortMode.UNSET}))
    lines: list[str] = []
    if before.access_vlan != after.access_vlan:
        lines.append(
            "no switchport access vlan"
            if after.access_vlan is None
            else f"switchport access vlan {after.access_vlan:d}"
        )
    if before.mode is not after.mode:
        lines.append(
            "switchport mode access" if after.mode is PortMode.ACCESS else "no switchport mode"
        )
    return lines


def enabled(before: PortSettings, after: PortSettings) -> list[str]:
    """``shutdown``, typed last."""
    if before.enabled == after.enabled:
        return []
    return ["no shutdown" if after.enabled else "shutdown"]
