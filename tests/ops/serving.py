"""The pages around the small city on a real socket: for browser tests and for looking."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import TypeVar

import uvicorn

from controller.api.app import create_app
from controller.api.hub import Hub
from controller.api.services import HttpConfig, Services
from controller.api.sessions import Sessions
from controller.api.trend import Trend
from dashboards.ops.site import mount
from tenone.runtime.clock import SystemClock
from tenone.runtime.supervisor import Supervisor
from tenone.vocabulary.roles import Grant, Role
from tenone.vocabulary.scope import ScopePath
from tests.api.conftest import RecordingActions, granted, opened
from tests.api.fake_city import FakeCity, small_city
from tests.api.fake_enforcement import FakeApprovals, FakeEnforcement
from tests.api.fake_minutes import Counted
from tests.ops.fake_incidents import FakeIncidents
from tests.ops.keeping import Kept

T = TypeVar("T")


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
        self.kept: Kept | None = None
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

    def wait(self, work: Coroutine[object, object, T]) -> T:
        """Run ``work`` in the server's loop and return what it returns."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def session(self, role: Role = Role.OPERATOR, *scopes: str, actor: str = "code") -> str:
        """The cookie value of a fresh session."""
        return opened(self.services, role, *scopes, actor=actor)

    def keep(self, folder: Path) -> Kept:
        """Real accounts, keys and machines, in every state a page must show."""
        kept = self.kept = Kept(self.services, folder, self.services.clock)
        kept.account("wang", Grant(Role.SECURITY_ADMIN, ScopePath()))
        kept.account("chen", Grant(Role.SECURITY_ADMIN, ScopePath()), factor=False)
        east = ScopePath.parse("binhai/east")
        kept.account("li", Grant(Role.VIEWER, east), Grant(Role.OPERATOR, east), factor=False)
        kept.records.create("zhao", "赵敏", (Grant(Role.APPROVER, east),), kept.now)
        kept.whole_city()
        keeper = kept.session(kept.open("chen", Role.SECURITY_ADMIN))
        made = [
            self.wait(kept.keys.create(keeper, name, [Grant(role, east)], days=days))[0]
            for name, role, days in (
                ("中考平台 Exam platform", Role.VIEWER, 9),
                ("班牌厂商 Board vendor", Role.OPERATOR, 300),
                ("old", Role.VIEWER, 100),
            )
        ]
        self.wait(kept.keys.disable(keeper, made[2].id))
        self.wait(kept.machines.desk.open(make=True))
        kept.machines.authorities.add(kept.machines.now)
        kept.open("li", Role.VIEWER, client="10.20.0.9")
        kept.open("wang", Role.SECURITY_ADMIN, client="203.0.113.9")
        return kept

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
