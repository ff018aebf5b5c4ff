"""What is plugged into a socket, and what two ends make of it: arithmetic, no state, no clock.

The rules of negotiation are those of IEEE 802.3 clause 28 for twisted pairs: two ends that
negotiate take the best both offer; an end that negotiates against one that does not detects
the speed in parallel, at 10 and 100 Mbit/s only, and takes half duplex.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from tenone.vocabulary.states import Duplex

GIGABIT_MBPS = 1_000
PARALLEL_MBPS = frozenset({10, 100})
"""What is detected of an end that does not negotiate (802.3 clause 28.2.3.1)."""
HALF_MBPS = frozenset({10, 100})
COPPER_MBPS = frozenset({10, 100, 1_000})
FIBRE_MBPS = frozenset({1_000, 10_000})
PAIRS = "ABCD"
NEEDED_AT_100 = frozenset("AB")
"""10BASE-T and 100BASE-TX use two of the four pairs."""


class PairState(StrEnum):
    """What a cable test says of one pair."""

    OK = "ok"
    OPEN = "open"
    SHORT = "short"


@dataclass(frozen=True, slots=True)
class PairFault:
    """One pair that does not carry."""

    state: PairState
    metres: int
    """How far away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """The other end."""

    speeds: frozenset[int]
    """Mb/s it offers, or the one it is set to."""
    negotiates: bool = True
    duplex: Duplex = Duplex.FULL
    """The best it offers, or what it is set to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cable:
    """The cable of one socket and what hangs on it."""

    partner: Partner
    metres: int = 40
    faults: tuple[tuple[str, PairFault], ...] = field(default=())
    """By pair, ``A`` to ``D``."""

    def fault(self, pair: str) -> PairFault | None:
        """What is wrong with ``pair``."""
        return dict(self.faults).get(pair)

    @property
    def bad_pairs(self) -> frozenset[str]:
        """The pairs that do not carry."""
        return frozenset(pair for pair, _ in self.faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What this end is set to."""

    negotiates: bool
    speeds: frozenset[int]
    """What it offers, or the one it is set to."""
    duplex: Duplex = Duplex.FULL


@dataclass(frozen=True, slots=True)
class Result:
    """A link as this end sees it."""

    speed_mbps: int
    duplex: Duplex
    mismatch: bool = False
    """The ends hold different duplex: frames are lost under load."""


def agree(wish: Wish, cable: Cable) -> Result | None:
    """What this end comes up at, or None when there is no link."""
    partner = cable.partner
    possible = _carried(cable)
    if wish.negotiates:
        return (
            _negotiated(wish, partner, possible)
            if partner.negotiates
            else _detected(wish, partner, possible)
        )
    (own,) = wish.speeds
    if own not in partner.speeds & possible:
        return None
    if not partner.negotiates:
        return Result(own, wish.duplex, mismatch=partner.duplex is not wish.duplex)
    # The other end detects in parallel and takes half duplex; at 1G and over both ends need
    # the negotiation for their clocks, so ports set to 1G go on offering that alone.
    return Result(own, wish.duplex, mismatch=own in PARALLEL_MBPS and wish.duplex is Duplex.FULL)


def _negotiated(wish: Wish, partner: Partner, possible: frozenset[int]) -> Result | None:
    half = Duplex.HALF in {wish.duplex, partner.duplex}
    common = wish.speeds & partner.speeds & possible & (HALF_MBPS if half else possible)
    return Result(max(common), Duplex.HALF if half else Duplex.FULL) if common else None


def _detected(wish: Wish, partner: Partner, possible: frozenset[int]) -> Result | None:
    (other,) = partner.speeds
    if other not in wish.speeds & possible & PARALLEL_MBPS:
        return None
    return Result(other, Duplex.HALF, mismatch=partner.duplex is Duplex.FULL)


def _carried(cable: Cable) -> frozenset[int]:
    """The speeds the pairs that are whole can carry."""
    everything = COPPER_MBPS | FIBRE_MBPS
    if not cable.bad_pairs:
        return everything
    return frozenset() if cable.bad_pairs & NEEDED_AT_100 else frozenset(PARALLEL_MBPS)
