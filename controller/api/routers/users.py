"""Accounts: kept by security administrators, and everybody's own password and second factor."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from controller.api.access import Caller, Here, exists, granted_inside, need, reach_of
from controller.api.listing import Keeping, Listed, one_page
from controller.api.people_access import in_problems, people_of
from controller.api.problems import Problem
from controller.api.schemas_people import (
    AccountOut,
    AccountPage,
    CodesOut,
    MadeOut,
    PendingOut,
    ResetOut,
)
from controller.api.services import Services
from controller.api.sessions import Session, SessionKind
from controller.encode import Json
from controller.trust.people import second
from controller.trust.people.desk import Pending, People
from controller.trust.people.door import name_of
from controller.trust.people.model import Account
from tenone.config.quantities import Name
from tenone.vocabulary.roles import Grant, Permission, Role
from tenone.vocabulary.scope import IdentifierError, ScopePath

router = APIRouter(prefix="/users", tags=["users"])
STATES = frozenset({"enabled", "disabled", "locked", "new"})
Password = Annotated[str, Field(max_length=1024)]
Code = Annotated[str, Field(max_length=64)]


class GrantIn(BaseModel):
    """A role at a scope; the empty scope is the whole city."""

    model_config = ConfigDict(extra="forbid")

    role: Role
    scope: str = Field(default="", max_length=200)


class UserIn(BaseModel):
    """A new account."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=64, description="[a-z0-9._-]")
    display: Name | None = None
    grants: list[GrantIn] = Field(default=[], max_length=100)


class UserChange(BaseModel):
    """What is given is changed. ``grants`` takes the place of all that stand."""

    model_config = ConfigDict(extra="forbid")

    display: Name | None = None
    enabled: bool | None = None
    grants: list[GrantIn] | None = Field(default=None, max_length=100)
    subject: Name | Literal[""] | None = Field(
        default=None, description="Of auth.oidc's identity provider; empty: no longer linked"
    )


class ResetIn(BaseModel):
    """Whether the second factor is forgotten, too."""

    model_config = ConfigDict(extra="forbid")

    second_factor: bool = False


class PasswordIn(BaseModel):
    """The own password, changed."""

    model_config = ConfigDict(extra="forbid")

    current: Password
    new: Password


class SecondIn(BaseModel):
    """The second factor that was shown, proved by its code."""

    model_config = ConfigDict(extra="forbid")

    password: Password
    code: Code


class EnrolIn(BaseModel):
    """A new or reset account's password; the code of its second factor where it gets one."""

    model_config = ConfigDict(extra="forbid")

    password: Password
    code: Code = ""


class FirstIn(BaseModel):
    """The first security administrator."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=64)
    display: Name | None = None
    password: Password
    code: Code


def grants_in(services: Services, given: list[GrantIn]) -> tuple[Grant, ...]:
    """What is asked for; 400 for a scope that is none, 404 for one that is not there."""
    found = []
    for one in given:
        try:
            scope = ScopePath.parse(one.scope)
        except IdentifierError as error:
            raise Problem(400, f"grants: {error}.") from None
        if not exists(services, scope):
            raise Problem(400, f"grants: there is no scope {one.scope!r} here.")
        found.append(Grant(one.role, scope))
    return tuple(found)


def account_json(account: Account, now: float) -> Json:
    """An account without anything secret."""
    return {
        "name": account.name,
        "display": account.display,
        "state": state_of(account, now),
        "grants": [{"role": one.role.value, "scope": str(one.scope)} for one in account.grants],
        "second_factor": account.has_second_factor,
        "provider": account.provider,
        "created_at": account.created_at,
        "signed_in_at": account.signed_in_at,
    }


def state_of(account: Account, now: float) -> str:
    """``new``: nobody has used its one-time code yet."""
    if not account.enabled:
        return "disabled"
    if account.locked_until > now:
        return "locked"
    return "enabled" if account.usable else "new"


@router.get("", responses={200: {"model": AccountPage}})
async def users(services: Here, session: Caller, query: Keeping) -> JSONResponse:
    """The accounts a keeper reaches; with ``scope`` those that hold a grant there or inside."""
    people = people_of(services)
    with in_problems():
        every = await people.all(session.grants)
    now = services.now()
    listed: Listed[Account] = Listed(
        id_of=lambda one: one.name,
        states_of=lambda one: frozenset({state_of(one, now)}),
        known_states=STATES,
        encode=lambda one: account_json(one, now),
    )
    inside = [one for one in every if granted_inside(one.grants, query.scopes)]
    return one_page(inside, query, listed)


@router.post("", status_code=201, responses={201: {"model": MadeOut}})
async def create(services: Here, session: Caller, body: UserIn) -> JSONResponse:
    """A new account; its holder sets password and second factor by the code in the answer."""
    people = _keeper(services, session)
    grants = grants_in(services, body.grants)
    with in_problems():
        made, code = await people.create(session, body.name, body.display or "", grants)
    return JSONResponse(account_json(made, services.now()) | {"one_time_code": code}, 201)


@router.get("/first", responses={200: {"model": PendingOut}})
async def first_second(services: Here, session: Caller) -> JSONResponse:
    """The second factor that the first security administrator will have."""
    people = people_of(services)
    if session.kind is not SessionKind.SET_UP:
        raise Problem(403, "This needs the one-time code that the controller prints.")
    with in_problems():
        return JSONResponse(pending_json(people.begin_second(session)))


@router.post("/first", status_code=201, responses={201: {"model": CodesOut}})
async def first(services: Here, session: Caller, body: FirstIn) -> JSONResponse:
    """Make the first security administrator, by the machine's one-time code; it ends with it."""
    people = people_of(services)
    with in_problems():
        codes = await people.first(session, body.name, body.display or "", body.password, body.code)
    return JSONResponse({"recovery_codes": codes}, 201)


@router.get("/current", responses={200: {"model": AccountOut}})
async def current(services: Here, session: Caller) -> JSONResponse:
    """The caller's own account; 404 for a session that is not an account's."""
    with in_problems():
        account = await people_of(services).find(name_of(session.actor))
    return JSONResponse(account_json(account, services.now()))


@router.post("/current/password", status_code=204)
async def change_password(services: Here, session: Caller, body: PasswordIn) -> Response:
    """Change the own password; every session of the account ends, this one too."""
    with in_problems():
        await people_of(services).change_password(session, body.current, body.new)
    return Response(status_code=204)


@router.get("/current/second-factor", responses={200: {"model": PendingOut}})
async def begin_second(services: Here, session: Caller) -> JSONResponse:
    """A second factor to be scanned; kept once its code is posted here."""
    return _pending(services, session)


@router.post("/current/second-factor", responses={200: {"model": CodesOut}})
async def confirm_second(services: Here, session: Caller, body: SecondIn) -> JSONResponse:
    """Keep the second factor; the recovery codes in the answer are shown this once."""
    with in_problems():
        codes = await people_of(services).confirm_second(session, body.password, body.code)
    return JSONResponse({"recovery_codes": codes})


@router.get("/current/enrol", responses={200: {"model": PendingOut}})
async def enrol_second(services: Here, session: Caller) -> JSONResponse:
    """The second factor of a new account."""
    return _pending(services, session)


@router.post("/current/enrol", responses={200: {"model": CodesOut}})
async def enrol(services: Here, session: Caller, body: EnrolIn) -> JSONResponse:
    """A new or reset account gets its password; the session ends."""
    with in_problems():
        codes = await people_of(services).enrol(session, body.password, body.code)
    return JSONResponse({"recovery_codes": codes})


@router.patch("/{name}", responses={200: {"model": AccountOut}})
async def change(services: Here, session: Caller, name: str, body: UserChange) -> JSONResponse:
    """Change display name, state or grants; the last two end the account's sessions."""
    people = _keeper(services, session)
    grants = None if body.grants is None else grants_in(services, body.grants)
    link = None
    if body.subject is not None:
        if body.subject and services.oidc is None:
            raise Problem(400, "subject: this controller asks no identity provider.")
        provider = services.oidc.provider if services.oidc and body.subject else ""
        link = (provider, body.subject)
    with in_problems():
        edited = await people.edit(
            session, name, display=body.display, enabled=body.enabled, grants=grants, link=link
        )
    return JSONResponse(account_json(edited, services.now()))


@router.delete("/{name}", status_code=204)
async def remove(services: Here, session: Caller, name: str) -> Response:
    """Forget an account; the ledger keeps what it did."""
    with in_problems():
        await _keeper(services, session).remove(session, name)
    return Response(status_code=204)


@router.post("/{name}/password-reset", responses={200: {"model": ResetOut}})
async def reset(services: Here, session: Caller, name: str, body: ResetIn) -> JSONResponse:
    """Forget the password; its holder sets a new one by the code in the answer."""
    with in_problems():
        code = await _keeper(services, session).reset(
            session, name, keep_second=not body.second_factor
        )
    return JSONResponse({"one_time_code": code})


def pending_json(pending: Pending) -> Json:
    """The secret is its holder's: it is shown to be scanned or typed."""
    return {
        "secret": pending.secret,
        "address": pending.address,
        "picture": second.picture(pending.address),
        "until": pending.until,
    }


def _pending(services: Services, session: Session) -> JSONResponse:
    people = people_of(services)
    if not name_of(session.actor):
        raise Problem(403, "This session is not an account's.")
    with in_problems():
        return JSONResponse(pending_json(people.begin_second(session)))


def _keeper(services: Services, session: Session) -> People:
    """403 for whoever keeps no accounts anywhere, before anything else is said."""
    inside = reach_of(session, Permission.KEEP_USERS)
    need(session, Permission.KEEP_USERS, inside[0] if inside else ScopePath())
    return people_of(services)
