"""The post: each destination has its own queue, its own patience and its own task.

A destination is one channel of one level. Its messages go out in the order they were made: while
it does not answer, those behind wait with it, and nobody else does. A message that it refuses by
itself (a redirect, a 4xx that is not about load) is tried again alone and holds up no other.
The queue is the outbox in the records, so a restart loses nothing; what a destination may have
waiting is bounded, and what gives way then is told.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from controller.house import InThread
from controller.incidents.escalation import LEVELS, Rung
from controller.incidents.notices import (
    AT_ONCE,
    DestinationView,
    Notice,
    NoticeRecords,
    RefusedError,
    Sender,
    SendError,
    State,
    Teller,
    bare,
    outcome,
    retry_at_ns,
)
from controller.incidents.views import IncidentView
from controller.store.protocols import StoreError
from tenone.config.escalation import Channel
from tenone.runtime.clock import Clock

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
MOST_WAITING = 5000
"""Messages of one destination: those of a dead one do not fill the disk."""
DEAD_FAILURES = 3
"""So many tries in a row without an answer, and it is called dead."""


class Finder(Protocol):
    """Finds what a message is about."""

    async def find(self, incident: str) -> IncidentView | None:
        """The incident as it stands now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """What all destinations share."""

    records: NoticeRecords
    finder: Finder
    in_records: InThread
    clock: Clock
    sender: Sender


class Destination:
    """One channel of one level, and how it fares. Give :meth:`run` to a supervisor."""

    def __init__(self, office: Office, level: int, number: int, channel: Channel) -> None:
        self._office = office
        self._channel = channel
        self.level = level
        self.key = f"{number}:{channel.kind}"
        """As the outbox names it, within its level."""
        self.name = f"{channel.kind} {number + 1} of the {LEVELS[level]}"
        self._failures = 0
        """In a row."""
        self._held_until_ns = 0
        self._last = ""
        self._waiting = 0
        self._oldest_ns: int | None = None
        self._dropped = 0

    @property
    def view(self) -> DestinationView:
        """How it fares."""
        return DestinationView(
            level=LEVELS[self.level],
            channel=self.key,
            waiting=self._waiting,
            oldest_ns=self._oldest_ns,
            failures=self._failures,
            dropped=self._dropped,
        )

    @property
    def trouble(self) -> str:
        """Why its last message did not go out; empty where it did."""
        if not self._last:
            return ""
        dead = " (dead)" if self._failures >= DEAD_FAILURES else ""
        lost = f", {self._dropped} given up" if self._dropped else ""
        return f"{self.name}{dead}: {self._last}, {self._waiting} waiting{lost}"

    async def run(self) -> None:
        """Look for ever."""
        while True:
            if not await self.deliver():
                await self._office.clock.sleep(LOOK_SECONDS)

    async def deliver(self) -> int:
        """Try what is due, oldest first, until it does not answer; how many were delivered."""
        now_ns = self._office.clock.wall_ns()
        if self._held_until_ns - now_ns > retry_at_ns(self._failures, 0):
            self._held_until_ns = now_ns  # the clock was set back
        if now_ns < self._held_until_ns:
            return 0
        sent = 0
        try:
            for notice in await self._due(now_ns):
                if not await self._one(notice):
                    break
                sent += not self._last
            await self._count()
        except StoreError as error:
            self._last = str(error)
            return 0
        return sent

    async def _due(self, now_ns: int) -> Sequence[Notice]:
        office = self._office
        return await office.in_records(
            office.records.waiting, self.level, self.key, now_ns, AT_ONCE
        )

    async def _one(self, notice: Notice) -> bool:
        """Whether those behind may go on."""
        office, error, refused = self._office, "", False
        view = await office.finder.find(notice.incident)
        if view is not None:  # else it is not kept any more: nobody to tell
            try:
                await office.sender.send(self._channel, notice, view)
            except SendError as failed:
                error, refused = str(failed), isinstance(failed, RefusedError)
                log.warning("notice %d of %s: %s", notice.row, notice.incident, error)
        now_ns = office.clock.wall_ns()
        self._last = error
        row = outcome(notice, now_ns, error, alone=refused)
        await office.in_records(office.records.mark, [row])
        if not error or refused:
            self._failures = 0
            return True
        if row["state"] == State.WAITING:
            self._held_until_ns = retry_at_ns(self._failures, now_ns)
        self._failures += 1
        return False

    async def _count(self) -> None:
        """What waits; of more than may, the oldest give way."""
        office = self._office
        if not self._last:
            self._waiting, self._oldest_ns = 0, None
            return
        counted = await office.in_records(
            office.records.backlog, self.level, self.key, MOST_WAITING
        )
        self._waiting, self._oldest_ns = counted.waiting, counted.oldest_ns
        if counted.given_up:
            self._dropped += counted.given_up
            log.error("%s: %d messages given up, too many wait", self.name, counted.given_up)


class Postman:
    """All destinations of a configuration."""

    def __init__(
        self,
        *,
        rungs: Sequence[Rung],
        records: NoticeRecords,
        finder: Finder,
        in_records: InThread,
        clock: Clock,
        sender: Sender | None = None,
    ) -> None:
        self.sender = sender or Sender(bare)
        self._records = records
        office = Office(
            records=records, finder=finder, in_records=in_records, clock=clock, sender=self.sender
        )
        self.destinations = [
            Destination(office, level, number, channel)
            for level, rung in enumerate(rungs)
            for number, channel in enumerate(rung.channels)
        ]
        self._ended = asyncio.Event()

    @property
    def trouble(self) -> str:
        """What does not go out; empty where the last message of every destination did."""
        return "; ".join(one.trouble for one in self.destinations if one.trouble)

    def views(self) -> list[DestinationView]:
        """How each fares."""
        return [one.view for one in self.destinations]

    def speak(self, teller: Teller) -> None:
        """Use these words from now on."""
        self.sender.teller = teller

    def open(self) -> None:
        """Give up what waits for channels that are configured no more. Blocks; StoreError."""
        known = {(one.level, one.key) for one in self.destinations}
        gone = self._records.forget_others(known)
        if gone:
            log.warning("%d messages are for channels that are no longer configured", gone)

    def tasks(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """One a destination, and one that lets go of connections at the end."""
        running = {f"incidents post: {one.name}": one.run for one in self.destinations}
        return running | {"incidents post": self._hold}

    async def deliver(self) -> int:
        """One round of all of them; how many were delivered."""
        return sum(await asyncio.gather(*(one.deliver() for one in self.destinations)))

    async def _hold(self) -> None:
        try:
            await self._ended.wait()
        finally:
            await self.sender.close()
