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
    everything that touches its files goes through this class.
    """

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
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
        # Shielded: a cancelled owner must not leave the callers waiting for a write that happened.
        writing = asyncio.ensure_future(self._in_thread(lambda: self.journal.append(drafts)))
        try:
            blocks = await asyncio.shield(writing)
        except asyncio.CancelledError:
            writing.add_done_callback(lambda done: _answer(batch, done))
            raise
        except JournalError as error:
            log.error("the journal could not keep %d blocks: %s", len(drafts), error)  # noqa: TRY400 - the callers get the trace
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        _share_out(batch, blocks)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _answer(batch: Sequence[Waiting], done: "asyncio.Future[list[Block]]") -> None:
    error = done.exception()
    if error is None:
        _share_out(batch, done.result())
        return
    for _, future in batch:
        if not future.done():
            future.set_exception(error)


def _share_out(batch: Sequence[Waiting], blocks: list[Block]) -> None:
    position = 0
    for drafts, future in batch:
        part = blocks[position : position + len(drafts)]
        position += len(drafts)
        if not future.done():
            future.set_result(part)
