"""Topology: school, switch, room as the network itself tells, one graph a school."""

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import JSONResponse

from controller.api.access import Here
from controller.api.listing import Listed, Listing, one_page
from controller.api.problems import Problem
from controller.api.together import each

NO_STATES: frozenset[str] = frozenset()
router = APIRouter(prefix="/topology", tags=["topology"])


class NodeOut(BaseModel):
    """A school, switch, room, configured device, or a neighbour nobody configured."""

    id: str
    kind: str
    name: str
    serial: str | None = None
    mac: str | None = None
    model: str | None = None
    address: str | None = None
    parents: list[str] = []
    """Next hops towards the uplink; empty at the uplink and where nothing is known."""
    distance: int | None = None
    """Switches away from the uplink; null: no known cable leads there."""


class EdgeOut(BaseModel):
    """A cable, or the promise a port carries."""

    kind: str
    a: str
    a_port: str | None
    b: str
    b_port: str | None
    protocol: str
    link: str | None
    parent: str | None
    """The end that is nearer to the uplink."""
    since: float | None


class GraphOut(BaseModel):
    """One school."""

    id: str
    school: str
    nodes: list[NodeOut]
    edges: list[EdgeOut]


class GraphPage(BaseModel):
    """A page of schools."""

    items: list[GraphOut]
    total: int
    next_cursor: str | None


@router.get("", responses={200: {"model": GraphPage}})
async def topology(services: Here, query: Listing) -> JSONResponse:
    """Nodes and edges of every school of the scope, as last told."""
    if query.as_of is not None:
        raise Problem(400, "as_of: cables are shown as they are now; ask without as_of.")
    # Only the graphs of the page itself are made.
    listed: Listed[str] = Listed(
        id_of=str,
        states_of=lambda _school: NO_STATES,
        known_states=NO_STATES,
        encode=services.topology.graph,
    )
    return one_page(each(query.scopes, services.topology.schools_in, str), query, listed)
