"""Reads the vendor tables a device may have into rows of their streams."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from drivers.snmp.ber import Missing, Oid, Value
from drivers.snmp.errors import SnmpError
from drivers.snmp.ports import Port
from drivers.snmp.session import Session, Walk
from drivers.snmp.target import Budget
from drivers.snmp.vendor_tables import ColumnSpec, TableSpec
from drivers.snmp.vendor_values import read_index, read_value

MAX_VENDOR_ROWS = 16_384
"""Four times the access points of the largest controller."""

Cell = str | int | float | None


@dataclass(slots=True)
class VendorRows:
    """Rows by stream and key. A stream in ``failed`` was cut: it is unknown, not empty."""

    rows: dict[str, dict[str, dict[str, Cell]]] = field(default_factory=dict)
    failed: dict[str, SnmpError] = field(default_factory=dict)


async def read_vendor_tables(
    session: Session,
    tables: Sequence[TableSpec],
    ports: Sequence[Port],
    budget: Budget | None = None,
) -> VendorRows:
    """Ask for each table's required objects, then for the others where there are rows."""
    found = VendorRows()
    keys = {port.if_index: port.key for port in ports}
    for table in tables:
        error = await _read_table(session, table, keys, found.rows, budget)
        if error is not None:
            found.failed.setdefault(table.stream, error)
    return found


async def _read_table(
    session: Session,
    table: TableSpec,
    ports: Mapping[int, str],
    rows: dict[str, dict[str, dict[str, Cell]]],
    budget: Budget | None,
) -> SnmpError | None:
    first = list(table.required)
    walks = await _walk(session, table, first, budget)
    error = next((walk.error for walk in walks.values() if walk.error is not None), None)
    if not any(walk.varbinds for walk in walks.values()):
        return error
    wanted = {one.column for one in table.columns if one.column} | ({table.name} - {()})
    rest = sorted(wanted - set(first))
    walks |= await _walk(session, table, rest, budget)
    error = next((walk.error for walk in walks.values() if walk.error is not None), None)
    values: dict[Oid, dict[Oid, Value]] = {}
    for column, walk in walks.items():
        size = len(table.root) + len(column)
        for bind in walk.varbinds:
            if not isinstance(bind.value, Missing):
                values.setdefault(bind.name[size:], {})[column] = bind.value
    into = rows.setdefault(table.stream, {})
    for index, said in sorted(values.items()):
        parts = read_index(table.index, index, ports)
        if parts is not None:
            _add(into, table, parts, said)
    return error


async def _walk(
    session: Session, table: TableSpec, columns: Sequence[Oid], budget: Budget | None
) -> dict[Oid, Walk]:
    roots = [(*table.root, *column) for column in columns]
    walks = await session.walk_all(roots, budget, MAX_VENDOR_ROWS) if roots else []
    return dict(zip(columns, walks, strict=True))


def _add(
    into: dict[str, dict[str, Cell]],
    table: TableSpec,
    parts: Sequence[str],
    said: Mapping[Oid, Value],
) -> None:
    name = read_value("text", said.get(table.name)) if table.name else None
    if table.name and name is None:
        return
    row = into.setdefault(table.key.format(*parts, name=name), {})
    for column in table.columns:
        cell = _cell(column, parts, said, row)
        if column.add and isinstance(cell, int | float):
            before = row.get(column.name)
            row[column.name] = cell + (before if isinstance(before, int | float) else 0)
        elif row.get(column.name) is None:
            row[column.name] = cell


def _cell(
    column: ColumnSpec, parts: Sequence[str], said: Mapping[Oid, Value], row: Mapping[str, Cell]
) -> Cell:
    if column.index is not None:
        return parts[column.index]
    if column.total:
        counts = [row.get(name) for name in column.total]
        known = [one for one in counts if isinstance(one, int | float)]
        return sum(known) if len(known) == len(counts) else None
    return read_value(
        column.kind,
        said.get(column.column),
        words=column.words,
        scale=column.scale,
        low=column.low,
        high=column.high,
    )
