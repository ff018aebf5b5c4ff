"""What happens in the controller, handed to rooms that must not hold up ingest or each other.

A publisher puts and goes on; a room reads its own inbox in its own supervised task, so a room
that fails is restarted and finds what came meanwhile, while blocks go on being committed.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from controller.store.protocols import Arrival, Flap, LinkChange

T = TypeVar("T")

INBOX_ITEMS = 200_000
"""What one inbox holds: two changes of every link of a city of 100,000."""


class Inbox(Generic[T]):
    """What waits for one reader. Beyond its bound the oldest goes, counted in ``dropped``."""

    def __init__(self, limit: int = INBOX_ITEMS) -> None:
        self._items: deque[T] = deque()
        self._limit = limit
        self._arrived = asyncio.Event()
        self.dropped = 0
        """Items given up since the start; a reader that sees it grow starts over from the store."""

    def put(self, items: Iterable[T]) -> None:
        """Add ``items``; never waits."""
        self._items.extend(items)
        while len(self._items) > self._limit:
            self._items.popleft()
            self.dropped += 1
        if self._items:
            self._arrived.set()

    async def take(self) -> list[T]:
        """Wait for something and take all of it, oldest first."""
        while not self._items:
            self._arrived.clear()
            await self._arrived.wait()
        return self.take_now()

    def take_now(self) -> list[T]:
        """Take what is there, which may be nothing."""
        items = list(self._items)
        self._items.clear()
        return items


class Bus:
    """What happens: a block is durable and shown, a link is judged differently, or was away."""

    def __init__(self) -> None:
        self._blocks: dict[str, list[Inbox[Arrival]]] = {}
        self._changes: list[Inbox[LinkChange]] = []
        self._flaps: list[Inbox[Flap]] = []
        self._agents: list[Callable[[str, bool], None]] = []

    def blocks(self, *streams: str, limit: int = INBOX_ITEMS) -> Inbox[Arrival]:
        """An inbox of the durable blocks of ``streams``, in the order they were committed."""
        inbox: Inbox[Arrival] = Inbox(limit)
        for stream in streams:
            self._blocks.setdefault(stream, []).append(inbox)
        return inbox

    def changes(self, limit: int = INBOX_ITEMS) -> Inbox[LinkChange]:
        """An inbox of what links change to, in the order it was judged."""
        inbox: Inbox[LinkChange] = Inbox(limit)
        self._changes.append(inbox)
        return inbox

    def flaps(self, limit: int = INBOX_ITEMS) -> Inbox[Flap]:
        """An inbox of links that were away between two good polls."""
        inbox: Inbox[Flap] = Inbox(limit)
        self._flaps.append(inbox)
        return inbox

    def listen_agents(self, listener: Callable[[str, bool], None]) -> None:
        """Call ``listener(school, online)`` when an agent is born or dies; it must be quick."""
        self._agents.append(listener)

    def block(self, arrival: Arrival) -> None:
        """A block is durable and shown."""
        for inbox in self._blocks.get(arrival.layout.stream, ()):
            inbox.put((arrival,))

    def changed(self, changes: Iterable[LinkChange]) -> None:
        """Links were judged differently."""
        batch = tuple(changes)
        if batch:
            for inbox in self._changes:
                inbox.put(batch)

    def flapped(self, flaps: Iterable[Flap]) -> None:
        """Links were away and are back."""
        batch = tuple(flaps)
        if batch:
            for inbox in self._flaps:
                inbox.put(batch)

    def agent(self, school: str, *, online: bool) -> None:
        """An agent was born or died."""
        for listener in self._agents:
            listener(school, online)
