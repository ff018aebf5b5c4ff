"""Has the device started anew? sysUpTime says, if one knows that it wraps after 497 days."""

from enum import Enum

WRAP = 2**32
"""TimeTicks, hundredths of a second: 497.1 days."""
TICK_NS = 10_000_000
TOLERANCE_TICKS = 1_000
"""10 s: how far an agent's clock and the way there may be off, whatever the interval."""
TOLERANCE_RATIO = 0.05


class Boot(Enum):
    """What two readings of sysUpTime tell."""

    SAME = "same"
    REBOOTED = "rebooted"
    UNCERTAIN = "uncertain"
    """The clock wrapped about when a reboot would look the same; ask snmpEngineBoots."""


def compare(before: int, now: int, elapsed_ns: int) -> Boot:
    """Judge ``now`` against ``before``, ``elapsed_ns`` of our monotonic clock later."""
    elapsed = elapsed_ns // TICK_NS
    tolerance = TOLERANCE_TICKS + round(elapsed * TOLERANCE_RATIO)
    expected = before + elapsed
    wraps = expected + tolerance >= WRAP
    if now >= before and not wraps:
        # The boot's moment is now minus uptime; it moved if uptime fell short of the time passed.
        return Boot.REBOOTED if expected - now > tolerance else Boot.SAME
    behind = (expected - now) % WRAP
    close = behind <= tolerance or behind >= WRAP - tolerance
    if not wraps or not close:
        return Boot.REBOOTED
    return Boot.UNCERTAIN if now < before else Boot.SAME
