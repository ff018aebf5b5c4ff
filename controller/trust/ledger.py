"""The audit ledger of a running controller: writers wait for one fsync together.

It fails closed: :meth:`AuditLedger.write` returns when the entry is on disk or raises
LedgerError, and whoever was about to do something privileged then does not. What goes on without
it (telemetry, verdicts, incidents) never waits for it; what the controller itself has to say
(:meth:`AuditLedger.note`) is held until it can be written.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from controller.api.services import Health
from controller.threads import Thread
from controller.trust.book import Book
from controller.trust.chain import Head, Told, body_of
from controller.trust.entries import Entry, LedgerError, Outcome
from controller.trust.refusals import SUM_SECONDS, Refusals
from tenone.runtime.clock import Clock

log = logging.getLogger(__name__)

MOST_AT_ONCE = 512
"""Entries a commit."""
MOST_WAITING = 10_000
MOST_HELD = 10_000
"""Notes held while the ledger cannot be written; beyond it the newest are counted alone."""
LONGEST_WAIT_SECONDS = 10.0
CARE_SECONDS = 3600.0
"""How often old segments are looked for."""
LOOK_SECONDS = 5.0
"""How often an idle ledger looks whether its files are still there."""
RETRY_SECONDS = 1.0
"""How often notes that are held are tried again."""
STOPPED = "the audit ledger's writer has stopped"


@dataclass(slots=True)
class LedgerFigures:
    """For /metrics and /readyz."""

    written: int = 0
    """Entries since the start."""
    commits: int = 0
    refused: int = 0
    """Entries that could not be written; what they were about was not done."""
    summed: int = 0
    """Refusals that were counted together."""
    held: int = 0
    """Notes that wait."""
    lost: int = 0
    """Notes that were too many to hold."""
    trouble: str = ""


@dataclass(slots=True, eq=False)
class _Waiting:
    told: Told
    done: asyncio.Future[None] = field(repr=False)


class AuditLedger:
    """One writer task, one thread. ``open`` it, run its :meth:`run` under a supervisor."""

    def __init__(self, book: Book, clock: Clock, *, retention_days: float | None = None) -> None:
        self.book = book
        self.figures = LedgerFigures()
        self._clock = clock
        self._retention_days = retention_days
        self._refusals = Refusals()
        self._in_thread = Thread("ledger")
        self._waiting: deque[_Waiting] = deque()
        self._held: deque[Told] = deque()
        self._wake = asyncio.Event()
        self._stopped = False
        self._listeners: list[Callable[[], None]] = []

    async def open(self) -> None:
        """Open the files. A failure is said and tried again; telemetry does not wait for it."""
        now = self._told(Entry(act="ledger.begin", actor="system"))
        try:
            await self._in_thread(self.book.open, now)
        except LedgerError as error:
            self._trouble(error)

    async def close(self) -> None:
        """Let go of the files, after the task has ended."""
        await self._in_thread(self.book.close)
        self._in_thread.end()

    @property
    def head(self) -> Head | None:
        """The newest entry on disk."""
        return self.book.head

    def listen(self, listener: Callable[[], None]) -> None:
        """Be called after each commit."""
        self._listeners.append(listener)

    async def write(self, entry: Entry) -> None:
        """See :class:`controller.trust.entries.Ledger`.

        Refusals that are too many return at once and are counted: what they were about is refused
        with an entry of its own or without.
        """
        if not self._refusals.admits(entry, self._clock.monotonic_ns()):
            self.figures.summed = self._refusals.total
            return
        told = self._told(entry)
        if self._stopped or len(self._waiting) >= MOST_WAITING:
            self.figures.refused += 1
            raise LedgerError(STOPPED if self._stopped else "the audit ledger is overrun")
        waiting = _Waiting(told, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._wake.set()
        try:
            async with asyncio.timeout(LONGEST_WAIT_SECONDS):
                await waiting.done
        except TimeoutError:
            self.figures.refused += 1
            raise LedgerError(
                f"the audit ledger could not be written within {LONGEST_WAIT_SECONDS:.0f} s"
            ) from None

    def note(self, entry: Entry) -> None:
        """Write soon, without waiting: what happened by itself and needs nobody's leave."""
        if len(self._held) >= MOST_HELD:
            self.figures.lost += 1
            return
        self._held.append(self._told(entry))
        self.figures.held = len(self._held)
        self._wake.set()

    async def run(self) -> None:
        """Write what is waiting, batch after batch; for a supervisor."""
        self._stopped = False
        try:
            while True:
                await self._until_something()
                await self._write_batch()
        finally:
            self._stopped = True
            self._refuse(self._waiting, LedgerError(STOPPED))
            self._waiting.clear()

    async def sum_up(self) -> None:
        """Write each minute how many refusals were counted together; for a supervisor."""
        while True:
            await self._clock.sleep(SUM_SECONDS)
            self.sum_up_now()

    def sum_up_now(self) -> None:
        """Have what was counted until now written."""
        entry = self._refusals.sum_up()
        if entry is not None:
            self.note(entry)

    async def care(self) -> None:
        """Give up what is older than it has to be; for a supervisor."""
        while True:
            if self._retention_days is not None:
                now = self._told(_BEGIN)
                try:
                    count = await self._in_thread(self.book.retire, self._retention_days, now)
                except LedgerError as error:
                    log.warning("%s", error)
                else:
                    if count:
                        log.info("%d old entries of the audit ledger were given up", count)
            await self._clock.sleep(CARE_SECONDS)

    def health(self) -> Health:
        """Its word in /readyz."""
        figures = self.figures
        head = self.book.head
        told = f"{head.seq if head else 0} entries, {figures.held} wait"
        return Health(name="ledger", ready=not figures.trouble, sentence=figures.trouble or told)

    # -- inside

    async def _until_something(self) -> None:
        """Return when there is something to write; look after the files meanwhile."""
        while not self._waiting:
            self._wake.clear()
            pause = RETRY_SECONDS if self._held else LOOK_SECONDS
            if self._held and not self.figures.trouble:
                return
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                if self._held or self.figures.trouble:
                    return
                await self._look()

    async def _look(self) -> None:
        try:
            await self._in_thread(self.book.check)
        except LedgerError as error:
            self._trouble(error)

    async def _write_batch(self) -> None:
        notes = list(self._held)[:MOST_AT_ONCE]
        batch: list[_Waiting] = []
        while self._waiting and len(batch) < MOST_AT_ONCE:
            waiting = self._waiting.popleft()
            if not waiting.done.done():  # who has given up does not act, so nothing is to be said
                batch.append(waiting)
        told = [*notes, *(waiting.told for waiting in batch)]
        try:
            if told:
                await self._in_thread(self.book.append, told)
            elif self.figures.trouble:
                await self._in_thread(self.book.open, self._told(_BEGIN))
        except LedgerError as error:
            self._trouble(error)
            self._refuse(batch, error)
            return
        except BaseException:
            self._refuse(batch, LedgerError(STOPPED))
            raise
        for _ in notes:
            self._held.popleft()
        for waiting in batch:
            if waiting.done.done():
                self._overstated(waiting.told.entry)
            else:
                waiting.done.set_result(None)
        self._written(len(told))

    def _written(self, count: int) -> None:
        figures = self.figures
        figures.held = len(self._held)
        figures.written += count
        figures.commits += bool(count)
        if figures.trouble:
            log.warning("the audit ledger can be written again")
            figures.trouble = ""
        for listener in self._listeners:
            listener()

    def _overstated(self, entry: Entry) -> None:
        """It is on disk only now, and who wrote it has given up and did not act."""
        if entry.outcome is Outcome.DONE:
            because = "who was to act gave up before this was on disk"
            detail = {**entry.detail, "because": because}
            self.note(replace(entry, outcome=Outcome.FAILED, detail=detail))

    def _trouble(self, error: LedgerError) -> None:
        """Remember what is wrong; the ledger itself will tell of the time without it."""
        if not self.figures.trouble:
            log.error("%s; what must be ledgered is refused until it can", error)
            self.note(
                Entry(
                    act="ledger.gap",
                    actor="system",
                    outcome=Outcome.FAILED,
                    detail={"because": str(error)},
                )
            )
        self.figures.trouble = f"{error}; what must be ledgered is refused"

    def _refuse(self, waiting: Sequence[_Waiting] | deque[_Waiting], error: LedgerError) -> None:
        for one in waiting:
            if not one.done.done():
                self.figures.refused += 1
                one.done.set_exception(LedgerError(str(error)))

    def _told(self, entry: Entry) -> Told:
        told = Told(entry, self._clock.wall_ns(), self._clock.monotonic_ns())
        body_of(0, told, "")  # what cannot be written is its teller's error, not the batch's
        return told


_BEGIN = Entry(act="ledger.begin", actor="system")
