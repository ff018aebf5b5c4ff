"""The newest packets of every witnessed link, and what they prove. Columns; one bit a packet."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from controller.arrays import F64, I64, U8, Flags
from controller.sla.loss_window import FIRST_LOOK, LONGEST
from controller.sla.path_columns import decide, ipdv_p95, nearest_rank
from controller.state.columns import NEVER
from controller.state.measures import Measures
from controller.store.protocols import NS
from tenone.vocabulary.probes import ProbeOutcome
from tenone.vocabulary.states import Verdict

DELAYS: Final = 64
"""Packets whose delays are looked at together."""
FORGET_NS: Final = 15 * 60 * NS
"""After so long without a packet (a class that rested) delays begin anew."""
OCTETS: Final = -(-LONGEST // 8)


@dataclass(frozen=True, slots=True)
class Packets:
    """Packets of n paths, [path, packet], oldest first. ``outcome`` 0: there was none."""

    outcome: npt.NDArray[np.uint8]
    delay_ms: F64
    """NaN where it is not known."""


@dataclass(frozen=True, slots=True)
class Windows:
    """What is known of n paths' losses."""

    lost: U8
    """[path, :data:`OCTETS`]"""
    next: I64
    """Where in the ring the next packet goes."""
    filled: I64
    """Packets since the last outage that is over, at most :data:`LONGEST`."""
    run: I64
    """Losses in a row, up to now."""
    heard_ns: I64
    """When the newest packets were sent, monotonic; NEVER: there were none."""


class Paths:
    """The newest packets of every witnessed link."""

    def __init__(self, count: int, limit: F64) -> None:
        self._lost: U8 = np.zeros((count, OCTETS), np.uint8)
        """A ring of :data:`LONGEST` bits, the lowest of an octet first."""
        self._delay: F64 = np.full((count, DELAYS), np.nan)
        self._next: I64 = np.zeros(count, np.int64)
        self._filled: I64 = np.zeros(count, np.int64)
        self._run: I64 = np.zeros(count, np.int64)
        """Losses in a row, up to now."""
        self._heard_ns: I64 = np.full(count, NEVER, np.int64)
        self._limit = limit

    def add(self, paths: I64, packets: Packets, at_ns: int) -> None:
        """Take packets of ``paths``; each path once."""
        rested = at_ns - self._heard_ns[paths] > FORGET_NS
        self._delay[paths[rested]] = np.nan
        self._heard_ns[paths] = at_ns
        for number in range(packets.outcome.shape[1]):
            outcome = packets.outcome[:, number]
            sent = (outcome == ProbeOutcome.ANSWERED) | (outcome == ProbeOutcome.LOST)
            path, lost = paths[sent], outcome[sent] == ProbeOutcome.LOST
            at = self._next[path]
            self._mark(path, at % LONGEST, lost)
            self._delay[path, at % DELAYS] = np.where(lost, np.nan, packets.delay_ms[sent, number])
            self._next[path] = at + 1
            # An outage that is over belongs to the minutes it was in (sla/loss_window.py).
            over = ~lost & (self._run[path] >= FIRST_LOOK)
            self._run[path] = np.where(lost, self._run[path] + 1, 0)
            self._filled[path] = np.where(over, 1, self._filled[path] + 1)

    def _mark(self, path: I64, at: I64, lost: Flags) -> None:
        octet = at >> 3
        bit = (1 << (at & 7)).astype(np.uint8)
        before = self._lost[path, octet]
        self._lost[path, octet] = np.where(lost, before | bit, before & ~bit)

    def windows(self) -> Windows:
        """A copy of all windows. Delays are not kept: they are new in a quarter of an hour."""
        return Windows(
            lost=self._lost.copy(),
            next=self._next % LONGEST,
            filled=np.minimum(self._filled, LONGEST),
            run=np.minimum(self._run, LONGEST),
            heard_ns=self._heard_ns.copy(),
        )

    def take(self, paths: I64, windows: Windows) -> None:
        """Let ``paths`` have these windows, one row each."""
        self._lost[paths] = windows.lost
        self._next[paths] = windows.next
        self._filled[paths] = windows.filled
        self._run[paths] = windows.run
        self._heard_ns[paths] = windows.heard_ns
        self._delay[paths] = np.nan

    def tell(self, paths: I64, links: I64, measures: Measures, at_ns: int) -> None:
        """Write what the packets prove to ``links``."""
        back = np.arange(1, LONGEST + 1)
        bits = np.unpackbits(self._lost[paths], axis=1, count=LONGEST, bitorder="little")
        order = (self._next[paths][:, None] - back) % LONGEST
        lost: Flags = np.take_along_axis(bits, order, axis=1).view(np.bool_)
        verdict, packets, losses = decide(lost, self._filled[paths], self._limit[paths])
        measures.loss[links] = verdict
        measures.loss_packets[links] = packets
        measures.loss_ratio[links] = np.where(packets > 0, losses / np.maximum(packets, 1), np.nan)
        measures.probed_ns[links] = at_ns
        decided = links[verdict != Verdict.UNKNOWN]
        measures.decided_ns[decided] = at_ns
        newest = (self._next[paths][:, None] - np.arange(DELAYS, 0, -1)) % DELAYS
        delays = self._delay[paths[:, None], newest]
        measures.rtt_ms[links] = nearest_rank(delays, 1, 2)
        measures.ipdv_p95_ms[links] = ipdv_p95(delays)
