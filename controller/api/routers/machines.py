"""Machines: who is enrolled, one-time tokens, revocation."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from controller.api.access import Caller, Here, actor_of, may, need, reach_of
from controller.api.listing import KeepingMachines, Listed, one_page
from controller.api.problems import Problem, not_found
from controller.api.routers.enrolments import problem_of
from controller.api.services import Services
from controller.api.sessions import Session
from controller.encode import Json
from controller.store.protocols import NS
from controller.trust.ca import CaError
from controller.trust.machine_desk import TOKEN_SECONDS
from controller.trust.machine_standing import CutState, Refusal, Standing, late
from controller.trust.papers import MachineError
from controller.trust.registry import Machine, MachineState
from tenone.vocabulary.roles import Permission

router = APIRouter(prefix="/machines", tags=["machines"])
STATES = frozenset(state.value for state in MachineState)


class TokenIn(BaseModel):
    """For whom a token shall be."""

    model_config = ConfigDict(extra="forbid")

    machine: str = Field(max_length=128)
    """``agent:SCHOOL``, ``device:SCHOOL/KIND/SERIAL``, ``service:NAME``."""
    seconds: int = TOKEN_SECONDS


class TokenOut(BaseModel):
    """It is said this once."""

    machine: str
    token: str
    expires_at: float


class RevokeIn(BaseModel):
    """Why a machine shall no longer count."""

    model_config = ConfigDict(extra="forbid")

    why: str = Field(min_length=1, max_length=400, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")


class MachineOut(BaseModel):
    """One machine."""

    id: str
    kind: str
    scope: str
    state: MachineState
    serial: str | None
    key: str | None
    issued_at: float | None
    expires_at: float | None
    certificates: int
    enrolled_at: float | None
    revoked_at: float | None
    why: str
    late: bool
    """It counts still and should have renewed: less than a third of its certificate's life left."""
    finding: str
    """What its gateway says of that, in its own words; empty: nothing, or it was not heard."""
    session: CutState | None
    """Of a revoked one: what is known of its live session; None: it is not revoked."""
    session_cut_at: float | None


class AuthorityOut(BaseModel):
    """One authority that is trusted; times are epoch seconds."""

    id: str
    fingerprint: str
    until: float
    since: float
    issues: bool
    behind: int
    """Machines that have not heard of it."""


class ListOut(BaseModel):
    """The lists of revoked certificates."""

    number: int
    made_at: float
    until: float
    written: bool
    low: bool
    """It runs out in less than three days, or could not be written."""


class RefusalOut(BaseModel):
    """An enrolment or renewal that was refused."""

    at: float
    act: str
    code: str
    client: str
    machine: str


class StandingOut(BaseModel):
    """The authorities, the issuing one first; the revocation list; refusals of the last day.

    Refusals of who is not known are for who keeps the machines of the whole city.
    """

    authorities: list[AuthorityOut]
    revocation_list: ListOut | None
    refusals: list[RefusalOut]
    refusals_since: float
    """Those before are in the audit ledger alone."""


class MachinePage(BaseModel):
    """A page of them."""

    items: list[MachineOut]
    total: int
    next_cursor: str | None


def machine_json(services: Services, one: Machine, now: float) -> Json:
    """A machine as the API shows it; serial and key fingerprint are no secrets."""
    newest = one.newest
    cut, word = services.machine_sessions.cut_of(one), services.machines.word(one)
    return {
        "id": one.name,
        "kind": one.parsed.kind.value,
        "scope": str(one.scope),
        "state": one.state(now).value,
        "serial": None if newest is None else newest.serial,
        "key": None if newest is None else newest.key,
        "issued_at": None if newest is None else newest.issued_ns / NS,
        "expires_at": None if newest is None else newest.not_after,
        "certificates": sum(each.not_after > now for each in one.certificates),
        "enrolled_at": None if one.enrolled_ns is None else one.enrolled_ns / NS,
        "revoked_at": None if one.revoked_ns is None else one.revoked_ns / NS,
        "why": one.why,
        "late": late(one, now),
        "finding": "" if word is None else word.text,
        "session": None if cut is None else cut.state.value,
        "session_cut_at": None if cut is None else cut.at,
    }


def standing_json(standing: Standing, refusals: Sequence[Refusal], now: float) -> Json:
    """What stands beside the list."""
    crl = standing.crl
    return {
        "authorities": [asdict(one) for one in standing.authorities],
        "revocation_list": None
        if crl is None
        else {
            "number": crl.number,
            "made_at": crl.made,
            "until": crl.until,
            "written": crl.written,
            "low": crl.low(now),
        },
        "refusals": [asdict(one) for one in refusals],
        "refusals_since": standing.remembered_since,
    }


def refusals_for(services: Services, session: Session, standing: Standing) -> list[Refusal]:
    """Those of machines the caller keeps; of strangers only for who keeps the whole city's."""
    found = {one.name: one.scope for one in services.machines.machines()}
    whole = any(len(scope.parts) <= 1 for scope in reach_of(session, Permission.KEEP_MACHINES))
    return [
        one
        for one in standing.refusals
        if whole
        or (one.machine in found and may(session, Permission.KEEP_MACHINES, found[one.machine]))
    ]


@router.get("", responses={200: {"model": MachinePage}})
async def machines(services: Here, query: KeepingMachines) -> JSONResponse:
    """Every machine that is or was enrolled or invited."""
    now = services.now()
    listed: Listed[Machine] = Listed(
        id_of=lambda one: one.name,
        states_of=lambda one: frozenset({one.state(now).value}),
        known_states=STATES,
        encode=lambda one: machine_json(services, one, now),
    )
    inside = (
        one
        for one in services.machines.machines()
        if any(scope.covers(one.scope) for scope in query.scopes)
    )
    return one_page(inside, query, listed)


@router.get("/authority", responses={200: {"model": StandingOut}})
async def authority(services: Here, session: Caller, _query: KeepingMachines) -> JSONResponse:
    """Authorities, the list of revoked certificates, and what was refused in the last day."""
    standing = services.machines.standing()
    return JSONResponse(
        standing_json(standing, refusals_for(services, session, standing), services.now())
    )


@router.post("/tokens", status_code=201, responses={201: {"model": TokenOut}})
async def token(services: Here, session: Caller, body: TokenIn) -> JSONResponse:
    """A one-time token for one machine; those before it for the same one no longer count."""
    try:
        name, scope = services.machines.scope_of(body.machine)
        need(session, Permission.KEEP_MACHINES, scope)
        made, expires = await services.machines.token(
            str(name), by=actor_of(session), seconds=body.seconds
        )
    except MachineError as error:
        raise problem_of(error) from None
    except CaError as error:
        raise Problem(503, f"{error}.") from None
    answer = {"machine": str(name), "token": made.text, "expires_at": float(expires)}
    return JSONResponse(answer, 201)


@router.post("/{name:path}/revoke", responses={200: {"model": MachineOut}})
async def revoke(
    services: Here, session: Caller, name: Annotated[str, Path(max_length=128)], body: RevokeIn
) -> JSONResponse:
    """None of its certificates and tokens counts any more."""
    found = next((one for one in services.machines.machines() if one.name == name), None)
    if found is None or not may(session, Permission.KEEP_MACHINES, found.scope):
        raise not_found("machine", name)
    try:
        gone = await services.machines.revoke(name, why=body.why, by=actor_of(session))
    except MachineError as error:
        raise problem_of(error) from None
    except CaError as error:
        raise Problem(503, f"{error}.") from None
    return JSONResponse(machine_json(services, gone, services.now()))
