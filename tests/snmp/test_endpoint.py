"""The socket: sends wait when it is full, and refusals are counted, not lost."""

import asyncio
import socket
from typing import Any

import pytest

from drivers.snmp import endpoint
from drivers.snmp.endpoint import PAUSE_SECONDS, RECEIVE_BURST, Address, Endpoint
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
    one = Endpoint(socket.AF_INET, lambda *_: None, lambda: None)
    try:
        with pytest.raises(OSError, match="Permission denied"):
            one.send(b"x", ("255.255.255.255", 9))
    finally:
        one.close()


async def test_while_many_are_expected_answers_gather(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "PAUSE_SECONDS", 0.3)
    came: list[bytes] = []
    bursts: list[int] = []
    busy = True
    one = Endpoint(
        socket.AF_INET,
        lambda data, _: came.append(data),
        lambda: bursts.append(len(came)),
        lambda: busy,
    )
    port = one._socket.getsockname()[1]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        try:
            sender.sendto(b"first", ("127.0.0.1", port))
            await until(lambda: len(came) == 1)
            assert one._pause is not None
            # No longer read at once: what comes now waits for the others.
            for number in range(RECEIVE_BURST + 20):
                sender.sendto(b"%d" % number, ("127.0.0.1", port))
            await asyncio.sleep(0)
            assert len(came) == 1
            await until(lambda: len(came) == RECEIVE_BURST + 21)
            assert bursts[:3] == [1, RECEIVE_BURST + 1, RECEIVE_BURST + 21]
            busy = False
            await until(lambda: one._pause is None)
            sender.sendto(b"last", ("127.0.0.1", port))
            await until(lambda: came[-1] == b"last")
            assert one._pause is None
        finally:
            one.close()


async def test_a_callback_that_fails_leaves_the_socket_read() -> None:
    came: list[bytes] = []
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))

    def take(data: bytes, _: Address) -> None:
        came.append(data)
        if data == b"bad":
            raise ZeroDivisionError

    one = Endpoint(socket.AF_INET, take, lambda: None, lambda: True)
    port = one._socket.getsockname()[1]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        try:
            for data in (b"good", b"bad", b"good", b"bad", b"last"):
                seen = len(came)
                sender.sendto(data, ("127.0.0.1", port))
                await until(lambda: len(came) > seen)  # noqa: B023 - awaited within the turn
        finally:
            one.close()
    assert came[-1] == b"last"
    assert len(failures) == 2


async def test_closing_from_within_a_callback() -> None:
    ended: list[bytes] = []

    def take(data: bytes, _: Address) -> None:
        ended.append(data)
        if data == b"end":
            one.close()

    one = Endpoint(socket.AF_INET, take, lambda: None, lambda: True)
    port = one._socket.getsockname()[1]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for data in (b"go", b"end"):
            sender.sendto(data, ("127.0.0.1", port))
            await until(lambda: data in ended)  # noqa: B023 - awaited within the turn
    await asyncio.sleep(2 * PAUSE_SECONDS)
    assert ended == [b"go", b"end"]
