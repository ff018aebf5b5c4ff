"""Reading the audit ledger: each reading is an entry itself, written before anything is read."""

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from controller.trust.chain import Head, Row
from controller.trust.entries import Entry, Ledger, Outcome
from controller.trust.figures import AuditFigures
from controller.trust.queries import Filter, found
from tenone.runtime.bucket import Buckets
from tenone.runtime.clock import Clock

READS_A_MINUTE = 60
BURST = 30
MOST_ACTORS = 10_000


class TooOftenError(Exception):
    """Somebody reads faster than is allowed."""

    def __init__(self, retry_seconds: int) -> None:
        super().__init__(f"The audit ledger is read {READS_A_MINUTE} times a minute at most.")
        self.retry_seconds = retry_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One reading: who, what, how much."""

    actor: str
    filter: Filter
    limit: int


class OpenLedger(Ledger, Protocol):
    """What is used of the ledger."""

    @property
    def head(self) -> Head | None:
        """The newest entry on disk."""
        ...


class AuditDesk:
    """What API and pages ask."""

    def __init__(
        self,
        ledger: OpenLedger,
        folder: Path,
        clock: Clock,
        *,
        figures: Callable[[], AuditFigures | None] = lambda: None,
    ) -> None:
        self._ledger = ledger
        self._folder = folder
        self._clock = clock
        self._buckets = Buckets(MOST_ACTORS)
        self.figures = figures

    async def read(self, asked: Asked) -> Sequence[Row]:
        """Entries, newest first; raises LedgerError and TooOftenError, then nothing is read."""
        self._pace(asked.actor)
        await self._ledger.write(read_entry(asked))
        return await asyncio.to_thread(found, self._folder, asked.filter, asked.limit)

    async def refused(self, actor: str) -> None:
        """Somebody without leave asked to read: an entry, too. LedgerError, TooOftenError."""
        self._pace(actor)
        await self._ledger.write(Entry(act="audit.read", actor=actor, outcome=Outcome.REFUSED))

    def head(self) -> Head | None:
        """The newest entry's number and hash."""
        return self._ledger.head

    def _pace(self, actor: str) -> None:
        now_ns = self._clock.monotonic_ns()
        wait = self._buckets.take(actor, now_ns, rate=READS_A_MINUTE / 60, burst=BURST)
        if wait > 0:
            raise TooOftenError(math.ceil(wait))


def read_entry(asked: Asked) -> Entry:
    """What is written before a reading."""
    scopes = asked.filter.scopes
    return Entry(
        act="audit.read",
        actor=asked.actor,
        scope=scopes[0] if len(scopes) == 1 else "",
        detail={**_filters(asked), "limit": asked.limit},
    )


def _filters(asked: Asked) -> Mapping[str, str | int | float | bool | None]:
    chosen = asked.filter
    texts: dict[str, str | int | None] = {
        "act": chosen.act,
        "actor": chosen.actor,
        "outcome": chosen.outcome,
        "since_ns": chosen.since_ns,
        "until_ns": chosen.until_ns,
        "before": chosen.before,
        "scopes": " ".join(chosen.scopes) if len(chosen.scopes) > 1 else None,
    }
    return {name: value for name, value in texts.items() if value is not None}
