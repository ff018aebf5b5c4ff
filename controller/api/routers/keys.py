"""Keys of programs: made, listed, disabled and removed by who keeps accounts."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from controller.api.access import Caller, Here, granted_inside, need, reach_of
from controller.api.listing import Keeping, Listed, one_page
from controller.api.people_access import in_problems
from controller.api.problems import Problem
from controller.api.routers.users import GrantIn, grants_in
from controller.api.schemas import GrantOut
from controller.api.services import Services
from controller.api.sessions import Session
from controller.encode import Json
from controller.trust.keys.desk import Keys
from controller.trust.keys.model import (
    DEFAULT_A_MINUTE,
    DEFAULT_DAYS,
    MOST_A_MINUTE,
    MOST_DAYS,
    ApiKey,
    KeyState,
)
from tenone.config.quantities import Name
from tenone.vocabulary.roles import Permission
from tenone.vocabulary.scope import ScopePath

router = APIRouter(prefix="/keys", tags=["keys"])


class KeyIn(BaseModel):
    """A new key."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    """Which application it is for."""
    grants: list[GrantIn] = Field(min_length=1, max_length=100)
    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = DEFAULT_DAYS
    a_minute: Annotated[int, Field(ge=1, le=MOST_A_MINUTE)] = DEFAULT_A_MINUTE


class KeyOut(BaseModel):
    """One key without its secret; times are epoch seconds."""

    model_config = ConfigDict(extra="forbid")

    id: str
    name: str
    state: Literal["active", "expired", "disabled"]
    grants: list[GrantOut]
    created_by: str
    created_at: float
    expires_at: float
    used_at: float | None
    a_minute: int


class NewKeyOut(KeyOut):
    """A new key and its text, once."""

    key: str


class KeyPage(BaseModel):
    """A page of keys."""

    model_config = ConfigDict(extra="forbid")

    items: list[KeyOut]
    total: int
    next_cursor: str | None


def key_json(key: ApiKey, now: float) -> Json:
    """A key without its secret."""
    return {
        "id": key.id,
        "name": key.name,
        "state": key.state(now).value,
        "grants": [{"role": one.role.value, "scope": str(one.scope)} for one in key.grants],
        "created_by": key.created_by,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "used_at": key.used_at,
        "a_minute": key.a_minute,
    }


@router.get("", responses={200: {"model": KeyPage}})
async def keys(services: Here, session: Caller, query: Keeping) -> JSONResponse:
    """The keys a keeper reaches; with ``scope`` those that hold a grant there or inside."""
    with in_problems():
        every = await _desk(services).all(session.grants)
    now = services.now()
    listed: Listed[ApiKey] = Listed(
        id_of=lambda one: one.id,
        states_of=lambda one: frozenset({one.state(now).value}),
        known_states=frozenset(state.value for state in KeyState),
        encode=lambda one: key_json(one, now),
    )
    inside = [one for one in every if granted_inside(one.grants, query.scopes)]
    return one_page(inside, query, listed)


@router.post("", status_code=201, responses={201: {"model": NewKeyOut}})
async def create(services: Here, session: Caller, body: KeyIn) -> JSONResponse:
    """A new key; its text is in the answer and nowhere else, ever."""
    desk = _keeper(services, session)
    grants = grants_in(services, body.grants)
    with in_problems():
        made, text = await desk.create(
            session, body.name, grants, days=body.days, a_minute=body.a_minute
        )
    return JSONResponse(key_json(made, services.now()) | {"key": text}, 201)


@router.post("/{key}/disable", responses={200: {"model": KeyOut}})
async def disable(services: Here, session: Caller, key: str) -> JSONResponse:
    """It opens nothing from now on; there is no way back."""
    with in_problems():
        ended = await _keeper(services, session).disable(session, key)
    return JSONResponse(key_json(ended, services.now()))


@router.delete("/{key}", status_code=204)
async def remove(services: Here, session: Caller, key: str) -> Response:
    """Forget a key that is disabled or expired; the ledger keeps what it did."""
    with in_problems():
        await _keeper(services, session).remove(session, key)
    return Response(status_code=204)


def _desk(services: Services) -> Keys:
    if services.keys is None:
        raise Problem(404, "This controller keeps no keys.")
    return services.keys


def _keeper(services: Services, session: Session) -> Keys:
    """403 for whoever keeps no accounts anywhere, before anything else is said."""
    inside = reach_of(session, Permission.KEEP_USERS)
    need(session, Permission.KEEP_USERS, inside[0] if inside else ScopePath())
    return _desk(services)
