"""ENTITY-SENSOR-MIB (RFC 3433) and tables built like it.

A sensor that sits in a port belongs to the optical module there; all others are sensors of the
device.
"""

from collections.abc import Sequence
from dataclasses import replace

from drivers.snmp.ber import Oid
from drivers.snmp.cells import Cell, Table
from drivers.snmp.optics import OpticPlan, lane_in
from drivers.snmp.ports import Port
from drivers.snmp.sensors import Body, SensorRow, row_key
from drivers.snmp.vendorfile import Convert, EntitySensors, Number, VendorFile
from tenone.vocabulary.body import Health, SensorKind

TYPE, SCALE, PRECISION, VALUE, STATUS = range(1, 6)
_UNITS = 9
"""EntitySensorDataScale units(9): 10 to the 0; each step is a factor of 1,000."""
_YOTTA = 17
"""The largest EntitySensorDataScale; yocto is 1."""
_MAX_PRECISION = 9
_STATES = {1: Health.OK, 2: Health.UNKNOWN, 3: Health.FAILED}
"""EntitySensorStatus ok, unavailable, nonoperational."""
_IN_PORT = {
    SensorKind.TEMPERATURE: "module_celsius",
    SensorKind.VOLTAGE: "module_volts",
    SensorKind.CURRENT: "bias_ma",
}
_MILLI = 1000.0
_SEVERITY, _RELATION, _THRESHOLD = 2, 3, 4
_MAJOR = frozenset({20, 30})
_PLAIN = Number.model_validate({"oid": "1.3.6.1.2.1.99.1.1.1.4"})
_RATIO = _PLAIN.model_copy(update={"factor": 0.01})
_LESS = frozenset({1, 2})
_MORE = frozenset({3, 4})
Thresholds = dict[int, list[tuple[bool, str, int]]]


def primary(files: Sequence[VendorFile]) -> list[Oid]:
    """The columns that say whether there are rows at all."""
    return [(*spec.oid, TYPE) for file in files for spec in file.entity_sensors]


def secondary(files: Sequence[VendorFile], table: Table) -> list[Oid]:
    """What else is needed of the tables that have rows."""
    found: list[Oid] = []
    for file in files:
        for spec in file.entity_sensors:
            if table.column((*spec.oid, TYPE)):
                found += [(*spec.oid, column) for column in (SCALE, PRECISION, VALUE, STATUS)]
                if spec.thresholds is not None:
                    wanted = (_SEVERITY, _RELATION, _THRESHOLD)
                    found += [(*spec.thresholds, column) for column in wanted]
    return found


def plan(files: Sequence[VendorFile], body: Body, into: OpticPlan) -> list[SensorRow]:
    """The sensors of the device; those of optical modules go into ``into``."""
    rows = []
    for file in files:
        for spec in file.entity_sensors:
            bounds = _thresholds(spec, body)
            for index, said in body.table.column((*spec.oid, TYPE)).items():
                kind = spec.types.get(str(said))
                if kind is None or len(index) != 1:
                    continue
                port = body.tree.port(index[0], body.ports)
                row = _row(spec, index[0], kind, body, bounds)
                if row is None:
                    continue
                if port is None:
                    rows.append(row)
                else:
                    _put(into, spec, row, port, body, bounds)
    return rows


def _row(
    spec: EntitySensors, entity: int, kind: SensorKind, body: Body, thresholds: Thresholds
) -> SensorRow | None:
    def cell(column: int) -> int | None:
        said = body.table.column((*spec.oid, column)).get((entity,))
        return said if isinstance(said, int) else None

    if cell(VALUE) is None:
        return None
    precision = cell(PRECISION) or 0
    scale = cell(SCALE)
    if scale is None or not 1 <= scale <= _YOTTA:
        scale = _UNITS
    power = 3 * (scale - _UNITS)
    # Exact tens: 27375 at three decimals is 27.375, not 27.375000000000004.
    exponent = power - min(max(precision, -_MAX_PRECISION), _MAX_PRECISION)
    factor = 10.0**exponent
    number = _RATIO if kind in {SensorKind.HUMIDITY, SensorKind.FAN_RATIO} else _PLAIN
    low, high = _bounds(thresholds, entity, factor)
    return SensorRow(
        key=row_key(spec.object, (entity,)),
        label=body.tree.label(entity) or f"#{entity}",
        kind=kind,
        value=Cell((*spec.oid, VALUE, entity), number, scale=factor),
        status=Cell((*spec.oid, STATUS, entity), number),
        states=_STATES,
        low=low.get("alarm", low.get("warning")),
        high=high.get("alarm", high.get("warning")),
    )


def _thresholds(spec: EntitySensors, body: Body) -> Thresholds:
    """Entity -> its bounds: whether a lower one, how grave, and the number without its unit."""
    found: Thresholds = {}
    if spec.thresholds is None:
        return found
    severities = body.table.column((*spec.thresholds, _SEVERITY))
    relations = body.table.column((*spec.thresholds, _RELATION))
    for index, said in body.table.column((*spec.thresholds, _THRESHOLD)).items():
        relation = relations.get(index)
        if index and isinstance(said, int) and (relation in _LESS or relation in _MORE):
            grave = "alarm" if severities.get(index) in _MAJOR else "warning"
            found.setdefault(index[0], []).append((relation in _LESS, grave, said))
    return found


def _bounds(
    thresholds: Thresholds, entity: int, factor: float
) -> tuple[dict[str, float], dict[str, float]]:
    """Lower and upper bounds by how grave it is to pass them."""
    low: dict[str, float] = {}
    high: dict[str, float] = {}
    for below, grave, said in thresholds.get(entity, ()):
        (low if below else high)[grave] = round(said * factor, 9)
    return low, high


def _put(  # noqa: PLR0917 - one call, above
    into: OpticPlan,
    spec: EntitySensors,
    row: SensorRow,
    port: Port,
    body: Body,
    thresholds: Thresholds,
) -> None:
    """A sensor of a module: which column it is, and its bounds."""
    cell, factor = row.value, 1.0
    if cell is None:
        return
    entity = cell.name[-1]
    part = body.tree.parts.get(entity)
    text = " ".join(filter(None, (part.name, part.descr))) if part else ""
    column = _IN_PORT.get(row.kind)
    if row.kind in {SensorKind.LIGHT, SensorKind.POWER}:
        side = "rx" if spec.receive.search(text) else "tx" if spec.transmit.search(text) else None
        column = f"{side}_dbm" if side else None
        if row.kind is SensorKind.POWER:
            # Watts of light: to milliwatts, then to dBm.
            cell = replace(
                cell,
                scale=cell.scale * _MILLI,
                spec=cell.spec.model_copy(update={"convert": Convert.MILLIWATT}),
            )
    elif row.kind is SensorKind.CURRENT:
        factor = _MILLI
        cell = replace(cell, scale=cell.scale * _MILLI)
    if column is None:
        return
    lane = lane_in(text)
    found = into.row(port, port.if_index, lane)
    if column not in found.cells and row.status is not None:
        found.gates[column] = row.status
    found.cells.setdefault(column, replace(cell, column=column))
    if row.kind is not SensorKind.POWER:
        _put_bounds(found.facts, column, factor, _bounds(thresholds, entity, cell.scale / factor))


def _put_bounds(
    facts: dict[str, float | str],
    column: str,
    factor: float,
    both: tuple[dict[str, float], dict[str, float]],
) -> None:
    for side, bounds in zip(("low", "high"), both, strict=True):
        for grave, value in bounds.items():
            if column in {"rx_dbm", "tx_dbm"}:
                name = f"{column[:2]}_{side}_{grave}_dbm"
            elif grave == "alarm":
                stem, unit = column.rsplit("_", 1)
                name = f"{stem}_{side}_{unit}"
            else:
                continue
            facts.setdefault(name, round(value * factor, 9))
