"""One session with a switch: a line, its answer, the next line (needs the extra ``cli``).

The line loop is our own, on the channel netmiko logged in on: netmiko's ``send_config_set`` looks
four times for a configuration mode and waits two seconds each (4.8.0), 40 times slower than this.
"""

import re
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Self

from drivers.cli.answering import MAX_BYTES, SETTLE_SECONDS, AnswerError, Answering, check_rest
from drivers.cli.dialect import Ask, Line
from drivers.cli.errors import (
    AccessDeniedError,
    LineRefusedError,
    LoginError,
    SessionLostError,
)
from drivers.cli.hostkeys import HostKey, HostKeyStore, place
from drivers.cli.manners import Manners
from drivers.cli.screen import decoded, shown
from drivers.cli.ssh import Login, log_in

READ_BYTES = 65_536
SEND_SECONDS = 10.0
SHOWN_CHARS = 160
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CHANGE = Ask(r"(?i)change [^\n]{0,40}[\[(]y(?:es)?/no?[\])][^\n]{0,3}$", "no")
_NO_PASSWORD = re.compile(r"(?i)denied|bad (?:secrets?|passwords?)|error|incorrect|fail|invalid")


class _LostError(Exception):
    """The session ended or went wrong; one clause."""


class Session:
    """Lines in, answers out. One thread at a time; :meth:`cut` from any."""

    def __init__(
        self,
        connection: Any,
        where: str,
        manners: Manners,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._channel = connection.remote_conn
        self._transport = self._channel.get_transport()
        self._where = where
        self._manners = manners
        self._clock = clock
        self._over = threading.Event()
        self._echoes = False
        """The switch says what was typed, so each answer can be told by its beginning."""
        self.host_key = HostKey.of(self._transport.get_remote_server_key().asbytes())
        """The key the switch showed when this session began."""

    @classmethod
    def open(
        cls,
        login: Login,
        store: HostKeyStore,
        manners: Manners,
        *,
        opened: socket.socket | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> Self:
        """Log in and be quiet. Raises :class:`LoginError`, :class:`HostKeyError`."""
        connection = log_in(login, store, opened=opened)
        session = cls(connection, place(login.host, login.port), manners, clock=clock)
        try:
            session.settle()
            if login.enable is not None and manners.raises is not None:
                session._rise(manners.raises, login.enable.use())
            session.run(manners.quiet)
            session.settle()  # a dialect may have made its own prompt
        except (LineRefusedError, SessionLostError) as error:
            session.close()
            raise LoginError(f"{error} (right after the login)") from None
        except BaseException:
            session.close()
            raise
        return session

    @property
    def lost(self) -> bool:
        """Nothing may be typed any more."""
        return self._over.is_set()

    def run(self, lines: Sequence[Line], *, told: Callable[[int], None] | None = None) -> list[str]:
        """Type lines one by one, each when the one before was answered; the answers.

        ``told`` hears the number of each line before it is typed. Raises
        :class:`LineRefusedError` (the session goes on), :class:`SessionLostError` (it is over).
        """
        for number, line in enumerate(lines):
            if _CONTROL.search(line.text):
                raise LineRefusedError(
                    number, f"{line.text!r:.100} holds a control character: nothing was typed"
                )
        answers: list[str] = []
        for number, line in enumerate(lines):
            if told is not None:
                told(number)
            try:
                answer = self._ask(line)
            except _LostError as error:
                self.close()
                raise SessionLostError(
                    number, f"{self._where}, at {line.text!r:.100}: {error}"
                ) from None
            if not line.optional:
                self._look(number, line, answer)
            answers.append(answer)
            self._over.wait(line.pause)
        return answers

    def settle(self) -> None:
        """Find the prompt, throw away what stood before; raises :class:`SessionLostError`."""
        try:
            self._rest()
            self._ask(Line(""))
            while self._receive(SETTLE_SECONDS):
                pass
        except _LostError as error:
            self.close()
            raise SessionLostError(0, f"{self._where}: {error}") from None

    def cut(self) -> None:
        """End the session from another thread, in the middle of whatever it does."""
        self._over.set()
        self._transport.close()

    def close(self) -> None:
        """Log out by closing the channel; never raises and waits for nobody."""
        self._over.set()
        self._connection.disconnect()

    def _rise(self, command: str, password: str) -> None:
        # Asked whether a weak password is to be changed (Ruijie), it says no, and not the password.
        asks = (_CHANGE, Ask(r"(?i)password[^\n]{0,20}$", password))
        (answer,) = self.run([Line(command, asks)])
        if _NO_PASSWORD.search(answer):
            raise AccessDeniedError(f"{self._where} does not take the second password ('enable')")

    def _look(self, number: int, line: Line, answer: str) -> None:
        for pattern in self._manners.refusals:
            found = pattern.search(answer)
            if found is not None:
                raise LineRefusedError(
                    number,
                    f"{self._where} does not take {line.text!r:.100}: "
                    f"{_words(answer, found.start(), found.end())}",
                )

    def _ask(self, line: Line) -> str:
        until = self._clock() + line.seconds
        answering = Answering(line, self._manners.prompt, echoes=self._echoes)
        try:
            check_rest(shown(decoded(self._rest())), self._manners.prompt)
            self._type(line.text + self._connection.RETURN)
            while not answering.done:
                left = until - self._clock()
                if left <= 0:
                    raise _LostError(f"no prompt came within {line.seconds:g} s")
                wait = answering.wait_seconds
                data = self._receive(min(left, wait))
                if not data and left < wait:
                    continue
                typed = answering.feed(data) if data else answering.silence()
                if typed is not None:
                    self._type(typed)
            self._echoes = self._echoes or answering.echoed
            return answering.answer()
        except AnswerError as error:
            raise _LostError(str(error)) from None

    def _rest(self) -> bytes:
        """What came since the last prompt."""
        rest = bytearray()
        while self._channel.recv_ready() and len(rest) < MAX_BYTES:
            rest += self._receive(0)
        return bytes(rest)

    def _type(self, text: str) -> None:
        if self.lost:
            raise _LostError("the session is over")
        try:
            self._channel.settimeout(SEND_SECONDS)
            self._channel.sendall(text.encode())
        except (OSError, EOFError) as error:
            raise _LostError(f"the session ended ({type(error).__name__})") from None

    def _receive(self, seconds: float) -> bytes:
        """What comes next; nothing where nothing came in time. Raises :class:`_LostError`."""
        self._channel.settimeout(max(seconds, 0.0))
        try:
            data: bytes = self._channel.recv(READ_BYTES)
        except TimeoutError:
            return b""
        except (OSError, EOFError) as error:
            raise _LostError(f"the session ended ({type(error).__name__})") from None
        if not data:
            raise _LostError("the session ended")
        return data


def _words(answer: str, start: int, end: int) -> str:
    """The switch's own words: the lines a refusal stands in, printable and short."""
    first = answer.rfind("\n", 0, start) + 1
    last = answer.find("\n", end)
    text = " ".join(answer[first : len(answer) if last < 0 else last].split())
    return "".join(one if one.isprintable() else "?" for one in text)[:SHOWN_CHARS]
