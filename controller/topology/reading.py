"""Blocks of the streams of surroundings as values. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from controller.state.resolve import names_of
from controller.store.protocols import Arrival
from controller.store.records import PortFacts
from controller.topology.model import Heard, Identity
from controller.topology.net import Ports
from tenone.blocks.columns import Value

Row = Mapping[str, Value | None]


def rows_of(arrival: Arrival) -> dict[str, Row]:
    """The block's rows by key; an unknown value is None."""
    columns = arrival.block.columns(arrival.layout)
    named = [(column.metric.name, list(column)) for column in columns]
    return {
        key: {name: values[place] for name, values in named}
        for place, key in enumerate(arrival.layout.rows)
    }


def text(row: Row, name: str) -> str | None:
    """A text column's value; an empty one says nothing."""
    said = row.get(name)
    return said or None if isinstance(said, str) else None


def number(row: Row, name: str) -> int | None:
    """A number column's value."""
    said = row.get(name)
    return said if isinstance(said, int) else None


def identity_of(row: Row) -> Identity:
    """A row of ``switch-identity``."""
    return Identity(
        serial=text(row, "own_serial"),
        engine_id=text(row, "own_engine_id"),
        base_mac=text(row, "own_base_mac"),
        chassis_id=text(row, "own_chassis_id"),
        model=text(row, "own_model"),
    )


def heard_of(switch: str, row: Row) -> Heard:
    """A row of ``neighbours``."""
    capabilities = row.get("neighbour_capabilities")
    return Heard(
        switch=switch,
        port=text(row, "neighbour_port") or "?",
        protocol=text(row, "neighbour_protocol") or "?",
        chassis_id=text(row, "neighbour_chassis_id"),
        mac=text(row, "neighbour_mac"),
        remote_port=text(row, "neighbour_remote_port"),
        name=text(row, "neighbour_name"),
        address=text(row, "neighbour_address"),
        capabilities=frozenset(capabilities.split()) if isinstance(capabilities, str) else None,
    )


def stations_of(rows: Iterable[Row]) -> dict[str, str]:
    """Address -> port, out of rows of ``stations``; one that is on two ports is on neither."""
    found: dict[str, set[str]] = {}
    for row in rows:
        mac, port = text(row, "station_mac"), text(row, "station_port")
        if mac is not None and port is not None:
            found.setdefault(mac, set()).add(port)
    return {mac: ports.pop() for mac, ports in found.items() if len(ports) == 1}


def facts_of(key: str, row: Row) -> PortFacts:
    """A row of ``port-inventory``."""
    return PortFacts(
        port=key,
        if_index=number(row, "if_index"),
        if_name=text(row, "if_name"),
        if_descr=text(row, "if_descr"),
        if_alias=text(row, "if_alias"),
        if_type=number(row, "if_type"),
        mtu=number(row, "mtu"),
        mac=text(row, "mac"),
    )


def ports_known(ports: Sequence[PortFacts]) -> Ports:
    """What a switch's inventory says of its ports."""
    return Ports(
        keys=frozenset(port.port for port in ports),
        names=names_of(ports),
        macs=frozenset(port.mac for port in ports if port.mac and port.mac.strip("0:")),
    )
