"""One answer of a switch as it comes in: what to type meanwhile, and when it is over. No I/O.

An answer ends with a prompt, and switches print what people once typed, so something in the middle
may look like one. Only a prompt with nothing behind it counts; and where an answer has text at all,
an empty line is typed and the prompt must come once more with nothing in between: so it does not
matter where the network cuts an answer, nor how long a busy switch pauses. An empty line does
nothing on any of these command lines. Where a question may be open none is typed.

What this cannot see (two prompts typed into one text, and a cut behind each) shows at the next
line: the rest of the answer stands before its echo, and the session is given up.
"""

import re

from drivers.cli.dialect import Line
from drivers.cli.screen import decoded, is_echo, is_more, is_prompt, last_line, shown, without_echo

MAX_BYTES = 2_000_000
TAIL_BYTES = 4096
SETTLE_SECONDS = 0.05
"""How long a prompt stands alone before it is believed, where no empty line may be typed."""
NUDGE_SECONDS = 1.0
"""After this long in silence with a prompt somewhere above: a log line was printed over it."""
MOST_QUESTIONS = 8
MOST_CONFIRMS = 40
RETURN = "\n"


class AnswerError(Exception):
    """The answer cannot be followed any more; one clause."""


def check_rest(text: str, prompt: re.Pattern[str]) -> None:
    """Look at what came after an answer was over; raises :class:`AnswerError`.

    Prompts alone are the answers to empty lines, text alone is a log. Text that ends in a prompt
    is the rest of the answer: what was taken for its prompt was none.
    """
    lines = [line for line in text.split("\n") if line.strip()]
    prompts = [line for line in lines if is_prompt(line, prompt)]
    if prompts and len(prompts) < len(lines):
        raise AnswerError("the rest of an earlier answer came after what looked like its prompt")


class Answering:
    """Feed it what comes; type what it says; it is over when :attr:`done`."""

    def __init__(self, line: Line, prompt: re.Pattern[str], *, echoes: bool = False) -> None:
        self.done = False
        self._echoes = echoes
        self._typed = line.text
        self._prompt = prompt
        self._asks = [(re.compile(ask.pattern), ask.answer) for ask in line.asks]
        self._data = bytearray()
        self._candidate = False
        """A prompt stands at the end."""
        self._confirm_at: int | None = None
        """Where in the data the last empty line was typed."""
        self._confirms = 0
        self._asked = 0
        self._asked_at = 0
        """Up to where in the data questions were answered."""
        self._pages_at = -1
        """How many lines there were when the next page was asked for."""

    @property
    def wait_seconds(self) -> float:
        """How long to wait for more before :meth:`silence`."""
        return SETTLE_SECONDS if self._candidate and self._asks else NUDGE_SECONDS

    def feed(self, data: bytes) -> str | None:
        """Take in what came; returns what to type. Raises :class:`AnswerError`."""
        self._data += data
        if len(self._data) > MAX_BYTES:
            raise AnswerError(f"it answers more than {MAX_BYTES} bytes")
        self._candidate = False
        tail = self._text(0)
        last = last_line(tail)
        if is_more(last):
            return self._turn()
        answer = self._question()
        if answer is not None:
            return answer + RETURN
        if not is_prompt(last, self._prompt) or (self._is_whole() and is_echo(tail, self._typed)):
            return None
        self._candidate = True
        if self._asks or (self._echoes and self._typed and not self.echoed):
            return None  # wait and see
        if not self._has_body(tail) or self._is_confirmed():
            self.done = True
            return None
        return self._confirm()

    def silence(self) -> str | None:
        """Nothing came for :attr:`wait_seconds`; returns what to type."""
        if self._asks:
            self.done = self._candidate
        elif self._candidate and self._confirm_at is None:
            self.done = True  # an echo that is not as it was typed: wrapped, or left out
        elif self._confirm_at is None and self._is_buried():
            return self._confirm()
        return None

    @property
    def echoed(self) -> bool:
        """Whether the switch says what was typed before it answered."""
        start = shown(decoded(bytes(self._data[:TAIL_BYTES])))
        return bool(self._typed) and without_echo(start, self._typed)[1] != start

    def answer(self) -> str:
        """The text between echo and prompt; raises :class:`AnswerError`."""
        lines = shown(decoded(bytes(self._data))).split("\n")[:-1]
        for _ in range(self._confirms):  # one prompt more for each empty line
            while lines and not lines[-1].strip():
                lines.pop()
            if lines and is_prompt(lines[-1], self._prompt):
                lines.pop()
        before, after = without_echo("\n".join(lines), self._typed)
        check_rest(before, self._prompt)
        return after.strip("\n")

    def _turn(self) -> str | None:
        lines = self._data.count(b"\n")
        if lines == self._pages_at:
            return None  # asked already; its mark is being taken off the screen
        self._pages_at = lines
        return " "

    def _question(self) -> str | None:
        if not self._asks:
            return None
        text = self._text(self._asked_at)
        if self._asked == 0:
            if is_echo(text, self._typed):
                return None
            text = without_echo(text, self._typed)[1]
        for pattern, answer in self._asks:
            if pattern.search(text) is not None:
                self._asked += 1
                self._asked_at = len(self._data)
                if self._asked > MOST_QUESTIONS:
                    raise AnswerError(f"it asked more than {MOST_QUESTIONS} times")
                return answer
        return None

    def _confirm(self) -> str | None:
        self._confirms += 1
        if self._confirms > MOST_CONFIRMS:
            raise AnswerError("its answer is full of prompts")
        self._confirm_at = len(self._data)
        return RETURN

    def _is_confirmed(self) -> bool:
        """Whether the prompt came once more, with nothing in between."""
        if self._confirm_at is None:
            return False
        return len([one for one in self._text(self._confirm_at).split("\n") if one.strip()]) == 1

    def _has_body(self, tail: str) -> bool:
        if not self._is_whole():
            return True
        _, after = without_echo(tail, self._typed)
        return bool(after.rpartition("\n")[0].strip())

    def _is_buried(self) -> bool:
        return any(is_prompt(one, self._prompt) for one in self._text(0).split("\n"))

    def _is_whole(self) -> bool:
        return len(self._data) <= TAIL_BYTES

    def _text(self, start: int) -> str:
        """What came from ``start`` on, its end at least."""
        return shown(decoded(bytes(self._data[max(start, len(self._data) - TAIL_BYTES) :])))
