"""Configurations of switches: what was set by hand, which rules do not hold; never the text."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, StringConstraints
from starlette.responses import JSONResponse

from controller.api.access import Caller, Here, need, scope_of, visible
from controller.api.ledgering import ledgered
from controller.api.listing import Listed, Listing, one_page
from controller.api.problems import Problem, not_found
from controller.api.schemas import ProblemOut
from controller.api.services import Services
from controller.api.sessions import Session
from controller.api.together import each
from controller.configurations.model import Configuration, NotDoneError, configuration_json
from controller.encode import Json
from tenone.vocabulary.roles import Permission
from tenone.vocabulary.scope import ScopePath

router = APIRouter(prefix="/configurations", tags=["configurations"])

Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class RuleOut(BaseModel):
    """A rule that does not hold, in both languages."""

    rule: str
    severity: str
    en: str
    zh: str
    where: list[str]
    places: int


class ConfigurationOut(BaseModel):
    """One switch. Moments are epoch seconds."""

    id: str
    school: str
    scope: str
    switch: str
    state: Literal["accepted", "drifted", "unknown"]
    at: float
    fetched: float | None
    error: str
    hash: str | None
    accepted: str | None
    differences: str
    broken: list[RuleOut]


class ConfigurationPage(BaseModel):
    """A page of switches."""

    items: list[ConfigurationOut]
    total: int
    next_cursor: str | None


class AcceptIn(BaseModel):
    """What was looked at."""

    model_config = ConfigDict(extra="forbid")

    hash: Hash


class SaidOut(BaseModel):
    """What the school answered."""

    message: str


ASKED: dict[int | str, dict[str, Any]] = {
    200: {"model": SaidOut},
    502: {"model": ProblemOut, "description": "The school did not do it, or did not answer"},
}


@router.get("", responses={200: {"model": ConfigurationPage}})
async def configurations(services: Here, query: Listing) -> JSONResponse:
    """Every switch that was ever fetched; ``state=drifted`` are those changed by hand."""
    if query.as_of is not None:
        raise Problem(400, "as_of: what was, is kept at the school (tenone switch versions).")

    def encode(one: Configuration) -> Json:
        return configuration_json(one, scope_of(services, one.school))

    listed: Listed[Configuration] = Listed(
        id_of=lambda one: one.id,
        states_of=lambda one: frozenset({one.state}),
        known_states=frozenset({"accepted", "drifted", "unknown"}),
        encode=encode,
    )
    found = each(query.scopes, services.configurations.configurations, lambda one: one.id)
    return one_page(found, query, listed)


@router.get("/{school}/{switch}", responses={200: {"model": ConfigurationOut}})
async def one(services: Here, session: Caller, school: str, switch: str) -> JSONResponse:
    """One switch."""
    known, scope = _seen(services, session, school, switch)
    return JSONResponse(configuration_json(known, scope))


@router.post("/{school}/{switch}/accept", responses=ASKED)
async def accept(
    services: Here, session: Caller, school: str, switch: str, body: AcceptIn
) -> JSONResponse:
    """Say that what was found, and looked at, is right."""
    known, scope = _seen(services, session, school, switch)
    need(session, Permission.KEEP_INVENTORY, scope)
    if known.hash != body.hash:
        raise Problem(409, "The configuration has changed again since: look at it anew.")
    try:
        async with ledgered(
            services, session, "configuration.accept", scope, subject=known.id,
            detail={"hash": body.hash},
        ):  # fmt: skip
            said = await services.configurations.accept(school, switch, body.hash)
    except NotDoneError as error:
        raise Problem(502, str(error)) from None
    return JSONResponse({"message": said})


@router.post("/{school}/{switch}/fetch", responses=ASKED)
async def fetch(services: Here, session: Caller, school: str, switch: str) -> JSONResponse:
    """Have the school look at it now."""
    scope = scope_of(services, school)
    if not visible(session, scope):
        raise not_found("school", school)
    if not services.configurations.has(school, switch):
        raise not_found("switch", f"{school}/{switch}"[:64])
    need(session, Permission.POLL, scope)
    try:
        async with ledgered(services, session, "poll.request", scope, subject=f"{school}/{switch}"):
            said = await services.configurations.fetch(school, switch)
    except NotDoneError as error:
        raise Problem(502, str(error)) from None
    return JSONResponse({"message": said})


def _seen(
    services: Services, session: Session, school: str, switch: str
) -> tuple[Configuration, ScopePath]:
    known = services.configurations.find(school, switch)
    if known is None or not visible(session, scope := scope_of(services, school)):
        raise not_found("configuration", f"{school}/{switch}"[:64])
    return known, scope
