"""Ending live sessions by page: one's own, and those of an account one keeps."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from controller.api.access import Caller, Here
from controller.api.people_access import in_problems
from controller.api.problems import Problem
from controller.api.routers.open_sessions import desk_of, keeper_desk
from controller.api.services import Services
from controller.api.sessions import Session
from dashboards.ops.keeping_words import KeepingWords
from dashboards.ops.render import Renderer
from dashboards.ops.words import Words

router = APIRouter(include_in_schema=False)
End = Annotated[str, Form(max_length=64)]
ALL = "all"


@router.post("/account/sessions")
async def end_own(request: Request, services: Here, session: Caller, end: End = "") -> Response:
    """End one of the own sessions, or all others; what has ended already is no fault."""
    desk = desk_of(services)
    try:
        with in_problems():
            if end == ALL:
                await desk.end_others(session)
            else:
                await desk.end_own(session, end)
    except Problem as problem:
        if problem.status != 404:  # noqa: PLR2004 - pressed twice
            return await _sessions(request, services, session, "", problem)
    return RedirectResponse("/account", 303)


@router.post("/users/{name}/sessions")
async def end_of(
    request: Request, services: Here, session: Caller, name: str, end: End = ""
) -> Response:
    """The same of an account the caller keeps."""
    desk = keeper_desk(services, session)
    with in_problems():
        await desk.of(session, name)  # not there, or not theirs: that is a page of its own
    try:
        with in_problems():
            if end == ALL:
                await desk.end_all(session, name)
            else:
                await desk.end(session, name, end)
    except Problem as problem:
        if problem.status != 404:  # noqa: PLR2004 - pressed twice
            return await _sessions(request, services, session, name, problem)
    return RedirectResponse(f"/users/{name}", 303)


async def _sessions(
    request: Request, services: Services, session: Session, name: str, problem: Problem
) -> HTMLResponse:
    """What could not be done, above the sessions that still stand."""
    desk = desk_of(services)
    with in_problems():
        found: Sequence[Session] = await desk.of(session, name) if name else desk.own(session)
    renderer: Renderer = request.app.state.renderer
    words = KeepingWords(Words(renderer.language_of(request), services.now()))
    return renderer.page(
        request,
        "sessions.html",
        status=problem.status,
        session=session,
        k=words,
        open_sessions=found,
        said=words.refusal(problem),
        of_whom=name,
        back=f"/users/{name}" if name else "/account",
    )
