"""Who is at the other end of a cable: LLDP (IEEE 802.1AB, LLDP-MIB), then the makers' own tables.

A walk that fails takes nothing from the others: what was read is true, and the error says
that there may be more.
"""

from collections import Counter
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
from drivers.snmp.neighbours_vendor import read_cdp, read_huawei, read_tplink
from drivers.snmp.ports import Port, mac_text
from drivers.snmp.session import Session
from drivers.snmp.target import Budget

__all__ = ["CHASSIS_MAC", "IdSubtype", "LocalPorts", "Neighbour", "read_neighbours"]

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
    for read in (read_cdp, read_tplink, read_huawei):
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
    ours = LocalPorts(ports)
    found = [
        _neighbour(
            values,
            ours.key(index[1], described.get(index[1], {}), bridge_ports.get(index[1])),
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


class LocalPorts:
    """Which of our ports LLDP means, for as many questions as an agent has neighbours."""

    def __init__(self, ports: Sequence[Port]) -> None:
        self._by_index = {port.if_index: port.key for port in ports}
        self._by_mac = _alone((port.mac, port.key) for port in ports)
        # What several ports are called ("to core", "Ethernet Interface") says not which of them.
        self._by_text = [
            _alone((port.name, port.key) for port in ports),
            _alone((port.descr, port.key) for port in ports),
            _alone((port.alias, port.key) for port in ports),
        ]

    def key(self, number: int, described: Mapping[int, Value], bridge_port: Value = None) -> str:
        """The key of the port LLDP calls ``number``; its own name for it where none of ours fits.

        ``bridge_port`` is the ifIndex of the bridge port with that number, if there is one.
        """
        identifier, descr = described.get(_LOC_ID), text_of(described.get(_LOC_DESCR))
        text = text_of(identifier)
        if described.get(_LOC_SUBTYPE) == IdSubtype.MAC_ADDRESS or not (text or "").isprintable():
            text = mac_text(identifier)
            if text in self._by_mac:
                return self._by_mac[text]
        for wanted in (text, descr):
            for called in self._by_text:
                if wanted in called:
                    return called[wanted]
        for index in (bridge_port, number):
            if isinstance(index, int) and index in self._by_index:
                return self._by_index[index]
        return descr or text or f"#{number}"


def _alone(pairs: Iterable[tuple[str | None, str]]) -> dict[str | None, str]:
    """Text -> port key, of texts that are one port's alone."""
    listed = [(said, key) for said, key in pairs if said]
    times = Counter(said for said, _ in listed)
    return {said: key for said, key in listed if times[said] == 1}


def _remote_port(values: Mapping[int, Value]) -> str | None:
    if values.get(_PORT_SUBTYPE) == IdSubtype.MAC_ADDRESS:
        # An address says nothing to a person; the description often names the port.
        return text_of(values.get(_PORT_DESCR)) or hardware_text(values.get(_PORT_ID))
    return text_of(values.get(_PORT_ID)) or text_of(values.get(_PORT_DESCR))
