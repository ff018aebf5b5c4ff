"""Who serves several schools sees all of them and nothing else: rows, sums and the stream."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from controller.api.hub import Hub, Topic
from controller.api.services import Services
from controller.api.together import common
from controller.views import Change
from tenone.vocabulary.roles import Role
from tenone.vocabulary.scope import ScopePath
from tests.api.conftest import client_of, opened
from tests.api.fake_city import FakeCity

API = "/api/v1"
SERVED = ("binhai/east/no1", "binhai/east/no3", "binhai/west/no5")
SCHOOLS = {"no1", "no3", "no5"}


@pytest.fixture
async def technician(app: FastAPI, services: Services) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app, opened(services, Role.MAINTAINER, *SERVED)) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "school"),
    [
        ("schools", "id"),
        ("links", "school"),
        ("ports", "school"),
        ("devices", "school"),
        ("bindings", "school"),
    ],
)
async def test_lists_have_the_three_and_nothing_else(
    technician: httpx.AsyncClient, path: str, school: str
) -> None:
    body = (await technician.get(f"{API}/{path}", params={"limit": 1000})).json()
    assert {item[school] for item in body["items"]} == SCHOOLS
    for scope in SERVED:
        one = (await technician.get(f"{API}/{path}", params={"scope": scope})).json()
        assert {item[school] for item in one["items"]} == {scope.rpartition("/")[2]}
    for outside in ("binhai", "binhai/east", "binhai/west/no6"):
        refused = await technician.get(f"{API}/{path}", params={"scope": outside})
        assert refused.status_code == 404


async def test_scopes_are_the_schools(technician: httpx.AsyncClient) -> None:
    items = (await technician.get(f"{API}/scopes")).json()["items"]
    assert [(item["id"], item["kind"]) for item in items] == [(one, "school") for one in SERVED]


async def test_totals_are_sums_of_the_three(technician: httpx.AsyncClient, city: FakeCity) -> None:
    total = (await technician.get(f"{API}/overview")).json()
    ones = [
        (await technician.get(f"{API}/overview", params={"scope": scope})).json()
        for scope in SERVED
    ]
    assert total["scope"] == "binhai"
    for name in ("schools_total", "schools_bad", "schools_good", "schools_unknown", "boards_total"):
        assert total[name] == sum(one[name] for one in ones), name
    assert total["schools_total"] == 3

    def links(body: Any, verdict: str) -> int:
        return sum(int(tally[verdict]) for tally in body["tallies"])

    for verdict in ("good", "bad", "unknown"):
        assert links(total, verdict) == sum(links(one, verdict) for one in ones)
    whole = city.overview(ScopePath())
    assert links(total, "good") < sum(tally.good for tally in whole.tallies)
    trend = (await technician.get(f"{API}/overview/trend")).json()["samples"]
    assert [one["good"] + one["bad"] + one["unknown"] for one in trend] == [
        sum(links(total, verdict) for verdict in ("good", "bad", "unknown"))
    ]


async def test_acting_is_decided_school_by_school(app: FastAPI, services: Services) -> None:
    """Operator of one school, viewer of another district."""
    token = opened(services, Role.OPERATOR, "binhai/east/no3")
    session = services.sessions.find(token)
    assert session is not None
    view = opened(services, Role.VIEWER, "binhai/west")
    other = services.sessions.find(view)
    assert other is not None
    both, _ = services.sessions.open("code", grants=session.grants + other.grants)
    async with client_of(app, both) as client:
        assert (await client.post(f"{API}/links/no3/c-3-2/recheck")).status_code == 200
        assert (await client.post(f"{API}/links/no5/uplink/recheck")).status_code == 403
        assert (await client.post(f"{API}/links/no1/uplink/recheck")).status_code == 404


@pytest.mark.parametrize("role", [Role.SECURITY_ADMIN, Role.AUDIT_ADMIN])
async def test_who_may_not_look_gets_no_list(app: FastAPI, services: Services, role: Role) -> None:
    async with client_of(app, opened(services, role)) as client:
        for path in ("links", "schools", "overview", "events", "overview/trend", "scopes"):
            assert (await client.get(f"{API}/{path}")).status_code == 403, path
        for path in ("links/no3/c-3-2", "schools/no3"):
            assert (await client.get(f"{API}/{path}")).status_code == 404, path


async def test_the_stream_carries_the_three_and_their_sums(
    services: Services, city: FakeCity
) -> None:
    scopes = tuple(ScopePath.parse(one) for one in SERVED)
    hub = Hub(services.clock, city)
    client = hub.subscribe(Topic(scopes, frozenset({"school", "overview"})))

    def told(chunk: bytes | None) -> list[tuple[str, str]]:
        assert chunk is not None
        data = json.loads(chunk.decode().split("data: ", 1)[1])
        return [(one["kind"], one["id"]) for one in data["changes"]]

    first = told(await client.take())
    assert {name for kind, name in first if kind == "school"} == SCHOOLS
    assert ("overview", str(common(scopes))) in first
    assert ("overview", "binhai/east") not in first
    hub.publish(
        Change(scope=ScopePath.parse(f"binhai/{where}"), kind="school", id=where.split("/")[1])
        for where in ("east/no1", "east/no12", "west/no5", "west/no6")
    )
    hub.publish([Change(scope=ScopePath.parse("binhai/east"), kind="overview", id="binhai/east")])
    hub.flush()
    assert told(await client.take()) == [
        ("school", "no1"), ("school", "no5"), ("overview", "binhai")
    ]  # fmt: skip
    hub.publish([Change(scope=ScopePath.parse("binhai/east/no12"), kind="school", id="no12")])
    hub.flush()
    hub.beat()
    beat = await client.take()
    assert beat is not None
    assert set(json.loads(beat.decode().split("data: ", 1)[1])["ages"]["school"]) == SCHOOLS
    hub.unsubscribe(client)
    assert hub.clients == 0
