"""What the room of repairs tells others: proposals, guards' answers, courses of actions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tenone.vocabulary.intents import Intent, Mode
from tenone.vocabulary.repairs import RepairStep
from tenone.vocabulary.sayings import Clause
from tenone.vocabulary.scope import ScopePath


class GuardName(StrEnum):
    """What can hold an action back; one sentence in zh and en stands for each on the pages."""

    STOPPED = "stopped"
    """Somebody pressed the red stop here or above."""
    MODE = "mode"
    """The mode for it here is ``off`` (or, by itself, less than ``auto``)."""
    UNKNOWN_PORT = "unknown-port"
    UPLINK = "uplink"
    """The port carries an uplink or backbone link, by inventory or as the network says."""
    MANAGEMENT = "management"
    """The way to the switch, the agent or the controller goes through the port."""
    EMERGENCY = "emergency"
    CLASS_HOURS = "class-hours"
    EXAM = "exam"
    FREEZE = "freeze"
    MAINTENANCE = "maintenance"
    """Somebody works there by plan."""
    CAP = "cap"
    CHAIN = "chain"
    """Something above or below in the tree is being changed."""
    FAILURES = "failures"
    AGAIN = "again"
    """This fault was tried before: software does not repair it."""
    AGENT_AWAY = "agent-away"
    NO_CLI = "no-cli"
    """The switch has no ``cli`` in school.yaml."""
    CLOCK = "clock"
    """Nobody sets the clock of the school's gateway, so no approval is taken there."""


@dataclass(frozen=True, slots=True)
class Held:
    """Why something is not done."""

    guard: GuardName
    sentence: str
    """English, one sentence with what and where."""
    values: Mapping[str, str] = field(default_factory=dict)
    """What a page needs to say the same in another language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What would help a bad link."""

    link: str
    incident: str
    school: str
    scope: ScopePath
    switch: str
    port: str
    intent: Intent | None
    """None: nothing that software can do; ``sentence`` says what people can."""
    mode: Mode
    sentence: Mapping[str, str]
    """``en`` and ``zh``: why this, in words a teacher understands."""
    held: tuple[Held, ...] = ()
    action: str | None = None
    """Of one under way, or the last one for this fault."""
    since: float = 0.0
    """Epoch seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseStep:
    """One step of an action at the switch, as its agent kept it."""

    step: RepairStep
    at: float
    """Epoch seconds, the agent's clock."""
    sentence: str
    transcript: str
    cable: str = ""
    clauses: tuple[Clause, ...] = ()
    """What the sentence is made of, to be said in another language; empty: nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How an action went, from the sealed blocks of the agent and the controller's own verdicts."""

    action: str
    intent: str
    school: str
    link: str | None
    steps: tuple[CourseStep, ...]
    proved: float | None = None
    """When the controller's own verdict of the link had been good for the hold; None: not (yet)."""
    faulted: float | None = None
    judged: float | None = None
    """When the link went bad, and when that was known; epoch seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """The red stop of one scope."""

    scope: ScopePath
    by: str
    at: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How it stands with repairs in one scope."""

    modes: Mapping[Intent, Mode]
    stops: tuple[Stop, ...]
    """Here, above and inside."""
    changes_today: int
    failures_today: int
    under_way: int
