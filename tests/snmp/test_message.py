"""Messages: round trips, second opinions, and a hundred thousand mutations."""

import contextlib
import random
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder
from pysnmp.proto import rfc1905
from pysnmp.proto.api import v2c

from drivers.snmp.ber import Missing, Tag, encode_oid
from drivers.snmp.errors import DecodeError
from drivers.snmp.message import (
    MAX_VARBINDS,
    Envelope,
    Head,
    Message,
    PduType,
    VarBind,
    Version,
    _any_head,
    _usual_head,
    build_request,
    decode_head,
)

SPEC: Any = cast("Any", v2c).Message()
SYS_UPTIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)
SAMPLE = Message(
    version=Version.V2C,
    community=b"public",
    pdu_type=PduType.RESPONSE,
    request_id=0x12345678,
    varbinds=(
        VarBind(SYS_UPTIME, Tag.TIME_TICKS, 123456),
        VarBind((1, 3, 6, 1, 2, 1, 1, 5, 0), Tag.OCTET_STRING, "三年二班".encode()),
        VarBind((1, 3, 6, 1, 2, 1, 1, 2, 0), Tag.OID, (1, 3, 6, 1, 4, 1, 2011, 2, 23, 291)),
        VarBind((1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6, 7), Tag.COUNTER64, 2**63 + 5),
        VarBind((1, 3, 6, 1, 2, 1, 2, 2, 1, 8, 7), Tag.INTEGER, 1),
        VarBind((1, 3, 6, 1, 2, 1, 2, 2, 1, 5, 7), Tag.GAUGE32, 2**32 - 1),
        VarBind((1, 3, 6, 1, 2, 1, 2, 2, 1, 5, 8), Tag.NO_SUCH_INSTANCE, Missing.NO_SUCH_INSTANCE),
        VarBind((1, 3, 6, 1, 2, 1, 4, 20, 1, 1, 127, 0, 0, 1), Tag.IP_ADDRESS, b"\x7f\0\0\1"),
    ),
)

names = st.lists(st.integers(0, 2**32 - 1), max_size=20).map(lambda rest: (1, 3, 6, *rest))
varbinds = st.builds(
    lambda name, typed: VarBind(name, *typed),
    names,
    st.one_of(
        st.tuples(st.just(Tag.INTEGER), st.integers(-(2**31), 2**31 - 1)),
        st.tuples(st.just(Tag.COUNTER64), st.integers(0, 2**64 - 1)),
        st.tuples(st.just(Tag.GAUGE32), st.integers(0, 2**32 - 1)),
        st.tuples(st.just(Tag.OCTET_STRING), st.binary(max_size=200)),
        st.tuples(st.just(Tag.OID), names),
        st.sampled_from([(Tag(missing.value), missing) for missing in Missing]),
    ),
)
messages = st.builds(
    Message,
    version=st.sampled_from((Version.V1, Version.V2C)),
    community=st.binary(max_size=40),
    pdu_type=st.sampled_from([PduType.GET, PduType.GET_BULK, PduType.RESPONSE]),
    request_id=st.integers(-(2**31), 2**31 - 1),
    error_status=st.integers(0, 18),
    error_index=st.integers(0, 100),
    varbinds=st.lists(varbinds, max_size=20).map(tuple),
)


@given(messages)
def test_a_message_reads_back(message: Message) -> None:
    assert Message.decode(message.encode()) == message


@given(messages.filter(lambda message: message.version == Version.V2C))
@settings(max_examples=25)
def test_pysnmp_reads_what_we_write(message: Message) -> None:
    theirs, rest = decoder.decode(message.encode(), asn1Spec=SPEC)
    assert not rest
    pdu = v2c.apiMessage.get_pdu(theirs)
    assert int(pdu["request-id"]) == message.request_id
    for (name, value), bind in zip(_binds(pdu), message.varbinds, strict=True):
        assert tuple(name) == bind.name
        _same(value, bind)


def _binds(pdu: Any) -> list[tuple[Any, Any]]:
    return [(bind[0], bind[1].getComponent() if len(bind) > 1 else None) for bind in pdu[3]]


def _same(value: Any, bind: VarBind) -> None:
    while hasattr(value, "getComponent"):
        value = value.getComponent()
    if isinstance(bind.value, int):
        assert int(value) == bind.value
    elif isinstance(bind.value, bytes):
        assert bytes(value) == bind.value
    elif isinstance(bind.value, tuple):
        assert tuple(value) == bind.value


@given(messages.filter(lambda message: message.pdu_type == PduType.RESPONSE))
def test_scapy_reads_the_same(message: Message) -> None:
    snmp = pytest.importorskip("scapy.layers.snmp")
    packet = snmp.SNMP(message.encode())
    assert packet.version.val == message.version
    assert packet.community.val == message.community
    assert packet.PDU.id.val == message.request_id
    assert packet.PDU.error.val == message.error_status
    theirs = [(bind.oid.val, bind.value) for bind in packet.PDU.varbindlist]
    assert [name for name, _ in theirs] == [".".join(map(str, b.name)) for b in message.varbinds]
    for (_, value), bind in zip(theirs, message.varbinds, strict=True):
        if isinstance(bind.value, int | bytes):
            assert value.val == bind.value


def test_pysnmp_reads_the_sample() -> None:
    theirs, rest = decoder.decode(GOOD, asn1Spec=SPEC)
    assert not rest
    pdu = v2c.apiMessage.get_pdu(theirs)
    assert isinstance(pdu, rfc1905.ResponsePDU)
    assert len(pdu[3]) == len(SAMPLE.varbinds)
    for (name, value), bind in zip(_binds(pdu), SAMPLE.varbinds, strict=True):
        assert tuple(name) == bind.name
        _same(value, bind)


def test_a_stamped_request_is_the_message() -> None:
    asked = (SYS_UPTIME, (1, 3, 6, 1, 2, 1, 1, 5, 0))
    request = build_request(
        Envelope(Version.V2C, b"public"),
        PduType.GET_BULK,
        tuple(map(encode_oid, asked)),
        max_repetitions=25,
    )
    assert Message.decode(request.stamp(0x0080_0000)) == Message(
        version=Version.V2C,
        community=b"public",
        pdu_type=PduType.GET_BULK,
        request_id=0x0080_0000,
        error_index=25,
        varbinds=tuple(VarBind(name, Tag.NULL, None) for name in asked),
    )


def _with(data: bytes, at: int, byte: int) -> bytes:
    return data[:at] + bytes((byte,)) + data[at + 1 :]


GOOD = SAMPLE.encode()
NEST = b"\x30\x82\x05\xdc" + b"\x30\x80" * 350


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\0",
        GOOD[:-1],
        GOOD[:40],
        GOOD + b"\0",
        _with(GOOD, 0, 0x31),
        b"\x30\x84\x7f\xff\xff\xff" + GOOD[4:],
        NEST,
        b"\x30" * 700,
        replace(SAMPLE, community=b"c" * 256).encode(),
        b"\x30" + GOOD[1:].replace(b"\x02\x01\x01", b"\x02\x01\x03", 1),  # version 3
        GOOD.replace(b"\xa2", b"\xa4", 1),  # the v1 trap
        GOOD.replace(b"\x06\x08", b"\x04\x08", 1),  # a name that is text
    ],
)  # fmt: skip
def test_malformed_messages_are_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        Message.decode(data)


def test_variable_bindings_are_bounded() -> None:
    bind = VarBind((1, 3), Tag.NULL, None)
    many = Message(
        version=Version.V2C,
        community=b"",
        pdu_type=PduType.RESPONSE,
        request_id=1,
        varbinds=(bind,) * (MAX_VARBINDS + 1),
    )
    with pytest.raises(DecodeError, match="variable bindings"):
        Message.decode(many.encode())


def test_mutated_packets_raise_only_decode_errors() -> None:
    """100,000 replies with one to three flipped bytes, or cut, doubled, or random."""
    draw = random.Random(20261122)
    survived = 0
    for number in range(100_000):
        if number % 10 == 0:
            data = bytearray(draw.randbytes(draw.randrange(120)))
        else:
            data = bytearray(GOOD)
            for _ in range(draw.randint(1, 3)):
                data[draw.randrange(len(data))] = draw.randrange(256)
            if number % 10 == 1:
                del data[draw.randrange(len(data)) :]
        with contextlib.suppress(DecodeError):
            Message.decode(bytes(data))
            survived += 1
    # Most flips hit a value, which is then another valid value.
    assert 1_000 < survived < 99_000


@given(st.binary(max_size=300))
def test_any_bytes_raise_only_decode_errors(data: bytes) -> None:
    with contextlib.suppress(DecodeError):
        Message.decode(data)


def test_head_of_a_reply() -> None:
    head = decode_head(GOOD)
    assert head[:6] == (1, b"public", PduType.RESPONSE, 0x12345678, 0, 0)
    assert isinstance(head, Head)


@given(messages, st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=2))
def test_the_usual_head_is_read_as_any_other(
    message: Message, flips: list[tuple[int, int]]
) -> None:
    data = bytearray(message.encode())
    for at, byte in flips:
        data[at % len(data)] = byte
    try:
        expected = _any_head(bytes(data), len(data))
    except DecodeError:
        with pytest.raises(DecodeError):
            decode_head(bytes(data))
    else:
        assert decode_head(bytes(data)) == expected


@pytest.mark.parametrize("size", [0, 1, 60, 100, 200, 1_000, 3_000])
def test_the_usual_head_is_used(size: int) -> None:
    bind = VarBind(SYS_UPTIME, Tag.OCTET_STRING, bytes(size))
    data = replace(SAMPLE, varbinds=(bind,)).encode()
    assert _usual_head(data, len(data)) == _any_head(data, len(data))
