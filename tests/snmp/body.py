"""Hand-made tables for the tests of sensors, optics, PoE and UPS."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from drivers.snmp.ber import Oid, Value
from drivers.snmp.cells import Index, Table
from drivers.snmp.entity import Entity, EntityTree, PortBook
from drivers.snmp.ports import Port
from drivers.snmp.reading import Reading
from drivers.snmp.sensors import Body
from drivers.snmp.vendorfile import EntitySensors, Number, VendorFile, load

HEAD = "schema_version: 1\nmaker: Test\nmatch: {everything: true}\n"


def oid(text: str) -> Oid:
    return tuple(int(arc) for arc in text.split("."))


def port(if_index: int, name: str, kind: int = 6) -> Port:
    return Port(
        key=name, if_index=if_index, name=name, descr=None, alias=None, type=kind, mtu=None,
        mac=None,
    )  # fmt: skip


def body(
    columns: Mapping[str, Mapping[Index, Value]],
    ports: tuple[Port, ...] = (),
    parts: tuple[Entity, ...] = (),
    interfaces: Mapping[int, int] | None = None,
) -> Body:
    table = Table({oid(root): dict(rows) for root, rows in columns.items()})
    tree = EntityTree({part.index: part for part in parts}, interfaces or {})
    return Body(table, tree, PortBook(ports))


def vendor(folder: Path, text: str) -> list[VendorFile]:
    path = folder / "test.yaml"
    path.write_text(HEAD + text)
    return [load(path)]


def rows(reading: Reading) -> dict[str, dict[str, Any]]:
    held = {column.metric.name: list(column) for column in reading.columns}
    return {
        key: {name: values[place] for name, values in held.items()}
        for place, key in enumerate(reading.rows)
    }


def every_number(part: object) -> Iterator[Number]:
    """Every number a file names."""
    if isinstance(part, Number):
        yield part
    if isinstance(part, EntitySensors):
        for column in range(1, 6):
            yield Number.model_validate({"oid": ".".join(map(str, (*part.oid, column)))})
    if isinstance(part, BaseModel):
        for name in type(part).model_fields:
            yield from every_number(getattr(part, name))
    elif isinstance(part, dict):
        for one in part.values():
            yield from every_number(one)
    elif isinstance(part, tuple):
        for one in part:
            yield from every_number(one)
