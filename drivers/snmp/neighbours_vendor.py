"""Neighbours from the makers' own tables, for agents that have no LLDP-MIB or more beside it."""

import re
from collections.abc import Sequence

from drivers.snmp.ber import Oid, Value
from drivers.snmp.errors import SnmpError
from drivers.snmp.neighbour import Neighbour, address_text, hardware_text, text_of
from drivers.snmp.ports import Port
from drivers.snmp.session import Session
from drivers.snmp.target import Budget

MAX_VALUES = 8_192

CDP_CACHE: Oid = (1, 3, 6, 1, 4, 1, 9, 9, 23, 1, 2, 1, 1)
"""CISCO-CDP-MIB cdpCacheEntry, by ifIndex and device index."""
_CDP_KIND, _CDP_ADDRESS, _CDP_VERSION, _CDP_DEVICE, _CDP_PORT, _CDP_PLATFORM = range(3, 9)
_CDP_CAPABILITIES, _CDP_SYS_NAME = 9, 17
_CDP_COLUMNS = (
    _CDP_KIND,
    _CDP_ADDRESS,
    _CDP_VERSION,
    _CDP_PORT,
    _CDP_PLATFORM,
    _CDP_CAPABILITIES,
    _CDP_SYS_NAME,
)
_CDP_IP = 1
_CDP_BITS = (
    (0x01, "router"),
    (0x02, "bridge"),
    (0x04, "bridge"),
    (0x08, "bridge"),
    (0x10, "station-only"),
    (0x40, "repeater"),
    (0x80, "telephone"),
)
"""cdpCacheCapabilities: transparent bridge, source-route bridge and switch are all bridges."""

TPLINK_LLDP: Oid = (1, 3, 6, 1, 4, 1, 11863, 6, 35, 1, 2, 2, 1)
"""TPLINK-LLDPINFO-MIB's neighbour table, by ifIndex and a running number. As recorded from a
SG2218P: 3/4 chassis id kind and id, 5/6 port id kind and id, 8 port description, 9 name,
10 description, 12 capabilities in words, 13 management address."""
_TP_CHASSIS, _TP_PORT, _TP_PORT_DESCR, _TP_NAME, _TP_DESCR = 4, 6, 8, 9, 10
_TP_CAPABILITIES, _TP_ADDRESS = 12, 13
_TP_COLUMNS = (_TP_PORT, _TP_PORT_DESCR, _TP_NAME, _TP_DESCR, _TP_CAPABILITIES, _TP_ADDRESS)
_TP_WORDS = {
    "bridge": "bridge",
    "router": "router",
    "repeater": "repeater",
    "wlan": "wlan-access-point",
    "telephone": "telephone",
    "station": "station-only",
}
_INDEX = 2
"""Both tables: ifIndex, then a number of the neighbour."""

HUAWEI_NDP: Oid = (1, 3, 6, 1, 4, 1, 2011, 6, 7, 5, 6, 1)
"""HUAWEI-HGMP-MIB hwNDPPortNbEntry: Huawei's own neighbour discovery, older than LLDP and of the
same name as IPv6's. By hwNDPIfIndex, hwNDPPortNbDeviceId (up to ten octets, a MAC address where
they are six) and hwNDPPortNbPortName (up to 64); both are columns as well. Written from the MIB
alone: no recording at hand has a row of it. That hwNDPIfIndex is the port's ifIndex is taken from
its name."""
_NDP_DEVICE, _NDP_PORT, _NDP_NAME, _NDP_PRODUCT, _NDP_SOFTWARE = 1, 2, 3, 5, 8
_NDP_COLUMNS = (_NDP_DEVICE, _NDP_PORT, _NDP_PRODUCT, _NDP_SOFTWARE)
_NDP_LONGEST = 1 + 1 + 10 + 1 + 64
"""Numbers in an index: the port, then two texts with their lengths."""
_OCTET = 0xFF
_MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")

_Rows = dict[tuple[int, ...], dict[int, Value]]


async def read_cdp(
    session: Session, ports: Sequence[Port], budget: Budget | None = None
) -> tuple[list[Neighbour], SnmpError | None]:
    """Cisco's neighbours; one question to an agent that has none."""
    rows, error = await _table(session, CDP_CACHE, _CDP_DEVICE, _CDP_COLUMNS, budget)
    keys = {port.if_index: port.key for port in ports}
    return [_cdp(keys, index, values) for index, values in sorted(rows.items())], error


def _cdp(keys: dict[int, str], index: tuple[int, ...], values: dict[int, Value]) -> Neighbour:
    device = text_of(values.get(_CDP_DEVICE))
    port = text_of(values.get(_CDP_PORT))
    is_ip = values.get(_CDP_KIND) == _CDP_IP
    return Neighbour(
        local_port=keys.get(index[0], f"#{index[0]}"),
        remote_name=text_of(values.get(_CDP_SYS_NAME)) or device,
        remote_port=port,
        remote_mac=_mac_of(device),
        protocol="cdp",
        chassis_id=device,
        port_id=port,
        remote_descr=text_of(values.get(_CDP_VERSION)),
        platform=text_of(values.get(_CDP_PLATFORM)),
        capabilities=_cdp_capabilities(values.get(_CDP_CAPABILITIES)),
        address=address_text(values.get(_CDP_ADDRESS)) if is_ip else None,
    )


def _cdp_capabilities(value: Value) -> frozenset[str] | None:
    if not isinstance(value, bytes) or not value:
        return None
    number = int.from_bytes(value, "big")
    return frozenset(name for bit, name in _CDP_BITS if number & bit)


async def read_tplink(
    session: Session, ports: Sequence[Port], budget: Budget | None = None
) -> tuple[list[Neighbour], SnmpError | None]:
    """TP-Link's and Omada's neighbours; one question to an agent that has none."""
    rows, error = await _table(session, TPLINK_LLDP, _TP_CHASSIS, _TP_COLUMNS, budget)
    keys = {port.if_index: port.key for port in ports}
    return [_tplink(keys, index, values) for index, values in sorted(rows.items())], error


def _tplink(keys: dict[int, str], index: tuple[int, ...], values: dict[int, Value]) -> Neighbour:
    chassis = text_of(values.get(_TP_CHASSIS))
    port = text_of(values.get(_TP_PORT))
    descr = text_of(values.get(_TP_PORT_DESCR))
    mac = _mac_of(chassis)
    words = (text_of(values.get(_TP_CAPABILITIES)) or "").lower()
    # IPv4 is written with two colons before it.
    address = (text_of(values.get(_TP_ADDRESS)) or "").removeprefix("::")
    return Neighbour(
        local_port=keys.get(index[0], f"#{index[0]}"),
        remote_name=text_of(values.get(_TP_NAME)),
        remote_port=port or descr,
        remote_mac=mac,
        chassis_id=mac or chassis,
        port_id=port,
        port_descr=descr,
        remote_descr=text_of(values.get(_TP_DESCR)),
        capabilities=frozenset(name for word, name in _TP_WORDS.items() if word in words) or None,
        address=address or None,
    )


async def read_huawei(
    session: Session, ports: Sequence[Port], budget: Budget | None = None
) -> tuple[list[Neighbour], SnmpError | None]:
    """Neighbours by Huawei's NDP; one question to an agent that has none."""
    sizes = range(_INDEX, _NDP_LONGEST + 1)
    rows, error = await _table(session, HUAWEI_NDP, _NDP_NAME, _NDP_COLUMNS, budget, sizes=sizes)
    keys = {port.if_index: port.key for port in ports}
    return [_huawei(keys, index, values) for index, values in sorted(rows.items())], error


def _huawei(keys: dict[int, str], index: tuple[int, ...], values: dict[int, Value]) -> Neighbour:
    # The index says both texts too, for agents that keep to it and leave their columns out.
    device, rest = _counted(index[1:])
    port, _ = _counted(rest)
    device = values.get(_NDP_DEVICE, device)
    port_name = text_of(values.get(_NDP_PORT, port))
    chassis = hardware_text(device) if isinstance(device, bytes) else None
    return Neighbour(
        local_port=keys.get(index[0], f"#{index[0]}"),
        remote_name=text_of(values.get(_NDP_NAME)),
        remote_port=port_name,
        remote_mac=_mac_of(chassis),
        protocol="ndp",
        chassis_id=chassis,
        port_id=port_name,
        remote_descr=text_of(values.get(_NDP_SOFTWARE)),
        platform=text_of(values.get(_NDP_PRODUCT)),
    )


def _counted(numbers: tuple[int, ...]) -> tuple[Value, tuple[int, ...]]:
    """The octets that an index says with their length before them, and what follows them."""
    if not numbers or len(numbers) <= numbers[0]:
        return None, ()
    octets, rest = numbers[1 : 1 + numbers[0]], numbers[1 + numbers[0] :]
    return (bytes(octets) if max(octets, default=0) <= _OCTET else None), rest


async def _table(
    session: Session,
    root: Oid,
    first: int,
    others: Sequence[int],
    budget: Budget | None,
    *,
    sizes: range = range(_INDEX, _INDEX + 1),
) -> tuple[_Rows, SnmpError | None]:
    """The rows that have the column ``first``; the other columns are asked only if there are.

    ``sizes``: how many numbers an index may have.
    """
    walk = await session.walk((*root, first), budget, MAX_VALUES)
    rows: _Rows = {}
    size = len(root) + 1
    for bind in walk.varbinds:
        if len(bind.name) - size in sizes:
            rows[bind.name[size:]] = {first: bind.value}
    if not rows:
        return rows, walk.error
    walks = await session.walk_all([(*root, column) for column in others], budget, MAX_VALUES)
    error = walk.error
    for column, one in zip(others, walks, strict=True):
        error = error or one.error
        for bind in one.varbinds:
            if bind.name[size:] in rows:
                rows[bind.name[size:]][column] = bind.value
    return rows, error


def _mac_of(text: str | None) -> str | None:
    """An address written as text, with colons or dashes."""
    plain = (text or "").lower().replace("-", ":")
    return plain if _MAC.fullmatch(plain) else None
