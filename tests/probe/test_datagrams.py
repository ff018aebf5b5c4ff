"""What the kernel tells of a datagram, for both families."""

import socket
import time

import pytest

from drivers.probe.datagrams import LARGEST_DATAGRAM, Address, Arrival, DatagramSocket, packed
from tests.probe.conftest import raw, until


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_datagram_comes_with_time_dscp_lifetime_and_place(host: str) -> None:
    came: list[tuple[bytes, Address, Arrival]] = []
    opened = DatagramSocket(host, 0, lambda *one: came.append(one))
    with raw(host) as other:
        if ":" in host:
            other.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, 46 << 2 | 1)
            other.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 77)
        else:
            other.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 46 << 2 | 1)
            other.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 77)
        before_ns = time.time_ns()
        other.sendto(b"hello", (host, opened.port))
        await until(lambda: came)
        data, address, arrival = came[0]
        assert data == b"hello"
        assert address[1] == other.getsockname()[1]
        assert arrival.kernel_wall_ns is not None
        assert before_ns - 10**9 < arrival.kernel_wall_ns <= time.time_ns()
        assert (arrival.dscp, arrival.ecn, arrival.ttl) == (46, 1, 77)
        assert packed(host) in arrival.here
        opened.send(b"back", address, dscp=10, here=arrival.here)
        assert other.recv(100) == b"back"
        other.sendto(bytes(LARGEST_DATAGRAM + 1), (host, opened.port))
        other.sendto(b"next", (host, opened.port))
        await until(lambda: len(came) > 1)
        assert came[1][0] == b"next", "a cut datagram is no datagram"
    opened.close()


async def test_an_address_that_is_not_here_leaves_nothing_open() -> None:
    with pytest.raises(OSError, match="assign"):
        DatagramSocket("192.0.2.1", 0, lambda *_one: None)


@pytest.mark.parametrize(
    ("host", "size"), [("10.0.0.1", 4), ("fd00::1", 16), ("fe80::1%lo", 16), ("core.cn", 0)]
)
def test_numeric_addresses(host: str, size: int) -> None:
    if size:
        assert len(packed(host)) == size
    else:
        with pytest.raises(OSError, match="illegal"):
            packed(host)
