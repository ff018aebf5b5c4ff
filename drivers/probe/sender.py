"""A STAMP session-sender (RFC 8762 section 4.2): packets out, raw samples back, nothing judged.

T1 is taken right before the packet is handed over, T4 is the kernel's. Both are told by a clock
that does not step: the kernel's wall-clock time is carried over to the monotonic clock, unless the
wall clock was set in between, in which case the time the reply was read stands (a little late).
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from drivers.probe import stamp
from drivers.probe.datagrams import Address, Arrival, DatagramSocket, family_of, packed
from drivers.probe.hostclock import clock_error
from drivers.probe.stamp import BadPacket, ErrorEstimate, Request
from tenone.runtime.clock import Clock
from tenone.vocabulary.probes import ProbeOutcome

LATE_NS: Final = 3 * 10**9
"""SLA.md, definition 6: an answer that takes longer is lost, so nobody waits for it."""
STEP_NS: Final = 1_000_000
"""The wall clock was set if it and the monotonic clock have moved apart by so much."""
PROVED_SECONDS: Final = 0.001
"""Both clocks together may be off by so much for a one-way delay to mean anything."""
QUICK_NS: Final = 20_000
"""Two clocks read within so short a time were read at the same time."""
CLOCK_LOOK_NS: Final = 10 * 10**9
_MOST_UINT32 = 2**32 - 1
_MOST_DUPLICATES = 255


@dataclass(slots=True, kw_only=True)
class Sample:
    """One test packet and what is known of it so far. Without an outcome: still on its way."""

    sequence: int
    dscp_sent: int
    sent_ns: int
    """T1, monotonic."""
    wall_ns: int
    """T1 by the wall clock."""
    outcome: ProbeOutcome | None = None
    away_ns: int | None = None
    """T4 - T1."""
    held_ns: int | None = None
    """T3 - T2, as the reflector says."""
    forward_ns: int | None = None
    """T2 - T1, only where both clocks say that they are right to a millisecond."""
    dscp_there: int | None = None
    dscp_back: int | None = None
    duplicates: int = 0


@dataclass(slots=True, kw_only=True)
class Session:
    """Packets to one reflector with one DSCP, numbered from 0. ``host`` is a numeric address."""

    host: str
    port: int
    dscp: int = 0
    key: bytes | None = field(default=None, repr=False)
    number: int = 0
    """RFC 8972 session identifier."""
    next_sequence: int = 0


@dataclass(slots=True)
class Strays:
    """What came and is no sample, by reason."""

    unknown_source: int = 0
    no_reply: int = 0
    """From a reflector of ours, but not a packet, or not made with the key."""
    unexpected: int = 0
    """Well-formed, and never sent, or late."""


_Key = tuple[bytes, int, int, int]


class Sender:
    """All sessions of this process, on one socket a family. Close it."""

    def __init__(self, *, clock: Clock, error: Callable[[], ErrorEstimate] = clock_error) -> None:
        self.strays = Strays()
        self.refusal = ""
        """What the system said when it last refused to send."""
        self._clock = clock
        self._error = error
        self._error_now: tuple[ErrorEstimate, int] | None = None
        self._sockets: dict[int, DatagramSocket] = {}
        self._keys: dict[tuple[bytes, int], bytes | None] = {}
        self._pending: dict[_Key, Sample] = {}
        self._order: deque[tuple[_Key, Sample]] = deque()
        self._last_stamp = 0

    def send(self, session: Session) -> Sample:
        """Send the session's next packet. Never raises; what cannot be sent says so."""
        sequence = session.next_sequence
        session.next_sequence = (sequence + 1) & _MOST_UINT32
        try:
            place = (packed(session.host), session.port)
            through = self._socket(session.host)
        except OSError as error:
            return self._refused(self._sample(session, sequence, *self._now()), error)
        self._keys[place] = session.key
        draft = Request(
            sequence=0,
            sent=0,
            error=self._clock_error(self._clock.monotonic_ns()),
            session=session.number,
        )
        ready = stamp.pack_request(draft, dscp=session.dscp)
        # From here on every microsecond counts as delay: nothing that could be done before.
        monotonic_ns, wall_ns = self._now()
        sent = stamp.ntp_stamp(wall_ns)
        if sent == self._last_stamp:  # the echoed T1 tells packets apart
            sent = (sent + 1) % 2**64
        self._last_stamp = sent
        if session.key is None:
            data = stamp.stamped(ready, sequence, sent)
        else:
            data = stamp.pack_request(replace(draft, sequence=sequence, sent=sent), key=session.key)
        try:
            through.send(data, (session.host, session.port), dscp=session.dscp)
        except OSError as error:
            return self._refused(self._sample(session, sequence, monotonic_ns, wall_ns), error)
        # No reply is read before this returns to the event loop.
        sample = self._sample(session, sequence, monotonic_ns, wall_ns)
        key = (*place, sequence, sent)
        self._pending[key] = sample
        self._order.append((key, sample))
        return sample

    @staticmethod
    def _sample(session: Session, sequence: int, monotonic_ns: int, wall_ns: int) -> Sample:
        return Sample(
            sequence=sequence, dscp_sent=session.dscp, sent_ns=monotonic_ns, wall_ns=wall_ns
        )

    def _refused(self, sample: Sample, error: OSError) -> Sample:
        sample.outcome = ProbeOutcome.NOT_SENT
        self.refusal = error.strerror or str(error)
        return sample

    def settle(self) -> None:
        """Give up waiting for what has been on its way too long: it is lost."""
        oldest_ns = self._clock.monotonic_ns() - LATE_NS
        while self._order and self._order[0][1].sent_ns < oldest_ns:
            key, sample = self._order.popleft()
            self._pending.pop(key, None)
            if sample.outcome is None:
                sample.outcome = ProbeOutcome.LOST

    def close(self) -> None:
        """Close the sockets; what is on its way stays without an outcome."""
        for one in self._sockets.values():
            one.close()
        self._sockets.clear()

    def _socket(self, host: str) -> DatagramSocket:
        family = family_of(host)
        if family not in self._sockets:
            self._sockets[family] = DatagramSocket("::" if ":" in host else "", 0, self._take)
        return self._sockets[family]

    def _take(self, data: bytes, address: Address, arrival: Arrival) -> None:
        place = (packed(address[0]), address[1])
        if place not in self._keys:
            self.strays.unknown_source += 1
            return
        try:
            reply = stamp.parse_reply(data, self._keys[place])
        except BadPacket:
            self.strays.no_reply += 1
            return
        sample = self._pending.get((*place, reply.sender_sequence, reply.sender_sent))
        if sample is None:
            self.strays.unexpected += 1
        elif sample.outcome is not None:
            sample.duplicates = min(sample.duplicates + 1, _MOST_DUPLICATES)
        else:
            self._fill(sample, reply, arrival)

    def _fill(self, sample: Sample, reply: stamp.Reply, arrival: Arrival) -> None:
        away_ns = self._arrived_ns(sample, arrival) - sample.sent_ns
        if away_ns > LATE_NS:
            self.strays.unexpected += 1
            return
        sample.outcome = ProbeOutcome.ANSWERED
        sample.away_ns = away_ns
        held_ns = stamp.between_ns(reply.received, reply.transmitted, ptp=reply.error.ptp)
        sample.held_ns = held_ns if 0 <= held_ns <= _MOST_UINT32 else None
        sample.dscp_there, sample.dscp_back = reply.dscp_seen, arrival.dscp
        ours = self._clock_error(sample.sent_ns)
        proved = ours.synchronised and reply.error.synchronised and not reply.error.ptp
        if proved and ours.seconds + reply.error.seconds <= PROVED_SECONDS:
            there_ns = stamp.wall_ns(reply.received, near_ns=sample.wall_ns)
            sample.forward_ns = there_ns - sample.wall_ns

    def _arrived_ns(self, sample: Sample, arrival: Arrival) -> int:
        """T4 by the monotonic clock."""
        monotonic_ns, wall_ns = self._now()
        if arrival.kernel_wall_ns is None:
            return monotonic_ns
        stepped_ns = (wall_ns - monotonic_ns) - (sample.wall_ns - sample.sent_ns)
        arrived_ns = monotonic_ns - (wall_ns - arrival.kernel_wall_ns)
        is_sane = abs(stepped_ns) < STEP_NS and sample.sent_ns <= arrived_ns <= monotonic_ns
        return arrived_ns if is_sane else monotonic_ns

    def _now(self) -> tuple[int, int]:
        """Monotonic and wall clock of the same moment, unless something got in between thrice."""
        wall_ns = after_ns = 0
        for _ in range(3):
            before_ns = self._clock.monotonic_ns()
            wall_ns = self._clock.wall_ns()
            after_ns = self._clock.monotonic_ns()
            if after_ns - before_ns < QUICK_NS:
                break
        return after_ns, wall_ns

    def _clock_error(self, now_ns: int) -> ErrorEstimate:
        if self._error_now is None or now_ns - self._error_now[1] > CLOCK_LOOK_NS:
            self._error_now = (self._error(), now_ns)
        return self._error_now[0]
