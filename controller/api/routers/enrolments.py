"""What machines ask without a session: the authority, their certificates, the lists of revoked.

They prove themselves by a one-time token, a factory key, or the key of the certificate they hold.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from controller.api.access import Here
from controller.api.problems import Problem, not_found
from controller.api.services import Services
from controller.trust.ca import CaError
from controller.trust.papers import MachineError
from tenone.trust.enrolment import MAX_PEM, NONCE_BYTES, Renewal

router = APIRouter(tags=["machines"])

CRL_TYPE = "application/pkix-crl"
"""RFC 2585, section 4.2."""
PEM_TYPE = "application/pem-certificate-chain"
"""RFC 8555, section 9.1."""


class EnrolmentIn(BaseModel):
    """Who wants to be enrolled."""

    model_config = ConfigDict(extra="forbid")

    token: str | None = Field(default=None, max_length=200)
    """None: the request's key is one that a factory manifest names."""
    csr: str = Field(max_length=MAX_PEM)


class RenewalIn(BaseModel):
    """Who wants the next certificate; see :class:`tenone.trust.enrolment.Renewal`."""

    model_config = ConfigDict(extra="forbid")

    serial: str = Field(pattern=r"^[0-9a-f]{1,40}$")
    csr: str = Field(max_length=MAX_PEM)
    wall_ns: int = Field(ge=0, lt=2**63)
    nonce: str = Field(pattern=rf"^[0-9a-f]{{{2 * NONCE_BYTES}}}$")
    signature: str = Field(max_length=200)
    """Base64."""


class PapersOut(BaseModel):
    """PEM texts and moments in seconds of the epoch."""

    machine: str
    certificate: str
    ca: str
    crl: str
    renew_after: float
    not_after: int
    approval_keys: str | None


@router.get("/ca", response_class=Response)
async def authority(services: Here) -> Response:
    """The certificates of the city's authority, PEM. Trust them by a token's word, not by mine."""
    try:
        bundle = await services.machines.bundle()
    except MachineError as error:
        raise problem_of(error) from None
    except CaError as error:
        raise Problem(503, f"{error}.") from None
    return Response(bundle, media_type=PEM_TYPE)


@router.get("/crl", response_class=Response)
async def revoked(services: Here) -> Response:
    """The issuing authority's list of revoked certificates, DER."""
    return _list(services, None)


@router.get("/crl/{authority_id}", response_class=Response)
async def revoked_of(services: Here, authority_id: Annotated[str, Path(max_length=64)]) -> Response:
    """One authority's list of revoked certificates, DER."""
    return _list(services, authority_id)


@router.post("/enrolments", status_code=201, responses={201: {"model": PapersOut}})
async def enrol(services: Here, request: Request, body: EnrolmentIn) -> JSONResponse:
    """A first certificate, for a one-time token or a factory key."""
    try:
        papers = await services.machines.enrol(
            token=body.token, csr=body.csr, client=_client(request)
        )
    except MachineError as error:
        raise problem_of(error) from None
    except CaError as error:
        raise Problem(503, f"{error}.") from None
    return JSONResponse(papers.as_json(), 201)


@router.post("/renewals", status_code=201, responses={201: {"model": PapersOut}})
async def renew(services: Here, request: Request, body: RenewalIn) -> JSONResponse:
    """The next certificate, for a request signed with the key of the present one."""
    renewal = Renewal(
        serial=int(body.serial, 16),
        csr=body.csr,
        wall_ns=body.wall_ns,
        nonce=bytes.fromhex(body.nonce),
    )
    try:
        papers = await services.machines.renew(
            renewal=renewal, signature=body.signature, client=_client(request)
        )
    except MachineError as error:
        raise problem_of(error, wall_ns=services.clock.wall_ns()) from None
    except CaError as error:
        raise Problem(503, f"{error}.") from None
    return JSONResponse(papers.as_json(), 201)


def problem_of(error: MachineError, *, wall_ns: int | None = None) -> Problem:
    """As RFC 9457 says it; ``wall_ns`` tells a machine whose clock is wrong what time it is."""
    headers = {}
    if error.retry_seconds > 0:
        headers["Retry-After"] = str(int(error.retry_seconds) + 1)
    extra: dict[str, object] = {"code": error.code}
    if error.code == "clock" and wall_ns is not None:
        extra["wall_ns"] = wall_ns
    return Problem(error.status, str(error), headers=headers, extra=extra)


def _list(services: Services, authority_id: str | None) -> Response:
    found = services.machines.crl(authority_id)
    if found is None:
        raise not_found("list of revoked certificates", authority_id or "of this city")
    return Response(found, media_type=CRL_TYPE)


def _client(request: Request) -> str:
    return "unknown" if request.client is None else request.client.host
