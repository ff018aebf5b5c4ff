"""SSH in front of command lines: one listener a switch, several sessions each.

asyncssh is imported when a console is asked for, never before. Sessions need no task of their
own: what arrives is answered where it arrives.
"""

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from firmware_sims.switch.console.keys import SimKey
from firmware_sims.switch.console.line import CommandLine
from firmware_sims.switch.console.terminal import Terminal
from firmware_sims.switch.model import Switch
from tenone.vocabulary.intents import Dialect

if TYPE_CHECKING:
    import asyncssh

MOST_LOGGED = 100_000


@dataclass(frozen=True, slots=True)
class Login:
    """Who may log in."""

    user: str = "tenone"
    password: str = "simulated"  # noqa: S105 - a simulator's, told to whoever asks
    enable: str = ""
    """The second password of IOS-likes; empty: the login is privileged."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One line a switch received."""

    session: int
    """Sessions of a switch count from 1."""
    user: str
    prompt: str
    """What stood before the line: a view, or a question."""
    line: str
    """Asterisks for a password."""
    took_effect: bool
    """Not when the session was cut before, or the switch hung."""
    monotonic_ns: int


@dataclass(slots=True)
class Misbehaviour:
    """What a test lets a console do; change it at any moment."""

    hang: bool = False
    """Lines are swallowed: no effect, no answer, the connection stays."""
    answer_seconds: float = 0.0
    """So much later each answer comes (the line takes effect at once)."""
    cut_after: int | None = None
    """The connection is cut at this line from now on: 1 is the next. Once."""
    cut_on: str | None = None
    """The connection is cut at the next line with this text. Once."""
    cut_before_effect: bool = True
    """Whether the line it is cut at is lost; else it takes effect and its answer is lost."""
    refuse: bool = False
    """New connections are dropped; those there are stay."""

    def cuts(self, line: str) -> bool:
        """Count a line; whether the connection is cut at it."""
        if self.cut_on is not None and line.strip() == self.cut_on:
            self.cut_on = None
            return True
        if self.cut_after is None:
            return False
        self.cut_after -= 1
        if self.cut_after > 0:
            return False
        self.cut_after = None
        return True


class ConsoleFront:
    """The SSH server of one switch. The port is taken when it is made, served once opened."""

    def __init__(
        self,
        switch: Switch,
        dialect: Dialect,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        login: Login | None = None,
        key: SimKey | None = None,
    ) -> None:
        """``port`` 0 takes a free one; ``key`` comes from the switch's name where not given.

        Raises OSError when the address is taken, ValueError for a dialect not spoken here.
        """
        # What it starts with is what runs now, before any fault. Raises for other dialects.
        CommandLine(switch, dialect).close()
        self.switch = switch
        self.dialect = dialect
        self.login = login or Login()
        self.key = key or SimKey(switch.name)
        self.heard: deque[Heard] = deque(maxlen=MOST_LOGGED)
        """Every line received, oldest first."""
        self.misbehave = Misbehaviour()
        self.sessions = 0
        """How many there have been."""
        self.logins = 0
        """How many passwords were right."""
        self.connections: set[asyncssh.SSHServerConnection] = set()
        """Logged in or not."""
        self._open: set[Session] = set()
        self._socket = _bound(host, port)
        self.host, self.port = self._socket.getsockname()[:2]
        self._server: asyncssh.SSHAcceptor | None = None

    @property
    def connected(self) -> int:
        """Sessions that are open now."""
        return len(self._open)

    @property
    def lines(self) -> list[str]:
        """The text of every line received."""
        return [one.line for one in self.heard]

    def known_hosts(self) -> str:
        """Its line of a ``known_hosts`` file."""
        return self.key.known_hosts(self.host, self.port)

    def ready(self) -> dict[str, object]:
        """What the ready line says of it."""
        return {
            "dialect": self.dialect.value,
            "host": self.host,
            "port": self.port,
            "user": self.login.user,
            "password": self.login.password,
            "enable": self.login.enable,
            "host_key": self.known_hosts(),
        }

    async def open(self) -> None:
        """Begin to answer."""
        from firmware_sims.switch.console import sshd  # noqa: PLC0415 - only where asked for

        self._server = await sshd.listen(self, self._socket)

    async def close(self) -> None:
        """Cut every session and stop listening."""
        for connection in self.cut():
            await connection.wait_closed()
        if self._server is None:
            self._socket.close()
            return
        self._server.close()
        await self._server.wait_closed()

    def cut(self) -> list["asyncssh.SSHServerConnection"]:
        """Cut every connection now; returns those there were."""
        cut = list(self.connections)
        for connection in cut:
            connection.abort()
        return cut

    def begun(self, session: "Session") -> int:
        """A session has begun; returns its number."""
        self.sessions += 1
        self._open.add(session)
        return self.sessions

    def ended(self, session: "Session") -> None:
        """A session is over."""
        self._open.discard(session)

    def present(self) -> bool:
        """Whether the switch is there at all."""
        return self.switch.answers(self.switch.now()) and not self.misbehave.refuse


class Session:
    """One shell: asyncssh's session without its base class, which would import asyncssh."""

    def __init__(self, front: ConsoleFront, user: str) -> None:
        self._front = front
        self._user = user
        self._boots = front.switch.boots
        self._number = front.begun(self)
        self._channel: Any = None
        self._line = CommandLine(front.switch, front.dialect, user=user, enable=front.login.enable)
        self._terminal = Terminal(self._line, self._take, self._write)

    def start(self, channel: Any) -> None:
        """The client wants its shell."""
        self._channel = channel
        self._write(self._line.greeting)

    def received(self, text: str) -> None:
        """Something was typed."""
        if self._front.switch.boots != self._boots or not self._front.switch.powered:
            self.abort()
        elif not self._front.switch.silent:
            self._terminal.feed(text)

    def lost(self) -> None:
        """The connection is gone."""
        self._front.ended(self)
        if self._boots == self._front.switch.boots:
            self._line.close()

    def abort(self) -> None:
        """Cut the connection as a cable would be."""
        if self._channel is not None:
            self._channel.get_connection().abort()

    def _take(self, line: str) -> None:
        front, wrong = self._front, self._front.misbehave
        cut = wrong.cuts(line)
        lost = wrong.hang or (cut and wrong.cut_before_effect)
        prompt, shown = self._line.prompt, "********" if self._line.hidden else line
        answer = "" if lost else self._line.type(line)
        front.heard.append(
            Heard(
                self._number,
                self._user,
                prompt,
                shown,
                not lost,
                front.switch.clock.monotonic_ns(),
            )
        )
        if cut:
            self.abort()
        elif not lost:
            self._answer(answer)

    def _answer(self, answer: str) -> None:
        delay = self._front.misbehave.answer_seconds
        if delay > 0:
            asyncio.get_running_loop().call_later(delay, self._said, answer)
        else:
            self._said(answer)

    def _said(self, answer: str) -> None:
        self._write(answer)
        if self._line.closed and self._channel is not None:
            self._channel.exit(0)
            self._channel.get_connection().close()

    def _write(self, text: str) -> None:
        if text and self._channel is not None and not self._channel.is_closing():
            self._channel.write(text.replace("\n", "\r\n"))


class Consoles:
    """Fronts that open and close together: ``async with Consoles(fronts): ...``."""

    def __init__(self, fronts: Sequence[ConsoleFront]) -> None:
        self._fronts = fronts

    async def __aenter__(self) -> Self:
        """Open them all; closes what was opened when one cannot be."""
        async with contextlib.AsyncExitStack() as undo:
            for front in self._fronts:
                await front.open()
                undo.push_async_callback(front.close)
            undo.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for front in self._fronts:
            await front.close()


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.settimeout(0)
        opened.bind((host, port))
    except OSError as error:
        opened.close()
        raise OSError(
            f"cannot listen on TCP {host}:{port} ({error.strerror}): choose another address or port"
        ) from None
    return opened
