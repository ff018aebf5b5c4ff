"""Optical modules, lane by lane: light, current, heat, bounds, and what the module is."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from drivers.snmp.ber import Oid, Value
from drivers.snmp.cells import Cell, Index, Table, Values, fit, lanes_of, number
from drivers.snmp.entity import MODULE, PORT, PortBook, text_of
from drivers.snmp.ports import Port
from drivers.snmp.reading import Reading
from drivers.snmp.sensors import Body, indexes
from drivers.snmp.vendorfile import Number, Optics, PortTable, VendorFile
from tenone.blocks.columns import Column
from tenone.vocabulary.body import OPTICS
from tenone.vocabulary.metric import ColumnType
from tenone.vocabulary.metrics import METRICS

STREAM = "optics"
LIVE = frozenset(OPTICS[OPTICS.index("rx_dbm") : OPTICS.index("tx_fault") + 1])
"""Columns asked for every time; the others are learnt."""
MAX_LANES = 16
WORKS = 1
"""EntitySensorStatus ok."""


@dataclass(slots=True)
class OpticRow:
    """One lane of a module, or the module as a whole."""

    port: str | None
    lane: int | None
    cells: dict[str, Cell] = field(default_factory=dict)
    """Columns that move."""
    facts: dict[str, float | str] = field(default_factory=dict)
    """Columns that do not."""
    quiet: dict[str, Cell] = field(default_factory=dict)
    """Columns that move and say nothing now: no light yet, perhaps some later."""
    gates: dict[str, Cell] = field(default_factory=dict)
    """Column -> where the agent says whether the sensor works at all."""


class OpticPlan:
    """Rows by port and lane, filled from several tables."""

    def __init__(self) -> None:
        self.rows: dict[str, OpticRow] = {}

    def row(self, port: Port | None, number_: int, lane: int | None) -> OpticRow:
        """The row of a lane; ``number_`` names a port that is not known."""
        name = port.key if port is not None else f"#{number_}"
        key = name if lane is None else f"{name}|{lane}"
        return self.rows.setdefault(key, OpticRow(port.key if port else None, lane))

    def prune(self) -> None:
        """Let go of rows about which nothing is known; of others ask what is quiet now, too."""
        self.rows = {key: row for key, row in self.rows.items() if row.cells or row.facts}
        for row in self.rows.values():
            row.cells = {**row.quiet, **row.cells}
            row.quiet = {}


def roots(files: Sequence[VendorFile]) -> list[Oid]:
    """The columns that say whether a table has rows: the first of each."""
    return [
        next(iter(table.columns.values()))[0].oid
        for file in files
        for table in file.optics
        if table.columns
    ]


def secondary(files: Sequence[VendorFile], table: Table) -> list[Oid]:
    """The other columns of tables that have rows."""
    found: list[Oid] = []
    for file in files:
        for one in file.optics:
            first = next(iter(one.columns.values()))[0].oid
            if table.column(first):
                found += [number.oid for numbers in one.columns.values() for number in numbers]
                found += [when.oid for when in one.when]
                found += [one.names] if one.names is not None else []
    return found


def plan(files: Sequence[VendorFile], body: Body, into: OpticPlan) -> None:
    """Add what the makers' tables say."""
    for file in files:
        for table in file.optics:
            for column, numbers in table.columns.items():
                for spec in numbers:
                    _add(table, column, spec, body, into)


def _add(table: Optics, column: str, spec: Number, body: Body, into: OpticPlan) -> None:
    cells = body.table.column(spec.oid)
    pattern = spec.at or table.at
    fitted = spec.model_copy(update={"at": pattern})
    for index in indexes(cells, fitted, table.when if not spec.at else (), body.table):
        arcs: dict[int | str, int] = dict(zip(pattern, index, strict=True))
        at = port_arc(arcs, index)
        port = port_of(table, at, index, body)
        lane = arcs.get("lane")
        told = None if lane is None else int(lane) - table.first_lane + 1
        if spec.lanes:
            _add_lanes(column, spec, index, cells[index], into, (port, at))
        else:
            _put(
                into.row(port, at, told),
                column,
                Cell((*spec.oid, *index), spec, column),
                cells[index],
            )


def _add_lanes(  # noqa: PLR0917 - one call, above
    column: str,
    spec: Number,
    index: Index,
    said: Value,
    into: OpticPlan,
    where: tuple[Port | None, int],
) -> None:
    count = min(lanes_of(said), MAX_LANES)
    for lane in range(count):
        told = lane + 1 if count > 1 else None
        cell = Cell((*spec.oid, *index), spec, column, lane)
        _put(into.row(*where, told), column, cell, said)


def _put(row: OpticRow, column: str, cell: Cell, said: Value) -> None:
    """Take a cell unless an earlier source says something."""
    if column in row.cells or column in row.facts:
        return
    if METRICS[column].type is ColumnType.TEXT:
        text = text_of(said)
        if text:
            row.facts[column] = text
        return
    value = number(said, cell.spec, column, cell.lane, cell.scale)
    if column in LIVE:
        if value is not None:
            row.cells[column] = cell
        else:
            row.quiet.setdefault(column, cell)
    elif value is not None:
        row.facts[column] = value


def port_arc(arcs: Mapping[int | str, int], index: Index) -> int:
    """The arc that says which port."""
    return arcs.get("port", index[0] if index else 0)


def port_of(table: PortTable, arc: int, index: Index, body: Body) -> Port | None:
    """The port a row is about."""
    if table.port == "entity":
        return body.tree.port(arc, body.ports)
    if table.port == "name" and table.names is not None:
        column = body.table.column(table.names)
        name = text_of(column.get(index) or column.get((arc,)))
        return body.ports.named(name) if name else None
    return body.ports.by_index.get(arc + table.offset)


def plan_modules(body: Body, into: OpticPlan) -> None:
    """Add the modules that ENTITY-MIB names: parts with a serial number that sit in a port."""
    for part in body.tree.parts.values():
        if part.kind not in {PORT, MODULE} or not part.serial or not (part.model or part.maker):
            continue
        port = body.tree.port(part.index, body.ports)
        if port is None:
            continue
        row = into.row(port, port.if_index, None)
        facts = (
            ("module_vendor", part.maker),
            ("module_part", part.model),
            ("module_serial", part.serial),
            ("module_type", part.descr if not same_port(part.descr, body.ports) else None),
        )
        for column, text in facts:
            if text:
                row.facts.setdefault(column, text)


def same_port(text: str | None, ports: PortBook) -> bool:
    """Whether a text only says which port it is."""
    return text is not None and ports.named(text) is not None


def live(rows: Mapping[str, OpticRow]) -> Iterable[Cell]:
    """What is asked for every time."""
    return (
        cell for row in rows.values() for cells in (row.cells, row.gates) for cell in cells.values()
    )


def reading(rows: Mapping[str, OpticRow], values: Values) -> Reading:
    """The stream ``optics`` at one moment."""
    columns: dict[str, list[int | float | str | None]] = {name: [] for name in OPTICS}
    for row in rows.values():
        for name, column in columns.items():
            column.append(_cell(row, name, values))
    return Reading(
        stream=STREAM,
        rows=tuple(rows),
        columns=tuple(Column.of(name, cells) for name, cells in columns.items()),
    )


def _cell(row: OpticRow, name: str, values: Values) -> int | float | str | None:
    if name == "optic_port":
        return row.port
    if name == "optic_lane":
        return fit(name, row.lane)
    fact: float | str | None = row.facts.get(name)
    if name in row.cells:
        works = row.gates[name].read(values) if name in row.gates else None
        # What a sensor says that its agent calls unavailable or broken is no measurement.
        fact = row.cells[name].read(values) if works in {None, WORKS} else None
    return fit(name, fact)


_LANE = re.compile(r"\blane\s*#?(\d{1,2})", re.IGNORECASE)


def lane_in(text: str) -> int | None:
    """The lane that a sensor's name speaks of."""
    found = _LANE.search(text)
    return int(found[1]) if found else None
