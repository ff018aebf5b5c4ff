"""Forwarding database and address caches: numbers of ports, VLANs, damage."""

import pytest

from drivers.snmp.ber import Oid, Tag, Value
from drivers.snmp.message import VarBind
from drivers.snmp.mib import BRIDGE_PORT_IF_INDEX
from drivers.snmp.ports import Port
from drivers.snmp.session import Walk
from drivers.snmp.stations import (
    DOT1Q_VLAN_FDB,
    IP_NET_TO_MEDIA,
    IP_NET_TO_PHYSICAL,
    address_caches,
    bridge_ports,
    vlan_of_fdb,
)

MAC = bytes.fromhex("020000000001")


def walk(root: Oid, *rows: tuple[tuple[int, ...], Value]) -> Walk:
    return Walk(tuple(VarBind((*root, *index), Tag.NULL, value) for index, value in rows), None)


@pytest.mark.parametrize(
    ("listed", "used", "expected"),
    [
        # By the table.
        ([((1,), 101), ((2,), 102)], {1, 2}, {1: 101, 2: 102}),
        # One number that is not in it does not make the others something else.
        ([((1,), 101), ((2,), 102)], {1, 9}, {1: 101, 2: 102}),
        # No table: the ifIndex itself.
        ([], {5, 6}, {5: 5, 6: 6}),
        # Listed by ifIndex, used by place (SG2218P).
        ([((49153,), 49153), ((49154,), 49154)], {1, 2}, {1: 49153, 2: 49154}),
    ],
)
def test_bridge_ports(
    listed: list[tuple[tuple[int, ...], Value]], used: set[int], expected: dict[int, int]
) -> None:
    assert bridge_ports(walk(BRIDGE_PORT_IF_INDEX, *listed), used) == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], None),
        ([((0, 31), 1), ((0, 255), 2)], {1: 31, 2: 255}),
        # One database shared by two VLANs says nothing of either.
        ([((0, 31), 1), ((0, 255), 1), ((0, 7), 2)], {2: 7}),
    ],
)
def test_vlan_of_fdb(
    rows: list[tuple[tuple[int, ...], Value]], expected: dict[int, int] | None
) -> None:
    assert vlan_of_fdb(walk(DOT1Q_VLAN_FDB, *rows)) == expected


def test_address_caches() -> None:
    vlan = Port(
        key="Vlan1", if_index=9, name="Vlan1", descr=None, alias=None, type=136, mtu=None, mac=None
    )
    v6 = (*bytes.fromhex("20010db8000000000000000000000001"),)
    addresses, bound = address_caches(
        walk(
            IP_NET_TO_MEDIA,
            ((9, 10, 0, 0, 5), MAC),
            ((9, 10, 0, 0, 6), b""),
            ((9, 10, 0, 0), MAC),
            ((9, 10, 0, 0, 300), MAC),
        ),
        walk(
            IP_NET_TO_PHYSICAL,
            ((9, 1, 4, 10, 0, 0, 5), MAC),
            ((9, 2, 16, *v6), MAC),
            ((9, 4, 20, *v6, 0, 0, 0, 9), MAC),
            ((9, 7, 1, 1), MAC),
        ),
        [vlan],
    )
    assert addresses == {"02:00:00:00:00:01": ("10.0.0.5", "2001:db8::1")}
    assert bound == {"02:00:00:00:00:01": "Vlan1"}
