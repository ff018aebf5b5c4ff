"""The hierarchy a session can see: city, districts, schools."""

from collections.abc import Iterator

from fastapi import APIRouter
from starlette.responses import JSONResponse

from controller.api.access import Here
from controller.api.listing import Listing, one_page, past_page
from controller.api.schemas import ScopePage
from controller.encode import Json
from controller.views import City
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
            yield {"id": str(top), "kind": "city", "name": city.overview(top).name}
        if len(district.scope.parts) == DISTRICT_DEPTH:  # deeper: a district cut to one school
            yield {"id": str(district.scope), "kind": "district", "name": district.name}
    for school in city.schools(asked):
        yield {"id": str(school.scope), "kind": "school", "name": school.name}


@router.get("", responses={200: {"model": ScopePage}})
async def scopes(services: Here, query: Listing) -> JSONResponse:
    """``state`` filters by kind: ``city``, ``district`` or ``school``."""
    past = await past_page(services, "scopes", query, known_states=KINDS)
    return past or one_page(
        scopes_inside(services.city, query.scope),
        query,
        id_of=lambda item: str(item["id"]),
        states_of=lambda item: frozenset({str(item["kind"])}),
        known_states=KINDS,
        encode=lambda item: item,
    )
