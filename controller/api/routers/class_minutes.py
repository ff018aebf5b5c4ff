"""Class-minutes of the day so far, and how fast the error budget burns."""

from datetime import date

from fastapi import APIRouter
from starlette.responses import JSONResponse

from controller.api.access import Caller, Here, asked_scopes
from controller.api.listing import Listed, Listing, ListQuery, one_page
from controller.api.schemas_minutes import CalendarPage, ClassMinutesPage, MinuteTallyOut
from controller.api.services import Services
from controller.api.together import each, minutes_of
from controller.encode import Json
from controller.minutes.views import SchoolMinutes
from controller.sla.class_minutes import Tally
from tenone.calendar.intervals import SECOND_NS, Intervals
from tenone.calendar.school import SchoolDay

router = APIRouter(tags=["class-minutes"])
STATES = frozenset({"taught", "free", "no-calendar"})


def tally_json(tally: Tally) -> Json:
    """Minutes by quality; ratios are null where nothing is known."""
    ratio, coverage = tally.sle_ratio, tally.coverage
    return {
        "good": tally.good,
        "bad": tally.bad,
        "unknown": tally.unknown,
        "bad_by_cause": {cause.label: n for cause, n in sorted(tally.bad_by_cause.items())},
        "sle_ratio": None if ratio is None else float(ratio),
        "coverage": None if coverage is None else float(coverage),
    }


def school_json(view: SchoolMinutes) -> Json:
    """One school."""
    return {
        "id": view.school,
        "scope": str(view.scope),
        "taught": view.taught,
        "served": view.served,
        **tally_json(view.tally),
        "objective_ratio": view.objective_ratio,
        "burn": {
            window: {
                "threshold": burn.threshold,
                "long": burn.long,
                "short": burn.short,
                "verdict": burn.verdict.label,
            }
            for window, burn in view.burn.items()
        },
    }


def calendar_json(view: SchoolMinutes) -> Json:
    """When one school is served and taught today; times in epoch seconds."""
    today = view.today
    return {
        "id": view.school,
        "scope": str(view.scope),
        "has_calendar": view.taught is not None,
        "hours": None if today is None else _spans(today.hours),
        "lessons": None if today is None else _spans(today.lessons),
        "exams": None if today is None else _spans(today.exams),
        "unknown_days": [_day(day) for day in view.unknown_days],
    }


def _spans(time: Intervals) -> list[list[float]]:
    return [[start / SECOND_NS, end / SECOND_NS] for start, end in time]


def _day(day: SchoolDay) -> Json:
    moment: date = day.day
    return {"date": moment.isoformat(), "reason": day.note}


def _states(view: SchoolMinutes) -> frozenset[str]:
    if view.taught is None:
        return frozenset({"no-calendar"})
    return frozenset({"taught" if view.taught else "free"})


MINUTES: Listed[SchoolMinutes] = Listed(
    id_of=lambda view: view.school, states_of=_states, known_states=STATES, encode=school_json
)
CALENDARS: Listed[SchoolMinutes] = Listed(
    id_of=lambda view: view.school, states_of=_states, known_states=STATES, encode=calendar_json
)


def _schools(services: Services, query: ListQuery) -> list[SchoolMinutes]:
    return each(query.scopes, services.minutes.schools, lambda view: view.school)


@router.get("/class-minutes", responses={200: {"model": ClassMinutesPage}})
async def class_minutes(services: Here, query: Listing) -> JSONResponse:
    """The local day so far, school by school. ``state``: ``taught``, ``free``, ``no-calendar``."""
    return one_page(_schools(services, query), query, MINUTES)


@router.get("/class-minutes/total", responses={200: {"model": MinuteTallyOut}})
async def total(services: Here, session: Caller, scope: str | None = None) -> JSONResponse:
    """The local day so far, all schools of a scope added up."""
    asked = asked_scopes(services, session, scope)
    return JSONResponse(tally_json(minutes_of(services.minutes, asked)))


@router.get("/calendars", responses={200: {"model": CalendarPage}})
async def calendars(services: Here, query: Listing) -> JSONResponse:
    """When each school is served and taught today, and which days nobody knows."""
    return one_page(_schools(services, query), query, CALENDARS)
