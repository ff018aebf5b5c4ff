"""Reports: how an agent says why it did not take a message, and what that means for a person.

A report carries a counter of the agent's, which is never a value of ours.
"""

from enum import Enum
from typing import NamedTuple

from drivers.snmp.ber import Oid, oid_text
from drivers.snmp.errors import (
    NotInTimeWindow,
    SecurityError,
    UnknownContext,
    UnknownEngine,
    UnknownUser,
    UnsupportedLevel,
    WrongAuthPassword,
    WrongPrivPassword,
)
from drivers.snmp.v3.user import User

_USM_STATS = (1, 3, 6, 1, 6, 3, 15, 1, 1)
"""usmStats (RFC 3414 section 5)."""
_MPD_STATS = (1, 3, 6, 1, 6, 3, 11, 2, 1)
"""snmpMPDStats (RFC 3412 section 5)."""
_TARGET = (1, 3, 6, 1, 6, 3, 12, 1)
"""snmpUnavailableContexts, snmpUnknownContexts (RFC 3413 section 4.1.2)."""


class Why(Enum):
    """The counters an agent reports by, without their instance 0."""

    UNSUPPORTED_LEVEL = (*_USM_STATS, 1)
    NOT_IN_TIME = (*_USM_STATS, 2)
    UNKNOWN_USER = (*_USM_STATS, 3)
    UNKNOWN_ENGINE = (*_USM_STATS, 4)
    WRONG_DIGEST = (*_USM_STATS, 5)
    DECRYPTION = (*_USM_STATS, 6)
    UNKNOWN_MODEL = (*_MPD_STATS, 1)
    INVALID = (*_MPD_STATS, 2)
    UNKNOWN_HANDLER = (*_MPD_STATS, 3)
    UNAVAILABLE_CONTEXT = (*_TARGET, 4)
    UNKNOWN_CONTEXT = (*_TARGET, 5)


_BY_NAME = {why.value: why for why in Why}


class Report(NamedTuple):
    """What a report said; ``authentic``: it was signed with the user's key."""

    why: Why | None
    name: Oid
    engine_id: bytes
    boots: int
    time: int
    authentic: bool


def why_of(name: Oid) -> Why | None:
    """Which counter ``name`` is an instance of; None for an unknown one."""
    return _BY_NAME.get(name[:-1]) or _BY_NAME.get(name)


_MEANINGS: dict[Why, tuple[type[SecurityError], str]] = {
    Why.UNKNOWN_USER: (
        UnknownUser,
        "knows no SNMPv3 user {name!r}: check the name, or make the user on the switch",
    ),
    Why.WRONG_DIGEST: (
        WrongAuthPassword,
        (
            "rejects the authentication of {name!r}: the auth password is wrong, or the switch "
            "uses another protocol than {auth}"
        ),
    ),
    Why.DECRYPTION: (
        WrongPrivPassword,
        (
            "cannot decrypt what {name!r} sends: the priv password is wrong, or the switch uses "
            "another protocol than {priv}"
        ),
    ),
    Why.UNSUPPORTED_LEVEL: (
        UnsupportedLevel,
        (
            "does not let {name!r} ask by {level} ({auth} authentication, {priv} encryption): use "
            "the level the switch has for this user"
        ),
    ),
    Why.NOT_IN_TIME: (
        NotInTimeWindow,
        (
            "keeps disagreeing about its own clock (boots {boots}, {time} s): its SNMP "
            "engine does not keep its time"
        ),
    ),
    Why.UNKNOWN_ENGINE: (
        UnknownEngine,
        "keeps saying that its engine id is another one than it said before",
    ),
    Why.UNKNOWN_CONTEXT: (UnknownContext, "has no SNMPv3 context {context!r}"),
    Why.UNAVAILABLE_CONTEXT: (UnknownContext, "does not have SNMPv3 context {context!r} just now"),
}


def error_of(report: Report, user: User, label: str) -> SecurityError:
    """The report as an error with one sentence for a person."""
    if report.why is None or report.why not in _MEANINGS:
        said = oid_text(report.name) if report.why is None else report.why.name.lower()
        return SecurityError(f"{label} rejected an SNMPv3 message with the report {said or 'none'}")
    kind, sentence = _MEANINGS[report.why]
    said = sentence.format(
        name=user.name,
        level=user.level,
        auth=user.auth.text if user.auth is not None else "no",
        priv=user.priv.text if user.priv is not None else "no",
        context=user.context,
        boots=report.boots,
        time=report.time,
    )
    return kind(f"{label} {said}")
