"""Values of a neighbour: addresses as agents write them, capabilities, who counts as network."""

import pytest

from drivers.snmp.ber import Value
from drivers.snmp.neighbour import Neighbour, address_text, capability_names, hardware_text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (bytes.fromhex("780cf0796b8c"), "78:0c:f0:79:6b:8c"),
        (b"78:0c:f0:79:6b:8c", "78:0c:f0:79:6b:8c"),
        (b"78-0C-F0-79-6B-8C", "78:0c:f0:79:6b:8c"),
        (b"e4 f0 04 e1 89 18", "e4:f0:04:e1:89:18"),
        (b"780c.f079.6b8c", "78:0c:f0:79:6b:8c"),
        (b"780cf0796b8c", "78:0c:f0:79:6b:8c"),
        (b"", None),
        (7, None),
    ],
)
def test_hardware_text(value: Value, expected: str | None) -> None:
    assert hardware_text(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"\x28", {"bridge", "router"}),
        (b"\x28\x00", {"bridge", "router"}),
        (b"\x01", {"station-only"}),
        (b"\x00", set()),
        (20, {"bridge", "router"}),  # the number of the frame: bits 2 and 4 from below
        (b"28 00 2 4", None),  # a print-out
        (b"", None),
        (None, None),
    ],
)
def test_capability_names(value: Value, expected: set[str] | None) -> None:
    assert capability_names(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"\x0a\0\0\x01", "10.0.0.1"),
        (bytes(15) + b"\x01", "::1"),
        (bytes(4), None),
        (b"\x0a", None),
        (1, None),
    ],
)
def test_address_text(value: Value, expected: str | None) -> None:
    assert address_text(value) == expected


@pytest.mark.parametrize(
    ("name", "capabilities", "network"),
    [
        ("sw", frozenset({"bridge"}), True),
        ("ap", frozenset({"wlan-access-point", "station-only"}), True),
        ("iPad of somebody", frozenset({"station-only"}), False),
        ("phone", frozenset({"telephone"}), False),
        ("small switch", None, True),
        ("small switch", frozenset(), True),
        (None, None, False),
    ],
)
def test_network(name: str | None, capabilities: frozenset[str] | None, network: bool) -> None:
    one = Neighbour(
        local_port="1",
        remote_name=name,
        remote_port=None,
        remote_mac="02:00:00:00:00:01",
        capabilities=capabilities,
    )
    assert one.network is network
