"""One minute of all classes, judged and counted by school. Pure, columns in, columns out.

A class is a link of the tier ``class``. SLA.md definition 12; the value-by-value form, which this
one is proved equal to, is :mod:`controller.sla.class_minutes`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from controller.arrays import I8, I64, U64, Flags
from controller.sla.class_minutes import PRICED
from tenone.vocabulary.states import Cause, Verdict

CAUSES: Final = tuple(sorted(PRICED))
"""The causes a bad minute may have, by priority; their codes are 0 to ``len(CAUSES) - 1``."""
PRICED_MASK: Final = np.uint64(sum(1 << cause for cause in PRICED))
NO_CAUSE: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseColumns:
    """The clauses besides the link's own, of every link, as its profile lists them.

    ``bad``: mask of the causes of broken clauses. ``unknown``: a listed clause cannot be judged.
    ``deeper``: causes that stand behind a bad minute and do not make one bad by themselves.
    """

    bad: U64
    unknown: Flags
    deeper: U64

    @classmethod
    def none(cls, links: int) -> "ClauseColumns":
        """No profile lists any other clause."""
        mask = np.zeros(links, np.uint64)
        return cls(bad=mask, unknown=np.zeros(links, np.bool_), deeper=mask)


@dataclass(frozen=True, slots=True)
class Judged:
    """One minute of every link: verdict codes, and the one cause of a bad one."""

    verdict: I8
    cause: I8
    """Code of :class:`Cause`, NO_CAUSE where the minute is not bad."""


def judge(verdict: I8, causes: U64, clauses: ClauseColumns) -> Judged:
    """Join the link's minute with the other clauses: Kleene's AND, then the fixed priority."""
    link_bad = verdict == Verdict.BAD
    bad = link_bad | (clauses.bad != 0)
    unknown = ~bad & ((verdict == Verdict.UNKNOWN) | clauses.unknown)
    own = np.where(link_bad, causes & PRICED_MASK, np.uint64(0))
    # A link that is bad and does not say why does not work as a link: that much is known.
    own = np.where(link_bad & (own == 0), np.uint64(1 << Cause.LINK_DOWN), own)
    mask = np.where(bad, (own | clauses.bad | clauses.deeper) & PRICED_MASK, np.uint64(0))
    whole = np.full(len(bad), Verdict.GOOD, np.int8)
    whole[unknown] = Verdict.UNKNOWN
    whole[bad] = Verdict.BAD
    return Judged(whole, _lowest(mask))


def _lowest(mask: U64) -> I8:
    """The number of the lowest set bit; NO_CAUSE where there is none."""
    found = np.full(len(mask), NO_CAUSE, np.int8)
    for cause in reversed(CAUSES):
        found[(mask >> np.uint64(cause)) & np.uint64(1) == 1] = cause
    return found


@dataclass(frozen=True, slots=True)
class Counts:
    """Class-minutes of every school, one row a school: they are added, never averaged."""

    good: I64
    unknown: I64
    bad: I64
    """By [school, cause code]."""

    @classmethod
    def zero(cls, schools: int) -> "Counts":
        """None yet."""
        blank = np.zeros(schools, np.int64)
        return cls(blank, blank.copy(), np.zeros((schools, len(CAUSES)), np.int64))

    def add(self, other: "Counts") -> None:
        """Add ``other`` in place."""
        for name in ("good", "unknown", "bad"):
            mine: I64 = getattr(self, name)
            np.add(mine, getattr(other, name), out=mine)


def count(judged: Judged, school_of: I64, counted: Flags, schools: int) -> Counts:
    """Count the links flagged in ``counted`` by school."""

    def by_school(which: Flags) -> I64:
        return np.bincount(school_of[which], minlength=schools).astype(np.int64)

    bad = counted & (judged.verdict == Verdict.BAD)
    cells = school_of[bad] * len(CAUSES) + judged.cause[bad]
    by_cause = np.bincount(cells, minlength=schools * len(CAUSES)).astype(np.int64)
    return Counts(
        good=by_school(counted & (judged.verdict == Verdict.GOOD)),
        unknown=by_school(counted & (judged.verdict == Verdict.UNKNOWN)),
        bad=by_cause.reshape(schools, len(CAUSES)),
    )
