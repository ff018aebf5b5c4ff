"""Who may be asked for a rebirth, and when: a token bucket with jitter.

A whole city that is asked at once answers with gigabytes (EDGE findings: 2,700 nodes, 2 GB), so a
host asks at most ``rate_per_second`` nodes, the crowd spread by jitter; a lone node is asked at
once.
"""

import heapq
import random
from dataclasses import dataclass

from drivers.wire.topics import NodeId


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
        self._interval = 1.0 / rate_per_second
        self._burst = burst
        self._jitter = jitter_seconds
        self._retry = retry_seconds
        self._random = random_source or random.Random()
        # The bucket as one number: when it will be full again. It holds a token as long as that
        # is less than burst intervals ahead; admit and next_time ask the very same comparison,
        # so no rounding can make a caller wait for a moment that admits nobody.
        self._full_at = float("-inf")
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
        admitted = []
        while (entry := self._first()) is not None and entry[0] <= now and self._token_at() <= now:
            heapq.heappop(self._queue)
            node = entry[1]
            wanted = self._wanted[node]
            admitted.append((node, wanted.reason))
            self._full_at = max(self._full_at, now) + self._interval
            self._schedule(node, _Wanted(now + self._retry, wanted.reason))
        return admitted

    def next_time(self) -> float | None:
        """When :meth:`admit` is worth calling next; None: nobody waits."""
        entry = self._first()
        return None if entry is None else max(entry[0], self._token_at())

    def _token_at(self) -> float:
        return self._full_at - (self._burst - 1) * self._interval

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
