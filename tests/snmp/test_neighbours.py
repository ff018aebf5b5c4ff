"""Which of our ports LLDP means."""

from dataclasses import replace

import pytest

from drivers.snmp.ber import Value
from drivers.snmp.neighbours import LocalPorts
from drivers.snmp.ports import Port


def port(index: int, name: str, mac: str | None = None) -> Port:
    return Port(
        key=name,
        if_index=index,
        name=name,
        descr=f"Port {name}",
        alias="",
        type=6,
        mtu=1500,
        mac=mac,
    )


PORTS = [port(11, "g1", "00:00:00:00:00:01"), port(12, "g2", "00:00:00:00:00:02"), port(3, "v3")]


@pytest.mark.parametrize(
    ("number", "described", "bridge_port", "expected"),
    [
        (1, {2: 5, 3: b"g1"}, None, "g1"),
        (1, {2: 1, 3: b"x", 4: b"Port g2"}, None, "g2"),
        (1, {2: 3, 3: b"\0\0\0\0\0\x02"}, None, "g2"),
        (1, {3: b"\0\0\0\0\0\x02"}, None, "g2"),
        (2, {2: 7, 3: b"2"}, 12, "g2"),
        (3, {}, None, "v3"),
        (3, {}, 11, "g1"),
        (99, {2: 7, 3: b"somewhere"}, None, "somewhere"),
        (99, {}, None, "#99"),
    ],
)
def test_local_port(
    number: int, described: dict[int, Value], bridge_port: int | None, expected: str
) -> None:
    assert LocalPorts(PORTS).key(number, described, bridge_port) == expected


def test_an_address_of_several_ports_names_none() -> None:
    twins = [port(1, "a", "00:00:00:00:00:01"), port(2, "b", "00:00:00:00:00:01")]
    assert LocalPorts(twins).key(7, {2: 3, 3: b"\0\0\0\0\0\x01"}) == "00:00:00:00:00:01"


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        ({2: 7, 3: b"x", 4: b"to core"}, "g2"),  # both are called so: the number decides
        ({2: 3, 3: b"\0\0\0\0\0\x01", 4: b"to core"}, "g2"),
        ({2: 5, 3: b"g1", 4: b"to core"}, "g1"),
        ({2: 5, 3: b"v3"}, "v3"),  # a name before another's alias
    ],
)
def test_what_two_ports_are_called_names_neither(
    described: dict[int, Value], expected: str
) -> None:
    mac = "00:00:00:00:00:01"
    ports = [
        replace(port(11, "g1", mac), alias="to core"),
        replace(port(12, "g2", mac), alias="to core"),
        replace(port(13, "g3", mac), alias="v3"),
        port(14, "v3", mac),
    ]
    assert LocalPorts(ports).key(12, described) == expected
