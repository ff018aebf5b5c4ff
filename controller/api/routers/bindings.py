"""Bindings: which switch and port carries which link, since when."""

from collections.abc import Iterator

from fastapi import APIRouter
from starlette.responses import JSONResponse

from controller.api.access import Here
from controller.api.listing import Listed, Listing, page_by_school, past_page
from controller.api.schemas import BindingPage
from controller.encode import Json, binding_json
from controller.views import LinkView, SchoolView

router = APIRouter(prefix="/bindings", tags=["bindings"])
NO_STATES: frozenset[str] = frozenset()


def _json(view: LinkView) -> Json:
    bound = {} if view.binding is None else binding_json(view.binding)
    return {"id": view.id, "school": view.school, **bound}


LISTED: Listed[LinkView] = Listed(
    id_of=lambda view: view.id,
    states_of=lambda _view: NO_STATES,
    known_states=NO_STATES,
    encode=_json,
)


@router.get("", responses={200: {"model": BindingPage}})
async def bindings(services: Here, query: Listing) -> JSONResponse:
    """Links that are bound; the id is the link's."""

    def bound(school: SchoolView) -> Iterator[LinkView]:
        links = services.city.links(school.scope)
        return (view for view in links if view.binding is not None)

    past = await past_page(services, "bindings", query, known_states=NO_STATES)
    return past or await page_by_school(services, query, bound, LISTED)
