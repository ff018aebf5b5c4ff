"""The two small protocols everything kept stands behind, and the values that cross them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from tenone.blocks.block import Block
from tenone.blocks.layout import Layout
from tenone.vocabulary.states import PriorityClass, Severity, Verdict

NS = 1_000_000_000
DAY_NS = 86_400 * NS


class StoreError(Exception):
    """The store cannot keep or find what it was asked for; says why and what to do."""


@dataclass(frozen=True, slots=True, order=True)
class ChainKey:
    """One sequence: a journal and a class."""

    journal_id: bytes
    priority: PriorityClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A block as the controller received it, checked against its layout.

    ``received_ns``: wall clock at receipt. ``age_ns``: how old the block was then, by the
    sender's own clock (payload time minus block time), so the clocks' difference cancels.
    ``monotonic_ns``: our monotonic clock at receipt.
    """

    block: Block
    layout: Layout
    school: str
    district: str
    received_ns: int
    age_ns: int = 0
    monotonic_ns: int = 0

    @property
    def chain(self) -> ChainKey:
        """The sequence the block belongs to."""
        return ChainKey(self.block.journal_id, self.block.priority)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseNotice:
    """A birth's word: everything of this chain through ``base`` is forgotten at the agent."""

    chain: ChainKey
    base: int
    school: str
    district: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainBreak:
    """A stored block whose ``previous`` is not the hash of its stored predecessor."""

    chain: ChainKey
    seq: int
    school: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitResult:
    """What a commit did; by the time it is returned, all of it survives a power cut."""

    stored: Sequence[Arrival]
    duplicates: int = 0
    conflicts: Sequence[Arrival] = ()
    """Other bytes under a sequence number that is taken: a cloned or restored journal."""
    foreign: Sequence[Arrival] = ()
    """Blocks of a journal that belongs to another school."""
    breaks: Sequence[ChainBreak] = ()
    base_skipped: int = 0
    """Sequence numbers that were forgotten by the agent and never stored here."""
    failed: Sequence[Arrival] = ()
    """What could not be written, for ``error``; hand it in again."""
    error: str = ""
    through: Mapping[ChainKey, int] = field(default_factory=dict)
    """The watermark of every chain the batch touched: highest seq without a hole below."""


@dataclass(frozen=True, kw_only=True)
class StoredBlock:
    """A block read back. ``position`` orders all blocks of a district's day."""

    data: bytes
    school: str
    district: str
    day: str
    position: int
    received_ns: int
    age_ns: int
    layout: Layout

    @cached_property
    def block(self) -> Block:
        """The parsed block."""
        return Block.parse(self.data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What the block store holds on disk."""

    files: int
    bytes: int
    oldest_day: str | None
    newest_day: str | None
    damaged_rows: int
    """Rows whose CRC did not fit when they were read; they are skipped and logged."""


class BlockStore(Protocol):
    """Keeps canonical blocks, once each. Methods block: call them from a thread."""

    def commit(self, batch: Sequence[Arrival], bases: Sequence[BaseNotice] = ()) -> CommitResult:
        """Keep what is new, with one fsync a file. What a file refuses is in ``failed``."""
        ...

    def through(self, chain: ChainKey) -> int:
        """The watermark of a chain; 0 where nothing is known."""
        ...

    def layout(self, layout_id: bytes) -> Layout | None:
        """A layout kept beside the blocks."""
        ...

    def read(
        self,
        *,
        from_ns: int = 0,
        to_ns: int | None = None,
        school: str | None = None,
        stream: str | None = None,
    ) -> Iterator[StoredBlock]:
        """Blocks received in ``[from_ns, to_ns)``, a district's day after the other."""
        ...

    def usage(self) -> Usage:
        """Disk use."""
        ...

    def close(self) -> None:
        """Write the last checkpoint and let go of the files."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkChange:
    """One row of the small tier that is kept for years: what a link was from a moment on.

    ``at_ns``: wall clock of the moment. ``since_ns``: since when the verdict is what it is, which
    is earlier where only the reason changed.
    """

    link: str
    at_ns: int
    since_ns: int
    verdict: Verdict
    severity: Severity
    causes: int
    """Mask of ``Cause`` bits."""
    oper: int
    admin: int
    speed_mbps: int
    duplex: int
    block_hash: bytes
    """Hash of the block that showed it; empty where no block did (silence, staleness)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flap:
    """A link that was good at two polls and away in between: its ifLastChange says so.

    Nobody saw how long it was away, so it is no :class:`LinkChange` and no downtime: it is counted
    (docs/decisions/0008). Times are wall clock.
    """

    link: str
    back_ns: int
    """When it came back."""
    good_ns: int
    """The last time before that it was seen good."""
    restarted: bool
    """The switch itself restarted in between, so all its links were away."""
    block_hash: bytes
    """Of the block that shows it."""


class Records(Protocol):
    """Keeps what is configured and what was judged, dated. Methods block."""

    def append_changes(self, changes: Sequence[LinkChange]) -> None:
        """Keep changes of verdict, durable on return; raises :class:`StoreError`."""
        ...

    def last_changes(self) -> Mapping[str, LinkChange]:
        """The newest change of every link."""
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...
