"""Switches with a command line for the canary test: what is planted in them, and where they are."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.integration.planted import Planted

FORMS = {
    "huawei-vrp5": (
        "huawei",
        "snmp-agent community read cipher {}",
        "local-user admin password irreversible-cipher {}",
        "super password level 15 cipher {}",
        "snmp-agent usm-user v3 u1 privacy-mode aes128 cipher {}",
        "snmp-agent target-host trap address udp-domain 10.1.1.1 params securityname {}",
    ),
    "huawei-vrp8": (
        "huawei",
        "radius-server shared-key cipher {}",
        "ospf authentication-mode md5 1 cipher {}",
        "ssl certificate load pem-cert x.pem key-pair rsa key-file k.pem auth-code {}",
    ),
    "comware": (
        "h3c",
        "snmp-agent community write simple {}",
        "primary authentication 10.0.0.1 key cipher {}",
        "portal server s ip 10.0.0.1 key {} url http://10.0.0.1",
        "key authentication simple {}",
    ),
    "ruijie": (
        "ruijie",
        "enable secret level 15 5 {}",
        "username admin password 7 {}",
        "snmp-server host 10.0.0.12 traps version 2c {}",
        "radius-server host 10.0.0.1 key 7 {} auth-port 1812",
    ),
    "zte": (
        "zte",
        "snmp-server community encrypted {} view AllView rw",
        "username wyf password {}",
        "server 1 10.1.1.1 master key {} port 1812",
    ),
    "cisco-ios": (
        "ruijie",
        "enable secret 9 {}",
        "tacacs-server key {}",
        "crypto isakmp key {} address 0.0.0.0",
        "ntp authentication-key 1 md5 {} 7",
        "path ftp://backup:{}@10.0.0.1/$h",
    ),
}
"""Dialect -> the make that is simulated, and lines of its configuration that hold a secret."""
ENABLES = {"ruijie", "zte", "cisco-ios"}
WRONG, REPLACED = "huawei-vrp8", "comware"
"""Whose password in the vault is not the switch's; and whose is about to be replaced."""


@dataclass
class Console:
    """One switch with a command line."""

    name: str
    sim: subprocess.Popen[bytes]
    lines: list[str]
    ready: dict[str, Any] = field(default_factory=dict)

    def planted(self, planted: Planted) -> None:
        """Wait until it is there, and give it its configuration."""
        assert self.sim.stdout is not None
        (self.ready,) = json.loads(self.sim.stdout.readline())["switches"]
        self.tell(lines=[
            line.format(planted.new(f"{self.name} {number}"))
            for number, line in enumerate(self.lines)
        ])  # fmt: skip

    def tell(self, **command: object) -> None:
        """A control line."""
        assert self.sim.stdin is not None
        assert self.sim.stdout is not None
        self.sim.stdin.write(json.dumps({"switch": self.name, **command}).encode() + b"\n")
        self.sim.stdin.flush()
        answer = json.loads(self.sim.stdout.readline())
        assert answer == {"ok": True}, answer


def password_on(dialect: str, planted: Planted) -> str:
    """What the switch takes."""
    kind = "next ssh password" if dialect == REPLACED else "ssh password"
    if dialect == WRONG:
        kind = "ssh password on the switch"
    return planted.by_name[f"{kind} {dialect}"].decode()


def start(dialect: str, place: Path, udp_port: int, planted: Planted) -> Console:
    """A simulator with one switch called like its dialect; :meth:`Console.planted` waits for it."""
    make, *lines = FORMS[dialect]
    community = planted.by_name[f"community {dialect}"].decode()
    fleet = [{"name": dialect, "vendor": make, "ports": 4, "community": community}]
    place.write_text(json.dumps(fleet))
    words = ["--fleet", str(place), "--port", str(udp_port), "--console", dialect, "--ready-json",
             "--console-password", password_on(dialect, planted)]  # fmt: skip
    if dialect in ENABLES:
        words += ["--console-enable", planted.by_name[f"enable {dialect}"].decode()]
    sim = subprocess.Popen(
        [sys.executable, "-m", "tenone.cli", "sim", "switch", *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    return Console(dialect, sim, lines)
