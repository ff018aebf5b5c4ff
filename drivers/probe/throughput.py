"""A bounded, short TCP test: 0.1 to 0.5 s of a memory file by ``sendfile``, counted where it ends.

0.1 s and 14 MB tell 100 Mb/s, 300 Mb/s and 1 Gb/s apart. The rate is the receiver's, over the last
60 % of its time, so that slow start does not count; path MTU, least round trip and retransmissions
are the sending kernel's (tcp(7), TCP_INFO), as RFC 6349 asks. Whether a test may run is not
decided here: the caller hands in the rule's answer, and without one nothing is sent.

Both ends share a key: the request is proved by HMAC-SHA-256 over the receiver's challenge, so that
nobody else can have a link filled. One exchange::

    receiver -> sender   "T1TP" and 16 octets of challenge
    sender -> receiver   seconds in ms (u16), octets (u64), MAC (32 octets)
    receiver -> sender   "+" or "-"; after the data: octets, ns, octets and ns of the last part
"""

import asyncio
import hmac
import logging
import os
import secrets
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

log = logging.getLogger(__name__)

SHORTEST_SECONDS: Final = 0.1
LONGEST_SECONDS: Final = 0.5
MOST_OCTETS: Final = 700_000_000
"""0.5 s at 10 Gbit/s."""
COUNTED_SHARE: Final = 0.6
PATIENCE_SECONDS: Final = 5.0
"""For each step beside the data itself."""

_MAGIC = b"T1TP"
_CHALLENGE_BYTES = 16
_REQUEST = struct.Struct("!HQ32s")
_RESULT = struct.Struct("!QQQQ")
_CHUNK = 1 << 20
_INFO_BYTES = 232
_TIMESTAMPS = 1


class TestRefused(Exception):  # noqa: N818 - an answer, not a failure
    """No test: the rule or the far end says so; the message is the reason."""

    __test__ = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One finished test; the fields of :class:`controller.sla.throughput.Run`, and what it cost."""

    octets: int
    duration_ns: int
    goodput_mbps: float
    """At the receiver, over the last 60 % of the time."""
    path_mtu: int
    base_rtt_ns: int
    sent_octets: int
    retransmitted_octets: int
    timestamps: bool
    ipv6: bool


Allowed = Callable[[], str | None]
"""Asked right before a test: the sentence that forbids it, or None."""


class Receiver:
    """Takes tests, one at a time, from who has the key. ``async with Receiver(...)``."""

    def __init__(self, host: str, port: int, *, key: bytes, allowed: Allowed) -> None:
        self._host, self._wanted, self._key, self._allowed = host, port, key, allowed
        self.port = port
        self.taken = 0
        """Tests that ended well."""
        self.refused = 0
        """Tests that were refused or broke off."""

    async def __aenter__(self) -> Self:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        self._listening = socket.create_server((self._host, self._wanted), family=family)
        self._listening.setblocking(False)  # noqa: FBT003 - the socket's own way
        self.port = int(self._listening.getsockname()[1])
        self._task = asyncio.create_task(self._serve(), name="throughput receiver")
        return self

    async def __aexit__(self, *_ended: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._listening.close()

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            opened, _ = await loop.sock_accept(self._listening)
            # One at a time: two tests would measure each other.
            with opened:
                opened.settimeout(PATIENCE_SECONDS)
                taken = False
                try:
                    taken = await asyncio.to_thread(self._take, opened)
                except OSError as error:
                    log.debug("a throughput test broke off: %s", error)
                self.taken += taken
                self.refused += not taken

    def _take(self, opened: socket.socket) -> bool:
        challenge = secrets.token_bytes(_CHALLENGE_BYTES)
        opened.sendall(_MAGIC + challenge)
        milliseconds, most, mac = _REQUEST.unpack(_exactly(opened, _REQUEST.size))
        proved = hmac.compare_digest(mac, _mac(self._key, challenge, milliseconds, most))
        within = milliseconds <= LONGEST_SECONDS * 1000 and most <= MOST_OCTETS
        if not proved or not within or self._allowed() is not None:
            opened.sendall(b"-")
            return False
        opened.sendall(b"+")
        opened.sendall(_RESULT.pack(*_count(opened, milliseconds / 1000, most)))
        return True


async def send(
    host: str, port: int, *, key: bytes, seconds: float, allowed: Allowed, octets: int = MOST_OCTETS
) -> Transfer:
    """Run one test towards a :class:`Receiver`.

    Raises :class:`TestRefused` with the reason, OSError where the far end cannot be reached.
    """
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise TestRefused(
            f"a test lasts {SHORTEST_SECONDS:g} to {LONGEST_SECONDS:g} s, not {seconds:g} s"
        )
    why = allowed()
    if why is not None:
        raise TestRefused(why)
    return await asyncio.to_thread(_send, host, port, key, seconds, min(octets, MOST_OCTETS))


def _send(host: str, port: int, key: bytes, seconds: float, octets: int) -> Transfer:
    with socket.create_connection((host, port), timeout=PATIENCE_SECONDS) as opened:
        hello = _exactly(opened, len(_MAGIC) + _CHALLENGE_BYTES)
        if not hello.startswith(_MAGIC):
            raise TestRefused(f"what listens at {host} port {port} takes no throughput tests")
        milliseconds = round(seconds * 1000)
        mac = _mac(key, hello[len(_MAGIC) :], milliseconds, octets)
        opened.sendall(_REQUEST.pack(milliseconds, octets, mac))
        if _exactly(opened, 1) != b"+":
            raise TestRefused("the far end takes no test now, or the key is another")
        _fill(opened, seconds, octets)
        info = opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
        opened.shutdown(socket.SHUT_WR)
        counted, duration_ns, last, last_ns = _RESULT.unpack(_exactly(opened, _RESULT.size))
        final = opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
        six = opened.family == socket.AF_INET6
    sent, again = struct.unpack_from("=QQ", final, 200)
    return Transfer(
        octets=counted,
        duration_ns=duration_ns,
        goodput_mbps=last * 8000 / last_ns if last_ns else 0.0,
        path_mtu=struct.unpack_from("=I", info, 60)[0],
        base_rtt_ns=struct.unpack_from("=I", final, 148)[0] * 1000,
        sent_octets=sent,
        retransmitted_octets=again,
        timestamps=bool(final[5] & _TIMESTAMPS),
        ipv6=six,
    )


def _fill(opened: socket.socket, seconds: float, octets: int) -> None:
    """Send for so long, and no more than so much."""
    memory = os.memfd_create("tenone-throughput")
    try:
        os.ftruncate(memory, _CHUNK)
        end_ns = time.monotonic_ns() + round(seconds * 1e9)
        opened.settimeout(None)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(PATIENCE_SECONDS))
        left = octets
        while left > 0 and time.monotonic_ns() < end_ns:
            left -= os.sendfile(opened.fileno(), memory, 0, min(left, _CHUNK))
        opened.settimeout(PATIENCE_SECONDS)
    finally:
        os.close(memory)


def _count(opened: socket.socket, seconds: float, most: int) -> tuple[int, int, int, int]:
    """Octets and ns in all, octets and ns of the counted part."""
    buffer = memoryview(bytearray(_CHUNK))
    marks: list[tuple[int, int]] = []
    total = 0
    start_ns = time.monotonic_ns()
    give_up_ns = start_ns + round((seconds + PATIENCE_SECONDS) * 1e9)
    while total <= most:
        size = opened.recv_into(buffer)
        now_ns = time.monotonic_ns()
        if not size or now_ns > give_up_ns:
            break
        total += size
        marks.append((now_ns, total))
    if not marks:
        return 0, 0, 0, 0
    end_ns = marks[-1][0]
    from_ns = end_ns - round((end_ns - marks[0][0]) * COUNTED_SHARE)
    first_ns, first = next(mark for mark in marks if mark[0] >= from_ns)
    return total, end_ns - start_ns, total - first, end_ns - first_ns


def _exactly(opened: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = opened.recv(size - len(data))
        if not part:
            raise ConnectionError("the far end closed the connection in the middle")
        data += part
    return data


def _mac(key: bytes, challenge: bytes, milliseconds: int, octets: int) -> bytes:
    return hmac.digest(key, challenge + struct.pack("!HQ", milliseconds, octets), "sha256")


def _timeval(seconds: float) -> bytes:
    whole = int(seconds)
    return struct.pack("@ll", whole, round((seconds - whole) * 1e6))
