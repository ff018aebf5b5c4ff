"""Consoles in a child process: what the agent holds; loads neither netmiko nor paramiko.

The child is started when a console is wanted and ends by itself when idle. Names are looked up
here, and here each place is announced to the interpreter's audit hooks as the connection it is
about to become (PEP 578): so the agent's egress guard decides and counts, and the child, which has
no list of its own, connects to nothing else.
"""

import asyncio
import itertools
import os
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from drivers.cli.answers import Row, platform_of
from drivers.cli.console import ConsoleLogin
from drivers.cli.dialect import Dialect, Line
from drivers.cli.dialects.registry import dialect
from drivers.cli.errors import CliError, LoginError, SessionLostError, UnreadableError
from drivers.cli.hostkeys import place
from drivers.cli.manners import Manners
from drivers.cli.pipe import (
    MAX_LINE_BYTES,
    error_of,
    of_lines,
    of_login,
    of_manners,
    packed,
    unpacked,
)
from tenone.vocabulary.intents import Dialect as Name

IDLE_SECONDS = 60.0
LOOK_UP_SECONDS = 10.0
OPEN_SECONDS = 90.0
CLOSE_SECONDS = 20.0
READ_SECONDS = 30.0
GRACE_SECONDS = 15.0
"""Beyond what the lines may take together: then the child itself hangs and is killed."""
STOP_SECONDS = 2.0
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "PYTHONPATH", "SYSTEMD_EXEC_PID")
"""Of the environment; the agent's own may hold secrets (``env:``)."""


class _GoneError(Exception):
    """The child ended before it answered."""

    def __init__(self, line: int) -> None:
        self.line = line
        super().__init__("the process that held the session ended")


class _Request:
    def __init__(self, answer: asyncio.Future[Any]) -> None:
        self.answer = answer
        self.line = 0


class _Child(asyncio.SubprocessProtocol):
    """One process and what it was asked."""

    def __init__(self) -> None:
        self.gone = asyncio.get_running_loop().create_future()
        self._requests: dict[int, _Request] = {}
        self._numbers = itertools.count(1)
        self._buffer = bytearray()
        self._transport: asyncio.SubprocessTransport | None = None
        self.over = False
        """It says nothing any more."""

    @classmethod
    async def start(cls, command: Sequence[str]) -> "_Child":
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        _, child = await asyncio.get_running_loop().subprocess_exec(
            cls, *command, stderr=None, env=environment, cwd="/", start_new_session=True
        )
        return child

    @property
    def pid(self) -> int | None:
        return None if self._transport is None else self._transport.get_pid()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.SubprocessTransport):
            self._transport = transport

    def pipe_data_received(self, fd: int, data: bytes) -> None:  # noqa: ARG002 - asyncio's
        searched = len(self._buffer)
        self._buffer += data
        if len(self._buffer) > MAX_LINE_BYTES:
            self.kill()
            return
        while (end := self._buffer.find(b"\n", searched)) >= 0:
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            searched = 0
            self._heard(unpacked(line))

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        if fd == 1:
            self._end()

    def process_exited(self) -> None:
        self._end()
        if not self.gone.done():
            self.gone.set_result(None)
        if self._transport is not None:
            self._transport.close()

    def _end(self) -> None:
        self.over = True
        for request in self._requests.values():
            if not request.answer.done():
                request.answer.set_exception(_GoneError(request.line))

    def _heard(self, message: dict[str, Any]) -> None:
        request = self._requests.get(message["id"])
        if request is None or request.answer.done():
            return
        if "line" in message:
            request.line = message["line"]
        elif "error" in message:
            request.answer.set_exception(error_of(message["error"]))
        else:
            request.answer.set_result(message["ok"])

    async def ask(self, seconds: float, **message: Any) -> Any:
        """The answer. Raises what the child raised, :class:`_GoneError`."""
        number = next(self._numbers)
        request = _Request(asyncio.get_running_loop().create_future())
        self._requests[number] = request
        try:
            self.tell(id=number, **message)
            async with asyncio.timeout(seconds):
                return await request.answer
        except TimeoutError:
            self.kill()
            raise _GoneError(request.line) from None
        except asyncio.CancelledError:
            self.tell(do="cut", of=number)
            raise
        finally:
            del self._requests[number]

    def tell(self, **message: Any) -> None:
        """Say it; a child that is gone hears nothing."""
        pipe = None if self._transport is None else self._transport.get_pipe_transport(0)
        if isinstance(pipe, asyncio.WriteTransport) and not pipe.is_closing():
            pipe.write(packed(message))
        else:
            self._end()

    def kill(self) -> None:
        self.over = True
        if self._transport is not None:
            with suppress(ProcessLookupError):
                self._transport.kill()

    async def stop(self) -> None:
        """End it, by force if it must be; it is gone when this returns."""
        self.tell(do="stop")
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await asyncio.shield(self.gone)
        except TimeoutError:
            self.kill()
            await asyncio.shield(self.gone)


class ChildConsole:
    """One session, held by the child."""

    def __init__(self, child: _Child, session: int, where: str) -> None:
        self._child = child
        self._session = session
        self._where = where
        self._lost = False
        self._lock = asyncio.Lock()

    async def run(self, lines: Sequence[Line]) -> list[str]:
        """See :class:`drivers.cli.console.Console`; cancelled in the middle, the session is cut."""
        async with self._lock:
            if self._lost:
                raise SessionLostError(0, f"{self._where}: the session is over")
            seconds = sum(line.seconds + line.pause for line in lines) + GRACE_SECONDS
            self._lost = True  # unless it is said otherwise below
            try:
                answers: list[str] = await self._child.ask(
                    seconds, do="run", session=self._session, lines=of_lines(lines)
                )
            except _GoneError as error:
                raise SessionLostError(error.line, f"{self._where}: {error}") from None
            except SessionLostError:
                raise
            except CliError:
                self._lost = False
                raise
            self._lost = False
            return answers

    async def close(self) -> None:
        """Give the session back; it is kept for whoever comes next, and ends when idle."""
        if self._lost:
            return
        self._lost = True
        with suppress(_GoneError, CliError):
            await self._child.ask(CLOSE_SECONDS, do="close", session=self._session)


class ChildConsoles:
    """Implements :class:`drivers.cli.console.Consoles`."""

    def __init__(
        self,
        dialects: Callable[[Name], Dialect | Manners] = dialect,
        *,
        idle_seconds: float = IDLE_SECONDS,
        command: Sequence[str] | None = None,
    ) -> None:
        self._dialects = dialects
        self._command = command or (
            sys.executable, "-P", "-m", "drivers.cli.child", f"{idle_seconds:g}"
        )  # fmt: skip
        self._child: _Child | None = None
        self._starting = asyncio.Lock()
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The child's process, where there is one."""
        child = self._child
        return None if child is None or child.over else child.pid

    async def open(self, login: ConsoleLogin) -> ChildConsole:
        """A session, new or kept.

        Raises :class:`LoginError`, HostKeyError, CannotError for a dialect nobody speaks.
        """
        where = place(login.host, login.port)
        found = self._dialects(login.dialect)
        manners = found if isinstance(found, Manners) else Manners.of(found)
        address = await _announced(login.host, login.port)
        message = {"login": of_login(login, address), "manners": of_manners(manners)}
        for attempt in (1, 2):
            child = await self._running()
            try:
                session = await child.ask(OPEN_SECONDS, do="open", **message)
            except _GoneError:
                # It may have been about to end, being idle; a login done twice does no harm.
                if attempt == 1 and not self._closed:
                    continue
                break
            return ChildConsole(child, int(session), where)
        raise LoginError(f"{where} cannot be logged in to: the process for it ended")

    async def rows(self, name: Name, command: str, text: str) -> list[Row]:
        """An answer as rows, read in the child.

        Raises :class:`~drivers.cli.answers.NoTemplateError`, UnreadableError.
        """
        platform = platform_of(name)
        child = await self._running()
        try:
            found: list[Row] = await child.ask(
                READ_SECONDS, do="rows", platform=platform, command=command, text=text
            )
        except _GoneError:
            raise UnreadableError(
                f"the answer to {command!r:.80} could not be read in {READ_SECONDS:g} s"
            ) from None
        return found

    async def close(self) -> None:
        """End every session and the child process; nothing can be opened afterwards."""
        self._closed = True
        async with self._starting:
            child, self._child = self._child, None
        if child is not None:
            await child.stop()

    async def _running(self) -> _Child:
        async with self._starting:
            if self._closed:
                raise LoginError("no session is opened any more: the agent is ending")
            child = self._child
            if child is None or child.over:
                starting = asyncio.ensure_future(_Child.start(self._command))
                try:
                    child = self._child = await asyncio.shield(starting)
                except asyncio.CancelledError:
                    # Started all the same: it is there for close() to end.
                    self._child = (await asyncio.gather(starting))[0]
                    raise
                except OSError as error:
                    raise LoginError(
                        f"the process for sessions cannot be started ({error.strerror})"
                    ) from None
            return child


async def _announced(host: str, port: int) -> str:
    """The address to connect to, once the guard has let it pass; raises :class:`LoginError`."""
    where = place(host, port)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(LOOK_UP_SECONDS):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        refused: OSError | None = None
        for family, kind, protocol, _, address in found:
            try:
                with socket.socket(family, kind, protocol) as unused:
                    sys.audit("socket.connect", unused, address)
            except PermissionError as error:
                refused = error
                continue
            return str(address[0])
    except TimeoutError:
        raise LoginError(f"{where} cannot be logged in to: nobody knows its address") from None
    except OSError as error:
        raise LoginError(f"{where} cannot be logged in to: {error.strerror or error}") from None
    raise LoginError(f"{where} cannot be logged in to: {refused or 'it has no address'}")
