"""Which addresses a switch has learnt on which port, and which IP addresses they had.

BRIDGE-MIB (RFC 4188) and Q-BRIDGE-MIB (RFC 4363) joined with the ARP and ND caches of IP-MIB
(RFC 4293). A pupil's phone is on this list, so it stays in the reader's memory: what becomes
columns is decided in :mod:`drivers.snmp.surroundings` (decision 0010).

Only the columns needed are walked: the VLAN bitmaps beside them are 12 KB each on some devices.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from drivers.snmp.ber import Oid, Value
from drivers.snmp.errors import SnmpError
from drivers.snmp.mib import BRIDGE_PORT_IF_INDEX
from drivers.snmp.neighbour import address_text
from drivers.snmp.ports import Port, mac_text
from drivers.snmp.session import Session, Walk
from drivers.snmp.target import Budget

MAX_STATIONS = 32_768
"""Learnt addresses read of one device: nine times the most seen in a school."""

DOT1D_FDB: Oid = (1, 3, 6, 1, 2, 1, 17, 4, 3, 1)
"""dot1dTpFdbTable by address: 2 port, 3 status."""
DOT1Q_FDB: Oid = (1, 3, 6, 1, 2, 1, 17, 7, 1, 2, 2, 1)
"""dot1qTpFdbTable by filtering database and address: 2 port, 3 status."""
DOT1Q_VLAN_FDB: Oid = (1, 3, 6, 1, 2, 1, 17, 7, 1, 4, 2, 1, 3)
"""dot1qVlanFdbId by time mark and VLAN id."""
IP_NET_TO_MEDIA: Oid = (1, 3, 6, 1, 2, 1, 4, 22, 1, 2)
"""ipNetToMediaPhysAddress by ifIndex and IPv4 address."""
IP_NET_TO_PHYSICAL: Oid = (1, 3, 6, 1, 2, 1, 4, 35, 1, 4)
"""ipNetToPhysicalPhysAddress by ifIndex, kind, length and octets of the address."""
_PORT, _STATUS = 2, 3
_MAC_BYTES = 6
_FDB_INDEX = 7
_IPV4_INDEX = 5
_IP_HEAD = 3
_IP_KINDS = frozenset({1, 2, 3, 4})
"""InetAddressType: IPv4, IPv6, and both with a zone behind the octets."""
_IPV4_KINDS = frozenset({1, 3})


class FdbStatus(IntEnum):
    """dot1dTpFdbStatus and dot1qTpFdbStatus."""

    OTHER = 1
    INVALID = 2
    LEARNED = 3
    SELF = 4
    MGMT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """One learnt address on one port. ``port`` is a port key; None: on none of ours."""

    mac: str
    port: str | None
    if_index: int | None
    vlan: int | None
    own: bool = False
    """It is an address of the switch itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stations:
    """What one reading found; ``addresses`` are IP addresses by hardware address."""

    learnt: tuple[Station, ...]
    addresses: Mapping[str, tuple[str, ...]]
    bound_to: Mapping[str, str]
    """Hardware address -> key of the interface its IP address was seen on."""
    error: SnmpError | None


async def read_stations(
    session: Session, ports: Sequence[Port], budget: Budget | None = None
) -> Stations:
    """Read the forwarding database and the address caches; never raises."""
    q_ports, q_status, vlans, bridge = await session.walk_all(
        [(*DOT1Q_FDB, _PORT), (*DOT1Q_FDB, _STATUS), DOT1Q_VLAN_FDB, BRIDGE_PORT_IF_INDEX],
        budget,
        MAX_STATIONS,
    )
    walks = [q_ports, q_status, vlans, bridge]
    if q_ports.varbinds:
        rows = _fdb(q_ports, q_status, len(DOT1Q_FDB) + 1, _FDB_INDEX)
    else:
        d_ports, d_status = await session.walk_all(
            [(*DOT1D_FDB, _PORT), (*DOT1D_FDB, _STATUS)], budget, MAX_STATIONS
        )
        walks += [d_ports, d_status]
        rows = _fdb(d_ports, d_status, len(DOT1D_FDB) + 1, _MAC_BYTES)
    media, physical = await session.walk_all(
        [IP_NET_TO_MEDIA, IP_NET_TO_PHYSICAL], budget, MAX_STATIONS
    )
    walks += [media, physical]
    addresses, bound = address_caches(media, physical, ports)
    return Stations(
        learnt=tuple(_stations(rows, vlan_of_fdb(vlans), bridge, ports)),
        addresses=addresses,
        bound_to=bound,
        error=next((walk.error for walk in walks if walk.error is not None), None),
    )


def _fdb(ports: Walk, status: Walk, size: int, width: int) -> list[tuple[Oid, int, int | None]]:
    """(index, bridge port, status) of rows whose index is well-formed and not marked invalid."""
    said = {bind.name[size:]: bind.value for bind in status.varbinds}
    found = []
    for bind in ports.varbinds:
        index, port = bind.name[size:], bind.value
        state = said.get(index)
        if len(index) != width or not isinstance(port, int) or state == FdbStatus.INVALID:
            continue
        found.append((index, port, state if isinstance(state, int) else None))
    return found


def vlan_of_fdb(walk: Walk) -> dict[int, int] | None:
    """VLAN id by filtering database, where exactly one VLAN uses the database.

    None where the agent has no such table: then the database's number is the VLAN's.
    """
    if not walk.varbinds:
        return None
    users: dict[int, set[int]] = {}
    size = len(DOT1Q_VLAN_FDB)
    for bind in walk.varbinds:
        if isinstance(bind.value, int) and len(bind.name) > size:
            users.setdefault(bind.value, set()).add(bind.name[-1])
    return {fdb: vlans.pop() for fdb, vlans in users.items() if len(vlans) == 1}


def _stations(
    rows: Iterable[tuple[Oid, int, int | None]],
    vlans: Mapping[int, int] | None,
    bridge: Walk,
    ports: Sequence[Port],
) -> Iterable[Station]:
    by_index = {port.if_index: port.key for port in ports}
    own_macs = {port.mac for port in ports if port.mac}
    rows = list(rows)
    if_index_of = bridge_ports(bridge, {number for _, number, _ in rows})
    for index, number, status in rows:
        mac = mac_text(bytes(arc & 0xFF for arc in index[-_MAC_BYTES:])) or ""
        said = if_index_of.get(number)
        if_index = said if said in by_index else None
        fdb = index[0] if len(index) == _FDB_INDEX else None
        yield Station(
            mac=mac,
            port=by_index.get(if_index) if if_index is not None else None,
            if_index=if_index,
            vlan=fdb if vlans is None or fdb is None else vlans.get(fdb),
            own=status == FdbStatus.SELF or mac in own_macs,
        )


def bridge_ports(walk: Walk, used: Collection[int]) -> dict[int, int]:
    """The ifIndex of each bridge port number in ``used``, by dot1dBasePortIfIndex.

    Without that table some agents use the ifIndex itself. Others (Omada's SG2218P) list the
    bridge's ports by ifIndex and mean by a number its place in that list: taken so only where
    not one number in use is in the list.
    """
    listed = {bind.name[-1]: bind.value for bind in walk.varbinds if isinstance(bind.value, int)}
    if not listed:
        return {number: number for number in used}
    if not any(number in listed for number in used):
        return dict(enumerate((listed[number] for number in sorted(listed)), start=1))
    return listed


def address_caches(
    media: Walk, physical: Walk, ports: Sequence[Port]
) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """IP addresses by hardware address, and the key of the interface each was seen on."""
    keys = {port.if_index: port.key for port in ports}
    found: dict[str, list[str]] = {}
    bound: dict[str, str] = {}

    def note(if_index: int, address: str | None, value: Value) -> None:
        mac = mac_text(value)
        if address is None or mac is None or len(mac) != _MAC_BYTES * 3 - 1:
            return
        known = found.setdefault(mac, [])
        if address not in known:
            known.append(address)
        if if_index in keys:
            bound.setdefault(mac, keys[if_index])

    for bind in media.varbinds:
        index = bind.name[len(IP_NET_TO_MEDIA) :]
        if len(index) == _IPV4_INDEX:
            note(index[0], _address(index[1:]), bind.value)
    for bind in physical.varbinds:
        index = bind.name[len(IP_NET_TO_PHYSICAL) :]
        if len(index) > _IP_HEAD and index[1] in _IP_KINDS:
            octets = index[_IP_HEAD : _IP_HEAD + (4 if index[1] in _IPV4_KINDS else 16)]
            note(index[0], _address(octets), bind.value)
    return {mac: tuple(addresses) for mac, addresses in found.items()}, bound


def _address(octets: Sequence[int]) -> str | None:
    if any(octet > 0xFF for octet in octets):  # noqa: PLR2004 - an octet
        return None
    return address_text(bytes(octets))
