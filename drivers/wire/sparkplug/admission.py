"""Who may be asked for a rebirth, and when: a token bucket with jitter.

A whole city that is asked at once answers with gigabytes (EDGE findings: 2,700 nodes, 2 GB), so a
host asks at most ``rate_per_second`` nodes, the crowd spread by jitter; a lone node is asked at
once.
"""

import heapq
import random
from dataclasses import dataclass

from drivers.wire.topics import NodeId

_ENOUGH = 1.0 - 1e-6
"""A whole token, but for rounding: else ``next_time`` could name a moment that is too early."""


@dataclass(slots=True)
class _Wanted:
    due: float
    reason: str


class RebirthAdmission:
    """Remembers who needs a rebirth until it came (:meth:`settled`), asking again after a pause.

    Times are monotonic seconds of the caller's clock. ``jitter_seconds`` spreads requests only
    when more than ``burst`` nodes wait; ``retry_seconds`` is when an unanswered one is asked again.
    """

    def __init__(
        self,
        *,
        rate_per_second: float = 50.0,
        burst: int = 50,
        jitter_seconds: float = 60.0,
        retry_seconds: float = 30.0,
        random_source: random.Random | None = None,
    ) -> None:
        self._rate = rate_per_second
        self._burst = float(burst)
        self._jitter = jitter_seconds
        self._retry = retry_seconds
        self._random = random_source or random.Random()
        self._tokens = float(burst)
        self._filled_at: float | None = None
        self._wanted: dict[NodeId, _Wanted] = {}
        self._queue: list[tuple[float, NodeId]] = []

    def __len__(self) -> int:
        return len(self._wanted)

    def want(self, node: NodeId, reason: str, now: float) -> bool:
        """Ask for ``node`` in due course; False if it is already waited for."""
        if node in self._wanted:
            return False
        crowd = len(self._wanted) >= self._burst
        due = now + (self._random.uniform(0.0, self._jitter) if crowd else 0.0)
        self._schedule(node, _Wanted(due, reason))
        return True

    def settled(self, node: NodeId) -> None:
        """The node was born, or died: nothing needs to be asked."""
        self._wanted.pop(node, None)

    def admit(self, now: float) -> list[tuple[NodeId, str]]:
        """The nodes to ask now, with the reason; takes a token each."""
        self._fill(now)
        admitted = []
        while self._tokens >= _ENOUGH and (entry := self._first()) is not None and entry[0] <= now:
            heapq.heappop(self._queue)
            node = entry[1]
            wanted = self._wanted[node]
            admitted.append((node, wanted.reason))
            self._tokens -= 1.0
            self._schedule(node, _Wanted(now + self._retry, wanted.reason))
        return admitted

    def next_time(self, now: float) -> float | None:
        """When :meth:`admit` is worth calling next; None: nobody waits."""
        entry = self._first()
        if entry is None:
            return None
        self._fill(now)
        if self._tokens >= _ENOUGH:
            return entry[0]
        return max(entry[0], now + (1.0 - self._tokens) / self._rate)

    def _schedule(self, node: NodeId, wanted: _Wanted) -> None:
        self._wanted[node] = wanted
        heapq.heappush(self._queue, (wanted.due, node))

    def _first(self) -> tuple[float, NodeId] | None:
        """The head of the queue; entries of settled nodes are dropped on the way."""
        while self._queue:
            due, node = self._queue[0]
            wanted = self._wanted.get(node)
            if wanted is not None and wanted.due == due:
                return due, node
            heapq.heappop(self._queue)
        return None

    def _fill(self, now: float) -> None:
        if self._filled_at is not None:
            grown = max(now - self._filled_at, 0.0) * self._rate
            self._tokens = min(self._tokens + grown, self._burst)
        self._filled_at = now
