"""Which block goes on the wire next: live at once, the rest by class, oldest first, in a window.

No I/O: the uplink tells what it sent and what was receipted, and asks what is due. Receipts
are watermarks: everything up to one is durable at the controller and the block after it is
not, so a class that makes no progress is sent again from its watermark on.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tenone.blocks.block import Block
from tenone.blocks.layout import Layout
from tenone.vocabulary.states import PriorityClass

LIVE_BYTES = 4 * 1024 * 1024
"""Live blocks that may wait in memory for a slow connection."""


class LiveQueue:
    """Blocks to send at once, most urgent class first.

    Beyond ``limit_bytes`` the oldest of the lowest class leave; the journal still has them, so
    they are sent as backfill.
    """

    def __init__(self, limit_bytes: int = LIVE_BYTES) -> None:
        self._queues: dict[PriorityClass, deque[tuple[Block, Layout]]] = {
            priority: deque() for priority in PriorityClass
        }
        self._limit_bytes = limit_bytes
        self._bytes = 0

    def __bool__(self) -> bool:
        return self._bytes > 0

    def push(self, block: Block, layout: Layout) -> None:
        """Append a block to its class."""
        self._queues[block.priority].append((block, layout))
        self._bytes += len(block.data)
        while self._bytes > self._limit_bytes:
            self._take(reversed(PriorityClass))

    def pop(self) -> tuple[Block, Layout]:
        """The next to send; raises ``IndexError`` when empty."""
        return self._take(PriorityClass)

    def clear(self) -> None:
        """Forget all: the session they were for is over."""
        for queue in self._queues.values():
            queue.clear()
        self._bytes = 0

    def _take(self, order: Iterable[PriorityClass]) -> tuple[Block, Layout]:
        for priority in order:
            if self._queues[priority]:
                entry = self._queues[priority].popleft()
                self._bytes -= len(entry[0].data)
                return entry
        raise IndexError("no live block waits")


@dataclass(slots=True)
class _Lane:
    """One class. Sequence numbers start at 1."""

    base: int = 0
    """Everything up to here is receipted or evicted."""
    cursor: int = 0
    """Everything up to here has been sent since the last (re)start of the lane."""
    ahead: set[int] = field(default_factory=set)
    """Sent although something before it was not: live blocks, and those in births."""
    waiting: deque[tuple[int, int]] = field(default_factory=deque)
    """(seq, bytes) sent and not receipted, in the order of sending."""
    waiting_bytes: int = 0
    progress_ns: int = 0
    """When a receipt moved the base, or when the first unreceipted block was sent."""
    stalled: bool = False
    """No receipt came in the resend time: the others need not wait for this one."""

    def restart(self, base: int) -> None:
        self.base = self.cursor = base
        self.ahead.clear()
        self.waiting.clear()
        self.waiting_bytes = 0

    def advance(self, seq: int) -> None:
        """Nothing up to ``seq`` needs sending any more."""
        self.cursor = max(self.cursor, seq)
        while self.cursor + 1 in self.ahead:
            self.cursor += 1
            self.ahead.discard(self.cursor)


@dataclass(frozen=True, slots=True)
class Due:
    """Read blocks of ``priority`` after ``after_seq``, about ``limit_bytes``, and send them."""

    priority: PriorityClass
    after_seq: int
    limit_bytes: int


class Outbox:
    """The four lanes. Times are monotonic nanoseconds."""

    def __init__(self, *, window_bytes: int, resend_seconds: float) -> None:
        self._window_bytes = window_bytes
        self._resend_ns = round(resend_seconds * 1e9)
        self._lanes = {priority: _Lane() for priority in PriorityClass}

    def begin(self, bases: Mapping[PriorityClass, int]) -> None:
        """A new session: whatever was under way in the last one counts as not sent."""
        for priority, base in bases.items():
            self._lanes[priority].restart(base)
            self._lanes[priority].stalled = False

    def is_sent(self, priority: PriorityClass, seq: int) -> bool:
        """Whether the block needs no sending now: it is under way or receipted."""
        lane = self._lanes[priority]
        return seq <= lane.cursor or seq in lane.ahead

    def sent(self, priority: PriorityClass, seq: int, size: int, now_ns: int) -> None:
        """A block has been handed to the broker; ``size`` is what it takes of the window.

        Live blocks and those in births take nothing: they never wait for the window.
        """
        lane = self._lanes[priority]
        if seq <= lane.base or self.is_sent(priority, seq):
            return
        if not lane.waiting:
            lane.progress_ns = now_ns
        lane.waiting.append((seq, size))
        lane.waiting_bytes += size
        lane.ahead.add(seq)
        lane.advance(lane.cursor)

    def receipt(self, priority: PriorityClass, through_seq: int, now_ns: int) -> bool:
        """A receipt; returns whether it says anything new."""
        lane = self._lanes[priority]
        if through_seq <= lane.base:
            return False
        self._free(lane, through_seq)
        lane.progress_ns = now_ns
        lane.stalled = False
        return True

    def evicted(self, priority: PriorityClass, base: int) -> None:
        """The journal gave up everything up to ``base``: there is nothing left to send of it."""
        lane = self._lanes[priority]
        if base > lane.base:
            self._free(lane, base)

    def skip(self, priority: PriorityClass, through_seq: int) -> None:
        """The journal holds nothing up to ``through_seq`` that is not sent: go on behind it.

        Blocks that its disk has damaged are such a hole; the receipt passes it when the gap block
        arrives that tells of it.
        """
        self._lanes[priority].advance(through_seq)

    def due(self, heads: Mapping[PriorityClass, int], now_ns: int) -> Due | None:
        """What to send next of what is not live; None while the window is full or all is sent.

        A class waits for all more urgent ones, except for those that have stalled.
        """
        for lane in self._lanes.values():
            if lane.base < lane.cursor and now_ns - lane.progress_ns >= self._resend_ns:
                lane.restart(lane.base)
                lane.progress_ns = now_ns
                lane.stalled = True
        used = sum(lane.waiting_bytes for lane in self._lanes.values() if not lane.stalled)
        for priority, lane in self._lanes.items():
            if lane.cursor >= heads[priority]:
                continue
            room = self._window_bytes - (lane.waiting_bytes if lane.stalled else used)
            if room > 0:
                return Due(priority, lane.cursor, room)
            if not lane.stalled:
                return None
        return None

    def unreceipted(self) -> bool:
        """Whether anything that was sent still waits for its receipt."""
        return any(lane.waiting for lane in self._lanes.values())

    @staticmethod
    def _free(lane: _Lane, through_seq: int) -> None:
        lane.base = through_seq
        lane.ahead = {seq for seq in lane.ahead if seq > through_seq}
        lane.advance(through_seq)
        # Live blocks stand between older ones, so the whole queue is looked at.
        lane.waiting = deque(entry for entry in lane.waiting if entry[0] > through_seq)
        lane.waiting_bytes = sum(size for _, size in lane.waiting)
