"""The pages of machines: who is enrolled, invited, late, revoked; invite and revoke."""

import re
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from controller.api.access import Caller, Here, actor_of, need, reach_of
from controller.api.problems import Problem, not_found
from controller.api.routers.enrolments import problem_of
from controller.api.routers.machines import refusals_for
from controller.api.services import Services
from controller.api.sessions import Session
from controller.trust.ca import CaError
from controller.trust.machine_desk import TOKEN_SECONDS
from controller.trust.machine_standing import CutState
from controller.trust.papers import MachineError
from dashboards.ops import keeping_phrases as k
from dashboards.ops.keeping_words import KeepingWords
from dashboards.ops.machine_pages import MachineFilter, Row, machines_page, one_row, why_late
from dashboards.ops.render import Renderer
from dashboards.ops.words import Words
from tenone.trust.names import MachineKind
from tenone.vocabulary.roles import Permission
from tenone.vocabulary.scope import ScopePath

router = APIRouter(include_in_schema=False)
SHOWN_REFUSALS = 20
MOST_REASON = 400
_ODD = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@router.get("/machines")
async def machines_list(request: Request, services: Here, session: Caller) -> HTMLResponse:
    """Every machine the caller keeps."""
    _keeper(session)
    renderer, words = _speaking(request, services)
    chosen = MachineFilter.of(request.query_params)
    page = machines_page(services, session, words.words.language, chosen)
    standing = services.machines.standing()
    mark, headline = words.headline(page.all_counts)
    return renderer.page(
        request,
        "machines.html",
        session=session,
        k=words,
        page=page,
        mark=mark,
        headline=headline,
        standing=standing,
        refusals=refusals_for(services, session, standing)[:SHOWN_REFUSALS],
        low=standing.crl is not None and standing.crl.low(services.now()),
        states=list(k.STATES),
        address=lambda **changes: _address(page.filter, **changes),
    )


@router.get("/machines/{name:path}")
async def machine(request: Request, services: Here, session: Caller, name: str) -> HTMLResponse:
    """One machine, or a school's gateway that was never invited."""
    return _one(request, services, session, name)


@router.post("/machines/{name:path}")
async def change(  # noqa: PLR0917 - FastAPI reads the form from the signature
    request: Request, services: Here, session: Caller, name: str,
    what: Annotated[str, Form(max_length=16)] = "",
    why: Annotated[str, Form(max_length=2000)] = "",
    stands: Annotated[str, Form(max_length=32)] = "",
) -> Response:  # fmt: skip
    """Invite or revoke. A form of before a new enrolment does nothing: it was about another one."""
    row = _found(request, services, session, name)
    try:
        if what == "invite":
            return await _invited(request, services, session, row)
        if what == "revoke" and row.state != "revoked":
            _still(row, stands)
            await _revoked(services, session, row, why.strip())
    except Problem as problem:
        return _one(request, services, session, name, problem=problem, typed=why)
    return RedirectResponse(f"/machines/{row.id}", 303)


def _still(row: Row, stands: str) -> None:
    """409 where it was enrolled anew since the form was shown; a renewal does not matter."""
    if stands != str(row.stands):
        raise Problem(409, k.ANEW)


async def _revoked(services: Services, session: Session, row: Row, why: str) -> None:
    if not why:
        raise Problem(400, k.GIVE_REASON)
    if len(why) > MOST_REASON or _ODD.search(why):
        raise Problem(400, k.ONE_LINE)
    try:
        await services.machines.revoke(row.id, why=why, by=actor_of(session))
    except MachineError as error:
        raise problem_of(error) from None
    except CaError as error:
        raise Problem(503, f"{error}.") from None


async def _invited(
    request: Request, services: Services, session: Session, row: Row
) -> HTMLResponse:
    if row.kind is MachineKind.SERVER:
        raise Problem(409, "A server's certificate is made with 'tenone enrol server'.")
    try:
        # Not the row's: a token is for where the school stands, whatever else is known of it.
        need(session, Permission.KEEP_MACHINES, services.machines.scope_of(row.id)[1])
        token, ends = await services.machines.token(
            row.id, by=actor_of(session), seconds=TOKEN_SECONDS
        )
    except MachineError as error:
        raise problem_of(error) from None
    except CaError as error:
        raise Problem(503, f"{error}.") from None
    commands = (
        [f"tenone enrol --token {token.text} -c school.yaml", "tenone agent -c school.yaml"]
        if row.kind is MachineKind.AGENT
        else []
    )
    return _one(
        request, services, session, row.id, token=token.text, commands=commands, ends=float(ends)
    )


def _one(
    request: Request,
    services: Services,
    session: Session,
    name: str,
    *,
    problem: Problem | None = None,
    typed: str = "",
    token: str = "",
    commands: list[str] | None = None,
    ends: float = 0.0,
) -> HTMLResponse:
    row = _found(request, services, session, name)
    renderer, words = _speaking(request, services)
    said, refusals = why_late(services, row)
    standing = services.machines.standing()
    return renderer.page(
        request,
        "machine.html",
        status=200 if problem is None else problem.status,
        session=session,
        k=words,
        row=row,
        crl=standing.crl,
        word=said,
        why=words.not_renewed(refusals) if row.state == "late" and said is None else "",
        waits=row.cut is not None and row.cut.state is CutState.WAITING,
        said=words.refusal(problem),
        typed=typed,
        token=token,
        commands=commands or [],
        ends=ends,
    )


def _found(request: Request, services: Services, session: Session, name: str) -> Row:
    """404 also for what the keeper does not reach."""
    _keeper(session)
    renderer: Renderer = request.app.state.renderer
    row = one_row(services, session, renderer.language_of(request), name, services.now())
    if row is None:
        raise not_found("machine", name[:80])
    return row


def _keeper(session: Session) -> None:
    inside = reach_of(session, Permission.KEEP_MACHINES)
    need(session, Permission.KEEP_MACHINES, inside[0] if inside else ScopePath())


def _speaking(request: Request, services: Services) -> tuple[Renderer, KeepingWords]:
    renderer: Renderer = request.app.state.renderer
    return renderer, KeepingWords(Words(renderer.language_of(request), services.now()))


def _address(chosen: MachineFilter, **changes: str | int) -> str:
    """The list with another filter; what is not filtered by stays out of the address."""
    query: dict[str, str | int] = {
        "state": chosen.state, "district": chosen.district, "q": chosen.text,
    }  # fmt: skip
    kept = {name: value for name, value in (query | changes).items() if value not in {"", 1}}
    return f"/machines?{urlencode(kept)}" if kept else "/machines"
