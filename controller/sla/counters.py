"""From two readings of a counter to a difference, or to the reason why there is none.

A difference is only given where it is proved; everything else is a gap, which is neither traffic
nor zero (SLA.md, "Counters, clocks and identities"). Sources: RFC 2578 section 7.1.6 (a counter
has no defined beginning and wraps), RFC 2863 section 3.1.6 (64-bit counters from 20 Mb/s on) and
ifCounterDiscontinuityTime, SNMPv2-MIB sysUpTime (TimeTicks: hundredths of a second modulo 2^32,
so it wraps after 497.1 days), RFC 3414 section 2.2 (snmpEngineBoots).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

TICK_NS: Final = 10_000_000
UPTIME_WRAP: Final = 2**32
CLOCK_TOLERANCE: Final = Fraction(5, 100)
"""How far the agent's sysUpTime and our monotonic clock may differ over one interval."""
NARROW: Final = 32
WIDE: Final = 64
SHORTEST_FRAME_BITS: Final = 672
"""64 octets, preamble and gap (IEEE 802.3): 14.88 million frames a second at 10 Gb/s."""


class Gap(StrEnum):
    """Why two readings give no difference."""

    NO_VALUE = "no-value"
    NO_TIME = "no-time"
    """The second reading is not later than the first: a duplicate, or out of order."""
    REBOOTED = "rebooted"
    CLOCKS_DIFFER = "clocks-differ"
    DISCONTINUITY = "discontinuity"
    WIDTH_CHANGED = "width-changed"
    TOO_FAR_APART = "too-far-apart"
    """Further than half the time in which the counter can wrap."""
    WENT_BACK = "went-back"
    """Without a proven wrap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When and of which life of the agent a sweep's values are."""

    monotonic_ns: int
    """Our own clock."""
    uptime_ticks: int
    engine_boots: int | None = None
    """snmpEngineBoots where the agent has it; two that differ prove a reboot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One counter of one port in one sweep."""

    value: int | None
    bits: int
    """32 or 64."""
    discontinuity_ticks: int | None = None
    """ifCounterDiscontinuityTime; None where the agent has no such column."""

    def __post_init__(self) -> None:
        if self.bits not in {NARROW, WIDE} or not (
            self.value is None or 0 <= self.value < 1 << self.bits
        ):
            raise ValueError(f"{self.value} is not a value of a {self.bits}-bit counter")


def elapsed_ns(before: Moment, now: Moment, *, restarted: bool = False) -> int | Gap:
    """The agent's own time between two sweeps, by sysUpTime, where our clock agrees within 5 %.

    The difference is taken modulo 2^32: at 497.1 days a poll a few seconds early or late is no
    reboot. A real reboot at that very time shows in ``engine_boots`` or, without, in every counter
    starting anew (``restarted``, see :func:`every_counter_restarted`); any other one leaves an
    uptime that does not fit our clock.
    """
    ours = now.monotonic_ns - before.monotonic_ns
    if ours <= 0:
        return Gap.NO_TIME
    boots = (before.engine_boots, now.engine_boots)
    if None not in boots and boots[0] != boots[1]:
        return Gap.REBOOTED
    if restarted and now.uptime_ticks < before.uptime_ticks:
        return Gap.REBOOTED
    theirs = (now.uptime_ticks - before.uptime_ticks) % UPTIME_WRAP * TICK_NS
    if abs(theirs - ours) <= CLOCK_TOLERANCE * ours:
        return theirs
    return Gap.REBOOTED if now.uptime_ticks < before.uptime_ticks else Gap.CLOCKS_DIFFER


def every_counter_restarted(before: Sequence[int | None], now: Sequence[int | None]) -> bool:
    """Whether every counter that had counted now stands lower; ``False`` where none had."""
    pairs = [(b, n) for b, n in zip(before, now, strict=True) if b and n is not None]
    return bool(pairs) and all(n < b for b, n in pairs)


def octet_wrap_ns(bits: int, speed_mbps: int) -> int:
    """How soon an octet counter can wrap at line rate: 34.36 s for 32 bits at 1 Gb/s."""
    return (1 << bits) * 8 * 1000 // speed_mbps


def frame_wrap_ns(bits: int, speed_mbps: int) -> int:
    """How soon a frame counter can wrap at line rate: 288.6 s for 32 bits at 10 Gb/s."""
    return (1 << bits) * SHORTEST_FRAME_BITS * 1000 // speed_mbps


def difference(before: Reading, now: Reading, *, elapsed_ns: int, wrap_ns: int) -> int | Gap:
    """How far the counter went in ``elapsed_ns``; ``wrap_ns`` as of the two functions above.

    A 32-bit counter is refused beyond half of its wrap time, moved forward or not: it could have
    gone round unseen. Within it, one that goes back has wrapped if the way round is one the line
    rate allows. A 64-bit counter takes 468 years at 10 Gb/s: one that goes back did not wrap.
    """
    if before.value is None or now.value is None:
        return Gap.NO_VALUE
    unfit = _unfit(before, now, elapsed_ns, wrap_ns)
    if unfit is not None:
        return unfit
    if now.value >= before.value:
        return now.value - before.value
    size = 1 << now.bits
    forward = now.value + size - before.value
    possible = Fraction(size * elapsed_ns, wrap_ns) * (1 + CLOCK_TOLERANCE)
    return forward if now.bits == NARROW and forward <= possible else Gap.WENT_BACK


def _unfit(before: Reading, now: Reading, elapsed_ns: int, wrap_ns: int) -> Gap | None:
    """Why these two readings are not of one series, whatever their values."""
    if elapsed_ns <= 0:
        return Gap.NO_TIME
    if before.bits != now.bits:
        return Gap.WIDTH_CHANGED
    if before.discontinuity_ticks != now.discontinuity_ticks:
        return Gap.DISCONTINUITY
    return Gap.TOO_FAR_APART if 2 * elapsed_ns > wrap_ns else None
