"""Debian's real snmpd on real Linux ports: what ethtool sets is what we show."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PORTS = ("c1", "c2", "c3")
HOLD = """
import fcntl, struct, sys
held = []
for name in sys.argv[1:]:
    one = open("/dev/net/tun", "r+b", buffering=0)
    fcntl.ioctl(one, 0x400454CA, struct.pack("16sH", name.encode(), 0x1002))
    held.append(one)
print("ready", flush=True)
sys.stdin.read()
"""
"""A tap has no carrier until a program holds it (TUNSETIFF, IFF_TAP | IFF_NO_PI)."""

needed = ("ip", "ethtool", "snmpd")
missing = [
    name for name in needed if shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin") is None
]
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for a network namespace"),
    pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}"),
    pytest.mark.skipif(not Path("/dev/net/tun").exists(), reason="this kernel has no tap devices"),
]


class Namespace:
    """A network namespace with a name of its own."""

    def __init__(self) -> None:
        self.name = f"tenone-snmp-{os.getpid()}"
        self.started: list[subprocess.Popen[bytes]] = []
        subprocess.run(["ip", "netns", "add", self.name], check=True)

    def run(self, *command: str) -> str:
        done = subprocess.run(
            ["ip", "netns", "exec", self.name, *command], check=True, capture_output=True
        )
        return done.stdout.decode()

    def start(self, *command: str, **more: Any) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(["ip", "netns", "exec", self.name, *command], **more)
        self.started.append(process)
        return process

    def close(self) -> None:
        for process in reversed(self.started):
            if process.stdin is not None:
                process.stdin.close()
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()
        subprocess.run(["ip", "netns", "del", self.name], check=True)


@pytest.fixture
def namespace(tmp_path: Path) -> Iterator[Namespace]:
    space = Namespace()
    try:
        space.run("ip", "link", "set", "lo", "up")
        for name in PORTS:
            space.run("ip", "tuntap", "add", "dev", name, "mode", "tap")
            space.run("ip", "link", "set", name, "up")
        holder = space.start(
            sys.executable, "-c", HOLD, *PORTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"ready\n"
        settings = tmp_path / "snmpd.conf"
        settings.write_text(
            "rocommunity public 127.0.0.1\n"
            "agentaddress udp:127.0.0.1:1161\n"
            f"[snmp] persistentDir {tmp_path}\n"
        )
        space.start(
            "snmpd", "-f", "-C", "-c", str(settings), "-Lf", str(tmp_path / "log"),
            env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"},
        )  # fmt: skip
        yield space
    finally:
        space.close()


def show(space: Namespace) -> dict[str, Any]:
    said = space.run(
        sys.executable, "-m", "tenone.cli", "snmp", "show", "127.0.0.1:1161",
        "-c", "public", "--json", "--timeout", "2", "--retries", "5",
    )  # fmt: skip
    shown = json.loads(said)
    assert isinstance(shown, dict)
    return shown


Facts = dict[str, tuple[int | None, str]]
"""Port -> speed in Mbit/s (None: whatever it is) and operational state."""


def shown_soon(space: Namespace, wanted: Facts) -> dict[str, Any]:
    """What is shown once it shows ``wanted``: snmpd asks the kernel every 3 s at most."""
    deadline = time.monotonic() + 30
    now: Facts = {}
    while time.monotonic() < deadline:
        shown = show(space)
        ports = {port["name"]: port for port in shown["ports"]}
        now = {
            name: (None if speed is None else ports[name]["speed_mbps"], ports[name]["oper"])
            for name, (speed, _) in wanted.items()
        }
        if now == wanted:
            return shown
        time.sleep(0.2)
    pytest.fail(f"{wanted} did not show in 30 s: {now}")


def test_what_ethtool_sets_is_what_we_show(namespace: Namespace) -> None:
    settings = {"c1": 1000, "c2": 100, "c3": 10_000}
    for name, speed in settings.items():
        namespace.run(
            "ethtool", "-s", name, "speed", str(speed), "duplex", "full", "autoneg", "off"
        )
    shown = shown_soon(namespace, {name: (speed, "up") for name, speed in settings.items()})
    links = {link["ifname"]: link for link in json.loads(namespace.run("ip", "-j", "link"))}
    ports = {port["name"]: port for port in shown["ports"]}
    assert set(ports) == set(links)
    for name in settings:
        port, link = ports[name], links[name]
        assert port["admin"] == "up"
        assert port["if_index"] == link["ifindex"]
        assert port["mac"] == link["address"]
        assert port["mtu"] == link["mtu"]
        assert port["in_octets"] is not None
    assert shown["system"]["vendor"] == "Net-SNMP"
    assert shown["system"]["uptime_seconds"] >= 0
    # A forced speed and a port taken down follow.
    namespace.run("ethtool", "-s", "c1", "speed", "100", "duplex", "half", "autoneg", "off")
    namespace.run("ip", "link", "set", "c3", "down")
    shown_soon(namespace, {"c1": (100, "up"), "c3": (None, "down")})
