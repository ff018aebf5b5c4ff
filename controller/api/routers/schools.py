"""Schools by verdict."""

from fastapi import APIRouter
from starlette.responses import JSONResponse

from controller import encode
from controller.api.access import Caller, Here, visible
from controller.api.listing import Listed, Listing, page_by_school, past_page
from controller.api.problems import not_found
from controller.api.schemas import SchoolOut, SchoolPage
from controller.views import SchoolView

router = APIRouter(prefix="/schools", tags=["schools"])
STATES = frozenset({"good", "bad", "unknown"})


LISTED: Listed[SchoolView] = Listed(
    id_of=lambda view: view.id,
    states_of=lambda view: frozenset({view.verdict.label}),
    known_states=STATES,
    encode=encode.school_json,
)


@router.get("", responses={200: {"model": SchoolPage}})
async def schools(services: Here, query: Listing) -> JSONResponse:
    """``state``: the school's verdict."""
    past = await past_page(services, "schools", query, known_states=STATES)
    return past or await page_by_school(services, query, lambda school: (school,), LISTED)


@router.get("/{school}", responses={200: {"model": SchoolOut}})
async def school(services: Here, session: Caller, school: str) -> JSONResponse:
    """One school."""
    scope = services.city.scope_of_school(school)
    if scope is None or not visible(session, scope):
        raise not_found("school", school)
    view = next((view for view in services.city.schools(scope) if view.id == school), None)
    if view is None:
        raise not_found("school", school)
    return JSONResponse(encode.school_json(view))
