"""Hops: loopback, and (root) a chain of routers made of namespaces."""

import json
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.probe.path import Method, trace
from tenone.runtime.clock import SystemClock
from tenone.vocabulary.probes import HopOutcome
from tests.probe.conftest import namespaces_work

SETTINGS = ("net.ipv4.ip_forward=1", "net.ipv4.ping_group_range=0 2147483647")
RUN = """
import asyncio, json, sys
from drivers.probe.path import trace
from tenone.runtime.clock import SystemClock
found = asyncio.run(trace(sys.argv[1], clock=SystemClock(), hops=5, packets=2, method=sys.argv[2]))
print(json.dumps([[s.ttl, s.number, s.outcome, s.address, s.rtt_ns] for s in found]))
"""


def echo_works(host: str) -> bool:
    """Whether this system lets us ask for echoes (net.ipv4.ping_group_range)."""
    six = ":" in host
    try:
        socket.socket(
            socket.AF_INET6 if six else socket.AF_INET,
            socket.SOCK_DGRAM,
            socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP,
        ).close()
    except PermissionError:
        return False
    return True


@pytest.mark.parametrize("method", ["udp", "icmp"])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_this_machine_is_one_hop_away(host: str, method: Method) -> None:
    if method == "icmp" and not echo_works(host):
        pytest.skip("net.ipv4.ping_group_range does not hold our group")
    found = await trace(host, clock=SystemClock(), hops=3, packets=2, method=method)
    assert [(sample.ttl, sample.number) for sample in found[:2]] == [(1, 0), (1, 1)]
    for sample in found:
        if sample.ttl == 1:
            assert (sample.outcome, sample.address) == (HopOutcome.REACHED, host)
            assert sample.rtt_ns is not None
            assert 0 < sample.rtt_ns < 10**9
        else:
            assert (sample.outcome, sample.address, sample.rtt_ns) == (None, None, None)


async def test_a_name_is_no_address() -> None:
    with pytest.raises(OSError, match="illegal IP address"):
        await trace("exam.example.cn", clock=SystemClock())


@pytest.fixture
def chain() -> Iterator[list[str]]:
    """Four namespaces in a row: school, two routers, platform; the address of each link."""
    if not namespaces_work():
        pytest.skip("no namespaces here")
    tag = uuid.uuid4().hex[:6]
    names = [f"t1p{tag}{n}" for n in range(4)]

    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True)

    try:
        for name in names:
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
            subprocess.run(
                ["ip", "netns", "exec", name, "sysctl", "-q", "-w", *SETTINGS],
                check=True,
            )
        for n in range(3):
            left, right = f"a{tag}{n}", f"b{tag}{n}"
            ip("-n", names[n], "link", "add", left, "type", "veth", "peer", "name", right)
            ip("-n", names[n], "link", "set", right, "netns", names[n + 1])
            for name, device, host in ((names[n], left, 1), (names[n + 1], right, 2)):
                ip("-n", name, "address", "add", f"10.77.{n}.{host}/24", "dev", device)
                ip("-n", name, "link", "set", device, "up")
        for n in range(4):
            if n < 3:
                ip("-n", names[n], "route", "add", "default", "via", f"10.77.{n}.2")
            else:
                ip("-n", names[n], "route", "add", "default", "via", "10.77.2.1")
        ip("-n", names[2], "route", "add", "10.77.0.0/24", "via", "10.77.1.1")
        yield names
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def run(name: str, host: str, method: str = "udp") -> list[list[object]]:
    done = subprocess.run(
        ["ip", "netns", "exec", name, sys.executable, "-c", RUN, host, method],
        check=True,
        capture_output=True,
        cwd=Path(__file__).parents[2],
        timeout=60,
    )
    found: list[list[object]] = json.loads(done.stdout)
    return found


@pytest.mark.root
@pytest.mark.parametrize("method", ["udp", "icmp"])
def test_every_router_of_a_chain_is_named(chain: list[str], method: str) -> None:
    found = run(chain[0], "10.77.2.2", method)
    assert [(ttl, number, outcome, address) for ttl, number, outcome, address, _ in found] == [
        *((1, n, HopOutcome.TRANSIT, "10.77.0.2") for n in range(2)),
        *((2, n, HopOutcome.TRANSIT, "10.77.1.2") for n in range(2)),
        *((3, n, HopOutcome.REACHED, "10.77.2.2") for n in range(2)),
        *((ttl, n, None, None) for ttl in (4, 5) for n in range(2)),
    ]


@pytest.mark.root
def test_echoes_over_ipv6(chain: list[str]) -> None:
    """In a namespace whose ``ping_group_range`` allows it."""
    found = run(chain[0], "::1", "icmp")
    assert [row[2:4] for row in found[:3]] == [[HopOutcome.REACHED, "::1"]] * 2 + [[None, None]]


@pytest.mark.slow
@pytest.mark.root
def test_a_firewall_that_says_no_and_one_that_says_nothing(chain: list[str]) -> None:
    def firewall(verdict: str) -> None:
        rules = (
            "flush ruleset\ntable ip f {\nchain c {\ntype filter hook forward priority 0;\n"
            f"udp dport 33000-34000 {verdict}\n}}\n}}\n"
        )
        subprocess.run(["ip", "netns", "exec", chain[2], "nft", rules], check=True)

    firewall("reject with icmp type admin-prohibited")
    assert [row[2:4] for row in run(chain[0], "10.77.2.2")[4:6]] == [
        [HopOutcome.REFUSED, "10.77.1.2"]
    ] * 2
    assert run(chain[0], "10.77.2.2", "icmp")[4][2:4] == [HopOutcome.REACHED, "10.77.2.2"]
    firewall("drop")
    assert [row[2:4] for row in run(chain[0], "10.77.2.2")[4:]] == [[HopOutcome.LOST, None]] * 6
