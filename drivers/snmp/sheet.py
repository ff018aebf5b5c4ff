"""All answers of a sweep at once: their bytes end to end, and where in them each value lies.

A learnt layout (:mod:`drivers.snmp.layout`) has let every answer through, so that all lengths
and types are known. Then the values of a sweep are so many pieces of bytes, cut out by one
``struct``, put in the order of the columns and freed together of the bytes before short values:
no number is made of any of them. For the 531 values of a sweep of counters that takes 30 us, a
number at a time 90 us. (NumPy would take 6 us, and 25 MB of a school's gateway.)
"""

import sys
from array import array
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from operator import itemgetter
from struct import Struct

from drivers.snmp.layout import Answer, Layout
from tenone.blocks.columns import all_valid, pack_validity

Slots = list[int | None]
_WORD = 8
_ZEROS = bytes(_WORD)


class Shape:
    """How the slots of a sweep lie: some scalars, then rows of ``width`` slots each."""

    __slots__ = ("count", "first", "rows", "width")

    def __init__(self, count: int, first: int = 0, width: int = 1) -> None:
        self.count = count
        self.first = first
        self.width = width
        self.rows = max(0, count - first) // width

    @property
    def order(self) -> list[int]:
        """The slots column by column."""
        columns = (range(self.first + at, self.count, self.width) for at in range(self.width))
        return [*range(min(self.first, self.count)), *(slot for one in columns for slot in one)]

    def place(self, slot: int) -> int:
        """Where in :attr:`order` a slot is."""
        if slot < self.first:
            return slot
        row, column = divmod(slot - self.first, self.width)
        return self.first + column * self.rows + row


class Matter:
    """The values of one sweep as 64-bit numbers, column by column."""

    __slots__ = ("_numbers", "_shape", "_slots", "known")

    def __init__(self, numbers: "array[int]", known: bytes, shape: Shape) -> None:
        self._numbers = numbers
        self._shape = shape
        self._slots: Slots | None = None
        self.known = known
        """A byte a slot, 0 where there is no value; the same object while the layouts are."""

    @property
    def slots(self) -> Slots:
        """The values slot by slot, None for what is not known; made when first asked for."""
        if self._slots is None:
            shape, numbers = self._shape, self._numbers.tolist()
            found: Slots = [None] * shape.count
            found[: shape.first] = numbers[: shape.first]
            for column in range(shape.width):
                start = shape.first + column * shape.rows
                found[shape.first + column :: shape.width] = numbers[start : start + shape.rows]
            for slot in _missing(self.known):
                found[slot] = None
            self._slots = found
        return self._slots

    def value(self, slot: int) -> int | None:
        """What came for one slot."""
        return self._numbers[self._shape.place(slot)] if self.known[slot] else None

    def columns(self) -> tuple[int, list[bytes], tuple[bytes, ...]]:
        """How many rows there are; of each column its numbers and its validity.

        Numbers are 64 bits wide and little-endian, 0 where unknown.
        """
        shape, words = self._shape, self._numbers
        if sys.byteorder != "little":
            words = words[:]
            words.byteswap()
        first, rows = _WORD * shape.first, _WORD * shape.rows
        data = words.tobytes()
        columns = [
            data[start : start + rows]
            for start in range(first, first + rows * shape.width, rows or 1)
        ]
        return shape.rows, columns, _validities(self.known, shape.first, shape.width)


@lru_cache(maxsize=4_096)
def _missing(known: bytes) -> tuple[int, ...]:
    return tuple(slot for slot, one in enumerate(known) if not one)


@lru_cache(maxsize=4_096)
def _validities(known: bytes, first: int, width: int) -> tuple[bytes, ...]:
    """The validity bitmap of each column."""
    columns = [known[first + place :: width] for place in range(width)]
    return tuple(
        all_valid(len(one)) if all(one) else pack_validity(map(bool, one)) for one in columns
    )


class Sheet:
    """Reads the answers of one sweep that have these layouts, in this order."""

    __slots__ = ("_bits", "_known", "_pick", "_shape", "_size", "_struct", "layouts")

    def __init__(self, layouts: Sequence[Layout], shape: Shape) -> None:
        self.layouts = tuple(layouts)
        self._shape = shape
        known = bytearray(shape.count)
        pieces: dict[int, tuple[int, int]] = {}
        """Slot -> its place among the pieces cut out, and the bits of that which are its own."""
        form, read_to = [">"], 0
        starts = accumulate((layout.size for layout in layouts), initial=0)
        for start, layout in zip(starts, layouts, strict=False):
            for slot, (begin, end) in zip(layout.places, layout.spans, strict=True):
                form.append(f"{start + end - _WORD - read_to}x{_WORD}s")
                read_to = start + end
                # A ninth byte is the zero before a number of full width.
                size = min(_WORD, end - begin)
                pieces[slot] = len(pieces), (1 << 8 * size) - 1
                known[slot] = 1
        form.append(f"{sum(layout.size for layout in layouts) - read_to}x")
        self._struct = Struct("".join(form))
        nothing = len(pieces), 0  # eight zeros after them
        order = [pieces.get(slot, nothing) for slot in shape.order]
        # The last is empty: one alone would not be picked as a tuple.
        self._pick = itemgetter(*(place for place, _ in order), len(pieces) + 1)
        self._bits = int.from_bytes(
            b"".join(bits.to_bytes(_WORD, "big") for _, bits in order), "big"
        )
        self._size = _WORD * len(order)
        self._known = bytes(known)

    def read(self, answers: Sequence[Answer]) -> Matter:
        """The values of ``answers``, which have the layouts of this sheet."""
        data = b"".join([answer.data for answer in answers])
        words = b"".join(self._pick((*self._struct.unpack(data), _ZEROS, b"")))
        number = int.from_bytes(words, "big") & self._bits
        numbers = array("Q", number.to_bytes(self._size, "big"))
        if sys.byteorder == "little":
            numbers.byteswap()
        return Matter(numbers, self._known, self._shape)


class Board:
    """The last whole sweep: its answers, what was read from them, and how.

    A sweep that was given the very same answers has the same slots, and then nobody touches
    a thousand numbers. ``first`` and ``width``: see :class:`Shape`.
    """

    __slots__ = ("_answers", "_first", "_matter", "_sheet", "_slots", "_width")

    def __init__(self, first: int = 0, width: int = 1) -> None:
        self._first = first
        self._width = width
        self._answers: dict[object, Answer | None] = {}
        self._slots: Slots | None = None
        self._matter: Matter | None = None
        self._sheet: Sheet | None = None

    def same(self, answers: dict[object, Answer | None]) -> bool:
        """Whether the last whole sweep had these ``answers``, but for the clock."""
        return bool(self._answers) and answers == self._answers

    def last(self) -> tuple[Slots | None, Matter | None]:
        """What was read in the last whole sweep; the clock among it is an old one.

        Slots, or else what they can be made of.
        """
        return self._slots, self._matter

    def read(
        self, parts: Sequence[object], answers: dict[object, Answer | None], count: int
    ) -> Matter | None:
        """The values of a whole sweep; None if an answer is missing or is of no learnt layout."""
        found = [answer for part in parts if (answer := answers.get(part)) is not None]
        if not found or len(found) != len(parts) or len(answers) != len(parts):
            return None
        sheet = self._sheet
        layouts = tuple([answer.layout for answer in found])
        if sheet is not None and sheet.layouts == layouts:
            return sheet.read(found)
        sheet = Sheet(layouts, Shape(count, self._first, self._width))
        matter = sheet.read(found)
        # Nothing is believed to be learnt before it reads its own example right.
        proof: Slots = [None] * count
        for answer in found:
            answer.put(proof)
        if matter.slots != proof:
            return None
        self._sheet = sheet
        return matter

    def keep(
        self, answers: dict[object, Answer | None], slots: Slots | None, matter: Matter | None
    ) -> None:
        """Note a sweep that was answered in full; from now on its slots are not changed."""
        known = None not in answers.values()
        self._answers = answers if known else {}
        self._slots = slots if known else None
        self._matter = matter if known else None
