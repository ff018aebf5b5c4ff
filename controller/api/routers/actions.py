"""Actions: changes of switches that somebody asks for and somebody else approves."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import JSONResponse

from controller.api.access import Caller, Here, need, scope_of, visible
from controller.api.listing import Listed, Listing, one_page
from controller.api.problems import Problem, not_found
from controller.api.services import Services
from controller.api.sessions import Session
from controller.encode import Json
from controller.trust.approval_model import (
    Action,
    ActionState,
    Asked,
    Person,
    PlanError,
    Step,
    StepError,
)
from tenone.config.quantities import Prose
from tenone.vocabulary.roles import Permission

router = APIRouter(prefix="/actions", tags=["actions"])

NS = 1_000_000_000
STATUS = {
    Step.NO_SUCH: 404,
    Step.OWN: 403,
    Step.NOT_OWN: 403,
    Step.NOT_ALLOWED: 403,
    Step.TOO_MANY: 429,
}
MOST_VALUE = 512

Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
ParameterName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
ParameterValue = Annotated[str, StringConstraints(max_length=MOST_VALUE)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ActionIn(_Closed):
    """What is asked for."""

    school: str = Field(max_length=32)
    intent: str = Field(pattern=r"^[a-z][a-z0-9.-]{0,63}$")
    parameters: dict[ParameterName, ParameterValue] = Field(default={}, max_length=32)
    reason: Prose = Field(min_length=1, max_length=2000)
    retry: str = Field(
        pattern=r"^[A-Za-z0-9_-]{8,64}$",
        description="your own name for this request: the same one again asks nothing twice",
    )


class ApprovalIn(_Closed):
    """Which plan was looked at."""

    plan: Hash = Field(description="the 'plan' of the action as it was shown")


class RefusalIn(_Closed):
    """Why not."""

    reason: Prose = Field(min_length=1, max_length=2000)


class ApproverOut(_Closed):
    """Who approved it."""

    account: str
    name: str
    at: float


class ActionOut(_Closed):
    """One action. Moments are epoch seconds."""

    id: str
    school: str
    scope: str
    intent: str
    parameters: dict[str, str]
    lines: list[str] = Field(description="the exact lines that would be sent")
    plan: str = Field(description="SHA-256 of the lines, hex")
    device_state: str = Field(description="SHA-256 of the devices' state, hex")
    risk: Literal["ordinary", "high"]
    reason: str
    requester: str
    requester_name: str
    made: float
    ends: float
    changed: float
    state: Literal[
        "waiting", "granted", "started", "done", "failed", "refused", "withdrawn", "expired",
        "unknown",
    ]  # fmt: skip
    approvers: list[ApproverOut]
    missing: int = Field(description="how many approvals it still takes")
    outcome: str


class ActionPage(BaseModel):
    """A page of actions."""

    items: list[ActionOut]
    total: int
    next_cursor: str | None


def action_json(action: Action) -> Json:
    """An action as the API says it; the signed document stays inside."""
    return {
        "id": action.id,
        "school": action.school,
        "scope": str(action.scope),
        "intent": action.intent,
        "parameters": dict(action.parameters),
        "lines": list(action.lines),
        "plan": action.plan,
        "device_state": action.device_state,
        "risk": action.risk.value,
        "reason": action.reason,
        "requester": action.requester,
        "requester_name": action.requester_name,
        "made": action.made_ns / NS,
        "ends": action.ends_ns / NS,
        "changed": action.changed_ns / NS,
        "state": action.state.value,
        "approvers": [
            {"account": one.account, "name": one.name, "at": one.at_ns / NS}
            for one in action.voices
        ],
        "missing": action.missing,
        "outcome": action.outcome,
    }


LISTED: Listed[Action] = Listed(
    id_of=lambda action: action.id,
    states_of=lambda action: frozenset({action.state.value}),
    known_states=frozenset(state.value for state in ActionState),
    encode=action_json,
)


@router.get("", responses={200: {"model": ActionPage}})
async def actions(services: Here, query: Listing) -> JSONResponse:
    """The newest 1,000 actions; ``state=waiting`` are those that wait for approval."""
    if query.as_of is not None:
        raise Problem(400, "as_of: every action says when it was made and when it changed.")
    return one_page(await services.approvals.newest(query.scopes), query, LISTED)


@router.get("/{action}", responses={200: {"model": ActionOut}})
async def one(services: Here, session: Caller, action: str) -> JSONResponse:
    """One action with the lines it would send."""
    return JSONResponse(action_json(await action_seen_by(services, session, action)))


@router.post("", status_code=201, responses={201: {"model": ActionOut}})
async def request(services: Here, session: Caller, body: ActionIn) -> JSONResponse:
    """Ask for a change. It is planned now and waits for the approval of somebody else."""
    return JSONResponse(action_json(await ask_for(services, session, body)), 201)


@router.post("/{action}/approvals", responses={200: {"model": ActionOut}})
async def approve(services: Here, session: Caller, action: str, body: ApprovalIn) -> JSONResponse:
    """Approve the plan that was looked at. The last approval it takes sets it going."""
    return JSONResponse(action_json(await approve_one(services, session, action, body)))


@router.post("/{action}/refusal", responses={200: {"model": ActionOut}})
async def refuse(services: Here, session: Caller, action: str, body: RefusalIn) -> JSONResponse:
    """Say no to a waiting request."""
    return JSONResponse(action_json(await refuse_one(services, session, action, body)))


@router.post("/{action}/withdrawal", responses={200: {"model": ActionOut}})
async def withdraw(services: Here, session: Caller, action: str) -> JSONResponse:
    """Take one's own waiting request back."""
    return JSONResponse(action_json(await withdraw_one(services, session, action)))


# -- the same for pages


async def ask_for(services: Services, session: Session, body: ActionIn) -> Action:
    """Ask for a change, or the problem that says why not."""
    scope = scope_of(services, body.school)
    if not visible(session, scope):
        raise not_found("school", body.school)
    need(session, Permission.REQUEST_ACTIONS, scope)
    asked = Asked(
        scope=scope,
        school=body.school,
        intent=body.intent,
        parameters=body.parameters,
        reason=body.reason,
        retry=body.retry,
    )
    with in_problems():
        return await services.approvals.request(_person(services, session), asked)


async def approve_one(
    services: Services, session: Session, action: str, body: ApprovalIn
) -> Action:
    """Approve, or the problem that says why not."""
    known = await action_seen_by(services, session, action)
    need(session, Permission.APPROVE_ACTIONS, known.scope)
    with in_problems():
        return await services.approvals.approve(_person(services, session), known, body.plan)


async def refuse_one(services: Services, session: Session, action: str, body: RefusalIn) -> Action:
    """Refuse, or the problem that says why not."""
    known = await action_seen_by(services, session, action)
    need(session, Permission.APPROVE_ACTIONS, known.scope)
    with in_problems():
        return await services.approvals.refuse(_person(services, session), known, body.reason)


async def withdraw_one(services: Services, session: Session, action: str) -> Action:
    """Take back, or the problem that says why not."""
    known = await action_seen_by(services, session, action)
    need(session, Permission.REQUEST_ACTIONS, known.scope)
    with in_problems():
        return await services.approvals.withdraw(_person(services, session), known)


async def action_seen_by(services: Services, session: Session, action: str) -> Action:
    """The action, or 404 where the session may not see it."""
    known = await services.approvals.get(action)
    if known is None or not visible(session, known.scope):
        raise not_found("action", action[:64])
    return known


def _person(services: Services, session: Session) -> Person:
    """The account behind the session: one person, by however many sessions they come."""
    account = services.account_of(session.actor)
    if account is None:
        raise Problem(
            403,
            "Actions are asked for and approved by people with an account of their own: "
            "sign in with yours, not with a code or a program's key.",
        )
    return Person(account=account, name=session.name, actor=session.actor)


@contextmanager
def in_problems() -> Iterator[None]:
    """What cannot be planned and steps that are not taken, as problems."""
    try:
        yield
    except PlanError as error:
        raise Problem(409, str(error)) from None
    except StepError as error:
        raise Problem(STATUS.get(error.why, 409), str(error)) from None
