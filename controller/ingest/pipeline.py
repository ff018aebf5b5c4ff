"""The committing stage: gather what has arrived, commit with one fsync, then tell everyone.

Order of effects, and why: commit (fsync) first, then the receipt may say so, then live state
shows it. A process killed between any two of them loses nothing that was receipted, and what
was committed but not receipted comes again and folds away.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import ParamSpec, Protocol, TypeVar

from controller.ingest.items import AgentBorn, AgentDied, Heard, Item, Refusal
from controller.ingest.passing import PASS_AFTER_TIMES, Patience
from controller.ingest.receipts import ReceiptBook
from controller.ingest.troubles import Troubles
from controller.store.protocols import (
    NS,
    Arrival,
    BaseNotice,
    ChainKey,
    CommitResult,
    StoreError,
)
from controller.store.quarantine import PASSED, Quarantine, Refused
from drivers.wire.topics import NodeId
from tenone.runtime.clock import Clock

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.05
"""What arrives together is committed together; P0 has no rows in part 1 and waits no less."""
MAX_BATCH = 4000
INBOX_BYTES = 64 * 1024 * 1024
"""Beyond it reading stops, and with it the broker's connection: back-pressure."""
RETRY_SECONDS = 1.0
FINDINGS = 200
SKEW_SECONDS = 60.0
"""An agent's clock further off than this is worth a word."""
LAGS = 16_384
P = ParamSpec("P")
R = TypeVar("R")


Commit = Callable[[Sequence[Arrival], Sequence[BaseNotice]], CommitResult]
"""Of :class:`controller.store.protocols.BlockStore`; runs in ``executor``."""


class Sink(Protocol):
    """Live state, as ingest feeds it."""

    def apply(self, arrival: Arrival) -> None:
        """A durable block."""
        ...

    def agent_born(self, school: str, version: str, *, now_ns: int) -> None:
        """An agent is there."""
        ...

    def agent_died(self, school: str) -> None:
        """An agent is gone."""
        ...

    def agent_heard(self, school: str, *, now_ns: int, offset_seconds: float) -> None:
        """An agent said something."""
        ...


class Passing(Protocol):
    """What is used of the block store to pass what nobody can read; in ``executor``."""

    def holds_up(self, key: ChainKey, seq: int, school: str) -> bool:
        """Whether this block alone keeps a chain's watermark where it is."""
        ...

    def pass_over(self, key: ChainKey, seq: int, school: str) -> int | None:
        """Excuse it, durable on return; the new watermark. Raises :class:`StoreError`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is wrong with what a school sends; nothing was lost by it here."""

    at_ns: int
    kind: str
    """``chain-break``, ``base-skipped``, ``clock``, or a refusal's reason."""
    school: str
    sentence: str


@dataclass(slots=True)
class Figures:
    """Totals since the start."""

    samples: int = 0
    blocks: int = 0
    duplicates: int = 0
    refused: int = 0
    base_skipped: int = 0
    breaks: int = 0
    conflicts: int = 0
    passed: int = 0
    """Blocks that nobody could read and that the receipt passed."""
    receipts: int = 0
    commits: int = 0
    lag_seconds: float | None = None
    """Of the newest block: from its making to the end of its commit."""
    lags: deque[float] = field(default_factory=lambda: deque(maxlen=LAGS))
    """The same, of the last blocks."""
    trouble: str = ""
    """Why nothing can be committed now; empty when all is well."""
    findings: deque[Finding] = field(default_factory=lambda: deque(maxlen=FINDINGS))


class Ingest:
    """Takes items in order; :meth:`run` is the one writer, for a Supervisor."""

    def __init__(
        self,
        *,
        commit: Commit,
        quarantine: Quarantine,
        live: Sink,
        book: ReceiptBook,
        clock: Clock,
        executor: Executor,
        on_applied: Callable[[], None] = lambda: None,
        passing: Passing | None = None,
        on_passed: Callable[[str, str], None] = lambda _school, _sentence: None,
    ) -> None:
        """``passing``: the store's way past what nobody can read; None: nothing is passed.

        ``on_passed`` is told school and sentence of each block that was.
        """
        self._commit = commit
        self._quarantine = quarantine
        self._live = live
        self._book = book
        self._clock = clock
        self._executor = executor
        self._on_applied = on_applied
        self._passing = passing
        self._on_passed = on_passed
        self._patience = Patience()
        self._inbox: deque[Item] = deque()
        self._inbox_bytes = 0
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._skewed: set[str] = set()
        self._troubles = Troubles(clock)
        self.draining = False
        self.figures = Figures()

    async def put(self, items: Sequence[Item]) -> None:
        """Hand items over; waits while the inbox is full."""
        while self._inbox_bytes > INBOX_BYTES:
            self._room.clear()
            await self._room.wait()
        if not items:
            return
        self._inbox.extend(items)
        self._inbox_bytes += sum(_size(item) for item in items)
        self._idle.clear()
        self._arrived.set()

    async def drained(self) -> None:
        """Wait until everything handed over has been committed."""
        self.draining = True
        await self._idle.wait()

    async def run(self) -> None:
        """Commit for ever."""
        while True:
            if not self._inbox:
                self._idle.set()
                self._arrived.clear()
                await self._arrived.wait()
            if not self.draining:
                await self._clock.sleep(GATHER_SECONDS)
            await self._process(self._take())

    def _take(self) -> list[Item]:
        items = [self._inbox.popleft() for _ in range(min(len(self._inbox), MAX_BATCH))]
        self._inbox_bytes -= sum(_size(item) for item in items)
        self._room.set()
        return items

    async def _process(self, items: list[Item]) -> None:
        refusals = [item for item in items if isinstance(item, Refusal)]
        pending: Sequence[Arrival] = [item for item in items if isinstance(item, Arrival)]
        bases: Sequence[BaseNotice] = [item for item in items if isinstance(item, BaseNotice)]
        conflicts: set[int] = set()
        left = {id(one) for one in pending if self._troubles.barred(one.district)}
        pending = [one for one in pending if id(one) not in left]
        while pending or bases:
            result = await asyncio.get_running_loop().run_in_executor(
                self._executor, self._commit, pending, bases
            )
            conflicts |= {id(one) for one in (*result.conflicts, *result.foreign)}
            refusals += [_conflict(one) for one in result.conflicts]
            refusals += [_foreign(one) for one in result.foreign]
            self._account(pending, bases, result)
            self._troubles.healed(one.district for one in result.stored)
            hold = self._troubles.failed((a.district for a in result.failed), result.error)
            self.figures.trouble = self._troubles.sentence
            if not result.failed:
                break
            log.error("%s", result.error)
            if not hold:
                left |= {id(one) for one in result.failed}
                break
            await self._clock.sleep(RETRY_SECONDS)
            pending, bases = result.failed, ()
        # What is left has no receipt: its agent still has it and sends it again.
        conflicts |= left
        if refusals:
            await self._put_aside(refusals)
        for item in items:
            self._apply(item, conflicts)
        self._on_applied()

    def _account(
        self, pending: Sequence[Arrival], bases: Sequence[BaseNotice], result: CommitResult
    ) -> None:
        """Figures, findings and receipts of one commit that has returned."""
        figures = self.figures
        figures.commits += 1
        figures.blocks += len(result.stored)
        figures.samples += sum(a.block.rows * len(a.layout.columns) for a in result.stored)
        figures.duplicates += result.duplicates
        figures.base_skipped += result.base_skipped
        figures.breaks += len(result.breaks)
        figures.conflicts += len(result.conflicts)
        for broken in result.breaks:
            self._find(
                "chain-break",
                broken.school,
                f"block {broken.seq} of class {broken.chain.priority.name} of journal "
                f"{broken.chain.journal_id.hex()[:8]} does not follow the one before it",
            )
        if result.base_skipped:
            schools = ", ".join(sorted({notice.school for notice in bases}))
            self._find(
                "base-skipped",
                schools,
                f"{result.base_skipped} blocks were forgotten by their agent and never came here",
            )
        if result.stored:
            now_ns = self._clock.monotonic_ns()
            lags = [(now_ns - a.monotonic_ns + a.age_ns) / NS for a in result.stored]
            figures.lags.extend(lags)
            figures.lag_seconds = max(min(lags), 0.0)
        self._note_receipts(pending, bases, result)

    def _note_receipts(
        self, pending: Sequence[Arrival], bases: Sequence[BaseNotice], result: CommitResult
    ) -> None:
        other = (*result.stored, *result.failed, *result.conflicts, *result.foreign)
        new = {id(one) for one in other}
        repeated = {one.chain for one in pending if id(one) not in new}
        nodes: dict[ChainKey, NodeId] = {}
        for notice in bases:
            nodes[notice.chain] = NodeId(notice.district, notice.school)
        strangers = {id(one) for one in result.foreign}
        for arrival in pending:
            if id(arrival) not in strangers:
                nodes[arrival.chain] = NodeId(arrival.district, arrival.school)
        for chain, through in result.through.items():
            self._book.note(nodes[chain], chain, through, again=chain in repeated)

    async def _put_aside(self, refusals: list[Refusal]) -> None:
        now_ns = self._clock.wall_ns()
        self.figures.refused += len(refusals)
        rows: list[Refused] = []
        due: list[Refusal] = []
        for refusal in refusals:
            times, passes = await self._weigh(refusal)
            if times == 1:
                self._find(refusal.reason, refusal.school, refusal.sentence)
            if passes:
                due.append(refusal)
            rows.append(_refused(refusal, now_ns, counted_only=times > 1))
        try:
            await self._in_store(self._quarantine.put, rows)
            for refusal in due:
                await self._pass(refusal, now_ns)
        except StoreError as error:
            log.error("%d refused messages could not be kept: %s", len(rows), error)  # noqa: TRY400 - said in one line

    async def _weigh(self, refusal: Refusal) -> tuple[int, bool]:
        """How often these bytes have held up their chain, and whether to pass them now."""
        block = refusal.block
        if block is None or self._passing is None:
            return 1, False
        holds_up = await self._in_store(
            self._passing.holds_up, block.chain, block.seq, refusal.school
        )
        return self._patience.refused(block, self._clock.monotonic_ns(), holds_up=holds_up)

    async def _pass(self, refusal: Refusal, now_ns: int) -> None:
        """Keep the bytes, then pass them, then say so; raises :class:`StoreError`."""
        block = refusal.block
        if block is None or self._passing is None:
            return
        chain = block.chain
        if not await self._in_store(self._passing.holds_up, chain, block.seq, refusal.school):
            return  # it came twice in one batch
        sentence = (
            f"block {block.seq} of class {chain.priority.name} of journal "
            f"{chain.journal_id.hex()[:8]} came {PASS_AFTER_TIMES} times or more with the same "
            "bytes that nobody can read and held up all behind it; it is passed and counts as "
            f"unknown, its bytes (SHA-256 {block.hash.hex()[:16]}...) are in the quarantine: "
            f"{refusal.sentence}"
        )
        kept = replace(refusal, reason=PASSED, sentence=sentence, data=block.data)
        await self._in_store(self._quarantine.put, [_refused(kept, now_ns)])
        through = await self._in_store(self._passing.pass_over, chain, block.seq, refusal.school)
        if through is None:
            return
        self._patience.forget(chain)
        self.figures.passed += 1
        self._find(PASSED, refusal.school, sentence)
        self._on_passed(refusal.school, sentence)
        self._book.note(block.node, chain, through, again=False)

    async def _in_store(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, partial(work, *args, **kwargs))

    def _watch_clock(self, school: str, offset: float) -> None:
        """Tell once that an agent's clock is off, and once more after it was right."""
        if abs(offset) <= SKEW_SECONDS:
            self._skewed.discard(school)
        elif school not in self._skewed:
            self._skewed.add(school)
            side = "behind" if offset > 0 else "ahead of"
            self._find(
                "clock",
                school,
                f"the agent's clock is {abs(offset):.0f} s {side} ours; ages are counted by its "
                "own clock at both ends, so verdicts hold, but reports will show its times",
            )

    def _find(self, kind: str, school: str, sentence: str) -> None:
        log.warning("%s: %s: %s", school or "city", kind, sentence)
        self.figures.findings.append(
            Finding(at_ns=self._clock.wall_ns(), kind=kind, school=school, sentence=sentence)
        )

    def _apply(self, item: Item, conflicts: set[int]) -> None:
        match item:
            case Arrival():
                if id(item) not in conflicts:
                    self._live.apply(item)
            case Heard():
                sent_ns = item.timestamp_ms * 1_000_000
                offset = (item.received_ns - sent_ns) / NS
                self._live.agent_heard(
                    item.node.node, now_ns=item.monotonic_ns, offset_seconds=offset
                )
                self._watch_clock(item.node.node, offset)
            case AgentBorn():
                self._book.forget(item.node)
                self._live.agent_born(item.node.node, item.version, now_ns=item.monotonic_ns)
            case AgentDied():
                self._book.forget(item.node)
                self._live.agent_died(item.node.node)
            case BaseNotice() | Refusal():
                return


def _refused(refusal: Refusal, at_ns: int, *, counted_only: bool = False) -> Refused:
    return Refused(
        at_ns=at_ns,
        reason=refusal.reason,
        school=refusal.school,
        topic=refusal.topic,
        sentence=refusal.sentence,
        data=refusal.data,
        counted_only=counted_only,
    )


def _conflict(arrival: Arrival) -> Refusal:
    block = arrival.block
    sentence = (
        f"block {block.seq} of class {block.priority.name} came with other bytes than the one "
        f"kept under journal {block.journal_id.hex()[:8]}: a gateway image was copied or set "
        "back; its agent begins a new journal when it hears so, and what came meanwhile is here"
    )
    return Refusal(
        reason="conflict",
        sentence=sentence,
        school=arrival.school,
        topic=f"{arrival.district}/{arrival.school}",
        data=block.data,
    )


def _foreign(arrival: Arrival) -> Refusal:
    return Refusal(
        reason="foreign-journal",
        sentence=(
            f"journal {arrival.block.journal_id.hex()[:8]} belongs to another school: a gateway "
            "was moved with its outbox folder; remove the folder, a new journal starts by itself"
        ),
        school=arrival.school,
        topic=f"{arrival.district}/{arrival.school}",
        data=arrival.block.data,
    )


def _size(item: Item) -> int:
    if isinstance(item, Arrival):
        return len(item.block.data) + 512
    return len(item.data) + 512 if isinstance(item, Refusal) else 256
