"""Maintenance: planned work, approved by a named person. It keeps alarms quiet and leaves W."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from controller.api.access import Caller, Here, asked_scope, link_seen_by, need, scope_of, visible
from controller.api.incident_schemas import WindowOut, WindowPage
from controller.api.ledgering import ledgered
from controller.api.listing import Listed, Listing, one_page
from controller.api.moments import epoch_ns
from controller.api.problems import Problem, not_found
from controller.api.routers.incidents import signature
from controller.api.together import each
from controller.incidents.acts import ActError, StaleError
from controller.incidents.maintenance import Window
from controller.incidents.room import new_id
from controller.incidents.views import window_json
from controller.store.protocols import NS, StoreError
from tenone.config.quantities import Name, Prose
from tenone.vocabulary.roles import Permission
from tenone.vocabulary.scope import ScopePath

router = APIRouter(prefix="/maintenance", tags=["incidents"])


class WindowIn(BaseModel):
    """One window; without ``link`` it is about all of ``scope``."""

    model_config = ConfigDict(extra="forbid")

    scope: str = Field(default="", max_length=200, description="empty: the link's school")
    link: str | None = Field(default=None, max_length=65, description="school/link")
    start: datetime = Field(description="RFC 3339; without an offset UTC")
    end: datetime
    reason: Prose = Field(min_length=1, max_length=2000)
    asked_by: Name | None = None
    approved_by: Name


class EndIn(BaseModel):
    """Who ends it."""

    model_config = ConfigDict(extra="forbid")

    by: Name | None = None


@router.get("", responses={200: {"model": WindowPage}})
async def windows(services: Here, query: Listing) -> JSONResponse:
    """``state``: ``planned``, ``running`` or ``over``."""
    now_ns = round(services.now() * NS)
    listed: Listed[Window] = Listed(
        id_of=lambda window: window.id,
        states_of=lambda window: frozenset({_state(window, now_ns)}),
        known_states=frozenset({"planned", "running", "over"}),
        encode=window_json,
    )
    # A window of the whole city concerns every school; what lies above is shown, not changed.
    found = each(query.scopes, services.incidents.windows, lambda window: window.id)
    return one_page(found, query, listed)


@router.post("", status_code=201, responses={201: {"model": WindowOut}})
async def add(services: Here, session: Caller, body: WindowIn) -> JSONResponse:
    """Plan work in a scope, or on a link."""
    if body.link is None:
        scope = asked_scope(services, session, body.scope or None)
    else:
        scope = scope_of(services, link_seen_by(services, session, body.link).school)
    need(session, Permission.PLAN_MAINTENANCE, scope)
    window = Window(
        id=new_id("m"),
        scope=scope,
        link=body.link,
        start_ns=epoch_ns("start", body.start),
        end_ns=epoch_ns("end", body.end),
        reason=body.reason,
        asked_by=signature(session, body.asked_by),
        approved_by=body.approved_by,
        made_ns=round(services.now() * NS),
    )
    detail: dict[str, str | int | float | bool | None] = {
        "from_ns": window.start_ns,
        "until_ns": window.end_ns,
        "reason": window.reason,
        "asked_by": window.asked_by,
        "approved_by": window.approved_by,
    }
    subject = window.id if body.link is None else f"{window.id} {body.link}"
    try:
        async with ledgered(
            services, session, "maintenance.plan", scope, subject=subject, detail=detail
        ):
            made = await services.incidents.add_window(window)
    except ActError as error:
        raise Problem(400, str(error)) from None
    except StoreError as error:
        raise Problem(503, f"{error}; nothing was planned.") from None
    return JSONResponse(window_json(made), 201)


@router.post("/{window}/end", responses={200: {"model": WindowOut}})
async def end(services: Here, session: Caller, window: str, body: EndIn) -> JSONResponse:
    """End a window now, or cancel one that has not begun."""
    every = services.incidents.windows(ScopePath())
    known = next((one for one in every if one.id == window), None)
    if known is None or not visible(session, known.scope):
        raise not_found("maintenance window", window)
    need(session, Permission.PLAN_MAINTENANCE, known.scope)
    who = signature(session, body.by)
    try:
        async with ledgered(
            services, session, "maintenance.end", known.scope, subject=window, detail={"by": who}
        ):
            ended = await services.incidents.end_window(window, who=who)
    except StaleError as error:
        raise Problem(409, str(error)) from None
    except StoreError as error:
        raise Problem(503, f"{error}; the window goes on.") from None
    return JSONResponse(window_json(ended))


def _state(window: Window, now_ns: int) -> str:
    if window.until_ns <= now_ns:
        return "over"
    return "running" if window.holds(now_ns) else "planned"
