"""Reports from sealed evidence, data quality, indicators. Local days, both included."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from controller.api.access import SCHOOL_DEPTH, Caller, Here, actor_of, asked_scope, asked_scopes
from controller.api.ledgering import ledgered
from controller.api.problems import Problem
from controller.api.schemas_reports import IndicatorPage, InspectionOut, QualityPage, SlaReportOut
from controller.api.services import Services
from controller.api.sessions import Session
from tenone.calendar.zone import CITY_ZONE, local_date
from tenone.vocabulary.scope import ScopePath

router = APIRouter(tags=["reports"])
T = TypeVar("T")
MOST_DAYS = 400
USUAL_DAYS = 30
Scope = Annotated[str | None, Query(max_length=200, description="Scope path")]
Day = Annotated[str | None, Query(max_length=10, description="A local day, 2026-09-01")]
Month = Annotated[str | None, Query(max_length=7, description="A local month, 2026-09")]
Size = Annotated[str, Query(pattern="^(weekly|semester)$", description="Which sheet")]


def days_of(
    services: Services, first: str | None, last: str | None, month: str | None = None
) -> tuple[date, date]:
    """The days a request names; without any the last thirty."""
    today = local_date(services.clock.wall_ns(), ZoneInfo(CITY_ZONE))
    try:
        if month is not None:
            begin = date.fromisoformat(f"{month}-01")
            following = begin.replace(day=28) + timedelta(days=4)
            return begin, following.replace(day=1) - timedelta(days=1)
        end = today if last is None else date.fromisoformat(last)
        begin = end - timedelta(days=USUAL_DAYS) if first is None else date.fromisoformat(first)
    except (ValueError, OverflowError):
        raise Problem(
            400, "first, last, month: write days like 2026-09-01 and months like 2026-09."
        ) from None
    if not begin <= end or (end - begin).days > MOST_DAYS:
        raise Problem(400, f"first, last: the period must have 1 to {MOST_DAYS} days.")
    return begin, end


async def told(work: Callable[..., T], *args: Any) -> T:
    """What a report's maker returns, made in a thread; 404 with its sentence if there is none."""
    try:
        return await run_in_threadpool(work, *args)
    except LookupError as error:
        raise Problem(404, str(error.args[0]) + ".") from None


def who(session: Session) -> str:
    """Who asks, for the report."""
    return f"{session.name} ({actor_of(session)})" if session.name else actor_of(session)


def page(items: Sequence[Mapping[str, object]]) -> JSONResponse:
    """All items: there are as many as schools, or days."""
    return JSONResponse({"items": list(items), "total": len(items), "next_cursor": None})


@router.get("/reports/sla", responses={200: {"model": SlaReportOut}})
async def sla(  # noqa: PLR0917 - FastAPI reads the query from the signature
    services: Here, session: Caller, scope: Scope = None, first: Day = None, last: Day = None,
    month: Month = None,
) -> JSONResponse:  # fmt: skip
    """Availability, compliance and class-minutes with their coverage; see docs/evidence.md."""
    inside = asked_scope(services, session, scope)
    begin, end = days_of(services, first, last, month)
    detail = {"kind": "sla", "first": begin.isoformat(), "last": end.isoformat()}
    async with ledgered(services, session, "report.make", inside, detail=detail):
        made = await told(services.reports.sla, inside, begin, end, who(session))
    return JSONResponse(made)


@router.get("/reports/inspection", responses={200: {"model": InspectionOut}})
async def inspection(  # noqa: PLR0917 - FastAPI reads the query from the signature
    services: Here, session: Caller, scope: Scope = None, first: Day = None, last: Day = None,
    size: Size = "weekly",
) -> JSONResponse:  # fmt: skip
    """One school's sheet, filled from evidence; people sign it on paper."""
    inside = asked_scope(services, session, scope)
    _need_school(inside)
    begin, end = days_of(services, first, last)
    detail = {"kind": f"inspection {size}", "first": str(begin), "last": str(end)}
    async with ledgered(services, session, "report.make", inside, detail=detail):
        made = await told(services.reports.inspection, inside, begin, end, who(session), size)
    return JSONResponse(made)


@router.get("/reports/quality", responses={200: {"model": QualityPage}})
async def quality(
    services: Here, session: Caller, scope: Scope = None, first: Day = None, last: Day = None
) -> JSONResponse:
    """Completeness, lateness, clock skew, duplicates, silent links by school, the worst first."""
    scopes, days = asked_scopes(services, session, scope), days_of(services, first, last)
    return page(
        [one for inside in scopes for one in await told(services.reports.quality, inside, *days)]
    )


@router.get("/indicators", responses={200: {"model": IndicatorPage}})
async def indicators(
    services: Here, session: Caller, scope: Scope = None, first: Day = None, last: Day = None
) -> JSONResponse:
    """Schools at 10G and classes at 1G: by day, for the city and each district."""
    scopes, days = asked_scopes(services, session, scope), days_of(services, first, last)
    return page(
        [one for inside in scopes for one in await told(services.reports.indicators, inside, *days)]
    )


def _need_school(scope: ScopePath) -> None:
    if len(scope.parts) != SCHOOL_DEPTH:
        raise Problem(400, "scope: an inspection is of one school, such as binhai/east/no1.")
