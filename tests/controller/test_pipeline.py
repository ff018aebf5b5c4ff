"""Order of effects: commit, then receipt, then live state; nothing lost when the disk refuses."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from controller.ingest import pipeline
from controller.ingest.items import AgentBorn, AgentDied, Heard, Item, Refusal
from controller.ingest.pipeline import INBOX_BYTES, Ingest
from controller.ingest.receipts import ReceiptBook
from controller.store.blocks import SqliteBlockStore
from controller.store.protocols import Arrival, BaseNotice, ChainKey, CommitResult
from controller.store.quarantine import Quarantine
from drivers.wire.topics import NodeId
from tenone.runtime.clock import SystemClock
from tenone.vocabulary.states import PriorityClass

from .conftest import FakeJournal
from .harness import until

NODE = NodeId("east", "no1")


class Bench:
    """Ingest on a real store; live state and commits only remember."""

    def __init__(self, folder: Path) -> None:
        self.store = SqliteBlockStore(folder / "blocks")
        self.quarantine = Quarantine(folder / "q.db")
        self.store.start()
        self.quarantine.start()
        self.log: list[str] = []
        self.book = ReceiptBook()
        self.executor = ThreadPoolExecutor(1)
        self.refuse = 0
        self.hold: asyncio.Event | None = None
        self.ingest = Ingest(
            commit=self.commit,
            quarantine=self.quarantine,
            live=self,
            book=self.book,
            clock=SystemClock(),
            executor=self.executor,
            on_applied=lambda: self.log.append("applied"),
        )
        self.task = asyncio.create_task(self.ingest.run())
        self.journal = FakeJournal()
        self.seconds = 0

    # the store, watched
    def commit(self, batch: Sequence[Arrival], bases: Sequence[BaseNotice] = ()) -> CommitResult:
        if self.refuse:
            self.refuse -= 1
            self.log.append("refused")
            return CommitResult(stored=(), failed=batch, error="the disk is full")
        result = self.store.commit(batch, bases)
        self.log.append(f"commit {len(result.stored)}")
        return result

    # live state
    def apply(self, arrival: Arrival) -> None:
        assert arrival.block.seq in self.store.chains()[arrival.chain].stored, "durable first"
        self.log.append(f"apply {arrival.block.seq}")

    def agent_born(self, school: str, version: str, *, now_ns: int) -> None:
        self.log.append(f"born {school} {version} {now_ns}")

    def agent_died(self, school: str) -> None:
        self.log.append(f"died {school}")

    def agent_heard(self, school: str, *, now_ns: int, offset_seconds: float) -> None:
        self.log.append(f"heard {school} {now_ns} {offset_seconds:g}")

    async def give(self, *items: Item) -> None:
        await self.ingest.put(items)
        await until(self.ingest._idle.is_set, 20, "all is committed")

    async def close(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        self.executor.shutdown()
        self.store.close()
        self.quarantine.close()

    def receipts(self) -> dict[ChainKey, int]:
        """What is due some seconds later."""
        self.seconds += 5
        taken = self.book.take(self.seconds * 10**9)
        return {chain: seq for _, due in taken for chain, seq in due.items()}


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    await bench.close()


async def test_commit_then_receipt_then_live_state(bench: Bench) -> None:
    journal = bench.journal
    chain = ChainKey(journal.journal_id, PriorityClass.P1)
    born = AgentBorn(node=NODE, version="1.0", monotonic_ns=5)
    heard = Heard(node=NODE, timestamp_ms=1000, received_ns=3 * 10**9, monotonic_ns=6)
    blocks = [journal.arrival(journal.ports()) for _ in range(3)]
    await bench.give(born, heard, *blocks, AgentDied(node=NODE))
    assert bench.log == [
        "commit 3", "born no1 1.0 5", "heard no1 6 2", "apply 1", "apply 2", "apply 3", "died no1",
        "applied",
    ]  # fmt: skip
    assert bench.receipts() == {chain: 3}
    figures = bench.ingest.figures
    assert (figures.blocks, figures.commits) == (3, 1)
    assert figures.samples == 3 * 3 * 6
    assert figures.lag_seconds is not None


async def test_a_resend_is_folded_receipted_again_and_shown_again(bench: Bench) -> None:
    arrival = bench.journal.arrival(bench.journal.ports())
    await bench.give(arrival)
    bench.receipts()
    bench.log.clear()
    await bench.give(arrival)
    assert bench.log == ["commit 0", "apply 1", "applied"]
    assert bench.receipts() == {arrival.chain: 1}
    assert bench.ingest.figures.duplicates == 1


async def test_a_disk_that_refuses_costs_time_and_nothing_else(bench: Bench) -> None:
    bench.refuse = 1
    arrival = bench.journal.arrival(bench.journal.ports())
    await bench.ingest.put([arrival])
    await until(lambda: bool(bench.ingest.figures.trouble), 10, "the trouble is told")
    assert bench.receipts() == {}, "nothing durable, nothing receipted"
    assert "apply 1" not in bench.log
    await until(lambda: "apply 1" in bench.log, 20, "it is tried again")
    assert bench.ingest.figures.trouble == ""
    assert bench.receipts() == {arrival.chain: 1}


async def test_conflicts_and_refusals_go_to_the_quarantine(bench: Bench) -> None:
    journal = bench.journal
    clone = FakeJournal(journal_id=journal.journal_id)
    good = journal.arrival(journal.ports())
    rival = clone.arrival(clone.ports(oper=[2, 2, 2]))
    refusal = Refusal(reason="malformed", sentence="no", school="no1", topic="t", data=b"d")
    await bench.give(good, rival, refusal)
    assert bench.quarantine.totals == {"malformed": 1, "conflict": 1}
    kept = {one.reason: one.data for one in bench.quarantine.newest()}
    assert kept["conflict"] == rival.block.data
    assert bench.log.count("apply 1") == 1, "the clone's block is not shown"
    assert bench.ingest.figures.refused == 2
    assert {one.kind for one in bench.ingest.figures.findings} == {"malformed", "conflict"}


async def test_another_schools_journal_is_refused_and_gets_no_receipt(bench: Bench) -> None:
    mine = bench.journal.arrival(bench.journal.ports())
    thief = FakeJournal(school="no2", journal_id=bench.journal.journal_id)
    thief.ports()
    theirs = thief.arrival(thief.ports())
    await bench.give(mine, theirs)
    assert bench.quarantine.totals == {"foreign-journal": 1}
    ((node, due),) = bench.book.take(10**12)
    assert (node, due) == (NODE, {mine.chain: 1})
    assert "apply 2" not in bench.log


async def test_a_clock_that_is_off_is_told_once(bench: Bench) -> None:
    def heard(offset: int) -> Heard:
        received_ns = 10**15
        return Heard(
            node=NODE, timestamp_ms=received_ns // 10**6 - offset * 1000, received_ns=received_ns,
            monotonic_ns=1,
        )  # fmt: skip

    await bench.give(heard(59), heard(61), heard(62), heard(0), heard(-90))
    told = [one.sentence for one in bench.ingest.figures.findings]
    assert len(told) == 2
    assert "61 s behind" in told[0]
    assert "90 s ahead" in told[1]


async def test_breaks_and_skipped_bases_are_findings(bench: Bench) -> None:
    journal = bench.journal
    journal.heads[PriorityClass.P1] = (1, b"y" * 32)
    notice = BaseNotice(
        chain=ChainKey(bytes(16), PriorityClass.P2), base=4, school="no1", district="east"
    )
    await bench.give(journal.arrival(journal.ports()), notice)
    assert {one.kind for one in bench.ingest.figures.findings} == {"chain-break", "base-skipped"}
    assert (bench.ingest.figures.breaks, bench.ingest.figures.base_skipped) == (1, 4)
    assert bench.receipts()[notice.chain] == 4


async def test_a_quarantine_that_cannot_be_written_stops_nothing(bench: Bench) -> None:
    bench.quarantine.close()
    refusal = Refusal(reason="malformed", sentence="no", school="no1", topic="t", data=b"d")
    await bench.give(refusal, bench.journal.arrival(bench.journal.ports()))
    assert "apply 1" in bench.log


async def test_a_full_inbox_makes_the_reader_wait(bench: Bench) -> None:
    bench.task.cancel()
    await asyncio.gather(bench.task, return_exceptions=True)
    big = Refusal(reason="x", sentence="", school="", topic="", data=bytes(INBOX_BYTES + 1))
    await bench.ingest.put([big])
    waiting = asyncio.create_task(bench.ingest.put([]))
    await asyncio.sleep(0)
    assert not waiting.done()
    bench.ingest._take()
    await waiting


async def test_draining_waits_for_what_was_handed_over(bench: Bench) -> None:
    arrivals = [bench.journal.arrival(bench.journal.ports()) for _ in range(20)]
    await bench.ingest.put(arrivals)
    async with asyncio.timeout(20):
        await bench.ingest.drained()
    assert bench.store.through(arrivals[0].chain) == 20


async def test_one_district_in_trouble_holds_up_no_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "RETRY_SECONDS", 0.01)
    west = FakeJournal(school="no2", district="west")
    whole = bench.store.commit

    def commit(batch: Sequence[Arrival], bases: Sequence[BaseNotice] = ()) -> CommitResult:
        good = whole([one for one in batch if one.district != "east"], bases)
        failed = [one for one in batch if one.district == "east"]
        return replace(good, failed=failed, error="the file is corrupt" if failed else "")

    monkeypatch.setattr(bench.ingest, "_commit", commit)
    bad = bench.journal.arrival(bench.journal.ports())
    for _ in range(3):
        await bench.ingest.put([bad, west.arrival(west.ports())])
        await until(lambda: not bench.ingest._inbox, 5, "taken")
    await until(lambda: bench.ingest.figures.blocks == 3, 5, "the others are stored")
    assert bench.ingest.figures.trouble == "district east: the file is corrupt"
    assert "apply 1" in bench.log
    assert bench.store.through(bad.chain) == 0, "never receipted: its agent still has it"
