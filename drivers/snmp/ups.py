"""A UPS: what it runs on, how long still, how full (UPS-MIB, RFC 1628, and makers' tables)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from drivers.snmp.ber import Oid
from drivers.snmp.cells import Cell, Table, Values, fit, number
from drivers.snmp.reading import Reading
from drivers.snmp.sensors import indexes
from drivers.snmp.vendorfile import Pick, VendorFile
from tenone.blocks.columns import Column
from tenone.vocabulary.body import UPS, PowerSource

STREAM = "ups"
KEY = "ups"


@dataclass(frozen=True, slots=True)
class Source:
    """One place a column can come from; several cells where there are several lines."""

    pick: Pick
    cells: tuple[Cell, ...]

    def read(self, values: Values) -> float | None:
        """What it says now."""
        told = [value for cell in self.cells if (value := cell.read(values)) is not None]
        return _picked(self.pick, told)


@dataclass(slots=True)
class UpsPlan:
    """Where each column is; of several sources the first that says something at the moment."""

    sources: dict[str, list[Source]] = field(default_factory=dict)

    def live(self) -> Iterable[Cell]:
        """What is asked for every time."""
        return (
            cell for sources in self.sources.values() for source in sources for cell in source.cells
        )


_SAYS_UPS = frozenset({"power_source", "battery_status", "battery_charge_ratio"})


def roots(files: Sequence[VendorFile]) -> list[Oid]:
    """The columns of which a UPS has at least one."""
    return [
        spec.oid
        for file in files
        for column, specs in file.ups.items()
        if column in _SAYS_UPS
        for spec in specs
    ]


def secondary(files: Sequence[VendorFile], table: Table) -> list[Oid]:
    """All the others, where the device is one."""
    return [
        spec.oid
        for file in files
        if any(table.column(root) for root in roots([file]))
        for specs in file.ups.values()
        for spec in specs
    ]


def plan(files: Sequence[VendorFile], table: Table) -> UpsPlan:
    """The columns this device has; none where nothing of them says anything.

    A source that says nothing now is kept: the minutes left are often told only while the battery
    feeds.
    """
    found = UpsPlan()
    known = False
    for file in files:
        for column, specs in file.ups.items():
            for spec in specs:
                cells = table.column(spec.oid)
                told = indexes(cells, spec, (), table)
                if told:
                    made = tuple(Cell((*spec.oid, *index), spec, column) for index in told)
                    found.sources.setdefault(column, []).append(Source(spec.pick, made))
                    known |= any(number(cells[i], spec, column) is not None for i in told)
    return found if known else UpsPlan()


def reading(found: UpsPlan, values: Values) -> Reading:
    """The stream ``ups`` at one moment; no rows where the device is no UPS."""
    if not found.sources:
        return Reading(stream=STREAM, rows=(), columns=tuple(Column.of(name, ()) for name in UPS))
    row: dict[str, float | None] = {}
    for name, sources in found.sources.items():
        said = (source.read(values) for source in sources)
        row[name] = next((value for value in said if value is not None), None)
    source = row.get("power_source")
    if source is not None and row.get("on_battery") is None:
        row["on_battery"] = float(source == PowerSource.BATTERY)
    return Reading(
        stream=STREAM,
        rows=(KEY,),
        columns=tuple(Column.of(name, (fit(name, row.get(name)),)) for name in UPS),
    )


def _picked(pick: Pick, told: Sequence[float]) -> float | None:
    if not told:
        return None
    match pick:
        case Pick.MAX:
            return max(told)
        case Pick.MIN:
            return min(told)
        case Pick.SUM:
            return sum(told)
        case Pick.FIRST:
            return told[0]
