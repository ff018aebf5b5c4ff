"""Tickets about incidents."""

from dataclasses import replace

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from controller.api.access import Caller, Here, need, scope_of, visible
from controller.api.incident_schemas import TicketOut, TicketPage
from controller.api.listing import Listed, Listing, one_page
from controller.api.problems import Problem, not_found
from controller.api.routers.incidents import ActIn, do, incident_seen_by, signature
from controller.api.services import Services
from controller.api.sessions import Session
from controller.incidents.acts import ActError, StaleError
from controller.incidents.room import new_id
from controller.incidents.tickets import STATES, Ticket, ticket_json
from controller.store.protocols import NS
from tenone.config.quantities import Name, Prose
from tenone.vocabulary.roles import Permission

router = APIRouter(prefix="/tickets", tags=["incidents"])

LISTED: Listed[Ticket] = Listed(
    id_of=lambda ticket: ticket.number,
    states_of=lambda ticket: frozenset({ticket.state}),
    known_states=frozenset(STATES),
    encode=ticket_json,
)


class TicketIn(BaseModel):
    """A new ticket."""

    model_config = ConfigDict(extra="forbid")

    incident: str = Field(max_length=64)
    assignee: Prose = Field(default="", max_length=120)
    note: Prose = Field(default="", max_length=2000)
    by: Name | None = None


class TicketChange(BaseModel):
    """What becomes of a ticket seen in ``version``."""

    model_config = ConfigDict(extra="forbid")

    state: str = Field(max_length=16)
    assignee: Prose | None = Field(default=None, max_length=120)
    note: Prose | None = Field(default=None, max_length=2000)
    version: int = Field(ge=1, le=2**31 - 1)
    by: Name | None = None


@router.get("", responses={200: {"model": TicketPage}})
async def tickets(services: Here, query: Listing) -> JSONResponse:
    """``state``: open, in-progress, done or closed."""
    found = [
        ticket
        for ticket in await services.office.tickets()
        if (scope := services.city.scope_of_school(ticket.school)) is not None
        and any(one.covers(scope) for one in query.scopes)
    ]
    return one_page(found, query, LISTED)


@router.post("", status_code=201, responses={201: {"model": TicketOut}})
async def add(services: Here, session: Caller, body: TicketIn) -> JSONResponse:
    """Open a ticket about an incident; the incident carries its number."""
    view = await incident_seen_by(services, session, body.incident)
    need(session, Permission.ACT_ON_TICKETS, view.scope)
    now_ns = round(services.now() * NS)
    ticket = Ticket(
        number=new_id("t"),
        incident=view.id,
        school=view.school,
        assignee=body.assignee,
        note=body.note,
        made_ns=now_ns,
        changed_ns=now_ns,
        changed_by=signature(session, body.by),
    )
    # The incident first: where it is history already, there is nothing to open.
    await do(services, session, view, "ticket", ActIn(by=body.by, text=ticket.number))
    try:
        kept = await services.office.add_ticket(ticket)
    except ActError as error:
        raise Problem(400, str(error)) from None
    return JSONResponse(ticket_json(kept), 201)


@router.post("/{ticket}", responses={200: {"model": TicketOut}})
async def change(services: Here, session: Caller, ticket: str, body: TicketChange) -> JSONResponse:
    """Change state, assignee or note."""
    known = await _seen(services, session, ticket)
    need(session, Permission.ACT_ON_TICKETS, scope_of(services, known.school))
    new = replace(
        known,
        state=body.state,
        assignee=known.assignee if body.assignee is None else body.assignee,
        note=known.note if body.note is None else body.note,
        changed_ns=round(services.now() * NS),
        changed_by=signature(session, body.by),
    )
    try:
        kept = await services.office.change_ticket(new, version=body.version)
    except StaleError as error:
        raise Problem(409, str(error)) from None
    except ActError as error:
        raise Problem(400, str(error)) from None
    return JSONResponse(ticket_json(kept))


async def _seen(services: Services, session: Session, number: str) -> Ticket:
    for ticket in await services.office.tickets():
        scope = services.city.scope_of_school(ticket.school)
        if ticket.number == number and scope is not None and visible(session, scope):
            return ticket
    raise not_found("ticket", number)
