"""Cisco IOS and IOS XE on Catalyst switches. What is typed is in force at once.

Where ``archive`` with a ``path`` is configured the switch itself goes back after some minutes
unless told otherwise ("Configuration Rollback Confirmed Change", 12.4(20)T and later; cisco.com,
system management configuration guides 12.2SX to 17.x; napalm-automation/napalm pull request 1538
enters, leaves and then changes as we do). Without it the switch answers ``%Turn config archive on
before using Rollback Confirmed Change``, so it is looked for first, and where it is missing the
way back is the inverse lines alone. When time is up IOS replaces the *whole* configuration by the
one of when the timer began, so the timer is ended with the undo too.

Other sources: ``speed nonegotiate``, ``power inline never|auto``, ``switchport``: command reference
Catalyst 2960-X; ``mls qos trust dscp``, ``priority-queue out``: "Configuring QoS", same series
(they mean nothing without the global ``mls qos``, which concerns every port and is therefore never
switched on here; IOS XE on Catalyst 3650 and later has none of the three); ``test cable-diagnostics
tdr``: "Checking port status and connectivity" of Catalyst 2960 and 9300, tables of results from
users' pages and from the parsers of CiscoTestAutomation/genieparser (u: 2960-X prints one row more
of columns). ``configure replace`` would put everything back, also what others changed meanwhile,
so it is not used. None of this was run on real hardware.

(u) = from one indirect source.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from drivers.cli.dialect import CableState, Change, Line, Meant, Pair, PortSettings
from drivers.cli.dialects import ios_like
from drivers.cli.dialects.common import SAVE_SECONDS, SHOW_SECONDS, wire
from drivers.cli.dialects.ios_like import IosLike
from drivers.cli.errors import UnreadableError
from drivers.cli.grammar import CISCO_IOS
from drivers.cli.reading import Vocabulary, rule
from tenone.vocabulary.intents import Dialect as Name
from tenone.vocabulary.intents import Intent

REVERT_MINUTES = 5
"""Apply, proof and hold have to fit in; IOS takes 1 to 120."""
ARCHIVE = "! archive"
"""Among a port's other lines: the switch can go back by itself."""
NO_QOS = "! no mls qos"
"""The same: trust would be configured and mean nothing."""
_ABOUT = "show running-config | include ^archive|^ path |^mls qos$"
_TDR_SECONDS = 8.0
_TRUST = ("mls qos trust dscp", "priority-queue out")
_REVERT = f"configure terminal revert timer {REVERT_MINUTES}"
_END_TIMER = Line("configure confirm", seconds=SHOW_SECONDS, optional=True)
"""Refused (``%No Rollback Confirmed Change pending``) where the timer has run out or never ran."""
_TDR = re.compile(r"(?:test|show) cable-diagnostics tdr interface (\S+)", re.ASCII)

_RULES = (
    rule(r"power inline never", poe="no"),
    rule(r"power inline auto", poe="yes"),
    rule(r"speed nonegotiate", negotiation="no", speed_mbps="-"),
)


class CiscoIos(IosLike):
    """See :class:`drivers.cli.dialect.Dialect`."""

    name = Name.CISCO_IOS
    device_type = "cisco_ios"
    refusals: tuple[re.Pattern[str], ...] = (ios_like.REFUSED, ios_like.REFUSED_IN_WORDS)
    hinders: Mapping[Intent, re.Pattern[str]] = MappingProxyType(
        {
            Intent.RESTORE_NEGOTIATION: re.compile(r"speed|duplex|media-type|channel-group"),
            Intent.CYCLE_POE: re.compile(r"power inline (?!consumption|port|police)"),
            Intent.EXAM_PRIORITY: re.compile(
                r"! no mls qos|mls qos|priority-queue|service-policy|auto qos|srr-queue"
            ),
            Intent.QUARANTINE: re.compile(
                r"switchport (?!nonegotiate|port-security|trunk|block|protected)|no switchport|"
                r"channel-group|authentication|access-session|dot1x|mab|ip address"
            ),
            Intent.RELEASE: re.compile(r"switchport (?:mode|private-vlan)|no switchport"),
        }
    )
    """Restricted offers (``speed auto 10 100``) and other forms of ``power inline`` would be lost;
    a voice VLAN, a trunk or a VLAN given by authentication goes past the quarantine."""

    grammar = CISCO_IOS
    section_rules = (
        *ios_like.SECTION_RULES,
        *_RULES,
        rule(r"no switchport", mode="routed"),
    )
    vocabulary = Vocabulary(
        enters=re.compile(r"interface (\S+)", re.ASCII),
        is_typed=CISCO_IOS.is_typed,
        rules=(
            *ios_like.TYPED_RULES,
            *_RULES,
            rule(r"no speed nonegotiate", negotiation="yes"),
            rule(r"mls qos trust dscp", trust="yes"),
            rule(r"priority-queue out"),
            rule(r"no priority-queue out"),
            rule(r"no mls qos trust", trust="no"),
        ),
        leaves=frozenset({"end", "exit"}),
        passing=re.compile(rf"configure terminal|{_REVERT}|configure confirm"),
        saves=frozenset({"write memory"}),
    )
    save_line = Line("write memory", (ios_like.CONFIRM,), SAVE_SECONDS)

    def show_port(self, port: str) -> tuple[Line, ...]:
        """The section, and what of the whole configuration decides how it can be changed."""
        about = Line(_ABOUT, seconds=SHOW_SECONDS, optional=True)
        return (*super().show_port(port), about)

    def read_port(self, port: str, answers: Sequence[str]) -> PortSettings:
        """Without ``switchport mode`` the two ends settle it (``dynamic auto``): unset."""
        settings = super().read_port(port, answers)
        other = settings.other
        trust = all(line in other for line in _TRUST)
        if trust:
            other = tuple(line for line in other if line not in _TRUST)
        return replace(settings, trust=trust, other=(*other, *self._about(answers[1:2])))

    def inside(self, before: PortSettings, after: PortSettings) -> list[str]:
        """Speed and VLAN first, whether the port is open last."""
        lines = [*_negotiation(before, after), *ios_like.access_vlan(before, after)]
        if before.poe != after.poe:
            lines.append("power inline auto" if after.poe else "power inline never")
        if before.trust != after.trust:
            lines += _TRUST if after.trust else ("no priority-queue out", "no mls qos trust")
        return [*lines, *ios_like.enabled(before, after)]

    def set_port(self, port: str, before: PortSettings, after: PortSettings) -> tuple[Line, ...]:
        """And where the switch can have a timer running, its end."""
        lines = super().set_port(port, before, after)
        return (*lines, _END_TIMER) if lines and ARCHIVE in before.other else lines

    def change(
        self, intent: Intent, port: str, before: PortSettings, after: PortSettings
    ) -> Change:
        """With the switch's own timer around it where it has one."""
        plain = super().change(intent, port, before, after)
        if ARCHIVE not in before.other or not plain.apply:
            return plain
        return replace(
            plain,
            prepare=(Line(_REVERT, seconds=SHOW_SECONDS), Line("end")),
            apply=tuple(line for line in plain.apply if line is not _END_TIMER),
            confirm=(replace(_END_TIMER, optional=False),),
            undo=(*(line for line in plain.undo if line is not _END_TIMER), _END_TIMER),
            revert_seconds=REVERT_MINUTES * 60.0,
        )

    def test_cable(self, port: str) -> tuple[Line, ...]:
        """The result is there some seconds after the test began; the link goes down meanwhile."""
        typed = self.check_port(port)
        return (
            Line(
                f"test cable-diagnostics tdr interface {typed}",
                (ios_like.YES_NO, ios_like.CONFIRM),
                pause=_TDR_SECONDS,
            ),
            Line(f"show cable-diagnostics tdr interface {typed}"),
        )

    def read_cable(self, answers: Sequence[str]) -> tuple[Pair, ...]:
        """One row a pair, two on 100 Mb/s ports."""
        return _read_tdr(answers[-1] if answers else "")

    def meant(self, lines: Sequence[str]) -> Meant:
        """By the table of rules; a cable test names its port in the line itself."""
        tested = {found[1] for line in lines if (found := _TDR.fullmatch(line))}
        named = {port for port in tested if CISCO_IOS.is_typed(port)}
        read = super().meant([line for line in lines if not _TDR.fullmatch(line)])
        return replace(
            read,
            ports=read.ports | tested,
            strange=(*read.strange, *sorted(tested - named)),
        )

    def _about(self, answers: Sequence[str]) -> tuple[str, ...]:
        answer = answers[0] if answers else ""
        if not answers or any(refusal.search(answer) for refusal in self.refusals):
            return ()  # not known: no timer, and whether trust means anything is not known either
        lines = [line.rstrip(" \r") for line in answer.split("\n")]
        said = []
        if "archive" in lines and any(line.startswith(" path ") for line in lines):
            said.append(ARCHIVE)
        if "mls qos" not in lines:
            said.append(NO_QOS)
        return tuple(said)


def _negotiation(before: PortSettings, after: PortSettings) -> list[str]:
    """Fibre ports have ``speed nonegotiate`` and know no ``duplex``."""
    silent = (False, None, None)
    was, will_be = wire(before), wire(after)
    if was == will_be:
        return []
    if will_be == silent:
        duplex = ["duplex auto"] if before.duplex is not None else []
        return ["speed nonegotiate", *duplex]
    if was == silent and will_be == (True, None, None):
        return ["no speed nonegotiate"]
    return ios_like.negotiation(before, after)


_TDR_ROW = re.compile(
    r"(?:\S+[ \t]+\S+[ \t]+)?Pair[ \t]+(?P<pair>[A-D])[ \t]+"
    r"(?P<length>\d{1,4}|N/A)(?:[ \t]*\+/-[ \t]*\d{1,3}[ \t]*m(?:eters)?)?[ \t]+"
    r"(?:Pair[ \t]+[A-D]|N/A|Invalid)[ \t]+(?P<state>\S.*)",
    re.ASCII,
)
_NUMBERED_ROW = re.compile(
    r"(?:\S+[ \t]+\S+[ \t]+)?(?P<pair>1-2|3-6|3-4|4-5|5-6|7-8)[ \t]+"
    r"(?P<length>\d{1,4}|N/A)(?:[ \t]*\+/-[ \t]*\d{1,3}[ \t]*m(?:eters)?)?[ \t]+"
    r"(?P<fault>\d{1,4}|N/A)(?:[ \t]*\+/-[ \t]*\d{1,3}[ \t]*m(?:eters)?)?[ \t]+"
    r"(?:Pair[ \t]+[A-D]|N/A|Invalid)[ \t]+(?P<state>\S.*)",
    re.ASCII,
)
_NUMBERED = {"1-2": "A", "3-6": "B", "3-4": "B", "4-5": "C", "5-6": "C", "7-8": "D"}
_STATES = (
    (re.compile(r"(?i)normal|terminated|ok\b"), CableState.OK),
    (re.compile(r"(?i)open"), CableState.OPEN),
    (re.compile(r"(?i)short"), CableState.SHORT),
    (re.compile(r"(?i)impedance|mismatch"), CableState.MISMATCH),
    (re.compile(r"(?i)cross"), CableState.CROSSTALK),
)
_MOST_PAIRS = 4


def _read_tdr(answer: str) -> tuple[Pair, ...]:
    """The rows of the table; raises :class:`UnreadableError` without any, or with one twice."""
    pairs: dict[str, Pair] = {}
    for line in answer.split("\n"):
        text = line.strip(" \t\r")
        found = _TDR_ROW.fullmatch(text) or _NUMBERED_ROW.fullmatch(text)
        if found is None:
            continue
        name = _NUMBERED.get(found["pair"], found["pair"])
        if name in pairs:
            raise UnreadableError(f"the cable test says twice how pair {name} is")
        fault = found.groupdict().get("fault") or "N/A"
        length = fault if fault != "N/A" else found["length"]
        pairs[name] = Pair(
            name,
            next((state for words, state in _STATES if words.match(found["state"])), _UNKNOWN),
            None if length == "N/A" else float(length),
        )
    if not pairs or len(pairs) > _MOST_PAIRS:
        raise UnreadableError("the cable test has no result")
    return tuple(pairs[name] for name in sorted(pairs))


_UNKNOWN = CableState.UNKNOWN
"""``Not Completed``, ``Not Supported``, ``Fail``."""
