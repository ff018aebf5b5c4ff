"""LLDP frames: IEEE 802.1AB-2016 clause 8, 802.1Q Annex D, ANSI/TIA-1057.

Never raises and always ends: every step goes forward by at least the two octets of a TLV's head.
A frame that breaks off or contradicts itself gives what stood before the damage, and ``problem``
says where that is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from drivers.snmp.neighbour import LLDP_CAPABILITIES, Neighbour, address_text, hardware_text
from drivers.snmp.neighbour import text_of as _text

ETHERTYPE = 0x88CC
_HEAD = 2
_LENGTH_BITS = 9
_LENGTH_MASK = 0x1FF
_MAC_BYTES = 6
_CAPABILITY_BYTES = 4
_ORG_HEAD = 4
_PVID_BYTES = 2
_DOT1 = bytes.fromhex("0080c2")
_MED = bytes.fromhex("0012bb")
_MED_LOCATION = bytes((*_MED, 3))
_CIVIC = 2
_CIVIC_HEAD = 3
"""What the location is of, and two letters of a country."""
_MED_MANUFACTURER, _MED_MODEL = 9, 10
"""TIA-1057 10.2.6: two of the inventory TLVs."""


class Tlv(IntEnum):
    """Table 8-1."""

    END = 0
    CHASSIS_ID = 1
    PORT_ID = 2
    TIME_TO_LIVE = 3
    PORT_DESCR = 4
    SYSTEM_NAME = 5
    SYSTEM_DESCR = 6
    CAPABILITIES = 7
    MANAGEMENT_ADDRESS = 8
    ORGANISATION = 127


class ChassisKind(IntEnum):
    """Table 8-2, those that decide how the octets are read."""

    MAC = 4
    NETWORK_ADDRESS = 5


class PortKind(IntEnum):
    """Table 8-3, those that decide how the octets are read."""

    MAC = 3
    NETWORK_ADDRESS = 4


_ORDER = (Tlv.CHASSIS_ID, Tlv.PORT_ID, Tlv.TIME_TO_LIVE)
"""8.2: the first three, once each, in this order."""


@dataclass(slots=True, kw_only=True)
class Lldp:
    """One LLDP data unit; None is not said. Texts are as sent, addresses lower-case hex."""

    chassis_kind: int | None = None
    chassis: bytes = b""
    port_kind: int | None = None
    port: bytes = b""
    time_to_live_seconds: int | None = None
    port_descr: str | None = None
    system_name: str | None = None
    system_descr: str | None = None
    capabilities: int | None = None
    """What it can; bit 0 is the first of :data:`LLDP_CAPABILITIES`."""
    enabled: int | None = None
    """What of that is in use."""
    addresses: tuple[str, ...] = ()
    port_vlan: int | None = None
    model: str | None = None
    """TIA-1057 inventory: model name."""
    manufacturer: str | None = None
    problem: str | None = field(default=None, compare=False)

    @property
    def chassis_id(self) -> str | None:
        """The chassis id in words: an address as one, all else as text."""
        return _id_text(
            self.chassis,
            is_mac=self.chassis_kind == ChassisKind.MAC,
            is_network=self.chassis_kind == ChassisKind.NETWORK_ADDRESS,
        )

    @property
    def port_id(self) -> str | None:
        """The port id in words."""
        return _id_text(
            self.port,
            is_mac=self.port_kind == PortKind.MAC,
            is_network=self.port_kind == PortKind.NETWORK_ADDRESS,
        )

    @property
    def valid(self) -> bool:
        """Whether the three mandatory TLVs are there (9.2.7.7.1)."""
        return None not in {self.chassis_kind, self.port_kind, self.time_to_live_seconds}

    def neighbour(self, local_port: str) -> Neighbour:
        """As a switch's own table would have it."""
        mac = hardware_text(self.chassis) if self.chassis_kind == ChassisKind.MAC else None
        enabled = self.enabled
        return Neighbour(
            local_port=local_port,
            remote_name=self.system_name,
            remote_port=self.port_descr if self.port_kind == PortKind.MAC else self.port_id,
            remote_mac=mac,
            chassis_id=self.chassis_id,
            port_id=self.port_id,
            port_descr=self.port_descr,
            remote_descr=self.system_descr,
            capabilities=None
            if enabled is None
            else frozenset(
                name for place, name in enumerate(LLDP_CAPABILITIES) if enabled >> place & 1
            ),
            address=self.addresses[0] if self.addresses else None,
        )


def _id_text(octets: bytes, *, is_mac: bool, is_network: bool) -> str | None:
    if is_mac and len(octets) == _MAC_BYTES:
        return octets.hex(":")
    if is_network:
        # The first octet says which kind of address (IANA address family numbers).
        return address_text(octets[1:]) or octets.hex()
    text = _text(octets)
    return text if text is None or text.isprintable() else octets.hex()


def parse_lldp(data: bytes) -> Lldp:
    """Read the octets behind the EtherType; see the module for damaged ones."""
    found = Lldp()
    at = 0
    place = 0
    while at + _HEAD <= len(data):
        head = int.from_bytes(data[at : at + _HEAD], "big")
        kind, size = head >> _LENGTH_BITS, head & _LENGTH_MASK
        start = at + _HEAD
        if start + size > len(data):
            left = len(data) - start
            return _blame(found, f"TLV {kind} at octet {at} says {size} octets and has {left}")
        if kind == Tlv.END:
            return found
        if place < len(_ORDER) and kind != _ORDER[place]:
            wanted = _ORDER[place].name
            return _blame(found, f"TLV {kind} at octet {at} stands where {wanted} belongs")
        if kind == Tlv.ORGANISATION and not _civic_fits(data[start : start + size]):
            return _blame(found, f"TLV {kind} at octet {at}: a location whose length does not fit")
        take = _TAKES.get(kind)
        if take is not None and not take(found, data[start : start + size]):
            _blame(found, f"TLV {kind} at octet {at} is too short or comes twice")
        place += 1
        at = start + size
    # 8.5.1: a full frame may end without the end TLV; what is left is one octet at most.
    return found


def _civic_fits(body: bytes) -> bool:
    """Whether a civic location's own length (TIA-1057 10.2.4.3.2) fits its TLV.

    Where it does not, whoever made the frame was not counting, and no length after it is
    believed (tshark stops there too).
    """
    if body[:_ORG_HEAD] != _MED_LOCATION or len(body) < _ORG_HEAD + 2:
        return True
    form, size = body[_ORG_HEAD], body[_ORG_HEAD + 1]
    return form != _CIVIC or (size >= _CIVIC_HEAD and _ORG_HEAD + 2 + size <= len(body))


def _blame(found: Lldp, problem: str) -> Lldp:
    found.problem = found.problem or problem
    return found


def _chassis(found: Lldp, body: bytes) -> bool:
    if not body or found.chassis_kind is not None:
        return False
    found.chassis_kind, found.chassis = body[0], body[1:]
    return True


def _port(found: Lldp, body: bytes) -> bool:
    if not body or found.port_kind is not None:
        return False
    found.port_kind, found.port = body[0], body[1:]
    return True


def _time(found: Lldp, body: bytes) -> bool:
    if len(body) < _HEAD or found.time_to_live_seconds is not None:
        return False
    found.time_to_live_seconds = int.from_bytes(body[:_HEAD], "big")
    return True


def _port_descr(found: Lldp, body: bytes) -> bool:
    found.port_descr = _text(body)
    return True


def _name(found: Lldp, body: bytes) -> bool:
    found.system_name = _text(body)
    return True


def _descr(found: Lldp, body: bytes) -> bool:
    found.system_descr = _text(body)
    return True


def _capabilities(found: Lldp, body: bytes) -> bool:
    if len(body) < _CAPABILITY_BYTES:
        return False
    found.capabilities = int.from_bytes(body[:2], "big")
    found.enabled = int.from_bytes(body[2:4], "big")
    return True


def _address(found: Lldp, body: bytes) -> bool:
    """8.5.9: length of kind and address, kind, address, then interface and object number."""
    if not body or not 1 <= body[0] < len(body):
        return False
    address = address_text(body[2 : 1 + body[0]])
    if address is not None:
        found.addresses = (*found.addresses, address)
    return True


def _organisation(found: Lldp, body: bytes) -> bool:
    if len(body) < _ORG_HEAD:
        return False
    owner, kind, said = body[:3], body[3], body[_ORG_HEAD:]
    if owner == _DOT1 and kind == 1 and len(said) >= _PVID_BYTES:
        found.port_vlan = int.from_bytes(said[:_PVID_BYTES], "big")
    elif owner == _MED and kind == _MED_MANUFACTURER:
        found.manufacturer = _text(said)
    elif owner == _MED and kind == _MED_MODEL:
        found.model = _text(said)
    return True


_TAKES: Mapping[int, Callable[[Lldp, bytes], bool]] = {
    Tlv.CHASSIS_ID: _chassis,
    Tlv.PORT_ID: _port,
    Tlv.TIME_TO_LIVE: _time,
    Tlv.PORT_DESCR: _port_descr,
    Tlv.SYSTEM_NAME: _name,
    Tlv.SYSTEM_DESCR: _descr,
    Tlv.CAPABILITIES: _capabilities,
    Tlv.MANAGEMENT_ADDRESS: _address,
    Tlv.ORGANISATION: _organisation,
}
