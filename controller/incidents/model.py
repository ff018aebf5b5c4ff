"""What incidents are made of. Values only; times are wall-clock ns since 1970 UTC."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from tenone.vocabulary.states import Cause, Severity, Verdict

Figure = int | float | str | None
MAX_ONSETS = 32
"""Beginnings of trouble that are remembered of one subject, for damping."""


class Kind(StrEnum):
    """What an incident can be about."""

    AGENT = "agent"
    SWITCH = "switch"
    POWER = "power"
    CONFIGURATION = "configuration"
    """That of a switch: somebody has set something by hand."""
    LINK = "link"


class Subject(NamedTuple):
    """One thing that is well or not: the agent of a school, a switch, its power, a link.

    A tuple, because everything is looked up by it: hashed and compared without Python code.
    """

    school: str
    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.school}/{self.kind.value}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> "Subject":
        """Read ``school/kind/name`` as :meth:`__str__` writes it; raises ``ValueError``."""
        school, kind, name = text.split("/", 2)
        return cls(school, Kind(kind), name)

    @classmethod
    def link(cls, link_id: str) -> "Subject":
        """The subject of a link by its id ``school/link``."""
        school, _, name = link_id.partition("/")
        return cls(school, Kind.LINK, name)

    @classmethod
    def agent(cls, school: str) -> "Subject":
        """The gateway of a school."""
        return cls(school, Kind.AGENT, "agent")

    @classmethod
    def power(cls, school: str, ups: str) -> "Subject":
        """The power behind a UPS, by its serial."""
        return cls(school, Kind.POWER, ups)

    @property
    def link_id(self) -> str | None:
        """``school/link`` of a link; None for anything else."""
        return f"{self.school}/{self.name}" if self.kind is Kind.LINK else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What a subject was from ``at_ns`` on. An unknown fact says only that nobody saw it.

    ``cause`` and ``severity`` are of a bad fact. ``figures`` are the numbers a sentence needs
    (``speed_mbps``, ``errors`` ...); ``proof`` is the hash of the block that showed it, or empty.
    """

    subject: Subject
    at_ns: int
    verdict: Verdict
    cause: Cause | None = None
    severity: Severity = Severity.NONE
    figures: tuple[tuple[str, Figure], ...] = ()
    proof: bytes = b""
    blinked: bool = False
    """With a good verdict: it was away until ``at_ns`` and nobody saw it."""

    @property
    def rank(self) -> tuple[int, Subject, int, int, int, str, bytes, bool]:
        """A total order: facts are folded by it, in whatever order they came."""
        return (
            self.at_ns,
            self.subject,
            int(self.verdict),
            -1 if self.cause is None else int(self.cause),
            int(self.severity),
            repr(self.figures),
            self.proof,
            self.blinked,
        )


DEADLY = frozenset({
    Cause.POWER, Cause.UPLINK, Cause.CONFIGURATION, Cause.LINK_DOWN,
    Cause.SWITCH_SILENT,
})  # fmt: skip
"""Causes by which a link or switch carries nothing any more: what it carried is its child."""
OUT = frozenset({Cause.POWER, Cause.LINK_DOWN, Cause.SWITCH_SILENT})
"""What trouble looks like when the power is out; through a silent agent nobody could ask."""


SLICE = 2000
"""Facts or incidents looked at in one go, while nobody else has a turn: tens of milliseconds."""


class State(StrEnum):
    """Whether an incident is open. ``acknowledged`` is an open one that somebody has taken."""

    OPEN = "open"
    RESOLVED = "resolved"


class Act(StrEnum):
    """What can happen to an incident; the kind of an :class:`Event`."""

    OPENED = "opened"
    ALARMED = "alarmed"
    SHADOWED = "shadowed"
    RELEASED = "released"
    WINDOWED = "maintenance"
    OUTLASTED = "maintenance-over"
    CAUSE = "cause"
    SEVERITY = "severity"
    CLEARING = "clearing"
    RETURNED = "returned"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"
    COMMENTED = "commented"
    TICKETED = "ticketed"
    UNDER_REPAIR = "under-repair"
    """TenOne changes something there: what that darkens is not told."""
    REPAIR_OVER = "repair-over"
    REPAIR_OVERDUE = "repair-overdue"
    """No word of its end came in its time: nothing is held back for it any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of an incident's timeline. ``who`` is empty where evidence spoke."""

    incident: str
    at_ns: int
    act: Act
    who: str = ""
    fields: Mapping[str, Figure] = field(default_factory=dict)


@dataclass(slots=True)
class Outcome:
    """What one advance did."""

    events: list[Event] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    """Ids of incidents that look different now."""


@dataclass(slots=True, kw_only=True)
class Incident:
    """One cause and everything it harms. Only engine and acts change it; ``version`` counts."""

    id: str
    subject: Subject
    cause: Cause
    severity: Severity
    """The worst since it opened, its shadowed children included."""
    began_ns: int
    """Since when the evidence is bad."""
    opened_ns: int
    state: State = State.OPEN
    alarmed_ns: int | None = None
    """When people were told; None while a parent or a maintenance holds it back."""
    clearing_ns: int | None = None
    """Since when the evidence is good again."""
    resolved_ns: int | None = None
    resolved_by: str = ""
    """Who closed it by hand; empty: evidence did."""
    count: int = 1
    """How often the trouble began."""
    owner: str | None = None
    """The incident of the dead parent behind which it lies now."""
    shadowed: frozenset[str] = frozenset()
    """Subjects that are bad behind this one and have no open incident of their own."""
    maintenance: str | None = None
    """The window it lies in now."""
    repair: str = ""
    """The action that is under way at its subject; empty: none."""
    cable: str = ""
    """What the newest cable test since it opened said, JSON of the agent; empty: none."""
    acknowledged_ns: int | None = None
    acknowledged_by: str = ""
    acknowledged_level: int = -1
    assignee: str = ""
    ticket: str = ""
    level: int = -1
    """The highest level told so far: 0 school, 1 district, 2 city; -1 nobody yet."""
    figures: Mapping[str, Figure] = field(default_factory=dict)
    proofs: tuple[str, ...] = ()
    """Hashes (hex) of the blocks that showed it, oldest first, at most eight."""
    version: int = 1

    @property
    def is_open(self) -> bool:
        """Whether it still needs somebody."""
        return self.state is State.OPEN


def incident_id(subject: Subject, began_ns: int) -> str:
    """``<school>-<12 hex digits>``: the same trouble has the same id, whoever works it out."""
    digest = hashlib.sha256(f"{subject} {began_ns}".encode()).hexdigest()
    return f"{subject.school}-{digest[:12]}"


SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long the engine waits, in seconds.

    ``holds``: bad for so long before an incident opens, by cause; what is not named opens after
    ``hold_seconds``, at once where it is critical.
    """

    hold_seconds: float = 10.0
    holds: Mapping[Cause, float] = field(default_factory=dict)
    clear_seconds: float = 30.0
    """Good for so long before it is resolved."""
    reopen_seconds: float = 1800.0
    """Trouble that returns so soon reopens the same incident."""
    flap_count: int = 3
    flap_window_seconds: float = 600.0
    """So many beginnings in so long is flapping ..."""
    flap_clear_seconds: float = 600.0
    """... and then it has to be quiet for so long."""
    recheck_seconds: float = 15.0
    """So long a child waits at most for word of its parents before it is blamed."""
    settle_seconds: float = 30.0
    """So long a child may take to come back after its parent."""
    verify_seconds: float = 60.0
    """After a person resolved it, evidence has so long to agree."""

    def hold_ns(self, cause: Cause, severity: Severity) -> int:
        """How long trouble of this kind must last before it opens."""
        named = self.holds.get(cause)
        if named is None:
            named = 0.0 if severity is Severity.CRITICAL else self.hold_seconds
        return round(named * SECOND_NS)
