"""The sessions at the switches' command lines: one a switch, kept a while, one user at a time."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from drivers.cli.care.masks import hidden
from drivers.cli.console import Console, ConsoleLogin, Consoles
from drivers.cli.errors import AccessDeniedError, LoginError
from drivers.cli.hostkeys import HostKeyError, HostKeyStore
from tenone.config import School, SecretError
from tenone.config import Switch as SwitchConfig
from tenone.runtime.clock import Clock
from tenone.trust.masked import MASK, Secret

log = logging.getLogger(__name__)

HOST_KEYS = "ssh-host-keys"
"""In the folder of the outbox: the pinned keys, see docs/repairs.md."""
IDLE_SECONDS = 120.0
"""What was planned is often done within moments; longer than this no session is held open."""
LOOK_SECONDS = 15.0
DENIED_SECONDS = 300.0
"""Between two logins to a switch that does not take the password, or shows another key."""


@dataclass(slots=True)
class _Kept:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    console: Console | None = None
    used_ns: int = 0


class Sessions:
    """Of one school. Give :meth:`run` to a supervisor: it ends what nobody uses."""

    def __init__(self, school: School, consoles: Consoles, *, clock: Clock) -> None:
        self.host_keys = HostKeyStore(school.outbox.path / HOST_KEYS)
        self._switches: dict[str, SwitchConfig] = {
            one.name: one for one in school.switches if one.cli is not None
        }
        self._consoles = consoles
        self._clock = clock
        self._kept: dict[str, _Kept] = {name: _Kept() for name in self._switches}

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
                kept.console = await self._consoles.open(self.login(switch))
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
        """Whom to log in to; raises :class:`LoginError` where a secret cannot be had."""
        return login_of(self._switches[switch], self.host_keys.path)

    def masked(self, switch: str, text: str) -> str:
        """``text`` without anything that is typed to log in, nor what a port's section keeps."""
        login = self.login(switch)
        for secret in (login.password, login.enable):
            if secret is not None and secret:
                text = text.replace(secret.use(), MASK)
        return hidden(text)

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


def place_of(switch: SwitchConfig) -> tuple[str, int]:
    """Host and port of its command line."""
    if switch.cli is None:
        raise LoginError(f"school.yaml has no 'cli' for the switch {switch.name}")
    return switch.cli.host or switch.host, switch.cli.port


def login_of(switch: SwitchConfig, host_keys: Path) -> ConsoleLogin:
    """The login that school.yaml describes; raises :class:`LoginError`."""
    host, port = place_of(switch)
    cli = switch.cli
    if cli is None:  # place_of has said so
        raise LoginError(switch.name)
    try:
        password = Secret.of(cli.password.fetch())
        enable = None if cli.enable is None else Secret.of(cli.enable.fetch())
    except SecretError as error:
        raise LoginError(f"{switch.name}: {error}") from error
    return ConsoleLogin(
        host=host,
        port=port,
        dialect=cli.dialect,
        username=cli.username,
        password=password,
        enable=enable,
        host_keys=host_keys,
    )
