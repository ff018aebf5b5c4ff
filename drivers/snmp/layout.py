"""Learnt layouts: the next answer to a request whose last answer was decoded in full.

Between two answers to one GET nothing moves but the request-id and the values' own bytes,
as long as no value changes its width. So of a fully decoded answer is remembered which bits
are free to move, and what all the others are: tags, lengths, names, version, community, PDU
type, error fields. A datagram is such an answer if it has the same size and its other bits
are the same; the values of all answers of a sweep are then read at once (see
:mod:`drivers.snmp.sheet`). Everything else goes to the full decode, which stays the judge,
and whose verdict is then learnt in turn.

Measured (Python 3.11, 1,400 bytes, 57 values, one core of a shared machine): full decode
45 us; as one integer, masked and compared 1 us, and unpacked 3 us; slices joined and compared
4 us; struct with all constants as fields 1 us, but its values still have up to nine widths.
One layout a request is kept: a counter changes its width at most eight times in its life, and
each time costs one full decode.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import NamedTuple

from drivers.snmp.ber import Tag
from drivers.snmp.message import Head, PduType, Version

Expected = tuple[bytes, int, int]
"""A name with tag and length, how many bytes that is, and the slot its value goes to."""
Values = tuple[int, ...]

_LONG_FORM = 0x80
_ID_BEFORE = bytes((0x02, 0x04))
_SEQUENCE = int(Tag.SEQUENCE)
_WINDOW = 8
"""Every value is read as the 64 bits that end where it ends."""
_UNSIGNED_BYTES = {
    int(tag): 8 if tag is Tag.COUNTER64 else 4
    for tag in (Tag.COUNTER32, Tag.GAUGE32, Tag.TIME_TICKS, Tag.UINTEGER32, Tag.COUNTER64)
}
_ABSENT = frozenset({Tag.NO_SUCH_OBJECT, Tag.NO_SUCH_INSTANCE, Tag.END_OF_MIB_VIEW})
_ID_BYTES = 4
CLOCK = 0
"""The slot of sysUpTime, which always moves and is kept apart from what does not."""
_TWO_BYTE_LENGTH, _ONE_BYTE_LENGTH = 0x82, 0x81
SHORTEST = 128
"""A message under this has few values and is not worth a layout."""


def id_place(data: bytes) -> int:
    """Where the four bytes of the request-id begin in an answer of the usual shape; else 0.

    Only good for finding the request whose layout then checks every byte it was found by.
    """
    if len(data) < SHORTEST:
        return 0
    # 30 82 xx xx 02 01 vv 04 cc <community> A2 82 xx xx 02 04 <id>, or 81 xx twice.
    if data[1] == _TWO_BYTE_LENGTH:
        return 15 + data[8]
    return 13 + data[7] if data[1] == _ONE_BYTE_LENGTH else 0


class Layout(NamedTuple):
    """Where the values of one answer lie, and every other bit of it.

    The answer is taken as one little-endian integer. ``mask`` has a 1 for each bit that must
    be as in ``constant``; the rest are the request-id and the values.
    """

    size: int
    mask: int
    constant: int
    struct: Struct
    places: tuple[int, ...]
    absent: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    """Where the value of each of ``places`` begins and ends."""
    id_end: int
    clock_begin: int
    clock_end: int
    """Where the value of :data:`CLOCK` lies; 0 and 0 if it is not the first of the answer."""

    def fits(self, data: bytes) -> bool:
        """Whether ``data`` is of this layout: every bit that must be constant is."""
        return (
            len(data) == self.size and int.from_bytes(data, "little") & self.mask == self.constant
        )

    def read(self, data: bytes) -> Values | None:
        """All values in the order asked, or None if ``data`` is not of this layout."""
        if not self.fits(data):
            return None
        # What was constant becomes 0, so the bytes before a short value are its leading zeros.
        number = int.from_bytes(data, "little") ^ self.constant
        return self.struct.unpack(number.to_bytes(self.size, "little"))

    def put(self, values: Values, slots: list[int | None]) -> None:
        """Put ``values`` into their slots."""
        for slot, value in zip(self.places, values, strict=True):
            slots[slot] = value


def learn(data: bytes, head: Head, expected: Sequence[Expected]) -> Layout | None:
    """The layout of an answer the full decode has taken; None if it has an unusual shape.

    Unusual: a value that is neither a number from 0 nor absent, a length in long form, other
    names.
    """
    id_end = _id_end(data, head)
    if not id_end:
        return None
    mask = bytearray(b"\xff" * len(data))
    mask[id_end - _ID_BYTES : id_end] = bytes(_ID_BYTES)
    form, position, read_to = [">"], head.start, 0
    spans: dict[int, tuple[int, int]] = {}
    absent: list[int] = []
    for name, size, slot in expected:
        value = position + 2 + size + 2
        if value > head.stop or not data.startswith(name, position + 2):
            return None
        end = value + data[value - 1]
        length = end - position - 2
        if data[position] != _SEQUENCE or data[position + 1] != length or length >= _LONG_FORM:
            return None
        position = end
        if data[value - 2] in _ABSENT and value == end:
            absent.append(slot)
            continue
        if end > head.stop or not _free(data, mask, value, end):
            return None
        form.append(f"{end - _WINDOW - read_to}xQ")
        read_to, spans[slot] = end, (value, end)
    if position != head.stop:
        return None
    form.append(f"{len(data) - read_to}x")
    bits = int.from_bytes(mask, "little")
    clock = spans.get(CLOCK, (0, 0)) if expected[0][2] == CLOCK else (0, 0)
    return Layout(
        size=len(data),
        mask=bits,
        constant=int.from_bytes(data, "little") & bits,
        struct=Struct("".join(form)),
        places=tuple(spans),
        absent=tuple(absent),
        spans=tuple(spans.values()),
        id_end=id_end,
        clock_begin=clock[0],
        clock_end=clock[1],
    )


def _id_end(data: bytes, head: Head) -> int:
    """Where the request-id of a response without error ends; 0 if it is no usual one."""
    at = id_place(data)
    usual = (
        at
        and data[at - 2 : at] == _ID_BEFORE
        and int.from_bytes(data[at : at + _ID_BYTES], "big") == head.request_id
        and head.version in (Version.V1, Version.V2C)
        and head.pdu_type == PduType.RESPONSE
        and not head.error_status
        and not head.error_index
    )
    return at + _ID_BYTES if usual else 0


def _free(data: bytes, mask: bytearray, value: int, end: int) -> bool:
    """Let a number's bits move as far as the full decode would take any; whether it is one.

    An INTEGER's top bit is its sign and stays 0. So does an unsigned number's, which a
    strict encoder never sets, unless the value has its type's full width; a byte before
    that is 0.
    """
    tag, length = data[value - 2], end - value
    unsigned = tag in _UNSIGNED_BYTES
    width = _UNSIGNED_BYTES.get(tag, 4)
    if not (unsigned or tag == Tag.INTEGER) or not 1 <= length <= width + unsigned:
        return False
    mask[value:end] = bytes(length)
    if length > width:
        mask[value] = 0xFF
        return not data[value]
    if unsigned and length == width:
        return True
    mask[value] = 0x80
    return not data[value] & 0x80


@dataclass(slots=True, eq=False)
class Answer:
    """An answer of a learnt layout. The same object stands for all that say the same.

    It holds bytes, not numbers: to touch fifty numbers of an earlier sweep again, each a
    cache miss, takes 6 us, to read them anew 3.
    """

    layout: Layout
    data: bytes

    def put(self, slots: list[int | None]) -> None:
        """Put the values into their slots."""
        self.layout.put(self.layout.read(self.data) or (), slots)


class Recall:
    """What one device's last answer to one request looked like."""

    __slots__ = ("_answer",)

    def __init__(self) -> None:
        self._answer: Answer | None = None

    def read(self, data: bytes) -> tuple[Answer, int | None] | None:
        """The answer if its layout is known, and the clock if that is in it; else None.

        It is the same object as the last one where nothing but request-id and clock has moved.
        """
        answer = self._answer
        if answer is None:
            return None
        layout, last = answer.layout, answer.data
        clock_end = layout.clock_end
        if not clock_end:
            id_end = layout.id_end
            if data[id_end:] == last[id_end:]:
                # At night most answers are the same.
                before = id_end - _ID_BYTES
                return (answer, None) if data[:before] == last[:before] else None
            if not layout.fits(data):
                return None
            self._answer = answer = Answer(layout, data)
            return answer, None
        if not layout.fits(data):
            return None
        if data[clock_end:] != last[clock_end:]:
            self._answer = answer = Answer(layout, data)
        return answer, int.from_bytes(data[layout.clock_begin : clock_end], "big")

    def learn(
        self, data: bytes, head: Head, expected: Sequence[Expected], slots: Sequence[int | None]
    ) -> Answer | None:
        """Note an answer that the full decode has put into ``slots``; None if it is unusual."""
        self._answer = None
        layout = learn(data, head, expected)
        if layout is None:
            return None
        # Nothing is believed to be learnt before it reads its own example right.
        if layout.read(data) == tuple(slots[slot] for slot in layout.places):
            self._answer = Answer(layout, data)
        return self._answer
