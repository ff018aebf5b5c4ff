"""A neighbour as a switch heard it, whatever protocol it was heard by."""

import ipaddress
import re
from dataclasses import dataclass

from drivers.snmp.ber import Value
from drivers.snmp.ports import decode_text, mac_text

LLDP_CAPABILITIES = (
    "other",
    "repeater",
    "bridge",
    "wlan-access-point",
    "router",
    "telephone",
    "docsis-cable-device",
    "station-only",
)
"""IEEE 802.1AB table 8-4, in the order of the bits: the first is the highest of the first octet."""
_NETWORK = frozenset({"repeater", "bridge", "wlan-access-point", "router", "docsis-cable-device"})
_IPV4_BYTES, _IPV6_BYTES = 4, 16
_CAPABILITY_BYTES = (1, 2)
_WRITTEN_BYTES = range(12, 18)
"""12 digits, up to five separators."""
_SEPARATORS = re.compile(r"[: .\-]")
_DIGITS = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """One neighbour; ``local_port`` is a port key where ours could be found, else its own name.

    ``remote_port`` is what to show a person, ``port_id`` what was said, an address as
    lower-case hex with colons. ``capabilities`` are those in use; None: it did not say.
    """

    local_port: str
    remote_name: str | None
    remote_port: str | None
    remote_mac: str | None
    protocol: str = "lldp"
    chassis_id: str | None = None
    port_id: str | None = None
    port_descr: str | None = None
    remote_descr: str | None = None
    platform: str | None = None
    capabilities: frozenset[str] | None = None
    address: str | None = None

    @property
    def network(self) -> bool:
        """Whether it carries other people's traffic.

        What says nothing of the kind counts as one when it at least has a name or a
        description: many small switches are silent about what they can.
        """
        if self.capabilities:
            return bool(self.capabilities & _NETWORK)
        return self.remote_name is not None or self.remote_descr is not None


def text_of(value: Value) -> str | None:
    """Octets as text without blanks at the ends; None where there are none."""
    return decode_text(value).strip() or None if isinstance(value, bytes) else None


def hardware_text(value: Value) -> str | None:
    """A hardware address as lower-case hex with colons.

    Some agents send it as text: with colons, blanks or dashes, which is the same address.
    """
    if isinstance(value, bytes) and len(value) in _WRITTEN_BYTES:
        digits = _SEPARATORS.sub("", value.decode("latin-1")).lower()
        if _DIGITS.fullmatch(digits):
            return bytes.fromhex(digits).hex(":")
    return mac_text(value)


def address_text(value: Value) -> str | None:
    """Four or sixteen octets as an IP address; None for anything else and for all zeros."""
    if not isinstance(value, bytes) or len(value) not in {_IPV4_BYTES, _IPV6_BYTES}:
        return None
    address = ipaddress.ip_address(value)
    return None if address.is_unspecified else str(address)


def capability_names(value: Value) -> frozenset[str] | None:
    """Names for lldpRemSysCapEnabled, BITS of one or two octets; None where it did not come.

    Some agents answer the number that stood in the frame instead, whose lowest bit is the first
    (IEEE 802.1AB 8.5.8.1). More octets than two are no capabilities (a print-out was seen).
    """
    if isinstance(value, int):
        bits = [place for place in range(8) if value >> place & 1]
    elif isinstance(value, bytes) and len(value) in _CAPABILITY_BYTES:
        bits = [place for place in range(8) if value[0] >> (7 - place) & 1]
    else:
        return None
    return frozenset(LLDP_CAPABILITIES[place] for place in bits)
