"""What keepers of machines look at beside the list: authorities, revocation list, refusals, cuts.

No I/O, no clock. Moments are seconds of the epoch.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from controller.trust.authorities import Authorities
from controller.trust.ca import DAY, TOLD_BELOW, CaError
from controller.trust.crl import CrlKeeper
from controller.trust.registry import Machine, MachineState
from tenone.trust.names import MachineKind

_NS = 1_000_000_000
KEPT_SECONDS = 86_400
"""How long a refusal is shown."""
MOST_REFUSALS = 500
MOST_WORDS = 500
MOST_FINDING = 500
"""Characters of what a gateway says: a person reads it, and a machine may send a book."""
LOW_SECONDS = 3 * DAY
"""A list of revoked certificates with less left than this was not written for four days."""


class CutState(StrEnum):
    """What is known of a revoked machine's live session."""

    CUT = "cut"
    """The broker has carried the order out."""
    BARRED = "barred"
    """The broker's lists were read since: its account has no rights and no session goes on."""
    WAITING = "waiting"
    """The order was not carried out yet; it is tried again."""
    UNKNOWN = "unknown"
    """Nobody here keeps the accounts of the broker it is connected to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What this controller knows of the session; never more."""

    state: CutState
    at: float | None = None
    """When the broker carried it out."""
    why: str = ""
    """What holds it up, English, for whoever runs the controller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An enrolment or renewal that was refused."""

    at: float
    act: str
    """As the ledger calls it: ``machine.enrol``, ``machine.renew``."""
    code: str
    client: str
    machine: str
    """Whose certificate was shown; empty: nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What a gateway itself says of its certificate."""

    at: float
    text: str


class Memory:
    """What was refused and said lately; a restart forgets it, the ledger does not."""

    def __init__(self, since: float = 0.0) -> None:
        self.since = since
        """From when on it is remembered."""
        self._refusals: deque[Refusal] = deque(maxlen=MOST_REFUSALS)
        self._words: dict[str, Word] = {}

    def refused(self, one: Refusal) -> None:
        """Remember a refusal."""
        self._refusals.append(one)

    def said(self, school: str, word: Word) -> None:
        """Remember what a school's gateway says; an empty text: nothing is wrong."""
        if word.text:
            self._words[school] = word
        else:
            self._words.pop(school, None)

    def refusals(self, now: float) -> list[Refusal]:
        """Those of the last day, newest first."""
        return [one for one in reversed(self._refusals) if now - one.at <= KEPT_SECONDS]

    def word(self, machine: Machine) -> Word | None:
        """What its gateway said last, if that was of the certificate it has now."""
        name, newest = machine.parsed, machine.newest
        if name.kind is not MachineKind.AGENT or newest is None:
            return None
        found = self._words.get(name.path[0])
        return found if found is not None and found.at * _NS >= newest.issued_ns else None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityStanding:
    """One authority that is trusted."""

    id: str
    fingerprint: str
    """SHA-256 of its certificate, as browsers show it."""
    until: float
    since: float
    issues: bool
    behind: int
    """Machines whose certificate is older than the trust in it: they have not heard of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListStanding:
    """The lists of revoked certificates."""

    number: int
    made: float
    until: float
    written: bool
    """False: the last one could not be written; the broker goes on with an older one."""

    def low(self, now: float) -> bool:
        """Whether somebody has to look: it is made anew twice a day."""
        return not self.written or self.until - now < LOW_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All of it."""

    authorities: Sequence[AuthorityStanding] = ()
    """The issuing one first; none: no machine was invited yet."""
    crl: ListStanding | None = None
    """None: there is no list yet."""
    refusals: Sequence[Refusal] = ()
    """Of the last day, newest first."""
    remembered_since: float = 0.0
    """Refusals before it are in the ledger alone."""


def late(machine: Machine, now: float) -> bool:
    """Whether it counts and should have renewed: less than a third of its life is left.

    A server or service is given a new one by a person; everything else renews itself at 2/3.
    """
    newest = machine.newest
    if newest is None or machine.state(now) is not MachineState.ACTIVE:
        return False
    until = machine.valid_until or 0
    return until - now < TOLD_BELOW * (newest.not_after - newest.not_before)


def behind(machines: Iterable[Machine], since: float, now: float) -> list[Machine]:
    """Machines whose newest certificate is older than our trust in an authority."""
    since_ns = (int(since) + 1) * _NS  # its second counts
    return [
        one
        for one in machines
        if one.parsed.kind is not MachineKind.SERVER
        and one.newest is not None
        and (one.valid_until or 0) > now
        and one.newest.issued_ns < since_ns
    ]


def standing_of(
    authorities: Authorities,
    crl: CrlKeeper,
    machines: Sequence[Machine],
    memory: Memory,
    now: float,
) -> Standing:
    """How everything stands, from memory."""
    try:
        issuing, trusted = authorities.issuing.id, authorities.trusted
    except CaError:  # none was made yet, or it cannot be read: /readyz says which
        issuing, trusted = "", ()
    lists = crl.lists
    kept = None
    if lists.made:
        kept = ListStanding(
            number=lists.number, made=lists.made, until=lists.until, written=crl.is_written
        )
    return Standing(
        authorities=[
            AuthorityStanding(
                id=one.id,
                fingerprint=one.fingerprint,
                until=one.certificate.not_valid_after_utc.timestamp(),
                since=authorities.since(one.id),
                issues=one.id == issuing,
                behind=len(behind(machines, authorities.since(one.id), now)),
            )
            for one in trusted
        ],
        crl=kept,
        refusals=memory.refusals(now),
        remembered_since=memory.since,
    )
