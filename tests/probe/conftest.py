"""Reflectors and senders on loopback, and a relay that does to packets what a test says."""

import asyncio
import os
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

from drivers.probe.reflector import Reflector
from drivers.probe.sender import Sample, Sender, Session
from tenone.runtime.clock import SystemClock

DEADLINE_SECONDS = 20.0
THERE, BACK = False, True


async def until(fact: Callable[[], object]) -> None:
    """Wait for a fact, not for a time."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not fact():  # noqa: ASYNC110 - the facts are counters, not events
            await asyncio.sleep(0.002)


@dataclass
class OddClock(SystemClock):
    """The machine's clock, but a test may set its wall, and let time pass unknown to the kernel."""

    wall_off_ns: int = 0
    passed_ns: int = 0

    def wall_ns(self) -> int:
        return super().wall_ns() + self.wall_off_ns

    def monotonic_ns(self) -> int:
        return super().monotonic_ns() + self.passed_ns


Fate = Callable[[bytes, bool], list[bytes]]
"""What becomes of a packet (``True``: on its way back): none, one or more packets."""


@dataclass
class Relay:
    """Stands between sender and reflector; the sender takes it for the reflector."""

    to: tuple[str, int]
    fate: Fate
    seen: list[tuple[bytes, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._front = _bound()
        self._back = _bound()
        self._client: Any = None
        loop = asyncio.get_running_loop()
        loop.add_reader(self._front, self._there)
        loop.add_reader(self._back, self._again)

    @property
    def port(self) -> int:
        return int(self._front.getsockname()[1])

    def _there(self) -> None:
        data, self._client = self._front.recvfrom(4096)
        self.seen.append((data, THERE))
        for one in self.fate(data, THERE):
            self._back.sendto(one, self.to)

    def _again(self) -> None:
        data, _ = self._back.recvfrom(4096)
        self.seen.append((data, BACK))
        for one in self.fate(data, BACK):
            self._front.sendto(one, self._client)

    def close(self) -> None:
        loop = asyncio.get_running_loop()
        for one in (self._front, self._back):
            loop.remove_reader(one)
            one.close()


def _bound() -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    opened.bind(("127.0.0.1", 0))
    return opened


def pass_all(data: bytes, _back: bool) -> list[bytes]:
    return [data]


Made = TypeVar("Made", Reflector, Sender, Relay)


@dataclass
class Bench:
    """What a test needs; everything it made is closed afterwards."""

    clock: OddClock = field(default_factory=OddClock)
    _made: list[Any] = field(default_factory=list)

    def reflector(self, host: str = "127.0.0.1", **options: Any) -> Reflector:
        return self._keep(Reflector(host, 0, **options))

    def sender(self, **options: Any) -> Sender:
        return self._keep(Sender(clock=self.clock, **options))

    def relay(self, reflector: Reflector, fate: Fate) -> Relay:
        return self._keep(Relay((reflector.host, reflector.port), fate))

    def session(self, to: Reflector | Relay, **options: Any) -> Session:
        host = to.host if isinstance(to, Reflector) else "127.0.0.1"
        return Session(host=host, port=to.port, **options)

    async def answered(self, sender: Sender, session: Session, count: int = 1) -> list[Sample]:
        samples = [sender.send(session) for _ in range(count)]
        await until(lambda: all(sample.outcome is not None for sample in samples))
        return samples

    def _keep(self, one: Made) -> Made:
        self._made.append(one)
        return one

    def close(self) -> None:
        for one in self._made:
            one.close()


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    yield made
    made.close()


@contextmanager
def raw(host: str = "127.0.0.1") -> Iterator[socket.socket]:
    """A plain socket that knows nothing of test packets."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as opened:
        opened.bind((host, 0))
        opened.settimeout(DEADLINE_SECONDS)
        yield opened


@pytest.fixture
def plain() -> Iterator[socket.socket]:
    with raw() as opened:
        yield opened


def namespaces_work() -> bool:
    """Whether network namespaces can be made here."""
    name = f"t1try{os.getpid()}"
    try:
        subprocess.run(["ip", "netns", "add", name], check=True, capture_output=True)
        subprocess.run(["ip", "netns", "del", name], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True
