"""H3C and HPE Comware 5 and 7. What is typed is in force at once; Comware 7 can go back by itself.

Before a change ``configuration commit delay`` is asked for: unless ``configuration commit`` comes
in time, the switch goes back by itself. Comware 5 does not know it and refuses; then the way back
is the inverse lines alone. With them the timer is ended too, for when it runs out the switch
replaces its *whole* configuration by the one of when it began. For the same reason ``save F.cfg``
and ``configuration replace file F.cfg`` are not used for one port: they would take back what others
changed meanwhile; they are what a person has left where a port is stuck.

Sources, none of it run on real hardware:

- ``configuration commit [delay minutes]``: HPE 5510 HI "Fundamentals", page 97 (Release 1121 and
  later); ``configuration replace file``, ``save force``: H3C S6800 d_202106/1416417;
- ``speed``, ``duplex``, ``shutdown``, ``virtual-cable-test``: H3C "Ethernet interface
  configuration" d_201905/1178431 and its command reference (u: what the test prints differs by
  release: one line ``Cable status: abnormal(open), 7 metres`` for the whole cable, or pairs);
- ``port access vlan``, ``port link-type``: H3C "VLAN commands"; access by default;
- ``poe enable``: H3C "PoE commands"; off unless it is configured;
- ``qos trust dscp``: H3C S6300 "ACL and QoS" d_201906/1192751. How queues are served is as
  configured: no line here touches it.

(u) = from one indirect source, or known to differ by release.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from drivers.cli.dialect import CableState, Change, Line, Pair, PortMode, PortSettings
from drivers.cli.dialects.bracketed import (
    COMMON_RULES,
    ENTERS,
    Bracketed,
    in_order,
    on_or_off,
)
from drivers.cli.dialects.common import (
    CABLE_FAULTS,
    SAVE_SECONDS,
    check_all_negotiated,
    check_movable,
    check_something_forced,
    duplex_word,
    wire,
)
from drivers.cli.errors import UnreadableError
from drivers.cli.grammar import COMWARE
from drivers.cli.reading import Rule, Vocabulary, rule
from tenone.vocabulary.intents import Dialect as Name
from tenone.vocabulary.intents import Intent

DELAY_MINUTES = 5
"""Apply, proof and the longest hold (60 s) have to fit in; Comware takes 1 to 65535."""
_DELAY = f"configuration commit delay {DELAY_MINUTES}"
_COMMIT = "configuration commit"
_LOOP = r"loopback(?![-\w])"
"""A test; ``loopback-detection`` is none."""
_SYSTEM, _RETURN = Line("system-view"), Line("return")

_SECTION_RULES: tuple[Rule, ...] = (
    *COMMON_RULES,
    rule(r"speed ([1-9]\d{1,5})", negotiation="no", speed_mbps="@"),
    rule(r"duplex (full|half)", negotiation="no", duplex="@"),
    rule(r"speed auto", speed_mbps="-"),
    rule(r"duplex auto", duplex="-"),
    rule(r"port access vlan ([1-9]\d{0,3})", access_vlan="@"),
    rule(r"port link-mode bridge"),
    rule(r"port link-mode route", mode="routed"),
    rule(r"qos trust dscp", trust="yes"),
)
_TYPED_RULES: tuple[Rule, ...] = (
    # "speed auto" is typed only where "duplex auto" follows; else it is "undo speed".
    rule(r"speed auto", negotiation="yes", speed_mbps="-"),
    rule(r"undo speed", speed_mbps="-"),
    rule(r"undo duplex", duplex="-"),
    rule(r"undo port access vlan", access_vlan="-"),
    rule(r"undo qos trust", trust="no"),
    rule(r"virtual-cable-test"),
    *(each for each in _SECTION_RULES if "link-mode" not in each.pattern.pattern),
)


class Comware(Bracketed):
    """See :class:`drivers.cli.dialect.Dialect`."""

    name = Name.COMWARE
    device_type = "hp_comware"
    refusals: tuple[re.Pattern[str], ...] = (
        re.compile(r"(?m)^[ \t]*%[ ]+\S.*"),
        re.compile(
            r"(?mi)^[ \t]*(?:error\b|failed to|invalid|the specified|please configure|"
            r"this port does not|no delayed|half duplex is not|operation failed|permission denied)"
            r".*"
        ),
    )
    """A log line has no blank behind its percent sign: "%Nov 22 10:00:00:000 2026 H3C IFNET/3/"."""
    quiet: tuple[Line, ...] = (
        Line("screen-length disable"),
        Line("undo terminal monitor", optional=True),
    )
    hinders: Mapping[Intent, re.Pattern[str]] = MappingProxyType(
        {
            Intent.RESTORE_NEGOTIATION: re.compile(rf"speed|duplex|port link-aggregation|{_LOOP}"),
            Intent.BOUNCE_PORT: re.compile(_LOOP),
            Intent.QUARANTINE: re.compile(
                r"dot1x|mac-authentication|web-auth|port-security|portal|"
                r"port (?!priority|auto-power)|voice-vlan|mac-vlan|ip-subnet-vlan|protocol-vlan|"
                r"vlan|qinq|ip(?:v6)? address|private-vlan"
            ),
            Intent.RELEASE: re.compile(r"port (?!priority|auto-power)|voice-vlan|private-vlan"),
            Intent.EXAM_PRIORITY: re.compile(r"qos trust|undo qos trust|port link-aggregation"),
            Intent.CABLE_DIAGNOSIS: re.compile(_LOOP),
        }
    )
    """Restricted offers of speeds (``speed auto 10 100``) would be overwritten; a VLAN given by
    authentication, by MAC address or for telephones goes past the quarantine."""
    grammar = COMWARE
    vocabulary = Vocabulary(
        enters=ENTERS,
        is_typed=COMWARE.is_typed,
        rules=_TYPED_RULES,
        leaves=frozenset({"quit", "return"}),
        passing=re.compile(rf"system-view|{_DELAY}|{_COMMIT}"),
        saves=frozenset({"save force"}),
    )
    start = PortSettings(poe=False)

    def section_rules(self, lines: Sequence[str]) -> tuple[Rule, ...]:
        """Whatever the lines are."""
        del lines
        return _SECTION_RULES

    def inside(self, before: PortSettings, after: PortSettings) -> tuple[str, ...]:
        """Speed, VLAN, priority, power, and last the port itself."""
        lines: list[str] = []
        if wire(before) != wire(after):
            lines += _negotiation(after)
        if before.mode is not after.mode or before.access_vlan != after.access_vlan:
            check_movable(before, after, frozenset({PortMode.ACCESS}))
            lines.append(
                "undo port access vlan"
                if after.access_vlan is None
                else f"port access vlan {after.access_vlan:d}"
            )
        if before.trust != after.trust:
            lines.append("qos trust dscp" if after.trust else "undo qos trust")
        return (*lines, *on_or_off(before, after))

    def for_good(self, lines: tuple[Line, ...]) -> tuple[Line, ...]:
        """A timer that may run is ended."""
        if not lines:
            return ()
        return (*lines[:-1], Line("quit"), Line(_COMMIT, optional=True), lines[-1])

    def change(
        self, intent: Intent, port: str, before: PortSettings, after: PortSettings
    ) -> Change:
        """Behind the switch's own timer, where it has one."""
        return replace(
            super().change(intent, port, before, after),
            prepare=(_SYSTEM, Line(_DELAY, optional=True), _RETURN),
            confirm=(_SYSTEM, Line(_COMMIT, optional=True), _RETURN),
            revert_seconds=DELAY_MINUTES * 60.0,
        )

    def save(self) -> tuple[Line, ...]:
        """Without a question."""
        return (Line("save force", seconds=SAVE_SECONDS),)

    def read_cable(self, answers: Sequence[str]) -> tuple[Pair, ...]:
        """Pairs where they are told apart, else the cable as a whole."""
        for answer in answers:
            pairs = _PAIR.findall(answer)
            if pairs:
                return _pairs(pairs)
            whole = _CABLE.findall(answer)
            if len(whole) == 1:
                mismatch = _MISMATCH.search(answer) is not None
                return (_pair("cable", *whole[0], mismatch=mismatch),)
        raise UnreadableError("the cable test has no result")


def _negotiation(after: PortSettings) -> list[str]:
    if after.negotiation:
        check_all_negotiated(after)
        return ["speed auto", "duplex auto"]
    check_something_forced(after)
    speed = "undo speed" if after.speed_mbps is None else f"speed {after.speed_mbps:d}"
    duplex = f"duplex {duplex_word(after.duplex)}" if after.duplex else "undo duplex"
    return in_order(speed, duplex, after)


_FOUND = r"(normal|abnormal ?\(([a-z -]+)\)|[a-z]+)(?:, ?(\d{1,4}(?:\.\d)?) ?m[a-z()]*)?[ \t]*\r?$"
_PAIR = re.compile(rf"(?mi)^[ \t]*Pair ([A-D]):[ \t]*{_FOUND}")
_CABLE = re.compile(rf"(?mi)^[ \t]*Cable status:[ \t]*{_FOUND}")
_MISMATCH = re.compile(r"(?mi)^[ \t]*Pair impedance mismatch:[ \t]*yes[ \t]*\r?$")
_STATES = {
    "normal": CableState.OK,
    **CABLE_FAULTS,
}


def _pairs(found: Sequence[tuple[str, str, str, str]]) -> tuple[Pair, ...]:
    names = [name.upper() for name, *_ in found]
    if len(set(names)) != len(names):
        raise UnreadableError("the cable test speaks of one pair twice")
    return tuple(_pair(name.upper(), *rest) for name, *rest in found)


def _pair(name: str, word: str, kind: str, metres: str, *, mismatch: bool = False) -> Pair:
    state = _STATES.get((kind or word).strip().lower(), CableState.UNKNOWN)
    if mismatch and state is CableState.OK:
        state = CableState.MISMATCH
    return Pair(name, state, float(metres) if metres else None)
