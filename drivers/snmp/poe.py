"""Power over Ethernet: what each port draws and may draw, and what the supply has left."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from drivers.snmp import mib
from drivers.snmp.ber import Oid
from drivers.snmp.cells import Cell, Index, Table, Values, fit, number
from drivers.snmp.optics import port_arc, port_of
from drivers.snmp.ports import Port
from drivers.snmp.reading import Reading
from drivers.snmp.sensors import Body, indexes
from drivers.snmp.truth import ETHERNET_TYPES
from drivers.snmp.vendorfile import Poe, VendorFile
from tenone.blocks.columns import Column
from tenone.vocabulary.body import POE, PoeRole

STREAM = "poe"
_LEARNT = frozenset({"poe_class", "poe_limit_watts"})


_PORT_ENABLE: Oid = (1, 3, 6, 1, 2, 1, 105, 1, 1, 1, 3)
_TAIL = re.compile(r"\D(\d{1,9})/(?:\d{1,9}/)*(\d{1,9})$")
"""The first and the last of the numbers at the end of a name: 1 and 3 of ``Gi1/0/3``."""


@dataclass(slots=True)
class PoeRow:
    """A port that can feed, or a supply."""

    role: PoeRole
    cells: dict[str, Cell] = field(default_factory=dict)
    quiet: dict[str, Cell] = field(default_factory=dict)
    """Columns that say nothing usable now."""


def roots(files: Sequence[VendorFile]) -> list[Oid]:
    """The columns that say whether a table has rows: the first of each."""
    return [
        next(iter(table.columns.values()))[0].oid
        for file in files
        for table in file.poe
        if table.columns
    ]


def secondary(files: Sequence[VendorFile], table: Table) -> list[Oid]:
    """The other columns of tables that have rows."""
    found: list[Oid] = []
    for file in files:
        for one in file.poe:
            if table.column(next(iter(one.columns.values()))[0].oid):
                found += [number.oid for numbers in one.columns.values() for number in numbers]
                found += [when.oid for when in one.when]
                found += [one.names] if one.names is not None else []
                if one.port == "group_port":
                    found.append(mib.BRIDGE_PORT_IF_INDEX)
    return found


class Numbering:
    """What the ports' names say of units and numbers, and how many groups feed."""

    def __init__(self, body: Body) -> None:
        self.groups = len({index[0] for index in body.table.column(_PORT_ENABLE) if index})
        self.named: dict[tuple[int, int], list[Port]] = {}
        for port in body.ports.ports:
            found = _TAIL.search(port.name or port.descr or "")
            if found is not None and port.type in ETHERNET_TYPES:
                unit = (int(found[1]), int(found[2]))
                self.named.setdefault(unit, []).append(port)


def plan(files: Sequence[VendorFile], body: Body) -> dict[str, PoeRow]:
    """Ports and supplies by key."""
    rows: dict[str, PoeRow] = {}
    numbering = Numbering(body)
    for file in files:
        for table in file.poe:
            for column, numbers in table.columns.items():
                for spec in numbers:
                    pattern = spec.at or table.at
                    fitted = spec.model_copy(update={"at": pattern})
                    cells = body.table.column(spec.oid)
                    for index in indexes(cells, fitted, table.when, body.table):
                        key, role = _whose(table, index, pattern, body, numbering)
                        row = rows.setdefault(key, PoeRow(role))
                        cell = Cell((*spec.oid, *index), spec, column)
                        known = number(cells[index], spec, column) is not None
                        (row.cells if known else row.quiet).setdefault(column, cell)
    found = {key: row for key, row in rows.items() if row.cells}
    for row in found.values():
        row.cells = {**row.quiet, **row.cells}
    return found


def _whose(
    table: Poe,
    index: Index,
    pattern: Sequence[int | str],
    body: Body,
    numbering: Numbering,
) -> tuple[str, PoeRole]:
    arcs: dict[int | str, int] = dict(zip(pattern, index, strict=True))
    if table.role == "supply":
        return f"pse {port_arc(arcs, index)}", PoeRole.SUPPLY
    if table.port == "group_port":
        port = port_by_group(index, body, numbering)
    else:
        port = port_of(table, port_arc(arcs, index), index, body)
    return port.key if port is not None else "#" + ".".join(map(str, index)), PoeRole.PORT


def port_by_group(index: Index, body: Body, numbering: Numbering | None = None) -> Port | None:
    """The port that POWER-ETHERNET-MIB calls ``group.port`` (RFC 3621: pethPsePortIndex).

    In a stack by the two numbers in its name; else as the bridge counts, or by ifIndex. None
    where that leaves a doubt.
    """
    if len(index) != 2:  # noqa: PLR2004 - group and port
        return None
    group, place = index
    numbering = numbering or Numbering(body)
    named = numbering.named.get((group, place), ())
    if len(named) == 1:
        return named[0]
    bridged = body.table.column(mib.BRIDGE_PORT_IF_INDEX).get((place,))
    if numbering.groups > 1:
        return None
    if isinstance(bridged, int) and bridged in body.ports.by_index:
        return body.ports.by_index[bridged]
    port = body.ports.by_index.get(place)
    return port if port is not None and port.type in ETHERNET_TYPES else None


def live(rows: Mapping[str, PoeRow]) -> Iterable[Cell]:
    """What is asked for every time."""
    return (
        cell for row in rows.values() for column, cell in row.cells.items() if column not in _LEARNT
    )


def reading(rows: Mapping[str, PoeRow], values: Values) -> Reading:
    """The stream ``poe`` at one moment."""
    columns: dict[str, list[int | float | str | None]] = {name: [] for name in POE}
    for row in rows.values():
        for name, column in columns.items():
            if name == "poe_role":
                column.append(row.role)
            else:
                cell = row.cells.get(name)
                column.append(fit(name, cell.read(values) if cell is not None else None))
    return Reading(
        stream=STREAM,
        rows=tuple(rows),
        columns=tuple(Column.of(name, cells) for name, cells in columns.items()),
    )
