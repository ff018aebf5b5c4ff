"""The process that holds sessions with switches: ``python -m drivers.cli.child [IDLE_SECONDS]``.

netmiko, paramiko and their threads live here and not in the agent: they cost 45 MB, and a gateway
needs them a few minutes a month. The agent starts it when a session is wanted
(:mod:`drivers.cli.child_consoles`), speaks to it by its standard input and output
(:mod:`drivers.cli.pipe`), and it ends by itself: when idle, when told to, and when the agent is
gone. It connects to places it was told by the agent, which asked its own guard first, and to
nothing else; it starts no process.
"""

import itertools
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from drivers.cli.answers import rows
from drivers.cli.errors import CliError, LineRefusedError, LoginError, SessionLostError
from drivers.cli.hostkeys import HostKeyError, HostKeyStore, place
from drivers.cli.manners import Manners
from drivers.cli.pipe import lines_of, manners_of, of_error, packed, secret_of, unpacked
from drivers.cli.session import Session
from drivers.cli.ssh import CONNECT_SECONDS, Login
from tenone.trust.masked import Secret

IDLE_SECONDS = 60.0
LEASE_SECONDS = 900.0
"""A session that somebody holds and does not use is ended after this."""
MOST_SESSIONS = 64
LOOK_SECONDS = 0.5
_NEVER = frozenset(
    {"socket.sendto", "socket.sendmsg", "socket.bind", "subprocess.Popen", "os.exec", "os.system",
     "os.fork", "os.forkpty", "os.posix_spawn", "pty.spawn"}
)  # fmt: skip


class Places:
    """Where this process may connect to: what it was told, and nothing else."""

    def __init__(self) -> None:
        self._places: set[tuple[str, int]] = set()
        self._addresses: set[str] = set()

    def add(self, address: str, port: int) -> None:
        """Allow one more."""
        self._places.add((address, port))
        self._addresses.add(address)

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        """For :func:`sys.addaudithook`; raises PermissionError."""
        if event == "socket.connect":
            where = arguments[1]
            if not isinstance(where, tuple) or tuple(where[:2]) not in self._places:
                raise PermissionError(f"{where!r:.80} was not announced by the agent")
        elif event == "socket.getaddrinfo":
            if arguments[0] not in self._addresses:
                raise PermissionError(f"the look-up of {arguments[0]!r:.80} is the agent's")
        elif event in _NEVER:
            raise PermissionError(f"{event} is nothing this process does")


@dataclass(slots=True)
class _Kept:
    """One session and who may have it."""

    session: Session
    manners: Manners
    login: Login
    store: HostKeyStore
    key: bytes
    """What it was logged in with."""
    used_at: float
    in_use: bool = True
    busy: bool = False


@dataclass(slots=True)
class _Job:
    """One request under way."""

    number: int
    cut: bool = False
    kept: _Kept | None = None


@dataclass(slots=True)
class _State:
    lock: threading.Lock = field(default_factory=threading.Lock)
    sessions: dict[int, _Kept] = field(default_factory=dict)
    jobs: dict[int, _Job] = field(default_factory=dict)


class Child:
    """Reads requests until there are none; one thread each."""

    def __init__(
        self,
        requests: BinaryIO,
        answers: BinaryIO,
        *,
        idle_seconds: float = IDLE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        places: Places | None = None,
    ) -> None:
        self._requests = requests
        self._answers = answers
        self._idle = idle_seconds
        self._clock = clock
        self._places = places or Places()
        self._state = _State()
        self._writing = threading.Lock()
        self._numbers = itertools.count(1)
        self._last = clock()

    def serve(self) -> None:
        """Until the requests end or one says stop."""
        for line in iter(self._requests.readline, b""):
            message = unpacked(line)
            if message["do"] == "stop":
                return
            if message["do"] == "cut":
                self._cut(int(message["of"]))
                continue
            job = _Job(int(message["id"]))
            with self._state.lock:
                self._state.jobs[job.number] = job
            threading.Thread(target=self._work, args=(job, message), daemon=True).start()

    def sweep(self) -> bool:
        """End what was not used for long; whether nothing is left to be done."""
        now = self._clock()
        with self._state.lock:
            old = {
                number: kept
                for number, kept in self._state.sessions.items()
                if not kept.busy
                and now - kept.used_at > (LEASE_SECONDS if kept.in_use else self._idle)
            }
            for number in old:
                del self._state.sessions[number]
            rest = self._state.jobs or any(one.in_use for one in self._state.sessions.values())
            over = not rest and now - self._last > self._idle
        for kept in old.values():
            kept.session.close()
        return over

    def end(self) -> None:
        """Cut every session."""
        with self._state.lock:
            sessions = list(self._state.sessions.values())
            self._state.sessions.clear()
        for kept in sessions:
            kept.session.cut()

    def _work(self, job: _Job, message: dict[str, Any]) -> None:
        said: dict[str, Any] = {
            "error": of_error(CliError("the process that holds the sessions has a fault"))
        }
        try:
            said = {"ok": self._do(job, message)}
        except (CliError, HostKeyError) as error:
            said = {"error": of_error(error)}
        finally:
            with self._state.lock:
                del self._state.jobs[job.number]
                self._last = self._clock()
                if job.kept is not None:
                    job.kept.busy = False
                    job.kept.used_at = self._last
            self._say({"id": job.number, **said})

    def _do(self, job: _Job, message: dict[str, Any]) -> Any:
        do = message["do"]
        if do == "open":
            return self._open(job, message)
        if do == "run":
            return self._run(job, message)
        if do == "rows":
            return rows(message["platform"], message["command"], message["text"])
        if do == "close":
            return self._close(job, int(message["session"]))
        raise CliError(f"{do!r:.40} is no request")

    def _open(self, job: _Job, message: dict[str, Any]) -> int:
        data = message["login"]
        manners = manners_of(message["manners"])
        key = packed({"login": data, "manners": message["manners"]})
        store = HostKeyStore(Path(data["host_keys"]))
        login = Login(
            host=data["host"],
            username=data["username"],
            password=Secret(data["password"]),
            device_type=manners.device_type,
            port=data["port"],
            enable=secret_of(data["enable"]),
        )
        # Also for a session that was kept: the pin may have been taken away meanwhile.
        pinned = store.pinned(login.host, login.port)
        while (found := self._kept(job, key)) is not None:
            number, kept = found
            try:
                if kept.session.host_key == pinned:
                    kept.session.settle()
                    return number
            except SessionLostError:
                pass
            self._forget(job, number)
        opened = self._connected(data["address"], login)
        session = Session.open(login, store, manners, opened=opened, clock=self._clock)
        kept = _Kept(session, manners, login, store, key, self._clock(), busy=True)
        number = next(self._numbers)
        with self._state.lock:
            job.kept = kept
            if not job.cut:
                self._state.sessions[number] = kept
        if job.cut:
            session.close()
            raise LoginError("nobody waits for this session any more")
        return number

    def _connected(self, address: str, login: Login) -> socket.socket:
        where = place(login.host, login.port)
        with self._state.lock:
            if len(self._state.sessions) >= MOST_SESSIONS:
                raise LoginError(f"{where}: {MOST_SESSIONS} sessions are open already")
        self._places.add(address, login.port)
        try:
            return socket.create_connection((address, login.port), timeout=CONNECT_SECONDS)
        except OSError as error:
            raise LoginError(
                f"{where} cannot be logged in to: it does not answer ({error.strerror or error})"
            ) from None

    def _kept(self, job: _Job, key: bytes) -> tuple[int, _Kept] | None:
        with self._state.lock:
            for number, kept in self._state.sessions.items():
                if not kept.in_use and kept.key == key:
                    kept.in_use = kept.busy = True
                    job.kept = kept
                    return number, kept
        return None

    def _run(self, job: _Job, message: dict[str, Any]) -> list[str]:
        number = int(message["session"])
        kept = self._held(job, number)
        try:
            return kept.session.run(
                lines_of(message["lines"]),
                told=lambda line: self._say({"id": job.number, "line": line}),
            )
        except SessionLostError:
            self._forget(job, number)
            raise

    def _close(self, job: _Job, number: int) -> None:
        """Keep the session for whoever comes next, in the view a login begins in."""
        try:
            kept = self._held(job, number)
        except SessionLostError:
            return
        try:
            with suppress(LineRefusedError):
                kept.session.run(kept.manners.leave)
            kept.session.settle()
        except SessionLostError:
            self._forget(job, number)
            return
        with self._state.lock:
            kept.in_use = False

    def _held(self, job: _Job, number: int) -> _Kept:
        with self._state.lock:
            kept = self._state.sessions.get(number)
            if kept is None or kept.busy:
                raise SessionLostError(0, "the session is over")
            kept.busy = True
            job.kept = kept
        return kept

    def _forget(self, job: _Job, number: int) -> None:
        with self._state.lock:
            kept = self._state.sessions.pop(number, None)
            job.kept = None
        if kept is not None:
            kept.session.close()

    def _cut(self, number: int) -> None:
        with self._state.lock:
            job = self._state.jobs.get(number)
            if job is not None:
                job.cut = True
                if job.kept is not None:
                    job.kept.session.cut()

    def _say(self, message: dict[str, Any]) -> None:
        with self._writing, suppress(OSError, ValueError):  # nobody reads any more
            self._answers.write(packed(message))
            self._answers.flush()


def main() -> None:
    """Serve on standard input and output; never returns."""
    idle = float(sys.argv[1]) if len(sys.argv) > 1 else IDLE_SECONDS
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    # A library that prints must not speak in between, nor read what is meant for us.
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    logging.basicConfig(level=logging.ERROR, format="%(name)s: %(message)s")
    # Both write of servers' banners and of exceptions with what was sent.
    for name in ("paramiko", "netmiko"):
        logging.getLogger(name).disabled = True
        logging.getLogger(name).propagate = False
    logging.getLogger("paramiko.transport").disabled = True
    threading.excepthook = _fault
    places = Places()
    child = Child(requests, answers, idle_seconds=idle, places=places)
    sys.addaudithook(places.hook)
    threading.Thread(target=_watch, args=(child, os.getppid()), daemon=True).start()
    try:
        child.serve()
    finally:
        child.end()
        os._exit(0)  # threads may still wait for switches that are gone


def _watch(child: Child, parent: int) -> None:
    """End the process when it is idle or the agent is gone."""
    while not child.sweep() and os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    child.end()
    os._exit(0)


def _fault(arguments: threading.ExceptHookArgs) -> None:
    """Say where it happened and not with what: a message may hold what was sent."""
    trace = arguments.exc_traceback
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else "?"
    logging.getLogger(__name__).error("%s at %s", arguments.exc_type.__name__, where)


if __name__ == "__main__":
    main()
