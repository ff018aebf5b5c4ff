"""A STAMP session-reflector (RFC 8762 section 4.3) that answers, and is of no use to an attacker.

An answer is never longer than its question, a source is answered only so often, what looks like an
answer is not answered, and where networks are given, nobody else is.
"""

import ipaddress
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from drivers.probe import stamp
from drivers.probe.datagrams import Address, Arrival, DatagramSocket
from drivers.probe.hostclock import UNKNOWN, clock_error
from drivers.probe.stamp import BadPacket, ErrorEstimate

log = logging.getLogger(__name__)

SOURCE_A_SECOND: Final = 4_000.0
SOURCE_BURST: Final = 8_000.0
"""What one address may ask. A school sends at most 200 a second, but twenty of them may stand
behind one address, and what is refused here would be judged as loss."""
ALL_A_SECOND: Final = 20_000.0
MOST_SOURCES: Final = 16_384
MOST_SESSIONS: Final = 16_384
"""Remembered at most; who has been silent longest is forgotten first."""
CLOCK_LOOK_NS: Final = 10 * 10**9
STAMP_PORT: Final = 862
"""RFC 8762 section 4.1."""
UNKNOWN_TTL: Final = 255
"""RFC 8762 section 4.3.1: what is sent where the packet's TTL could not be read."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(slots=True)
class Counts:
    """What became of all that came."""

    reflected: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    """Not answered, by reason: ``packet``, ``rate``, ``network``, ``send``."""

    def refuse(self, reason: str) -> None:
        """Count one."""
        self.refused[reason] = self.refused.get(reason, 0) + 1


class Allowance:
    """Token buckets of many sources; time is monotonic nanoseconds, handed in."""

    def __init__(
        self, *, rate: float = SOURCE_A_SECOND, burst: float = SOURCE_BURST,
        all_rate: float = ALL_A_SECOND, most: int = MOST_SOURCES,
    ) -> None:  # fmt: skip
        self._rate, self._burst, self._most = rate, burst, most
        self._all_rate = all_rate
        self._all: tuple[float, int] = (all_rate, 0)
        self._sources: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def take(self, source: str, now_ns: int) -> bool:
        """Whether ``source`` may be answered once more."""
        tokens, seen_ns = self._sources.pop(source, (self._burst, now_ns))
        tokens = min(self._burst, tokens + (now_ns - seen_ns) * self._rate / 1e9)
        everyone, all_ns = self._all
        everyone = min(self._all_rate, everyone + (now_ns - all_ns) * self._all_rate / 1e9)
        granted = tokens >= 1 and everyone >= 1
        self._sources[source] = (tokens - granted, now_ns)
        self._all = (everyone - granted, now_ns)
        if len(self._sources) > self._most:
            self._sources.popitem(last=False)
        return granted


class Reflector:
    """Answers test packets at one address until closed.

    ``stateful``: replies are numbered by the reflector, so that the sender can tell on which way a
    packet was lost (RFC 8762 section 4.3). ``key``: authenticated packets only. ``networks``: who
    is answered; none given is everybody. ``is_awake`` is asked about each packet.
    """

    def __init__(
        self,
        host: str,
        port: int = STAMP_PORT,
        *,
        key: bytes | None = None,
        stateful: bool = False,
        networks: Sequence[Network] = (),
        allowance: Allowance | None = None,
        is_awake: Callable[[], bool] = lambda: True,
    ) -> None:
        self.counts = Counts()
        self._key = key
        self._stateful = stateful
        self._networks = tuple(networks)
        self._allowance = allowance or Allowance()
        self._is_awake = is_awake
        self._sessions: OrderedDict[tuple[str, int, int], int] = OrderedDict()
        self._error: ErrorEstimate = UNKNOWN
        self._error_ns: int | None = None
        self._socket = DatagramSocket(host, port, self._take)
        self.host = host

    @property
    def port(self) -> int:
        """Where it answers."""
        return self._socket.port

    def close(self) -> None:
        """Answer no more."""
        self._socket.close()

    def _take(self, data: bytes, address: Address, arrival: Arrival) -> None:
        now_ns = time.monotonic_ns()
        if not self._is_awake():
            return
        if not self._is_welcome(address[0]):
            self.counts.refuse("network")
        elif not self._allowance.take(address[0], now_ns):
            self.counts.refuse("rate")
        else:
            try:
                self._answer(data, address, arrival, now_ns)
            except BadPacket as bad:
                log.debug("%s: %s", address[0], bad)
                self.counts.refuse("packet")
            except OSError as error:
                log.debug("%s cannot be answered: %s", address[0], error)
                self.counts.refuse("send")
            else:
                self.counts.reflected += 1

    def _answer(self, data: bytes, address: Address, arrival: Arrival, now_ns: int) -> None:
        request = stamp.parse_request(data, self._key)
        sequence = request.sequence
        if self._stateful:
            sequence = self._count((address[0], address[1], request.session))
        wanted = stamp.wanted_dscp(data) if self._key is None else None
        dscp = (arrival.dscp or 0) if wanted is None else wanted
        error = self._clock(now_ns)

        def reply_at(wall_ns: int) -> bytes:
            return stamp.pack_reply(
                data,
                sequence=sequence,
                received=stamp.ntp_stamp(arrival.kernel_wall_ns or wall_ns),
                transmitted=stamp.ntp_stamp(wall_ns),
                error=error,
                ttl=UNKNOWN_TTL if arrival.ttl is None else arrival.ttl & 0xFF,
                dscp=arrival.dscp,
                ecn=arrival.ecn,
                key=self._key,
            )

        reply = reply_at(time.time_ns())
        if self._key is None:
            # T3 is put in last: what is done after it counts as delay of the path.
            reply = stamp.stamped(reply, sequence, stamp.ntp_stamp(time.time_ns()))
        self._socket.send(reply, address, dscp=dscp, here=arrival.here)

    def _count(self, session: tuple[str, int, int]) -> int:
        """The next number of a session, from 0."""
        number = self._sessions.pop(session, 0)
        self._sessions[session] = (number + 1) & 0xFFFFFFFF
        if len(self._sessions) > MOST_SESSIONS:
            self._sessions.popitem(last=False)
        return number

    def _is_welcome(self, host: str) -> bool:
        if not self._networks:
            return True
        address = ipaddress.ip_address(host)
        return any(address in network for network in self._networks)

    def _clock(self, now_ns: int) -> ErrorEstimate:
        if self._error_ns is None or now_ns - self._error_ns > CLOCK_LOOK_NS:
            self._error, self._error_ns = clock_error(), now_ns
        return self._error
