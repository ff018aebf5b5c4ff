"""SNMP datagrams of real captures through our message code, decoded as tshark decoded them."""

from collections import Counter

import pytest

from drivers.snmp.message import Message, PduType
from tests.sniff.pcaps import FOLDER, ethernet, expected, frames

pytestmark = pytest.mark.skipif(
    not expected("snmp"), reason=f"no captures in {FOLDER}: set TENONE_CAPTURES"
)
IPV4 = 0x0800
UDP = 17
PORT = 161


def datagrams(name: str) -> list[tuple[str, str, bytes]]:
    """Source, destination and payload of what goes to or comes from port 161."""
    found = []
    for frame in frames(name):
        _, kind, packet = ethernet(frame)
        if kind != IPV4 or packet[9] != UDP:
            continue
        start = (packet[0] & 15) * 4
        ports = [int.from_bytes(packet[start + at : start + at + 2], "big") for at in (0, 2)]
        size = int.from_bytes(packet[start + 4 : start + 6], "big")
        if PORT in ports:
            addresses = [".".join(str(octet) for octet in packet[at : at + 4]) for at in (12, 16)]
            found.append((addresses[0], addresses[1], packet[start + 8 : start + size]))
    return found


def test_snmp_as_tshark() -> None:
    wrong: list[str] = []
    total = 0
    for name, rows in expected("snmp").items():
        mine: Counter[tuple[str, ...]] = Counter()
        for source, to, payload in datagrams(name):
            message = Message.decode(payload)
            community = message.community.decode()
            kind = str(message.pdu_type - PduType.GET)
            mine[source, to, str(message.version), community, kind] += 1
        theirs: Counter[tuple[str, ...]] = Counter()
        for row in rows:
            key = (
                row["ip.src"],
                row["ip.dst"],
                row["snmp.version"],
                row.get("snmp.community", ""),
                row["snmp.data"],
            )
            theirs[key] += row["_count"]
        total += sum(theirs.values())
        wrong += [f"{name}: {row}" for row in (mine - theirs) + (theirs - mine)]
    print(f"\nSNMP: {total} datagrams, {len(wrong)} wrong")
    assert wrong == []
    assert total == 402


def test_our_own_bytes_are_the_same() -> None:
    """Encoding what was decoded gives a message that says the same."""
    for name in expected("snmp"):
        for _, _, payload in datagrams(name):
            message = Message.decode(payload)
            assert Message.decode(message.encode()) == message
