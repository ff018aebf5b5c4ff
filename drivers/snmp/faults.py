"""The closed list of what agents get wrong about their ports, each with its sentence.

A value of ours may differ from what the agent says only for one of these reasons, and then
the finding quotes the object and the raw value.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from drivers.snmp.ber import Oid, oid_text

NAMES_IN_A_NOTE = 5


class AgentFault(Enum):
    """``code`` for programs and tables, ``sentence`` for people."""

    SPEED_SATURATED = (
        "speed-saturated",
        "ifSpeed is saturated at 4294967295 and there is no ifHighSpeed: the speed is unknown",
    )
    SPEED_WRAPPED = (
        "speed-wrapped",
        "The speed was cut to 32 bits and is implausible: it is taken as unknown",
    )
    SPEED_IN_MBPS = (
        "speed-in-mbps",
        "ifSpeed holds Mb/s where b/s belong: it is not used",
    )
    HIGH_SPEED_IMPLAUSIBLE = (
        "high-speed-implausible",
        "ifHighSpeed is no speed in Mb/s: it is taken as unknown",
    )
    HIGH_SPEED_ZERO = (
        "high-speed-zero",
        "ifHighSpeed is 0 although ifSpeed is not: ifSpeed is used",
    )
    SPEEDS_DISAGREE = (
        "speeds-disagree",
        "ifSpeed and ifHighSpeed say different things: ifHighSpeed is used",
    )
    SPEED_BELOW_ONE_MBPS = (
        "speed-below-1-mbps",
        "The speed is under 1 Mb/s, which is not told apart from 0: it is taken as unknown",
    )
    NO_SPEED_WHILE_UP = (
        "no-speed-while-up",
        "The port is up and reports no speed: it is taken as unknown",
    )
    HALF_DUPLEX_AT_GIGABIT = (
        "half-duplex-at-gigabit",
        "Half duplex is claimed at 1 Gb/s or more, which does not exist: it is taken as unknown",
    )
    DUPLEX_INVALID = (
        "duplex-invalid",
        "dot3StatsDuplexStatus is none of unknown(1), half(2), full(3): it is taken as unknown",
    )
    ADMIN_INVALID = (
        "admin-invalid",
        "ifAdminStatus is none of up(1), down(2), testing(3): it is taken as unknown",
    )
    OPER_INVALID = (
        "oper-invalid",
        "ifOperStatus is not within 1 to 7: it is taken as unknown",
    )
    HC_STUCK = (
        "hc-stuck",
        "A 64-bit counter stands still while its 32-bit twin moves",
    )
    DUPLICATE_NAME = (
        "duplicate-name",
        "Several ports have the same name: each is told apart by its ifIndex",
    )
    NAMES_SWAPPED = (
        "names-swapped",
        "Ports have exchanged their names and nothing else: each name is followed",
    )
    LAST_CHANGE_IN_FUTURE = (
        "last-change-in-future",
        "ifLastChange is later than sysUpTime (which wraps after 497 days): its age is unknown",
    )
    WRONG_TYPE = (
        "wrong-type",
        "A value is of a type its object does not have: it is taken as unknown",
    )
    WALK_CUT = (
        "walk-cut",
        "A table could not be read to its end: what was not read is unknown",
    )

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence


class AccessFinding(Enum):
    """What is found about our way in while a switch's credential is being replaced."""

    OLD_CREDENTIAL = (
        "old-credential-in-use",
        "The next credential is not taken yet, the old one still in use: set it on the switch",
    )
    NEW_CREDENTIAL = (
        "new-credential-works",
        "The next credential works and is the only one used: promote it in the vault",
    )
    OLD_LOGIN = (
        "old-login-in-use",
        "The next password of the command line is not in use yet: set it on the switch",
    )
    NEW_LOGIN = (
        "new-login-works",
        "The next password of the command line works and is the only one used: promote it",
    )

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence


Fault: TypeAlias = AgentFault | AccessFinding


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found: where, and what the agent said. ``oid`` is empty where none is meant."""

    fault: Fault
    oid: Oid
    raw: str
    port: str | None = None

    @property
    def evidence(self) -> str:
        """``1.3.6.1.2.1.2.2.1.5.7 = 4294967295``."""
        return f"{oid_text(self.oid)} = {self.raw}" if self.oid else self.raw


def notes(findings: Iterable[Finding]) -> list[str]:
    """One sentence a fault: what is wrong, on which ports, and the first piece of evidence."""
    by_fault: dict[Fault, list[Finding]] = {}
    for finding in findings:
        by_fault.setdefault(finding.fault, []).append(finding)
    return [_note(fault, found) for fault, found in by_fault.items()]


def _note(fault: Fault, found: list[Finding]) -> str:
    ports = list(dict.fromkeys(finding.port for finding in found if finding.port is not None))
    # Sentences may begin with an object's name, which keeps its spelling.
    text = fault.sentence
    if ports:
        named = ", ".join(ports[:NAMES_IN_A_NOTE])
        more = f" and {len(ports) - NAMES_IN_A_NOTE} more" if len(ports) > NAMES_IN_A_NOTE else ""
        text += f" ({named}{more})"
    return f"{text}. [{fault.code}: {found[0].evidence}]"
