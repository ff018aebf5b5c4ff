"""What a switch or UPS says about its health: learnt once an hour, asked for by name in between.

The first pass finds out which of the tables its maker (and the standards) could have are there
and which rows they hold; later passes ask for those cells only. A table that is not there costs
nothing until it is looked for again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from drivers.snmp import cells, entity, entsensors, mib, optics, poe, sensors, ups
from drivers.snmp.ber import Missing, Oid, Value
from drivers.snmp.cells import Table, walk_into
from drivers.snmp.entity import EntityTree, PortBook
from drivers.snmp.errors import SnmpError, TooManyRows
from drivers.snmp.optics import OpticRow
from drivers.snmp.poe import PoeRow
from drivers.snmp.ports import Port
from drivers.snmp.reading import Reading, Readings
from drivers.snmp.sensors import Body, SensorRow
from drivers.snmp.session import Session
from drivers.snmp.switch import SwitchReader
from drivers.snmp.target import Budget
from drivers.snmp.ups import UpsPlan
from drivers.snmp.vendorfile import VendorFile, fitting

LEARN_SECONDS = 3_600.0
LEARN_BUDGET_SECONDS = 60.0
READ_BUDGET_SECONDS = 15.0
SOON_SECONDS = 300.0
"""How long what is missing or changed waits before the tables are looked at again."""
YOUNG_TICKS = 100 * 600
"""sysUpTime below which an agent may not have all its tables yet: net-snmp names its processors a
minute after its start."""
MAX_ROWS = 2_048
"""Rows of one stream that are read; the largest chassis seen has a few hundred."""
STREAMS = (sensors.STREAM, optics.STREAM, poe.STREAM, ups.STREAM)


@dataclass(slots=True)
class Plan:
    """What a device has, by stream, and where."""

    sensors: list[SensorRow] = field(default_factory=list)
    optics: dict[str, OpticRow] = field(default_factory=dict)
    poe: dict[str, PoeRow] = field(default_factory=dict)
    ups: UpsPlan = field(default_factory=UpsPlan)
    learnt: dict[Oid, Value] = field(default_factory=dict)
    """Values of cells that are not asked for every time."""
    failed: dict[str, SnmpError] = field(default_factory=dict)
    """Stream -> why its tables are not known, or not whole."""

    def names(self, stream: str) -> list[Oid]:
        """What is asked for every time."""
        found: Iterable[cells.Cell]
        match stream:
            case sensors.STREAM:
                found = (cell for row in self.sensors for cell in row.cells)
            case optics.STREAM:
                found = optics.live(self.optics)
            case poe.STREAM:
                found = poe.live(self.poe)
            case _:
                found = self.ups.live()
        return list(dict.fromkeys(cell.name for cell in found))

    def has(self, stream: str) -> bool:
        """Whether there are rows."""
        parts = {
            sensors.STREAM: self.sensors,
            optics.STREAM: self.optics,
            poe.STREAM: self.poe,
            ups.STREAM: self.ups.sources,
        }
        return bool(parts[stream])

    def reading(self, stream: str, values: cells.Values) -> Reading:
        """The stream at one moment."""
        match stream:
            case sensors.STREAM:
                return sensors.reading(self.sensors, values)
            case optics.STREAM:
                return optics.reading(self.optics, values)
            case poe.STREAM:
                return poe.reading(self.poe, values)
            case _:
                return ups.reading(self.ups, values)

    def keep(self, before: "Plan") -> None:
        """Of a stream whose tables could not be read now, go on with the rows known before."""
        for stream, error in self.failed.items():
            if isinstance(error, TooManyRows) or not before.has(stream):
                continue
            match stream:
                case sensors.STREAM:
                    self.sensors = before.sensors
                case optics.STREAM:
                    self.optics = before.optics
                case poe.STREAM:
                    self.poe = before.poe
                case _:
                    self.ups = before.ups
            self.learnt = {**before.learnt, **self.learnt}


class HealthReader:
    """Reads ``sensors``, ``optics``, ``poe`` and ``ups`` of one device.

    ``read`` raises :class:`SnmpError` when the device answers nothing, and otherwise returns
    what came; a stream without rows says that the device has none of it.
    """

    def __init__(
        self,
        switch: SwitchReader,
        *,
        learn_seconds: float = LEARN_SECONDS,
        learn_budget_seconds: float = LEARN_BUDGET_SECONDS,
        read_budget_seconds: float = READ_BUDGET_SECONDS,
    ) -> None:
        self._switch = switch
        self._learn_seconds = learn_seconds
        self._learn_budget_seconds = learn_budget_seconds
        self._read_budget_seconds = read_budget_seconds
        self._plan: Plan | None = None
        self._due_ns = 0
        self._learnt_ns = 0
        self._uptime: int | None = None
        self._ports: tuple[Port, ...] = ()
        """The ports that rows were named after."""

    @property
    def plan(self) -> Plan | None:
        """What was learnt last; None before the first pass."""
        return self._plan

    async def read(self) -> Readings:
        """Ask once."""
        clock = self._switch.client.clock
        sent_ns = clock.monotonic_ns()
        session = await self._switch.session()
        if self._plan is None or sent_ns >= self._due_ns or self._ports_changed():
            return await self._learn(session, sent_ns)
        plan = self._plan
        budget = self._switch.client.budget(self._read_budget_seconds)
        names = {stream: plan.names(stream) for stream in STREAMS}
        asked = [mib.SYS_UPTIME, *(name for part in names.values() for name in part)]
        answers = await cells.ask(session, asked, budget)
        uptime = answers.values.get(mib.SYS_UPTIME)
        restarted = isinstance(uptime, int) and self._uptime is not None and uptime < self._uptime
        if restarted:
            return await self._learn(session, sent_ns)
        self._heard(uptime)
        # SNMPv1 does not say which name is missing, it just leaves it out of what is answered.
        fewer = not answers.errors and len(answers.values) < len(set(asked))
        if fewer or any(isinstance(value, Missing) for value in answers.values.values()):
            self._due_ns = min(self._due_ns, self._learnt_ns + round(SOON_SECONDS * 1e9))
        values = {**plan.learnt, **answers.values}
        readings = [
            plan.reading(stream, values)
            for stream in STREAMS
            if (not plan.has(stream) and stream not in plan.failed)
            or any(name in answers.values for name in names[stream])
            or (plan.has(stream) and not names[stream])
        ]
        errors = (*answers.errors, *plan.failed.values())
        return self._readings(readings, errors, uptime, sent_ns)

    # -- learning --------------------------------------------------------------------

    async def _learn(self, session: Session, sent_ns: int) -> Readings:
        budget = self._switch.client.budget(self._learn_budget_seconds)
        # One question first: a silent device costs one timeout, not one a table.
        names = (mib.SYS_UPTIME, mib.SYS_OBJECT_ID, mib.SYS_DESCR)
        said = (await cells.ask(session, names, budget)).values
        object_id, descr = said.get(mib.SYS_OBJECT_ID), said.get(mib.SYS_DESCR)
        files = fitting(
            object_id if isinstance(object_id, tuple) else None,
            entity.text_of(descr) or "",
        )
        table, tree = await _tables(session, files, budget)
        self._ports = self._switch.ports
        plan = make_plan(files, Body(table, tree, PortBook(self._ports)))
        values = table.values()
        live = {name for stream in STREAMS for name in plan.names(stream)}
        wanted = {cell.name for row in plan.poe.values() for cell in row.cells.values()} - live
        plan.learnt = {name: values[name] for name in wanted if name in values}
        if self._plan is not None:
            plan.keep(self._plan)
        self._plan = plan
        self._learnt_ns = self._switch.client.clock.monotonic_ns()
        uptime = said.get(mib.SYS_UPTIME)
        young = isinstance(uptime, int) and uptime < YOUNG_TICKS
        # Tables that are too long will be no shorter in five minutes.
        failed = any(not isinstance(error, TooManyRows) for error in plan.failed.values())
        wait = SOON_SECONDS if failed or young else self._learn_seconds
        self._due_ns = self._learnt_ns + round(min(wait, self._learn_seconds) * 1e9)
        self._heard(uptime)
        readings = [
            plan.reading(stream, {**plan.learnt, **values})
            for stream in STREAMS
            if plan.has(stream) or stream not in plan.failed
        ]
        return self._readings(readings, tuple(plan.failed.values()), uptime, sent_ns)

    def _ports_changed(self) -> bool:
        """Whether the switch has walked its ports since, and found others."""
        ports, before = self._switch.ports, self._ports
        if ports is before:
            return False
        return [(p.key, p.if_index) for p in ports] != [(p.key, p.if_index) for p in before]

    def _heard(self, uptime: Value) -> None:
        self._uptime = uptime if isinstance(uptime, int) else None

    def _readings(
        self, readings: Sequence[Reading], errors: Iterable[SnmpError], uptime: Value, sent_ns: int
    ) -> Readings:
        return Readings(
            readings=tuple(readings),
            errors=tuple({str(error): error for error in errors}.values()),
            uptime_ticks=uptime if isinstance(uptime, int) else None,
            sent_ns=sent_ns,
            received_ns=self._switch.client.clock.monotonic_ns(),
        )


async def _tables(
    session: Session, files: Sequence[VendorFile], budget: Budget
) -> tuple[Table, EntityTree]:
    """Walk what may be there, then what belongs to what is there."""
    table = Table()
    # Stream by stream: an agent that falls silent over the tables of one is still asked the rest.
    for part in _PRIMARY.values():
        roots = [root for find in part for root in find(files)]
        await walk_into(table, session, roots, budget)
    for more in _SECONDARY.values():
        roots = [root for find in more for root in find(files, table)]
        await walk_into(table, session, roots, budget)
    tree = await entity.read_tree(session, budget)
    return table, tree


_PRIMARY = {
    sensors.STREAM: (sensors.primary, entsensors.primary),
    optics.STREAM: (optics.roots,),
    poe.STREAM: (poe.roots,),
    ups.STREAM: (ups.roots,),
}
_SECONDARY = {
    sensors.STREAM: (sensors.secondary, entsensors.secondary),
    optics.STREAM: (optics.secondary,),
    poe.STREAM: (poe.secondary,),
    ups.STREAM: (ups.secondary,),
}


def make_plan(files: Sequence[VendorFile], body: Body) -> Plan:
    """Rows of all streams out of the tables as walked."""
    light = optics.OpticPlan()
    measured = sensors.plan(files, body) + entsensors.plan(files, body, light)
    optics.plan(files, body, light)
    optics.plan_modules(body, light)
    light.prune()
    plan = Plan(
        sensors=measured,
        optics=light.rows,
        poe=poe.plan(files, body),
        ups=ups.plan(files, body.table),
    )
    for stream in STREAMS:
        roots = [root for find in _PRIMARY[stream] for root in find(files)]
        roots += [root for find in _SECONDARY[stream] for root in find(files, body.table)]
        error = body.table.error(roots)
        if error is None and stream in {sensors.STREAM, optics.STREAM}:
            error = body.tree.error
        if error is not None:
            plan.failed[stream] = error
    _cut(plan)
    return plan


def _cut(plan: Plan) -> None:
    """Keep the first rows of a stream that has too many, and say so."""
    for stream, count in (
        (sensors.STREAM, len(plan.sensors)),
        (optics.STREAM, len(plan.optics)),
        (poe.STREAM, len(plan.poe)),
    ):
        if count > MAX_ROWS:
            plan.failed[stream] = TooManyRows(
                f"of {count} rows of the stream {stream} only {MAX_ROWS} are read"
            )
    del plan.sensors[MAX_ROWS:]
    plan.optics = dict(islice(plan.optics.items(), MAX_ROWS))
    plan.poe = dict(islice(plan.poe.items(), MAX_ROWS))
