"""What Huawei's VRP5 and VRP8 have in common: views, sections, questions, the cable test.

None of it was run on real hardware. Sources:

- views, ``system-view``, ``interface``, ``quit``, ``return``; ``display current-configuration
  interface``; ``screen-length 0 temporary``; ``undo terminal monitor``: S-series "CLI overview",
  and "Basic configuration commands";
- ``negotiation auto``, ``speed``, ``duplex``: support.huawei.com EDOC1100097998 (S5700
  auto-negotiation: speed and duplex are refused while it is on, and leaving it gives the top rate),
  and the command pages of S-series and NE8000;
- ``shutdown``: the same chapter, for the far end;
- ``port link-type``, ``port default vlan``: S-series "VLAN configuration commands"; setting the
  link type asks "This command will delete VLANs on this port. Continue?[Y/N]" and takes some
  seconds (three sessions in public repositories, one of them recorded live; others do not ask);
- ``poe enable``: S-series "PoE configuration commands", on by default (``poe power-off interface``
  works only where power is managed by hand, so it is not typed); switching it off asks "This
  operation will power off the PD connected to this port. Continue? [Y/N]" on newer series (a
  session in a public repository; older ones do not ask);
- ``trust dscp``: S-series "Priority mapping commands", "trust" (a10.tagan.ru/huawei/dc/trust.html):
  it is taken back by ``undo trust dscp`` on S2720, S5720-LI, -SI, S6720-LI, -SI and their like, by
  ``undo trust`` on the others, so both are typed and one is refused (u: NE and W boards have other
  words). How the queues are then served is as configured: no line here touches it;
- ``virtual-cable-test``: S-series "Ethernet interface commands"; its answer is a recorded one;
- ``save`` and its questions: S-series "Configuration management" (u: wording differs by release,
  so the questions are matched loosely).

(u) = from one indirect source, or known to differ by series.
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from drivers.cli.dialect import CableState, Line, Pair, PortMode, PortSettings
from drivers.cli.dialects.bracketed import COMMON_RULES, Bracketed, in_order, on_or_off
from drivers.cli.dialects.common import (
    CABLE_FAULTS,
    check_all_negotiated,
    check_movable,
    duplex_word,
    wire,
)
from drivers.cli.errors import CannotError, UnreadableError
from drivers.cli.reading import Rule, rule
from tenone.vocabulary.intents import Intent

SECTION_RULES: tuple[Rule, ...] = (
    *COMMON_RULES,
    rule(r"negotiation auto", negotiation="yes", speed_mbps="-", duplex="-"),
    rule(r"undo negotiation auto", negotiation="no"),
    rule(r"port default vlan ([1-9]\d{0,3})", access_vlan="@"),
    rule(r"undo portswitch", mode="routed"),
    rule(r"trust dscp", trust="yes"),
)
"""Beside speed and duplex, which count only where negotiation is off."""
FORCED_RULES: tuple[Rule, ...] = (
    rule(r"speed ([1-9]\d{1,5})", speed_mbps="@"),
    rule(r"duplex (full|half)", duplex="@"),
)
TYPED_RULES: tuple[Rule, ...] = (
    *SECTION_RULES,
    *FORCED_RULES,
    rule(r"undo speed", speed_mbps="-"),
    rule(r"undo duplex", duplex="-"),
    rule(r"undo port default vlan", access_vlan="-"),
    rule(r"undo trust(?: dscp)?", trust="no"),
    rule(r"virtual-cable-test"),
)

_AUTHENTICATES = r"dot1x|mac-authen|authentication|web-auth"
_VLANS = (
    r"port (?!default|isolate|priority|crc)|voice-?\s?vlan|mac-vlan|ip-subnet-vlan|protocol-vlan|"
    r"vlan-|qinq|mux-vlan|port-mux|dfs-group|undo portswitch|ip(?:v6)? address"
)
_STICKY = "port-security mac-address"
_LOOP = r"loopback(?![-\w])"
HINDERS: Mapping[Intent, re.Pattern[str]] = MappingProxyType(
    {
        Intent.RESTORE_NEGOTIATION: re.compile(
            rf"auto (?:speed|duplex)|speed|duplex|negotiation|undo negotiation|eth-trunk|{_LOOP}"
        ),
        Intent.BOUNCE_PORT: re.compile(_LOOP),
        Intent.QUARANTINE: re.compile(rf"{_AUTHENTICATES}|{_VLANS}|{_STICKY}|eth-trunk"),
        Intent.RELEASE: re.compile(rf"{_VLANS}|{_STICKY}|eth-trunk"),
        Intent.EXAM_PRIORITY: re.compile(r"trust|undo trust|eth-trunk"),
        Intent.CABLE_DIAGNOSIS: re.compile(_LOOP),
    }
)
"""Restricted offers of speeds (``auto speed 10 100``) survive ``negotiation auto``; a VLAN given by
authentication, by MAC address or for telephones goes past the quarantine; ``trust 8021p`` would be
overwritten, learned addresses of ``port-security`` would go with the VLAN; what is part of an
Eth-Trunk is set on the trunk. ``loopback internal`` is a test, ``loopback-detect`` is none."""


_DISTRUST = ["undo trust dscp", "undo trust"]


class Vrp(Bracketed):
    """What both versions type and read."""

    refusals: tuple[re.Pattern[str], ...] = (re.compile(r"(?m)^[ \t]*Error:.*"),)
    """VRP answers "Info:" and "Warning:" for what it did take."""
    quiet: tuple[Line, ...] = (
        Line("screen-length 0 temporary"),
        Line("undo terminal monitor", optional=True),
    )
    hinders: Mapping[Intent, re.Pattern[str]] = HINDERS
    varying = frozenset(_DISTRUST)
    asking = re.compile(r"(?:undo )?port link-type.*|undo poe enable")
    movable = frozenset({PortMode.ACCESS})
    """What software makes of each other."""

    def section_rules(self, lines: Sequence[str]) -> tuple[Rule, ...]:
        """Speed and duplex are forced ones only where the port does not negotiate."""
        if "undo negotiation auto" in lines:
            return (*SECTION_RULES, *FORCED_RULES)
        return SECTION_RULES

    def inside(self, before: PortSettings, after: PortSettings) -> tuple[str, ...]:
        """Speed, VLAN, priority, power, and last the port itself."""
        lines: list[str] = []
        if wire(before) != wire(after):
            lines += _negotiation(after)
        if (before.mode, before.access_vlan) != (after.mode, after.access_vlan):
            check_movable(before, after, self.movable)
            lines += _vlan(before, after)
        if before.trust != after.trust:
            lines += ["trust dscp"] if after.trust else _DISTRUST
        return (*lines, *on_or_off(before, after))

    def read_cable(self, answers: Sequence[str]) -> tuple[Pair, ...]:
        """Four pairs with a state and a length each."""
        return read_cable(answers)


def _negotiation(after: PortSettings) -> list[str]:
    if after.negotiation:
        check_all_negotiated(after)
        return ["negotiation auto"]
    speed = "undo speed" if after.speed_mbps is None else f"speed {after.speed_mbps:d}"
    duplex = f"duplex {duplex_word(after.duplex)}" if after.duplex else "undo duplex"
    return ["undo negotiation auto", *in_order(speed, duplex, after)]


def _vlan(before: PortSettings, after: PortSettings) -> list[str]:
    vlan = (
        "undo port default vlan"
        if after.access_vlan is None
        else f"port default vlan {after.access_vlan:d}"
    )
    if after.mode is before.mode:
        return [vlan]
    if after.mode is PortMode.ACCESS:
        return ["port link-type access", vlan]
    if after.access_vlan is not None:
        raise CannotError("a port without a link type has no access VLAN on this switch")
    return ["undo port default vlan", "undo port link-type"]


_LENGTH = re.compile(r"(?mi)^[ \t]*Pair ([A-D]) length:[ \t]*(\S[^\r\n]*?)[ \t]*\r?$")
_STATE = re.compile(r"(?mi)^[ \t]*Pair ([A-D]) state:[ \t]*(\S[^\r\n]*?)[ \t]*\r?$")
_METRES = re.compile(r"(?i)(\d{1,4}(?:\.\d{1,2})?) ?m(?:et(?:er|re)s?(?:\(s\))?)?")
_STATES = {
    "ok": CableState.OK,
    "normal": CableState.OK,
    **CABLE_FAULTS,
}
_PAIRS = ("A", "B", "C", "D")


def read_cable(answers: Sequence[str]) -> tuple[Pair, ...]:
    """Four pairs with a state and a length each; :class:`UnreadableError` for anything else."""
    for answer in answers:
        states = dict(_STATE.findall(answer))
        if not states:
            continue
        lengths = dict(_LENGTH.findall(answer))
        if len(_STATE.findall(answer)) != len(_PAIRS) or set(states) != set(_PAIRS):
            raise UnreadableError("the cable test does not say the state of four pairs")
        return tuple(
            Pair(
                name,
                _STATES.get(states[name].lower(), CableState.UNKNOWN),
                _metres(lengths.get(name, "")),
            )
            for name in _PAIRS
        )
    raise UnreadableError("the cable test has no result")


def _metres(text: str) -> float | None:
    found = _METRES.fullmatch(text)
    return None if found is None else float(found[1])
