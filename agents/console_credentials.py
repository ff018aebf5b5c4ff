"""Replacing the password of a switch's command line without being locked out.

A secret of the vault may have a next version. It is tried only when the switch does not take the
old one, for a switch locks an account after a few wrong passwords (Huawei: 3 within 5 minutes), and
that is what it looks like when somebody has just set the new one. Where neither is taken, the
switch is left alone for ten minutes, then twenty, then forty, then an hour at a time. The next one
that has worked is proved: that is written down, and only it is used, over restarts too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from agents.credentials import Proofs
from drivers.cli.console import Console, ConsoleLogin, Consoles
from drivers.cli.errors import AccessDeniedError, LoginError
from drivers.snmp.faults import AccessFinding, Finding
from tenone.config import SecretError
from tenone.config import Switch as SwitchConfig
from tenone.trust.vault import Versions

FIRST_REST_SECONDS = 600.0
LONGEST_REST_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Logins:
    """How a switch is logged in to now, and how it shall be next."""

    current: ConsoleLogin
    following: ConsoleLogin | None = None
    """None: no secret of it has a next version."""
    mark: str = ""
    """Which versions ``following`` is made of, such as ``password=2``; no secret."""


def place_of(switch: SwitchConfig) -> tuple[str, int]:
    """Host and port of its command line; raises :class:`LoginError`."""
    if switch.cli is None:
        raise LoginError(f"school.yaml has no 'cli' for the switch {switch.name}")
    return switch.cli.host or switch.host, switch.cli.port


def logins_of(switch: SwitchConfig, host_keys: Path) -> Logins:
    """The logins that school.yaml and the vault describe; raises :class:`LoginError`."""
    host, port = place_of(switch)
    cli = switch.cli
    if cli is None:  # place_of has said so
        raise LoginError(switch.name)
    try:
        both = {"password": cli.password.versions()}
        if cli.enable is not None:
            both["enable"] = cli.enable.versions()
    except SecretError as error:
        raise LoginError(f"{switch.name}: {error}") from error
    current = ConsoleLogin(
        host=host,
        port=port,
        dialect=cli.dialect,
        username=cli.username,
        password=both["password"].current,
        enable=both["enable"].current if "enable" in both else None,
        host_keys=host_keys,
    )
    return _with_next(current, both)


def _with_next(current: ConsoleLogin, both: Mapping[str, Versions]) -> Logins:
    fresh = {name: one.next for name, one in both.items() if one.next is not None}
    if not fresh:
        return Logins(current)
    following = replace(
        current,
        password=fresh.get("password", current.password),
        enable=fresh.get("enable", current.enable),
    )
    mark = ",".join(f"{name}={both[name].next_number}" for name in sorted(fresh))
    return Logins(current, following, mark)


class LoginTrials:
    """Of one switch: which login to take, and when to take none. Times in monotonic nanoseconds."""

    def __init__(self, name: str, proofs: Proofs) -> None:
        self._name = name
        self._proofs = proofs
        self._mark = ""
        self._rest_seconds = FIRST_REST_SECONDS
        self._due_ns = 0

    def is_proved(self, logins: Logins) -> bool:
        """Whether the next login has worked."""
        return logins.following is not None and self._proofs.has(self._name, logins.mark)

    def in_use(self, logins: Logins) -> ConsoleLogin:
        """The one that is tried first."""
        if logins.following is not None and self.is_proved(logins):
            return logins.following
        return logins.current

    async def open(self, logins: Logins, consoles: Consoles, now_ns: Callable[[], int]) -> Console:
        """Log in. Raises :class:`LoginError`, :class:`drivers.cli.hostkeys.HostKeyError`."""
        following = logins.following
        if following is None or self.is_proved(logins):
            return await consoles.open(self.in_use(logins))
        self._begin(logins.mark)
        left = (self._due_ns - now_ns()) / 1e9
        if left > 0:
            raise AccessDeniedError(
                f"{self._name} took neither the current nor the next password and is left alone "
                f"for {left / 60:.0f} more minutes, so that it does not lock the account"
            )
        try:
            console = await consoles.open(logins.current)
        except AccessDeniedError:
            return await self._next(following, logins.mark, consoles, now_ns)
        self._rest_seconds = FIRST_REST_SECONDS
        return console

    async def _next(
        self, following: ConsoleLogin, mark: str, consoles: Consoles, now_ns: Callable[[], int]
    ) -> Console:
        try:
            console = await consoles.open(following)
        except AccessDeniedError:
            self._due_ns = now_ns() + round(self._rest_seconds * 1e9)
            self._rest_seconds = min(2 * self._rest_seconds, LONGEST_REST_SECONDS)
            raise
        self._proofs.add(self._name, mark)
        return console

    def _begin(self, mark: str) -> None:
        """Another next password is another story."""
        if mark != self._mark:
            self._mark, self._due_ns, self._rest_seconds = mark, 0, FIRST_REST_SECONDS


def login_finding(*, proved: bool, mark: str) -> Finding:
    """What is told while a login is being replaced."""
    fault = AccessFinding.NEW_LOGIN if proved else AccessFinding.OLD_LOGIN
    return Finding(fault=fault, oid=(), raw=mark)
