"""The list is what school.yaml names and nothing else; everything else is refused and counted."""

import ipaddress
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agents.egress import MAX_ADDRESSES, MAX_DESTINATIONS, EgressRefusedError, Guard, Rule, rules_of
from tenone.config import ConfigError, School, load_school

SNMP = {"community": "env:C"}
CLI = {"dialect": "comware", "username": "u", "password": "env:P"}
SCHOOL: dict[str, object] = {
    "schema_version": 1,
    "school": {"id": "no3", "name": "No. 3", "district": "d1", "city": "c1"},
    "uplink": {
        "broker": {"host": "city.example", "tls": True},
        "controller": "https://city.example:8443",
    },
    "switches": [
        {"name": "core", "host": "10.0.0.1", "snmp": SNMP, "also_from": ["10.9.0.1"]},
        {"name": "repaired", "host": "10.0.1.1", "snmp": SNMP, "cli": CLI},
        {"name": "apart", "host": "10.0.1.2", "snmp": SNMP, "cli": CLI | {"host": "10.0.2.2"}},
        {"name": "v6", "host": "fd00::1", "port": 1161, "snmp": SNMP},
    ],
    "devices": [
        {"id": "board/b1"},
        {"id": "ups/u1", "host": "10.0.0.9", "snmp": SNMP},
    ],
    "traps": {"listen": "0.0.0.0:1162", "communities": ["env:C"]},
    "probes": {
        "targets": [{"name": "t", "host": "10.5.0.1"}],
        "dns": [{"name": "www.example", "resolvers": ["10.0.0.53"]}],
        "platforms": [
            {"id": "exam", "url": "https://exam.example/x", "path": True},
            {"id": "res", "url": "http://res.example:8080/"},
        ],
    },
    "egress": {
        "also": [{"to": "10.77.0.0/16", "port": 6514, "why": "log server"}],
        "ntp": ["ntp.example"],
    },
}  # fmt: skip


def school(tmp_path: Path, **changes: object) -> School:
    file = tmp_path / "school.yaml"
    file.write_text(yaml.safe_dump(SCHOOL | changes))
    return load_school(file)


def allows(guard: Guard, protocol: str, host: str, port: int) -> bool:
    try:
        guard.check(protocol, host, port)
    except EgressRefusedError:
        return False
    return True


def test_the_list(tmp_path: Path) -> None:
    guard = Guard(rules_of(school(tmp_path), ("10.0.0.53",)))
    guard.learn("city.example", ["203.0.113.7"])
    guard.learn("exam.example", ["203.0.113.8", "2001:db8::8"])
    guard.learn("RES.example.", ["203.0.113.9"])
    cases = [
        ("tcp", "203.0.113.7", 8883, True),
        ("tcp", "203.0.113.7", 1883, False),
        ("tcp", "203.0.113.7", 8443, True),
        ("udp", "203.0.113.7", 8883, False),
        ("tcp", "127.0.0.1", 40001, True),  # the embedded broker
        ("udp", "10.0.0.1", 161, True),
        ("udp", "::ffff:10.0.0.1", 161, True),
        ("udp", "10.0.0.1", 40000, True),  # answers to its informs
        ("udp", "10.9.0.1", 40000, True),
        ("tcp", "10.0.0.1", 22, False),  # no command line is spoken there
        ("tcp", "10.0.1.1", 22, True),
        ("tcp", "10.0.1.2", 22, False),
        ("tcp", "10.0.2.2", 22, True),
        ("udp", "fd00::1", 1161, True),
        ("udp", "10.0.0.9", 161, True),
        ("udp", "10.0.0.2", 161, False),
        ("udp", "10.5.0.1", 862, True),
        ("udp", "10.5.0.1", 863, False),
        ("udp", "10.0.0.53", 53, True),
        ("tcp", "203.0.113.8", 443, True),
        ("tcp", "203.0.113.8", 80, False),
        ("udp", "203.0.113.8", 33434, True),  # its path
        ("icmp", "2001:db8::8", 0, True),
        ("tcp", "203.0.113.9", 8080, True),
        ("udp", "203.0.113.9", 33434, False),
        ("tcp", "10.77.3.4", 6514, True),
        ("tcp", "10.78.3.4", 6514, False),
        ("tcp", "169.254.169.254", 80, False),
        ("frames", "('eth0', 3)", 0, False),
        ("tcp", "exam.example", 443, False),  # a name: its address would not be seen
    ]
    wrong = [case for case in cases if allows(guard, *case[:3]) is not case[3]]
    assert wrong == []
    refused = sum(not case[3] for case in cases)
    assert guard.refused == refused
    assert sum(guard.by_destination.values()) == refused
    assert "exam.example" in guard.last


def test_only_names_of_the_list_are_looked_up(tmp_path: Path) -> None:
    guard = Guard(rules_of(school(tmp_path)))
    for name in ("city.example", "CITY.example.", "exam.example", "10.0.0.99"):
        guard.check_name(name)
    for name in ("evil.example", "city.example.evil", "ntp.example", ""):
        with pytest.raises(EgressRefusedError, match="look-up"):
            guard.check_name(name)


def test_a_name_leads_to_no_near_address() -> None:
    """A forged answer cannot turn a platform's name into a way to this machine (rebinding)."""
    guard = Guard([Rule("p.example", "tcp", 80, "platform")])
    near = ["127.0.0.1", "::1", "169.254.169.254", "fe80::1%eth0", "0.0.0.0", "::ffff:127.0.0.1"]
    assert guard.learn("p.example", [*near, "224.0.0.1", "203.0.113.1"]) == ["203.0.113.1"]
    assert not any(allows(guard, "tcp", host, 80) for host in near)


def test_names_are_followed_or_pinned() -> None:
    rules = [Rule("p.example", "tcp", 80, "platform"), Rule("10.0.0.1", "tcp", 80, "listed")]
    follows, pins = Guard(rules), Guard(rules, pin_names=True)
    for guard in (follows, pins):
        guard.learn("p.example", ["203.0.113.1"])
        guard.learn("p.example", ["203.0.113.2"])
        assert allows(guard, "tcp", "203.0.113.1", 80)
    assert allows(follows, "tcp", "203.0.113.2", 80)
    assert not allows(pins, "tcp", "203.0.113.2", 80)
    many = [str(ipaddress.IPv4Address("198.51.100.0") + place) for place in range(100)]
    follows.learn("p.example", ["10.0.0.1", *many])
    assert sum(allows(follows, "tcp", host, 80) for host in many) == MAX_ADDRESSES
    assert not allows(follows, "tcp", "203.0.113.1", 80)
    assert allows(follows, "tcp", "10.0.0.1", 80), "what is listed itself stays"


def test_counting_only() -> None:
    guard = Guard([], enforce=False)
    for place in range(3 * MAX_DESTINATIONS):
        guard.check("tcp", "203.0.113.1", place)
        guard.check("tcp", "203.0.113.1", place)
    assert guard.refused == 6 * MAX_DESTINATIONS
    assert len(guard.by_destination) == MAX_DESTINATIONS, "a scan does not fill the memory"


NETWORKS = st.sampled_from(["10.0.0.0/8", "192.0.2.0/25", "2001:db8::/33", "198.51.100.7/32"])
ADDRESSES = st.one_of(
    st.ip_addresses(), st.sampled_from(["10.1.2.3", "192.0.2.127", "192.0.2.128", "198.51.100.7"])
)


@given(
    st.lists(st.tuples(NETWORKS, st.sampled_from([80, None]))), ADDRESSES, st.sampled_from([80, 81])
)
def test_networks_against_a_plain_count(
    listed: list[tuple[str, int | None]], address: object, port: int
) -> None:
    guard = Guard([Rule(to, "tcp", at, "w") for to, at in listed])
    plain = ipaddress.ip_address(str(address))
    mapped = getattr(plain, "ipv4_mapped", None) or plain
    expected = any(
        mapped in ipaddress.ip_network(to) and at in {None, port}
        for to, at in listed
        if ipaddress.ip_network(to).version == mapped.version
    )
    assert allows(guard, "tcp", str(address), port) is expected
    assert not allows(guard, "udp", str(address), port)


@pytest.mark.parametrize(
    ("egress", "says"),
    [
        ({"also": [{"to": "0.0.0.0/0", "why": "w"}]}, "this is everywhere"),
        ({"also": [{"to": "10.0.0.1/8", "why": "w"}]}, "neither a host nor a network"),
        ({"also": [{"to": "h"}]}, "'why' is missing"),
        ({"resolvers": ["dns.example"]}, "is no address"),
        ({"enforce": "no"}, "egress.enforce"),
    ],
)
def test_a_list_that_is_refused(tmp_path: Path, egress: object, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        school(tmp_path, egress=egress)
    assert says in str(caught.value)
