"""What a switch keeps beside what runs: what it starts with, files, checkpoints, trials."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firmware_sims.switch.cable import PairFault
from firmware_sims.switch.settings import Config

if TYPE_CHECKING:
    from firmware_sims.switch.model import Switch

MOST_COMMITS = 50
FIRST_COMMIT = 1_000_000_001


@dataclass(frozen=True, slots=True)
class Commit:
    """A checkpoint: what ran after a commit, and before it."""

    number: int
    label: str
    user: str
    wall_ns: int
    before: Config
    after: Config


@dataclass(frozen=True, slots=True)
class Trial:
    """A change that takes itself back unless it is confirmed."""

    back_to: Config
    timer: int
    due: float
    session: object
    """Whose it is."""


class Store:
    """The store of one switch. Everything in it outlives sessions; only ``startup`` a restart."""

    def __init__(self, switch: "Switch") -> None:
        self._switch = switch
        self.startup: Config = switch.wiring.running()
        self.files: dict[str, Config] = {}
        self.commits: list[Commit] = []
        self.trial: Trial | None = None
        self.candidates: dict[object, Config] = {}
        """By session: changes that do not run yet."""
        self.saved_wall_ns: int | None = None
        self.tested: dict[str, Mapping[str, PairFault | None]] = {}
        """By port name: what the last cable test found, where it is read afterwards."""
        self.tested_wall_ns = 0

    def save(self) -> None:
        """What runs is what it starts with."""
        self.startup = self._switch.wiring.running()
        self.saved_wall_ns = self._switch.clock.wall_ns()

    def commit(self, config: Config, *, label: str = "", user: str = "") -> Commit:
        """Let ``config`` run and remember what ran before."""
        before = self._switch.wiring.running()
        self._switch.wiring.load(config)
        number = self.commits[-1].number + 1 if self.commits else FIRST_COMMIT
        made = Commit(number, label, user, self._switch.clock.wall_ns(), before, config)
        self.commits = [*self.commits[1 - MOST_COMMITS :], made]
        return made

    def try_for(self, seconds: float, back_to: Config, session: object) -> None:
        """What runs now goes back to ``back_to`` after ``seconds`` unless :meth:`confirm` comes."""
        switch = self._switch
        if self.trial is not None:
            # A trial prolonged still goes back to what ran before the first.
            back_to = self.trial.back_to
            switch.timers.cancel(self.trial.timer)
        due = switch.now() + seconds
        timer = switch.timers.at(due, self._over)
        self.trial = Trial(back_to, timer, due, session)

    def confirm(self) -> bool:
        """The trial stays; False where there is none."""
        trial, self.trial = self.trial, None
        if trial is None:
            return False
        self._switch.timers.cancel(trial.timer)
        return True

    def abort(self) -> bool:
        """The trial is taken back; False where there is none."""
        trial, self.trial = self.trial, None
        if trial is None:
            return False
        self._switch.timers.cancel(trial.timer)
        self._switch.wiring.load(trial.back_to)
        return True

    def _over(self, _: float) -> None:
        self.abort()

    def restart(self) -> None:
        """The switch has lost its power: what it starts with runs, every session is gone."""
        if self.trial is not None:
            self._switch.timers.cancel(self.trial.timer)
        self.trial = None
        self.candidates.clear()
        self._switch.wiring.load(self.startup)
