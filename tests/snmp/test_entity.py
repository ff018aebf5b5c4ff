"""ENTITY-MIB: which part is which port."""

import pytest

from drivers.snmp.ber import Tag, Value
from drivers.snmp.client import SnmpClient
from drivers.snmp.entity import (
    ALIASES,
    CHASSIS,
    CLASS,
    CONTAINED,
    DESCR,
    ENTRY,
    MODULE,
    NAME,
    PORT,
    POSITION,
    SENSOR,
    SERIAL,
    Entity,
    EntityTree,
    PortBook,
    read_tree,
    text_of,
)
from drivers.snmp.session import Session
from drivers.snmp.target import Target
from tests.snmp.body import port
from tests.snmp.conftest import Respond, Store

PORTS = PortBook(
    (port(7, "Gi1/0/7"), port(8, "Gi1/0/8"), port(1, "1"), port(5, "TenGigabitEthernet 0/5"))
)
PARTS = {
    part.index: part
    for part in (
        Entity(index=1, kind=CHASSIS, name="Gi1/0/7"),
        Entity(index=10, kind=PORT, parent=1, name="Port seven"),
        Entity(index=11, kind=MODULE, parent=10),
        Entity(index=12, kind=SENSOR, parent=11),
        Entity(index=20, kind=SENSOR, parent=1, name="Gi1/0/8 Receive Power Sensor"),
        Entity(index=21, kind=SENSOR, parent=1, name="1 Fan"),
        Entity(index=22, kind=SENSOR, parent=1, name="Gi1/0/80 Sensor"),
        Entity(index=23, kind=SENSOR, parent=1, descr="gi1/0/8"),
        Entity(index=24, kind=SENSOR, name="TenGigabitEthernet 0/5 Rx power"),
        Entity(index=25, kind=SENSOR, name="TenGigabitEthernet 0/55: Rx power"),
        Entity(index=30, kind=SENSOR, parent=31),
        Entity(index=31, kind=SENSOR, parent=30),
    )
}


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (12, 7),
        (11, 7),
        (10, 7),
        (20, 8),
        (23, 8),
        (24, 5),
        (25, None),
        # A lone number names too much; a longer name is another port; a chassis is no port.
        (21, None),
        (22, None),
        (1, None),
        # Parts that contain each other end the search.
        (30, None),
        (99, None),
    ],
)
def test_the_port_a_part_sits_in(index: int, expected: int | None) -> None:
    tree = EntityTree(PARTS, {10: 7, 11: 4711})
    found = tree.port(index, PORTS)
    assert (found.if_index if found else None) == expected
    assert tree.port(index, PORTS) is found


@pytest.mark.parametrize(
    ("value", "expected"),
    [(b" x \0", "x"), (b"", None), (b"\0\0", None), (b"  ", None), (5, None), (None, None)],
)
def test_text(value: Value, expected: str | None) -> None:
    assert text_of(value) == expected


STORE: Store = {
    (*ENTRY, DESCR, 1): (Tag.OCTET_STRING, b"A switch"),
    (*ENTRY, DESCR, 2): (Tag.OCTET_STRING, b"A module"),
    (*ENTRY, CONTAINED, 1): (Tag.INTEGER, 0),
    (*ENTRY, CONTAINED, 2): (Tag.INTEGER, 1),
    (*ENTRY, CLASS, 1): (Tag.INTEGER, CHASSIS),
    (*ENTRY, CLASS, 2): (Tag.INTEGER, MODULE),
    (*ENTRY, POSITION, 1): (Tag.INTEGER, -1),
    (*ENTRY, NAME, 2): (Tag.OCTET_STRING, b"Module 2"),
    (*ENTRY, SERIAL, 2): (Tag.OCTET_STRING, b"S2 "),
    (*ALIASES, 2, 0): (Tag.OID, (1, 3, 6, 1, 2, 1, 2, 2, 1, 1, 8)),
    (*ALIASES, 3, 0): (Tag.OID, (1, 3, 6, 1, 2, 1, 17, 1)),
}


async def test_a_tree_is_read(client: SnmpClient, respond: Respond) -> None:
    responder = await respond(STORE)
    target = Target(host="127.0.0.1", port=responder.port, community="public")
    tree = await read_tree(Session(client, await client.device(target)), None)
    assert tree.error is None
    assert tree.interfaces == {2: 8}
    assert tree.label(1) == "A switch"
    assert tree.label(2) == "Module 2"
    assert tree.label(3) is None
    assert tree.parts[2] == Entity(
        index=2, kind=MODULE, parent=1, name="Module 2", descr="A module", serial="S2"
    )
    assert tree.parts[1].position is None


async def test_a_device_without_one_has_none(client: SnmpClient, respond: Respond) -> None:
    responder = await respond({(1, 3, 6, 1, 2, 1, 1, 1, 0): (Tag.OCTET_STRING, b"x")})
    target = Target(host="127.0.0.1", port=responder.port, community="public")
    tree = await read_tree(Session(client, await client.device(target)), None)
    assert (tree.parts, tree.error) == ({}, None)
    assert len(responder.requests) == 2
