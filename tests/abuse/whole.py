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
from tests.abuse.furniture import agents_of, furnish
from tests.abuse.places import routes
from tests.controller.harness import city_config
from tests.trust.acting import CountingWorkshop

HOST = b"127.0.0.1:8010"
ORIGIN = b"http://127.0.0.1:8010"
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
    closing: AsyncExitStack
    known: dict[str, str] = field(default_factory=dict)
    """What there is one of, by the name of its part in a path."""
    pools: dict[str, list[str]] = field(default_factory=dict)
    """The same of every school."""

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
    """A controller of two schools or others with their agents, and something in every room."""
    clock = SystemClock()
    async with AsyncExitStack() as closing:
        broker = closing.enter_context(EmbeddedBroker())
        city = city_config(folder / "city", broker_port=broker.port, schools=schools)
        at_once = Damping(
            hold_seconds=0, holds={}, settle_seconds=0, recheck_seconds=0, clear_seconds=1
        )
        soon = city.enforcement.model_copy(update={"settle_seconds": 0.0})
        city = city.model_copy(update={"incidents": at_once, "enforcement": soon})
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
        agents = await agents_of(closing, folder, broker.port, schools)
        house = Whole(app, services, running, folder, closing)
        await furnish(house, schools, agents)
        yield house


def routes_of(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Method and path template of every route there is, those outside OpenAPI as well."""
    for method, path, _ in routes(app):
        yield method, path
