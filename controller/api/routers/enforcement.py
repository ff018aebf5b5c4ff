"""Repairs: how they stand, what would help, dry runs, courses of actions, and the red stop."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response

from controller.api.access import (
    SCHOOL_DEPTH,
    Caller,
    Here,
    actor_of,
    asked_scope,
    asked_scopes,
    exists,
    may,
    need,
    scope_of,
    visible,
)
from controller.api.enforcement_schemas import (
    CourseOut,
    DryRunIn,
    DryRunOut,
    ProposalsOut,
    Reason,
    StandingOut,
    StopIn,
    StopOut,
    course_json,
    dry_run_json,
    proposal_json,
    standing_json,
    stop_json,
)
from controller.api.ledgering import ledgered, told_or_noted
from controller.api.listing import DEFAULT_LIMIT, Limit, ScopeText
from controller.api.problems import Problem, not_found
from controller.api.routers.actions import action_seen_by, in_problems
from controller.api.services import Services
from controller.api.sessions import Session
from controller.api.together import each
from controller.enforcement.model import Course, Held, Proposal, Stop
from controller.store.protocols import StoreError
from controller.trust.approval_model import Action, Plan
from tenone.vocabulary.roles import Permission
from tenone.vocabulary.scope import IdentifierError, ScopePath

router = APIRouter(prefix="/actions", tags=["actions"])

MAY_STOP = (Permission.REQUEST_ACTIONS, Permission.APPROVE_ACTIONS, Permission.KEEP_SYSTEM)
"""A stop must be easy."""
MAY_RESUME = (Permission.APPROVE_ACTIONS, Permission.KEEP_SYSTEM)
MAY_TRY = (Permission.REQUEST_ACTIONS, Permission.APPROVE_ACTIONS)
"""A dry run logs in to the switch and reads; nothing is changed."""


@router.get("/standing", responses={200: {"model": StandingOut}})
async def standing(services: Here, session: Caller, scope: ScopeText = None) -> JSONResponse:
    """Modes, red stops and the day's figures of one scope."""
    where = asked_scope(services, session, scope)
    return JSONResponse(standing_json(where, services.enforcement.standing(where)))


@router.get("/proposals", responses={200: {"model": ProposalsOut}})
async def proposals(
    services: Here, session: Caller, scope: ScopeText = None, limit: Limit = DEFAULT_LIMIT
) -> JSONResponse:
    """What would help the links that are bad now, worst first."""
    found = proposals_in(services, asked_scopes(services, session, scope))
    shown = [proposal_json(one) for one in found[:limit]]
    return JSONResponse({"items": shown, "total": len(found)})


@router.post("/dry-run", responses={200: {"model": DryRunOut}})
async def dry_run(services: Here, session: Caller, body: DryRunIn) -> JSONResponse:
    """The exact lines an action would send, and everything that would hold it back; kept nowhere.

    The school's agent logs in to the switch and reads; nothing is changed.
    """
    plan, held = await dry(services, session, body)
    return JSONResponse(dry_run_json(plan, held))


@router.post("/stops", status_code=201, responses={201: {"model": StopOut}})
async def stop(services: Here, session: Caller, body: StopIn) -> JSONResponse:
    """The red stop: nothing more is begun there by anybody; what is under way ends."""
    made = await press(services, session, body.scope, body.reason)
    return JSONResponse(stop_json(made), 201)


@router.delete("/stops", status_code=204)
async def resume(
    services: Here,
    session: Caller,
    scope: Annotated[str, Query(max_length=200, description="of the stop, as it stands there")],
    reason: Annotated[Reason, Query(description="why it may go on")],
) -> Response:
    """Take the stop of exactly this scope back."""
    await take_back(services, session, scope, reason)
    return Response(status_code=204)


@router.get("/{action}/course", responses={200: {"model": CourseOut}})
async def course(services: Here, session: Caller, action: str) -> JSONResponse:
    """How an action went, step by step; without steps where nothing was begun."""
    known = await action_seen_by(services, session, action)
    return JSONResponse(course_json(await course_of(services, known)))


# -- the same for pages


def proposals_in(services: Services, scopes: tuple[ScopePath, ...]) -> list[Proposal]:
    """What would help inside these scopes; the order inside each is kept."""
    return each(scopes, services.enforcement.proposals, lambda one: one.link)


async def dry(services: Services, session: Session, body: DryRunIn) -> tuple[Plan, Sequence[Held]]:
    """A dry run, or the problem that says why not."""
    scope = scope_of(services, body.school)
    if not visible(session, scope):
        raise not_found("school", body.school)
    need_any(session, MAY_TRY, scope)
    detail = {"intent": body.intent, "port": body.parameters.get("port", "")}
    subject = body.parameters.get("switch", "")
    async with ledgered(
        services, session, "enforcement.dry-run", scope, subject=subject, detail=detail
    ):
        with in_problems():
            return await services.enforcement.dry_run(body.school, body.intent, body.parameters)


async def course_of(services: Services, action: Action) -> Course:
    """How an action went; a course without steps where its agent has said nothing (yet)."""
    found = await services.enforcement.course(action.id)
    if found is not None:
        return found
    return Course(
        action=action.id,
        intent=action.intent,
        school=action.school,
        link=action.parameters.get("link"),
        steps=(),
    )


async def press(services: Services, session: Session, where: str, reason: str) -> Stop:
    """Stop a scope, or the problem that says why not.

    Nothing is begun by a stop, so it waits for nothing: it holds first and is told second, and the
    ledger hears of it when it can (decision 0030).
    """
    scope = _stoppable(services, session, where)
    need_any(session, MAY_STOP, scope)
    try:
        return await services.enforcement.stop(scope, by=_name(session), reason=reason)
    except StoreError as error:
        raise Problem(
            503,
            f"The stop holds from this moment, but could not be written down ({error}): it ends "
            "when the controller does. Press it again once that is mended.",
        ) from error
    finally:
        await told_or_noted(services, session, "enforcement.stop", scope, {"reason": reason})


async def take_back(services: Services, session: Session, where: str, reason: str) -> None:
    """Let a scope go on, or the problem that says why not."""
    scope = _stoppable(services, session, where)
    need_any(session, MAY_RESUME, scope)
    if not any(one.scope == scope for one in services.enforcement.standing(scope).stops):
        raise not_found("stop of", where)
    try:
        async with ledgered(
            services, session, "enforcement.resume", scope, detail={"reason": reason}
        ):
            await services.enforcement.resume(scope, by=_name(session))
    except LookupError:
        raise not_found("stop of", where) from None


def need_any(session: Session, permissions: tuple[Permission, ...], scope: ScopePath) -> None:
    """403 unless one of these is allowed at ``scope``."""
    if not may_any(session, permissions, scope):
        need(session, permissions[0], scope)


def may_any(session: Session, permissions: tuple[Permission, ...], scope: ScopePath) -> bool:
    """Whether one of these is allowed at ``scope``."""
    return any(may(session, one, scope) for one in permissions)


def _stoppable(services: Services, session: Session, text: str) -> ScopePath:
    try:
        scope = ScopePath.parse(text)
    except IdentifierError as error:
        raise Problem(400, f"scope: {error}.") from None
    if not visible(session, scope) or not exists(services, scope):
        raise not_found("scope", text)
    if len(scope.parts) > SCHOOL_DEPTH:
        raise Problem(400, "scope: a stop is for a school, a district or a city, nothing smaller.")
    return scope


def _name(session: Session) -> str:
    actor = actor_of(session)
    return f"{session.name} ({actor})" if session.name else actor
