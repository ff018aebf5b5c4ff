"""Error ratio and discards (SLA.md, definition 5).

e = d(inErrors) / (d(inErrors) + d(unicast) + d(multicast) + d(broadcast)), all of one direction
and one interval. ifInErrors counts frames that were not delivered because they were broken, so
they are in none of the three others (RFC 2863, ifInErrors). Fewer than 10^4 frames are too few to
say anything. Discards are frames that were whole and found no room (RFC 2863, ifInDiscards,
ifOutDiscards): congestion, never errors.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from tenone.vocabulary.states import Verdict

FEWEST_FRAMES: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """Differences of one direction's counters over one interval; None for a gap."""

    errors: int | None
    unicast: int | None
    multicast: int | None
    broadcast: int | None
    discards: int | None = None

    @property
    def whole(self) -> int | None:
        """Frames without an error; None where one of their counters has a gap."""
        if self.unicast is None or self.multicast is None or self.broadcast is None:
            return None
        return self.unicast + self.multicast + self.broadcast


def error_ratio(frames: Frames) -> Fraction | None:
    """e; None under :data:`FEWEST_FRAMES` frames and where a counter has a gap."""
    if frames.errors is None or frames.whole is None:
        return None
    return _share(frames.errors, frames.errors + frames.whole)


def congestion_ratio(frames: Frames, *, discards_counted: bool) -> Fraction | None:
    """The share of whole frames that were discarded; None as above.

    ``discards_counted``: the frame counters hold the discarded ones too, as those of sending do
    (RFC 2863, ifOutUcastPkts: "including those that were discarded"); those of receiving do not.
    """
    if frames.discards is None or frames.whole is None:
        return None
    total = frames.whole if discards_counted else frames.whole + frames.discards
    # A discard may be counted in one interval and its frame in the one before.
    return _share(min(frames.discards, total), total)


def judge(ratio: Fraction | None, limit: float) -> Verdict:
    """Good up to ``limit``, bad above, unknown where there is no ratio."""
    if ratio is None:
        return Verdict.UNKNOWN
    return Verdict.GOOD if ratio <= limit else Verdict.BAD


def _share(part: int, total: int) -> Fraction | None:
    return Fraction(part, total) if total >= FEWEST_FRAMES else None
