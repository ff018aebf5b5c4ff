"""``tenone enrol`` over HTTPS: the authority of the token is believed, and nobody in between."""

import asyncio
import contextlib
import shutil
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
import yaml
from starlette.types import ASGIApp, Receive, Scope, Send
from typer.testing import CliRunner

from agents.identity import NEXT_KEY_FILE, read_identity
from agents.passport import Passport
from controller.api.app import create_app
from controller.api.hub import Hub
from controller.api.services import Services
from controller.api.sessions import Sessions
from controller.api.trend import Trend
from controller.trust.servers import server_certificate
from tenone.cli.main import build
from tenone.config import load_school
from tenone.runtime.clock import SystemClock
from tests.api.fake_city import small_city

from .city import City

APP = build(["enrol"])


@dataclass
class Served:
    """A city's controller behind its own certificate, in a thread."""

    city: City
    home: Path
    asked: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""

    def app(self) -> ASGIApp:
        clock = SystemClock()
        view = small_city(clock.wall_ns() / 1e9)
        services = Services(
            city=view,
            hub=Hub(clock, view),
            sessions=Sessions(clock),
            trend=Trend(clock, view),
            clock=clock,
            machines=self.city.desk,
            ledger=self.city.ledger,
        )
        inner = create_app(services)

        async def outer(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                self.asked.append((scope["method"], scope["path"]))
            await inner(scope, receive, send)

        return outer


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Served]:
    folder.mkdir()
    city = City(folder, clock=SystemClock())  # type: ignore[arg-type]  # TLS looks at the real time
    city.authorities.open(city.now)
    made = Served(city, folder / "web")
    server_certificate(
        city.authorities, "web", ["127.0.0.1"], made.home, city="binhai", now=city.now
    )
    config = uvicorn.Config(
        made.app(),
        port=0,
        log_config=None,
        lifespan="off",
        ssl_certfile=made.home / "certificate.pem",
        ssl_keyfile=made.home / "key.pem",
        ssl_version=ssl.PROTOCOL_TLS_SERVER,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    made.url = f"https://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield made
    server.should_exit = True
    thread.join(20)
    city.close()


def school(folder: Path, url: str) -> Path:
    body: dict[str, Any] = {
        "schema_version": 1,
        "school": {"id": "no3", "name": "No. 3", "district": "east", "city": "binhai"},
        "uplink": {"broker": {"host": "127.0.0.1"}, "identity": "identity", "controller": url},
    }
    path = folder / "school.yaml"
    path.write_text(yaml.safe_dump(body))
    return path


def enrol(path: Path, token: str, *more: str, code: int = 0) -> str:
    done = CliRunner().invoke(APP, ["enrol", "-c", str(path), "--token", token, *more])
    assert done.exit_code == code, done.output
    return " ".join(done.output.split())


def token_of(city: City, machine: str = "agent:no3") -> str:
    token, _ = asyncio.run(city.desk.token(machine, by="account:wang"))
    return token.text


def test_a_school_gets_in_and_renews_by_https(tmp_path: Path) -> None:
    with serving(tmp_path / "city") as served:
        path = school(tmp_path, served.url)
        assert "is enrolled until" in enrol(path, token_of(served.city))
        folder = tmp_path / "identity"
        first = read_identity(folder)
        passport = Passport(load_school(path), clock=SystemClock())
        assert passport.renewer is not None
        assert asyncio.run(passport.renewer.renew(first)), passport.renewer.trouble
        second = read_identity(folder)
        assert second.certificate != first.certificate
        assert not (folder / NEXT_KEY_FILE).exists()
        shutil.rmtree(folder)
        other = token_of(served.city, "agent:no4")
        said = enrol(path, other, code=1)
        assert "the token was issued for another machine" in said
        assert not (folder / "identity.pem").exists()


def test_whoever_stands_between_hears_no_token(tmp_path: Path) -> None:
    with serving(tmp_path / "city") as honest, serving(tmp_path / "rogue") as rogue:
        token = token_of(honest.city)
        said = enrol(school(tmp_path, rogue.url), token, code=1)
        assert "somebody may stand in between" in said
        assert rogue.asked == [("GET", "/api/v1/ca")]
        # One that shows the honest authority, but has no certificate of it, is left as well.
        rogue.city.desk.bundle = honest.city.desk.bundle  # type: ignore[method-assign]  # the liar
        said = enrol(school(tmp_path, rogue.url), token, code=1)
        assert "not who it should be" in said
        said = enrol(school(tmp_path, rogue.url), token, "--public-tls", code=1)
        assert "not who it should be" in said
        assert {method for method, _ in rogue.asked} == {"GET"}
        assert "is enrolled until" in enrol(school(tmp_path, honest.url), token), "it is still good"
