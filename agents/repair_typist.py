"""Types lines at a console, one by one, and remembers what was typed and answered."""

from collections.abc import Callable, Sequence

from drivers.cli.console import Console
from drivers.cli.dialect import Dialect, Line, PortSettings
from drivers.cli.errors import LineRefusedError, SessionLostError, UnreadableError


class Typist:
    """One session's. ``mask`` takes out what may not be shown."""

    def __init__(self, console: Console, dialect: Dialect, *, mask: Callable[[str], str]) -> None:
        self.dialect = dialect
        self._console = console
        self._mask = mask
        self._told: list[str] = []

    async def type(self, lines: Sequence[Line]) -> list[str]:
        """The answers; raises :class:`LineRefusedError`, :class:`SessionLostError`.

        After a refusal the view of the login is taken again.
        """
        answers: list[str] = []
        for number, line in enumerate(lines):
            self._told.append(f"> {line.text}")
            try:
                (answer,) = await self._console.run([line])
            except LineRefusedError as error:
                self._told.append(f"! {error}")
                await self.leave()
                raise LineRefusedError(number, str(error)) from error
            except SessionLostError as error:
                self._told.append(f"! {error}")
                raise SessionLostError(number, str(error)) from error
            if answer:
                self._told.append(answer)
            answers.append(answer)
        return answers

    async def read(self, port: str) -> PortSettings:
        """The port's settings now. :class:`UnreadableError`, :class:`SessionLostError`."""
        try:
            return self.dialect.read_port(port, await self.type(self.dialect.show_port(port)))
        except LineRefusedError as error:
            raise UnreadableError(str(error)) from error

    def take(self) -> str:
        """What was typed and answered since the last time, masked."""
        told, self._told = self._told, []
        return self._mask("\n".join(told))

    async def leave(self) -> None:
        """From whatever view to the one of the login. :class:`SessionLostError`."""
        for line in self.dialect.leave:
            self._told.append(f"> {line.text}")
            try:
                await self._console.run([line])
            except LineRefusedError as error:
                self._told.append(f"! {error}")
