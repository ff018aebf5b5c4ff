"""Who is at the other end of a cable, by LLDP (IEEE 802.1AB, LLDP-MIB)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from drivers.snmp import mib
from drivers.snmp.ber import Value
from drivers.snmp.errors import SnmpError
from drivers.snmp.ports import Port, decode_text, mac_text
from drivers.snmp.session import Session
from drivers.snmp.target import Budget

MAX_NEIGHBOUR_VALUES = 8_192
_REM_INDEX = 3
"""Time mark, local port number, remote index."""


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
_CHASSIS_SUBTYPE, _CHASSIS_ID, _PORT_SUBTYPE, _PORT_ID, _PORT_DESCR, _SYS_NAME = range(4, 10)
_LOC_SUBTYPE, _LOC_ID, _LOC_DESCR = 2, 3, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """One neighbour; ``local_port`` is a port key where ours could be found, else its LLDP name."""

    local_port: str
    remote_name: str | None
    remote_port: str | None
    remote_mac: str | None
    protocol: str = "lldp"


async def read_neighbours(
    session: Session, ports: Sequence[Port], budget: Budget | None = None
) -> tuple[list[Neighbour], SnmpError | None]:
    """Walk LLDP's remote and local ports; an agent without LLDP has none and no error."""
    roots = [(*mib.LLDP_REM, column) for column in range(_CHASSIS_SUBTYPE, _SYS_NAME + 1)]
    walks = await session.walk_all(roots, budget, MAX_NEIGHBOUR_VALUES)
    size = len(mib.LLDP_REM)
    remote: dict[tuple[int, ...], dict[int, Value]] = {}
    for walk in walks:
        for bind in walk.varbinds:
            index = bind.name[size + 1 :]
            if len(index) == _REM_INDEX:
                remote.setdefault(index, {})[bind.name[size]] = bind.value
    error = next((walk.error for walk in walks if walk.error is not None), None)
    if not remote:
        return [], error
    local, bridge = await session.walk_all(
        [mib.LLDP_LOC_PORT, mib.BRIDGE_PORT_IF_INDEX], budget, MAX_NEIGHBOUR_VALUES
    )
    bridge_ports = {bind.name[-1]: bind.value for bind in bridge.varbinds}
    size = len(mib.LLDP_LOC_PORT)
    described: dict[int, dict[int, Value]] = {}
    for bind in local.varbinds:
        if len(bind.name) == size + 2:
            described.setdefault(bind.name[size + 1], {})[bind.name[size]] = bind.value
    found = [
        Neighbour(
            local_port=local_port(
                index[1], described.get(index[1], {}), ports, bridge_ports.get(index[1])
            ),
            remote_name=_text(values.get(_SYS_NAME)),
            remote_port=_remote_port(values),
            remote_mac=mac_text(values.get(_CHASSIS_ID))
            if values.get(_CHASSIS_SUBTYPE) == CHASSIS_MAC
            else None,
        )
        for index, values in sorted(remote.items())
    ]
    return found, error or local.error


def local_port(
    number: int, described: dict[int, Value], ports: Sequence[Port], bridge_port: Value = None
) -> str:
    """The key of the port LLDP calls ``number``; its own name for it where none of ours fits.

    ``bridge_port`` is the ifIndex of the bridge port with that number, if there is one.
    """
    identifier, descr = described.get(_LOC_ID), _text(described.get(_LOC_DESCR))
    text = _text(identifier)
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


def _remote_port(values: dict[int, Value]) -> str | None:
    if values.get(_PORT_SUBTYPE) == IdSubtype.MAC_ADDRESS:
        # An address says nothing to a person; the description often names the port.
        return _text(values.get(_PORT_DESCR)) or mac_text(values.get(_PORT_ID))
    return _text(values.get(_PORT_ID)) or _text(values.get(_PORT_DESCR))


def _text(value: Value) -> str | None:
    return decode_text(value).strip() or None if isinstance(value, bytes) else None
