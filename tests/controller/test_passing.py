"""A block that nobody can read is passed late, once, durably and never silently."""

from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from controller.ingest.items import Item, Refusal
from controller.ingest.passing import PASS_AFTER_NS, PASS_AFTER_TIMES, Patience, WholeBlock
from controller.ingest.pipeline import Ingest
from controller.ingest.receipts import ReceiptBook
from controller.store.blocks import SqliteBlockStore
from controller.store.protocols import Arrival, ChainKey, StoreError
from controller.store.quarantine import PASSED, Quarantine, Refused
from drivers.wire.topics import NodeId
from tenone.runtime.clock import SystemClock
from tenone.vocabulary.states import PriorityClass

from .conftest import FakeJournal

NODE = NodeId("east", "no1")
CHAIN = ChainKey(bytes(16), PriorityClass.P1)
FIRST = WholeBlock(NODE, CHAIN, 2, b"broken")
OTHER = WholeBlock(NODE, CHAIN, 2, b"broken otherwise")
LATE = PASS_AFTER_NS + 1
DECISIONS = Path(__file__).parents[2] / "docs" / "decisions"
PAGE = DECISIONS / "0016-a-block-nobody-can-read-is-passed.md"


def verdicts(*steps: tuple[WholeBlock, int, bool]) -> list[bool]:
    patience = Patience()
    return [patience.refused(block, at, holds_up=holds)[1] for block, at, holds in steps]


@pytest.mark.parametrize(
    ("steps", "passes"),
    [
        ([(FIRST, n, True) for n in range(100)], False),  # often, not long
        ([(FIRST, 0, True), (FIRST, LATE, True)], False),  # long, not often
        ([(FIRST, n * LATE // 9, True) for n in range(10)], True),
        ([(FIRST, n * LATE // 9, False) for n in range(50)], False),  # it holds up nothing
        ([((FIRST, OTHER)[n % 2], n * LATE // 9, True) for n in range(50)], False),
        (
            [(FIRST, n, True) for n in range(9)]  # a good one came, and it broke anew
            + [(FIRST, 9, False), (FIRST, LATE, True)],
            False,
        ),
    ],
)
def test_patience(steps: Sequence[tuple[WholeBlock, int, bool]], passes: bool) -> None:
    found = verdicts(*steps)
    assert found[-1] is passes
    assert not any(found[: PASS_AFTER_TIMES - 1])


class Bench:
    """Ingest on a real store and quarantine; the clock is ours."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.quarantine = Quarantine(folder / "q.db")
        self.quarantine.start()
        self.executor = ThreadPoolExecutor(1)
        self.journal = FakeJournal()
        self.chain = ChainKey(self.journal.journal_id, PriorityClass.P1)
        self.blocks = [self.journal.ports() for _ in range(5)]
        self.now_ns = 0
        self.start()

    def start(self) -> None:
        self.store = SqliteBlockStore(self.folder / "blocks")
        self.store.start()
        self.book = ReceiptBook()
        self.ingest = Ingest(
            commit=self.store.commit, quarantine=self.quarantine, live=_Nobody(), book=self.book,
            clock=_Clock(lambda: self.now_ns), executor=self.executor, passing=self.store,
        )  # fmt: skip

    def close(self) -> None:
        self.executor.shutdown()
        self.store.close()
        self.quarantine.close()

    async def give(self, *items: Item) -> None:
        await self.ingest._process(list(items))

    def good(self, *numbers: int) -> list[Arrival]:
        return [self.journal.arrival(self.blocks[number - 1]) for number in numbers]

    def bad(self, number: int = 2, data: bytes = b"") -> Refusal:
        block = self.blocks[number - 1]
        return Refusal(
            reason="malformed", sentence="stream port-state: 3 bytes too many", school="no1",
            topic="east/no1", data=b"as it came",
            block=WholeBlock(NODE, self.chain, number, data or block.data + b"\0"),
        )  # fmt: skip

    async def refuse(self, times: int = PASS_AFTER_TIMES, data: bytes = b"") -> None:
        for _ in range(times):
            self.now_ns += PASS_AFTER_NS // (PASS_AFTER_TIMES - 1) + 1
            await self.give(self.bad(data=data))

    def through(self) -> int:
        return self.store.through(self.chain)

    def receipts(self) -> list[int]:
        return [seq for _, due in self.book.take(self.now_ns + 2**62) for seq in due.values()]


class _Clock(SystemClock):
    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now

    def monotonic_ns(self) -> int:
        return self._now()


class _Nobody:
    """Live state that looks away."""

    def apply(self, arrival: Arrival) -> None: ...
    def agent_born(self, school: str, version: str, *, now_ns: int) -> None: ...
    def agent_died(self, school: str) -> None: ...
    def agent_heard(self, school: str, *, now_ns: int, offset_seconds: float) -> None: ...


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


async def test_it_is_passed_counted_said_and_receipted(bench: Bench) -> None:
    await bench.give(*bench.good(1, 3, 4))
    bench.receipts()
    await bench.refuse(PASS_AFTER_TIMES - 1)
    assert bench.through() == 1
    assert bench.receipts() == []
    await bench.give(bench.bad(), bench.bad())  # not long enough yet, and twice at once
    assert bench.through() == 1
    await bench.refuse(1)
    assert bench.through() == 4
    assert bench.receipts() == [4]
    assert bench.ingest.figures.passed == 1
    assert bench.quarantine.totals == {"malformed": PASS_AFTER_TIMES + 2, PASSED: 1}
    kept = [one for one in bench.quarantine.newest() if one.reason == PASSED]
    assert [one.data for one in kept] == [bench.bad().block.data]  # type: ignore[union-attr]  # it has one
    kinds = [finding.kind for finding in bench.ingest.figures.findings]
    assert kinds == ["malformed", PASSED], "each is said once, not with every resend"
    assert "counts as unknown" in bench.ingest.figures.findings[-1].sentence
    await bench.give(*bench.good(5))
    assert bench.through() == 5


async def test_a_good_resend_in_between_wins(bench: Bench) -> None:
    await bench.give(*bench.good(1, 3))
    await bench.refuse(PASS_AFTER_TIMES - 1)
    await bench.give(*bench.good(2))
    assert bench.through() == 3
    await bench.refuse(PASS_AFTER_TIMES)
    assert bench.ingest.figures.passed == 0
    assert PASSED not in bench.quarantine.totals


async def test_a_good_copy_in_the_same_batch_wins(bench: Bench) -> None:
    await bench.give(*bench.good(1, 3))
    await bench.refuse(PASS_AFTER_TIMES - 1)
    bench.now_ns += PASS_AFTER_NS
    await bench.give(bench.bad(), *bench.good(2))
    assert bench.ingest.figures.passed == 0
    assert bench.through() == 3


async def test_what_comes_otherwise_each_time_is_never_passed(bench: Bench) -> None:
    await bench.give(*bench.good(1, 3))
    for number in range(3 * PASS_AFTER_TIMES):
        await bench.refuse(1, data=bytes([number]) * 90)
    assert bench.through() == 1


async def test_only_the_hole_is_passed_and_only_when_others_wait(bench: Bench) -> None:
    await bench.give(*bench.good(1))
    await bench.refuse(2 * PASS_AFTER_TIMES)
    assert bench.through() == 1, "nothing waits behind it"
    await bench.give(*bench.good(5))
    await bench.refuse(2 * PASS_AFTER_TIMES)
    assert bench.through() == 2
    assert bench.ingest.figures.passed == 1, "3 and 4 may still come"


async def test_no_school_passes_blocks_of_another(bench: Bench) -> None:
    await bench.give(*bench.good(1, 3))
    assert bench.store.holds_up(bench.chain, 2, "no1")
    assert not bench.store.holds_up(bench.chain, 2, "no2")
    assert bench.store.pass_over(bench.chain, 2, "no2") is None
    assert bench.through() == 1


async def test_it_outlives_a_power_cut(bench: Bench, tmp_path: Path) -> None:
    await bench.give(*bench.good(1, 3))
    await bench.refuse()
    assert bench.through() == 3
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "east").mkdir()
    for path in (tmp_path / "blocks" / "east").iterdir():  # as a cut would leave them
        (copy / "east" / path.name).write_bytes(path.read_bytes())
    again = SqliteBlockStore(copy)
    again.start()
    assert again.through(bench.chain) == 3
    again.close()


async def test_without_its_bytes_in_the_quarantine_nothing_is_passed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.give(*bench.good(1, 3))
    await bench.refuse(PASS_AFTER_TIMES - 1)
    with monkeypatch.context() as patch:
        patch.setattr(bench.quarantine, "put", _full)
        await bench.refuse(1)
    assert bench.through() == 1
    await bench.refuse(1)
    assert bench.through() == 3


def _full(_rows: Sequence[Refused]) -> None:
    raise StoreError("the disk is full")


def test_passed_blocks_are_kept_whole_and_go_last(tmp_path: Path) -> None:
    box = Quarantine(tmp_path / "q.db", limit_rows=2)
    box.start()
    data = bytes(range(256)) * 8192
    row = Refused(at_ns=1, reason=PASSED, school="a", topic="t", sentence="s", data=data)
    other = Refused(at_ns=2, reason="malformed", school="a", topic="t", sentence="s", data=b"x")
    box.put([row, other, other, other])
    assert [one.reason for one in box.newest()] == ["malformed", PASSED]
    assert box.newest()[-1].data == data
    box.close()


def test_the_numbers_are_those_of_the_decision() -> None:
    page = PAGE.read_text()
    assert f"{PASS_AFTER_TIMES} times" in page
    assert f"{PASS_AFTER_NS // 60 // 10**9} minutes" in page
