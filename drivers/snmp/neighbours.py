"""Who is at the other end of a cable: LLDP (IEEE 802.1AB, LLDP-MIB), then the makers' own tables.

A walk that fails takes nothing from the others: what was read is true, and the error says
that there may be more.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum

from drivers.snmp import mib
from drivers.snmp.ber import Oid, Value
from drivers.snmp.errors import SnmpError
from drivers.snmp.neighbour import (
    Neighbour,
    address_text,
    capability_names,
    hardware_text,
    text_of,
)
from drivers.snmp.neighbours_vendor import read_cdp, read_tplink
from drivers.snmp.ports import Port, mac_text
from drivers.snmp.session import Session
from drivers.snmp.target import Budget

__all__ = ["CHASSIS_MAC", "IdSubtype", "Neighbour", "local_port", "read_neighbours"]

MAX_NEIGHBOUR_VALUES = 8_192
_REM_INDEX = 3
"""Time mark, local port number, remote index."""
_ADDRESS_INDEX = 5
"""The same, then the kind of address and its length."""
_IP_KINDS = (1, 2)
"""IANAAddressFamilyNumbers: IPv4, IPv6."""


class IdSubtype(IntEnum):
    """LldpPortIdSubtype; the chassis subtypes that matter here have the numbers below."""

    INTERFACE_ALIAS = 1
    PORT_COMPONENT = 2
    MAC_ADDRESS = 3
    NETWORK_ADDRESS = 4
    INTERFACE_NAME = 5
    AGENT_CIRCUIT_ID = 6
    LOCAL = 7


CHASSIS_MAC = 4
CHASSIS_NETWORK_ADDRESS = 5
_CHASSIS_SUBTYPE, _CHASSIS_ID, _PORT_SUBTYPE, _PORT_ID, _PORT_DESCR = range(4, 9)
_SYS_NAME, _SYS_DESCR, _CAP_ENABLED = 9, 10, 12
_REMOTE = (
    _CHASSIS_SUBTYPE,
    _CHASSIS_ID,
    _PORT_SUBTYPE,
    _PORT_ID,
    _PORT_DESCR,
    _SYS_NAME,
    _SYS_DESCR,
    _CAP_ENABLED,
)
_LOC_SUBTYPE, _LOC_ID, _LOC_DESCR = 2, 3, 4

_Remote = dict[tuple[int, ...], dict[int, Value]]


async def read_neighbours(
    session: Session, ports: Sequence[Port], budget: Budget | None = None
) -> tuple[list[Neighbour], SnmpError | None]:
    """All neighbours by every protocol the agent has tables for; none and no error without any."""
    found, error = await _read_lldp(session, ports, budget)
    for read in (read_cdp, read_tplink):
        more, trouble = await read(session, ports, budget)
        found += more
        error = error or trouble
    return found, error


async def _read_lldp(
    session: Session, ports: Sequence[Port], budget: Budget | None
) -> tuple[list[Neighbour], SnmpError | None]:
    walks = await session.walk_all(
        [(*mib.LLDP_REM, column) for column in _REMOTE], budget, MAX_NEIGHBOUR_VALUES
    )
    size = len(mib.LLDP_REM)
    remote: _Remote = {}
    for walk in walks:
        for bind in walk.varbinds:
            index = bind.name[size + 1 :]
            if len(index) == _REM_INDEX:
                remote.setdefault(index, {})[bind.name[size]] = bind.value
    error = next((walk.error for walk in walks if walk.error is not None), None)
    if not remote:
        return [], error
    local, bridge, managed = await session.walk_all(
        [mib.LLDP_LOC_PORT, mib.BRIDGE_PORT_IF_INDEX, mib.LLDP_REM_ADDRESS],
        budget,
        MAX_NEIGHBOUR_VALUES,
    )
    bridge_ports = {bind.name[-1]: bind.value for bind in bridge.varbinds}
    described = _described([(bind.name, bind.value) for bind in local.varbinds])
    addresses = management_addresses(bind.name for bind in managed.varbinds)
    found = [
        _neighbour(
            values,
            local_port(index[1], described.get(index[1], {}), ports, bridge_ports.get(index[1])),
            addresses.get(index),
        )
        for index, values in sorted(remote.items())
    ]
    return _once(found), error or local.error


def _once(neighbours: Sequence[Neighbour]) -> list[Neighbour]:
    """Each neighbour once: some agents keep the row of an earlier time mark beside the new one."""
    newest = {
        (one.local_port, one.chassis_id, one.port_id, one.remote_name): one for one in neighbours
    }
    return list(newest.values())


def _described(binds: Sequence[tuple[Oid, Value]]) -> dict[int, dict[int, Value]]:
    size = len(mib.LLDP_LOC_PORT)
    described: dict[int, dict[int, Value]] = {}
    for name, value in binds:
        if len(name) == size + 2:
            described.setdefault(name[size + 1], {})[name[size]] = value
    return described


def management_addresses(names: Iterable[Oid]) -> dict[tuple[int, ...], str]:
    """The first IP address of each remote index, out of lldpRemManAddrTable's own index."""
    found: dict[tuple[int, ...], str] = {}
    size = len(mib.LLDP_REM_ADDRESS)
    for name in names:
        index = name[size + 1 :]
        if len(index) <= _ADDRESS_INDEX or index[_REM_INDEX] not in _IP_KINDS:
            continue
        octets = index[_ADDRESS_INDEX : _ADDRESS_INDEX + index[_ADDRESS_INDEX - 1]]
        if all(octet <= 0xFF for octet in octets):  # noqa: PLR2004 - an octet
            address = address_text(bytes(octets))
            if address is not None:
                found.setdefault(index[:_REM_INDEX], address)
    return found


def _neighbour(values: Mapping[int, Value], port: str, address: str | None) -> Neighbour:
    mac = (
        hardware_text(values.get(_CHASSIS_ID))
        if values.get(_CHASSIS_SUBTYPE) == CHASSIS_MAC
        else None
    )
    return Neighbour(
        local_port=port,
        remote_name=text_of(values.get(_SYS_NAME)),
        remote_port=_remote_port(values),
        remote_mac=mac,
        chassis_id=mac or _chassis(values),
        port_id=_port_id(values),
        port_descr=text_of(values.get(_PORT_DESCR)),
        remote_descr=text_of(values.get(_SYS_DESCR)),
        capabilities=capability_names(values.get(_CAP_ENABLED)),
        address=address,
    )


def _chassis(values: Mapping[int, Value]) -> str | None:
    said = values.get(_CHASSIS_ID)
    if values.get(_CHASSIS_SUBTYPE) == CHASSIS_NETWORK_ADDRESS and isinstance(said, bytes):
        return address_text(said[1:]) or said.hex()
    text = text_of(said)
    return text if text is None or text.isprintable() else hardware_text(said)


def _port_id(values: Mapping[int, Value]) -> str | None:
    said = values.get(_PORT_ID)
    if values.get(_PORT_SUBTYPE) == IdSubtype.MAC_ADDRESS:
        return hardware_text(said)
    text = text_of(said)
    return text if text is None or text.isprintable() else hardware_text(said)


def local_port(
    number: int, described: dict[int, Value], ports: Sequence[Port], bridge_port: Value = None
) -> str:
    """The key of the port LLDP calls ``number``; its own name for it where none of ours fits.

    ``bridge_port`` is the ifIndex of the bridge port with that number, if there is one.
    """
    identifier, descr = described.get(_LOC_ID), text_of(described.get(_LOC_DESCR))
    text = text_of(identifier)
    if described.get(_LOC_SUBTYPE) == IdSubtype.MAC_ADDRESS or not (text or "").isprintable():
        text = mac_text(identifier)
        fitting = [port for port in ports if text and port.mac == text]
        if len(fitting) == 1:
            return fitting[0].key
    for wanted in (text, descr):
        for port in ports:
            if wanted and wanted in {port.name, port.descr, port.alias}:
                return port.key
    for index in (bridge_port, number):
        for port in ports:
            if port.if_index == index:
                return port.key
    return descr or text or f"#{number}"


def _remote_port(values: Mapping[int, Value]) -> str | None:
    if values.get(_PORT_SUBTYPE) == IdSubtype.MAC_ADDRESS:
        # An address says nothing to a person; the description often names the port.
        return text_of(values.get(_PORT_DESCR)) or hardware_text(values.get(_PORT_ID))
    return text_of(values.get(_PORT_ID)) or text_of(values.get(_PORT_DESCR))
