import asyncio
import socket
from typing import Any

import pytest

from firmware_sims.switch.server import Endpoint, Fleet, Sending, address


async def asked(port: int, *, replies: int) -> list[tuple[bytes, int]]:
    """Send one datagram; what comes back and from which port."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0)
        client.bind(("127.0.0.1", 0))
        await loop.sock_sendto(client, b"?", ("127.0.0.1", port))
        async with asyncio.timeout(10):
            got = [await loop.sock_recvfrom(client, 2048) for _ in range(replies)]
    return [(data, peer[1]) for data, peer in got]


async def test_replies_leave_in_order_late_ones_later(serve: Any) -> None:
    sendings = (Sending(b"late", delay_seconds=0.05), Sending(b"one"), Sending(b"two"))
    async with serve(lambda _: sendings) as port:
        assert await asked(port, replies=3) == [(b"one", port), (b"two", port), (b"late", port)]


async def test_another_port_is_another_port(serve: Any) -> None:
    async with serve(lambda _: (Sending(b"x", from_other_port=True),)) as port:
        ((data, source),) = await asked(port, replies=1)
    assert data == b"x"
    assert source != port


async def test_many_endpoints_in_one_process() -> None:
    def echo(number: int) -> Any:
        return lambda _: (Sending(str(number).encode()),)

    endpoints = [Endpoint(echo(n), "127.0.0.1", 0) for n in range(300)]
    async with Fleet(endpoints):
        seen = await asyncio.gather(*(asked(e.port, replies=1) for e in endpoints))
    assert [int(reply[0][0]) for reply in seen] == list(range(300))


async def test_a_late_reply_of_a_closed_endpoint_is_not_sent() -> None:
    answered = asyncio.Event()

    def answer(_: bytes) -> tuple[Sending]:
        answered.set()
        return (Sending(b"x", delay_seconds=0.01),)

    endpoint = Endpoint(answer, "127.0.0.1", 0)
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0)
        async with Fleet([endpoint]):
            await loop.sock_sendto(client, b"?", ("127.0.0.1", endpoint.port))
            async with asyncio.timeout(5):
                await answered.wait()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await loop.sock_recvfrom(client, 100)


def test_a_taken_port_is_named() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on UDP 127.0.0.1:{port}"):
            Endpoint(lambda _: (), "127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "port", "number", "spread", "expected"),
    [
        ("127.0.0.1", 0, 7, False, ("127.0.0.1", 0)),
        ("127.0.0.1", 1610, 7, False, ("127.0.0.1", 1617)),
        ("127.1.0.250", 1610, 10, True, ("127.1.1.4", 1610)),
    ],
)
def test_addresses(
    host: str, port: int, number: int, spread: bool, expected: tuple[str, int]
) -> None:
    assert address(host, port, number, spread=spread) == expected


def test_addresses_run_out_with_a_sentence() -> None:
    with pytest.raises(ValueError, match="over 65535"):
        address("127.0.0.1", 65_000, 1000, spread=False)
