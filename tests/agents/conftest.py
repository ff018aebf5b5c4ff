"""A clock that is moved by hand, switches that answer as told, a keep that only remembers."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agents.origin import Origin
from drivers.snmp.errors import SnmpError
from drivers.snmp.faults import Finding
from drivers.snmp.reading import Reading, Readings
from drivers.wire.embedded import EmbeddedBroker
from tenone.blocks.block import FIRST_PREVIOUS, Block, Draft
from tenone.blocks.columns import Column
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.metric import ColumnType
from tenone.vocabulary.metrics import METRICS, PORT_COUNTERS, PORT_INVENTORY, PORT_STATE
from tests.mosquitto import Mosquitto


@dataclass(frozen=True)
class FakeIdentity:
    descr: str | None = "S5720"
    object_id: str | None = "1.3.6.1.4.1.2011"
    name: str | None = "core"


@dataclass(frozen=True)
class FakeSweep:
    rows: tuple[str, ...]
    columns: tuple[Column, ...]
    uptime_ticks: int | None
    sent_ns: int
    received_ns: int
    rebooted: bool
    errors: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    system: FakeIdentity = FakeIdentity()


@dataclass
class FakeSwitch:
    """A switch that takes ``seconds`` to answer, or fails with ``error``."""

    clock: ManualClock
    rows: tuple[str, ...] = ("GE0/0/1", "GE0/0/2")
    seconds: float = 0.0
    slow: dict[str, float] = field(default_factory=dict)
    """Kinds that take another time."""
    error: dict[str, SnmpError] = field(default_factory=dict)
    uptime_ticks: int = 1000
    heard_ticks: int = 0
    missing: tuple[str, ...] = ()
    """Sentences about what a sweep left out."""
    findings: tuple[Finding, ...] = ()
    oper: int = 1
    asked: list[tuple[str, float]] = field(default_factory=list)
    """What was asked, and when (monotonic seconds)."""
    running: int = 0
    walking: int = 0
    overlapped: bool = False

    async def inventory(self) -> FakeSweep:
        return await self._sweep("inventory", PORT_INVENTORY)

    async def state(self) -> FakeSweep:
        return await self._sweep("state", PORT_STATE)

    async def counters(self) -> FakeSweep:
        return await self._sweep("counters", PORT_COUNTERS)

    async def _sweep(self, kind: str, names: tuple[str, ...]) -> FakeSweep:
        # An inventory is walked beside what is asked of the ports; two inventories are not.
        beside = (self.walking if kind == "inventory" else self.running) > 0
        self.overlapped |= beside
        self.walking += kind == "inventory"
        self.running += kind != "inventory"
        try:
            sent_ns = self.clock.monotonic_ns()
            self.asked.append((kind, sent_ns / 1e9))
            if seconds := self.slow.get(kind, self.seconds):
                await self.clock.sleep(seconds)
            if kind in self.error:
                raise self.error[kind]
        finally:
            self.walking -= kind == "inventory"
            self.running -= kind != "inventory"
        self.uptime_ticks += 1
        rebooted, self.heard_ticks = self.uptime_ticks < self.heard_ticks, self.uptime_ticks
        columns = tuple(Column.of(name, [self._value(name)] * len(self.rows)) for name in names)
        return FakeSweep(
            self.rows,
            columns,
            self.uptime_ticks,
            sent_ns,
            self.clock.monotonic_ns(),
            rebooted,
            self.missing,
            self.findings,
        )

    def _value(self, name: str) -> int | str:
        if METRICS[name].type is ColumnType.TEXT:
            return "x"
        return self.oper if name == "oper" else 1

    def times(self, kind: str) -> list[float]:
        return [when for what, when in self.asked if what == kind]


@dataclass
class FakeTables:
    """Reads tables: ``rows`` of each stream, failing with ``error`` or with ``errors`` in part."""

    clock: ManualClock
    streams: dict[str, tuple[str, ...]] = field(default_factory=dict)
    error: SnmpError | None = None
    errors: tuple[SnmpError, ...] = ()
    seconds: float = 0.0
    asked: list[float] = field(default_factory=list)

    async def read(self) -> Readings:
        sent_ns = self.clock.monotonic_ns()
        self.asked.append(sent_ns / 1e9)
        if self.seconds:
            await self.clock.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        return Readings(
            readings=tuple(
                Reading(stream=stream, rows=rows, columns=(Column.of("if_alias", list(rows)),))
                for stream, rows in self.streams.items()
            ),
            errors=self.errors,
            uptime_ticks=77,
            sent_ns=sent_ns,
            received_ns=self.clock.monotonic_ns(),
        )


@dataclass
class Kept:
    """Seals drafts without a disk."""

    drafts: list[Draft] = field(default_factory=list)
    calls: list[list[Draft]] = field(default_factory=list)

    async def keep(self, drafts: Sequence[Draft]) -> list[Block]:
        if drafts:
            self.calls.append(list(drafts))
        first = len(self.drafts) + 1
        self.drafts += drafts
        return [
            draft.seal(bytes(16), first + index, FIRST_PREVIOUS)
            for index, draft in enumerate(drafts)
        ]

    def of(self, stream: str) -> list[Draft]:
        return [draft for draft in self.drafts if draft.layout.stream == stream]

    def values(self, stream: str, column: str) -> list[object]:
        """The first row's values of a column, block after block."""
        return [
            next(iter(draft.columns[draft.layout.columns.index(column)]))
            for draft in self.of(stream)
        ]


async def settle() -> None:
    """Let everything run that can run without the clock moving."""
    for _ in range(30):
        await asyncio.sleep(0)


Broker = EmbeddedBroker | Mosquitto


@pytest.fixture(params=["embedded", "mosquitto"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """A real broker: both kinds a school or a city may have."""
    if request.param == "embedded":
        with EmbeddedBroker() as running:
            yield running
        return
    mosquitto = Mosquitto(tmp_path)
    mosquitto.start()
    yield mosquitto
    mosquitto.kill()


async def until(fact: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for a fact, by the real clock; fails when it does not come true in time."""
    async with asyncio.timeout(seconds):
        while not fact():  # noqa: ASYNC110 - facts are not all events
            await asyncio.sleep(0.02)


Advance = Callable[[float], Awaitable[None]]
MakeSwitch = Callable[..., FakeSwitch]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def advance(clock: ManualClock) -> Advance:
    async def run(seconds: float, step: float = 0.5) -> None:
        await settle()
        for _ in range(round(seconds / step)):
            clock.advance(step)
            await settle()

    return run


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def origin(clock: ManualClock) -> Origin:
    return Origin(school="no3", boot_id=bytes(range(16)), clock=clock)


@pytest.fixture
def fake_switch(clock: ManualClock) -> MakeSwitch:
    def make(**settings: object) -> FakeSwitch:
        return FakeSwitch(clock, **settings)  # type: ignore[arg-type]  # keywords of the dataclass

    return make


@pytest.fixture
def inline_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is handed to a thread is done at once: no time passes by a clock that jumps."""

    async def inline(work: Callable[..., object], *arguments: object) -> object:
        return work(*arguments)

    monkeypatch.setattr(asyncio, "to_thread", inline)
