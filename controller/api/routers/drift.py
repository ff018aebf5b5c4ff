"""Drift: where the inventory and the network differ, dated, with a sentence each (R33)."""

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import JSONResponse

from controller.api.access import Caller, Here, need, scope_of, visible
from controller.api.ledgering import ledgered
from controller.api.listing import Listed, Listing, one_page
from controller.api.problems import Problem, not_found
from controller.api.together import each, each_waited
from controller.store.protocols import StoreError
from tenone.vocabulary.roles import Permission
from tenone.vocabulary.scope import ScopePath

router = APIRouter(prefix="/drift", tags=["drift"])


class DriftOut(BaseModel):
    """One difference; ``resolved_at`` null: it stands."""

    id: str
    school: str
    kind: Literal[
        "port-missing", "switch-replaced", "moved", "wrong-neighbour", "unknown-neighbour"
    ]
    subject: str
    link: str | None
    place: str
    expected: str
    seen: str
    since: float
    resolved_at: float | None
    sentence: str
    sentence_zh: str


class DriftPage(BaseModel):
    """A page of differences."""

    items: list[DriftOut]
    total: int
    next_cursor: str | None


def _states(item: Any) -> frozenset[str]:
    state = "open" if item["resolved_at"] is None else "resolved"
    return frozenset({state, str(item["kind"])})


LISTED: Listed[Any] = Listed(
    id_of=lambda item: str(item["id"]),
    states_of=_states,
    known_states=frozenset(
        {
            "open",
            "resolved",
            "port-missing",
            "switch-replaced",
            "moved",
            "wrong-neighbour",
            "unknown-neighbour",
        }
    ),
    encode=lambda item: item,
)


@router.get("", responses={200: {"model": DriftPage}})
async def drift(services: Here, query: Listing) -> JSONResponse:
    """What differs now; ``state=resolved`` lists what did, ``state=<kind>`` one kind of it."""
    if query.as_of is not None:
        raise Problem(400, "as_of: every difference says since when and until when it stood.")
    if query.state == "resolved":
        try:
            past = await each_waited(
                query.scopes, services.topology.past_drift, lambda item: item["id"]
            )
        except StoreError as error:
            raise Problem(503, f"{error}.") from None
        return one_page(past, query, LISTED)
    return one_page(
        each(query.scopes, services.topology.drift, lambda item: item["id"]), query, LISTED
    )


@router.post("/{difference}/accept", responses={200: {"model": DriftOut}})
async def accept(services: Here, session: Caller, difference: str) -> JSONResponse:
    """A person says that what is seen is right: a switch was replaced, a device has moved."""
    scope = next(
        (
            scope
            for one in services.topology.drift(ScopePath())
            if one["id"] == difference
            and visible(session, scope := scope_of(services, str(one["school"])))
        ),
        None,
    )
    if scope is None:
        raise not_found("difference", difference)
    need(session, Permission.KEEP_INVENTORY, scope)
    try:
        async with ledgered(services, session, "drift.accept", scope, subject=difference):
            item = await services.topology.accept(difference, scope)
    except ValueError as error:
        raise Problem(409, f"{error}.") from None
    if item is None:
        raise not_found("difference", difference)
    return JSONResponse(dict(item))
