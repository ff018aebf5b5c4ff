"""One fault at a time, from the wire's moment to the proof; and what must never happen meanwhile.

Moments are epoch seconds of this machine, where everything runs: the wire's record, the agent's
steps, and when the API first said so.
"""

import itertools
import random
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.lab.faults import Fault, Injected, heal, inject
from tests.lab.house import SCOPE, House
from tests.lab.switch import until
from tests.lab.truth import Moment, Truth

LONGEST_SECONDS = 60.0
LOOK_SECONDS = 0.05
LIST_SECONDS = 0.25
STEADY = 4
"""So many ports take turns with the faults that can be cured."""
ENDS = frozenset({"done", "undone", "stuck"})


@dataclass
class Round:
    """What one fault came to. None: it never was."""

    fault: Fault
    port: str
    at: float
    """The wire: the link stopped being good."""
    stood: float | None = None
    """The wire: the link had carrier again, as bad as it would stay; None where it had none."""
    verdict: float | None = None
    """The API said bad for the first time."""
    repair: float | None = None
    """The wire: the port was set otherwise for the first time."""
    proof: float | None = None
    """The agent's step: proved and kept; for a fault without cure: put back, before any test."""
    shown: float | None = None
    """The API said so; for a fault without cure: and what people have to carry."""
    steps: list[str] = field(default_factory=list)
    """Of all its actions, in order."""
    intents: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """Changes on a port that was healthy or another one."""
    without_hold: list[str] = field(default_factory=list)
    """Declared done, and the wire says the link had not been good throughout the hold."""
    words: str = ""
    """For what has no cure: what people are told."""

    @property
    def ended_well(self) -> bool:
        """As its kind should."""
        last = self.steps[-1] if self.steps else ""
        if self.fault.curable:
            return last == "done"
        return last == "undone" and bool(self.words)


class Rounds:
    """Plays them against one house."""

    def __init__(self, house: House, seed: int) -> None:
        self._house = house
        self._lab = house.lab
        self._random = random.Random(seed)
        # What was tried in vain is not tried again for a day: each bad pair has a port of its own.
        self._spare = list(self._lab.ports[STEADY:])
        self._steady = itertools.cycle(self._lab.ports[:STEADY])
        self.played: list[Round] = []

    def play(self, fault: Fault) -> Round:
        """One round: every link is good before and after it."""
        house, lab = self._house, self._lab
        port = next(self._steady) if fault.curable else self._spare.pop()
        house.until_all_good()
        # The city proves the last repair by its own verdicts, too; until then it begins no other
        # on this switch.
        until(lambda: house.get("actions/standing", scope=SCOPE)["under_way"] == 0, "rest")
        known = set(house.actions_at(port))
        time.sleep(self._random.uniform(0, 1))  # anywhere between two polls
        injected = inject(lab, fault, port)
        made = Round(fault=fault, port=port, at=injected.wall)
        self._watch(made, known)
        self._look_back(made, injected)
        heal(lab, port)
        self.played.append(made)
        return made

    def _watch(self, made: Round, known: set[str]) -> None:
        """Ask the API as a page would, until it is over."""
        deadline = time.monotonic() + LONGEST_SECONDS
        mine: list[str] = []
        listed = 0.0
        while time.monotonic() < deadline:
            link = self._house.link(made.port)
            if made.verdict is None and link["verdict"] == "bad":
                made.verdict = time.time()
            if time.monotonic() - listed >= LIST_SECONDS:
                listed = time.monotonic()
                mine = [one for one in self._house.actions_at(made.port) if one not in known]
            courses = [self._house.course(action) for action in mine]
            made.steps = [step["step"] for one in courses for step in one["steps"]]
            made.intents = [one["intent"] for one in courses]
            if self._over(made, link, courses):
                made.shown = time.time()
                break
            time.sleep(LOOK_SECONDS)
        finals = [
            step for action in mine for step in self._house.course(action)["steps"]
            if step["step"] in ENDS
        ]  # fmt: skip
        if finals:
            made.proof = finals[-1 if made.fault.curable else 0]["at"]

    def _over(self, made: Round, link: dict[str, Any], courses: Sequence[dict[str, Any]]) -> bool:
        if made.fault.curable:
            return "done" in made.steps and link["verdict"] == "good"
        if not any(step in ENDS for step in made.steps) or not courses:
            return False
        proposals = self._house.get("actions/proposals")["items"]
        told = [
            one["sentence"]["en"] for one in proposals
            if one["port"] == made.port and one["intent"] is None
        ]  # fmt: skip
        made.words = told[0] if told else ""
        return bool(told)

    def _look_back(self, made: Round, injected: Injected) -> None:
        """What the wire's record says about it all."""
        judge(made, self._lab.truth, injected, hold_seconds=self._house.hold_seconds)


def judge(made: Round, truth: Truth, injected: Injected, *, hold_seconds: float) -> None:
    """Fill in what the wire knows: moments, wrong repairs, claims without the hold."""
    moments = [one for one in truth.moments() if one.mono >= injected.mono]
    mine = [one for one in moments if one.port == made.port]
    made.stood = next((one.wall for one in mine if one.speed is not None and not one.good), None)
    first = next((one for one in mine if one.setting != mine[0].setting), None)
    made.repair = first.wall if first is not None else None
    made.wrong = list(_wrong(mine))
    for port in {one.port for one in truth.moments()} - {made.port}:
        made.wrong += [
            f"{port} was set to {one.setting}"
            for one in _set_anew(truth.moments(port), injected.mono)
        ]
    if "done" not in made.steps:
        return
    if not made.fault.curable:
        made.without_hold.append(f"{made.port} declared done, and it had no cure")
    elif made.proof is None or not truth.good_throughout(
        made.port, made.proof - hold_seconds, made.proof
    ):
        made.without_hold.append(f"{made.port} declared done at {made.proof}")


def _wrong(moments: Sequence[Moment]) -> Iterable[str]:
    """Changes of the port while its link was good."""
    for before, after in itertools.pairwise(moments):
        if before.good and after.setting != before.setting:
            yield f"{after.port} was healthy and set to {after.setting}"


def _set_anew(moments: Sequence[Moment], since: float) -> Iterable[Moment]:
    for before, after in itertools.pairwise(moments):
        if after.mono >= since and after.setting != before.setting:
            yield after


def table(rounds: Sequence[Round]) -> str:
    """Seconds from the fault, median (max), a line a fault."""
    lines = [
        "| fault | rounds | ended well | to verdict | to repair | to proof | from where it stood |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for fault in Fault:
        mine = [one for one in rounds if one.fault is fault]
        if not mine:
            continue
        cells = [
            _spread([getattr(one, name) - one.at for one in mine if getattr(one, name) is not None])
            for name in ("verdict", "repair", "proof")
        ]
        stood = [one.proof - one.stood for one in mine if one.proof and one.stood]
        well = sum(one.ended_well for one in mine)
        lines.append(f"| {fault} | {len(mine)} | {well} | {' | '.join(cells)} | {_spread(stood)} |")
    return "\n".join(lines)


def _spread(seconds: Sequence[float]) -> str:
    if not seconds:
        return "-"
    return f"{statistics.median(seconds):.2f} ({max(seconds):.2f})"
