"""What the six command lines have in common: views, questions, pages, where a line goes."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar, TypeVar

from firmware_sims.switch.console import names
from firmware_sims.switch.console.grammar import (
    Command,
    Fault,
    Given,
    LineError,
    Question,
    compiled,
    match,
)
from firmware_sims.switch.console.pages import wiped
from firmware_sims.switch.model import Port, Switch
from firmware_sims.switch.settings import Config, PortSettings

PAGE_LINES = 24
M = TypeVar("M")


class RefusedError(Exception):
    """The switch understands and refuses; the text is what it prints."""


def on(views: str, *patterns: str) -> Callable[[M], M]:
    """The method carries out ``patterns`` in ``views`` (names with blanks between)."""

    def mark(method: M) -> M:
        marks: list[tuple[str, tuple[str, ...]]] = getattr(method, "lines_", [])
        method.lines_ = [*marks, (views, patterns)]  # type: ignore[attr-defined] # read once by Shell.__init_subclass__
        return method

    return mark


class Shell:
    """One session. Subclasses speak a dialect."""

    views_: ClassVar[dict[str, tuple[Command, ...]]] = {}
    falls_back: ClassVar[dict[str, str]] = {}
    """View -> view whose commands it takes too."""
    more: ClassVar[str] = "  ---- More ----"
    arrows: ClassVar[bool] = True
    """Its sign for more is wiped by arrows, not by backspaces."""
    shorts: ClassVar[bool] = False
    first_view: ClassVar[str] = "user"
    banner: ClassVar[str] = ""
    page_lines: ClassVar[int] = PAGE_LINES
    undo: ClassVar[str] = "undo"
    """The word for ``{undo}`` in patterns."""

    def __init_subclass__(cls) -> None:
        """Gather the commands of the class and of those it stands on."""
        found: dict[str, list[Command]] = {}
        for name in dir(cls):
            for views, patterns in getattr(getattr(cls, name), "lines_", ()):
                worded = [pattern.replace("{undo}", cls.undo) for pattern in patterns]
                for view in views.split():
                    found.setdefault(view, []).extend(compiled(worded, name))
        cls.views_ = {view: tuple(commands) for view, commands in found.items()}

    def __init__(self, switch: Switch, *, user: str, enable: str) -> None:
        """``enable``: the second password, empty where none is asked for."""
        self.switch = switch
        self.user = user
        self.enable = enable
        self.view = self.first_view
        self.at: Port | None = None
        """The port whose view this is."""
        self.closed = False
        self.paging = True
        self.rest: list[str] = []
        """What is still to be shown."""
        self.hidden = False
        """What is typed now is a password."""
        self._question: tuple[str, Question] | None = None

    # What a dialect says

    @property
    def view_prompt(self) -> str:
        """The prompt of the view."""
        raise NotImplementedError

    def complaint(self, error: LineError, line: str) -> str:
        """What is printed about a line that is no command."""
        raise NotImplementedError

    def left(self) -> None:
        """The session is over, by its own will or cut."""

    # What is typed

    @property
    def prompt(self) -> str:
        """What is shown when the next line is awaited."""
        if self.rest:
            return self.more
        return self.view_prompt if self._question is None else self._question[0]

    def type(self, line: str) -> str:
        """Take one line; what is printed, the next prompt at its end (none when closed)."""
        self.switch.tick()
        if self.rest:
            printed = self._paged(line)
        elif self._question is not None:
            asked, self._question = self._question, None
            self.hidden = False
            printed = self._guarded(lambda: asked[1](line.strip()), line)
        else:
            printed = self._guarded(lambda: self.carry_out(line), line)
            printed = self._first_page(printed)
        return printed if self.closed else printed + self.prompt

    def ask(self, question: str, answer: Question, *, hidden: bool = False) -> str:
        """Let the next line answer ``question``; what is printed is nothing more."""
        self._question = (question, answer)
        self.hidden = hidden
        return ""

    def yes_or_no(self, question: str, yes: Callable[[], str], no: Callable[[], str] = str) -> str:
        """A question that only Y or N answers; anything else asks again."""

        def answered(text: str) -> str:
            if text.upper() in {"Y", "YES"}:
                return yes()
            if text.upper() in {"N", "NO"}:
                return no()
            return self.ask(question, answered)

        return self.ask(question, answered)

    def _guarded(self, deed: Callable[[], str], line: str) -> str:
        try:
            printed = deed()
        except LineError as error:
            printed = self.complaint(error, line)
        except RefusedError as refused:
            printed = str(refused)
        return printed if not printed or printed.endswith("\n") else printed + "\n"

    def carry_out(self, line: str) -> str:
        """Match a line against the view and those it falls back to, and do it."""
        if not line.strip() or line.strip() in {"#", "!"}:
            return ""
        view, first = self.view, None
        while True:
            try:
                command, given = match(line, self.views_.get(view, ()))
            except LineError as error:
                first = self._better(first, error)
                if view not in self.falls_back or error.fault is Fault.AMBIGUOUS:
                    raise first from None
                view = self.falls_back[view]
            else:
                return self._done_in(view, getattr(self, command.method), given)

    def _done_in(self, view: str, carry_out: Callable[[Given], str], given: Given) -> str:
        """A line of an outer view leaves this one, unless it is refused."""
        before = (self.view, self.at)
        self.view = view
        if view != before[0]:
            self.at = None
        try:
            return carry_out(given)
        except (LineError, RefusedError):
            self.view, self.at = before
            raise

    @staticmethod
    def _better(first: LineError | None, second: LineError) -> LineError:
        """Of two complaints, the one that understood more of the line."""
        if first is None or second.column > first.column:
            return second
        return first

    def _first_page(self, printed: str) -> str:
        lines = printed.splitlines(keepends=True)
        if not self.paging or len(lines) <= self.page_lines:
            return printed
        self.rest = lines[self.page_lines :]
        return "".join(lines[: self.page_lines])

    def _paged(self, key: str) -> str:
        """A blank shows the next page, Enter the next line, anything else ends it."""
        if key == " ":
            shown, self.rest = self.rest[: self.page_lines], self.rest[self.page_lines :]
            return wiped(self.more, arrows=self.arrows) + "".join(shown)
        if not key:
            shown, self.rest = self.rest[:1], self.rest[1:]
            return wiped(self.more, arrows=self.arrows) + "".join(shown)
        self.rest = []
        return wiped(self.more, arrows=self.arrows)

    # What dialects ask

    def port(self, given: Given, name: str = "port") -> Port:
        """The socket named by a capture; raises :class:`LineError`."""
        found = names.find(given[name], self.switch.ports, shorts=self.shorts)
        if found is None or found.virtual:
            raise given.wrong(name)
        return found

    def here(self) -> Port:
        """The port whose view this is."""
        if self.at is None:
            raise LineError(Fault.UNKNOWN, 0)
        return self.at

    def config(self) -> Config:
        """The configuration that is being changed: what runs, or a candidate."""
        return self.switch.wiring.running()

    def put(self, config: Config) -> None:
        """Let ``config`` be what is being changed: at once, or in the candidate."""
        self.switch.wiring.load(config)

    def settings(self) -> PortSettings:
        """The section of the port whose view this is."""
        return self.config().port(self.here().name)

    def change(self, **changes: object) -> str:
        """Change the section of the port whose view this is; prints nothing."""
        settings = replace(self.settings(), **changes)  # type: ignore[arg-type] # keys are fields of PortSettings
        self.put(self.config().with_port(self.here().name, settings))
        return ""


Lines = Sequence[str]


def text(lines: Lines) -> str:
    """``lines`` with an end each."""
    return "".join(f"{line}\n" for line in lines)
