"""The sessions at the switches' command lines: one a switch, kept a while, one user at a time."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from agents.console_credentials import Logins, LoginTrials, login_finding, logins_of, place_of
from agents.credentials import Proofs
from drivers.cli.care.masks import hidden
from drivers.cli.console import Console, ConsoleLogin, Consoles
from drivers.cli.errors import AccessDeniedError, LoginError
from drivers.cli.hostkeys import HostKeyError, HostKeyStore
from drivers.snmp.faults import Finding
from tenone.config import School
from tenone.config import Switch as SwitchConfig
from tenone.journal.disk import Disk, OsDisk
from tenone.runtime.clock import Clock
from tenone.trust.masked import MASK

log = logging.getLogger(__name__)

PROOFS = "cli-credentials.json"
"""Beside it: which next passwords have worked, as numbers of versions."""
HOST_KEYS = "ssh-host-keys"
"""In the folder of the outbox: the pinned keys, see docs/repairs.md."""
IDLE_SECONDS = 120.0
"""What was planned is often done within moments; longer than this no session is held open."""
LOOK_SECONDS = 15.0
FINDING_NS = 60_000_000_000
"""So long what is said of a switch's login is good: to ask means to open the vault."""
DENIED_SECONDS = 300.0
"""Between two logins to a switch that does not take the password, or shows another key."""


@dataclass(slots=True)
class _Kept:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    console: Console | None = None
    used_ns: int = 0


class Sessions:
    """Of one school. Give :meth:`run` to a supervisor: it ends what nobody uses."""

    def __init__(
        self, school: School, consoles: Consoles, *, clock: Clock, disk: Disk | None = None
    ) -> None:
        self.host_keys = HostKeyStore(school.outbox.path / HOST_KEYS)
        self._switches: dict[str, SwitchConfig] = {
            one.name: one for one in school.switches if one.cli is not None
        }
        self._consoles = consoles
        self._clock = clock
        self._kept: dict[str, _Kept] = {name: _Kept() for name in self._switches}
        proofs = Proofs(school.outbox.path, disk=disk or OsDisk(), file=PROOFS)
        self._trials = {name: LoginTrials(name, proofs) for name in self._switches}
        self._findings: dict[str, tuple[int, Finding | None]] = {}
        """Name -> until when it is good, and what is said."""

    @asynccontextmanager
    async def hold(self, switch: str, *, fresh: bool = False) -> AsyncIterator[Console]:
        """The session of a switch, for one user; a new one where there is none, or ``fresh``.

        It is kept afterwards, unless what was done with it failed in any way. Raises
        :class:`LoginError`, :class:`drivers.cli.hostkeys.HostKeyError`.
        """
        kept = self._kept[switch]
        async with kept.lock:
            if fresh:
                await self._drop(kept)
            if kept.console is None:
                self._findings.pop(switch, None)
                kept.console = await self._trials[switch].open(
                    self._logins(switch), self._consoles, self._clock.monotonic_ns
                )
            try:
                yield kept.console
            except BaseException:
                await self._drop(kept)
                raise
            kept.used_ns = self._clock.monotonic_ns()

    def is_kept(self, switch: str) -> bool:
        """Whether a session stands that may have died meanwhile."""
        return self._kept[switch].console is not None

    def fingerprint(self, switch: str) -> str:
        """Of the pinned key; raises :class:`drivers.cli.hostkeys.HostKeyError`."""
        host, port = place_of(self._switches[switch])
        return self.host_keys.pinned(host, port).fingerprint

    def login(self, switch: str) -> ConsoleLogin:
        """Whom to log in to first; raises :class:`LoginError` where a secret cannot be had."""
        return self._trials[switch].in_use(self._logins(switch))

    def finding(self, switch: str) -> Finding | None:
        """Which login is in use while one is being replaced; None: none is."""
        now_ns = self._clock.monotonic_ns()
        until_ns, found = self._findings.get(switch, (now_ns, None))
        if now_ns < until_ns or switch not in self._switches:
            return found
        try:
            logins = self._logins(switch)
        except LoginError:
            found = None  # the next login says why
        else:
            proved = self._trials[switch].is_proved(logins)
            found = login_finding(proved=proved, mark=logins.mark) if logins.following else None
        self._findings[switch] = now_ns + FINDING_NS, found
        return found

    def masked(self, switch: str, text: str) -> str:
        """``text`` without anything that is typed to log in, nor what a port's section keeps."""
        logins = self._logins(switch)
        for login in filter(None, (logins.current, logins.following)):
            for secret in (login.password, login.enable):
                if secret is not None and secret:
                    text = text.replace(secret.use(), MASK)
        return hidden(text)

    def _logins(self, switch: str) -> Logins:
        return logins_of(self._switches[switch], self.host_keys.path)

    async def run(self) -> None:
        """End sessions that nobody has used for a while."""
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            await self.close_idle()

    async def close_idle(self, idle_seconds: float = IDLE_SECONDS) -> None:
        """End those not used for so long."""
        for kept in self._kept.values():
            idle_ns = self._clock.monotonic_ns() - kept.used_ns
            if kept.lock.locked() or kept.console is None or idle_ns < idle_seconds * 1e9:
                continue
            async with kept.lock:
                await self._drop(kept)

    async def close(self) -> None:
        """End all of them, and what they come from."""
        for kept in self._kept.values():
            await self._drop(kept)
        await self._consoles.close()

    async def _drop(self, kept: _Kept) -> None:
        console, kept.console = kept.console, None
        if console is not None:
            await console.close()


def patience(error: Exception, seconds: float) -> float:
    """How long to wait before the next login: what is refused is not knocked at again and again.

    Switches lock an account after a few wrong passwords, and another key is no passing trouble.
    """
    denied = isinstance(error, AccessDeniedError | HostKeyError)
    return max(seconds, DENIED_SECONDS) if denied else seconds
