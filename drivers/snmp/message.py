"""SNMP v1 and v2c messages: the envelope, the PDU, the variable bindings (RFC 3416, 1157)."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from drivers.snmp.ber import (
    Oid,
    Tag,
    Value,
    decode_integer,
    decode_oid,
    decode_value,
    encode_integer,
    encode_oid,
    encode_tlv,
    encode_value,
    expect,
    read_tlv,
)
from drivers.snmp.errors import DecodeError
from tenone.trust.masked import MASK

MAX_MESSAGE_BYTES = 65_535
MAX_VARBINDS = 4_096
MAX_COMMUNITY_BYTES = 255


class Version(IntEnum):
    """The message's version field."""

    V1 = 0
    V2C = 1
    V3 = 3


class Envelope(NamedTuple):
    """What stands around a PDU: version, community, and what more an answer has around it.

    A PDU of SNMPv3 is handled in the envelope of v2c with an empty community, and sealed or
    opened on its way (:mod:`drivers.snmp.v3.peer`).
    """

    version: Version
    community: bytes
    around: int = 0
    """Bytes an answer has on the wire beside what this envelope shows."""

    def __repr__(self) -> str:
        return f"Envelope({self.version!r}, community {MASK})"


class PduType(IntEnum):
    """The PDUs of RFC 3416 that share one shape; the v1 trap (0xA4) has another and is no reply."""

    GET = 0xA0
    GET_NEXT = 0xA1
    RESPONSE = 0xA2
    SET = 0xA3
    GET_BULK = 0xA5
    INFORM = 0xA6
    TRAP = 0xA7
    REPORT = 0xA8


_PDU_TYPES = frozenset(PduType)


class VarBind(NamedTuple):
    """A variable: its name, the type octet of its value, the value."""

    name: Oid
    tag: int
    value: Value


class Head(NamedTuple):
    """A message up to its variable bindings, whose bytes are ``data[start:stop]``.

    For a GETBULK request ``error_status`` is non-repeaters and ``error_index``
    max-repetitions.
    """

    version: int
    community: bytes
    pdu_type: int
    request_id: int
    error_status: int
    error_index: int
    start: int
    stop: int

    def __repr__(self) -> str:
        return f"Head(community {MASK}, {self[2:]!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A whole message, decoded."""

    version: Version
    community: bytes = field(repr=False)
    pdu_type: PduType
    request_id: int
    error_status: int = 0
    error_index: int = 0
    varbinds: tuple[VarBind, ...] = ()

    def encode(self) -> bytes:
        """The message's bytes; raises ValueError for values that do not fit their types."""
        varbinds = b"".join(
            encode_tlv(Tag.SEQUENCE, encode_oid(name) + encode_value(tag, value))
            for name, tag, value in self.varbinds
        )
        pdu = (
            encode_integer(self.request_id)
            + encode_integer(self.error_status)
            + encode_integer(self.error_index)
            + encode_tlv(Tag.SEQUENCE, varbinds)
        )
        body = (
            encode_integer(self.version)
            + encode_tlv(Tag.OCTET_STRING, self.community)
            + encode_tlv(self.pdu_type, pdu)
        )
        return encode_tlv(Tag.SEQUENCE, body)

    @classmethod
    def decode(cls, data: bytes) -> "Message":
        """Read a whole message; raises :class:`DecodeError` for anything less."""
        head = decode_head(data)
        return cls(
            version=Version(head.version),
            community=head.community,
            pdu_type=PduType(head.pdu_type),
            request_id=head.request_id,
            error_status=head.error_status,
            error_index=head.error_index,
            varbinds=tuple(decode_varbinds(data, head.start, head.stop)),
        )


def decode_head(data: bytes) -> Head:
    """Read the envelope and check that every length agrees with the datagram's."""
    end = len(data)
    if end > MAX_MESSAGE_BYTES:
        raise DecodeError(f"a message of {end} bytes is over {MAX_MESSAGE_BYTES}")
    try:
        head = _usual_head(data, end)
    except IndexError:
        head = None
    return _any_head(data, end) if head is None else head


_LONG_FORM = 0x80
"""From here on a length octet says how many octets of length follow."""
_VERSIONS_AND_COMMUNITY = (b"\x02\x01\x01\x04", b"\x02\x01\x00\x04")
_NO_ERROR = b"\x02\x01\x00\x02\x01\x00"
_FOUR_BYTE_ID = b"\x02\x04"


def _usual_head(data: bytes, end: int) -> Head | None:
    """The head of a response without error and with an id like ours; None for any other."""
    position = _contents(data, 0, end, Tag.SEQUENCE)
    community = position + 5
    stop = community + data[position + 4]
    usual = data.startswith(_VERSIONS_AND_COMMUNITY, position)
    if not position or not usual or stop - community >= _LONG_FORM:
        return None
    start = _contents(data, stop, end, PduType.RESPONSE)
    if (
        not start
        or not data.startswith(_FOUR_BYTE_ID, start)
        or not data.startswith(_NO_ERROR, start + 6)
    ):
        return None
    binds = _contents(data, start + 12, end, Tag.SEQUENCE)
    if not binds:
        return None
    number = int.from_bytes(data[start + 2 : start + 6], "big", signed=True)
    version = data[position + 2]
    return Head(version, data[community:stop], PduType.RESPONSE, number, 0, 0, binds, end)


def _contents(data: bytes, position: int, end: int, tag: int) -> int:
    """Where the contents of an element begin that is a ``tag`` and reaches to the end; else 0."""
    length = data[position + 1]
    if data[position] != tag:
        return 0
    if length < _LONG_FORM:
        return position + 2 if position + 2 + length == end else 0
    if length == _LONG_FORM + 2:
        length = data[position + 2] << 8 | data[position + 3]
        return position + 4 if position + 4 + length == end else 0
    if length == _LONG_FORM + 1:
        return position + 3 if position + 3 + data[position + 2] == end else 0
    return 0


def _any_head(data: bytes, end: int) -> Head:
    position, stop = expect(data, 0, end, Tag.SEQUENCE, "the message")
    if stop != end:
        raise DecodeError(f"{end - stop} bytes follow the message")
    start, position = expect(data, position, end, Tag.INTEGER, "the version")
    version = decode_integer(data, start, position)
    if version not in (Version.V1, Version.V2C):
        raise DecodeError(f"version {version} is neither v1 nor v2c")
    start, position = expect(data, position, end, Tag.OCTET_STRING, "the community")
    if position - start > MAX_COMMUNITY_BYTES:
        raise DecodeError(f"a community of {position - start} bytes")
    community = data[start:position]
    pdu_type, position, stop = read_tlv(data, position, end)
    if pdu_type not in _PDU_TYPES:
        raise DecodeError(f"PDU type 0x{pdu_type:02x} is not one of v2c")
    if stop != end:
        raise DecodeError(f"{end - stop} bytes follow the PDU")
    numbers = []
    for what in ("the request-id", "the error-status", "the error-index"):
        start, position = expect(data, position, end, Tag.INTEGER, what)
        numbers.append(decode_integer(data, start, position))
    start, stop = expect(data, position, end, Tag.SEQUENCE, "the variable bindings")
    if stop != end:
        raise DecodeError(f"{end - stop} bytes follow the variable bindings")
    return Head(version, community, pdu_type, numbers[0], numbers[1], numbers[2], start, stop)


def decode_varbinds(data: bytes, position: int, stop: int) -> list[VarBind]:
    """Read the variable bindings in ``data[position:stop]``."""
    varbinds: list[VarBind] = []
    while position < stop:
        start, position = expect(data, position, stop, Tag.SEQUENCE, "a variable binding")
        name_start, name_stop = expect(data, start, position, Tag.OID, "a variable's name")
        tag, value_start, value_stop = read_tlv(data, name_stop, position)
        if value_stop != position:
            raise DecodeError("a variable binding holds more than a name and a value")
        if len(varbinds) == MAX_VARBINDS:
            raise DecodeError(f"over {MAX_VARBINDS} variable bindings in one message")
        name = decode_oid(data, name_start, name_stop)
        varbinds.append(VarBind(name, tag, decode_value(data, tag, value_start, value_stop)))
    return varbinds


REQUEST_ID_LOW = 0x0080_0000
REQUEST_ID_HIGH = 0x7FFF_FFFF
"""Request ids in this range take exactly four bytes, so a request can be built once and stamped."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request whose bytes are known but for the four of its request-id."""

    before: bytes = field(repr=False)  # holds the community
    after: bytes
    names: tuple[bytes, ...]
    """Each name asked for, encoded with tag and length."""
    pdu_type: PduType
    non_repeaters: int = 0
    max_repetitions: int = 0
    pdu_at: int = 0
    """Where in ``before`` the PDU begins."""

    def pdu(self, request_id: int) -> bytes:
        """The PDU alone with ``request_id``, which must take four bytes."""
        return self.before[self.pdu_at :] + request_id.to_bytes(4, "big") + self.after

    def stamp(self, request_id: int) -> bytes:
        """The message's bytes with ``request_id``, which must take four bytes."""
        return self.before + request_id.to_bytes(4, "big") + self.after


def build_request(
    envelope: Envelope,
    pdu_type: PduType,
    names: tuple[bytes, ...],
    *,
    non_repeaters: int = 0,
    max_repetitions: int = 0,
) -> Request:
    """Encode a GET, GETNEXT or GETBULK of already encoded ``names``."""
    varbinds = b"".join(encode_tlv(Tag.SEQUENCE, name + b"\x05\x00") for name in names)
    after = (
        encode_integer(non_repeaters)
        + encode_integer(max_repetitions)
        + encode_tlv(Tag.SEQUENCE, varbinds)
    )
    # Build with an id of four bytes, then cut it out.
    pdu = encode_tlv(pdu_type, b"\x02\x04\x40\x00\x00\x00" + after)
    whole = encode_tlv(
        Tag.SEQUENCE,
        encode_integer(envelope.version) + encode_tlv(Tag.OCTET_STRING, envelope.community) + pdu,
    )
    cut = len(whole) - len(after)
    return Request(
        whole[: cut - 4],
        after,
        names,
        pdu_type,
        non_repeaters,
        max_repetitions,
        len(whole) - len(pdu),
    )
