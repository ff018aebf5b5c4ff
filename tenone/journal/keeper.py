"""The journal's one owner in an asyncio program: group commit in a thread of its own."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tenone.blocks.block import Block, Draft
from tenone.blocks.layout import Layout
from tenone.journal.journal import Journal, JournalError
from tenone.vocabulary.states import PriorityClass

log = logging.getLogger(__name__)

T = TypeVar("T")
Waiting = tuple[Sequence[Draft], "asyncio.Future[list[Block]]"]


class JournalKeeper:
    """Keeps drafts in batches: everything that arrives during one fsync shares the next.

    Give :meth:`run` to a supervisor. :attr:`journal`'s counters may be read at any time;
    everything that touches its files goes through this class. ``on_kept`` is called in the
    journal's thread with each batch once it is durable, before the callers hear of it: an
    outside witness of what was promised.
    """

    def __init__(
        self, journal: Journal, *, on_kept: Callable[[Sequence[Block]], None] | None = None
    ) -> None:
        self.journal = journal
        self._on_kept = on_kept
        self._waiting: list[Waiting] = []
        self._wake = asyncio.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")

    async def keep(self, drafts: Sequence[Draft]) -> list[Block]:
        """Return the sealed blocks once they survive a power cut; raises ``JournalError``."""
        if not drafts:
            return []
        future: asyncio.Future[list[Block]] = asyncio.get_running_loop().create_future()
        self._waiting.append((drafts, future))
        self._wake.set()
        return await future

    async def pending(
        self, priority: PriorityClass, after_seq: int, limit_bytes: int
    ) -> list[Block]:
        """See :meth:`Journal.pending`."""
        return await self._in_thread(lambda: self.journal.pending(priority, after_seq, limit_bytes))

    async def layout(self, layout_id: bytes) -> Layout:
        """See :meth:`Journal.layout`."""
        return await self._in_thread(lambda: self.journal.layout(layout_id))

    async def forget(self, priority: PriorityClass, through_seq: int) -> None:
        """See :meth:`Journal.forget`."""
        await self._in_thread(lambda: self.journal.forget(priority, through_seq))

    async def give_up(self, priority: PriorityClass, seq: int) -> None:
        """See :meth:`Journal.give_up`."""
        await self._in_thread(lambda: self.journal.give_up(priority, seq))

    async def set_back(self, priority: PriorityClass, through_seq: int) -> None:
        """See :meth:`Journal.set_back`."""
        await self._in_thread(lambda: self.journal.set_back(priority, through_seq))

    async def run(self) -> None:
        """Write batches for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._write_batch()

    async def close(self) -> None:
        """Write what still waits, then close the journal."""
        await self._write_batch()
        await self._in_thread(self.journal.close)
        self._thread.shutdown()

    async def _write_batch(self) -> None:
        batch, self._waiting = self._waiting, []
        if not batch:
            return
        drafts = [draft for part, _ in batch for draft in part]
        # The answer hangs on the write itself, so a cancelled owner or an unforeseen error
        # leaves no caller waiting; shielded, because a write cannot be called back.
        writing = asyncio.ensure_future(self._in_thread(lambda: self._append(drafts)))
        writing.add_done_callback(lambda done: _answer(batch, done))
        try:
            await asyncio.shield(writing)
        except JournalError as error:
            log.error("the journal could not keep %d blocks: %s", len(drafts), error)  # noqa: TRY400 - the callers get the trace

    def _append(self, drafts: Sequence[Draft]) -> list[Block]:
        blocks = self.journal.append(drafts)
        if self._on_kept is not None:
            self._on_kept(blocks)
        return blocks

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _answer(batch: Sequence[Waiting], done: "asyncio.Future[list[Block]]") -> None:
    error = done.exception()
    position = 0
    for drafts, future in batch:
        start, position = position, position + len(drafts)
        if future.done():
            continue
        if error is None:
            future.set_result(done.result()[start:position])
        else:
            future.set_exception(error)
