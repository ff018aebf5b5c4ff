"""Service activation (SLA.md, definition 10; ITU-T Y.1564).

Y.1564 clause 8.1, the service configuration test: each class of traffic alone in steps of 25, 50,
75 and 100 % of its committed rate. Clause 8.2, the service performance test: all classes together
at their committed rates. A step passes when rate, loss, delay and jitter are inside the class's
objective (its service acceptance criteria), each direction by itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

from tenone.vocabulary.states import Verdict

STEPS: Final = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4), Fraction(1))


class Direction(StrEnum):
    """Which way the test traffic went, seen from the school."""

    UP = "up"
    DOWN = "down"


class Phase(StrEnum):
    """Which of the two tests a measurement is of."""

    CONFIGURATION = "configuration"
    PERFORMANCE = "performance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What one class was promised, each way."""

    traffic_class: str
    committed_mbps: float
    loss_ratio: float
    delay_ms: float
    jitter_ms: float


@dataclass(frozen=True, slots=True)
class Step:
    """Which measurement: of a class, one way, at a share of its committed rate."""

    phase: Phase
    traffic_class: str
    direction: Direction
    share: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was measured; None for what was not."""

    received_mbps: float | None
    loss_ratio: float | None
    delay_ms: float | None
    jitter_ms: float | None


def plan(objectives: Iterable[Objective]) -> list[Step]:
    """Every step in the order it is run; the classes together come last."""
    every = list(objectives)
    alone = [
        Step(Phase.CONFIGURATION, each.traffic_class, direction, share)
        for each in every
        for share in STEPS
        for direction in Direction
    ]
    together = [
        Step(Phase.PERFORMANCE, each.traffic_class, direction, Fraction(1))
        for direction in Direction
        for each in every
    ]
    return alone + together


def offered_mbps(objective: Objective, step: Step) -> float:
    """The rate to send in this step."""
    return objective.committed_mbps * float(step.share)


def judge(objective: Objective, step: Step, found: Measured) -> tuple[Verdict, tuple[str, ...]]:
    """One step: what fails as ``rate``, ``loss``, ``delay``, ``jitter``, else what is not known.

    The rate holds where what arrives is what was offered less the loss the class may have. One
    figure that fails makes the step bad whatever is missing.
    """
    least = offered_mbps(objective, step) * (1 - objective.loss_ratio)
    held = {
        "rate": None if found.received_mbps is None else found.received_mbps >= least,
        "loss": _inside(found.loss_ratio, objective.loss_ratio),
        "delay": _inside(found.delay_ms, objective.delay_ms),
        "jitter": _inside(found.jitter_ms, objective.jitter_ms),
    }
    failed = tuple(name for name, holds in held.items() if holds is False)
    if failed:
        return Verdict.BAD, failed
    missing = tuple(name for name, holds in held.items() if holds is None)
    return (Verdict.UNKNOWN if missing else Verdict.GOOD), missing


@dataclass(frozen=True, slots=True)
class Activation:
    """The whole test. ``verdict`` by direction, and every step that is not good, with why."""

    verdict: dict[Direction, Verdict]
    failed: dict[Step, tuple[str, ...]]
    unknown: dict[Step, tuple[str, ...]]
    """Also steps that were not run: their reason is ``not run``."""

    @property
    def passed(self) -> bool:
        """Whether the service may be handed over: every step of both directions is good."""
        return all(verdict is Verdict.GOOD for verdict in self.verdict.values())


def activation(objectives: Iterable[Objective], found: dict[Step, Measured]) -> Activation:
    """Judge a test against its plan; a direction is good only if each of its steps is."""
    by_class = {each.traffic_class: each for each in objectives}
    if not by_class:
        raise ValueError("an activation needs at least one class of traffic to be tested")
    failed: dict[Step, tuple[str, ...]] = {}
    unknown: dict[Step, tuple[str, ...]] = {}
    for step in plan(by_class.values()):
        if step not in found:
            unknown[step] = ("not run",)
            continue
        verdict, reasons = judge(by_class[step.traffic_class], step, found[step])
        if verdict is Verdict.BAD:
            failed[step] = reasons
        elif verdict is Verdict.UNKNOWN:
            unknown[step] = reasons
    verdicts = {}
    for direction in Direction:
        if any(step.direction is direction for step in failed):
            verdicts[direction] = Verdict.BAD
        elif any(step.direction is direction for step in unknown):
            verdicts[direction] = Verdict.UNKNOWN
        else:
            verdicts[direction] = Verdict.GOOD
    return Activation(verdicts, failed, unknown)


def _inside(value: float | None, limit: float) -> bool | None:
    return None if value is None else value <= limit
