"""All answers of a sweep at once: their bytes end to end, and where in them each value lies.

A learnt layout (:mod:`drivers.snmp.layout`) has let every answer through, so that all lengths
and types are known. Then the values of a sweep are one gathering of unaligned 64-bit words,
each ending where its value ends, and one mask for the bytes before short values: 6 us for the
531 values of a sweep of counters, where a number at a time takes 90 us.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from drivers.snmp.layout import Answer, Layout
from tenone.blocks.columns import all_valid, pack_validity

Numbers: TypeAlias = NDArray[np.uint64]
_WORD = 8
_WORDS = np.dtype(">u8")
_ALL_BITS = (1 << 64) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Matter:
    """The values of one sweep by slot: ``numbers[slot]`` is 0 where ``known[slot]`` is 0."""

    numbers: Numbers
    known: bytes
    """A byte a slot, 1 or 0; the same object while the layouts are the same."""

    def columns(self, first: int, width: int) -> Numbers:
        """From slot ``first`` on, rows of ``width`` slots: shape (width, rows), contiguous."""
        return np.ascontiguousarray(self.numbers[first:].reshape(-1, width).T)


@lru_cache(maxsize=4_096)
def validities(known: bytes, first: int, width: int) -> tuple[bytes, ...]:
    """The validity bitmap of each of :meth:`Matter.columns`."""
    columns = [known[first + place :: width] for place in range(width)]
    return tuple(
        all_valid(len(one)) if all(one) else pack_validity(map(bool, one)) for one in columns
    )


class Sheet:
    """Reads the answers of one sweep that have these layouts, in this order."""

    __slots__ = ("_ends", "_known", "_masks", "_missing", "layouts")

    def __init__(self, layouts: Sequence[Layout], slots: int) -> None:
        self.layouts = tuple(layouts)
        ends, masks, known = [_WORD] * slots, [0] * slots, bytearray(slots)
        starts = accumulate((layout.size for layout in layouts), initial=0)
        for start, layout in zip(starts, layouts, strict=False):
            for slot, (begin, end) in zip(layout.places, layout.spans, strict=True):
                ends[slot] = start + end
                # A ninth byte is the zero before a number of full width.
                masks[slot] = _ALL_BITS >> 8 * max(0, _WORD - (end - begin))
                known[slot] = 1
        self._ends = np.array(ends, dtype=np.intp) - _WORD
        self._masks = np.array(masks, dtype=np.uint64)
        self._known = bytes(known)
        self._missing = [slot for slot, one in enumerate(known) if not one]

    def read(self, answers: Sequence[Answer]) -> Matter:
        """The values of ``answers``, which have the layouts of this sheet."""
        data = b"".join([answer.data for answer in answers])
        words = np.ndarray((len(data) - _WORD + 1,), _WORDS, data, 0, (1,))
        numbers = words[self._ends].astype(np.uint64)
        numbers &= self._masks
        return Matter(numbers, self._known)

    def slots(self, matter: Matter) -> list[int | None]:
        """The values as numbers, None where an answer had none."""
        found: list[int | None] = matter.numbers.tolist()
        for slot in self._missing:
            found[slot] = None
        return found


class Board:
    """The last whole sweep: its answers, what was read from them, and how.

    A sweep that was given the very same answers has the same slots, and then nobody touches
    a thousand numbers.
    """

    __slots__ = ("_answers", "_matter", "_sheet", "_slots")

    def __init__(self) -> None:
        self._answers: dict[object, Answer | None] = {}
        self._slots: list[int | None] = []
        self._matter: Matter | None = None
        self._sheet: Sheet | None = None

    def same(self, answers: dict[object, Answer | None]) -> bool:
        """Whether the last whole sweep had these ``answers``, but for the clock."""
        return bool(self._answers) and answers == self._answers

    def last(self) -> tuple[list[int | None], Matter | None]:
        """What was read in the last whole sweep; the clock among it is an old one."""
        return self._slots, self._matter

    def read(
        self, parts: Sequence[object], answers: dict[object, Answer | None], count: int
    ) -> tuple[list[int | None], Matter] | None:
        """The slots of a whole sweep; None if an answer is missing or is of no learnt layout."""
        found = [answer for part in parts if (answer := answers.get(part)) is not None]
        if not found or len(found) != len(parts) or len(answers) != len(parts):
            return None
        sheet = self._sheet
        layouts = tuple([answer.layout for answer in found])
        if sheet is not None and sheet.layouts == layouts:
            matter = sheet.read(found)
            return sheet.slots(matter), matter
        sheet = Sheet(layouts, count)
        matter = sheet.read(found)
        slots = sheet.slots(matter)
        # Nothing is believed to be learnt before it reads its own example right.
        proof: list[int | None] = [None] * count
        for answer in found:
            answer.put(proof)
        if slots != proof:
            return None
        self._sheet = sheet
        return slots, matter

    def keep(
        self,
        answers: dict[object, Answer | None],
        slots: list[int | None],
        matter: Matter | None,
    ) -> None:
        """Note a sweep that was answered in full; from now on its slots are not changed."""
        known = None not in answers.values()
        self._answers = answers if known else {}
        self._slots = slots if known else []
        self._matter = matter if known else None
