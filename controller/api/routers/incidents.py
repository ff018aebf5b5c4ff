"""Incidents: what is wrong, one entry a cause, and what people do about it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from controller.api.access import Caller, Here, actor_of, asked_scope, need, visible
from controller.api.incident_schemas import IncidentOneOut, IncidentOut, IncidentPage, TimesOut
from controller.api.listing import Listed, Listing, one_page
from controller.api.problems import Problem, not_found
from controller.api.services import Services
from controller.api.sessions import Session
from controller.api.together import each, each_waited
from controller.incidents.acts import ActError, StaleError
from controller.incidents.model import Act
from controller.incidents.repairs import times_json
from controller.incidents.views import STATES, IncidentView, event_json, incident_json
from controller.store.protocols import StoreError
from tenone.config.quantities import Name, Prose
from tenone.vocabulary.roles import Permission, allowed
from tenone.vocabulary.scope import ScopePath

router = APIRouter(prefix="/incidents", tags=["incidents"])

LISTED: Listed[IncidentView] = Listed(
    id_of=lambda view: view.id,
    states_of=lambda view: view.states,
    known_states=STATES,
    encode=incident_json,
)
CITY_LEVEL = 2
ACCOUNT = "account:"
ACTS: dict[str, Act] = {
    "acknowledge": Act.ACKNOWLEDGED,
    "assign": Act.ASSIGNED,
    "comment": Act.COMMENTED,
    "ticket": Act.TICKETED,
    "resolve": Act.RESOLVED,
    "reopen": Act.REOPENED,
}
Word = Literal["acknowledge", "assign", "comment", "ticket", "resolve", "reopen"]


class ActIn(BaseModel):
    """What a person does, under which name, having seen which version."""

    model_config = ConfigDict(extra="forbid")

    by: Name | None = Field(
        default=None,
        description="the person's name, where the session is not an account's: it stays in the "
        "record",
    )
    version: int | None = Field(
        default=None, description="version of the incident the person saw; 409 if it has moved on"
    )
    text: Annotated[Prose, Field(max_length=2000)] = Field(
        default="", description="a comment, a reason, an assignee or a ticket's number"
    )


@router.get("", responses={200: {"model": IncidentPage}})
async def incidents(services: Here, query: Listing) -> JSONResponse:
    """What is open; ``state=resolved`` lists what is over, of the last 400 days."""
    if query.as_of is not None:
        raise Problem(400, "as_of: every incident carries its own history; ask for one by its id.")
    if query.state == "resolved":
        return one_page(
            await each_waited(query.scopes, services.incidents.past, lambda view: view.id),
            query,
            LISTED,
        )
    return one_page(
        each(query.scopes, services.incidents.views, lambda view: view.id), query, LISTED
    )


@router.get("/times", responses={200: {"model": TimesOut}})
async def times(
    services: Here,
    session: Caller,
    scope: Annotated[str | None, Query(max_length=200)] = None,
    days: Annotated[int, Query(ge=1, le=400)] = 30,
) -> JSONResponse:
    """Time to notice, take, mend and prove, by the level responsible, over service hours."""
    where = asked_scope(services, session, scope)
    found = await services.incidents.times(where, days)
    return JSONResponse({"items": [times_json(one) for one in found], "total": len(found)})


@router.get("/{incident}", responses={200: {"model": IncidentOneOut}})
async def one_incident(services: Here, session: Caller, incident: str) -> JSONResponse:
    """One incident with its timeline."""
    view = await incident_seen_by(services, session, incident)
    timeline = await services.incidents.timeline(incident)
    return JSONResponse(incident_json(view) | {"timeline": [event_json(one) for one in timeline]})


@router.post(
    "/{incident}/{word}", responses={200: {"model": IncidentOut}, 409: {"description": "moved on"}}
)
async def act(
    services: Here, session: Caller, incident: str, word: Word, body: ActIn
) -> JSONResponse:
    """Acknowledge, assign, comment, give a ticket's number, resolve or reopen."""
    seen = await incident_seen_by(services, session, incident)
    view = await do(services, session, seen, word, body)
    return JSONResponse(incident_json(view))


async def incident_seen_by(services: Services, session: Session, incident: str) -> IncidentView:
    """The incident, or 404 where the session may not see it."""
    view = await services.incidents.find(incident)
    if view is None or not visible(session, view.scope):
        raise not_found("incident", incident)
    return view


async def do(
    services: Services, session: Session, seen: IncidentView, word: str, body: ActIn
) -> IncidentView:
    """Do it, or raise the problem that says why not."""
    need(session, Permission.ACT_ON_INCIDENTS, seen.scope)
    try:
        return await services.incidents.act(
            seen.id,
            ACTS[word],
            who=signature(session, body.by),
            version=body.version,
            text=body.text.strip(),
            level=level_of(session, seen.scope),
        )
    except StaleError as error:
        raise Problem(409, str(error)) from None
    except ActError as error:
        raise Problem(400, str(error)) from None
    except LookupError:
        raise not_found("incident", seen.id) from None
    except StoreError as error:
        raise Problem(
            503, f"{error}; it is done here and is written when that is mended."
        ) from None


def level_of(session: Session, scope: ScopePath) -> int:
    """Whose word it is at ``scope``: 0 the school's, 1 the district's, 2 the city's."""
    depths = [
        len(grant.scope.parts)
        for grant in session.grants
        if allowed((grant,), Permission.ACT_ON_INCIDENTS, scope)
    ]
    return max(0, CITY_LEVEL + 1 - max(min(depths, default=CITY_LEVEL + 1), 1))


def signature(session: Session, by: str | None) -> str:
    """A name as it stays in the record: an account's own, else what was typed; and the actor.

    422 where neither is there.
    """
    name = session.name if has_name(session) else by
    if name is None:
        raise Problem(422, "by: say who you are: this session is not an account's.")
    return f"{name} ({actor_of(session)})"


def has_name(session: Session) -> bool:
    """Whether the session is an account's, so that nobody types a name."""
    return actor_of(session).startswith(ACCOUNT)
