"""The pages around the small city on a real socket: for browser tests and for looking."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import uvicorn

from controller.api.app import create_app
from controller.api.hub import Hub
from controller.api.services import HttpConfig, Services
from controller.api.sessions import Sessions
from controller.api.trend import Trend
from dashboards.ops.site import mount
from tenone.runtime.clock import SystemClock
from tenone.runtime.supervisor import Supervisor
from tenone.vocabulary.roles import Role
from tests.api.conftest import RecordingActions, granted, opened
from tests.api.fake_city import FakeCity, small_city
from tests.api.fake_enforcement import FakeApprovals, FakeEnforcement
from tests.api.fake_minutes import Counted
from tests.ops.fake_incidents import FakeIncidents


class Served:
    """A running site; ``do`` runs a function inside its event loop."""

    def __init__(self, city: FakeCity, *, demo: bool = True) -> None:
        clock = SystemClock()
        self.city = city
        self.services = Services(
            city=city,
            hub=Hub(clock, city),
            sessions=Sessions(clock),
            trend=Trend(clock, city),
            clock=clock,
            actions=RecordingActions(),
            minutes=Counted(),
            config=HttpConfig(demo=demo),
            incidents=FakeIncidents(clock.wall_ns() / 1e9),
            enforcement=FakeEnforcement(clock.wall_ns() / 1e9),
            approvals=FakeApprovals(clock.wall_ns() / 1e9),
        )
        self.port = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: uvicorn.Server | None = None
        self._up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="served")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, port: int = 0) -> None:
        self.port = port
        self._thread.start()
        assert self._up.wait(20), "the server did not start"

    def stop(self) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._end)
        self._thread.join(20)
        assert not self._thread.is_alive()

    def do(self, work: Callable[[], object]) -> None:
        """Run ``work`` in the server's loop and wait for it."""
        assert self._loop is not None
        done = threading.Event()

        def step() -> None:
            work()
            done.set()

        self._loop.call_soon_threadsafe(step)
        assert done.wait(10)

    def session(self, role: Role = Role.OPERATOR, *scopes: str, actor: str = "code") -> str:
        """The cookie value of a fresh session."""
        return opened(self.services, role, *scopes, actor=actor)

    def code(self) -> str:
        return self.services.sessions.issue_code(granted(Role.OPERATOR))

    def _end(self) -> None:
        assert self._server is not None
        self.services.hub.close()
        self._server.should_exit = True

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        app = create_app(self.services)
        mount(app, self.services)
        self._server = uvicorn.Server(
            uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off")
        )
        listening = socket.create_server(("127.0.0.1", self.port))
        self.port = listening.getsockname()[1]
        async with Supervisor(self.services.clock) as tasks:
            tasks.start("hub", self.services.hub.run)
            tasks.start("trend", self.services.trend.run)
            self._up.set()
            await self._server.serve(sockets=[listening])


@contextlib.contextmanager
def served(city: FakeCity | None = None, *, demo: bool = True, port: int = 0) -> Iterator[Served]:
    """A site around ``city``, stopped at the end."""
    made = small_city(SystemClock().wall_ns() / 1e9) if city is None else city
    site = Served(made, demo=demo)
    site.start(port)
    try:
        yield site
    finally:
        site.stop()
