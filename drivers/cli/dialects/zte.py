"""ZTE ZXROS of the third version (ZXR10 5900E, 5950, 5960 and likes). In force at once.

A port is configured in two places: speed and being open in its own view, VLANs in the view
``switchvlan-configuration``; ``show running-config-interface`` shows both halves. A ``$`` ends a
section. Nothing was found that makes these switches go back by themselves: the way back is the
inverse lines. None of this was run on real hardware, and the sources are thinner than for any
other vendor here: configurations and scripts in public repositories (the view of VLANs, the
command that shows both halves, ``$``, ``no shutdown``), netmiko's zte_zxros (``write``), recorded
answers of ``show interface``; ``negotiation auto``, ``speed``, ``duplex`` from the manual of the
second version (u).

Not known, so refused with a sentence instead of guessed: power over Ethernet, priority of marked
traffic, and the cable test (``show vct interface`` exists; what it prints was not found). The
second version (``gei_1/1``, VLANs in the port's own view) does not know these lines and refuses
them.

(u) = from general knowledge or one indirect source.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from drivers.cli import reading
from drivers.cli.dialect import Line, PortMode, PortSettings
from drivers.cli.dialects import ios_like
from drivers.cli.dialects.common import (
    SAVE_SECONDS,
    SHOW_SECONDS,
    check_all_negotiated,
    check_movable,
    duplex_word,
    wire,
)
from drivers.cli.dialects.ios_like import IosLike
from drivers.cli.errors import CannotError, UnreadableError
from drivers.cli.grammar import ZTE
from drivers.cli.reading import Vocabulary, rule
from tenone.vocabulary.intents import Dialect as Name
from tenone.vocabulary.intents import Intent
from tenone.vocabulary.states import Duplex

SHOWN = 80
_VLANS = "switchvlan-configuration"
_SPEEDS = (
    rule(r"speed ([1-9]\d{1,5})", speed_mbps="@"),
    rule(r"duplex (full|half)", duplex="@"),
)
_VLAN_RULES = (
    rule(r"switchport access vlan 1", access_vlan="-"),
    rule(r"switchport access vlan ([1-9]\d{0,3})", access_vlan="@"),
)
_SECTION_RULES = (
    *ios_like.SHUT_RULES,
    *_VLAN_RULES,
    rule(r"negotiation auto", negotiation="yes"),
    rule(r"no negotiation auto", negotiation="no"),
    rule(r"switchport mode (access|trunk|hybrid)", mode="@"),
)
_STATE = re.compile(r"(?m)^(\S+) is (up|down|administratively down), ", re.ASCII)


class Zte(IosLike):
    """See :class:`drivers.cli.dialect.Dialect`."""

    name = Name.ZTE
    device_type = "zte_zxros"
    refusals: tuple[re.Pattern[str], ...] = (
        re.compile(r"(?mi)^[ \t]*%[ ]?error\b.*"),
        re.compile(rf"(?m)^%(?![ ]?(?:(?i:info|warning)\b|{ios_like.LOG})).*"),
    )
    """``%Error 20200: Invalid input detected``; ``%Info 20272: ...`` is none."""
    hinders: Mapping[Intent, re.Pattern[str]] = MappingProxyType(
        {
            Intent.RESTORE_NEGOTIATION: re.compile(r"speed|duplex|negotiation|smartgroup|optical"),
            Intent.QUARANTINE: re.compile(
                r"switchport|smartgroup|ip address|dot1x|mac-auth|voice|no switch attribute"
            ),
            Intent.RELEASE: re.compile(r"switchport (?:mode|hybrid|trunk)"),
        }
    )

    grammar = ZTE
    start = PortSettings(mode=PortMode.ACCESS)
    vocabulary = Vocabulary(
        enters=re.compile(r"interface (\S+)", re.ASCII),
        is_typed=ZTE.is_typed,
        rules=(
            *ios_like.SHUT_RULES,
            *_SPEEDS,
            *_VLAN_RULES,
            rule(r"negotiation auto", negotiation="yes", speed_mbps="-", duplex="-"),
            rule(r"no negotiation auto", negotiation="no"),
        ),
        leaves=frozenset({"end", "exit"}),
        passing=re.compile(rf"configure terminal|{_VLANS}"),
        saves=frozenset({"write"}),
    )
    save_line = Line("write", (ios_like.CONFIRM,), SAVE_SECONDS)

    def show_port(self, port: str) -> tuple[Line, ...]:
        """Both halves, and whether the port is open: not every release writes ``no shutdown``."""
        typed = self.check_port(port)
        return (
            Line(f"show running-config-interface {typed}", seconds=SHOW_SECONDS),
            Line(f"show interface {typed}", optional=True),
        )

    def read_port(self, port: str, answers: Sequence[str]) -> PortSettings:
        """Raises :class:`UnreadableError` also where nothing says whether the port is open."""
        lines = self.section(port, answers[0] if answers else "")
        rules = _SECTION_RULES
        if "no negotiation auto" in lines:
            rules = (*rules, *_SPEEDS)
        settings = reading.settings_of(lines, rules, self.start)
        if not {"shutdown", "no shutdown"} & set(lines):
            settings = replace(settings, enabled=self._is_open(port, answers[1:2]))
        return settings

    def section(self, port: str, answer: str) -> tuple[str, ...]:
        """The lines of all sections named after the port; what else is shown is an error."""
        found: list[str] = []
        inside, seen = False, False
        for raw in answer.split("\n"):
            line = raw.strip(" \r")
            if not line or line.startswith("!"):
                inside = inside and not raw.startswith("!")
            elif line.startswith("interface "):
                name = line.removeprefix("interface ").strip(" ")
                if not self.grammar.same(name, port):
                    raise UnreadableError(f"the switch shows another port: {name[:SHOWN]!a}")
                inside = seen = True
            elif line == "$":
                inside = False
            elif inside and raw.startswith(" "):
                found.append(line)
            elif raw.startswith(" ") or inside:
                raise UnreadableError(f"a line of no section is shown: {line[:SHOWN]!a}")
        if not seen:
            raise UnreadableError(self._refused(answer))
        if inside:
            raise UnreadableError("the port's configuration has no end: the answer was cut")
        return tuple(found)

    def set_port(self, port: str, before: PortSettings, after: PortSettings) -> tuple[Line, ...]:
        """The VLAN in its own view first, then the port's."""
        vlan, inside = _vlan(before, after), self.inside(before, after)
        typed = self.check_port(port)
        lines = [_VLANS, f"interface {typed}", *vlan, "exit", "exit"] if vlan else []
        lines += [f"interface {typed}", *inside] if inside else []
        if not lines:
            return ()
        return tuple(Line(line) for line in ("configure terminal", *lines, "end"))

    def inside(self, before: PortSettings, after: PortSettings) -> list[str]:
        """In the port's own view."""
        if before.poe != after.poe or before.trust != after.trust:
            raise CannotError(
                "how a ZTE switch is told about power over Ethernet or priorities is not known"
            )
        return [*_negotiation(before, after), *ios_like.enabled(before, after)]

    def _is_open(self, port: str, answers: Sequence[str]) -> bool:
        found = _STATE.match(answers[0].lstrip("\r\n")) if answers else None
        if found is None or not self.grammar.same(found[1], port):
            raise UnreadableError("the switch does not say whether the port is open")
        return found[2] != "administratively down"

    def _refused(self, answer: str) -> str:
        for refusal in self.refusals:
            if found := refusal.search(answer):
                return f"the switch refuses to show the port: {found[0].strip()[:SHOWN]!a}"
        return "the switch shows no configuration of the port"


def _negotiation(before: PortSettings, after: PortSettings) -> list[str]:
    """Speed and duplex can be set only where negotiation is off, as the manual has it (u)."""
    if wire(before) == wire(after):
        return []
    if after.negotiation:
        check_all_negotiated(after)
        return ["negotiation auto"]
    if not before.negotiation and (
        (before.speed_mbps is not None and after.speed_mbps is None)
        or (before.duplex is not None and after.duplex is None)
    ):
        raise CannotError("how one of speed and duplex alone is taken back is not known here")
    speed = [] if after.speed_mbps is None else [f"speed {after.speed_mbps:d}"]
    duplex = [] if after.duplex is None else [f"duplex {duplex_word(after.duplex)}"]
    # Half duplex is refused at the top rate: lower the rate first, raise it last.
    pair = [*speed, *duplex] if after.duplex is Duplex.HALF else [*duplex, *speed]
    return ["no negotiation auto", *pair]


def _vlan(before: PortSettings, after: PortSettings) -> list[str]:
    check_movable(before, after, frozenset({before.mode}))
    if before.access_vlan == after.access_vlan:
        return []
    if after.mode is not PortMode.ACCESS:
        raise CannotError(f"a {after.mode.value} port has no access VLAN to change")
    return [f"switchport access vlan {1 if after.access_vlan is None else after.access_vlan:d}"]
