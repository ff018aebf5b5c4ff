"""The hierarchy a session can see: city, districts, schools."""

from collections.abc import Iterator

from fastapi import APIRouter
from starlette.responses import JSONResponse

from controller.api.access import Here
from controller.api.listing import Listed, Listing, one_page, past_page
from controller.api.schemas import ScopePage
from controller.api.together import each
from controller.encode import Json
from controller.views import City, Overview, SchoolView
from tenone.vocabulary.scope import ScopePath

router = APIRouter(prefix="/scopes", tags=["scopes"])
DISTRICT_DEPTH = 2
KINDS = frozenset({"city", "district", "school"})


def scopes_inside(city: City, asked: ScopePath) -> Iterator[Json]:
    """Every level at or below ``asked`` that has a page."""
    cities: set[ScopePath] = set()
    for district in city.districts(asked):
        top = ScopePath(district.scope.parts[:1])
        if top not in cities and asked.covers(top):
            cities.add(top)
            yield _level(top, "city", city.overview(top))
        if len(district.scope.parts) == DISTRICT_DEPTH:  # deeper: a district cut to one school
            yield _level(district.scope, "district", district)
    for school in city.schools(asked):
        yield _level(school.scope, "school", school)


def _level(scope: ScopePath, kind: str, view: Overview | SchoolView) -> Json:
    return {"id": str(scope), "kind": kind, "name": view.name, "name_zh": view.name_zh}


LISTED: Listed[Json] = Listed(
    id_of=lambda item: str(item["id"]),
    states_of=lambda item: frozenset({str(item["kind"])}),
    known_states=KINDS,
    encode=lambda item: item,
)


@router.get("", responses={200: {"model": ScopePage}})
async def scopes(services: Here, query: Listing) -> JSONResponse:
    """``state`` filters by kind: ``city``, ``district`` or ``school``."""
    past = await past_page(services, "scopes", query, known_states=KINDS)
    return past or one_page(
        each(query.scopes, lambda one: scopes_inside(services.city, one), lambda item: item["id"]),
        query,
        LISTED,
    )
