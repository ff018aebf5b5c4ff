"""STAMP and TWAMP-light test packets: bytes in, bytes out; no socket, no clock.

RFC 8762 section 4.2.1 (what a sender sends), 4.3.1 (what a reflector answers), 4.4 (authenticated
mode: HMAC-SHA-256 cut to 128 bits over the first 96 octets), 4.6 (TWAMP-light); RFC 8972 for the
session identifier and TLVs; time formats RFC 5905 and the truncated one of IEEE 1588v2.

Unauthenticated, sender (44 octets)::        Reflector (44 octets)::

    0  sequence number                           0  sequence number
    4  T1, 64 bits                               4  T3
    12 error estimate                            12 error estimate
    14 session id (RFC 8972), else zero          14 session id
    16 zero                                      16 T2
                                                 24 sequence number of the sender
                                                 28 T1 as received
                                                 36 error estimate of the sender
                                                 40 TTL of the packet as received
"""

import hmac
import struct
from dataclasses import dataclass
from typing import Final

OPEN_BYTES: Final = 44
SEALED_BYTES: Final = 112
"""Sizes of a test packet without TLVs, unauthenticated and authenticated."""
SMALLEST_REQUEST: Final = 41
"""A TWAMP-light packet padded to symmetry (RFC 5357 section 4.2.1). A shorter one would be answered
by more octets than it has, and that is what amplifiers do."""
MAC_COVERS: Final = 96
MAC_BYTES: Final = 16

NTP_UNIX_SECONDS: Final = 2_208_988_800
"""From 1900 to 1970."""
_SECOND_NS: Final = 10**9
_ERA: Final = 1 << 32
"""Seconds in one NTP era."""

TLV_HEADER: Final = struct.Struct("!BBH")
TLV_PADDING: Final = 1
TLV_CLASS_OF_SERVICE: Final = 4
_CLASS_OF_SERVICE_BYTES: Final = 4
_UNRECOGNISED, _MALFORMED = 0x80, 0x40
_FLAGS: Final = 0xE0

_MOST_SCALE, _MOST_MULTIPLIER = 0x3F, 0xFF

_HEAD = struct.Struct("!IQ")
_OPEN = struct.Struct("!IQHH")
_OPEN_REPLY = struct.Struct("!IQHHQIQHHB3x")
_OPEN_TIMES = struct.Struct("!16xQ4xQ")
_SEALED = struct.Struct("!I12xQHH")
_SEALED_REPLY = struct.Struct("!I12xQHH4xQ8xI12xQH6xB15x")
_SEALED_TIMES = struct.Struct("!32xQ24xQ")
"""T2 and the sender's T1 in a reply."""
_DAY = 86_400 << 32


class BadPacket(ValueError):  # noqa: N818 - a thing that came, not a failure of ours
    """Bytes that are no test packet of the kind expected; the message says why."""


@dataclass(frozen=True, slots=True)
class ErrorEstimate:
    """How wrong a clock may be (RFC 4656 section 4.1.2): S bit, Z bit, scale, multiplier."""

    synchronised: bool = False
    seconds: float = 1.0
    ptp: bool = False
    """The time stamps are of IEEE 1588v2 and not of NTP."""

    def pack(self) -> int:
        """16 bits; ``seconds`` is rounded up, for an estimate must not flatter."""
        scale = 0
        multiplier = max(1, -int(-self.seconds * _ERA // 1))
        while multiplier > _MOST_MULTIPLIER and scale < _MOST_SCALE:
            multiplier = -(-multiplier // 2)
            scale += 1
        multiplier = min(multiplier, _MOST_MULTIPLIER)
        return self.synchronised << 15 | self.ptp << 14 | scale << 8 | multiplier

    @classmethod
    def unpack(cls, bits: int) -> "ErrorEstimate":
        """A multiplier of 0 is invalid by the RFC: such a clock proves nothing."""
        scale, multiplier = bits >> 8 & _MOST_SCALE, bits & _MOST_MULTIPLIER
        return cls(
            synchronised=bool(bits & 0x8000) and multiplier > 0,
            seconds=multiplier * 2.0**scale / _ERA,
            ptp=bool(bits & 0x4000),
        )


def ntp_stamp(wall_ns: int) -> int:
    """Nanoseconds since 1970 as 64 bits of NTP: seconds since 1900 (modulo 2^32), fraction."""
    seconds, rest = divmod(wall_ns, _SECOND_NS)
    # Rounded up, so that :func:`wall_ns` gives back the very nanosecond.
    return ((seconds + NTP_UNIX_SECONDS) % _ERA) << 32 | -(-(rest << 32) // _SECOND_NS)


def wall_ns(stamp: int, *, near_ns: int, ptp: bool = False) -> int:
    """The moment of a time stamp that lies nearest to ``near_ns`` (NTP's eras are 136 years).

    A stamp of IEEE 1588v2 is of TAI; its offset from UTC is not known here.
    """
    whole, part = stamp >> 32, stamp & 0xFFFFFFFF
    if ptp:
        seconds, rest = whole, part
    else:
        seconds, rest = whole - NTP_UNIX_SECONDS, part * _SECOND_NS >> 32
    found = seconds * _SECOND_NS + rest
    era_ns = _ERA * _SECOND_NS
    return found + round((near_ns - found) / era_ns) * era_ns


def between_ns(earlier: int, later: int, *, ptp: bool = False) -> int:
    """Nanoseconds from one time stamp to another of the same clock, across an era's end too."""
    if ptp:
        span = (later >> 32) * _SECOND_NS + (later & 0xFFFFFFFF)
        span -= (earlier >> 32) * _SECOND_NS + (earlier & 0xFFFFFFFF)
        era = _ERA * _SECOND_NS
        return (span + era // 2) % era - era // 2
    ticks = (later - earlier + (1 << 63)) % (1 << 64) - (1 << 63)
    return ticks * _SECOND_NS >> 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a sender says. ``sent``: T1, a 64-bit time stamp in the format ``error.ptp`` tells."""

    sequence: int
    sent: int
    error: ErrorEstimate
    session: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a reflector says: its T3 and T2, what it read of the request, and how that arrived."""

    sequence: int
    transmitted: int
    error: ErrorEstimate
    session: int
    received: int
    sender_sequence: int
    sender_sent: int
    sender_error: int
    sender_ttl: int
    dscp_seen: int | None = None
    """DSCP of the request at the reflector, where that knows the class-of-service TLV."""


def pack_request(request: Request, *, dscp: int | None = None, key: bytes | None = None) -> bytes:
    """A test packet. ``dscp`` asks the reflector to answer with it and to tell what it saw.

    With ``key`` it is authenticated, and without TLVs.
    """
    head = (request.sequence & 0xFFFFFFFF, request.sent, request.error.pack(), request.session)
    if key is not None:
        return _seal(_SEALED.pack(*head).ljust(MAC_COVERS, b"\0"), key)
    packet = _OPEN.pack(*head).ljust(OPEN_BYTES, b"\0")
    if dscp is None:
        return packet
    header = TLV_HEADER.pack(_UNRECOGNISED, TLV_CLASS_OF_SERVICE, _CLASS_OF_SERVICE_BYTES)
    return packet + header + struct.pack("!I", dscp << 26)


def stamped(packet: bytes, sequence: int, sent: int) -> bytes:
    """An unauthenticated packet with another number and time: what is left to do at the moment."""
    return _HEAD.pack(sequence, sent) + packet[_HEAD.size :]


def parse_request(data: bytes, key: bytes | None = None) -> Request:
    """Read what a sender sent; raises :class:`BadPacket`."""
    if key is not None:
        _check(data, key)
        form, times = _SEALED, _SEALED_TIMES
    elif len(data) < SMALLEST_REQUEST:
        raise BadPacket(f"{len(data)} octets are no test packet: it has {SMALLEST_REQUEST} or more")
    else:
        form, times = _OPEN, _OPEN_TIMES
    sequence, sent, error, session = form.unpack_from(data)
    if _is_reflection(data, sent, times):
        raise BadPacket("it is a reflected packet: two reflectors would never end")
    return Request(sequence=sequence, sent=sent, error=ErrorEstimate.unpack(error), session=session)


def pack_reply(
    data: bytes,
    *,
    sequence: int,
    received: int,
    transmitted: int,
    error: ErrorEstimate,
    ttl: int,
    dscp: int | None = None,
    ecn: int = 0,
    key: bytes | None = None,
) -> bytes:
    """Answer the request ``data``, which has been parsed, by a packet of the same length."""
    form = _OPEN if key is None else _SEALED
    sender_sequence, sent, sender_error, session = form.unpack_from(data)
    head = (sequence & 0xFFFFFFFF, transmitted, error.pack(), session, received)
    if key is not None:
        body = _SEALED_REPLY.pack(*head, sender_sequence, sent, sender_error, ttl)
        return _seal(body, key) + _answer_tlvs(data[SEALED_BYTES:], None, 0)
    body = _OPEN_REPLY.pack(*head, sender_sequence, sent, sender_error, 0, ttl)
    return (body + _answer_tlvs(data[OPEN_BYTES:], dscp, ecn))[: len(data)]


def parse_reply(data: bytes, key: bytes | None = None) -> Reply:
    """Read what a reflector answered; raises :class:`BadPacket`."""
    if key is not None:
        _check(data, key)
        (
            sequence, transmitted, error, session, received,
            sender_sequence, sent, sender_error, ttl,
        ) = _SEALED_REPLY.unpack_from(data)  # fmt: skip
        seen = None
    else:
        if len(data) < SMALLEST_REQUEST:
            raise BadPacket(f"{len(data)} octets are no reply: it has {SMALLEST_REQUEST} or more")
        whole = data if len(data) >= OPEN_BYTES else data.ljust(OPEN_BYTES, b"\0")
        (
            sequence, transmitted, error, session, received,
            sender_sequence, sent, sender_error, _, ttl,
        ) = _OPEN_REPLY.unpack_from(whole)  # fmt: skip
        seen = _dscp_seen(data[OPEN_BYTES:])
    return Reply(
        sequence=sequence,
        transmitted=transmitted,
        error=ErrorEstimate.unpack(error),
        session=session,
        received=received,
        sender_sequence=sender_sequence,
        sender_sent=sent,
        sender_error=sender_error,
        sender_ttl=ttl,
        dscp_seen=seen,
    )


def wanted_dscp(data: bytes) -> int | None:
    """The DSCP a request asks its reply to be sent with; None where it does not ask."""
    value = _class_of_service(data[OPEN_BYTES:], reflected=False)
    return None if value is None else value >> 26


def _dscp_seen(tlvs: bytes) -> int | None:
    value = _class_of_service(tlvs, reflected=True)
    return None if value is None else value >> 20 & 0x3F


def _class_of_service(tlvs: bytes, *, reflected: bool) -> int | None:
    """The value of the first well-formed class-of-service TLV; of a reply only if understood."""
    at = 0
    while at + TLV_HEADER.size <= len(tlvs):
        flags, kind, length = TLV_HEADER.unpack_from(tlvs, at)
        at += TLV_HEADER.size
        if at + length > len(tlvs):
            return None
        if kind == TLV_CLASS_OF_SERVICE and length == _CLASS_OF_SERVICE_BYTES:
            if reflected and flags & _FLAGS:
                return None
            return int.from_bytes(tlvs[at : at + length], "big")
        at += length
    return None


def _answer_tlvs(tlvs: bytes, dscp: int | None, ecn: int) -> bytes:
    """The same TLVs, each marked understood, unrecognised or malformed (RFC 8972 section 4)."""
    answer = bytearray(tlvs)
    at = 0
    while at + TLV_HEADER.size <= len(answer):
        flags, kind, length = TLV_HEADER.unpack_from(answer, at)
        value = at + TLV_HEADER.size
        flags &= ~_FLAGS
        if value + length > len(answer):
            answer[at] = flags | _MALFORMED
            break
        if kind == TLV_CLASS_OF_SERVICE and dscp is not None:
            if length == _CLASS_OF_SERVICE_BYTES:
                asked = answer[value] >> 2
                struct.pack_into("!I", answer, value, asked << 26 | dscp << 20 | ecn << 18)
            else:
                flags |= _MALFORMED
        elif kind != TLV_PADDING:
            flags |= _UNRECOGNISED
        answer[at] = flags
        at = value + length
    return bytes(answer)


def _is_reflection(data: bytes, stamp: int, form: struct.Struct) -> bool:
    """Whether what a sender fills with zeros holds T2 and T1 of about the same time as T3.

    A forged request in the name of another reflector would otherwise start a game of ping-pong.
    """
    received, sent = form.unpack_from(data.ljust(OPEN_BYTES, b"\0"))
    away = [(other - stamp + (1 << 63)) % (1 << 64) - (1 << 63) for other in (received, sent)]
    return bool(received and sent) and all(abs(span) < _DAY for span in away)


def _seal(covered: bytes, key: bytes) -> bytes:
    return covered + hmac.digest(key, covered, "sha256")[:MAC_BYTES]


def _check(data: bytes, key: bytes) -> None:
    if len(data) < SEALED_BYTES:
        raise BadPacket(
            f"{len(data)} octets are no authenticated test packet: it has {SEALED_BYTES} or more"
        )
    if not hmac.compare_digest(_seal(data[:MAC_COVERS], key), data[:SEALED_BYTES]):
        raise BadPacket("the packet was not made with our key")
