"""Machines: who is enrolled, one-time tokens, revocation."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from controller.api.access import Caller, Here, actor_of, may, need
from controller.api.listing import KeepingMachines, Listed, one_page
from controller.api.problems import Problem, not_found
from controller.api.routers.enrolments import problem_of
from controller.encode import Json
from controller.store.protocols import NS
from controller.trust.ca import CaError
from controller.trust.machine_desk import TOKEN_SECONDS
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


class MachinePage(BaseModel):
    """A page of them."""

    items: list[MachineOut]
    total: int
    next_cursor: str | None


def machine_json(one: Machine, now: float) -> Json:
    """A machine as the API shows it; serial and key fingerprint are no secrets."""
    newest = one.newest
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
    }


@router.get("", responses={200: {"model": MachinePage}})
async def machines(services: Here, query: KeepingMachines) -> JSONResponse:
    """Every machine that is or was enrolled or invited."""
    now = services.now()
    listed: Listed[Machine] = Listed(
        id_of=lambda one: one.name,
        states_of=lambda one: frozenset({one.state(now).value}),
        known_states=STATES,
        encode=lambda one: machine_json(one, now),
    )
    inside = (
        one
        for one in services.machines.machines()
        if any(scope.covers(one.scope) for scope in query.scopes)
    )
    return one_page(inside, query, listed)


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
    return JSONResponse(machine_json(gone, services.now()))
