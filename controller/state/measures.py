"""What is measured of every link now: the feed of verdicts, class-minutes and pages.

One row a link, in the order of :class:`controller.state.numbering.Numbering`. A ratio or a time
that is not known is NaN, a verdict UNKNOWN, a moment NEVER (ns of the controller's monotonic
clock); nothing is 0 for want of a value. Streams write here, :mod:`controller.state.clauses`
judges, everybody else only reads, on the event loop's thread.
"""

import numpy as np

from controller.arrays import F64, I8, I64, Flags
from controller.state.columns import NEVER
from tenone.vocabulary.states import Verdict


class Measures:
    """Columns; see each one's unit."""

    def __init__(self, count: int, upses: int = 0) -> None:
        # From counters, of the interval between the two newest samples.
        self.counters_ns: I64 = np.full(count, NEVER, np.int64)
        """When the newest counters were read."""
        self.interval_seconds: F64 = _unknown(count)
        """How long that interval was, by the switch's own clock."""
        self.utilisation_in_ratio: F64 = _unknown(count)
        self.utilisation_out_ratio: F64 = _unknown(count)
        self.utilisation_ratio: F64 = _unknown(count)
        """The busier direction at full duplex, both together at half."""
        self.mean_ratio: F64 = _unknown(count)
        """Utilisation over the newest whole five minutes of the UTC clock."""
        self.p95_ratio: F64 = _unknown(count)
        """P95 of the five-minute means of the eight hours before those."""
        self.mean_ns: I64 = np.full(count, NEVER, np.int64)
        """When those five minutes ended; NEVER where they are missing."""
        # From counters, over the newest intervals that together have 10^4 frames.
        self.error_ratio: F64 = _unknown(count)
        """The worse of both directions."""
        self.error_window_seconds: F64 = _unknown(count)
        self.discard_ratio: F64 = _unknown(count)
        # From probes.
        self.probed_ns: I64 = np.full(count, NEVER, np.int64)
        """When the newest packets were sent."""
        self.decided_ns: I64 = np.full(count, NEVER, np.int64)
        """The same of the newest packets with which loss was decided."""
        self.loss: I8 = _unsaid(count)
        """As :mod:`controller.sla.loss_window` decides over ``loss_packets``."""
        self.loss_ratio: F64 = _unknown(count)
        self.loss_packets: I64 = np.zeros(count, np.int64)
        self.rtt_ms: F64 = _unknown(count)
        """Median round trip."""
        self.ipdv_p95_ms: F64 = _unknown(count)
        self.dns: I8 = _unsaid(count)
        self.dns_ns: I64 = np.full(count, NEVER, np.int64)
        # From devices beside the link.
        self.board: I8 = _unsaid(count)
        """Whether every class board of the link's room is connected; unknown where there is none
        or one is silent."""
        self.on_battery: Flags = np.zeros(count, np.bool_)
        """A UPS that feeds the link's switch runs on its battery or is off."""
        # One row a UPS.
        self.power: I8 = _unsaid(upses)
        """Whether mains feed what hangs on it, by its last word; unknown until it speaks."""
        self.power_heard_ns: I64 = np.full(upses, NEVER, np.int64)
        """When that word was read, monotonic ns."""


def _unknown(count: int) -> F64:
    return np.full(count, np.nan)


def _unsaid(count: int) -> I8:
    return np.full(count, Verdict.UNKNOWN, np.int8)
