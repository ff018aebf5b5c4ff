"""A UDP socket of one family whose datagrams come with the kernel's time, DSCP and lifetime.

One raw socket and ``add_reader``: as good as ping, where asyncio's protocol with times taken in
Python code is 70 to 290 us worse (measured; ip(7), ipv6(7), socket(7) for the options).
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

Address = tuple[str, int] | tuple[str, int, int, int]

RECEIVE_BURST: Final = 64
"""Datagrams taken before other tasks get their turn."""
RECEIVE_BUFFER_BYTES: Final = 1024 * 1024
LARGEST_DATAGRAM: Final = 2048
"""Longer ones arrive cut, which makes them no test packets."""
TTL: Final = 255
"""RFC 8762 section 4.2: so that the reply tells how many routers the packet met."""

SO_TIMESTAMPNS: Final = 35
"""asm-generic/socket.h; the socket module does not name it. Also the type of its message."""
IP_PKTINFO: Final = 8
_TIMESPEC = struct.Struct("@ll")
_INT = struct.Struct("@i")
_PKTINFO = struct.Struct("@i4s4s")
_ROOM = sum(socket.CMSG_SPACE(size) for size in (_TIMESPEC.size, 4, 4, 20))


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a datagram came. Unknown is None."""

    kernel_wall_ns: int | None
    """By the wall clock, when the kernel got it."""
    dscp: int | None
    ecn: int
    ttl: int | None
    here: bytes
    """Packet info that names the local address it was sent to; answers leave from there."""


OnDatagram = Callable[[bytes, Address, Arrival], None]


def family_of(host: str) -> socket.AddressFamily:
    """The family of a numeric address."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def packed(host: str) -> bytes:
    """A numeric address as the kernel compares it; raises OSError for any other text."""
    return socket.inet_pton(family_of(host), host.partition("%")[0])


class DatagramSocket:
    """Bound to ``host`` and ``port`` (0: any); ``on_datagram`` runs on the event loop.

    Raises OSError where the address cannot be had. Close it.
    """

    def __init__(self, host: str, port: int, on_datagram: OnDatagram) -> None:
        self.errors = 0
        """Receives the system refused."""
        self._on_datagram = on_datagram
        self._six = family_of(host) == socket.AF_INET6
        self._socket = socket.socket(family_of(host), socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self._prepare()
            self._socket.bind((host, port))
            self._loop = asyncio.get_running_loop()
            self._loop.add_reader(self._socket, self._receive)
        except BaseException:
            self._socket.close()
            raise

    @property
    def port(self) -> int:
        """The port it is bound to."""
        return int(self._socket.getsockname()[1])

    def send(self, data: bytes, to: Address, *, dscp: int = 0, here: bytes = b"") -> None:
        """Send now; raises OSError, BlockingIOError among them, where the system refuses."""
        level = socket.IPPROTO_IPV6 if self._six else socket.IPPROTO_IP
        option = socket.IPV6_TCLASS if self._six else socket.IP_TOS
        control: list[tuple[int, int, bytes]] = [(level, option, _INT.pack(dscp << 2))]
        if here:
            control.append((level, socket.IPV6_PKTINFO if self._six else IP_PKTINFO, here))
        self._socket.sendmsg([data], control, 0, to)

    def close(self) -> None:
        """Stop listening."""
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _prepare(self) -> None:
        opened = self._socket
        opened.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        if self._six:
            for option, value in (
                (socket.IPV6_V6ONLY, 1),
                (socket.IPV6_RECVTCLASS, 1),
                (socket.IPV6_RECVHOPLIMIT, 1),
                (socket.IPV6_RECVPKTINFO, 1),
                (socket.IPV6_UNICAST_HOPS, TTL),
            ):
                opened.setsockopt(socket.IPPROTO_IPV6, option, value)
        else:
            for option, value in (
                (socket.IP_RECVTOS, 1),
                (_IP_RECVTTL, 1),
                (IP_PKTINFO, 1),
                (socket.IP_TTL, TTL),
            ):
                opened.setsockopt(socket.IPPROTO_IP, option, value)

    def _receive(self) -> None:
        for _ in range(RECEIVE_BURST):
            try:
                data, control, flags, address = self._socket.recvmsg(LARGEST_DATAGRAM, _ROOM)
            except BlockingIOError:
                return
            except OSError:
                self.errors += 1
                continue
            if not flags & socket.MSG_TRUNC:
                self._on_datagram(data, address, _arrival(control))


def _arrival(control: list[tuple[int, int, bytes]]) -> Arrival:
    moment = ttl = None
    dscp, ecn, here = None, 0, b""
    for level, kind, value in control:
        match level, kind:
            case socket.SOL_SOCKET, 35 if len(value) == _TIMESPEC.size:
                seconds, rest = _TIMESPEC.unpack(value)
                moment = seconds * 10**9 + rest
            case (socket.IPPROTO_IP, socket.IP_TOS) | (socket.IPPROTO_IPV6, socket.IPV6_TCLASS):
                octet = value[0] if len(value) == 1 else _INT.unpack(value)[0]
                dscp, ecn = octet >> 2, octet & 3
            case (socket.IPPROTO_IP, socket.IP_TTL) | (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT):
                ttl = _INT.unpack(value)[0]
            case socket.IPPROTO_IP, 8 if len(value) == _PKTINFO.size:
                _, local, _ = _PKTINFO.unpack(value)
                here = _PKTINFO.pack(0, local, bytes(4))
            case socket.IPPROTO_IPV6, socket.IPV6_PKTINFO:
                here = value
            case _:
                pass
    return Arrival(moment, dscp, ecn, ttl, here)


_IP_RECVTTL = 12
"""linux/in.h; the socket module names it from Python 3.14 on."""
