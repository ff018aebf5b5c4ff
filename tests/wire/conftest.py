import asyncio
import contextlib
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from drivers.wire.embedded import EmbeddedBroker
from drivers.wire.mqtt import Endpoint
from tenone.cli.processes import free_port
from tests import mosquitto

DEADLINE_SECONDS = 20.0


@dataclass
class Mosquitto:
    """A real Mosquitto on a free loopback port."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(host="127.0.0.1", port=self.port)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


StartMosquitto = Callable[..., Mosquitto]


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        time.sleep(0.02)
    return False


@pytest.fixture(scope="session")
def mosquitto_program() -> str:
    return mosquitto.installed()


@pytest.fixture
def start_mosquitto(mosquitto_program: str, tmp_path: Path) -> Iterator[StartMosquitto]:
    """Start one with extra configuration lines, for all of it and for its listener."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*lines: str, listener: Sequence[str] = (), anonymous: bool = True) -> Mosquitto:
        for _ in range(5):
            port = free_port()
            configuration = tmp_path / f"mosquitto-{len(started)}.conf"
            configuration.write_text(
                "\n".join(
                    [
                        *lines,
                        f"listener {port} 127.0.0.1",
                        *listener,
                        f"allow_anonymous {str(anonymous).lower()}",
                        "max_queued_messages 0",
                        "set_tcp_nodelay true",
                        "user root",
                        "",
                    ]
                )
            )
            process = subprocess.Popen(
                [mosquitto_program, "-c", str(configuration)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            started.append(process)
            if wait_for_port(port, process):
                return Mosquitto(port, process)
        raise AssertionError("mosquitto did not start in five attempts")

    yield start
    for process in started:
        process.terminate()
        process.wait()


@pytest.fixture
def embedded() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture(params=["mosquitto", "embedded"])
def endpoint(request: pytest.FixtureRequest) -> Endpoint:
    """Each test that asks for it runs against both brokers."""
    if request.param == "embedded":
        broker: EmbeddedBroker = request.getfixturevalue("embedded")
        return Endpoint(host=broker.host, port=broker.port)
    start: StartMosquitto = request.getfixturevalue("start_mosquitto")
    return start().endpoint


async def _eventually(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"never came: {what}"
        await asyncio.sleep(0.01)


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool], str], Awaitable[None]]:
    """Wait for a fact with a bounded deadline."""
    return _eventually
