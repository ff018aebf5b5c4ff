"""Totals of a scope, and how they went in the last half hour."""

from dataclasses import asdict

from fastapi import APIRouter
from starlette.responses import JSONResponse

from controller import encode
from controller.api.access import Caller, Here, asked_scopes
from controller.api.schemas import OverviewOut, TrendOut
from controller.api.together import common, overview_of, samples_of

router = APIRouter(prefix="/overview", tags=["overview"])


@router.get("", responses={200: {"model": OverviewOut}})
async def overview(services: Here, session: Caller, scope: str | None = None) -> JSONResponse:
    """Schools, links and boards inside a scope, with denominators and the age of the data."""
    asked = asked_scopes(services, session, scope)
    return JSONResponse(encode.overview_json(overview_of(services.city, asked)))


@router.get("/trend", responses={200: {"model": TrendOut}})
async def trend(services: Here, session: Caller, scope: str | None = None) -> JSONResponse:
    """Good, bad and unknown links, a sample every 15 s."""
    asked = asked_scopes(services, session, scope)
    samples = [asdict(sample) for sample in samples_of(services.trend, asked)]
    return JSONResponse({"scope": str(common(asked)), "samples": samples})
