"""The SNMPv3 message around a scoped PDU (RFC 3412 section 6, RFC 3414 section 2.4)."""

from typing import NamedTuple

from drivers.snmp.ber import Tag, decode_integer, encode_integer, encode_tlv, expect
from drivers.snmp.errors import DecodeError

VERSION = b"\x02\x01\x03"
USM = 3
"""msgSecurityModel of the user-based security model (RFC 3411 section 5)."""
AUTH, PRIV, REPORTABLE = 1, 2, 4
"""Bits of msgFlags."""
MAX_SIZE = 65_507
"""msgMaxSize we announce: what UDP carries."""
MIN_ENGINE_ID, MAX_ENGINE_ID = 5, 32
MAX_USER = 32
SALT_BYTES = 8
"""Of every encryption there is (RFC 3414 section 8.1.1.1, RFC 3826 section 3.1.2.1)."""
_LONG, _ONE, _TWO = 0x80, 0x81, 0x82


class Frame(NamedTuple):
    """A received message up to its data, which is ``data[start:]``."""

    msg_id: int
    flags: int
    engine_id: bytes
    boots: int
    time: int
    user: bytes
    auth_start: int
    """Where the authentication parameters begin; they end at ``auth_stop``."""
    auth_stop: int
    salt: bytes
    start: int


def is_v3(data: bytes) -> bool:
    """Whether a datagram says that it is SNMPv3; every length is still to be checked."""
    form = data[1] if len(data) > 1 else 0
    at = 2 if form < _LONG else form - _LONG + 2
    return data[at : at + 3] == VERSION


def read_frame(data: bytes) -> Frame:
    """Read the message up to its data; raises :class:`DecodeError`."""
    end = len(data)
    position, stop = expect(data, 0, end, Tag.SEQUENCE, "the message")
    if stop != end:
        raise DecodeError(f"{end - stop} bytes follow the message")
    start, position = expect(data, position, end, Tag.INTEGER, "the version")
    if data[start:position] != VERSION[2:]:
        raise DecodeError("the version is not 3")
    msg_id, flags, position = _global(data, position, end)
    start, stop = expect(data, position, end, Tag.OCTET_STRING, "the security parameters")
    at, inner = expect(data, start, stop, Tag.SEQUENCE, "the security parameters")
    if inner != stop:
        raise DecodeError(f"{stop - inner} bytes follow the security parameters")
    first, at = expect(data, at, inner, Tag.OCTET_STRING, "the engine id")
    engine_id = data[first:at]
    boots, at = _number(data, at, inner, "the engine's boots")
    time, at = _number(data, at, inner, "the engine's time")
    first, at = expect(data, at, inner, Tag.OCTET_STRING, "the user")
    user = data[first:at]
    auth_start, auth_stop = expect(data, at, inner, Tag.OCTET_STRING, "the authentication")
    first, at = expect(data, auth_stop, inner, Tag.OCTET_STRING, "the salt")
    if at != inner:
        raise DecodeError(f"{inner - at} bytes follow the salt")
    if len(engine_id) > MAX_ENGINE_ID or len(user) > MAX_USER:
        raise DecodeError("an engine id or a user of over 32 bytes")
    return Frame(
        msg_id, flags, engine_id, boots, time, user, auth_start, auth_stop, data[first:at], stop
    )


def _global(data: bytes, position: int, end: int) -> tuple[int, int, int]:
    start, stop = expect(data, position, end, Tag.SEQUENCE, "the header")
    msg_id, position = _number(data, start, stop, "the message id")
    _, position = _number(data, position, stop, "the maximum size")
    first, position = expect(data, position, stop, Tag.OCTET_STRING, "the flags")
    if position - first != 1:
        raise DecodeError(f"flags of {position - first} bytes")
    flags = data[first]
    model, position = _number(data, position, stop, "the security model")
    if position != stop:
        raise DecodeError(f"{stop - position} bytes follow the security model")
    if model != USM:
        raise DecodeError(f"security model {model} is not the user-based one")
    return msg_id, flags, stop


def _number(data: bytes, position: int, end: int, what: str) -> tuple[int, int]:
    start, stop = expect(data, position, end, Tag.INTEGER, what)
    number = decode_integer(data, start, stop)
    if number < 0:
        raise DecodeError(f"{what} is negative")
    return number, stop


def read_scoped(data: bytes, position: int, *, padded: bool) -> tuple[bytes, bytes, int, int]:
    """Context engine id, context name, and where the PDU begins and ends.

    ``padded``: after decryption by DES some bytes may follow.
    """
    end = len(data)
    start, stop = expect(data, position, end, Tag.SEQUENCE, "the scoped PDU")
    if stop != end and not (padded and end - stop < 8):  # noqa: PLR2004 - a DES block
        raise DecodeError(f"{end - stop} bytes follow the scoped PDU")
    first, at = expect(data, start, stop, Tag.OCTET_STRING, "the context's engine id")
    engine_id = data[first:at]
    first, at = expect(data, at, stop, Tag.OCTET_STRING, "the context's name")
    return engine_id, data[first:at], at, stop


def enveloped(pdu: bytes) -> bytes:
    """A PDU in the envelope of a v2c message with an empty community.

    What came secured is then read by the one decoder all versions share. Lengths are written
    in the form the PDU's own has, as the quick readers expect it.
    """
    size = len(pdu) + 5
    form = pdu[1] if len(pdu) > 1 else 0
    if form == _TWO:
        return b"\x30\x82" + size.to_bytes(2, "big") + b"\x02\x01\x01\x04\x00" + pdu
    if form == _ONE and size <= 0xFF:  # noqa: PLR2004 - one octet
        return bytes((0x30, _ONE, size)) + b"\x02\x01\x01\x04\x00" + pdu
    return encode_tlv(Tag.SEQUENCE, b"\x02\x01\x01\x04\x00" + pdu)


def write_global(msg_id: int, flags: int) -> bytes:
    """MsgGlobalData."""
    return encode_tlv(
        Tag.SEQUENCE,
        encode_integer(msg_id)
        + encode_integer(MAX_SIZE)
        + bytes((Tag.OCTET_STRING, 1, flags))
        + b"\x02\x01\x03",
    )


def octets(contents: bytes) -> bytes:
    """An OCTET STRING."""
    return encode_tlv(Tag.OCTET_STRING, contents)
