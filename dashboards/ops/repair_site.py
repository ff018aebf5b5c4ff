"""The pages of repairs: what waits, what would help, what was done; dry runs and the red stop."""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import ValidationError
from starlette.responses import HTMLResponse, RedirectResponse, Response

from controller.api.access import SCHOOL_DEPTH, Caller, Here, asked_scopes, may, scope_of, visible
from controller.api.enforcement_schemas import DryRunIn, StopIn
from controller.api.problems import Problem, not_found
from controller.api.routers import actions as api
from controller.api.routers import enforcement as repairs
from controller.api.services import Services
from controller.api.sessions import Session
from controller.api.together import common
from controller.enforcement.model import Held
from controller.trust.approval_model import Action, Plan
from dashboards.ops.pages import crumbs, name_of
from dashboards.ops.render import Renderer
from dashboards.ops.repair_pages import repairs_page, shown_one
from dashboards.ops.repair_words import RepairWords
from dashboards.ops.words import Words
from tenone.vocabulary.intents import MAY, MEANINGS, Intent
from tenone.vocabulary.roles import Permission
from tenone.vocabulary.scope import ScopePath

router = APIRouter(include_in_schema=False)
HOUR_MS = 3_600_000
MOST_HOURS = 12
DEFAULT_HOURS = 3

Text = Annotated[str, Form(max_length=2000)]
Scope = Annotated[str, Form(max_length=200)]
Value = Annotated[str, Form(max_length=512)]
Hash = Annotated[str, Form(max_length=64)]


@router.get("/repairs")
async def repairs_list(
    request: Request, services: Here, session: Caller, scope: str = ""
) -> HTMLResponse:
    """The page of a scope."""
    return await _page(request, services, session, scope)


@router.post("/repairs/stop")
async def stop(  # noqa: PLR0917 - FastAPI reads the form from the signature
    request: Request, services: Here, session: Caller, where: Scope = "", reason: Text = "",
    scope: Scope = "",
) -> Response:  # fmt: skip
    """The red stop."""
    deed = repairs.press
    return await _stopping(
        request, services, session, deed, where=where, reason=reason, scope=scope
    )


@router.post("/repairs/resume")
async def resume(  # noqa: PLR0917 - FastAPI reads the form from the signature
    request: Request, services: Here, session: Caller, where: Scope = "", reason: Text = "",
    scope: Scope = "",
) -> Response:  # fmt: skip
    """The end of a stop."""
    deed = repairs.take_back
    return await _stopping(
        request, services, session, deed, where=where, reason=reason, scope=scope
    )


@router.post("/repairs/try")
async def try_it(  # noqa: PLR0917 - FastAPI reads the form from the signature
    request: Request, services: Here, session: Caller, school: Value = "", intent: Value = "",
    switch: Value = "", port: Value = "", link: Value = "", incident: Value = "",
    hours: Annotated[int, Form(ge=1, le=MOST_HOURS)] = DEFAULT_HOURS,
) -> HTMLResponse:  # fmt: skip
    """A dry run: the lines, and everything that would hold them back."""
    named = {"switch": switch, "port": port, "link": link, "incident": incident}
    wanted = _parameters(services, intent, named, hours)
    scope = scope_of(services, school)
    if not visible(session, scope):
        raise not_found("school", school)
    problem: Problem | None = None
    plan: Plan | None = None
    held: Sequence[Held] = ()
    try:
        body = DryRunIn(school=school, intent=intent, parameters=wanted)
        plan, held = await repairs.dry(services, session, body)
    except Problem as error:
        problem = error
    except ValidationError:
        problem = Problem(422, "")
    return _try_page(
        request, services, session, scope, problem,
        plan=plan, held=held, school=school, intent=intent, parameters=wanted, hours=hours,
    )  # fmt: skip


@router.post("/repairs/ask")
async def ask(  # noqa: PLR0917 - FastAPI reads the form from the signature
    request: Request, services: Here, session: Caller, school: Value = "", intent: Value = "",
    switch: Value = "", port: Value = "", link: Value = "", incident: Value = "",
    until_ms: Value = "", reason: Text = "", retry: Hash = "",
) -> Response:  # fmt: skip
    """Ask for what was tried."""
    named = {"switch": switch, "port": port, "link": link, "incident": incident}
    wanted = {name: value for name, value in named.items() if value}
    wanted |= {"until_ms": until_ms} if until_ms else {}
    scope = scope_of(services, school)
    if not visible(session, scope):
        raise not_found("school", school)
    try:
        body = api.ActionIn(
            school=school, intent=intent, parameters=wanted, reason=reason.strip(), retry=retry
        )
        made = await api.ask_for(services, session, body)
    except (Problem, ValidationError) as error:
        return _try_page(
            request, services, session, scope, _problem(error), school=school, intent=intent,
            parameters=wanted, typed=reason,
        )  # fmt: skip
    return RedirectResponse(f"/repairs/{made.id}", 303)


@router.get("/repairs/{action}")
async def repair(request: Request, services: Here, session: Caller, action: str) -> HTMLResponse:
    """One action: lines, people, course, transcript."""
    return await _one(request, services, session, action)


@router.post("/repairs/{action}/approve")
async def approve(
    request: Request, services: Here, session: Caller, action: str, plan: Hash = ""
) -> Response:
    """Approve the plan that was on the page."""

    async def deed() -> Action:
        return await api.approve_one(services, session, action, api.ApprovalIn(plan=plan))

    return await _step(request, services, session, action, deed())


@router.post("/repairs/{action}/refuse")
async def refuse(
    request: Request, services: Here, session: Caller, action: str, reason: Text = ""
) -> Response:
    """Say no."""

    async def deed() -> Action:
        body = api.RefusalIn(reason=reason.strip())
        return await api.refuse_one(services, session, action, body)

    return await _step(request, services, session, action, deed(), typed=reason)


@router.post("/repairs/{action}/withdraw")
async def withdraw(request: Request, services: Here, session: Caller, action: str) -> Response:
    """Take one's own back."""
    deed = api.withdraw_one(services, session, action)
    return await _step(request, services, session, action, deed)


# -- the pages


async def _stopping(
    request: Request, services: Services, session: Session,
    deed: Callable[[Services, Session, str, str], Awaitable[object]],
    *, where: str, reason: str, scope: str,
) -> Response:  # fmt: skip
    try:
        body = StopIn(scope=where, reason=reason.strip())
        await deed(services, session, body.scope, body.reason)
    except (Problem, ValidationError) as error:
        return await _page(request, services, session, scope, error, typed=reason)
    return _back(scope)


async def _step(  # noqa: PLR0917 - three callers above
    request: Request, services: Services, session: Session, action: str,
    deed: Awaitable[Action], typed: str = "",
) -> Response:  # fmt: skip
    try:
        await deed
    except (Problem, ValidationError) as error:
        return await _one(request, services, session, action, error, typed=typed)
    return RedirectResponse(f"/repairs/{action}", 303)


async def _page(  # noqa: PLR0917 - all that the page shows
    request: Request, services: Services, session: Session, scope: str,
    error: Problem | ValidationError | None = None, typed: str = "",
) -> HTMLResponse:  # fmt: skip
    where = asked_scopes(services, session, scope)
    problem = _problem(error)
    renderer: Renderer = request.app.state.renderer
    language = renderer.language_of(request)
    page = await repairs_page(services, session, where, language)
    words = _words(request, services)
    return renderer.page(
        request,
        "repairs.html",
        status=200 if problem is None else problem.status,
        session=session,
        scope=scope if len(where) == 1 else "",
        crumbs=crumbs(services, session, common(where), language),
        r=words,
        page=page,
        place=name_of(services, common(where), language),
        headline=words.headline(
            stopped=page.stopped,
            waiting=len(page.waiting),
            under_way=len(page.under_way),
            proposed=page.proposed,
        ),
        said=words.refusal(problem),
        detail="" if problem is None else problem.detail,
        typed=typed,
        named=services.account_of(session.actor) is not None,
    )


async def _one(  # noqa: PLR0917 - all that the page shows
    request: Request, services: Services, session: Session, action: str,
    error: Problem | ValidationError | None = None, typed: str = "",
) -> HTMLResponse:  # fmt: skip
    known = await api.action_seen_by(services, session, action)
    problem = _problem(error)
    renderer: Renderer = request.app.state.renderer
    language = renderer.language_of(request)
    words = _words(request, services)
    return renderer.page(
        request,
        "repair.html",
        status=200 if problem is None else problem.status,
        session=session,
        scope=known.scope,
        crumbs=crumbs(services, session, known.scope, language),
        r=words,
        shown=await shown_one(services, session, known, language),
        said=words.refusal(problem),
        detail="" if problem is None else problem.detail,
        typed=typed,
        named=services.account_of(session.actor) is not None,
    )


def _try_page(
    request: Request, services: Services, session: Session, scope: ScopePath,
    problem: Problem | None, **values: object,
) -> HTMLResponse:  # fmt: skip
    renderer: Renderer = request.app.state.renderer
    words = _words(request, services)
    language = renderer.language_of(request)
    return renderer.page(
        request,
        "repair_try.html",
        status=200 if problem is None else problem.status,
        session=session,
        scope=scope,
        crumbs=crumbs(services, session, scope, language),
        r=words,
        place=name_of(services, ScopePath(scope.parts[:SCHOOL_DEPTH]), language),
        said=words.refusal(problem),
        detail="" if problem is None else problem.detail,
        may_ask=may(session, Permission.REQUEST_ACTIONS, scope),
        named=services.account_of(session.actor) is not None,
        retry=secrets.token_hex(12),
        most_hours=MOST_HOURS,
        **({"plan": None, "held": (), "typed": "", "hours": DEFAULT_HOURS} | values),
    )


def _parameters(
    services: Services, intent: str, named: dict[str, str], hours: int
) -> dict[str, str]:
    """What the intent takes of it; of an intent nobody knows, everything."""
    found = {name: value for name, value in named.items() if value}
    try:
        takes = MEANINGS[Intent(intent)].parameters
    except ValueError:
        return found
    found = {name: value for name, value in found.items() if name in takes | MAY | {"switch"}}
    if "until_ms" in takes:
        found["until_ms"] = str(services.clock.wall_ns() // 1_000_000 + hours * HOUR_MS)
    return found


def _problem(error: Problem | ValidationError | None) -> Problem | None:
    """What the form lacked, as a problem."""
    return Problem(422, "") if isinstance(error, ValidationError) else error


def _back(scope: str) -> RedirectResponse:
    try:
        where = ScopePath.parse(scope)
    except ValueError:
        where = ScopePath()
    return RedirectResponse(f"/repairs?scope={where}" if where.parts else "/repairs", 303)


def _words(request: Request, services: Services) -> RepairWords:
    renderer: Renderer = request.app.state.renderer
    return RepairWords(Words(renderer.language_of(request), services.now()))
