"""One switch as the agent knows it: sweeps become drafts, silence becomes a sentence.

Nothing here knows when to ask; that is :mod:`agents.poller`.
"""

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from agents.origin import Origin
from agents.ports import Identity, SwitchReader
from agents.waiting import within
from drivers.snmp.errors import BudgetExceeded, SnmpError
from tenone.blocks.block import Draft
from tenone.blocks.columns import Column
from tenone.blocks.layout import Layout, layout
from tenone.vocabulary.metrics import SWITCH_STATUS

T = TypeVar("T")

STATUS_STREAM = "switch-status"
MAX_SENTENCES = 2
INVENTORY_BUDGETS = 6
"""An inventory walks whole tables: it may take this many times the budget of a sweep."""


class Kind(StrEnum):
    """The three sweeps, in the order they are asked; the value is the stream's name."""

    STATE = "port-state"
    COUNTERS = "port-counters"
    INVENTORY = "port-inventory"


@dataclass(frozen=True, slots=True)
class _Status:
    """What a ``switch-status`` block says, besides the uptime."""

    reachable: bool
    error: str
    identity: tuple[str | None, str | None, str | None]


class Switch:
    """Turns answers and failures of one switch into drafts, in order.

    ``name`` is the switch's slug, ``budget_seconds`` what one sweep may take.
    """

    def __init__(
        self, name: str, *, reader: SwitchReader, origin: Origin, budget_seconds: float
    ) -> None:
        self.name = name
        self.answers = False
        """Whether the last state sweep was answered."""
        self.is_changed = False
        """Whether ports or uptime say that the inventory is out of date."""
        self._reader = reader
        self._origin = origin
        self._budget_seconds = budget_seconds
        self._layouts: dict[str, Layout] = {}
        self._identity: Identity | None = None
        self._rows: tuple[str, ...] = ()
        self._uptime_ticks: int | None = None
        self._error = ""
        self._partial: dict[Kind, str] = {}
        """What a sweep of a switch that answers left out, and why."""
        self._told: _Status | None = None
        self._is_asked = False

    @property
    def error(self) -> str:
        """Why the last state sweep failed, in one sentence; empty if it did not."""
        return self._error

    async def ask_state(self) -> list[Draft]:
        """Sweep the state; of a switch that has never answered, all there is."""
        drafts: list[Draft] = []
        was_silent = not self.answers
        self._is_asked = True
        try:
            if not self._rows:
                drafts.append(await self._sweep(Kind.INVENTORY))
            drafts.append(await self._sweep(Kind.STATE))
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
                self.is_changed |= not any(d.layout.stream == Kind.INVENTORY for d in drafts)
        return drafts + self.status()

    async def ask(self, kind: Kind) -> list[Draft]:
        """Sweep counters or inventory, unless the switch is silent: that is only probed by state.

        Counters bring the status along, changed or not.
        """
        if not self._is_asked:
            return []
        drafts = await self._try(kind) if self.answers else []
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
        stamp = self._origin.stamp(f"switch/{self.name}", uptime_ticks=uptime)
        return [Draft.of(self._layout(STATUS_STREAM, (self.name,), columns), stamp, columns)]

    async def _try(self, kind: Kind) -> list[Draft]:
        try:
            draft = await self._sweep(kind)
        except SnmpError as error:
            self._partial[kind] = str(error)
            return []
        return [draft]

    async def _sweep(self, kind: Kind) -> Draft:
        match kind:
            case Kind.STATE:
                sweep = await self._budgeted(kind, self._reader.state())
                self.is_changed |= sweep.rebooted or sweep.rows != self._rows
            case Kind.COUNTERS:
                sweep = await self._budgeted(kind, self._reader.counters())
            case _:
                sweep = inventory = await self._budgeted(kind, self._reader.inventory())
                self._identity, self._rows = inventory.system, inventory.rows
                self.is_changed = False
        self._uptime_ticks = sweep.uptime_ticks
        self._note_errors(kind, sweep.errors)
        stamp = self._origin.stamp(
            f"switch/{self.name}",
            uptime_ticks=sweep.uptime_ticks,
            sent_ns=sweep.sent_ns,
            received_ns=sweep.received_ns,
        )
        return Draft.of(self._layout(kind.value, sweep.rows, sweep.columns), stamp, sweep.columns)

    async def _budgeted(self, kind: Kind, work: Coroutine[Any, Any, T]) -> T:
        seconds = self._budget_seconds * (INVENTORY_BUDGETS if kind is Kind.INVENTORY else 1)
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

    def _layout(self, stream: str, rows: tuple[str, ...], columns: Sequence[Column]) -> Layout:
        """The stream's layout; the last one is kept, for hashing a document costs more."""
        names = tuple(column.metric.name for column in columns)
        known = self._layouts.get(stream)
        if known is None or known.rows != rows or known.columns != names:
            known = self._layouts[stream] = layout(stream, names, rows)
        return known
