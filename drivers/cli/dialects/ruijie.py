"""Ruijie RGOS (S29 to S57 series, 10.4 to 12). What is typed is in force at once.

Nothing was found that makes these switches go back by themselves: the way back is the inverse
lines. None of this was run on real hardware. Sources: "Configuring interfaces", "Configuring PoE",
"Configuring QoS" and "Configuring VLAN" of the RG-S29 series (RGOS 10.4 and 11.4); ``speed auto``,
``duplex auto``, ``mls qos trust dscp`` (u); ``poe enable``, on by default (u); ``line-detect`` in
the port's view, with the table it prints (u: older manuals spell "cable-daignoses"); ``write``:
"Basic management", and netmiko's ruijie_os. A port is an access port unless its section says
otherwise. How queues are served is as configured, as on Huawei.

(u) = from general knowledge or one indirect source: a line that a series does not know is refused
by the switch, which is seen, and what was set before it is taken back.
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from drivers.cli.dialect import CableState, Line, Pair, PortMode, PortSettings
from drivers.cli.dialects import ios_like
from drivers.cli.dialects.common import CABLE_FAULTS, CABLE_SECONDS, SAVE_SECONDS
from drivers.cli.dialects.ios_like import IosLike
from drivers.cli.errors import UnreadableError
from drivers.cli.grammar import RUIJIE
from drivers.cli.reading import Vocabulary, rule
from tenone.vocabulary.intents import Dialect as Name
from tenone.vocabulary.intents import Intent

_RULES = (
    rule(r"poe enable", poe="yes"),
    rule(r"no poe enable", poe="no"),
    rule(r"mls qos trust dscp", trust="yes"),
)


class Ruijie(IosLike):
    """See :class:`drivers.cli.dialect.Dialect`."""

    name = Name.RUIJIE
    device_type = "ruijie_os"
    refusals: tuple[re.Pattern[str], ...] = (ios_like.REFUSED, ios_like.REFUSED_IN_WORDS)
    hinders: Mapping[Intent, re.Pattern[str]] = MappingProxyType(
        {
            Intent.RESTORE_NEGOTIATION: re.compile(
                r"speed|duplex|negotiation|medium-type|port-group|aggregateport"
            ),
            Intent.EXAM_PRIORITY: re.compile(r"mls qos trust|service-policy"),
            Intent.QUARANTINE: re.compile(
                r"switchport (?!port-security|protected|trunk)|no switchport|port-group|dot1x|"
                r"web-auth|mac-auth|voice vlan|ip address"
            ),
            Intent.RELEASE: re.compile(r"switchport mode|no switchport"),
        }
    )
    """``mls qos trust cos`` would be overwritten; what is part of an aggregate port is set there; a
    VLAN given by authentication or for telephones goes past the quarantine."""

    grammar = RUIJIE
    start = PortSettings(mode=PortMode.ACCESS)
    section_rules = (*ios_like.SECTION_RULES, *_RULES, rule(r"no switchport", mode="routed"))
    vocabulary = Vocabulary(
        enters=re.compile(r"interface (\S+ \S+)", re.ASCII),
        is_typed=RUIJIE.is_typed,
        rules=(
            *ios_like.TYPED_RULES,
            *_RULES,
            rule(r"no mls qos trust", trust="no"),
            rule(r"line-detect"),
        ),
        leaves=frozenset({"end", "exit"}),
        passing=re.compile(r"configure terminal"),
        saves=frozenset({"write"}),
    )
    end_is_shown = False
    save_line = Line("write", (ios_like.CONFIRM,), SAVE_SECONDS)

    def inside(self, before: PortSettings, after: PortSettings) -> list[str]:
        """Speed and VLAN first, whether the port is open last."""
        lines = [*ios_like.negotiation(before, after), *ios_like.access_vlan(before, after)]
        if before.poe != after.poe:
            lines.append("poe enable" if after.poe else "no poe enable")
        if before.trust != after.trust:
            lines.append("mls qos trust dscp" if after.trust else "no mls qos trust")
        return [*lines, *ios_like.enabled(before, after)]

    def test_cable(self, port: str) -> tuple[Line, ...]:
        """In the port's view; the link goes down meanwhile."""
        return self.in_port(port, (Line("line-detect", (ios_like.YES_NO,), CABLE_SECONDS),))

    def read_cable(self, answers: Sequence[str]) -> tuple[Pair, ...]:
        """A row a pair: letter, state, metres."""
        return _read_table(answers)


_ROW = re.compile(r"(?P<pair>[A-D])[ \t]+(?P<state>[A-Za-z]+)(?:[ \t]+(?P<metres>\d{1,4}|-+))?")
_STATES = {
    "ok": CableState.OK,
    "normal": CableState.OK,
    **CABLE_FAULTS,
}


def _read_table(answers: Sequence[str]) -> tuple[Pair, ...]:
    """Two pairs or four; raises :class:`UnreadableError` for none, or one told twice."""
    pairs: dict[str, Pair] = {}
    for line in "\n".join(answers).split("\n"):
        found = _ROW.fullmatch(line.strip(" \t\r"))
        if found is None:
            continue
        if found["pair"] in pairs:
            raise UnreadableError(f"the cable test says twice how pair {found['pair']} is")
        metres = found["metres"] or "-"
        pairs[found["pair"]] = Pair(
            found["pair"],
            _STATES.get(found["state"].lower(), CableState.UNKNOWN),
            float(metres) if metres.isdecimal() else None,
        )
    if not pairs:
        raise UnreadableError("the cable test has no result")
    return tuple(pairs[name] for name in sorted(pairs))
