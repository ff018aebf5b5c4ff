"""The agent's port to a switch's command line; what stands behind it runs in a child process."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from drivers.cli.dialect import Line
from tenone.trust.masked import Secret
from tenone.vocabulary.intents import Dialect


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleLogin:
    """Whom to log in to, as whom, and which host keys are pinned."""

    host: str
    port: int
    dialect: Dialect
    username: str
    password: Secret
    enable: Secret | None = None
    host_keys: Path
    """The file of pinned keys (:mod:`drivers.cli.hostkeys`)."""


class Console(Protocol):
    """One kept session."""

    async def run(self, lines: Sequence[Line]) -> list[str]:
        """Type lines one by one, each when the one before was answered; the answers.

        Raises :class:`LineRefusedError`, :class:`SessionLostError`.
        """
        ...

    async def close(self) -> None:
        """Log out; never raises."""
        ...


class Consoles(Protocol):
    """Where sessions come from."""

    async def open(self, login: ConsoleLogin) -> Console:
        """Log in. Raises :class:`LoginError`, :class:`drivers.cli.hostkeys.HostKeyError`."""
        ...

    async def close(self) -> None:
        """End every session and the child process."""
        ...
