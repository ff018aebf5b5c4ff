"""The hops towards a platform: packets of rising lifetime, ICMP errors by the error queue.

No privilege is needed: the kernel hands the ICMP message to the socket whose packet caused it
(ip(7) and ipv6(7), IP_RECVERR), with the time it came. UDP packets have a port of their own each,
echo requests (icmp(7), where the system's ``ping_group_range`` lets us) a number; the message
quotes it. A router may answer such packets slowly and still pass others on at once: a slow or
silent hop in the middle of a path that is quick behind it says nothing.
"""

import asyncio
import socket
import struct
from dataclasses import dataclass
from typing import Final, Literal

from drivers.probe.datagrams import SO_TIMESTAMPNS, family_of, packed
from tenone.runtime.clock import Clock
from tenone.vocabulary.probes import HopOutcome

FIRST_PORT: Final = 33_434
"""Where nobody listens: the ports of traceroute."""
PACE_SECONDS: Final = 0.02
WAIT_SECONDS: Final = 1.5
"""After the last packet."""
PAYLOAD: Final = b"TenOne path probe".ljust(32, b".")

IP_RECVERR: Final = 11
IPV6_RECVERR: Final = 25
"""linux/in.h, linux/in6.h; the socket module does not name them."""
_ERROR = struct.Struct("=IBBBBII")
"""struct sock_extended_err; the offender's socket address follows."""
_TIMESPEC = struct.Struct("@ll")
_INT = struct.Struct("@i")
_ROOM = socket.CMSG_SPACE(_TIMESPEC.size) + socket.CMSG_SPACE(_ERROR.size + 28)
_ORIGIN_ICMP, _ORIGIN_ICMP6 = 2, 3
_TRANSIT = {_ORIGIN_ICMP: 11, _ORIGIN_ICMP6: 3}
"""ICMP types of time exceeded: RFC 792, RFC 4443 section 3.3."""
_NO_PORT = {_ORIGIN_ICMP: (3, 3), _ORIGIN_ICMP6: (1, 4)}
"""ICMP type and code of port unreachable: the platform itself got the packet."""
_SEND_TRIES = 4
_ECHO = struct.Struct("!BBHHH")
_ASKS, _ANSWERS = {False: 8, True: 128}, {False: 0, True: 129}
"""Types of echo request and reply, by whether it is IPv6: RFC 792, RFC 4443 section 4."""

Method = Literal["udp", "icmp"]


@dataclass(slots=True, kw_only=True)
class HopSample:
    """One packet of lifetime ``ttl``; without an outcome it was not asked for any more."""

    ttl: int
    number: int
    """Which of the packets of this lifetime, from 0."""
    sent_ns: int = 0
    outcome: HopOutcome | None = None
    address: str | None = None
    rtt_ns: int | None = None


@dataclass(frozen=True, slots=True)
class _Message:
    """One ICMP message about a packet of ours, or (no offender) the platform's own answer."""

    place: int
    """Which packet it is about."""
    origin: int
    kind: int
    code: int
    offender: str | None
    kernel_wall_ns: int | None


async def trace(
    host: str, *, clock: Clock, hops: int = 16, packets: int = 3, method: Method = "udp"
) -> list[HopSample]:
    """All packets in order of lifetime; beyond the platform none has an outcome.

    ``host`` is a numeric address; raises OSError where it is none or there is no socket. The
    packets of one lifetime are spread, for routers limit how often they answer.
    """
    path = _Path(host, clock, hops, packets, is_echo=method == "icmp")
    try:
        for number in range(packets):
            for ttl in range(1, hops + 1):
                if ttl > path.length:
                    break
                path.send(ttl, number)
                await clock.sleep(PACE_SECONDS)
        give_up_ns = clock.monotonic_ns() + round(WAIT_SECONDS * 1e9)
        while path.is_waiting and clock.monotonic_ns() < give_up_ns:
            await clock.sleep(PACE_SECONDS)
        return path.finish()
    finally:
        path.close()


class _Path:
    """One run: the socket, the packets, and how long the path is as far as known."""

    def __init__(self, host: str, clock: Clock, hops: int, packets: int, *, is_echo: bool) -> None:
        self.length = hops
        """The platform answered at this lifetime; until then all that may be asked."""
        self._host, self._address, self._clock = host, packed(host), clock
        self._is_echo = is_echo
        self._packets = packets
        self._samples = [
            HopSample(ttl=ttl, number=number)
            for ttl in range(1, hops + 1)
            for number in range(packets)
        ]
        self._six = family_of(host) == socket.AF_INET6
        protocol = 0
        if is_echo:
            protocol = socket.IPPROTO_ICMPV6 if self._six else socket.IPPROTO_ICMP
        self._socket = socket.socket(
            family_of(host), socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, protocol
        )
        level = socket.IPPROTO_IPV6 if self._six else socket.IPPROTO_IP
        self._socket.setsockopt(level, IPV6_RECVERR if self._six else IP_RECVERR, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        asyncio.get_running_loop().add_reader(self._socket, self._receive)

    @property
    def is_waiting(self) -> bool:
        """Whether a packet that still counts is unanswered."""
        return any(
            sample.outcome is HopOutcome.LOST and sample.ttl <= self.length
            for sample in self._samples
        )

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def send(self, ttl: int, number: int) -> None:
        place = (ttl - 1) * self._packets + number
        sample = self._samples[place]
        level = socket.IPPROTO_IPV6 if self._six else socket.IPPROTO_IP
        option = socket.IPV6_HOPLIMIT if self._six else socket.IP_TTL
        control = [(level, option, _INT.pack(ttl))]
        for _ in range(_SEND_TRIES):
            sample.sent_ns = self._clock.monotonic_ns()
            try:
                self._socket.sendmsg([self._head(place), PAYLOAD], control, 0, self._to(place))
            except OSError:
                continue  # often the ICMP error of an earlier packet, told here once
            sample.outcome = HopOutcome.LOST
            return
        sample.outcome = HopOutcome.NOT_SENT

    def _head(self, place: int) -> bytes:
        # The kernel fills in identifier and check sum.
        return _ECHO.pack(_ASKS[self._six], 0, 0, 0, place) if self._is_echo else b""

    def _to(self, place: int) -> tuple[str, int]:
        return (self._host, 0 if self._is_echo else FIRST_PORT + place)

    def _place(self, data: bytes, address: tuple[str, int], *, is_error: bool) -> int:
        """Which packet a message is about; -1: none of ours."""
        if not self._is_echo:
            return address[1] - FIRST_PORT
        if len(data) < _ECHO.size:
            return -1
        kind, _, _, _, number = _ECHO.unpack_from(data)
        wanted = _ASKS if is_error else _ANSWERS
        return int(number) if kind == wanted[self._six] else -1

    def finish(self) -> list[HopSample]:
        for sample in self._samples:
            if sample.ttl > self.length:
                sample.outcome = sample.address = sample.rtt_ns = None
        return self._samples

    def _receive(self) -> None:
        for flags in (socket.MSG_ERRQUEUE, 0):
            for _ in self._samples:
                try:
                    data, control, _, address = self._socket.recvmsg(256, _ROOM, flags)
                except BlockingIOError:
                    break
                except OSError:
                    continue  # the pending error, whose message is in the queue
                place = self._place(data, address, is_error=bool(flags))
                message = _message(control, place, is_error=bool(flags))
                if message is not None:
                    self._note(message)

    def _note(self, message: _Message) -> None:
        if not 0 <= message.place < len(self._samples):
            return
        sample = self._samples[message.place]
        if sample.outcome is not HopOutcome.LOST:
            return
        now_ns, wall_ns = self._clock.monotonic_ns(), self._clock.wall_ns()
        ago_ns = 0 if message.kernel_wall_ns is None else wall_ns - message.kernel_wall_ns
        away_ns = now_ns - sample.sent_ns
        sample.rtt_ns = away_ns - ago_ns if 0 <= ago_ns <= away_ns else away_ns
        sample.address = message.offender or self._host
        if message.offender is None or (
            (message.kind, message.code) == _NO_PORT[message.origin]
            and packed(message.offender) == self._address
        ):
            sample.outcome = HopOutcome.REACHED
            self.length = min(self.length, sample.ttl)
        elif message.kind == _TRANSIT[message.origin]:
            sample.outcome = HopOutcome.TRANSIT
        else:
            sample.outcome = HopOutcome.REFUSED


def _message(
    control: list[tuple[int, int, bytes]], place: int, *, is_error: bool
) -> _Message | None:
    moment: int | None = None
    error: bytes | None = None
    for level, kind, value in control:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, rest = _TIMESPEC.unpack(value[: _TIMESPEC.size])
            moment = seconds * 10**9 + rest
        elif (level, kind) in {
            (socket.IPPROTO_IP, IP_RECVERR),
            (socket.IPPROTO_IPV6, IPV6_RECVERR),
        }:
            error = value
    if not is_error:
        return _Message(place, 0, 0, 0, None, moment)
    if error is None or len(error) < _ERROR.size:
        return None
    _, origin, kind, code, *_ = _ERROR.unpack_from(error)
    offender = _offender(error[_ERROR.size :])
    if origin not in _TRANSIT or offender is None:
        return None
    return _Message(place, origin, kind, code, offender, moment)


def _offender(data: bytes) -> str | None:
    """The address in a struct sockaddr_in or sockaddr_in6."""
    family = int.from_bytes(data[:2], "little" if struct.pack("=H", 1)[0] else "big")
    if family == socket.AF_INET and len(data) >= 8:  # noqa: PLR2004 - up to the address's end
        return socket.inet_ntop(socket.AF_INET, data[4:8])
    if family == socket.AF_INET6 and len(data) >= 24:  # noqa: PLR2004 - likewise
        return socket.inet_ntop(socket.AF_INET6, data[8:24])
    return None
