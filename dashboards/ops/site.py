"""The pages: HTML routes on top of the API, rendered from the same views."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import cast

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from controller.api.access import (
    Caller,
    Here,
    asked_scopes,
    link_seen_by,
    may,
    may_anywhere,
    scope_of,
    visible,
)
from controller.api.problems import Problem
from controller.api.security import local_path
from controller.api.services import Services
from controller.api.sessions import Session
from controller.api.together import minutes_of
from controller.trust.entries import LedgerError
from controller.trust.people.model import ACTOR
from dashboards.ops.audit_site import router as audit_router
from dashboards.ops.incident_site import router as incident_router
from dashboards.ops.key_site import router as key_router
from dashboards.ops.language import COOKIE
from dashboards.ops.machine_site import router as machine_router
from dashboards.ops.pages import (
    SCHOOL_DEPTH,
    STATES,
    SchoolFilter,
    crumbs,
    overview_page,
    school_page,
)
from dashboards.ops.people_site import router as people_router
from dashboards.ops.render import Renderer
from dashboards.ops.repair_pages import of_link
from dashboards.ops.repair_site import router as repair_router
from dashboards.ops.repair_words import RepairWords
from dashboards.ops.sections import START_PATH
from dashboards.ops.session_site import router as session_router
from dashboards.ops.start_site import router as start_router
from dashboards.ops.words import Words
from tenone.vocabulary.roles import Permission
from tenone.vocabulary.scope import ScopePath

router = APIRouter(include_in_schema=False)
LANGUAGE_COOKIE_SECONDS = 365 * 86400


def mount(app: FastAPI, services: Services) -> None:
    """Add pages and static files to an application made by ``create_app``."""
    renderer = Renderer(services)
    app.state.renderer = renderer
    app.include_router(router)
    app.include_router(incident_router)
    app.include_router(repair_router)
    app.include_router(people_router)
    app.include_router(audit_router)
    app.include_router(session_router)
    app.include_router(machine_router)
    app.include_router(key_router)
    app.include_router(start_router)
    app.add_route("/static/{version}/{name:path}", renderer.statics.serve, methods=["GET", "HEAD"])
    _answer_people_in_html(app)


def renderer_of(request: Request) -> Renderer:
    """The renderer ``mount`` made."""
    renderer: Renderer = request.app.state.renderer
    return renderer


@router.get("/")
async def home(request: Request, services: Here, session: Caller) -> Response:
    """The top of what the session may see; who sees nothing of the city goes to their own."""
    looks = may_anywhere(session, Permission.LOOK)
    if not looks and may_anywhere(session, Permission.READ_AUDIT):
        return RedirectResponse("/audit", 303)
    if not looks and session.actor.startswith(ACTOR):
        keeps = may_anywhere(session, Permission.KEEP_USERS)
        return RedirectResponse(START_PATH if keeps else "/account", 303)
    return _scope_page(request, services, session, asked_scopes(services, session, None))


@router.get("/at/{path:path}")
async def at_scope(request: Request, services: Here, session: Caller, path: str) -> HTMLResponse:
    """A city, district or school by its scope path."""
    return _scope_page(request, services, session, asked_scopes(services, session, path))


@router.get("/parts/class-minutes/{path:path}")
async def minutes_part(
    request: Request, services: Here, session: Caller, path: str
) -> HTMLResponse:
    """The card of today's class-minutes, which pages fetch anew twice a minute."""
    scopes = asked_scopes(services, session, path)
    tally = minutes_of(services.minutes, scopes)
    return renderer_of(request).page(
        request, "minutes_part.html", minutes=tally, scope=address_of(scopes)
    )


@router.get("/parts/measured/{school}/{link}")
async def measured_part(
    request: Request, services: Here, session: Caller, school: str, link: str
) -> HTMLResponse:
    """What is measured of a link, which its page fetches anew twice a minute."""
    view = link_seen_by(services, session, f"{school}/{link}")
    return renderer_of(request).page(request, "measured.html", link=view)


@router.get("/links/{school}/{link}")
async def link_page(
    request: Request, services: Here, session: Caller, school: str, link: str
) -> HTMLResponse:
    """One link: a page of its own, or the inside of the dialog when htmx asks."""
    view = link_seen_by(services, session, f"{school}/{link}")
    scope = scope_of(services, view.school)
    template = "link_panel.html" if "hx-request" in request.headers else "link.html"
    return renderer_of(request).page(
        request,
        template,
        session=session,
        scope=scope,
        link=view,
        crumbs=crumbs(services, session, scope, renderer_of(request).language_of(request)),
        may_poll=may(session, Permission.POLL, scope),
        repairs=of_link(services, session, scope, view),
        r=RepairWords(Words(renderer_of(request).language_of(request), services.now())),
        school_address=f"/at/{scope}" if visible(session, scope) else "/",
    )


@router.get("/language/{tag}")
async def language(request: Request, services: Here, tag: str, next: str = "/") -> Response:  # noqa: A002 - the query's name
    """Keep the language in a cookie and go back."""
    if tag not in renderer_of(request).languages:
        raise Problem(404, f"There is no language {tag!r} here.")
    response = RedirectResponse(local_path(next), 303)
    response.set_cookie(
        COOKIE,
        tag,
        max_age=LANGUAGE_COOKIE_SECONDS,
        secure=services.config.secure_cookies,
        httponly=True,
        samesite="lax",
    )
    return response


@router.get("/favicon.ico")
async def favicon(request: Request) -> Response:
    """Browsers ask for it unasked."""
    return RedirectResponse(renderer_of(request).statics.url("mark.svg"), 307)


def _scope_page(
    request: Request, services: Services, session: Session, scopes: Sequence[ScopePath]
) -> HTMLResponse:
    page: object
    scope = address_of(scopes)
    if len(scope.parts) >= SCHOOL_DEPTH:
        template, page = "school.html", school_page(services, scope)
    else:
        chosen = _filter(request.query_params)
        template, page = "overview.html", overview_page(services, scopes, chosen)
    return renderer_of(request).page(
        request,
        template,
        page=page,
        session=session,
        scope=scope,
        incidents_open=sum(services.incidents.count(one) for one in scopes),
        crumbs=crumbs(services, session, scope, renderer_of(request).language_of(request)),
    )


def address_of(scopes: Sequence[ScopePath]) -> ScopePath:
    """What a page names in its addresses: its scope, or nothing where it shows several."""
    return scopes[0] if len(scopes) == 1 else ScopePath()


def _filter(query: Mapping[str, str]) -> SchoolFilter:
    """A filter from the address; what is not understood filters nothing."""
    state = query.get("state", "")
    return SchoolFilter(
        state=state if state in STATES else "",
        district=query.get("district", "")[:32],
        text=query.get("q", "").strip()[:64],
    )


def _answer_people_in_html(app: FastAPI) -> None:
    """Problems stay JSON for programs; a browser gets a page that says the same."""
    for kind in (Problem, HTTPException, RequestValidationError, LedgerError, Exception):
        for_programs = cast("Handler", app.exception_handlers[kind])  # ours are all async
        app.add_exception_handler(kind, _for_people(for_programs))


Handler = Callable[[Request, Exception], Awaitable[Response]]


def _for_people(for_programs: Handler) -> Handler:
    async def handler(request: Request, error: Exception) -> Response:
        response = await for_programs(request, error)
        wants_page = "text/html" in request.headers.get("accept", "")
        if not wants_page or request.url.path.startswith("/api/"):
            return response
        return renderer_of(request).page(
            request,
            "error.html",
            status=response.status_code,
            session=getattr(request.state, "session", None),
        )

    return handler
