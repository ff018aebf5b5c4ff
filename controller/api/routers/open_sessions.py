"""Live sessions of accounts, listed and ended: one's own, and by who keeps accounts."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict
from starlette.responses import JSONResponse, Response

from controller.api.access import Caller, Here, need, reach_of
from controller.api.people_access import in_problems, people_of
from controller.api.services import Services
from controller.api.sessions import Session
from controller.encode import Json
from controller.trust.people.open_sessions import OpenSessions
from tenone.vocabulary.roles import Permission
from tenone.vocabulary.scope import ScopePath

router = APIRouter(prefix="/users", tags=["users"])
Id = Annotated[str, Path(max_length=64)]


class OpenSessionOut(BaseModel):
    """A live session; times are epoch seconds. Its id opens nothing."""

    model_config = ConfigDict(extra="forbid")

    id: str
    kind: str
    current: bool
    """The one this request was made in."""
    client: str
    """The address it was opened from, as the controller saw it; empty: not noted."""
    device: str
    """What the browser called itself then; anybody may write anything there."""
    opened_at: float
    used_at: float
    ends_at: float
    """If nobody uses it any more."""


class OpenSessionsOut(BaseModel):
    """All of an account, last used first."""

    model_config = ConfigDict(extra="forbid")

    items: list[OpenSessionOut]


class EndedOut(BaseModel):
    """How many were ended."""

    model_config = ConfigDict(extra="forbid")

    ended: int


def desk_of(services: Services) -> OpenSessions:
    """What is asked of; 404 where no accounts are kept."""
    return OpenSessions(people_of(services))


def keeper_desk(services: Services, session: Session) -> OpenSessions:
    """The same; 403 for whoever keeps no accounts anywhere, before anything else is said."""
    inside = reach_of(session, Permission.KEEP_USERS)
    need(session, Permission.KEEP_USERS, inside[0] if inside else ScopePath())
    return desk_of(services)


def listed(services: Services, found: Sequence[Session], caller: Session) -> Json:
    """Sessions as the API shows them."""
    items = [
        {
            "id": one.id,
            "kind": one.kind.value,
            "current": one.key == caller.key,
            "client": one.client,
            "device": one.device,
            "opened_at": one.opened_at,
            "used_at": one.used_at,
            "ends_at": services.sessions.ends_at(one),
        }
        for one in found
    ]
    return {"items": items}


@router.get("/current/sessions", responses={200: {"model": OpenSessionsOut}})
async def own(services: Here, session: Caller) -> JSONResponse:
    """The caller's live sessions, this one first."""
    with in_problems():
        return JSONResponse(listed(services, desk_of(services).own(session), session))


@router.delete("/current/sessions", responses={200: {"model": EndedOut}})
async def end_others(services: Here, session: Caller) -> JSONResponse:
    """End all of the caller's sessions but this one."""
    with in_problems():
        return JSONResponse({"ended": await desk_of(services).end_others(session)})


@router.delete("/current/sessions/{shown}", status_code=204)
async def end_own(services: Here, session: Caller, shown: Id) -> Response:
    """End one of the caller's others; this one is ended by DELETE /sessions/current."""
    with in_problems():
        await desk_of(services).end_own(session, shown)
    return Response(status_code=204)


@router.get("/{name}/sessions", responses={200: {"model": OpenSessionsOut}})
async def of_account(services: Here, session: Caller, name: str) -> JSONResponse:
    """The live sessions of an account, for who keeps it."""
    desk = keeper_desk(services, session)
    with in_problems():
        return JSONResponse(listed(services, await desk.of(session, name), session))


@router.delete("/{name}/sessions", responses={200: {"model": EndedOut}})
async def end_all(services: Here, session: Caller, name: str) -> JSONResponse:
    """End all of them; the keeper's own present one stays."""
    desk = keeper_desk(services, session)
    with in_problems():
        return JSONResponse({"ended": await desk.end_all(session, name)})


@router.delete("/{name}/sessions/{shown}", status_code=204)
async def end(services: Here, session: Caller, name: str, shown: Id) -> Response:
    """End one of them."""
    desk = keeper_desk(services, session)
    with in_problems():
        await desk.end(session, name, shown)
    return Response(status_code=204)
