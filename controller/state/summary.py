"""All schools at once: tallies, verdicts, the link to look at. Pure; one pass over the columns."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from controller.arrays import Flags
from controller.state.columns import Links
from controller.state.numbering import TIERS, Numbering
from controller.views import Tally
from tenone.vocabulary.states import Severity, Verdict

NONE = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One row a school."""

    counts: npt.NDArray[np.int64]
    """Links by [school, tier, verdict + 1]."""
    verified: npt.NDArray[np.int64]
    """Good links that probes prove, by [school, tier]."""
    verdict: npt.NDArray[np.int8]
    severity: npt.NDArray[np.uint8]
    worst: npt.NDArray[np.int64]
    """Number of the link to look at first: the most severe bad one, else the first unknown one,
    uplinks before the others; NONE where all is good."""
    boards_online: npt.NDArray[np.int64]

    @property
    def unverified(self) -> npt.NDArray[np.bool_]:
        """Good schools with a link that is good by negotiation only."""
        good_links = self.counts[:, :, Verdict.GOOD + 1].sum(axis=1)
        unproved = self.verified.sum(axis=1) < good_links
        good: npt.NDArray[np.bool_] = unproved & (self.verdict == Verdict.GOOD)
        return good

    def tallies(self, schools: range) -> list[Tally]:
        """Totals over a range of schools, of the tiers that have links there."""
        # A list of a city asks school by school, so plain integers as early as may be.
        part = self.counts[schools.start : schools.stop]
        rows: list[list[int]] = (part[0] if len(schools) == 1 else part.sum(axis=0)).tolist()
        proved = self.verified[schools.start : schools.stop].sum(axis=0).tolist()
        return [
            Tally(
                tier=tier,
                good=row[Verdict.GOOD + 1],
                bad=row[Verdict.BAD + 1],
                unknown=row[Verdict.UNKNOWN + 1],
                unverified=row[Verdict.GOOD + 1] - verified,
            )
            for tier, row, verified in zip(TIERS, rows, proved, strict=True)
            if any(row)
        ]


def summarise(numbering: Numbering, links: Links, online: Flags) -> Summary:
    """``online``: of every board, whether it is known to be connected now."""
    schools, school = len(numbering.schools), numbering.link_school
    cells = (school * len(TIERS) + numbering.link_tier) * 3 + links.verdict + 1
    counts = np.bincount(cells, minlength=schools * len(TIERS) * 3)
    counts = counts.reshape(schools, len(TIERS), 3)
    places = school * len(TIERS) + numbering.link_tier
    verified = np.bincount(places[links.verified], minlength=schools * len(TIERS))
    by_verdict = counts.sum(axis=1)
    bad = by_verdict[:, Verdict.BAD + 1] > 0
    total = by_verdict.sum(axis=1)
    good = (by_verdict[:, Verdict.GOOD + 1] == total) & (total > 0)
    verdict = np.full(schools, Verdict.UNKNOWN, np.int8)
    verdict[good] = Verdict.GOOD
    verdict[bad] = Verdict.BAD
    severity = np.full(schools, Severity.NONE, np.uint8)
    np.maximum.at(severity, school, links.severity)
    return Summary(
        counts=counts,
        verified=verified.reshape(schools, len(TIERS)),
        verdict=verdict,
        severity=severity,
        worst=_worst(links, school, schools),
        boards_online=np.bincount(numbering.board_school[online], minlength=schools),
    )


def _worst(links: Links, school: npt.NDArray[np.int32], schools: int) -> npt.NDArray[np.int64]:
    rank = np.where(links.verdict == Verdict.BAD, links.severity.astype(np.int8) + 10, 0)
    rank[links.verdict == Verdict.UNKNOWN] = 1
    highest = np.zeros(schools, rank.dtype)
    np.maximum.at(highest, school, rank)
    leading = np.flatnonzero((rank > 0) & (rank == highest[school]))
    # Links are numbered school by school, so the first of each school is its first leader.
    found, first = np.unique(school[leading], return_index=True)
    worst = np.full(schools, NONE, np.int64)
    worst[found] = leading[first]
    return worst
