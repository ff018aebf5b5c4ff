"""Hardened systemd units as text: as little of the machine as agent and controller need.

systemd.exec(5), systemd.resource-control(5). A fixed user and not DynamicUser: the rules of nft
(``tenone agent egress --nft``) are about a user, and files outlive the service.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

CREDENTIALS = Path("/etc/tenone/credentials")
"""Where LoadCredential takes secrets from: root's files, handed to the service in memory."""
LOWEST_FREE_PORT = 1024
_HOMES = tuple(map(Path, ("/home", "/root", "/run/user")))
_SAFE = re.compile(r"[A-Za-z0-9_./:@+,=-]+")

_SANDBOX = """\
NoNewPrivileges=yes
PrivateDevices=yes
PrivateTmp=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
RemoveIPC=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
KeyringMode=private
UMask=0077
LimitCORE=0
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources @memlock
SystemCallErrorNumber=EPERM
"""
_CLOCK = """\
# The kernel is asked how far its clock is off; without CAP_SYS_TIME nothing can be set. That is
# why ProtectClock, which takes the asking as well, is not here.
SystemCallFilter=adjtimex clock_adjtime
"""


class UnitError(Exception):
    """A unit that cannot be written; one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What differs from service to service."""

    description: str
    command: Sequence[str]
    user: str = "tenone"
    writes: Sequence[Path] = ()
    """Folders it writes into; everything else is read-only."""
    credentials: Sequence[str] = ()
    """Names that ``credential:NAME`` refers to."""
    ports: Sequence[int] = ()
    """Ports it listens on."""
    asks_clock: bool = False
    memory_mb: int = 256
    addresses: Sequence[str] | None = None
    """All it speaks to; None: not limited here."""


def text_of(unit: Unit) -> str:
    """The unit file; raises :class:`UnitError`."""
    for word in (*unit.command, unit.user, *map(str, unit.writes), *unit.credentials):
        if not _SAFE.fullmatch(word):
            raise UnitError(f"{word!r:.80} cannot stand in a unit: use letters, digits and ./_-")
    low = any(port < LOWEST_FREE_PORT for port in unit.ports)
    capabilities = "CAP_NET_BIND_SERVICE" if low else ""
    writes = _outermost(unit.writes)
    lines = [
        # Without them systemd does not start the service (status 226, NAMESPACE).
        *(f"# first: install -d -o {unit.user} -g {unit.user} -m 700 {path}" for path in writes),
        "# Written by 'tenone service unit'; write it anew when the configuration changes.",
        "[Unit]",
        f"Description={unit.description}",
        "Wants=network-online.target",
        "After=network-online.target time-sync.target",
        "StartLimitIntervalSec=0",  # an address that is not there yet, a full disk: it comes back
        "",
        "[Service]",
        "Type=notify",
        f"ExecStart={' '.join(unit.command)}",
        f"User={unit.user}",
        f"Group={unit.user}",
        "Restart=always",
        "RestartSec=2",
        "WatchdogSec=60",
        "TimeoutStopSec=30",
        *(f"LoadCredential={name}:{CREDENTIALS / name}" for name in unit.credentials),
        *(f"ReadWritePaths={path}" for path in writes),
        f"ProtectHome={_homes((*unit.command, *writes))}",
        f"MemoryMax={unit.memory_mb}M",
        "MemorySwapMax=0",  # what is secret in memory is not written to a disk
        "TasksMax=128",
        f"CapabilityBoundingSet={capabilities}",
        f"AmbientCapabilities={capabilities}",
        *([] if low else ["PrivateUsers=yes"]),  # a capability counts in the machine's own space
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",
        *_SANDBOX.splitlines(),
        *(_CLOCK if unit.asks_clock else "ProtectClock=yes\n").splitlines(),
    ]
    if unit.addresses is not None:
        lines += ["IPAddressDeny=any", "IPAddressAllow=localhost"]
        lines += [f"IPAddressAllow={address}" for address in dict.fromkeys(unit.addresses)]
    lines += ["", "[Install]", "WantedBy=multi-user.target", ""]
    return "\n".join(lines)


def _homes(paths: Iterable[str | Path]) -> str:
    """Nothing of people's folders, unless the service itself lies there."""
    inside = any(Path(path).is_relative_to(home) for path in paths for home in _HOMES)
    return "read-only" if inside else "yes"


def _outermost(paths: Iterable[Path]) -> list[Path]:
    """Each folder once, without those inside another."""
    kept: list[Path] = []
    for path in sorted(set(paths)):
        if not any(path.is_relative_to(outer) for outer in kept):
            kept.append(path)
    return kept
