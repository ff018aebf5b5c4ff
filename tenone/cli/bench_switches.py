"""The load of ``tenone bench poll``: many recorded switches in processes of their own.

Every instance has a value of its own, fixed by port and column, so that what a client
delivers can be checked to the last bit. Where counters are to move, six columns grow steadily
from that value, and what is delivered must lie on the way.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from drivers.snmp import mib
from drivers.snmp.ber import Oid, Tag, oid_text
from drivers.snmp.message import Version
from drivers.snmp.target import Target
from drivers.snmp.v3.keys import Auth, Priv
from drivers.snmp.v3.user import User

PORTS = 48
SWITCHES_A_PROCESS = 500
V3_USER, V3_AUTH, V3_PRIV, V3_PASSWORD = "bench", "sha256", "aes128", "bench-password"
"""Who asks by SNMPv3, with one password for both purposes."""

COLUMNS: tuple[tuple[str, Oid, Tag], ...] = (
    ("admin", mib.IF_ADMIN_STATUS, Tag.INTEGER),
    ("oper", mib.IF_OPER_STATUS, Tag.INTEGER),
    ("speed_mbps", mib.IF_HIGH_SPEED, Tag.GAUGE32),
    ("duplex", mib.DOT3_DUPLEX, Tag.INTEGER),
    ("last_change_ticks", mib.IF_LAST_CHANGE, Tag.TIME_TICKS),
    ("in_octets", mib.IF_HC_IN_OCTETS, Tag.COUNTER64),
    ("out_octets", mib.IF_HC_OUT_OCTETS, Tag.COUNTER64),
    ("in_unicast", mib.IF_HC_IN_UCAST, Tag.COUNTER64),
    ("out_unicast", mib.IF_HC_OUT_UCAST, Tag.COUNTER64),
    ("in_multicast", mib.IF_HC_IN_MULTICAST, Tag.COUNTER64),
    ("in_broadcast", mib.IF_HC_IN_BROADCAST, Tag.COUNTER64),
    ("in_errors", mib.IF_IN_ERRORS, Tag.COUNTER32),
    ("out_errors", mib.IF_OUT_ERRORS, Tag.COUNTER32),
    ("in_discards", mib.IF_IN_DISCARDS, Tag.COUNTER32),
    ("out_discards", mib.IF_OUT_DISCARDS, Tag.COUNTER32),
    ("discontinuity_ticks", mib.IF_COUNTER_DISCONTINUITY, Tag.TIME_TICKS),
)
"""The sixteen columns every client is asked for: vocabulary name, object, type."""
VALUES = PORTS * len(COLUMNS)


MOVING = frozenset(name for name, _, tag in COLUMNS if tag is Tag.COUNTER64)
"""The columns that grow where counters move."""


def rate(name: str, port: int) -> int:
    """How much a moving column grows a second."""
    return 1_000 + 37 * port if name in MOVING else 0


def value(name: str, port: int) -> int:
    """What the switch says: legal for its column, and different for every counter."""
    match name:
        case "admin" | "oper":
            return 1
        case "speed_mbps":
            return 1000 if port <= PORTS - 2 else 10_000
        case "duplex":
            return 3
        case "last_change_ticks" | "discontinuity_ticks":
            return 1_000 + port
    place = [column for column, _, _ in COLUMNS].index(name)
    wide = name in {"in_octets", "out_octets"} or name.endswith("cast")
    return place * 1_000_003 + port * 7 + ((1 << 41) + (port << 33) if wide else 0)


def expected() -> dict[str, list[int]]:
    """Column -> values of ports 1 to 48."""
    return {name: [value(name, port) for port in range(1, PORTS + 1)] for name, _, _ in COLUMNS}


def recording(*, moving: bool = False) -> str:
    """The switch as an .snmprec."""
    lines: dict[Oid, str] = {
        mib.SYS_DESCR: "4|bench switch",
        mib.SYS_OBJECT_ID: "6|1.3.6.1.4.1.2011.2.23.1",
        mib.SYS_UPTIME: "67:numeric|rate=100,initial=500000",
        mib.SYS_NAME: "4|bench",
        mib.IF_NUMBER: f"2|{PORTS}",
    }
    for port in range(1, PORTS + 1):
        lines[(*mib.IF_DESCR, port)] = f"4|GigabitEthernet1/0/{port}"
        lines[(*mib.IF_TYPE, port)] = "2|6"
        lines[(*mib.IF_NAME, port)] = f"4|GE1/0/{port}"
        for name, column, tag in COLUMNS:
            first, growth = value(name, port), rate(name, port) if moving else 0
            variable = f":numeric|rate={growth},initial={first}" if growth else f"|{first}"
            lines[(*column, port)] = f"{int(tag)}{variable}"
    return "".join(f"{oid_text(oid)}|{rest}\n" for oid, rest in sorted(lines.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What the switches are like."""

    moving: bool = False
    """Counters count."""
    v3: bool = False
    """They are asked by SNMPv3."""
    silent: int = 0
    """How many of them never answer."""

    @property
    def text(self) -> str:
        """What the line of a run says of it."""
        counting = "six columns count up" if self.moving else "values stand still"
        asked = f"; by SNMPv3, {V3_AUTH} and {V3_PRIV}" if self.v3 else ""
        return f"{counting}, sysUpTime moves{asked}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Where the switches listen and which processes they are."""

    ports: tuple[int, ...]
    pids: tuple[int, ...]
    kind: Kind
    silent_ports: tuple[int, ...] = ()
    started: float = field(default_factory=time.monotonic)
    """Before any of them counted."""


@asynccontextmanager
async def switches(count: int, folder: Path, kind: Kind | None = None) -> AsyncIterator[Load]:
    """Serve ``count`` switches and those that are silent on loopback until the block ends."""
    kind = kind or Kind()
    started = time.monotonic()
    path = folder / "bench.snmprec"
    path.write_text(recording(moving=kind.moving))
    processes: list[asyncio.subprocess.Process] = []
    user = f"{V3_USER}:{V3_AUTH}:{V3_PASSWORD}:{V3_PRIV}:{V3_PASSWORD}"
    options = ["--replay", str(path), *(["--v3-user", user] if kind.v3 else [])]
    try:
        ports = await _serve(processes, count, options)
        silent = await _serve(processes, kind.silent, [*options, "--misbehave", "silent"])
        pids = tuple(process.pid for process in processes)
        yield Load(
            ports=tuple(ports), pids=pids, kind=kind, silent_ports=tuple(silent), started=started
        )
    finally:
        for process in processes:
            if process.returncode is None:
                process.terminate()
        await asyncio.gather(*(process.communicate() for process in processes))


async def _serve(
    processes: list[asyncio.subprocess.Process], count: int, options: Sequence[str]
) -> list[int]:
    ports: list[int] = []
    while len(ports) < count:
        some = min(SWITCHES_A_PROCESS, count - len(ports))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tenone.cli", "sim", "switch", "--ready-json",
            "--count", str(some), *options,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**22,
        )  # fmt: skip
        processes.append(process)
        if process.stdout is None:
            raise RuntimeError("a process was started without a pipe")
        line = await process.stdout.readline()
        if not line:
            raise RuntimeError(f"the simulator did not start (exit {await process.wait()})")
        ports += [int(one["port"]) for one in json.loads(line)["switches"]]
    return ports


def target(port: int, kind: Kind, *, timeout: float = 1.0) -> Target:
    """How ours asks a switch of the load."""
    if not kind.v3:
        return Target(host="127.0.0.1", port=port, community="public", timeout_seconds=timeout)
    user = User(
        name=V3_USER,
        auth=Auth.named(V3_AUTH),
        auth_password=V3_PASSWORD,
        priv=Priv.named(V3_PRIV),
        priv_password=V3_PASSWORD,
    )
    return Target(
        host="127.0.0.1", port=port, version=Version.V3, user=user, timeout_seconds=timeout
    )
