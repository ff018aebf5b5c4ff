"""Whom to ask, and what has been learnt about how to ask them."""

import asyncio
import ipaddress
import socket
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from drivers.snmp.endpoint import Address
from drivers.snmp.errors import BadTarget, BudgetExceeded, DecodeError
from drivers.snmp.message import Envelope, Version
from drivers.snmp.v3.peer import Peer
from drivers.snmp.v3.user import User
from tenone.trust.masked import Secret, bare

if TYPE_CHECKING:
    from drivers.snmp.pending import Pending

DEFAULT_PORT = 161
MAX_PORT = 65_535
FIRST_MAX_REPETITIONS = 25
"""About 1,400 bytes of names and counters; SWITCHES.md section 6 measured 10 to 20 as too few."""
FIRST_MAX_VARBINDS = 60
GROWTH_AFTER = 32
"""Answers in a row after which a size that silence, not tooBig, had cut may double again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One agent to ask. ``window`` is how many requests it may have to work on at once."""

    host: str
    community: Secret | str = ""
    """For v1 and v2c; kept masked."""
    version: Version = Version.V2C
    user: User | None = None
    """For v3."""
    port: int = DEFAULT_PORT
    timeout_seconds: float = 1.0
    retries: int = 1
    window: int = 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "community", Secret.of(self.community))
        if not 1 <= self.port <= MAX_PORT:
            raise BadTarget(f"port {self.port} is not between 1 and {MAX_PORT}")
        if not self.timeout_seconds > 0:
            raise BadTarget(
                f"a timeout of {self.timeout_seconds} s cannot be kept: use more than 0"
            )
        if self.retries < 0 or self.window < 1:
            raise BadTarget("retries must be 0 or more and the window 1 or more")
        if (self.version is Version.V3) != (self.user is not None):
            raise BadTarget("a user is for SNMPv3, and SNMPv3 asks for one")

    @property
    def label(self) -> str:
        """``10.0.0.1:161`` or ``[::1]:161``."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(slots=True)
class Budget:
    """What one task may still spend on one device: time, and requests sent (retries count)."""

    deadline_ns: int
    requests: int
    seconds: float

    def spend(self, label: str, now_ns: int) -> None:
        """Take one request; raises :class:`BudgetExceeded` when time or requests are used up."""
        if now_ns >= self.deadline_ns:
            raise self.late(label)
        if self.requests <= 0:
            raise BudgetExceeded(f"{label} used up the requests it was allowed for this task")
        self.requests -= 1

    def late(self, label: str) -> BudgetExceeded:
        """The error for a device that used up its time."""
        return BudgetExceeded(
            f"{label} used up the {self.seconds:g} s it was allowed for this task"
        )


@dataclass(slots=True, kw_only=True, eq=False)
class Device:
    """A target with its numeric address and what we have learnt about it."""

    target: Target
    family: socket.AddressFamily
    address: Address
    version: Version
    envelope: Envelope
    """What a PDU is handled in: v2c with an empty community where the version is v3."""
    timeout_ns: int
    tries: int
    label: str
    """How messages name it."""
    peer: Peer | None = None
    """The engine to be asked by SNMPv3."""
    plain_address: Address | None = None
    """Where an answer that is not secured may come from: None where the version is v3."""
    outstanding: int = 0
    queued: bool = False
    awake: bool = False
    """It has answered since it was last silent; until then it gets one request at a time."""
    waiting: "deque[Pending]" = field(default_factory=deque)
    garbage: DecodeError | None = None
    garbage_ns: int = -1
    max_repetitions: int = FIRST_MAX_REPETITIONS
    max_varbinds: int = FIRST_MAX_VARBINDS
    grow_at: int = 0
    """Answers still to come before ``max_repetitions`` doubles; 0: it does not grow."""

    def shrink_repetitions(self, to: int, *, for_good: bool) -> None:
        """Ask for fewer repetitions: for good after tooBig, for a while after silence."""
        self.max_repetitions = max(1, min(self.max_repetitions, to))
        self.grow_at = 0 if for_good else GROWTH_AFTER

    def grow(self) -> None:
        """Count one full answer; after enough of them try larger ones again."""
        if self.grow_at:
            self.grow_at -= 1
            if not self.grow_at:
                self.max_repetitions = min(FIRST_MAX_REPETITIONS, self.max_repetitions * 2)
                self.grow_at = GROWTH_AFTER if self.max_repetitions < FIRST_MAX_REPETITIONS else 0


async def resolve(target: Target) -> Device:
    """Find the numeric address of ``target``; raises :class:`BadTarget`."""
    try:
        community = bare(target.community).encode()
    except UnicodeEncodeError as error:
        raise BadTarget("the community is not text that can be sent") from error
    family, address = await _address(target.host, target.port)
    peer = None if target.user is None else Peer(target.user, target.label)
    return Device(
        target=target,
        family=family,
        address=address,
        version=target.version,
        envelope=Envelope(target.version, community)
        if peer is None
        else Envelope(Version.V2C, b"", peer.overhead),
        timeout_ns=round(target.timeout_seconds * 1e9),
        tries=1 + target.retries,
        label=target.label,
        peer=peer,
        plain_address=address if peer is None else None,
    )


async def _address(host: str, port: int) -> tuple[socket.AddressFamily, Address]:
    # A numeric address takes no look-up, and so no thread, on the way of a thousand switches.
    try:
        if ipaddress.ip_address(host).version == 4:  # noqa: PLR2004 - IPv4
            return socket.AF_INET, (host, port)
    except ValueError:
        pass
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise BadTarget(
            f"host {host!r} has no address: check the spelling or give the numeric address"
        ) from error
    for family, _kind, _protocol, _name, address in found:
        if family in {socket.AF_INET, socket.AF_INET6}:
            return family, address  # type: ignore[return-value]  # typeshed leaves the shape open
    raise BadTarget(f"host {host!r} has neither an IPv4 nor an IPv6 address")


def parse_host_port(text: str) -> tuple[str, int]:
    """Read ``host``, ``host:port``, ``[v6]:port`` or a bare IPv6 address; raises BadTarget."""
    host, port = text, ""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise BadTarget(f"{text!r} is no address: write an IPv6 address as [::1]:161")
        port = rest[1:]
        if rest == ":":
            raise BadTarget(f"{text!r} has a colon and no port after it")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
        if not port:
            raise BadTarget(f"{text!r} has a colon and no port after it")
    if not host:
        raise BadTarget(f"{text!r} names no host")
    if port and not (port.isascii() and port.isdigit() and 1 <= int(port) <= MAX_PORT):
        raise BadTarget(f"port {port!r} is not a number between 1 and {MAX_PORT}")
    return host, int(port) if port else DEFAULT_PORT
