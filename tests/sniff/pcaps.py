"""Capture files (classic pcap, Ethernet) and what tshark said of them."""

import json
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = (
    Path(os.environ.get("TENONE_CAPTURES", Path(__file__).parents[3] / "shared" / "data")) / "pcap"
)
ETHERNET = 1
VLAN = 0x8100


def frames(name: str) -> Iterator[bytes]:
    """The frames of ``NAME.pcap``, as captured."""
    data = (FOLDER / f"{name}.pcap").read_bytes()
    order = "<" if data[:4] in {b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"} else ">"
    assert struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF == ETHERNET
    at = 24
    while at + 16 <= len(data):
        (size,) = struct.unpack_from(order + "I", data, at + 8)
        yield data[at + 16 : at + 16 + size]
        at += 16 + size


def ethernet(frame: bytes) -> tuple[str, int, bytes]:
    """Source address, EtherType or 802.3 length, and what follows."""
    kind, at = int.from_bytes(frame[12:14], "big"), 14
    if kind == VLAN:
        kind, at = int.from_bytes(frame[16:18], "big"), 18
    return frame[6:12].hex(":"), kind, frame[at:]


def expected(protocol: str) -> dict[str, list[dict[str, Any]]]:
    """Capture name -> rows tshark decoded of ``protocol``."""
    found = {}
    for path in sorted(FOLDER.glob("*.pcap.expect.json")):
        facts = json.loads(path.read_text())["facts"].get(protocol)
        if facts is not None:
            found[path.name.removesuffix(".pcap.expect.json")] = facts["rows"]
    return found
