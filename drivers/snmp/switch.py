"""A switch as columns: knows its rows after the first walk, then asks for all of them at once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from drivers.snmp import mib, portplan
from drivers.snmp.ber import Oid
from drivers.snmp.client import SnmpClient
from drivers.snmp.errors import AgentError, BadTarget, SnmpError, Timeout, Unreachable
from drivers.snmp.faults import AgentFault, Finding
from drivers.snmp.identity import System, read_system
from drivers.snmp.neighbours import Neighbour, read_neighbours
from drivers.snmp.portplan import SCALARS, Choice, Plan
from drivers.snmp.ports import Port, read_ports
from drivers.snmp.rows import NO_KEYS, Table, merged, note_scalars, swapped
from drivers.snmp.session import Session
from drivers.snmp.sweep import Harvest, Slots, gather
from drivers.snmp.target import Budget, Device, Target
from drivers.snmp.uptime import Boot, compare
from tenone.blocks.columns import Column

SWEEP_BUDGET_SECONDS = 8.0
INVENTORY_BUDGET_SECONDS = 60.0
REWALK_SECONDS = 20.0
"""How long rows are kept before a change of theirs is followed; a reboot does not wait."""
LONGEST_REWALK_SECONDS = 640.0
"""Missing ports are looked for after 20 s, 40 s, ... up to this; then the inventory finds them."""
RESOLVE_AFTER = 3
"""Polls on end that meet silence before the host's name is looked up anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """One poll of one switch as columns.

    ``rows`` stays the same object while the ports stay the same, so a layout can be kept by
    it. A value that did not come is unknown (validity 0), never left out.
    """

    rows: tuple[str, ...]
    columns: tuple[Column, ...]
    uptime_ticks: int | None
    sent_ns: int
    """Monotonic time of the first request."""
    received_ns: int
    """Monotonic time of the last answer."""
    rebooted: bool = False
    """The device has started anew since this reader's last poll of any kind."""
    findings: tuple[Finding, ...] = ()
    errors: tuple[str, ...] = ()
    """Why values are missing, a sentence each; empty when everything asked for came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory(Sweep):
    """A sweep of ``PORT_INVENTORY`` and what else is read once an hour."""

    system: System
    ports: tuple[Port, ...]
    neighbours: tuple[Neighbour, ...]


_Ask = Callable[[Session, Table, Budget], Awaitable[tuple[Harvest, Plan | None]]]
"""Sweeps a table by a plan; None where the sweep was one to find the plan."""


class SwitchReader:
    """Reads one switch. ``inventory`` hourly, ``state`` every few seconds, ``counters`` a minute.

    Each raises :class:`SnmpError` when the switch answered nothing of use, and otherwise
    returns what came.
    """

    def __init__(
        self,
        client: SnmpClient,
        target: Target,
        *,
        sweep_seconds: float = SWEEP_BUDGET_SECONDS,
        inventory_seconds: float = INVENTORY_BUDGET_SECONDS,
    ) -> None:
        self.target = target
        self._client = client
        self._sweep_seconds = sweep_seconds
        self._inventory_seconds = inventory_seconds
        self._device: Device | None = None
        self._table: Table | None = None
        self._learning = asyncio.Lock()
        self._uptime: tuple[int, int, int] | None = None
        """sysUpTime last heard; when that exchange began and ended on our monotonic clock."""
        self._boots: int | None = None
        self._walked_ns = 0
        self._rewalk_seconds = REWALK_SECONDS
        """When missing ports are looked for again, after the last walk."""
        self._silences = 0

    def close(self) -> None:
        """Let go of the device; a poll in progress fails."""
        if self._device is not None:
            self._client.forget(self._device)
            self._device = None

    async def inventory(self) -> Inventory:
        """System, ports, neighbours; walks the rows anew."""
        with self._listening():
            return await self._inventory()

    async def _inventory(self) -> Inventory:
        budget = self._client.budget(self._inventory_seconds)
        sent_ns = self._client.clock.monotonic_ns()
        session = await self.session()
        system = await read_system(session, budget)
        rebooted = await self._heard(session, system.uptime_ticks, sent_ns, budget)
        self._boots = system.engine_boots if system.engine_boots is not None else self._boots
        errors: list[SnmpError] = []
        table, error = await self._learn(session, budget, fresh=rebooted)
        if error is not None:
            errors.append(error)
        neighbours, error = await read_neighbours(session, table.ports, budget)
        if error is not None:
            errors.append(error)
        return Inventory(
            rows=table.keys,
            columns=portplan.inventory_columns(table.ports),
            uptime_ticks=system.uptime_ticks,
            sent_ns=sent_ns,
            received_ns=self._client.clock.monotonic_ns(),
            rebooted=rebooted,
            findings=table.findings,
            errors=_sentences(errors),
            system=system,
            ports=table.ports,
            neighbours=tuple(neighbours),
        )

    async def state(self) -> Sweep:
        """The columns of ``PORT_STATE`` for every known port."""
        table, harvest, plan, rebooted = await self._poll(self._ask_state)
        plan = plan or table.state
        if not plan.settled and _only_refusals(harvest.errors):
            plan.settle(harvest)
        self._judge(table, harvest.slots, plan.unanswered(harvest))
        odd = _odd(harvest, plan, table.keys, len(portplan.STATE_OBJECTS))
        findings = (*table.state_findings, *odd)
        return _sweep(table, table.state_columns, harvest, findings, rebooted=rebooted)

    @staticmethod
    def _judge(table: Table, slots: Slots, unanswered: frozenset[int]) -> None:
        """Speeds and states change rarely: judge them again only when a raw value did."""
        before, table.state_slots = table.state_slots, slots
        same = before is slots or (
            before is not None and before[len(SCALARS) :] == slots[len(SCALARS) :]
        )
        if same and unanswered == table.state_unanswered:
            return
        table.state_unanswered = unanswered
        judged = portplan.state_columns(table.ports, slots, unanswered)
        table.state_columns, table.state_findings = judged

    async def counters(self) -> Sweep:
        """The columns of ``PORT_COUNTERS`` for every known port."""
        table, harvest, _, rebooted = await self._poll(self._ask_counters)
        source = harvest.matter or harvest.slots
        if source is not table.counted:
            table.counted = source
            table.counter_columns = portplan.counter_columns(source, table.counter_columns)
        if table.widths is None or table.widths[0] is not table.counters:
            widths = portplan.width_column(table.ports, self.narrow_counters)
            table.widths = table.counters, widths
        columns = (*table.counter_columns, table.widths[1])
        findings = table.counters.findings if table.counters is not None else ()
        return _sweep(table, columns, harvest, findings, rebooted=rebooted)

    @property
    def narrow_counters(self) -> frozenset[tuple[str, str]]:
        """(port key, metric) of counters that are 32 bits wide, there being no sound other."""
        table = self._table
        return table.counters.narrow if table is not None and table.counters else frozenset()

    # -- asking ----------------------------------------------------------------------

    @property
    def client(self) -> SnmpClient:
        """The socket and clock it asks with."""
        return self._client

    @property
    def ports(self) -> tuple[Port, ...]:
        """The ports as last walked; empty before the first walk."""
        return self._table.ports if self._table is not None else ()

    async def session(self) -> Session:
        """Questions to the device, for readers of other tables; raises :class:`BadTarget`."""
        if self._device is None:
            self._device = await self._client.device(self.target)
        elif self._silences >= RESOLVE_AFTER:
            self._silences = 0
            self._device = await self._moved(self._device)
        return Session(self._client, self._device)

    async def _moved(self, known: Device) -> Device:
        """The device at the address its name has now; as it was where nothing else is known."""
        try:
            found = await self._client.device(self.target)
        except BadTarget:
            return known  # a name server that is away says nothing about the switch
        self._client.forget(found if found.address == known.address else known)
        return known if found.address == known.address else found

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Count polls that met silence, on end."""
        try:
            yield
        except (Timeout, Unreachable):
            self._silences += 1
            raise
        self._silences = 0

    async def _poll(self, ask: _Ask) -> tuple[Table, Harvest, Plan | None, bool]:
        """One sweep; if it shows that the rows are others now, walk them and sweep once more."""
        with self._listening():
            return await self._swept(ask)

    async def _swept(self, ask: _Ask) -> tuple[Table, Harvest, Plan | None, bool]:
        budget = self._client.budget(self._sweep_seconds)
        session = await self.session()
        table = self._table
        if table is None:
            # One small question first: a silent device costs one timeout, not one a column.
            await session.get([mib.SYS_UPTIME], budget)
            table, _ = await self._learn(session, budget)
        harvest, plan = await ask(session, table, budget)
        rebooted = await self._heard(session, harvest.clock, harvest.sent_ns, budget)
        settled = plan is not None and plan.settled
        if rebooted or self._rows_changed(table, harvest, settled=settled):
            table, _ = await self._learn(session, budget, fresh=rebooted)
            harvest, plan = await ask(session, table, budget)
            await self._heard(session, harvest.clock, harvest.sent_ns, budget)
            note_scalars(table, harvest)
        return table, harvest, plan, rebooted

    async def _ask_state(
        self, session: Session, table: Table, budget: Budget
    ) -> tuple[Harvest, Plan | None]:
        plan = table.state
        return await self._ask(session, plan, budget), plan

    async def _ask_counters(
        self, session: Session, table: Table, budget: Budget
    ) -> tuple[Harvest, Plan | None]:
        """A steady sweep; the first one probes which objects there are."""
        if table.counters is not None:
            plan = table.counters.plan
            return await self._ask(session, plan, budget), plan
        probe = await self._ask(session, portplan.probe_plan(table.ports), budget)
        choice = portplan.choose(table.ports, probe, table.earlier)
        if _only_refusals(probe.errors):
            table.counters = choice
        taken = Harvest(
            choice.slots,
            probe.clock,
            sent_ns=probe.sent_ns,
            received_ns=probe.received_ns,
            errors=probe.errors,
        )
        return taken, None

    async def _ask(self, session: Session, plan: Plan, budget: Budget) -> Harvest:
        clock = self._client.clock
        parts = plan.chunks(session.device, clock.monotonic_ns())
        harvest = await gather(
            self._client, session.device, parts, len(plan.names), budget, board=plan.board
        )
        if harvest.errors or plan.paused:
            plan.note_silence(harvest, clock.monotonic_ns())
        return harvest

    # -- learning --------------------------------------------------------------------

    async def _learn(
        self, session: Session, budget: Budget, *, fresh: bool = False
    ) -> tuple[Table, SnmpError | None]:
        """Walk the rows. After a reboot (``fresh``) nothing of the old table is carried over."""
        before = self._table
        async with self._learning:
            if self._table is not before and self._table is not None:
                return self._table, None  # another poll has just done it
            found = await read_ports(session, budget)
            ports, misses, lost = (found.ports, {}, NO_KEYS) if fresh else merged(found, before)
            self._walked_ns = self._client.clock.monotonic_ns()
            longer = min(2 * self._rewalk_seconds, LONGEST_REWALK_SECONDS)
            self._rewalk_seconds = longer if misses or lost else REWALK_SECONDS
            findings = (*found.findings, *([] if fresh else swapped(ports, before)))
            if before is not None and before.ports == ports and not fresh:
                before.findings = findings
                before.state = portplan.state_plan(ports)
                before.misses, before.lost = misses, lost
                before.counters = await self._probe_again(session, before, budget)
                return before, found.error
            keys = tuple(port.key for port in ports)
            self._table = Table(
                ports=ports,
                keys=before.keys if before is not None and before.keys == keys else keys,
                state=portplan.state_plan(ports),
                findings=findings,
                misses=misses,
                lost=lost,
                earlier=before.counters if before is not None and not fresh else None,
            )
            return self._table, found.error

    async def _probe_again(self, session: Session, table: Table, budget: Budget) -> Choice | None:
        """Compare 64-bit counters with their twins once more, an hour after the last time."""
        if table.counters is None:
            return None
        try:
            probe = await self._ask(session, portplan.probe_plan(table.ports), budget)
        except SnmpError:
            return table.counters
        if not _only_refusals(probe.errors):
            return table.counters
        return portplan.choose(table.ports, probe, table.counters)

    async def _heard(
        self, session: Session, uptime: int | None, sent_ns: int, budget: Budget
    ) -> bool:
        """Note sysUpTime; whether the device has started anew since it was last heard.

        Of polls that overlap only the first is heard: which of them was read first at the
        other end is not known.
        """
        before = self._uptime
        if uptime is None or (before is not None and sent_ns < before[2]):
            return False
        self._uptime = (uptime, sent_ns, self._client.clock.monotonic_ns())
        if before is None:
            return False
        verdict = compare(before[0], uptime, sent_ns - before[1])
        if verdict is Boot.UNCERTAIN:
            return await self._boots_changed(session, budget)
        return verdict is Boot.REBOOTED

    async def _boots_changed(self, session: Session, budget: Budget) -> bool:
        """Ask snmpEngineBoots; without it a wrap is taken for a wrap."""
        known = self._boots
        try:
            (bind,) = await session.get([mib.SNMP_ENGINE_BOOTS], budget)
        except SnmpError:
            return False
        self._boots = bind.value if isinstance(bind.value, int) else None
        return known is not None and self._boots is not None and self._boots != known

    def _rows_changed(self, table: Table, harvest: Harvest, *, settled: bool) -> bool:
        """Whether ifNumber, ifTableLastChange or a vanished instance says to walk again."""
        before = (table.if_number, table.last_change)
        note_scalars(table, harvest)
        moved = any(
            old is not None and old != new
            for old, new in zip(before, (table.if_number, table.last_change), strict=True)
        )
        vanished = settled and any(slot >= len(SCALARS) for slot in harvest.absent)
        since_seconds = (self._client.clock.monotonic_ns() - self._walked_ns) / 1e9
        # Some agents move ifTableLastChange for nothing: they are walked now and then, not always.
        if (moved or vanished) and since_seconds >= REWALK_SECONDS:
            return True
        # What a walk missed is not asked for by name, so only another walk can find it.
        looking = table.misses or (table.lost and self._rewalk_seconds < LONGEST_REWALK_SECONDS)
        return bool(looking) and since_seconds >= self._rewalk_seconds


def _only_refusals(errors: Iterable[SnmpError]) -> bool:
    """Whether all that is missing is what the agent will not tell, so that asking again is vain."""
    return all(isinstance(error, AgentError) for error in errors)


def _sweep(
    table: Table,
    columns: tuple[Column, ...],
    harvest: Harvest,
    findings: tuple[Finding, ...],
    *,
    rebooted: bool,
) -> Sweep:
    return Sweep(
        rows=table.keys,
        columns=columns,
        uptime_ticks=harvest.clock,
        sent_ns=harvest.sent_ns,
        received_ns=harvest.received_ns,
        rebooted=rebooted,
        findings=findings,
        errors=_sentences(harvest.errors),
    )


def _odd(harvest: Harvest, plan: Plan, keys: tuple[str, ...], width: int) -> Iterable[Finding]:
    for slot, value in harvest.odd:
        name: Oid = plan.names[slot] or ()
        row = (slot - len(SCALARS)) // width
        yield Finding(
            fault=AgentFault.WRONG_TYPE,
            oid=name,
            raw=repr(value),
            port=keys[row] if slot >= len(SCALARS) else None,
        )


def _sentences(errors: Iterable[SnmpError]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(error) for error in errors))
