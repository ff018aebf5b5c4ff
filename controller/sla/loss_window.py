"""Whether a path's loss is within its limit, and by how many packets that is proved.

SLA.md, definition 12: "the trailing window that makes that decidable, stated with its confidence".

A class is probed every 15 s: the four packets of a minute can show 0 or 25 % of loss but never
0.5 %. So the newest packets are looked at in windows, each twice as long as the one before, and the
shortest one that proves either side decides, by an exact binomial test: bad if so many losses would
be too unlikely at the limit, good if so few would be. A sudden total loss is proved by a handful of
packets, the absence of 0.5 % by about a thousand. Each look gets an equal part of the chance to err
(Bonferroni), so the stated confidence holds for the decision as a whole, however many looks it
took.

An outage that is over (:data:`FIRST_LOOK` packets or more lost in a row, then one that arrived)
belongs to the minutes it was in: the window begins anew after it. Otherwise ten minutes of
silence would make the hours after them bad, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from controller.sla.statistics import at_least, at_most
from tenone.vocabulary.probes import OUTAGE_PACKETS, PROOF_PACKETS
from tenone.vocabulary.states import Verdict

CONFIDENCE: Final = 0.95
LONGEST: Final = 2 * PROOF_PACKETS
"""Packets in the longest window. The look before it is at so many that none lost of them proves a
limit of 0.5 % (over ten looks it takes 1,058); the longest one allows for a few losses."""
FIRST_LOOK: Final = OUTAGE_PACKETS
"""Packets in the shortest window: a minute's at one every 15 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LossDecision:
    """What the newest packets prove. For unknown, ``packets`` is all that could be used."""

    verdict: Verdict
    packets: int
    lost: int
    confidence: float


def since_outage(lost: Sequence[bool]) -> Sequence[bool]:
    """What follows the last outage that is over; everything where there was none."""
    row = 0
    for at in range(len(lost) - 1, -1, -1):
        row = row + 1 if lost[at] else 0
        ended = at + row < len(lost)
        if row >= FIRST_LOOK and ended:
            return lost[at + row :]
    return lost


def window_lengths(longest: int) -> list[int]:
    """``longest``, the number of packets that may be used, half of it, a quarter, ... and 4."""
    if longest <= FIRST_LOOK:
        return [longest] if longest > 0 else []
    lengths = [FIRST_LOOK]
    while longest > FIRST_LOOK:
        lengths.insert(1, longest)
        longest //= 2
    return lengths


def decide(
    lost: Sequence[bool], *, limit: float, longest: int = LONGEST, confidence: float = CONFIDENCE
) -> LossDecision:
    """Judge packets by their fate, oldest first; at most the newest ``longest`` are used.

    ``longest`` is fixed beforehand (the profile's longest window): the number of looks depends on
    it and not on what has been seen. ``limit``: the share of loss that is still good, 0 to 1.
    """
    if not 0 < limit < 1 or not 0 < confidence < 1:
        raise ValueError(f"limit {limit} and confidence {confidence} must lie between 0 and 1")
    lost = since_outage(lost)
    lengths = window_lengths(longest)
    chance = (1 - confidence) / max(1, len(lengths))
    used = 0
    losses = 0
    for length in lengths:
        if length > len(lost):
            break
        losses += sum(lost[len(lost) - length : len(lost) - used])
        used = length
        verdict = Verdict.UNKNOWN
        if at_least(losses, length, limit) <= chance:
            verdict = Verdict.BAD
        elif at_most(losses, length, limit) <= chance:
            verdict = Verdict.GOOD
        if verdict is not Verdict.UNKNOWN:
            return LossDecision(verdict=verdict, packets=length, lost=losses, confidence=confidence)
    newest = lost[-longest:] if longest > 0 else ()
    return LossDecision(
        verdict=Verdict.UNKNOWN, packets=len(newest), lost=sum(newest), confidence=confidence
    )
