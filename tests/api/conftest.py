"""The API around the small city, asked through ASGI without a socket."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import httpx
import pytest
from fastapi import FastAPI

from controller.api.app import create_app
from controller.api.hub import Hub
from controller.api.services import ActionReply, Services
from controller.api.sessions import Sessions
from controller.api.trend import Trend
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.roles import Grant, Role
from tenone.vocabulary.scope import ScopePath
from tests.api.fake_city import FakeCity, small_city

BASE = "http://127.0.0.1:8080"
COOKIE = "tenone"


@dataclass
class RecordingActions:
    """Notes what was asked; answers what it was told to."""

    reply: ActionReply = field(
        default_factory=lambda: ActionReply(state="successful", code="", message="Polled.")
    )
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    async def poll_now(self, school: str, switch: str | None) -> ActionReply:
        self.asked.append((school, switch))
        return self.reply


class OldBindings:
    """Keeps the past of bindings alone."""

    def resources(self) -> frozenset[str]:
        return frozenset({"bindings"})

    def as_of(self, resource: str, scope: ScopePath, moment: float) -> Sequence[dict[str, object]]:
        return [
            {
                "id": "no3/c-1-1",
                "school": "no3",
                "switch": "old",
                "port": f"{resource} {scope}",
                "valid_from": moment - 60,
            }
        ]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def city(clock: ManualClock) -> FakeCity:
    return small_city(clock.wall_ns() / 1e9)


@pytest.fixture
def actions() -> RecordingActions:
    return RecordingActions()


@pytest.fixture
def services(clock: ManualClock, city: FakeCity, actions: RecordingActions) -> Services:
    trend = Trend(clock, city)
    trend.sample()
    return Services(
        city=city,
        hub=Hub(clock, city),
        sessions=Sessions(clock),
        trend=trend,
        clock=clock,
        actions=actions,
        records=OldBindings(),
    )


@pytest.fixture
def app(services: Services) -> FastAPI:
    return create_app(services)


def granted(role: Role, *scopes: str) -> tuple[Grant, ...]:
    """The role at each scope; without one everywhere."""
    return tuple(Grant(role, ScopePath.parse(scope)) for scope in scopes or ("",))


def opened(services: Services, role: Role, *scopes: str, actor: str = "code") -> str:
    """The cookie value of a fresh session with the role at each scope."""
    token, _ = services.sessions.open(actor, name="", grants=granted(role, *scopes))
    return token


def client_of(
    app: FastAPI, token: str | None = None, *, peer: str = "127.0.0.1"
) -> httpx.AsyncClient:
    """A browser-like client: same-origin requests, its cookie, one peer address."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, client=(peer, 40000), raise_app_exceptions=False),
        base_url=BASE,
        headers={"Origin": BASE},
        cookies={} if token is None else {COOKIE: token},
    )


@pytest.fixture
async def anyone(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app) as client:
        yield client


@pytest.fixture
async def operator(app: FastAPI, services: Services) -> AsyncIterator[httpx.AsyncClient]:
    """Sees everything and may poll."""
    async with client_of(app, opened(services, Role.OPERATOR)) as client:
        yield client


@pytest.fixture
async def east(app: FastAPI, services: Services) -> AsyncIterator[httpx.AsyncClient]:
    """A viewer of district east: no1, no3, no12."""
    async with client_of(app, opened(services, Role.VIEWER, "binhai/east")) as client:
        yield client
