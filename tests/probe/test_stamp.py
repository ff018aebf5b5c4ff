"""Packets by hand from the figures of RFC 8762, and every damage to them."""

import random
import struct
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.probe import stamp
from drivers.probe.stamp import BadPacket, ErrorEstimate, Request

T1 = stamp.ntp_stamp(1_790_000_000_123_456_789)
T2 = stamp.ntp_stamp(1_790_000_000_125_000_000)
T3 = stamp.ntp_stamp(1_790_000_000_125_040_000)
KEY = b"a key that both ends know"
REQUEST = Request(sequence=7, sent=T1, error=ErrorEstimate(), session=0x1234)


def answer(data: bytes, **changes: object) -> bytes:
    values = {
        "sequence": 7,
        "received": T2,
        "transmitted": T3,
        "error": ErrorEstimate(synchronised=True, seconds=0.001),
        "ttl": 61,
        **changes,
    }
    return stamp.pack_reply(data, **values)  # type: ignore[arg-type] # the table mixes types


def test_a_request_lies_as_figure_2_says() -> None:
    data = stamp.pack_request(REQUEST)
    assert data == struct.pack("!IQHH28x", 7, T1, ErrorEstimate().pack(), 0x1234)
    assert len(data) == 44
    assert stamp.parse_request(data).session == 0x1234


def test_a_reply_lies_as_figure_5_says() -> None:
    data = answer(stamp.pack_request(REQUEST))
    assert len(data) == 44
    assert struct.unpack_from("!IQ", data) == (7, T3)
    assert struct.unpack_from("!HQIQ", data, 14) == (0x1234, T2, 7, T1)
    assert (data[40], data[41:]) == (61, bytes(3))


@pytest.mark.parametrize("key", [None, KEY])
def test_there_and_back(key: bytes | None) -> None:
    data = stamp.pack_request(REQUEST, key=key)
    assert stamp.parse_request(data, key).sequence == 7
    reply = stamp.parse_reply(answer(data, key=key), key)
    assert (reply.sender_sequence, reply.sender_sent, reply.received) == (7, T1, T2)
    assert (reply.transmitted, reply.sender_ttl, reply.session) == (T3, 61, 0x1234)
    assert reply.error.synchronised
    assert stamp.between_ns(reply.received, reply.transmitted) == 40_000


def test_authenticated_packets_lie_as_figures_4_and_6_say() -> None:
    data = stamp.pack_request(REQUEST, key=KEY)
    assert (len(data), data[4:16]) == (112, bytes(12))
    assert struct.unpack_from("!Q", data, 16) == (T1,)
    reply = answer(data, key=KEY)
    assert (len(reply), reply[80]) == (112, 61)
    assert struct.unpack_from("!Q8xI12xQ", reply, 32) == (T2, 7, T1)


@pytest.mark.parametrize("at", [0, 17, 60, 95, 96, 111])
def test_one_bit_changed_is_noticed(at: int) -> None:
    data = bytearray(stamp.pack_request(REQUEST, key=KEY))
    data[at] ^= 1
    with pytest.raises(BadPacket, match="not made with our key"):
        stamp.parse_request(bytes(data), KEY)


def test_the_reflector_tells_the_dscp_it_saw() -> None:
    data = stamp.pack_request(REQUEST, dscp=46)
    assert stamp.wanted_dscp(data) == 46
    reply = answer(data, dscp=10, ecn=1)
    assert len(reply) == len(data) == 52
    assert reply[44] & 0xE0 == 0
    assert stamp.parse_reply(reply).dscp_seen == 10


def test_a_reflector_that_knows_no_tlv_tells_no_dscp() -> None:
    data = stamp.pack_request(REQUEST, dscp=46)
    assert stamp.parse_reply(answer(data)[:44] + data[44:]).dscp_seen is None
    assert stamp.parse_reply(answer(data)[:44]).dscp_seen is None
    assert stamp.parse_reply(answer(data)).dscp_seen is None


@pytest.mark.parametrize(
    ("tlvs", "flags"),
    [
        (b"\x80\x01\x00\x02ab", 0x00),  # extra padding, understood
        (b"\x80\x63\x00\x01x", 0x80),  # unknown
        (b"\x80\x04\x00\x02xx", 0x40),  # class of service of a wrong length
        (b"\x80\x63\x00\x09x", 0x40),  # longer than the packet
        (b"\x80\x63", 0x80),  # no TLV at all: left alone
    ],
)
def test_tlvs_are_marked_and_never_grow(tlvs: bytes, flags: int) -> None:
    data = stamp.pack_request(REQUEST) + tlvs
    reply = answer(data, dscp=0)
    assert len(reply) == len(data)
    assert reply[44] == flags
    assert reply[45:] == data[45:]
    assert stamp.parse_reply(reply).dscp_seen is None


def test_a_short_twamp_light_packet_is_answered_in_its_length() -> None:
    data = stamp.pack_request(REQUEST)[:41]
    reply = answer(data)
    assert len(reply) == 41
    assert stamp.parse_reply(reply).sender_ttl == 61


@pytest.mark.parametrize(
    ("read", "data", "why"),
    [
        (stamp.parse_request, b"", "0 octets are no test packet"),
        (stamp.parse_request, bytes(40), "40 octets"),
        (stamp.parse_reply, bytes(40), "40 octets are no reply"),
        (lambda data: stamp.parse_request(data, KEY), bytes(111), "111 octets are no auth"),
        (lambda data: stamp.parse_reply(data, KEY), bytes(112), "not made with our key"),
    ],
)
def test_what_is_no_packet_is_said(read: Callable[[bytes], object], data: bytes, why: str) -> None:
    with pytest.raises(BadPacket, match=why):
        read(data)


@pytest.mark.parametrize("key", [None, KEY])
def test_a_reflection_is_not_reflected(key: bytes | None) -> None:
    reply = answer(stamp.pack_request(REQUEST, key=key), key=key)
    with pytest.raises(BadPacket, match="never end"):
        stamp.parse_request(reply, key)


def test_random_padding_is_no_reflection() -> None:
    chance = random.Random(1)
    head = stamp.pack_request(REQUEST)[:16]
    for _ in range(1000):
        stamp.parse_request(head + chance.randbytes(100))


@given(st.integers(0, 2**63 - 1), st.integers(-(10**18), 10**18))
def test_ntp_keeps_the_nanosecond_in_every_era(moment: int, off: int) -> None:
    assert stamp.wall_ns(stamp.ntp_stamp(moment), near_ns=moment + off) == moment


@given(st.integers(0, 2**63 - 1), st.integers(0, 10**12))
def test_a_span_is_right_across_the_end_of_an_era(moment: int, span: int) -> None:
    later = stamp.ntp_stamp(moment + span)
    assert abs(stamp.between_ns(stamp.ntp_stamp(moment), later) - span) <= 1


@pytest.mark.parametrize("span", [-1_000_000_007, 0, 999_999_999, 1_000_000_000])
def test_time_stamps_of_1588(span: int) -> None:
    moment = 1_790_000_000_999_999_999
    first, last = ((t // 10**9) % 2**32 << 32 | t % 10**9 for t in (moment, moment + span))
    assert stamp.between_ns(first, last, ptp=True) == span
    assert stamp.wall_ns(first, near_ns=moment, ptp=True) == moment


@given(st.booleans(), st.floats(1e-9, 3600), st.booleans())
def test_an_error_estimate_never_flatters(synchronised: bool, seconds: float, ptp: bool) -> None:
    bits = ErrorEstimate(synchronised, seconds, ptp).pack()
    back = ErrorEstimate.unpack(bits)
    assert (back.synchronised, back.ptp) == (synchronised, ptp)
    assert seconds <= back.seconds <= seconds * 1.02 + 1e-9


def test_an_estimate_without_multiplier_proves_nothing() -> None:
    assert not ErrorEstimate.unpack(0x8000).synchronised


@given(st.binary(max_size=200), st.sampled_from([None, KEY]))
def test_any_bytes_are_read_or_refused(data: bytes, key: bytes | None) -> None:
    for read in (stamp.parse_request, stamp.parse_reply):
        with suppress(BadPacket):
            read(data, key)
