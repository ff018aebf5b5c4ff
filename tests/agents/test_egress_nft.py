"""The machine's own rules, in a namespace with the real nft: unlisted is refused and counted."""

import json
import os
import subprocess
import sys
from pathlib import Path
from shutil import which

import pytest

from agents.egress import Rule
from agents.egress_nft import NftError, rules_text, system_resolvers

RULES = (
    Rule("10.99.0.2", "tcp", 8883, "the city's broker"),
    Rule("10.99.0.0/30", "udp", 161, 'switch "core"; flush ruleset'),
    Rule("broker.example", "tcp", 1883, "by name"),
    Rule("fd99::2", "tcp", None, "six"),
    Rule("fd99::2", "icmp", None, "path"),
    Rule("10.99.0.2", "icmp", None, "path"),
)
REFUSED = {"EPERM", "EHOSTUNREACH"}
"""What a program sees: the verdict, or the message that the kernel sends it about it."""
SCRIPT = r"""
set -e
ip link set lo up
ip link add here type veth peer name there netns "$1"
ip addr add 10.99.0.1/24 dev here
ip link set here up
nsenter -t "$2" -n ip addr add 10.99.0.2/24 dev there
nsenter -t "$2" -n ip addr add 10.99.0.3/24 dev there
nsenter -t "$2" -n ip link set there up
nft -f "$3"
"""


def test_the_text() -> None:
    text = rules_text(RULES, user="tenone", resolve=lambda _: ["192.0.2.1", "2001:db8::1"])
    assert "meta skuid tenone jump listed" in text
    assert 'ip daddr 10.99.0.2 tcp dport 8883 accept comment "the city?s broker 10.99.0.2"' in text
    assert "ip daddr 192.0.2.1 tcp dport 1883" in text
    assert "ip6 daddr 2001:db8::1 tcp dport 1883" in text
    assert "ip6 daddr fd99::2 meta l4proto tcp accept" in text
    assert 'core"; flush' not in text, "nothing of the school's words is a command"
    assert rules_text((), user=None).count("skuid") == 0
    for user in ("a b", "x;flush", "", "é"):
        with pytest.raises(NftError, match="no user's name"):
            rules_text((), user=user)

    def nobody(_: str) -> list[str]:
        raise OSError("no such name")

    with pytest.raises(NftError, match=r"broker.example .by name. has no address now"):
        rules_text(RULES, user=None, resolve=nobody)


def test_resolvers(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text("# x\nnameserver 10.0.0.53\nnameserver fe80::1%eth0\nnameserver no\nsearch a\n")
    assert system_resolvers(file) == ("10.0.0.53", "fe80::1")
    assert system_resolvers(tmp_path / "none") == ()


ATTEMPTS = r"""
import errno, json, socket, sys
def udp(host, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.settimeout(0.3)
        opened.connect((host, port))
        try:
            opened.send(b"x")
            opened.send(b"x")
            opened.recv(10)
        except TimeoutError:
            return "sent"
        except OSError as error:
            return errno.errorcode[error.errno]
def once(host, port):
    with socket.socket() as opened:
        opened.settimeout(2)
        code = opened.connect_ex((host, port))
        return errno.errorcode[code] if code else "open"
print(json.dumps({
    "listed tcp": once("10.99.0.2", 8883),
    "other port": once("10.99.0.2", 22),
    "other host": once("10.99.0.3", 8883),
    "own machine": once("127.0.0.1", 9),
    "other udp": udp("10.99.0.3", 53),
}))
"""


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0 or which("nft") is None, reason="needs root and nft")
@pytest.mark.parametrize("user", [None, "root", "nobody"])
def test_with_the_real_nft(tmp_path: Path, user: str | None) -> None:
    """``nobody``: the rules are about another user, so ours goes out as before."""
    rules = tmp_path / "rules"
    rules.write_text(rules_text(RULES, user=user, resolve=lambda _: ["10.99.0.2"]))
    hold = ["unshare", "--net", "sleep", "60"]
    with subprocess.Popen(hold) as peer, subprocess.Popen(hold) as ours:
        try:
            for one in (peer, ours):  # until unshare has become sleep, in a namespace of its own
                while Path(f"/proc/{one.pid}/comm").read_text().strip() != "sleep":
                    pass
            inside = ["nsenter", "-t", str(ours.pid), "-n"]
            setting = ["bash", "-c", SCRIPT, "set", str(peer.pid), str(peer.pid), str(rules)]
            subprocess.run([*inside, *setting], check=True)
            subprocess.run([*inside, "nft", "-f", str(rules)], check=True)  # again: replaced whole
            done = subprocess.run(
                [*inside, sys.executable, "-c", ATTEMPTS],
                capture_output=True,
                text=True,
                check=True,
            )
            found = json.loads(done.stdout)
            shown = subprocess.run(
                [*inside, "nft", "-j", "list", "counter", "inet", "tenone_egress", "refused"],
                capture_output=True, text=True, check=True,
            ).stdout  # fmt: skip
        finally:
            peer.kill()
            ours.kill()
    packets = next(
        one["counter"]["packets"] for one in json.loads(shown)["nftables"] if "counter" in one
    )
    assert found["listed tcp"] == "ECONNREFUSED", "the other side answered: nobody listens there"
    assert found["own machine"] == "ECONNREFUSED"
    if user == "nobody":
        assert (found["other port"], packets) == ("ECONNREFUSED", 0)
        return
    assert found["other port"] in REFUSED
    assert found["other host"] in REFUSED
    assert found["other udp"] in REFUSED
    assert packets >= 3
