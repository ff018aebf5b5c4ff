"""CDP frames: SNAP 00000c/2000, version, hold time, checksum, then TLVs of type and length.

Source: Cisco's description of the protocol's frames, checked against tshark.

Never raises and always ends: a TLV shorter than its own head ends the reading.
"""

import ipaddress
from dataclasses import dataclass, field, replace
from enum import IntEnum

from drivers.snmp.neighbour import Neighbour, text_of

SNAP = bytes.fromhex("aaaa0300000c2000")
"""LLC and SNAP heads that stand before CDP in an 802.3 frame."""
_HEAD = 4
_COUNT = 4
_ADDRESS_HEAD = 2
_VLAN_BYTES = 2
_ADDRESS_BYTES = (4, 16)
_NOWHERE = ("0.0.0.0", "::")


class Tlv(IntEnum):
    """Those that are read."""

    DEVICE_ID = 1
    ADDRESSES = 2
    PORT_ID = 3
    CAPABILITIES = 4
    VERSION = 5
    PLATFORM = 6
    NATIVE_VLAN = 10
    DUPLEX = 11
    SYSTEM_NAME = 20
    MANAGEMENT_ADDRESSES = 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Cdp:
    """One CDP message; None is not said."""

    version: int
    hold_seconds: int
    device_id: str | None = None
    addresses: tuple[str, ...] = ()
    port_id: str | None = None
    capabilities: int | None = None
    software: str | None = None
    platform: str | None = None
    native_vlan: int | None = None
    full_duplex: bool | None = None
    system_name: str | None = None
    management_addresses: tuple[str, ...] = ()
    problem: str | None = field(default=None, compare=False)

    def neighbour(self, local_port: str) -> Neighbour:
        """As a switch's own table would have it."""
        addresses = self.management_addresses or self.addresses
        return Neighbour(
            local_port=local_port,
            remote_name=self.system_name or self.device_id,
            remote_port=self.port_id,
            remote_mac=None,
            protocol="cdp",
            chassis_id=self.device_id,
            port_id=self.port_id,
            remote_descr=self.software,
            platform=self.platform,
            address=next((one for one in addresses if one not in _NOWHERE), None),
        )


def parse_cdp(data: bytes) -> Cdp | None:
    """Read the octets behind the SNAP head; None where not even CDP's own head is there."""
    if len(data) < _HEAD:
        return None
    found = Cdp(version=data[0], hold_seconds=data[1])
    at = _HEAD
    while at + _HEAD <= len(data):
        kind = int.from_bytes(data[at : at + 2], "big")
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        if size < _HEAD or at + size > len(data):
            said = f"TLV {kind} at octet {at} says {size} octets and has {len(data) - at}"
            return replace(found, problem=said)
        found = _take(found, kind, data[at + _HEAD : at + size])
        at += size
    return found


def _take(found: Cdp, kind: int, body: bytes) -> Cdp:
    match kind:
        case Tlv.ADDRESSES:
            return replace(found, addresses=_addresses(body))
        case Tlv.MANAGEMENT_ADDRESSES:
            return replace(found, management_addresses=_addresses(body))
        case Tlv.CAPABILITIES:
            return replace(found, capabilities=int.from_bytes(body, "big"))
        case Tlv.NATIVE_VLAN if len(body) >= _VLAN_BYTES:
            return replace(found, native_vlan=int.from_bytes(body[:_VLAN_BYTES], "big"))
        case Tlv.DUPLEX if body:
            return replace(found, full_duplex=body[0] == 1)
        case _:
            return _take_text(found, kind, text_of(body))


def _take_text(found: Cdp, kind: int, text: str | None) -> Cdp:
    match kind:
        case Tlv.DEVICE_ID:
            return replace(found, device_id=text)
        case Tlv.PORT_ID:
            return replace(found, port_id=text)
        case Tlv.VERSION:
            return replace(found, software=text)
        case Tlv.PLATFORM:
            return replace(found, platform=text)
        case Tlv.SYSTEM_NAME:
            return replace(found, system_name=text)
        case _:
            return found


def _addresses(body: bytes) -> tuple[str, ...]:
    """A count, then each: protocol kind and length, protocol, length, address."""
    found: list[str] = []
    count = int.from_bytes(body[:_COUNT], "big")
    at = _COUNT
    while count > 0 and at + _ADDRESS_HEAD <= len(body):
        at += _ADDRESS_HEAD + body[at + 1]
        size = int.from_bytes(body[at : at + 2], "big")
        octets = body[at + 2 : at + 2 + size]
        at += 2 + size
        count -= 1
        if len(octets) == size and size in _ADDRESS_BYTES:
            found.append(str(ipaddress.ip_address(octets)))
    return tuple(found)
