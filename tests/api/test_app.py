"""Every route: nothing without a session, nothing outside the scope, problems in sentences."""

import gzip
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel

from controller import encode
from controller.api import schemas
from controller.api.app import create_app
from controller.api.hub import Bounds, Hub
from controller.api.problems import MEDIA_TYPE
from controller.api.routers import events
from controller.api.security import OPEN_PATHS, OPEN_REQUESTS
from controller.api.services import ActionReply, Services
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.roles import Role
from tenone.vocabulary.scope import ScopePath
from tests.api.conftest import RecordingActions, client_of, granted
from tests.api.fake_city import FakeCity

API = "/api/v1"
LISTS = ("scopes", "schools", "links", "bindings", "ports", "devices")


def sentence(response: httpx.Response, status: int) -> str:
    """The problem's detail, after checking that it is a whole problem document."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith(MEDIA_TYPE)
    body = response.json()
    assert body["status"] == status
    assert body["type"] == "about:blank"
    assert body["title"]
    detail = body["detail"]
    assert isinstance(detail, str)
    assert detail.endswith(".")
    return detail


def all_routes(app: FastAPI) -> list[tuple[str, str]]:
    paths = app.openapi()["paths"]
    return sorted((method.upper(), path) for path, item in paths.items() for method in item)


KNOWN = {"school": "no3", "link": "c-3-2", "word": "comment"}


async def test_every_route_is_shut_without_a_session(
    app: FastAPI, anyone: httpx.AsyncClient
) -> None:
    routes = all_routes(app)
    assert len(routes) >= 18
    for method, path in routes:
        url = re.sub(r"\{(\w+)(:path)?\}", lambda found: KNOWN.get(found[1], "x"), path)
        response = await anyone.request(method, url)
        if path in OPEN_PATHS or path.startswith((f"{API}/crl/", "/metrics")):
            assert response.status_code != 401, path
        elif (method, path) in OPEN_REQUESTS:
            assert response.status_code == 422
        else:
            assert "Sign in" in sentence(response, 401), path
            assert response.headers["www-authenticate"]


@pytest.mark.parametrize(
    "path", ["/", "/at/binhai", "/nothing", "/links/no3/c-3-2", "/openapi.json"]
)
async def test_pages_lead_to_the_sign_in_page(anyone: httpx.AsyncClient, path: str) -> None:
    response = await anyone.get(path, headers={"Accept": "text/html"})
    assert response.status_code == 303
    assert response.headers["location"].startswith("/sign-in")


async def test_an_unknown_path_is_not_told_apart_without_a_session(
    anyone: httpx.AsyncClient,
) -> None:
    sentence(await anyone.get(f"{API}/nothing"), 401)


@pytest.mark.parametrize("resource", LISTS)
async def test_lists_stay_inside_the_scope(east: httpx.AsyncClient, resource: str) -> None:
    body = (await east.get(f"{API}/{resource}", params={"limit": 1000})).json()
    assert body["total"] == len(body["items"]) > 0
    inside = {"no1", "no3", "no12"}
    for item in body["items"]:
        if resource == "scopes":
            assert item["id"].startswith("binhai/east")
        else:
            assert (item["id"] if resource == "schools" else item["school"]) in inside


@pytest.mark.parametrize("resource", [*LISTS, "overview", "overview/trend", "events"])
@pytest.mark.parametrize(
    "scope", ["binhai", "binhai/west", "binhai/west/no5", "binhai/east/no5", "binhai/nowhere"]
)
async def test_outside_the_scope_is_404(east: httpx.AsyncClient, resource: str, scope: str) -> None:
    detail = sentence(await east.get(f"{API}/{resource}", params={"scope": scope}), 404)
    assert scope in detail


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "links/no5/uplink"), ("POST", "links/no5/uplink/recheck"), ("GET", "schools/no5")],
)
async def test_one_thing_outside_the_scope_reads_as_one_that_is_not(
    east: httpx.AsyncClient, actions: RecordingActions, method: str, path: str
) -> None:
    foreign = sentence(await east.request(method, f"{API}/{path}"), 404)
    missing = sentence(await east.request(method, f"{API}/{path.replace('no5', 'no99')}"), 404)
    assert foreign.replace("no5", "no99") == missing
    assert actions.asked == []


async def test_link_json_is_the_contract(operator: httpx.AsyncClient) -> None:
    link = (await operator.get(f"{API}/links/no3/c-3-2")).json()
    for key in [
        "id",
        "school",
        "tier",
        "contract_mbps",
        "negotiated_mbps",
        "duplex",
        "oper",
        "verdict",
        "severity",
        "causes",
        "since",
        "coverage",
        "evidence",
        "binding",
    ]:
        assert key in link
    assert link["id"] == "no3/c-3-2"
    assert (link["contract_mbps"], link["negotiated_mbps"]) == (1000, 100)
    assert (link["verdict"], link["severity"], link["causes"]) == ("bad", "warning", ["speed"])
    assert link["evidence"] == [
        {"method": "negotiated", "age_seconds": 4.0},
        {"method": "probed", "age_seconds": 12.0},
    ]
    assert set(link["binding"]) == {"switch", "port", "valid_from"}


PAGES: dict[str, type[BaseModel]] = {
    "scopes": schemas.ScopePage,
    "schools": schemas.SchoolPage,
    "links": schemas.LinkPage,
    "bindings": schemas.BindingPage,
    "ports": schemas.PortPage,
    "devices": schemas.DevicePage,
    "overview": schemas.OverviewOut,
    "overview/trend": schemas.TrendOut,
    "sessions/current": schemas.SessionOut,
    "links/no3/c-3-2": schemas.LinkOut,
    "schools/no3": schemas.SchoolOut,
}


@pytest.mark.parametrize("path", PAGES)
async def test_answers_fit_the_published_schema(operator: httpx.AsyncClient, path: str) -> None:
    response = await operator.get(f"{API}/{path}")
    assert response.status_code == 200
    PAGES[path].model_validate_json(response.content)


BYTES = {f"{API}/ca", f"{API}/crl", f"{API}/crl/{{authority_id}}"}
"""Answers that are certificates and lists, not JSON."""


async def test_every_json_route_publishes_its_schema(
    app: FastAPI, operator: httpx.AsyncClient
) -> None:
    document = (await operator.get(f"{API}/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    for path, item in document["paths"].items():
        if path.startswith(API) and not path.endswith("/events") and "get" in item:
            if path in BYTES:
                continue
            content = item["get"]["responses"]["200"]["content"]["application/json"]
            assert "$ref" in content["schema"], path
    assert isinstance(app.routes, list)
    for route in app.routes:
        if isinstance(route, APIRoute):
            assert route.description, route.path


@pytest.mark.parametrize("resource", LISTS)
@pytest.mark.parametrize("limit", [1, 7, 1000])
async def test_pages_follow_each_other_without_hole_or_repeat(
    operator: httpx.AsyncClient, resource: str, limit: int
) -> None:
    seen: list[str] = []
    cursor: str | None = None
    body: dict[str, Any] = {}
    for _ in range(500):
        params: dict[str, str | int] = {"limit": limit} | (
            {} if cursor is None else {"cursor": cursor}
        )
        body = (await operator.get(f"{API}/{resource}", params=params)).json()
        assert len(body["items"]) <= limit
        seen += [item["id"] for item in body["items"]]
        cursor = body["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == body["total"]
    assert seen == sorted(seen)


async def test_a_row_that_goes_between_pages_skips_no_other(
    operator: httpx.AsyncClient, city: FakeCity
) -> None:
    first = (await operator.get(f"{API}/schools", params={"limit": 3})).json()
    del city.schools_by_id[first["items"][-1]["id"]]
    rest = (await operator.get(f"{API}/schools", params={"cursor": first["next_cursor"]})).json()
    left = [item["id"] for item in first["items"][:-1]] + [item["id"] for item in rest["items"]]
    assert left == sorted(city.schools_by_id)


@pytest.mark.parametrize(
    ("resource", "state", "ids"),
    [
        ("schools", "bad", ["no3", "no5"]),
        ("schools", "unknown", ["no6", "no8"]),
        ("links", "bad", ["no3/c-1-5", "no3/c-3-2", "no5/uplink"]),
        ("links", "stale", ["no3/c-1-8", *(f"no6/c-1-{n}" for n in range(1, 5)), "no6/uplink"]),
        (
            "links",
            "unverified",
            ["no3/uplink", *(f"no7/c-1-{n}" for n in range(1, 5)), "no7/uplink"],
        ),
        ("scopes", "city", ["binhai"]),
        ("scopes", "district", ["binhai/east", "binhai/north", "binhai/west"]),
        ("ports", "down", ["no5/core-1/XGigabitEthernet0/0/1"]),
        (
            "devices",
            "offline",
            ["evil/switch/evil", "no3/board/b-3-2", "no3/switch/acc-3", "no6/gateway/agent"],
        ),
    ],
)
async def test_state_filters(
    operator: httpx.AsyncClient, city: FakeCity, resource: str, state: str, ids: list[str]
) -> None:
    hostile = city.schools_by_id["evil"].switches[0].id
    body = (await operator.get(f"{API}/{resource}", params={"state": state, "limit": 1000})).json()
    assert [item["id"].replace(hostile, "evil/switch/evil") for item in body["items"]] == ids


async def test_devices_by_kind(operator: httpx.AsyncClient) -> None:
    for kind in ("gateway", "switch", "board"):
        body = (await operator.get(f"{API}/devices", params={"kind": kind, "limit": 1000})).json()
        assert {item["kind"] for item in body["items"]} == {kind}
    detail = sentence(await operator.get(f"{API}/devices", params={"kind": "camera"}), 400)
    assert "gateway" in detail


@pytest.mark.parametrize(
    ("query", "status", "word"),
    [
        ({"state": "broken"}, 400, "good"),
        ({"limit": "0"}, 422, "limit"),
        ({"limit": "1001"}, 422, "limit"),
        ({"limit": "many"}, 422, "limit"),
        ({"cursor": "!!"}, 400, "next_cursor"),
        ({"cursor": "_w"}, 400, "next_cursor"),
        ({"scope": "Bin Hai"}, 400, "a-z"),
        ({"as_of": "yesterday"}, 400, "2026-"),
        ({"as_of": "2199-01-01T00:00:00Z"}, 400, "future"),
        ({"as_of": "2026-01-01"}, 400, "bindings"),
    ],
)
async def test_bad_parameters_get_a_sentence(
    operator: httpx.AsyncClient, query: dict[str, str], status: int, word: str
) -> None:
    assert word in sentence(await operator.get(f"{API}/links", params=query), status)


async def test_links_are_streamed_of_no_more_than_a_page_can_hold(
    operator: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MOST_LINKS", 80)
    for query in ("kinds=link", "kinds=school,board", "kinds=switch&scope=binhai"):
        refused = await operator.get(f"{API}/events?{query}")
        assert "name a school" in sentence(refused, 400)


async def test_one_sign_in_opens_so_many_streams(
    operator: httpx.AsyncClient, services: Services
) -> None:
    services.hub = Hub(services.clock, services.city, bounds=Bounds(owner_clients=0))
    refused = await operator.get(f"{API}/events")
    assert "close some" in sentence(refused, 429)
    assert refused.headers["retry-after"] == "15"


async def test_the_past_of_bindings_comes_from_the_records(operator: httpx.AsyncClient) -> None:
    when = "2026-03-01T08:00:00+08:00"
    body = (
        await operator.get(f"{API}/bindings", params={"as_of": when, "scope": "binhai/east"})
    ).json()
    assert body["items"][0]["port"] == "bindings binhai/east"
    assert body["items"][0]["valid_from"] == 1772323200 - 60


async def test_wrong_paths_and_methods_get_a_sentence(operator: httpx.AsyncClient) -> None:
    assert "/api/v1/wishes" in sentence(await operator.get(f"{API}/wishes"), 404)
    assert "PUT" in sentence(await operator.put(f"{API}/links"), 405)


async def test_recheck_asks_the_agent(
    operator: httpx.AsyncClient, actions: RecordingActions
) -> None:
    response = await operator.post(f"{API}/links/no3/c-3-2/recheck")
    assert response.status_code == 200
    assert response.json() == {"state": "successful", "code": "", "message": "Polled."}
    assert actions.asked == [("no3", "acc-2")]
    actions.reply = ActionReply(state="failed", code="agent-silent", message="It is silent.")
    failed = await operator.post(f"{API}/links/no3/c-3-2/recheck")
    assert (failed.status_code, failed.json()["code"]) == (502, "agent-silent")


async def test_a_viewer_may_not_poll(east: httpx.AsyncClient, actions: RecordingActions) -> None:
    assert "poll" in sentence(await east.post(f"{API}/links/no3/c-3-2/recheck"), 403)
    assert actions.asked == []


async def test_a_large_body_is_refused(operator: httpx.AsyncClient) -> None:
    big = json.dumps({"code": "x" * 70_000})
    response = await operator.post(
        f"{API}/sessions", content=big, headers={"content-type": "application/json"}
    )
    assert "65536 bytes" in sentence(response, 413)

    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"code": "'
        for _ in range(100):
            yield b"x" * 1000

    endless = await operator.post(
        f"{API}/sessions", content=chunks(), headers={"content-type": "application/json"}
    )
    assert "65536 bytes" in sentence(endless, 413)


async def test_a_crash_is_a_problem_with_headers(
    services: Services, operator: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(scope: ScopePath) -> None:
        raise ZeroDivisionError(f"secret detail {scope}")

    monkeypatch.setattr(services.city, "overview", broken)
    response = await operator.get(f"{API}/overview")
    assert "secret" not in sentence(response, 500)
    assert "content-security-policy" in response.headers


async def test_views_with_hostile_text_survive_json(
    operator: httpx.AsyncClient, city: FakeCity
) -> None:
    body = (await operator.get(f"{API}/schools/evil")).json()
    assert body["name"] == city.schools_by_id["evil"].name
    link = city.schools_by_id["evil"].links["evil/c-1-1"]
    assert json.loads(json.dumps(encode.link_json(link)))["boards"][0]["app"] == link.boards[0].app


async def test_answers_are_compressed(operator: httpx.AsyncClient) -> None:
    response = await operator.get(f"{API}/links")
    assert response.headers["content-encoding"] == "gzip"
    assert len(gzip.compress(response.content)) < len(response.content) / 4


async def test_secure_deployment_uses_a_host_cookie(services: Services, clock: ManualClock) -> None:
    config = type(services.config)(secure_cookies=True)
    services.config = config
    app = create_app(services)
    code = services.sessions.issue_code(granted(Role.VIEWER))
    async with client_of(app) as client:
        response = await client.post(f"{API}/sessions", json={"code": code})
    cookie = response.headers["set-cookie"]
    assert cookie.startswith("__Host-tenone=")
    for part in ("HttpOnly", "Path=/", "SameSite=lax", "Secure", "Max-Age=43200"):
        assert part in cookie
    assert response.headers["strict-transport-security"]
