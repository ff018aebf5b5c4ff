"""The columns themselves. Times are ns of the controller's monotonic clock; NEVER is no time."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from controller.arrays import F32, F64, I8, I64, U8, U32, U64, Flags
from tenone.vocabulary.states import Verdict

NEVER: Final = -(2**62)
"""So long ago that every age from it is past every bound."""
UNSAID: Final = -1
"""A yes/no column where nothing has been said."""
NO_PORT: Final = 0
"""The row of :class:`Ports` that stands for no port at all: never seen, not present."""


class Ports:
    """State of every port of every switch; rows are added as switches show them."""

    def __init__(self) -> None:
        self.count = 1
        self.admin: U8 = np.zeros(1, np.uint8)
        self.oper: U8 = np.zeros(1, np.uint8)
        self.speed_mbps: U32 = np.zeros(1, np.uint32)
        self.duplex: U8 = np.zeros(1, np.uint8)
        self.if_index: U32 = np.zeros(1, np.uint32)
        self.last_change_ticks: U32 = np.zeros(1, np.uint32)
        self.evidence_ns: I64 = np.full(1, NEVER, np.int64)
        self.seen: Flags = np.zeros(1, np.bool_)
        self.present: Flags = np.zeros(1, np.bool_)

    def add(self, rows: int) -> int:
        """Append ``rows`` ports; return the first one's number. Array references go stale."""
        first = self.count
        self.count += rows
        if self.count > len(self.admin):
            self._grow(max(self.count, 2 * len(self.admin), 1024))
        return first

    def clear(self, numbers: Sequence[int]) -> None:
        """Make rows as new, for other ports."""
        for name, column in vars(self).items():
            if isinstance(column, np.ndarray):
                column[list(numbers)] = _blank(name)

    def _grow(self, capacity: int) -> None:
        more = capacity - len(self.admin)
        for name, column in list(vars(self).items()):
            if isinstance(column, np.ndarray):
                setattr(self, name, np.append(column, np.full(more, _blank(name), column.dtype)))


def _blank(name: str) -> int:
    return NEVER if name == "evidence_ns" else 0


class Links:
    """What is judged and shown of every link."""

    def __init__(self, count: int) -> None:
        self.contract_mbps: U32 = np.zeros(count, np.uint32)
        self.shared: Flags = np.zeros(count, np.bool_)
        self.stale_after_seconds: F64 = np.zeros(count, np.float64)
        self.port: npt.NDArray[np.int64] = np.full(count, NO_PORT, np.int64)
        self.port_of_counters: npt.NDArray[np.int64] = np.full(count, NO_PORT, np.int64)
        """The same, kept while that port is missing."""
        self.bound: Flags = np.zeros(count, np.bool_)
        self.virtual: Flags = np.zeros(count, np.bool_)
        """Bound to an interface that is no socket: it carries no contract."""
        self.flaps: I64 = np.zeros(count, np.int64)
        """How often the link was away between two good polls, since the start."""
        self.verified: Flags = np.zeros(count, np.bool_)
        """Good, and probes of now prove it."""
        self.verdict: I8 = np.full(count, Verdict.UNKNOWN, np.int8)
        self.severity: U8 = np.zeros(count, np.uint8)
        self.causes: U64 = np.zeros(count, np.uint64)
        self.stale: Flags = np.ones(count, np.bool_)
        self.admin: U8 = np.zeros(count, np.uint8)
        self.oper: U8 = np.zeros(count, np.uint8)
        self.speed_mbps: U32 = np.zeros(count, np.uint32)
        self.duplex: U8 = np.zeros(count, np.uint8)
        self.evidence_ns: I64 = np.full(count, NEVER, np.int64)
        self.since_ns: I64 = np.zeros(count, np.int64)
        """Wall clock: since when the verdict is what it is; 0 before the first judgement."""
        self.unknown_ns: I64 = np.zeros(count, np.int64)
        """How long the verdict was unknown since the first judgement."""


class Switches:
    """What is known of every switch as a whole."""

    def __init__(self, count: int) -> None:
        self.reachable: I8 = np.full(count, UNSAID, np.int8)
        self.heard_ns: I64 = np.full(count, NEVER, np.int64)
        self.has_layout: Flags = np.zeros(count, np.bool_)
        self.uptime_ticks: I64 = np.full(count, -1, np.int64)
        self.uptime_ns: I64 = np.full(count, NEVER, np.int64)
        self.poll_error: list[str] = [""] * count
        self.descr: list[str] = [""] * count


class Agents:
    """One row a school: its gateway."""

    def __init__(self, count: int) -> None:
        self.online: Flags = np.zeros(count, np.bool_)
        self.heard_ns: I64 = np.full(count, NEVER, np.int64)
        self.version: list[str] = [""] * count
        self.outbox_bytes: I64 = np.full(count, -1, np.int64)
        self.outbox_blocks: I64 = np.full(count, -1, np.int64)
        self.quarantined_total: I64 = np.full(count, -1, np.int64)
        self.clock_offset_seconds: F64 = np.zeros(count, np.float64)
        """Our wall clock less the agent's, at its last message."""


class Boards:
    """One row a class board. Null in a column is NaN, UNSAID or an empty text."""

    def __init__(self, count: int) -> None:
        self.online: I8 = np.full(count, UNSAID, np.int8)
        self.screen_on: I8 = np.full(count, UNSAID, np.int8)
        self.cpu_ratio: F32 = np.full(count, np.nan, np.float32)
        self.temperature_celsius: F32 = np.full(count, np.nan, np.float32)
        self.rssi_dbm: F32 = np.full(count, np.nan, np.float32)
        self.evidence_ns: I64 = np.full(count, NEVER, np.int64)
        self.since_ns: I64 = np.zeros(count, np.int64)
        self.app: list[str | None] = [None] * count
        self.firmware: list[str | None] = [None] * count
