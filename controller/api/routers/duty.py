"""The duty register: who answers for a school, a district, the city; and the gaps."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from controller.api.access import Caller, Here, asked_scope, asked_scopes, may, need, visible
from controller.api.incident_schemas import DutyOut, DutyPage, GapsOut
from controller.api.ledgering import ledgered
from controller.api.listing import Listed, Listing, one_page
from controller.api.moments import epoch_ns
from controller.api.problems import Problem, not_found
from controller.api.routers.incidents import signature
from controller.api.together import each_waited
from controller.incidents.acts import ActError
from controller.incidents.duty import Duty, DutyRole, duty_json, gap_json
from controller.store.protocols import NS
from tenone.config.quantities import Name
from tenone.vocabulary.roles import Permission
from tenone.vocabulary.scope import ScopePath

router = APIRouter(prefix="/duty", tags=["duty"])


class DutyIn(BaseModel):
    """Somebody in a role, from a day on."""

    model_config = ConfigDict(extra="forbid")

    scope: str = Field(max_length=200)
    role: DutyRole
    name: Name
    phone: str = Field(default="", max_length=40, pattern=r"^[0-9+() -]*$")
    email: str = Field(default="", max_length=200, pattern=r"^([^@\s]+@[^@\s]+)?$")
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    by: Name | None = None


@router.get("", responses={200: {"model": DutyPage}})
async def duty(services: Here, session: Caller, query: Listing) -> JSONResponse:
    """Who holds which role; phone and mail address only for those who may act there."""
    now_ns = round(services.now() * NS)
    listed: Listed[Duty] = Listed(
        id_of=lambda one: f"{one.row:012d}",
        states_of=lambda one: frozenset({"current" if one.holds(now_ns) else "past"}),
        known_states=frozenset({"current", "past"}),
        encode=lambda one: duty_json(
            one, personal=may(session, Permission.ACT_ON_INCIDENTS, one.scope)
        ),
    )
    found = await each_waited(query.scopes, services.office.duties, lambda one: one.row)
    return one_page(found, query, listed)


@router.get("/gaps", responses={200: {"model": GapsOut}})
async def duty_gaps(services: Here, session: Caller, scope: str | None = None) -> JSONResponse:
    """Roles that nobody, or too few, hold now: one technician for each 1,000 students begun."""
    now_ns = round(services.now() * NS)
    found = [
        gap
        for where in asked_scopes(services, session, scope)
        for gap in await services.office.gaps(where, now_ns)
    ]
    return JSONResponse({"items": [gap_json(gap) for gap in found], "total": len(found)})


@router.post("", status_code=201, responses={201: {"model": DutyOut}})
async def enter(services: Here, session: Caller, body: DutyIn) -> JSONResponse:
    """Enter somebody."""
    scope = asked_scope(services, session, body.scope)
    need(session, Permission.KEEP_DUTY, scope)
    now_ns = round(services.now() * NS)
    start = body.valid_from
    duty = Duty(
        scope=scope,
        role=body.role,
        name=body.name,
        phone=body.phone,
        email=body.email,
        valid_from_ns=now_ns if start is None else epoch_ns("valid_from", start),
        valid_to_ns=None if body.valid_to is None else epoch_ns("valid_to", body.valid_to),
        entered_by=signature(session, body.by),
    )
    # Who is on duty is personal: the ledger keeps the role, the register the name.
    try:
        async with ledgered(
            services, session, "duty.enter", scope, detail={"role": body.role.value}
        ):
            kept = await services.office.add_duty(duty)
    except ActError as error:
        raise Problem(400, str(error)) from None
    return JSONResponse(duty_json(kept, personal=True), 201)


@router.post("/{duty}/end", responses={200: {"model": DutyOut}})
async def end(services: Here, session: Caller, duty: int) -> JSONResponse:
    """Somebody no longer holds a role."""
    every = await services.office.duties(ScopePath())
    known = next((one for one in every if one.row == duty), None)
    if known is None or not visible(session, known.scope):
        raise not_found("duty", str(duty))
    need(session, Permission.KEEP_DUTY, known.scope)
    detail = {"role": known.role.value}
    try:
        async with ledgered(
            services, session, "duty.end", known.scope, subject=str(duty), detail=detail
        ):
            ended = await services.office.end_duty(duty, round(services.now() * NS))
    except LookupError:
        raise Problem(409, "This duty has ended already.") from None
    return JSONResponse(duty_json(ended, personal=True))
