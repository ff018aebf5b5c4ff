"""Devices of every kind there is so far: gateways, switches, class boards."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse

from controller import encode
from controller.api.access import Here
from controller.api.listing import Listed, Listing, page_by_school, past_page
from controller.api.problems import Problem
from controller.api.schemas import DevicePage
from controller.encode import Json
from controller.views import City, SchoolView
from tenone.vocabulary.scope import DeviceKind

router = APIRouter(prefix="/devices", tags=["devices"])
STATES = frozenset({"online", "offline", "unknown"})
KINDS = frozenset({DeviceKind.GATEWAY, DeviceKind.SWITCH, DeviceKind.BOARD})


def devices_of(city: City, school: SchoolView) -> Iterator[Json]:
    """Every device of a school with the fields all kinds share."""
    agent = school.agent
    age = agent.last_report_age_seconds
    yield _device(
        f"{school.id}/gateway/agent",
        "agent",
        online=None if age is None else agent.online,
        age=age,
        detail=encode.agent_json(agent),
    )
    for switch in city.switches(school.scope):
        yield _device(
            switch.id,
            switch.name,
            online=switch.reachable,
            age=switch.age_seconds,
            detail=encode.switch_json(switch),
        )
    for board in city.boards(school.scope):
        yield _device(
            board.id,
            board.name,
            online=None if board.stale else board.online,
            age=board.age_seconds,
            detail=encode.board_json(board),
        )


LISTED: Listed[Json] = Listed(
    id_of=lambda device: str(device["id"]),
    states_of=lambda device: frozenset({str(device["state"])}),
    known_states=STATES,
    encode=lambda device: device,
)


@router.get("", responses={200: {"model": DevicePage}})
async def devices(
    services: Here,
    query: Listing,
    kind: Annotated[str | None, Query(max_length=16)] = None,
) -> JSONResponse:
    """``state``: ``online``, ``offline`` or ``unknown``; ``kind``: one kind of device."""
    if kind is not None and kind not in KINDS:
        known = ", ".join(sorted(KINDS))
        raise Problem(400, f"kind: {kind!r} is unknown here: use one of {known}.")
    past = await past_page(services, "devices", query, known_states=STATES)

    def chosen(school: SchoolView) -> Iterator[Json]:
        found = devices_of(services.city, school)
        return (device for device in found if kind is None or device["kind"] == kind)

    return past or await page_by_school(services, query, chosen, LISTED)


def _device(
    device_id: str, name: str, *, online: bool | None, age: float | None, detail: Json
) -> Json:
    school, kind, _serial = device_id.split("/", 2)
    state = "unknown" if online is None else "online" if online else "offline"
    return {
        "id": device_id,
        "kind": kind,
        "school": school,
        "name": name,
        "state": state,
        "age_seconds": age,
        "detail": detail,
    }
