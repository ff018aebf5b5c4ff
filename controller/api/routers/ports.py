"""Ports that carry a link, as their switch reports them."""

from collections.abc import Iterable

from fastapi import APIRouter
from starlette.responses import JSONResponse

from controller.api.access import Here
from controller.api.listing import Listed, Listing, page_by_school, past_page
from controller.api.schemas import PortPage
from controller.encode import Json
from controller.views import LinkView

router = APIRouter(prefix="/ports", tags=["ports"])
STATES = frozenset({"up", "down", "testing", "unknown", "dormant", "notPresent", "lowerLayerDown"})


def ports_of(views: Iterable[LinkView]) -> list[Json]:
    """One entry a bound port; two links bound to one port share it."""
    found: dict[str, Json] = {}
    carried: dict[str, list[str]] = {}
    for view in views:
        if view.binding is None:
            continue
        port_id = f"{view.school}/{view.binding.switch}/{view.binding.port}"
        found.setdefault(
            port_id,
            {
                "id": port_id,
                "school": view.school,
                "switch": view.binding.switch,
                "port": view.binding.port,
                "admin": view.admin,
                "oper": view.oper,
                "speed_mbps": view.negotiated_mbps,
                "duplex": view.duplex,
            },
        )
        carried.setdefault(port_id, []).append(view.id)
    return [port | {"links": carried[port_id]} for port_id, port in found.items()]


LISTED: Listed[Json] = Listed(
    id_of=lambda port: str(port["id"]),
    states_of=lambda port: frozenset({str(port["oper"] or "unknown")}),
    known_states=STATES,
    encode=lambda port: port,
)


@router.get("", responses={200: {"model": PortPage}})
async def ports(services: Here, query: Listing) -> JSONResponse:
    """``state``: the operational state; ``unknown`` also where nothing is known."""
    past = await past_page(services, "ports", query, known_states=STATES)
    return past or await page_by_school(
        services, query, lambda school: ports_of(services.city.links(school.scope)), LISTED
    )
