"""Sensors, processors and memories: which there are, and their columns at one moment."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from drivers.snmp.ber import Oid, Value, oid_text
from drivers.snmp.cells import Cell, Index, Table, Values, fit, number
from drivers.snmp.entity import EntityTree, PortBook, text_of
from drivers.snmp.reading import Reading
from drivers.snmp.vendorfile import Memory, Number, Row, Sensor, VendorFile, When
from tenone.blocks.columns import Column
from tenone.vocabulary.body import SENSORS, Health, SensorKind

STREAM = "sensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorRow:
    """One sensor: what it is called and where its numbers are."""

    key: str
    label: str
    kind: SensorKind
    value: Cell | None = None
    status: Cell | None = None
    states: Mapping[int, Health] = field(default_factory=dict)
    low: float | None = None
    high: float | None = None
    used: Cell | None = None
    free: Cell | None = None
    total: Cell | None = None
    inverted: bool = False
    """The value is the share that is free."""

    @property
    def cells(self) -> Iterable[Cell]:
        """What is asked for."""
        parts = (self.value, self.status, self.used, self.free, self.total)
        return (cell for cell in parts if cell is not None)


@dataclass(frozen=True, slots=True)
class Body:
    """What rows are made of: the tables as walked, the parts, the ports."""

    table: Table
    tree: EntityTree
    ports: PortBook


def primary(files: Sequence[VendorFile]) -> list[Oid]:
    """The columns that say whether there are rows at all."""
    return [sensor.oid for file in files for sensor in file.sensors] + [
        memory.first.oid for file in files for memory in file.memory
    ]


def secondary(files: Sequence[VendorFile], table: Table) -> list[Oid]:
    """What else is needed of the tables that have rows."""
    found: list[Oid] = []
    for file in files:
        rows: tuple[Sensor | Memory, ...] = (*file.sensors, *file.memory)
        for row in rows:
            first = row.oid if isinstance(row, Sensor) else row.first.oid
            if not table.column(first):
                continue
            found += [when.oid for when in row.when]
            found += [row.names] if row.names is not None else []
            found += [part.oid for part in _parts(row)]
    return found


def _parts(row: Sensor | Memory) -> Iterable[Number]:
    if isinstance(row, Sensor):
        parts: tuple[Number | None, ...] = (row.low, row.high)
    else:
        parts = (row.used, row.free, row.total, row.used_ratio, row.free_ratio, row.unit)
    return (part for part in parts if part is not None)


def plan(files: Sequence[VendorFile], body: Body) -> list[SensorRow]:
    """The sensors the tables hold; one that says nothing usable is no sensor."""
    rows: dict[str, SensorRow] = {}
    for file in files:
        for sensor in file.sensors:
            for index in indexes(body.table.column(sensor.oid), sensor, sensor.when, body.table):
                row = _sensor(sensor, index, body)
                if row is not None:
                    rows.setdefault(row.key, row)
        for memory in file.memory:
            for index in indexes(
                body.table.column(memory.first.oid), memory.first, memory.when, body.table
            ):
                row = _memory(memory, index, body)
                if row is not None:
                    rows.setdefault(row.key, row)
    return list(rows.values())


def indexes(
    column: Mapping[Index, Value], spec: Number, conditions: Sequence[When], table: Table
) -> list[Index]:
    """The rows of a column that fit the index pattern and the conditions."""
    found = []
    for index in column:
        fits = not spec.at or (
            len(spec.at) == len(index)
            and all(
                wanted == arc or isinstance(wanted, str)
                for wanted, arc in zip(spec.at, index, strict=True)
            )
        )
        if fits and all(_holds(when, table, index) for when in conditions):
            found.append(index)
    return found


def _holds(when: When, table: Table, index: Index) -> bool:
    said: object = table.column(when.oid).get(index)
    if isinstance(said, bytes):
        said = text_of(said) or ""
    elif isinstance(said, tuple):
        said = oid_text(said)
    if not isinstance(said, (int, str)):
        return False
    return said in when.is_ if when.is_ else said not in when.not_


def _sensor(spec: Sensor, index: Index, body: Body) -> SensorRow | None:
    key = row_key(spec.object, index)
    cell = Cell((*spec.oid, *index), spec)
    said = body.table.column(spec.oid)[index]
    if spec.kind is SensorKind.STATE:
        if not isinstance(said, int) or float(said) in spec.unknown:
            return None
        return SensorRow(
            key=key,
            label=label(spec, index, body),
            kind=spec.kind,
            status=cell,
            states=spec.states,
        )
    if number(said, spec) is None:
        return None
    return SensorRow(
        key=key,
        label=label(spec, index, body),
        kind=spec.kind,
        value=cell,
        low=_fixed(spec.low, index, body.table),
        high=_fixed(spec.high, index, body.table),
    )


def _memory(spec: Memory, index: Index, body: Body) -> SensorRow | None:
    unit = 1.0
    if spec.unit is not None:
        told = number(body.table.column(spec.unit.oid).get(index), spec.unit)
        if not told:
            return None
        unit = told
    ratio = spec.used_ratio or spec.free_ratio

    def at(part: Number | None, scale: float = unit) -> Cell | None:
        if part is None or index not in body.table.column(part.oid):
            return None
        return Cell((*part.oid, *index), part, scale=scale)

    row = SensorRow(
        key=row_key(spec.object, index),
        label=label(spec, index, body),
        kind=spec.kind,
        value=at(ratio, 1.0),
        used=at(spec.used),
        free=at(spec.free),
        total=at(spec.total),
        inverted=spec.used_ratio is None and spec.free_ratio is not None,
    )
    said = {cell.name: body.table.column(cell.spec.oid)[index] for cell in row.cells}
    share, _, _ = shares(row, said)
    return row if share is not None else None


def _fixed(spec: Number | None, index: Index, table: Table) -> float | None:
    return number(table.column(spec.oid).get(index), spec) if spec is not None else None


def row_key(name: str, index: Index) -> str:
    """``hwEntityTemperature.67108873``; a scalar has its name alone."""
    return name if index in {(), (0,)} else f"{name}.{'.'.join(map(str, index))}"


def label(spec: Row, index: Index, body: Body) -> str:
    """What a person calls the row."""
    text = spec.label
    entity = body.tree.label(index[0]) if index else None
    name = None
    if spec.names is not None:
        arcs = len(index) if spec.names_arcs is None else spec.names_arcs
        name = text_of(body.table.column(spec.names).get(index[:arcs]))
    port = body.ports.by_index.get(index[0]) if index else None

    def fill(found: re.Match[str]) -> str:
        what = found[1]
        if what.isdigit():
            return str(index[int(what)]) if int(what) < len(index) else ""
        told = {"entity": entity, "name": name, "port": port.key if port else None}.get(what)
        return told or row_key(spec.object, index)

    return re.sub(r"\{(\w+)\}", fill, text)


def shares(row: SensorRow, values: Values) -> tuple[float | None, float | None, float | None]:
    """Of a memory: share used, bytes used, bytes in all; of others the value alone."""
    value = row.value.read(values) if row.value is not None else None
    used = row.used.read(values) if row.used is not None else None
    free = row.free.read(values) if row.free is not None else None
    total = row.total.read(values) if row.total is not None else None
    if total is None and used is not None and free is not None:
        total = used + free
    if used is None and total is not None and free is not None:
        used = total - free
    if value is not None and row.inverted:
        value = round(1 - value, 6)
    if value is None and used is not None and total:
        value = used / total
    if used is None and value is not None and total is not None:
        used = value * total
    return value, used, total


def reading(rows: Sequence[SensorRow], values: Values) -> Reading:
    """The stream ``sensors`` at one moment."""
    columns: dict[str, list[int | float | str | None]] = {name: [] for name in SENSORS}
    for row in rows:
        value, used, total = shares(row, values)
        code, health = _state(row, values, value)
        if row.status is not None and row.value is not None and health not in {None, Health.OK}:
            value = None  # what a broken sensor says is no measurement
        cells = (row.kind, row.label, value, health, code, row.low, row.high, used, total)
        for name, cell in zip(SENSORS, cells, strict=True):
            columns[name].append(fit(name, cell))
    return Reading(
        stream=STREAM,
        rows=tuple(row.key for row in rows),
        columns=tuple(Column.of(name, cells) for name, cells in columns.items()),
    )


def _state(row: SensorRow, values: Values, value: float | None) -> tuple[int | None, Health | None]:
    """The agent's own number, and what it means."""
    if row.status is not None:
        said = values.get(row.status.name)
        if not isinstance(said, int):
            return None, None
        return said, row.states.get(said, Health.UNKNOWN)
    if value is None or (row.low is None and row.high is None):
        return None, None
    within = (row.low is None or value >= row.low) and (row.high is None or value <= row.high)
    return None, Health.OK if within else Health.WARNING
