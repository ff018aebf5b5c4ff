"""A process tree that starts together, says when it is ready, and leaves nothing behind.

Each child gets a session of its own, so that Ctrl-C reaches only the parent, which then
stops the children in order. Should the parent itself be killed, the kernel ends them.
"""

import asyncio
import contextlib
import ctypes
import json
import os
import random
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

READY_SECONDS = 60.0
STOP_SECONDS = 5.0
PR_SET_PDEATHSIG = 1
QUIET_PORTS = (20_000, 32_000)


class ChildError(Exception):
    """A child that did not start, or ended when it should not; the message says which and why."""


def free_port(wanted: int = 0) -> int:
    """A TCP port on loopback that nobody holds; ``wanted`` if it is free."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                found: int = probe.getsockname()[1]
                return found
    raise ChildError("no free port on this machine's loopback")


def free_udp_port(host: str = "127.0.0.1") -> int:
    """A UDP port of a loopback address that nobody holds."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((host, 0))
        found: int = probe.getsockname()[1]
        return found


def free_quiet_udp_ports(count: int) -> list[int]:
    """Different UDP ports that nobody holds and the system gives to nobody who does not ask.

    For what is bound later by another process, while others open sockets on ports of the
    system's choice (RFC 6335 section 6: from 49152 on; Linux: from 32768 on).
    """
    found: list[int] = []
    quiet = range(*QUIET_PORTS)
    for port in random.sample(quiet, len(quiet)):
        if len(found) == count:
            break
        with contextlib.suppress(OSError), socket.socket(type=socket.SOCK_DGRAM) as probe:
            probe.bind(("", port))
            found.append(port)
    if len(found) < count:
        raise ChildError("no free UDP port on this machine")
    return found


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """One process of the tree.

    ``argv`` are the arguments of the ``tenone`` command. Its log goes to ``log``, its
    standard output carries JSON lines: the first one when it is ready, then one answer to
    each line :meth:`ask` sends.
    """

    def __init__(
        self, name: str, argv: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.ready: dict[str, Any] = {}
        self._argv = argv
        self._log = log
        self._env = {**os.environ, **(env or {})}
        self._process: asyncio.subprocess.Process | None = None
        self._asking = asyncio.Lock()
        self.wanted = asyncio.Event()
        """Set while the process should live; cleared by whoever ends it on purpose."""

    @property
    def pid(self) -> int:
        """The process id; raises :class:`ChildError` before the start."""
        if self._process is None:
            raise ChildError(f"{self.name} has not been started")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> dict[str, Any]:
        """Start and wait for the ready line; raises :class:`ChildError` with the log's end."""
        with self._log.open("ab") as log:
            self._process = await self._spawn(log)
        self.wanted.set()  # only now, or its watcher would start it a second time
        try:
            line = await asyncio.wait_for(self._line(), READY_SECONDS)
            self.ready = json.loads(line)
        except (TimeoutError, ValueError) as error:
            raise ChildError(f"{self.name} did not start: {self.last_words()}") from error
        return self.ready

    async def _spawn(self, log: IO[bytes]) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tenone.cli",
            *self._argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            env=self._env,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )

    async def _line(self) -> bytes:
        if self._process is None or self._process.stdout is None:
            raise ChildError(f"{self.name} has not been started")
        line = await self._process.stdout.readline()
        if not line:
            await self._process.wait()
            raise ChildError(f"{self.name} ended: {self.last_words()}")
        return line

    async def hear(self) -> dict[str, Any]:
        """The next line a child says by itself; raises :class:`ChildError` when it has ended.

        Only for children that are never asked: their answers would come here.
        """
        said: dict[str, Any] = json.loads(await self._line())
        return said

    async def ask(self, request: Mapping[str, object]) -> dict[str, Any]:
        """Send one JSON line and return the answer; raises :class:`ChildError`."""
        async with self._asking:
            if not self.running or self._process is None or self._process.stdin is None:
                raise ChildError(f"{self.name} is not running")
            self._process.stdin.write(json.dumps(request, ensure_ascii=False).encode() + b"\n")
            await self._process.stdin.drain()
            answer: dict[str, Any] = json.loads(await asyncio.wait_for(self._line(), 10.0))
        if not answer.get("ok", False):
            raise ChildError(f"{self.name} refused {dict(request)}: {answer.get('error')}")
        return answer

    def signal(self, number: signal.Signals) -> None:
        """Send a signal if the process lives; meant to be gone if it is a deadly one."""
        if number in {signal.SIGKILL, signal.SIGTERM}:
            self.wanted.clear()
        if self.running and self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def wait(self) -> int:
        """Wait for the end; returns the exit code (negative: the signal)."""
        return 0 if self._process is None else await self._process.wait()

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL if it does not heed it."""
        self.signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.wait(), STOP_SECONDS)
        except TimeoutError:
            self.signal(signal.SIGKILL)
            await self.wait()

    def last_words(self) -> str:
        """The last line of its log, for an error message."""
        try:
            lines = self._log.read_text(errors="replace").strip().splitlines()
        except OSError:
            lines = []
        return lines[-1] if lines else "it said nothing"


class Tree:
    """Children in order of dependence: started first to last, stopped last to first."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._children: list[Child] = []
        self._watchers: list[asyncio.Task[None]] = []

    async def start(self, *children: Child) -> None:
        """Start ``children`` side by side and wait until all are ready."""
        self._children.extend(children)
        await asyncio.gather(*(child.start() for child in children))
        for child in children:
            self._watchers.append(asyncio.create_task(self._watch(child), name=child.name))

    async def _watch(self, child: Child) -> None:
        while True:
            await child.wait()
            await child.wanted.wait()  # ended on purpose: whoever did so may start it again
            if child.running:
                continue
            self._say(f"{child.name} ended ({child.last_words()}); starting it again")
            await asyncio.sleep(1.0)
            try:
                await child.start()
            except ChildError as error:
                self._say(str(error))

    async def stop(self) -> None:
        """Stop everything; the last started goes first, its peers with it."""
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        # The first started is what the others talk to, so it hears their goodbyes.
        for group in (self._children[1:], self._children[:1]):
            await asyncio.gather(*(child.stop() for child in group))
