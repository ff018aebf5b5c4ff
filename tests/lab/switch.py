"""The honest lab: a switch made of Debian's snmpd, lldpd and sshd on Linux ports, and its wire."""

import base64
import contextlib
import ipaddress
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from drivers.cli.hostkeys import HostKey
from tests.lab.daemons import ADMIN, IF_TABLE, NS_CACHE_TIMEOUT, ROOT, WRITES, Files
from tests.lab.space import Space
from tests.lab.truth import Truth

DEADLINE_SECONDS = 15.0
TESTING = ipaddress.ip_network("198.18.0.0/15")
"""RFC 2544: for tests, routed nowhere."""
UPLINK = "up1"


def until(holds: Callable[[], bool], what: str, seconds: float = DEADLINE_SECONDS) -> None:
    """Wait for a fact."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.02)


class SwitchLab:
    """One school switch with ports ``c1`` .. and a board behind each.

    ``fresh``: what snmpd tells is never older than the request. Else its own caches stand (3 s).
    """

    def __init__(
        self, folder: Path, *, ports: int = 6, name: str = "school-switch", fresh: bool = True
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.name = name
        self.ports = tuple(f"c{number}" for number in range(1, ports + 1))
        self.fresh = fresh
        self.files = Files(folder)
        self.truth = Truth(folder / "truth.jsonl")
        self.address = ""
        self._spaces: list[Space] = []
        self.outside = ""

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> None:
        self.switch = Space(self.name)
        self._spaces.append(self.switch)
        self.boards = Space("class-boards")
        self._spaces.append(self.boards)
        ends = tuple(f"b{port[1:]}" for port in self.ports)
        self._make_ports(self.boards, ends, "ip link set $p up")
        # A real switch's port negotiates unless told otherwise.
        self._make_ports(self.switch, self.ports, "ethtool -s $p autoneg on; ip link set $p up")
        self._join_outside()
        self.switch.script(
            "ip link add br0 type bridge forward_delay 0 && ip link set br0 up\n"
            f"for p in {' '.join(self.ports)}; do ip link set $p master br0; done\n"
            + self.files.accounts()
        )
        self.boards.script("mkdir -p /run/lldpd")
        self._wire = subprocess.Popen(
            [sys.executable, "-m", "tests.lab.wire", str(self.switch.pid), str(self.boards.pid),
             str(self.folder / "truth.jsonl"), str(len(self.ports))],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._answer()
        self.snmpd = self.switch.start(
            self.files.snmpd((*self.ports, UPLINK), self.name), cwd=ROOT,
            env={"SNMP_PERSISTENT_DIR": str(self.folder / "snmp")},
        )  # fmt: skip
        self.start_sshd()
        with (self.folder / "lldpd.log").open("wb") as log:
            until(lambda: self._in("test -S /run/agentx.sock"), "snmpd's socket for lldpd")
            self.switch.start(self.files.lldpd(self.ports, agentx=True), stderr=log)
            self.boards.start(self.files.lldpd(ends, agentx=False), stderr=log)
        if self.fresh:
            self.forget_at_once()

    def _in(self, script: str) -> bool:
        done = subprocess.run(self.switch.within("sh", "-c", script), check=False)
        return done.returncode == 0

    @staticmethod
    def _make_ports(space: Space, names: tuple[str, ...], each: str) -> None:
        space.script(
            f"for p in {' '.join(names)}; do ip tuntap add dev $p mode tap\n"
            f"ethtool -s $p speed 1000 duplex full autoneg off; {each}; done"
        )

    def _join_outside(self) -> None:
        """The uplink: one cable to the machine, where agent and controller run."""
        subnets = list(range(0, TESTING.num_addresses, 4))
        for _ in range(20):
            base = TESTING[random.choice(subnets)]
            outside = f"lab{int(base) & 0xFFFFFF:x}"
            made = subprocess.run(
                ["ip", "link", "add", outside, "type", "veth", "peer", "name", UPLINK,
                 "netns", str(self.switch.pid)], check=False,
            )  # fmt: skip
            if made.returncode == 0:
                break
        else:
            raise AssertionError("no free name for the lab's uplink")
        self.outside = outside
        self.outside_address, self.address = str(base + 1), str(base + 2)
        subprocess.run(["ip", "addr", "add", f"{base + 1}/30", "dev", outside], check=True)
        subprocess.run(["ip", "link", "set", outside, "up"], check=True)
        self.switch.script(f"ip addr add {base + 2}/30 dev {UPLINK}; ip link set {UPLINK} up")

    def start_sshd(self) -> None:
        """Start it (again)."""
        self.sshd = self.switch.start(self.files.sshd())

    def host_key(self) -> HostKey:
        """As its file has it: known without asking the network."""
        kind, text = (self.folder / "host_key.pub").read_text().split()[:2]
        return HostKey(kind, base64.b64decode(text))

    def forget_at_once(self) -> None:
        """nsCacheTimeout 0: the only way net-snmp has to tell what is, not what was."""
        name = f"{NS_CACHE_TIMEOUT}.{IF_TABLE}"
        command = [
            "snmpset",
            "-v2c",
            "-c",
            WRITES,
            "-t",
            "0.3",
            "-r",
            "0",
            "127.0.0.1",
            name,
            "i",
            "0",
        ]
        until(
            lambda: subprocess.run(
                self.switch.within(*command), capture_output=True, check=False
            ).returncode == 0,
            "snmpd, and its cache's time-out",
        )  # fmt: skip

    def set(self, port: str, words: str) -> None:
        """``ethtool -s``, as a hand at the switch would."""
        self.switch.run("ethtool", "-s", port, *words.split())

    def tell(self, port: str, **cable: bool) -> float:
        """Change the copper: ``plugged``, ``broken_pair``, ``stuck``; from when (monotonic)."""
        assert self._wire.stdin is not None
        self._wire.stdin.write(json.dumps({"port": port, **cable}).encode() + b"\n")
        self._wire.stdin.flush()
        return float(self._answer()["mono"])

    def _answer(self) -> dict[str, Any]:
        assert self._wire.stdout is not None
        line = self._wire.stdout.readline()
        assert line, "the wire has ended"
        answer: dict[str, Any] = json.loads(line)
        return answer

    @property
    def wire_pid(self) -> int:
        """The wire's process."""
        return self._wire.pid

    def cut_sessions(self) -> int:
        """Kill every SSH session at the switch, as a cable pulled out would; how many processes."""
        sessions = self.sessions()
        for pid in sessions:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(sessions)

    def sessions(self) -> list[int]:
        """sshd's processes of sessions, the machine's numbers: what is killed to cut one."""
        found = []
        mine = Path(f"/proc/{self.switch.pid}/ns/pid").readlink()
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                pid = int(folder.name)
                if (folder / "ns/pid").readlink() == mine and (
                    folder / "cmdline"
                ).read_bytes().startswith(f"sshd: {ADMIN}".encode()):
                    found.append(pid)
        return found

    def close(self) -> None:
        """End all of it."""
        wire = getattr(self, "_wire", None)
        if wire is not None and wire.stdin is not None and wire.stdout is not None:
            with contextlib.suppress(OSError):
                wire.stdin.close()
            try:
                wire.wait(5)
            except subprocess.TimeoutExpired:
                wire.kill()
                wire.wait()
            wire.stdout.close()
        for space in self._spaces:
            space.close()
        self._spaces.clear()
        if self.outside:
            # It goes with its other end, but not at once.
            subprocess.run(["ip", "link", "del", self.outside], capture_output=True, check=False)
            self.outside = ""
