"""Basic Encoding Rules as SNMP uses them (RFC 3417 section 8, ITU-T X.690).

Strict and bounded: definite lengths only, nothing past the end, integers no wider than
their type, object identifiers of at most 128 parts. Two habits of real agents are
accepted because their meaning is certain: lengths in a longer form than needed, and
unsigned values of full width without the leading zero byte.
"""

from collections.abc import Callable
from enum import Enum, IntEnum

from drivers.snmp.errors import DecodeError

Oid = tuple[int, ...]

MAX_OID_PARTS = 128
"""RFC 2578 section 3.5."""
MAX_PART = 2**32 - 1
_LONG = 0x80
_SHORT_LIMIT = 0x80
_MAX_LENGTH_BYTES = 4
_MAX_SECOND_PART = 40
_IPV4_BYTES = 4


class Tag(IntEnum):
    """Type octets of SNMP values (RFC 3416 section 3, RFC 2578 section 7)."""

    INTEGER = 0x02
    OCTET_STRING = 0x04
    NULL = 0x05
    OID = 0x06
    SEQUENCE = 0x30
    IP_ADDRESS = 0x40
    COUNTER32 = 0x41
    GAUGE32 = 0x42
    TIME_TICKS = 0x43
    OPAQUE = 0x44
    NSAP_ADDRESS = 0x45
    COUNTER64 = 0x46
    UINTEGER32 = 0x47
    NO_SUCH_OBJECT = 0x80
    NO_SUCH_INSTANCE = 0x81
    END_OF_MIB_VIEW = 0x82


class Missing(Enum):
    """Why a variable has no value: the exceptions of RFC 3416 section 3."""

    NO_SUCH_OBJECT = Tag.NO_SUCH_OBJECT
    NO_SUCH_INSTANCE = Tag.NO_SUCH_INSTANCE
    END_OF_MIB_VIEW = Tag.END_OF_MIB_VIEW


Value = int | bytes | Oid | Missing | None
"""A decoded value: number, octets (also IpAddress, Opaque), name, absence, or NULL."""

_MISSING = {int(missing.value): missing for missing in Missing}
_UNSIGNED32 = frozenset({Tag.COUNTER32, Tag.GAUGE32, Tag.TIME_TICKS, Tag.UINTEGER32})
_OCTETS = frozenset({Tag.OCTET_STRING, Tag.OPAQUE, Tag.NSAP_ADDRESS})


def read_tlv(data: bytes, position: int, end: int) -> tuple[int, int, int]:
    """Return tag, start and stop of the element at ``position``; it must lie before ``end``."""
    if position + 2 > end:
        raise DecodeError(f"an element is cut short at byte {position}")
    tag = data[position]
    length = data[position + 1]
    start = position + 2
    if length >= _LONG:
        count = length & 0x7F
        if count == 0 or count > _MAX_LENGTH_BYTES:
            raise DecodeError(f"a length at byte {position + 1} is indefinite or absurd")
        if start + count > end:
            raise DecodeError(f"a length is cut short at byte {start}")
        length = int.from_bytes(data[start : start + count], "big")
        start += count
    stop = start + length
    if stop > end:
        raise DecodeError(f"an element at byte {position} says it has {length} bytes, too many")
    return tag, start, stop


def expect(data: bytes, position: int, end: int, tag: int, what: str) -> tuple[int, int]:
    """Start and stop of the element at ``position``, which must be a ``tag``."""
    found, start, stop = read_tlv(data, position, end)
    if found != tag:
        raise DecodeError(f"{what} has type 0x{found:02x} where 0x{tag:02x} belongs")
    return start, stop


def decode_integer(data: bytes, start: int, stop: int, width: int = 4) -> int:
    """A signed INTEGER of at most ``width`` bytes."""
    if not 1 <= stop - start <= width:
        raise DecodeError(f"an INTEGER of {stop - start} bytes is not within 1 to {width}")
    return int.from_bytes(data[start:stop], "big", signed=True)


def decode_unsigned(data: bytes, start: int, stop: int, width: int) -> int:
    """An unsigned value of at most ``width`` bytes, before which a zero byte may stand.

    A top bit that is set without that zero byte would be a negative number. At full width
    it can only mean the unsigned one; in fewer bytes it could be either and is refused.
    """
    length = stop - start
    if not 1 <= length <= width + 1 or (length == width + 1 and data[start]):
        raise DecodeError(f"an unsigned value of {length} bytes does not fit {8 * width} bits")
    if length < width and data[start] >= _LONG:
        raise DecodeError("an unsigned value is encoded as a negative number")
    return int.from_bytes(data[start:stop], "big")


def decode_oid(data: bytes, start: int, stop: int) -> Oid:
    """An OBJECT IDENTIFIER's contents as a tuple of numbers."""
    if start == stop:
        raise DecodeError("an object identifier is empty")
    parts: list[int] = []
    value = 0
    fresh = True
    for byte in data[start:stop]:
        if fresh and byte == _LONG:
            raise DecodeError("an object identifier has a padded part")
        value = value << 7 | byte & 0x7F
        if value > MAX_PART:
            raise DecodeError("an object identifier has a part over 32 bits")
        fresh = byte < _SHORT_LIMIT
        if fresh:
            parts.append(value)
            value = 0
    if not fresh:
        raise DecodeError("an object identifier is cut short")
    if len(parts) >= MAX_OID_PARTS:
        raise DecodeError(f"an object identifier has over {MAX_OID_PARTS} parts")
    first = min(parts[0] // _MAX_SECOND_PART, 2)
    return (first, parts[0] - first * _MAX_SECOND_PART, *parts[1:])


def decode_value(data: bytes, tag: int, start: int, stop: int) -> Value:
    """The value of a variable, by its type octet."""
    decode = _DECODERS.get(tag)
    if decode is None:
        raise DecodeError(f"a value has type 0x{tag:02x}, which SNMP does not know")
    return decode(data, start, stop)


def _octets(data: bytes, start: int, stop: int) -> bytes:
    return data[start:stop]


def _ip_address(data: bytes, start: int, stop: int) -> bytes:
    if stop - start != _IPV4_BYTES:
        raise DecodeError(f"an IpAddress of {stop - start} bytes")
    return data[start:stop]


def _empty(value: Missing | None) -> Callable[[bytes, int, int], Missing | None]:
    def decode(_data: bytes, start: int, stop: int) -> Missing | None:
        if start != stop:
            raise DecodeError("a value that may have no contents has some")
        return value

    return decode


def _unsigned(width: int) -> Callable[[bytes, int, int], int]:
    def decode(data: bytes, start: int, stop: int) -> int:
        return decode_unsigned(data, start, stop, width)

    return decode


_DECODERS: dict[int, Callable[[bytes, int, int], Value]] = {
    Tag.INTEGER: decode_integer,
    Tag.OCTET_STRING: _octets,
    Tag.NULL: _empty(None),
    Tag.OID: decode_oid,
    Tag.IP_ADDRESS: _ip_address,
    Tag.COUNTER32: _unsigned(4),
    Tag.GAUGE32: _unsigned(4),
    Tag.TIME_TICKS: _unsigned(4),
    Tag.OPAQUE: _octets,
    Tag.NSAP_ADDRESS: _octets,
    Tag.COUNTER64: _unsigned(8),
    Tag.UINTEGER32: _unsigned(4),
    **{int(missing.value): _empty(missing) for missing in Missing},
}


def encode_tlv(tag: int, contents: bytes) -> bytes:
    """One element, its length in the shortest form."""
    length = len(contents)
    if length < _SHORT_LIMIT:
        return bytes((tag, length)) + contents
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG | len(octets))) + octets + contents


def encode_integer(value: int, tag: int = Tag.INTEGER) -> bytes:
    """A number in the fewest bytes; so an unsigned one gets its leading zero."""
    size = (value + (value < 0)).bit_length() // 8 + 1
    return encode_tlv(tag, value.to_bytes(size, "big", signed=True))


def encode_oid(oid: Oid) -> bytes:
    """An OBJECT IDENTIFIER with its tag and length; raises ValueError for what is none."""
    if not (2 <= len(oid) <= MAX_OID_PARTS) or oid[0] > 2 or (oid[0] < 2 and oid[1] >= 40):  # noqa: PLR2004 - X.690 8.19.4
        raise ValueError(f"{'.'.join(map(str, oid))} is not an object identifier")
    contents = bytearray()
    for part in (oid[0] * _MAX_SECOND_PART + oid[1], *oid[2:]):
        if not 0 <= part <= MAX_PART:
            raise ValueError(f"{part} is no part of an object identifier")
        if part < _SHORT_LIMIT:
            contents.append(part)
            continue
        septets = [part & 0x7F]
        while part := part >> 7:
            septets.append(part & 0x7F | _LONG)
        contents.extend(reversed(septets))
    return encode_tlv(Tag.OID, bytes(contents))


def encode_value(tag: int, value: Value) -> bytes:
    """A variable's value with its tag; raises ValueError where the two do not go together."""
    if isinstance(value, int):
        low, high = (
            (-(2**31), 2**31)
            if tag == Tag.INTEGER
            else (0, 2**64 if tag == Tag.COUNTER64 else 2**32)
        )
        if low <= value < high and (tag in _UNSIGNED32 or tag in {Tag.INTEGER, Tag.COUNTER64}):
            return encode_integer(value, tag)
    elif isinstance(value, bytes):
        if tag in _OCTETS or (tag == Tag.IP_ADDRESS and len(value) == _IPV4_BYTES):
            return encode_tlv(tag, value)
    elif isinstance(value, tuple):
        if tag == Tag.OID:
            return encode_oid(value)
    elif _MISSING.get(tag) is value and (value is not None or tag == Tag.NULL):
        return encode_tlv(tag, b"")
    raise ValueError(f"{value!r} is not a value of type 0x{tag:02x}")


def parse_oid(text: str) -> Oid:
    """Read ``1.3.6.1`` or ``.1.3.6.1``; raises ValueError."""
    return tuple(int(part) for part in text.removeprefix(".").split("."))


def oid_text(oid: Oid) -> str:
    """``1.3.6.1``."""
    return ".".join(map(str, oid))
