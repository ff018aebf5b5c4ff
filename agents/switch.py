"""One switch as the agent knows it: sweeps become drafts, silence becomes a sentence.

Nothing here knows when to ask; that is :mod:`agents.poller`. What holds for a switch holds for
any device that is polled: a UPS or a wireless controller has no ports and the rest of it.
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from agents import findings
from agents.origin import Origin
from agents.port_look import names_of
from agents.ports import Identity, Sweep, SwitchReader
from agents.waiting import within
from drivers.snmp.errors import BudgetExceeded, SnmpError
from drivers.snmp.faults import Finding
from drivers.snmp.reading import Reading, Readings, TableReader
from tenone.blocks.block import Draft
from tenone.blocks.columns import Column
from tenone.blocks.layout import Layout, layout
from tenone.vocabulary.metrics import SWITCH_STATUS
from tenone.vocabulary.scope import DeviceKind

T = TypeVar("T")

STATUS_STREAM = "switch-status"
MAX_SENTENCES = 2
INVENTORY_BUDGETS = 6
"""An inventory walks whole tables: it may take this many times the budget of a sweep."""


class Kind(StrEnum):
    """What is asked of a device. The value of the first three is their stream's name."""

    STATE = "port-state"
    COUNTERS = "port-counters"
    INVENTORY = "port-inventory"
    HEALTH = "health"
    """Sensors, optics, power: :class:`drivers.snmp.reading.TableReader`."""
    SURROUNDINGS = "surroundings"
    """Neighbours, stations, radio, optical terminals, chassis: the same."""


SWEEPS = (Kind.STATE, Kind.COUNTERS, Kind.INVENTORY)
"""In the order they are asked."""


@dataclass(frozen=True, slots=True)
class _Status:
    """What a ``switch-status`` block says, besides the uptime."""

    reachable: bool
    error: str
    identity: tuple[str | None, str | None, str | None]


class Switch:
    """Turns answers and failures of one switch into drafts, in order.

    ``name`` is the switch's slug (a device's serial), ``budget_seconds`` what one sweep may
    take, ``tables`` who reads :attr:`Kind.HEALTH` and :attr:`Kind.SURROUNDINGS`. ``more`` is asked
    at each state sweep what else was found about the device.
    """

    def __init__(
        self,
        name: str,
        *,
        reader: SwitchReader,
        origin: Origin,
        budget_seconds: float,
        kind: DeviceKind = DeviceKind.SWITCH,
        tables: Mapping[Kind, TableReader] | None = None,
        more: Callable[[], Finding | None] = lambda: None,
    ) -> None:
        self.name = name
        self.kind = kind
        self.subject = f"{kind}/{name}"
        self.answers = False
        """Whether the last state sweep was answered."""
        self.is_changed = False
        """Whether ports or uptime say that the inventory is out of date."""
        self.is_rewired = False
        """Whether a link came or went, so that something else may be at the other end."""
        self.last_state: Sweep | None = None
        """What the last state sweep that was answered said."""
        self.port_names: Mapping[str, str] = {}
        """What else its ports are called -> port key, by the last inventory."""
        self._reader = reader
        self._origin = origin
        self._budget_seconds = budget_seconds
        self._tables = dict(tables or {})
        self._more = more
        self._layouts: dict[str, Layout] = {}
        self._identity: Identity | None = None
        self._rows: tuple[str, ...] | None = None
        """None until the first inventory."""
        self._oper: Column | None = None
        self._uptime_ticks: int | None = None
        self._error = ""
        self._partial: dict[Kind, str] = {}
        """What a sweep of a switch that answers left out, and why."""
        self._found: dict[Kind, tuple[Finding, ...]] = {}
        self._told_findings: frozenset[str] = frozenset()
        self._told_none: set[str] = set()
        """Streams of which was told that the device has none."""
        self._told: _Status | None = None
        self._is_asked = False

    @property
    def error(self) -> str:
        """Why the last state sweep failed, in one sentence; empty if it did not."""
        return self._error

    @property
    def reported(self) -> frozenset[str] | None:
        """The ports of the last inventory sweep; None before the first."""
        return None if self._rows is None else frozenset(self._rows)

    @property
    def identity(self) -> str:
        """Name and kind as the device gave them in that sweep, one line."""
        who = self._identity
        return "" if who is None else f"{who.name or ''} {who.object_id or ''}".strip()

    @property
    def tables(self) -> tuple[Kind, ...]:
        """Which further kinds it can be asked for."""
        return tuple(self._tables)

    def is_partial(self, kind: Kind) -> bool:
        """Whether the last asking for ``kind`` left something out."""
        return kind in self._partial

    async def ask_state(self) -> list[Draft]:
        """Sweep the state; of a switch that has never answered, all there is."""
        drafts: list[Draft] = []
        was_silent = not self.answers
        was_met = False
        self._is_asked = True
        try:
            if self._rows is None:
                drafts += await self._sweep(Kind.INVENTORY)
                was_met = True
            drafts += await self._sweep(Kind.STATE)
        except SnmpError as error:
            self.answers = False
            self._error = str(error)
            self._partial.clear()
        else:
            self.answers = True
            self._error = ""
            if was_silent:
                drafts += await self._try(Kind.COUNTERS)
                # It may be another device now; but what its ports do is told first.
                self.is_changed |= not was_met
        return drafts + self._findings(always=was_met) + self.status()

    async def ask(self, kind: Kind) -> list[Draft]:
        """Ask for ``kind``, unless the switch is silent: that is only probed by state.

        Counters bring the status along, changed or not.
        """
        if not self._is_asked:
            return []
        drafts: list[Draft] = []
        if self.answers and kind in self._tables:
            drafts = await self._read(kind)
        elif self.answers:
            drafts = await self._try(kind)
            drafts += self._findings(always=kind is Kind.INVENTORY and bool(drafts))
        return drafts + self.status(always=kind is Kind.COUNTERS)

    def start_over(self) -> None:
        """Believe nothing of the switch until it is asked again."""
        self.answers = False
        self.is_changed = False
        self._is_asked = False

    def status(self, *, always: bool = False) -> list[Draft]:
        """A ``switch-status`` draft if there is something new to say, or ``always``."""
        who = self._identity
        status = _Status(
            reachable=self.answers,
            error="; ".join(dict.fromkeys(filter(None, (self._error, *self._partial.values())))),
            identity=(None, None, None) if who is None else (who.descr, who.object_id, who.name),
        )
        if status == self._told and not always:
            return []
        self._told = status
        uptime = self._uptime_ticks if self.answers else None
        values = (int(status.reachable), status.error, *status.identity, uptime)
        columns = [
            Column.of(name, [value]) for name, value in zip(SWITCH_STATUS, values, strict=True)
        ]
        return [self._draft(STATUS_STREAM, (self.name,), columns)]

    async def _try(self, kind: Kind) -> list[Draft]:
        try:
            return await self._sweep(kind)
        except SnmpError as error:
            self._partial[kind] = str(error)
            return []

    async def _sweep(self, kind: Kind) -> list[Draft]:
        """One draft; none where the device has no ports and never had any."""
        sweep: Sweep
        match kind:
            case Kind.STATE:
                sweep = await self._budgeted(kind, self._reader.state())
                self.is_changed |= sweep.rebooted or sweep.rows != self._rows
                self._compare(sweep)
                self.last_state = sweep
            case Kind.COUNTERS:
                sweep = await self._budgeted(kind, self._reader.counters())
            case _:
                sweep = inventory = await self._budgeted(kind, self._reader.inventory())
                self._identity, self._rows = inventory.system, inventory.rows
                self.port_names = names_of(inventory)
                self.is_changed = False
        self._uptime_ticks = sweep.uptime_ticks
        self._note_errors(kind, sweep.errors)
        more = self._more() if kind is Kind.STATE else None
        self._found[kind] = sweep.findings if more is None else (*sweep.findings, more)
        if not sweep.rows and kind not in self._layouts:
            return []
        return [self._draft(kind.value, sweep.rows, sweep.columns, of=sweep)]

    def _compare(self, sweep: Sweep) -> None:
        """Note whether a link came or went since the last state sweep."""
        oper = next((column for column in sweep.columns if column.metric.name == "oper"), None)
        self.is_rewired |= self._oper is not None and oper != self._oper
        self._oper = oper

    async def _read(self, kind: Kind) -> list[Draft]:
        """A draft a stream; a stream that the device does not have is told once and on change."""
        try:
            found = await self._budgeted(kind, self._tables[kind].read())
        except SnmpError as error:
            self._partial[kind] = str(error)
            return []
        self._note_errors(kind, tuple(dict.fromkeys(str(error) for error in found.errors)))
        return [draft for reading in found.readings for draft in self._told_of(reading, found)]

    def _told_of(self, reading: Reading, found: Readings) -> list[Draft]:
        if not reading.rows and reading.stream in self._told_none:
            return []
        (self._told_none.discard if reading.rows else self._told_none.add)(reading.stream)
        return [self._draft(reading.stream, reading.rows, reading.columns, of=found)]

    def _findings(self, *, always: bool) -> list[Draft]:
        found = findings.by_key(one for kind in SWEEPS for one in self._found.get(kind, ()))
        if found.keys() == self._told_findings and not always:
            return []
        self._told_findings = frozenset(found)
        return [self._draft(findings.STREAM, tuple(found), findings.columns(found.values()))]

    async def _budgeted(self, kind: Kind, work: Coroutine[Any, Any, T]) -> T:
        walks = kind not in {Kind.STATE, Kind.COUNTERS}
        seconds = self._budget_seconds * (INVENTORY_BUDGETS if walks else 1)
        try:
            return await within(self._origin.clock, seconds, work)
        except TimeoutError as error:
            raise BudgetExceeded(
                f"the {kind.value} sweep did not end within its budget of {seconds:g} s"
            ) from error

    def _note_errors(self, kind: Kind, sentences: tuple[str, ...]) -> None:
        """A sweep that came, but not whole, says why: unknown values need a reason."""
        if sentences:
            self._partial[kind] = "; ".join(sentences[:MAX_SENTENCES])
        else:
            self._partial.pop(kind, None)

    def _draft(
        self,
        stream: str,
        rows: tuple[str, ...],
        columns: Sequence[Column],
        of: Sweep | Readings | None = None,
    ) -> Draft:
        """A block of this moment; ``of`` is the exchange that gave it its values."""
        uptime = self._uptime_ticks if self.answers else None
        stamp = self._origin.stamp(
            self.subject,
            uptime_ticks=uptime if of is None else of.uptime_ticks,
            sent_ns=0 if of is None else of.sent_ns,
            received_ns=0 if of is None else of.received_ns,
        )
        return Draft.of(self._layout(stream, rows, columns), stamp, columns)

    def _layout(self, stream: str, rows: tuple[str, ...], columns: Sequence[Column]) -> Layout:
        """The stream's layout; the last one is kept, for hashing a document costs more."""
        names = tuple(column.metric.name for column in columns)
        known = self._layouts.get(stream)
        if known is None or known.rows != rows or known.columns != names:
            known = self._layouts[stream] = layout(stream, names, rows)
        return known
