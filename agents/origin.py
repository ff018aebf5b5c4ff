"""Who made a block and when: the part of a stamp that is the same for all of a gateway."""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass

from tenone.blocks.block import Stamp
from tenone.runtime.clock import Clock
from tenone.vocabulary.states import ClockQuality

TIME_ERROR = 5
"""``ntp_adjtime`` (adjtimex(2)): the kernel's clock is not synchronised."""
_TIMEX_BYTES = 512  # struct timex is 208 bytes on 64-bit Linux, less elsewhere


def clock_quality() -> ClockQuality:
    """What the kernel says of the wall clock; UNKNOWN where it cannot be asked."""
    try:
        ask = ctypes.CDLL(None).ntp_adjtime
    except (AttributeError, OSError):
        return ClockQuality.UNKNOWN
    state = ask(ctypes.create_string_buffer(_TIMEX_BYTES))  # modes 0: read only
    if state < 0:
        return ClockQuality.UNKNOWN
    return ClockQuality.FREE_RUNNING if state == TIME_ERROR else ClockQuality.SYNCHRONISED


def _unknown() -> ClockQuality:
    return ClockQuality.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """One run of one school's agent."""

    school: str
    boot_id: bytes
    """16 random bytes, new at every start of the agent."""
    clock: Clock
    quality: Callable[[], ClockQuality] = _unknown

    def stamp(
        self,
        subject: str,
        *,
        uptime_ticks: int | None = None,
        sent_ns: int = 0,
        received_ns: int = 0,
    ) -> Stamp:
        """A stamp of this moment for ``subject`` (``<kind>/<asset>``, the school is added)."""
        return Stamp(
            agent=self.school,
            subject=f"{self.school}/{subject}",
            boot_id=self.boot_id,
            wall_ns=self.clock.wall_ns(),
            monotonic_ns=self.clock.monotonic_ns(),
            clock_quality=self.quality(),
            uptime_ticks=uptime_ticks,
            sent_ns=sent_ns,
            received_ns=received_ns,
        )
