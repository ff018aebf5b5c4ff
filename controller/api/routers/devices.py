"""Devices of every kind there is so far: gateways, switches, class boards."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse

from controller import encode
from controller.api.access import Here
from controller.api.listing import Listing, one_page, past_page
from controller.api.problems import Problem
from controller.api.schemas import DevicePage
from controller.encode import Json
from controller.views import City
from tenone.vocabulary.scope import DeviceKind, ScopePath

router = APIRouter(prefix="/devices", tags=["devices"])
STATES = frozenset({"online", "offline", "unknown"})
KINDS = frozenset({DeviceKind.GATEWAY, DeviceKind.SWITCH, DeviceKind.BOARD})


def devices_inside(city: City, scope: ScopePath) -> Iterator[Json]:
    """Every device of ``scope`` with the fields all kinds share."""
    for school in city.schools(scope):
        agent = school.agent
        age = agent.last_report_age_seconds
        yield _device(
            f"{school.id}/gateway/agent",
            "agent",
            online=None if age is None else agent.online,
            age=age,
            detail=encode.agent_json(agent),
        )
    for switch in city.switches(scope):
        yield _device(
            switch.id,
            switch.name,
            online=switch.reachable,
            age=switch.age_seconds,
            detail=encode.switch_json(switch),
        )
    for board in city.boards(scope):
        yield _device(
            board.id,
            board.name,
            online=None if board.stale else board.online,
            age=board.age_seconds,
            detail=encode.board_json(board),
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
    found = devices_inside(services.city, query.scope)
    return past or one_page(
        [device for device in found if kind is None or device["kind"] == kind],
        query,
        id_of=lambda device: str(device["id"]),
        states_of=lambda device: frozenset({str(device["state"])}),
        known_states=STATES,
        encode=lambda device: device,
    )


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
