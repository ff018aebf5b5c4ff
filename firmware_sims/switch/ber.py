"""BER as SNMP uses it (X.690; RFC 3417 section 8): short functions on bytes.

Tags are the whole identifier octet. OIDs are tuples of arcs; a *sort key* is the arcs as
big-endian 32-bit words, whose byte order is the lexicographic order of OIDs.
"""

import struct
from functools import lru_cache

INTEGER = 0x02
OCTET_STRING = 0x04
NULL = 0x05
OID = 0x06
SEQUENCE = 0x30
IP_ADDRESS = 0x40
COUNTER32 = 0x41
GAUGE32 = 0x42
TIMETICKS = 0x43
OPAQUE = 0x44
COUNTER64 = 0x46
NO_SUCH_OBJECT = 0x80
NO_SUCH_INSTANCE = 0x81
END_OF_MIB_VIEW = 0x82

Arcs = tuple[int, ...]

LONGEST_OID = 128
"""Arcs of one OID at most (RFC 2578 section 3.5)."""
_LONG_FORM = 0x80
_HIGHEST_ARC = 0xFFFF_FFFF
_FIRST_ARC_STEP = 40


class BerError(ValueError):
    """Bytes that are not the BER asked for."""


def length(size: int) -> bytes:
    """The length octets for ``size`` bytes of content, in the shortest form."""
    if size < _LONG_FORM:
        return bytes((size,))
    body = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((_LONG_FORM | len(body),)) + body


def tlv(tag: int, content: bytes) -> bytes:
    """Tag, length and content."""
    size = len(content)
    if size < _LONG_FORM:
        return bytes((tag, size)) + content
    return bytes((tag,)) + length(size) + content


def integer(value: int, tag: int = INTEGER) -> bytes:
    """A whole number in the fewest two's complement octets, tag and length included.

    Unsigned types get the leading zero octet that keeps them positive.
    """
    if 0 <= value < _LONG_FORM:
        return bytes((tag, 1, value))
    size = (value.bit_length() // 8 + 1) if value >= 0 else ((value + 1).bit_length() // 8 + 1)
    return bytes((tag, size)) + value.to_bytes(size, "big", signed=True)


def oid(arcs: Arcs) -> bytes:
    """An OBJECT IDENTIFIER, tag and length included."""
    return tlv(OID, oid_content(arcs))


def oid_content(arcs: Arcs) -> bytes:
    """The content octets of an OBJECT IDENTIFIER (X.690 8.19)."""
    if len(arcs) == 1:  # "0" or "1" alone, as some recordings hold 0.0 shortened
        arcs = (arcs[0], 0)
    content = bytearray()
    for arc in (arcs[0] * _FIRST_ARC_STEP + arcs[1], *arcs[2:]):
        if arc < _LONG_FORM:
            content.append(arc)
        else:
            septets = [arc & 0x7F]
            rest = arc >> 7
            while rest:
                septets.append(_LONG_FORM | rest & 0x7F)
                rest >>= 7
            content.extend(reversed(septets))
    return bytes(content)


def value(tag: int, content: int | bytes | Arcs) -> bytes:
    """One value: a number, octets or arcs, according to ``tag``."""
    if isinstance(content, int):
        return integer(content, tag)
    if isinstance(content, tuple):
        return oid(content)
    return tlv(tag, content)


def sort_key(arcs: Arcs) -> bytes:
    """The arcs as big-endian words: compares as OIDs do."""
    return struct.pack(f">{len(arcs)}I", *arcs)


def arcs_of(key: bytes) -> Arcs:
    """The arcs of a sort key."""
    return struct.unpack(f">{len(key) // 4}I", key)


@lru_cache(maxsize=65_536)
def sort_key_of_content(content: bytes) -> bytes:
    """The sort key of an OID's content octets; raises :class:`BerError`."""
    if not content or content[-1] & _LONG_FORM:
        raise BerError("an object identifier ends in the middle of an arc")
    arcs: list[int] = []
    arc = 0
    for octet in content:
        arc = arc << 7 | octet & 0x7F
        if octet & _LONG_FORM:
            continue
        if not arcs:
            first = min(arc // _FIRST_ARC_STEP, 2)
            arcs += (first, arc - first * _FIRST_ARC_STEP)
        else:
            arcs.append(arc)
        if arcs[-1] > _HIGHEST_ARC:
            raise BerError("an arc of an object identifier is over 4294967295")
        arc = 0
    if len(arcs) > LONGEST_OID:
        raise BerError(f"an object identifier has more than {LONGEST_OID} arcs")
    return sort_key(tuple(arcs))


def header(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Tag, first and past-the-last content index of the element at ``at``.

    Raises :class:`BerError` for a length that runs past ``end`` or has no end.
    """
    if at + 2 > end:
        raise BerError("the message ends inside a header")
    tag = data[at]
    size = data[at + 1]
    start = at + 2
    if size & _LONG_FORM:
        count = size & 0x7F
        start += count
        if count == 0 or start > end:
            raise BerError("a length is indefinite or cut off")
        size = int.from_bytes(data[start - count : start], "big")
    if start + size > end:
        raise BerError("a length runs past the end of the message")
    return tag, start, start + size


def expect(data: bytes, at: int, end: int, tag: int) -> tuple[int, int]:
    """Content indices of the element at ``at``, which must carry ``tag``."""
    found, start, stop = header(data, at, end)
    if found != tag:
        raise BerError(f"tag 0x{found:02x} stands where 0x{tag:02x} belongs")
    return start, stop


def read_integer(data: bytes, at: int, end: int) -> tuple[int, int]:
    """The INTEGER at ``at`` and the index after it; at most 8 octets."""
    start, stop = expect(data, at, end, INTEGER)
    if not 1 <= stop - start <= 8:  # noqa: PLR2004 - octets of the widest INTEGER anyone sends
        raise BerError("an integer has no octets or more than 8")
    return int.from_bytes(data[start:stop], "big", signed=True), stop


def value_tag(varbind: bytes) -> int:
    """The tag of the value in an encoded variable binding of our own making."""
    _, start, stop = header(varbind, 0, len(varbind))
    _, _, after_name = header(varbind, start, stop)
    return varbind[after_name]
