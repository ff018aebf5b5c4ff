"""The socket: sends wait when it is full, and refusals are counted, not lost."""

import asyncio
import socket
from typing import Any

import pytest

from drivers.snmp.endpoint import Address, Endpoint
from tests.snmp.conftest import until


class Narrow:
    """A socket that is full, or refuses, as often as it is told."""

    def __init__(self, inner: socket.socket, errors: list[OSError]) -> None:
        self.inner = inner
        self.errors = errors

    def sendto(self, data: bytes, address: Any) -> int:
        if self.errors:
            raise self.errors.pop(0)
        return self.inner.sendto(data, address)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


async def test_datagrams_come_and_go_in_order() -> None:
    came: list[tuple[bytes, Address]] = []
    bursts: list[int] = []
    one = Endpoint(
        socket.AF_INET, lambda data, address: came.append((data, address)), lambda: bursts.append(1)
    )
    other = Endpoint(socket.AF_INET, lambda *_: None, lambda: None)
    port = one._socket.getsockname()[1]
    full = [BlockingIOError(), BlockingIOError(), OSError(113, "No route to host")]
    other._socket = Narrow(other._socket, full)  # type: ignore[assignment] # stands in for a socket
    try:
        for number in range(5):
            other.send(bytes((number,)), ("127.0.0.1", port))
        assert len(other._blocked) == 5
        await until(lambda: len(came) == 4)
        # The first was refused when its turn came; the rest went out in order.
        assert [data for data, _ in came] == [b"\1", b"\2", b"\3", b"\4"]
        assert other.errors == 1
        assert bursts
        assert one.room >= 16
        other.send(b"now", ("127.0.0.1", port))
        await until(lambda: len(came) == 5)
    finally:
        one.close()
        other.close()
    await asyncio.sleep(0)


async def test_a_refusal_at_once_is_raised() -> None:
    endpoint = Endpoint(socket.AF_INET, lambda *_: None, lambda: None)
    try:
        with pytest.raises(OSError, match="Permission denied"):
            endpoint.send(b"x", ("255.255.255.255", 9))
    finally:
        endpoint.close()
