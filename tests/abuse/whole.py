"""A whole controller with its pages, in process, asked through ASGI with raw targets."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from fastapi import FastAPI

from controller.api.app import create_app
from controller.api.services import Services
from controller.api.sessions import Sessions
from controller.service import Controller
from controller.trust.people.room import people_room
from dashboards.ops.site import mount
from drivers.wire.embedded import EmbeddedBroker
from tenone.cli.controller import _hub, _services
from tenone.cli.docs import docs_directory
from tenone.cli.docs import router as handbook_router
from tenone.config.escalation import Damping
from tenone.runtime.clock import SystemClock
from tenone.vocabulary.roles import Grant, Role
from tenone.vocabulary.scope import ScopePath
from tests.controller.harness import SchoolAgent, city_config
from tests.trust.acting import CountingWorkshop

HOST = b"127.0.0.1:8010"
ORIGIN = b"http://127.0.0.1:8010"
WORKING = (Role.OPERATOR, Role.APPROVER)
NO1 = "binhai/east/no1"
EVERY = tuple(Role)
"""What nobody may hold: for walks that want to get as far as they can."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Whole:
    """A running controller."""

    app: FastAPI
    services: Services
    running: Controller
    folder: Path
    known: dict[str, str] = field(default_factory=dict)
    """What there is one of, by the name of its part in a path."""

    def sign_in(self, actor: str, *roles: Role) -> str:
        """A session's cookie value."""
        grants = [Grant(role, ScopePath()) for role in roles]
        token, _ = self.services.sessions.open(actor, name="", grants=grants)
        return token

    async def ask(
        self,
        method: str,
        target: bytes,
        *,
        token: str | None = None,
        body: bytes = b"",
        headers: Mapping[bytes, bytes] | None = None,
    ) -> Answer:
        """One request with the raw target as it stands: no client tidies it up."""
        path, _, query = target.partition(b"?")
        sent = {b"host": HOST, b"origin": ORIGIN, b"content-length": b"%d" % len(body)}
        if token is not None:
            sent[b"cookie"] = b"tenone=" + token.encode()
        sent |= headers or {}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path.decode("latin-1")),  # as uvicorn does
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": [(name, value) for name, value in sent.items() if value],
            "client": ("127.0.0.1", 40000),
            "server": ("127.0.0.1", 8010),
        }
        status, told, parts = 0, {}, []
        gone = asyncio.Event()

        async def receive() -> dict[str, object]:
            if gone.is_set():
                await asyncio.sleep(3600)
            gone.set()
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            nonlocal status, told
            if message["type"] == "http.response.start":
                status = message["status"]
                told = {name.decode().lower(): value.decode() for name, value in message["headers"]}
            else:
                parts.append(message.get("body", b""))

        try:
            await self.app(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - what the server would turn into a 500
            return Answer(status or 500, told, repr(error).encode())
        return Answer(status, told, b"".join(parts))


@asynccontextmanager
async def whole(folder: Path, schools: Sequence[str] = ("no1", "no2")) -> AsyncIterator[Whole]:
    """A controller of two schools or others, one of them with an agent that has sent blocks."""
    clock = SystemClock()
    async with AsyncExitStack() as closing:
        broker = closing.enter_context(EmbeddedBroker())
        city = city_config(folder / "city", broker_port=broker.port, schools=schools)
        at_once = Damping(hold_seconds=0, holds={}, settle_seconds=0, recheck_seconds=0)
        city = city.model_copy(update={"incidents": at_once})
        running = await closing.enter_async_context(Controller(city, clock=clock))
        sessions = Sessions(clock)
        hub = _hub(running, clock)
        people = people_room(running.rooms.values()).people(sessions)
        services = _services(city, running, hub, people, demo=False)
        services.approvals.workshop = CountingWorkshop()  # type: ignore[attr-defined]  # the room's own
        app = create_app(services)
        mount(app, services)
        handbook = docs_directory()
        assert handbook is not None
        app.include_router(handbook_router(handbook))
        agent = await closing.enter_async_context(SchoolAgent(folder / "no1", port=broker.port))
        await agent.keep_ports(speed_mbps=[100, 1000, 10_000])
        house = Whole(app, services, running, folder)
        await _something_in_every_list(house)
        yield house


async def _something_in_every_list(house: Whole) -> None:
    """One of each, made by the API; ``house.known`` says what they are called."""
    token = house.sign_in("account:li", *WORKING)

    async def made(path: str, body: Mapping[str, object]) -> str:
        answer = await house.ask(
            "POST",
            b"/api/v1/" + path.encode(),
            token=token,
            body=json.dumps(body).encode(),
            headers={b"content-type": b"application/json"},
        )
        assert answer.status in {200, 201}, answer.body
        return str(answer.json()["id"])

    async with asyncio.timeout(30):
        while not house.running.incident_desk.views(ScopePath()):  # noqa: ASYNC110 - a bounded look
            await asyncio.sleep(0.02)
    incident = house.running.incident_desk.views(ScopePath())[0].id
    span = {"start": "2027-01-01T00:00:00Z", "end": "2027-01-02T00:00:00Z"}
    house.known |= {
        "incident": incident,
        "ticket": await made("tickets", {"incident": incident}),
        "window": await made(
            "maintenance",
            {"scope": NO1, "reason": "x", "asked_by": "a", "approved_by": "b", **span},
        ),
        "duty": await made("duty", {"scope": "binhai", "role": "leader", "name": "Li"}),
        "action": await made("actions", {
            "school": "no1", "intent": "port.renegotiate", "reason": "x", "retry": "retry-0000",
        }),
    }  # fmt: skip


def routes_of(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Method and path template of every route there is, those outside OpenAPI as well."""
    found: set[tuple[str, str]] = set()

    def walk(routes: Any, prefix: str) -> None:
        for route in routes:
            if hasattr(route, "original_router"):  # FastAPI keeps included routers as they are
                walk(route.original_router.routes, prefix + route.include_context.prefix)
            elif getattr(route, "methods", None):
                found.update((method, prefix + route.path) for method in route.methods)

    walk(app.routes, "")
    yield from sorted(found)
