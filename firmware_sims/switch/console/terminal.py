"""Characters from a wire to lines of a command line, with echo."""

from collections.abc import Callable
from dataclasses import dataclass, field

from firmware_sims.switch.console.line import CommandLine

_BACKSPACES = "\b\x7f"
_INTERRUPT, _TO_USER_VIEW = "\x03", "\x1a"
_LONGEST_LINE = 8_192


@dataclass(slots=True)
class Terminal:
    """Characters to lines, with echo: what stands between a wire and a :class:`CommandLine`."""

    line: CommandLine
    take: Callable[[str], None]
    """Is given each line, or each key where a page waits."""
    write: Callable[[str], None]
    typed: list[str] = field(default_factory=list)
    _after_return: bool = False

    def feed(self, text: str) -> None:
        """Take what has arrived."""
        for letter in text:
            if letter == "\n" and self._after_return:
                self._after_return = False
                continue
            self._after_return = letter == "\r"
            if self.line.closed:
                return
            if self.line.paging:
                self.take("" if letter in "\r\n" else letter)
            elif letter in "\r\n":
                self._entered()
            elif letter < " " or letter == "\x7f":
                self._control(letter)
            elif len(self.typed) < _LONGEST_LINE:
                self.typed.append(letter)
                if not self.line.hidden:
                    self.write(letter)

    def _control(self, letter: str) -> None:
        if letter in _BACKSPACES and self.typed:
            self.typed.pop()
            self.write("\b \b")
        elif letter == _INTERRUPT:
            self.typed.clear()
            self.write("\n" + self.line.prompt)
        elif letter == _TO_USER_VIEW:
            self.typed[:] = "end" if self.line.prompt.endswith("#") else "return"
            self._entered()

    def _entered(self) -> None:
        line = "".join(self.typed)
        self.typed.clear()
        self.write("\n")
        self.take(line)
