"""The gate and the headers: origin, hosts, loopback metrics, addresses to go on to."""

from urllib.parse import unquote

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Message, Scope

from controller.api.app import create_app
from controller.api.security import CONTENT_SECURITY_POLICY, host_name, local_path
from controller.api.services import HttpConfig, Services
from tenone.config.quantities import is_loopback
from tenone.vocabulary.roles import Role
from tests.api.conftest import BASE, COOKIE, RecordingActions, client_of, granted, opened

RECHECK = "/api/v1/links/no3/c-3-2/recheck"


@pytest.mark.parametrize(
    "path", ["/healthz", "/", "/api/v1/links", "/metrics", "/nothing", "/static/x/y"]
)
async def test_every_answer_carries_the_headers(anyone: httpx.AsyncClient, path: str) -> None:
    headers = (await anyone.get(path)).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    for part in (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "frame-ancestors 'none'",
    ):
        assert part in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in headers


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({"Origin": BASE}, True),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://127.0.0.1:9999"}, False),
        ({"Origin": "http://127.0.0.1:8080.evil.example"}, False),
        ({"Origin": "http://[::1"}, False),
        ({"Origin": ""}, False),
        ({}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"}, False),
    ],
)
async def test_unsafe_requests_must_come_from_our_own_page(
    app: FastAPI,
    services: Services,
    actions: RecordingActions,
    headers: dict[str, str],
    passes: bool,
) -> None:
    token = opened(services, Role.OPERATOR)
    async with client_of(app, token) as client:
        del client.headers["origin"]
        response = await client.post(RECHECK, headers=headers)
    assert response.status_code == (200 if passes else 403)
    assert bool(actions.asked) is passes


@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("10.0.0.7", {}, 401),
        ("10.0.0.7", {"Authorization": "Bearer right-token"}, 200),
        ("10.0.0.7", {"Authorization": "bearer right-token"}, 200),
        ("10.0.0.7", {"Authorization": "Bearer wrong"}, 401),
        ("10.0.0.7", {"Authorization": "Basic right-token"}, 401),
        ("127.0.0.1", {"X-Forwarded-For": "10.0.0.7"}, 401),
        ("127.0.0.1", {"Forwarded": "for=10.0.0.7"}, 401),
        ("127.0.0.1", {"Host": "evil.example"}, 401),
        ("127.0.0.1", {"Host": "localhost:8080"}, 200),
        ("127.0.0.1", {"Host": "[::1]:8080"}, 200),
    ],
)
@pytest.mark.parametrize("path", ["/metrics", "/metrics/links?district=east"])
async def test_metrics_are_open_on_loopback_and_by_token(
    services: Services, peer: str, headers: dict[str, str], status: int, path: str
) -> None:
    services.config = HttpConfig(metrics_token="right-token")
    async with client_of(create_app(services), peer=peer) as client:
        assert (await client.get(path, headers=headers)).status_code == status


async def test_without_a_token_no_bearer_opens_metrics(app: FastAPI) -> None:
    async with client_of(app, peer="10.0.0.7") as client:
        response = await client.get("/metrics", headers={"Authorization": "Bearer "})
    assert response.status_code == 401


async def test_other_host_names_are_refused_where_hosts_are_named(services: Services) -> None:
    services.config = HttpConfig(hosts=("noc.example", "127.0.0.1"))
    async with client_of(create_app(services)) as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (
            await client.get("/healthz", headers={"Host": "noc.example:443"})
        ).status_code == 200
        refused = await client.get("/healthz", headers={"Host": "evil.example"})
    assert refused.status_code == 421
    assert "http.hosts" in refused.json()["detail"]


async def test_a_made_up_cookie_is_no_session(app: FastAPI) -> None:
    for value in ("x", "", "ÿ", "A" * 43):
        async with client_of(app) as client:
            response = await client.get(
                "/api/v1/links", headers=[(b"cookie", f"tenone={value}".encode("latin-1"))]
            )
        assert response.status_code == 401


async def test_signing_in_again_ends_the_session_before(app: FastAPI, services: Services) -> None:
    """A session id that somebody else may know is worth nothing after the next sign-in."""
    token, before = services.sessions.open("code", grants=granted(Role.VIEWER, "binhai/east"))
    async with client_of(app, token) as client:
        code = services.sessions.issue_code(granted(Role.OPERATOR))
        answer = await client.post("/api/v1/sessions", json={"code": code})
    assert answer.status_code == 201
    assert answer.cookies[COOKIE] != token
    assert not services.sessions.is_open(before)


@pytest.mark.parametrize("length", ["²", "-1", "+5", "1e3", "0x10", " ", "9" * 40])
async def test_a_length_that_is_no_number_is_refused(app: FastAPI, length: str) -> None:
    async with client_of(app) as client:
        response = await client.post(
            "/api/v1/sessions",
            content=b"",
            headers=[(b"origin", BASE.encode()), (b"content-length", length.encode("latin-1"))],
        )
    assert response.status_code == 413


@pytest.mark.parametrize("path", ["/api/v1/links/", "/sign-in/", "/healthz/", "/metrics/"])
async def test_no_answer_leads_to_the_host_a_request_names(
    app: FastAPI, services: Services, path: str
) -> None:
    token = opened(services, Role.VIEWER)
    async with client_of(app, token) as client:
        response = await client.get(path, headers={"Host": "evil.example"})
    assert "evil.example" not in response.headers.get("location", "")
    assert response.status_code in {401, 404}


@pytest.mark.parametrize(
    "path",
    [
        "/static/../api/v1/links",
        "/static/..%2f..%2fapi/v1/links",
        "/static/x/%2e%2e/%2e%2e/at/binhai",
        "/language/../at/binhai",
        "/sign-in/../at/binhai",
        "/healthz/../api/v1/schools",
        "/metrics/../api/v1/schools",
        "//api/v1/links",
        "/%61pi/v1/links",
        "/API/v1/links",
        "/api/v1/links%00",
        "/;/api/v1/links",
        "/sign-in;/../api/v1/links",
    ],
)
async def test_no_path_leads_around_the_gate(app: FastAPI, path: str) -> None:
    """Sent as it stands: no client tidied it."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1:8080")],
        "client": ("127.0.0.1", 40000),
        "server": ("127.0.0.1", 8080),
    }
    await app(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent)
    assert sent[0]["status"] in {401, 404}
    assert b"no3" not in body


async def test_a_watching_stream_does_not_keep_a_session_alive(
    app: FastAPI, services: Services
) -> None:
    token, session = services.sessions.open("code", grants=granted(Role.VIEWER))
    clock = services.clock
    assert hasattr(clock, "advance")
    async with client_of(app, token) as client:
        clock.advance(1700)
        refused = await client.get("/api/v1/events", params={"kinds": "nonsense"})
        assert refused.status_code == 400
        clock.advance(200)
        assert not services.sessions.is_open(session)


async def test_a_fragment_request_is_sent_to_the_sign_in_page(anyone: httpx.AsyncClient) -> None:
    response = await anyone.get("/links/no3/c-3-2", headers={"HX-Request": "true"})
    assert (response.status_code, response.headers["hx-redirect"]) == (401, "/sign-in")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (None, "/"),
        ("", "/"),
        ("/at/binhai?q=1", "/at/binhai?q=1"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
        ("/a\\b", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_going_on_stays_on_this_site(text: str | None, path: str) -> None:
    assert local_path(text) == path


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("a.example:1", "a.example"),
        ("[::1]:1", "::1"),
        ("", ""),
        ("[::1", ""),
        ("A.example", "a.example"),
    ],
)
def test_host_names(host: str, name: str) -> None:
    assert host_name(host) == name


@pytest.mark.parametrize(
    ("name", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("10.0.0.1", False),
        ("", False),
        ("x", False),
    ],
)
def test_loopback(name: str, loopback: bool) -> None:
    assert is_loopback(name) is loopback


@pytest.mark.parametrize("ready", [True, False])
async def test_health(services: Services, ready: bool) -> None:
    from controller.api.services import Health  # noqa: PLC0415 - used here alone

    services.health = [
        lambda: Health(name="store", ready=True, sentence="Writes."),
        lambda: Health(name="broker", ready=ready, sentence="Connected."),
    ]
    async with client_of(create_app(services), peer="10.0.0.7") as client:
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        response = await client.get("/readyz")
    assert response.status_code == (200 if ready else 503)
    assert [part["name"] for part in response.json()["parts"]] == ["store", "broker"]
