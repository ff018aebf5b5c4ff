"""The pages of incidents: the list, worst first, and one incident with what people do about it."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import ValidationError
from starlette.responses import HTMLResponse, RedirectResponse, Response

from controller.api.access import Caller, Here, asked_scopes, may
from controller.api.problems import Problem
from controller.api.routers.incidents import ACTS, ActIn, do, has_name, incident_seen_by
from controller.api.services import Services
from controller.api.sessions import Session
from controller.api.together import common, each, each_waited
from controller.incidents.desk import worst_first
from controller.incidents.model import Act
from controller.incidents.views import IncidentView
from dashboards.ops.incident_words import IncidentWords, incident_mark
from dashboards.ops.pages import crumbs
from dashboards.ops.render import Renderer
from dashboards.ops.repair_pages import of_incident
from dashboards.ops.repair_words import RepairWords
from dashboards.ops.words import Words
from tenone.vocabulary.roles import Permission
from tenone.vocabulary.scope import ScopePath

router = APIRouter(include_in_schema=False)
MOST_ROWS = 200
SHOWN_STATES = ("open", "acknowledged", "under-repair", "maintenance", "shadowed", "resolved")
NEEDS_TEXT = frozenset({"assign", "comment", "ticket", "resolve", "reopen"})


@router.get("/incidents")
async def incident_list(
    request: Request, services: Here, session: Caller, scope: str = "", state: str = "open"
) -> HTMLResponse:
    """What is open inside a scope, worst first, or what is over."""
    where = asked_scopes(services, session, scope)
    chosen = state if state in SHOWN_STATES else "open"
    views = await _listed(services, where, chosen)
    renderer = _renderer(request)
    language = renderer.language_of(request)
    return renderer.page(
        request,
        "incidents.html",
        session=session,
        scope=scope if len(where) == 1 else "",
        crumbs=crumbs(services, session, common(where), language),
        i=_words(request, services),
        mark_of=incident_mark,
        incidents=views[:MOST_ROWS],
        found=len(views),
        chosen=chosen,
        states=SHOWN_STATES,
    )


@router.get("/incidents/{incident}")
async def incident_page(
    request: Request, services: Here, session: Caller, incident: str
) -> HTMLResponse:
    """One incident: the sentence, what to do, whom it hurts, its timeline, the evidence."""
    return await _page(request, services, session, incident)


@router.post("/incidents/{incident}/act")
async def act(  # noqa: PLR0917 - FastAPI reads the form from the signature
    request: Request,
    services: Here,
    session: Caller,
    incident: str,
    word: Annotated[str, Form(max_length=16)],
    by: Annotated[str, Form(max_length=120)] = "",
    text: Annotated[str, Form(max_length=2000)] = "",
    version: Annotated[int | None, Form()] = None,
) -> Response:
    """What one of the page's buttons does; a refusal is said on the page, nothing typed is lost."""
    view = await incident_seen_by(services, session, incident)
    unsigned = not has_name(session) and not by.strip()
    if unsigned or word not in ACTS or (word in NEEDS_TEXT and not text.strip()):
        return await _page(request, services, session, incident, 400, by=by, text=text)
    try:
        seen = None if word == "comment" else version
        body = ActIn(by=by.strip() or None, text=text.strip(), version=seen)
        await do(services, session, view, word, body)
    except ValidationError:
        return await _page(request, services, session, incident, 400, by=by, text=text)
    except Problem as problem:
        return await _page(request, services, session, incident, problem.status, by=by, text=text)
    return RedirectResponse(f"/incidents/{view.id}", 303)


async def _listed(
    services: Services, where: Sequence[ScopePath], chosen: str
) -> list[IncidentView]:
    if chosen == "resolved":
        return await each_waited(where, services.incidents.past, _id)
    found = each(where, services.incidents.views, _id)
    if len(where) > 1:
        found.sort(key=worst_first)
    return [view for view in found if chosen in view.states]


def _id(view: IncidentView) -> str:
    return view.id


async def _page(
    request: Request,
    services: Services,
    session: Session,
    incident: str,
    status: int = 200,
    *,
    by: str = "",
    text: str = "",
) -> HTMLResponse:
    view = await incident_seen_by(services, session, incident)
    owner = None if view.owner is None else await services.incidents.find(view.owner)
    renderer = _renderer(request)
    words = _words(request, services)
    language = renderer.language_of(request)
    actions, proposals = await of_incident(services, session, view, language)
    return renderer.page(
        request,
        "incident.html",
        status=status,
        session=session,
        scope=view.scope,
        crumbs=crumbs(services, session, view.scope, language),
        r=RepairWords(words.words),
        actions=actions,
        proposals=proposals,
        named=services.account_of(session.actor) is not None,
        i=words,
        mark_of=incident_mark,
        incident=view,
        owner=owner,
        children=_children(services, view),
        timeline=list(await services.incidents.timeline(view.id)),
        may_act=may(session, Permission.ACT_ON_INCIDENTS, view.scope),
        refusal=words.refusal(status),
        typed={"by": by, "text": text},
        commented=Act.COMMENTED,
    )


def _children(services: Services, view: IncidentView) -> list[tuple[str, str]]:
    """Names and addresses of what is bad behind it."""
    found = []
    for subject in view.shadowed:
        school, kind, name = subject.split("/", 2)
        link = services.city.link(f"{school}/{name}") if kind == "link" else None
        found.append((name, "") if link is None else (link[1].name, f"/links/{school}/{name}"))
    return found


def _renderer(request: Request) -> Renderer:
    renderer: Renderer = request.app.state.renderer
    return renderer


def _words(request: Request, services: Services) -> IncidentWords:
    return IncidentWords(Words(_renderer(request).language_of(request), services.now()))
