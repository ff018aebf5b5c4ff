"""How the values and indexes of vendor tables are read. Pure."""

from collections.abc import Callable, Mapping, Sequence

from drivers.snmp.ber import Oid, Value
from drivers.snmp.neighbour import address_text, text_of
from drivers.snmp.ports import mac_text

INDEX_KINDS = frozenset({"mac", "number", "text", "port", "zero"})
"""``mac`` six octets; ``number`` one arc; ``text`` length and octets; ``port`` an ifIndex;
``zero`` the .0 of a scalar."""
COLUMN_KINDS = frozenset({"text", "mac", "address", "count", "scaled", "word", "gpon-serial"})
_MAC_BYTES = 6
_OCTET = 0xFF
_SERIAL_BYTES = 8


def read_index(kinds: Sequence[str], arcs: Oid, ports: Mapping[int, str]) -> list[str] | None:
    """The parts of an index as text; None where the arcs do not fit the kinds exactly."""
    parts: list[str] = []
    for kind in kinds:
        taken, part = _index_part(kind, arcs, ports)
        if part is None:
            return None
        parts.append(part)
        arcs = arcs[taken:]
    return parts if not arcs else None


def _index_part(kind: str, arcs: Oid, ports: Mapping[int, str]) -> tuple[int, str | None]:
    if not arcs:
        return 0, None
    if kind == "mac":
        octets = arcs[:_MAC_BYTES]
        return _MAC_BYTES, mac_text(_octets(octets)) if len(octets) == _MAC_BYTES else None
    if kind == "text":
        size = arcs[0]
        said = _octets(arcs[1 : 1 + size])
        return 1 + size, text_of(said) if said is not None and len(said) == size else None
    if kind == "port":
        return 1, ports.get(arcs[0], f"#{arcs[0]}")
    if kind == "zero":
        return 1, "0" if arcs[0] == 0 else None
    return 1, str(arcs[0])


def _octets(arcs: Sequence[int]) -> bytes | None:
    return bytes(arcs) if all(arc <= _OCTET for arc in arcs) else None


def read_value(
    kind: str,
    value: Value,
    *,
    words: Mapping[object, str] | None = None,
    scale: float = 1.0,
    low: float | None = None,
    high: float | None = None,
) -> str | int | float | None:
    """One value as its column holds it; None is unknown."""
    if kind == "word":
        said = text_of(value) if isinstance(value, bytes) else value
        return (words or {}).get(said, str(said)) if said is not None else None
    if kind in _PLAIN:
        return _PLAIN[kind](value)
    if not isinstance(value, int):
        return None
    scaled = value * scale
    outside = (low is not None and scaled < low) or (high is not None and scaled > high)
    return None if outside else scaled


def _mac(value: Value) -> str | None:
    return mac_text(value) if isinstance(value, bytes) and len(value) == _MAC_BYTES else None


def _count(value: Value) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None


def gpon_serial(value: Value) -> str | None:
    """ITU-T G.984.3: four letters of the maker, four octets; as printed on the terminal.

    Some agents send it as 16 hexadecimal digits instead.
    """
    if not isinstance(value, bytes):
        return None
    if len(value) == _SERIAL_BYTES:
        return value[:4].decode("latin-1") + value[4:].hex().upper()
    return text_of(value)


_PLAIN: Mapping[str, Callable[[Value], str | int | None]] = {
    "text": text_of,
    "mac": _mac,
    "address": address_text,
    "count": _count,
    "gpon-serial": gpon_serial,
}
