"""What the API says of repairs, as OpenAPI sees it; and how it is written."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from controller.encode import Json
from controller.enforcement.model import (
    Course,
    CourseStep,
    GuardName,
    Held,
    Proposal,
    Standing,
    Stop,
)
from controller.foreign import read_foreign
from controller.trust.approval_model import Plan
from tenone.config.quantities import Prose
from tenone.trust.approval import plan_hash
from tenone.vocabulary.intents import Intent, Mode
from tenone.vocabulary.scope import ScopePath

MOST_VALUE = 512
MOST_REASON = 2000
MOST_CABLE = 20_000
"""Longer text is no cable test of ours."""
STEPS = Literal[
    "begun", "applied", "good", "proved", "done", "undoing", "undone", "stuck", "ended"
]  # fmt: skip

ParameterName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
ParameterValue = Annotated[str, Field(max_length=MOST_VALUE)]
IntentText = Annotated[str, Field(pattern=r"^[a-z][a-z0-9.-]{0,63}$")]
Reason = Annotated[Prose, Field(min_length=1, max_length=MOST_REASON)]
Place = Annotated[str, Field(max_length=200)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StopIn(_Closed):
    """Where nothing shall be begun any more, and why."""

    scope: Place = Field(description="a city, a district or a school; empty: everything")
    reason: Reason


class StopOut(_Closed):
    """A red stop that stands; ``at`` is epoch seconds."""

    scope: str
    by: str
    at: float
    reason: str


class StandingOut(_Closed):
    """How it stands with repairs in one scope."""

    scope: str
    modes: dict[Intent, Mode] = Field(description="how far the controller goes by itself")
    stops: list[StopOut] = Field(description="those of this scope, above it and inside")
    changes_today: int
    failures_today: int
    under_way: int


class HeldOut(_Closed):
    """What holds an action back."""

    guard: GuardName
    sentence: str
    values: dict[str, str]


class SentenceOut(_Closed):
    """One sentence in both languages."""

    en: str
    zh: str


class ProposalOut(_Closed):
    """What would help a bad link."""

    link: str
    incident: str
    school: str
    scope: str
    switch: str
    port: str
    intent: Intent | None = Field(description="null: nothing that software can do")
    mode: Mode
    sentence: SentenceOut
    held: list[HeldOut]
    action: str | None = Field(description="of one under way, or the last one for this fault")
    since: float


class ProposalsOut(_Closed):
    """Worst first."""

    items: list[ProposalOut]
    total: int


class DryRunIn(_Closed):
    """What would be asked for."""

    school: str = Field(max_length=32)
    intent: IntentText
    parameters: dict[ParameterName, ParameterValue] = Field(default={}, max_length=32)


class DryRunOut(_Closed):
    """What would be typed, and what would hold it back now; nothing is kept."""

    lines: list[str]
    plan: str = Field(description="SHA-256 of the lines, hex")
    risk: Literal["ordinary", "high"]
    held: list[HeldOut]


class ClauseOut(_Closed):
    """A clause of an agent's sentence."""

    code: str
    values: dict[str, str]


class CourseStepOut(_Closed):
    """One step at the switch; ``at`` by the agent's clock."""

    step: STEPS
    at: float
    sentence: str
    clauses: list[ClauseOut] = Field(description="the sentence by codes; empty: an older agent")
    transcript: str = Field(description="lines and answers, secrets masked")
    cable: dict[str, object] | list[object] | None = Field(description="a cable test's result")


class CourseOut(_Closed):
    """How an action went; moments are epoch seconds, null is not (yet) known."""

    action: str
    intent: str
    school: str
    link: str | None
    faulted: float | None
    judged: float | None
    proved: float | None
    steps: list[CourseStepOut]


def stop_json(stop: Stop) -> Json:
    """A red stop."""
    return {"scope": str(stop.scope), "by": stop.by, "at": stop.at, "reason": stop.reason}


def standing_json(scope: ScopePath, standing: Standing) -> Json:
    """How it stands."""
    return {
        "scope": str(scope),
        "modes": {intent.value: mode.value for intent, mode in standing.modes.items()},
        "stops": [stop_json(one) for one in standing.stops],
        "changes_today": standing.changes_today,
        "failures_today": standing.failures_today,
        "under_way": standing.under_way,
    }


def held_json(held: Held) -> Json:
    """What holds an action back."""
    return {"guard": held.guard.value, "sentence": held.sentence, "values": dict(held.values)}


def proposal_json(one: Proposal) -> Json:
    """What would help."""
    return {
        "link": one.link,
        "incident": one.incident,
        "school": one.school,
        "scope": str(one.scope),
        "switch": one.switch,
        "port": one.port,
        "intent": None if one.intent is None else one.intent.value,
        "mode": one.mode.value,
        "sentence": {tag: one.sentence.get(tag, "") for tag in ("en", "zh")},
        "held": [held_json(held) for held in one.held],
        "action": one.action,
        "since": one.since,
    }


def dry_run_json(plan: Plan, held: Sequence[Held]) -> Json:
    """What would be typed."""
    return {
        "lines": list(plan.lines),
        "plan": plan_hash(plan.lines).hex(),
        "risk": plan.risk.value,
        "held": [held_json(one) for one in held],
    }


def step_json(one: CourseStep) -> Json:
    """One step."""
    return {
        "step": one.step.name.lower(),
        "at": one.at,
        "sentence": one.sentence,
        "clauses": [
            {"code": clause.saying.value, "values": dict(clause.values)} for clause in one.clauses
        ],
        "transcript": one.transcript,
        "cable": cable_of(one.cable),
    }


def course_json(course: Course) -> Json:
    """How it went."""
    return {
        "action": course.action,
        "intent": course.intent,
        "school": course.school,
        "link": course.link,
        "faulted": course.faulted,
        "judged": course.judged,
        "proved": course.proved,
        "steps": [step_json(one) for one in course.steps],
    }


def cable_of(text: str) -> Mapping[str, object] | Sequence[object] | None:
    """A cable test as its agent wrote it; None where there is none, or it is none."""
    if not text or len(text) > MOST_CABLE:
        return None
    try:
        read = read_foreign(text)
    except ValueError:
        return None
    return read if isinstance(read, dict | list) else None
