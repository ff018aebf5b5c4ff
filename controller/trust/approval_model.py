"""Actions: what somebody asked to be changed, who approved it, where it stands."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tenone.trust.approval import Risk
from tenone.vocabulary.scope import ScopePath


class ActionState(StrEnum):
    """Where an action stands; the last six are final."""

    WAITING = "waiting"
    GRANTED = "granted"
    """Approved by everybody it takes, not begun."""
    STARTED = "started"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    """Begun, and the controller ended before the answer came: the agent knows."""


FINAL = frozenset(ActionState) - {ActionState.WAITING, ActionState.GRANTED, ActionState.STARTED}


class Step(StrEnum):
    """Why a step was not taken."""

    NO_SUCH = "no-such-action"
    OVER = "over"
    """It no longer waits (or, to begin, is not granted)."""
    OWN = "own-request"
    CHANGED = "plan-changed"
    """What was looked at is not what stands here."""
    NOT_OWN = "not-own-request"
    NOT_ALLOWED = "no-longer-allowed"
    OTHER_REQUEST = "other-request"
    """The same retry name for something else."""
    TOO_MANY = "too-many"


class StepError(Exception):
    """A step that was not taken; ``str()`` is one sentence."""

    def __init__(self, why: Step, sentence: str) -> None:
        self.why = why
        super().__init__(sentence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One person's approval."""

    account: str
    name: str
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One action as it stands."""

    id: str
    scope: ScopePath
    school: str
    intent: str
    parameters: Mapping[str, str]
    lines: tuple[str, ...]
    plan: str
    device_state: str
    risk: Risk
    reason: str
    requester: str
    requester_name: str
    retry: str
    asked: str
    made_ns: int
    ends_ns: int
    changed_ns: int
    state: ActionState = ActionState.WAITING
    voices: tuple[Voice, ...] = ()
    document: str | None = None
    signature: str | None = None
    outcome: str = ""

    @property
    def missing(self) -> int:
        """How many approvals it still takes."""
        waits = self.state is ActionState.WAITING
        return max(0, self.risk.approvers - len(self.voices)) if waits else 0


@dataclass(frozen=True, slots=True)
class Sealed:
    """A signed approval, its signature in hex, and when it ends."""

    text: str
    signature: str
    ends_ns: int


class PlanError(Exception):
    """Nothing can be planned; one sentence for whoever asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who asks or approves: one account, whatever session or key it comes by."""

    account: str
    """What never changes of it."""
    name: str
    actor: str
    """As the ledger names the session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request."""

    scope: ScopePath
    """Of the school."""
    school: str
    intent: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    reason: str
    retry: str

    @property
    def digest(self) -> str:
        """Hex: tells a retry from another request."""
        body = [self.school, self.intent, dict(self.parameters), self.reason]
        return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would be done, made now from the devices as they are."""

    lines: tuple[str, ...]
    facts: Mapping[str, str]
    risk: Risk
    hindrance: str = ""
    """Why no approval of it would be taken now; empty: nothing is known against it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """What the agent answered."""

    good: bool
    sentence: str
    answered: bool = True
    """False: nobody knows whether it was done."""

    @property
    def state(self) -> ActionState:
        """What becomes of the action."""
        if self.good:
            return ActionState.DONE
        return ActionState.FAILED if self.answered else ActionState.UNKNOWN
