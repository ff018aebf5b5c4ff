"""UDP ends of many agents in one process: a socket each, read as the event loop says."""

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

_READS_A_TURN = 32
"""Datagrams taken from one socket before the others get their turn."""
_LARGEST_DATAGRAM = 65_535
_RECEIVE_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Sending:
    """One datagram of a reply: after how long, and whether from a port nobody asked."""

    data: bytes
    delay_seconds: float = 0.0
    from_other_port: bool = False


Answer = Callable[[bytes], Sequence[Sending]]
"""A request's bytes in, what is sent back out; empty where there is silence."""


class Endpoint:
    """One bound socket and the agent behind it."""

    def __init__(self, answer: Answer, host: str, port: int) -> None:
        """Bind at once; raises OSError. Port 0 lets the system choose."""
        self._answer = answer
        self._socket = _bind(host, port)
        self._other: socket.socket | None = None
        self._timers: set[asyncio.TimerHandle] = set()
        self.host, self.port = self._socket.getsockname()[:2]

    def attach(self) -> None:
        """Answer from now on, in the running loop."""
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._read)

    def close(self) -> None:
        """Stop answering; what was still to be sent later is not sent."""
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._socket.close()
        if self._other is not None:
            self._other.close()

    def _read(self) -> None:
        receive = self._socket.recvfrom
        for _ in range(_READS_A_TURN):
            try:
                datagram, peer = receive(_LARGEST_DATAGRAM)
            except (BlockingIOError, ConnectionError):
                return  # nothing more to read, or an ICMP error about an earlier reply
            for sending in self._answer(datagram):
                if sending.delay_seconds > 0:
                    self._later(sending, peer)
                else:
                    self._send(sending, peer)

    def _later(self, sending: Sending, peer: tuple[str, int]) -> None:
        def send() -> None:
            self._timers.discard(timer)
            self._send(sending, peer)

        timer = asyncio.get_running_loop().call_later(sending.delay_seconds, send)
        self._timers.add(timer)

    def _send(self, sending: Sending, peer: tuple[str, int]) -> None:
        source = self._socket
        if sending.from_other_port:
            if self._other is None:
                self._other = _bind(self.host, 0)
            source = self._other
        try:
            source.sendto(sending.data, peer)
        except OSError:
            # UDP promises nothing: a full buffer or an unreachable peer is a lost reply.
            return


class Part(Protocol):
    """What opens and closes in a running loop."""

    def attach(self) -> None:
        """Begin."""
        ...

    def close(self) -> None:
        """End."""
        ...


class Fleet:
    """Endpoints that open and close together: ``async with Fleet(endpoints): ...``."""

    def __init__(self, endpoints: Sequence[Part]) -> None:
        self._endpoints = endpoints

    async def __aenter__(self) -> Self:
        for endpoint in self._endpoints:
            endpoint.attach()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for endpoint in self._endpoints:
            endpoint.close()


def address(host: str, port: int, number: int, *, spread: bool) -> tuple[str, int]:
    """Where switch ``number`` (from 0) listens: a port each, or with ``spread`` an address each.

    Raises ValueError when the numbers run out.
    """
    if spread:
        return str(ipaddress.IPv4Address(host) + number), port
    if port == 0:
        return host, 0
    if port + number > _LARGEST_DATAGRAM:
        raise ValueError(f"port {port} + {number} is over 65535: begin with a lower --port")
    return host, port + number


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_DGRAM)
    try:
        opened.settimeout(0)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        # A link-local address brings its scope, as in fe80::1%eth0.
        numeric = socket.AI_NUMERICHOST if ":" in host else 0
        opened.bind(socket.getaddrinfo(host, port, family, socket.SOCK_DGRAM, 0, numeric)[0][4])
    except OSError as error:
        opened.close()
        raise OSError(
            f"cannot listen on UDP {host}:{port} ({error.strerror}): choose another address or port"
        ) from None
    return opened
