import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tenone.blocks.block import Block, Draft
from tenone.journal.journal import Journal, JournalError
from tenone.journal.keeper import JournalKeeper
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.states import PriorityClass

P1 = PriorityClass.P1
DraftMaker = Callable[[PriorityClass, int], Draft]


def make(disk: object) -> JournalKeeper:
    journal = Journal.open(
        Path("outbox"),
        clock=ManualClock(),
        agent="no3",
        boot_id=bytes(16),
        limit_bytes=1 << 30,
        disk=disk,  # type: ignore[arg-type]  # the simulated disk is structural
    )
    return JournalKeeper(journal)


async def test_what_arrives_together_shares_a_sync_and_keeps_its_order(
    power_cut_disk: Callable[..., object], draft: DraftMaker
) -> None:
    keeper = make(power_cut_disk())
    waiting = [asyncio.create_task(keeper.keep([draft(P1, mark)])) for mark in range(50)]
    await asyncio.sleep(0)
    runner = asyncio.create_task(keeper.run())
    blocks = [(await task)[0] for task in waiting]
    assert [block.seq for block in blocks] == list(range(1, 51))
    assert [block.stamp.wall_ns for block in blocks] == list(range(50))
    assert [block.seq for block in await keeper.pending(P1, 45, 1 << 20)] == [46, 47, 48, 49, 50]
    await keeper.forget(P1, 48)
    assert keeper.journal.base(P1) == 48
    runner.cancel()
    await asyncio.gather(runner, return_exceptions=True)
    await keeper.close()


async def test_close_keeps_what_still_waits(
    power_cut_disk: Callable[..., object], draft: DraftMaker
) -> None:
    disk = power_cut_disk()
    keeper = make(disk)
    waiting = asyncio.create_task(keeper.keep([draft(P1, 7)]))
    await asyncio.sleep(0)
    await keeper.close()
    assert (await waiting)[0].seq == 1
    disk.cut()  # type: ignore[attr-defined]  # the fixture hides the class
    again = make(disk)
    assert again.journal.head(P1) == 1
    await again.close()


async def test_every_caller_hears_of_a_failure(
    power_cut_disk: Callable[..., object], draft: DraftMaker
) -> None:
    disk = power_cut_disk()
    keeper = make(disk)
    disk.fail_sync = True  # type: ignore[attr-defined]  # the fixture hides the class
    runner = asyncio.create_task(keeper.run())
    results = await asyncio.gather(
        keeper.keep([draft(P1, 1)]), keeper.keep([draft(P1, 2)]), return_exceptions=True
    )
    assert all(isinstance(result, JournalError) for result in results)
    runner.cancel()
    await asyncio.gather(runner, return_exceptions=True)
    disk.fail_sync = False  # type: ignore[attr-defined]  # the same
    await keeper.close()


async def test_nothing_to_keep_is_nothing_kept(power_cut_disk: Callable[..., object]) -> None:
    keeper = make(power_cut_disk())
    assert await keeper.keep([]) == []
    await keeper.close()


@pytest.mark.parametrize("after", [0, 3])
async def test_pending_starts_after_the_number_given(
    power_cut_disk: Callable[..., object], draft: DraftMaker, after: int
) -> None:
    keeper = make(power_cut_disk())
    keeper.journal.append([draft(P1, mark) for mark in range(5)])
    found = await keeper.pending(P1, after, 1 << 20)
    assert [block.seq for block in found] == list(range(after + 1, 6))
    await keeper.close()


async def test_a_witness_hears_of_each_batch_once_it_is_durable(
    power_cut_disk: Callable[..., object], draft: DraftMaker
) -> None:
    disk = power_cut_disk()
    heard: list[tuple[int, bool]] = []
    keeper = make(disk)

    def witness(blocks: Sequence[Block]) -> None:
        files = b"".join(disk.durable.values())  # type: ignore[attr-defined]  # the fixture hides the class
        heard.extend((block.seq, block.data in files) for block in blocks)

    keeper = JournalKeeper(keeper.journal, on_kept=witness)
    waiting = [asyncio.create_task(keeper.keep([draft(P1, mark)])) for mark in range(3)]
    await asyncio.sleep(0)
    await keeper.close()
    await asyncio.gather(*waiting)
    assert heard == [(1, True), (2, True), (3, True)]


async def test_an_unforeseen_error_leaves_no_caller_waiting(
    power_cut_disk: Callable[..., object], draft: DraftMaker
) -> None:
    def witness(blocks: Sequence[Block]) -> None:
        raise RuntimeError("the witness fell over")

    keeper = JournalKeeper(make(power_cut_disk()).journal, on_kept=witness)
    runner = asyncio.create_task(keeper.run())
    with pytest.raises(RuntimeError, match="fell over"):
        await keeper.keep([draft(P1, 1)])
    with pytest.raises(RuntimeError, match="fell over"):
        await runner
