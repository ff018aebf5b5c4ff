"""SLA.md 10: the steps of Y.1564, each direction by itself."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.sla.activation import (
    Activation,
    Direction,
    Measured,
    Objective,
    Phase,
    Step,
    activation,
    judge,
    offered_mbps,
    plan,
)
from tenone.vocabulary.states import Verdict

VOICE = Objective(
    traffic_class="voice", committed_mbps=20.0, loss_ratio=0.001, delay_ms=10.0, jitter_ms=2.0
)
DATA = Objective(
    traffic_class="data", committed_mbps=800.0, loss_ratio=0.01, delay_ms=50.0, jitter_ms=20.0
)
UP, DOWN = Direction.UP, Direction.DOWN


def measured(
    received: float | None = 20.0,
    loss: float | None = 0.0,
    delay: float | None = 5.0,
    jitter: float | None = 1.0,
) -> Measured:
    return Measured(received_mbps=received, loss_ratio=loss, delay_ms=delay, jitter_ms=jitter)


def test_the_plan() -> None:
    steps = plan([VOICE, DATA])
    alone, together = steps[:16], steps[16:]
    assert [float(step.share) for step in alone[::2]] == [0.25, 0.5, 0.75, 1.0] * 2
    assert {step.phase for step in alone} == {Phase.CONFIGURATION}
    assert together == [
        Step(Phase.PERFORMANCE, name, way, Fraction(1))
        for way in (UP, DOWN)
        for name in ("voice", "data")
    ]
    assert [offered_mbps(VOICE, step) for step in alone[:8:2]] == [5.0, 10.0, 15.0, 20.0]


FULL = Step(Phase.CONFIGURATION, "voice", UP, Fraction(1))
HALF = Step(Phase.CONFIGURATION, "voice", UP, Fraction(1, 2))


@pytest.mark.parametrize(
    ("step", "found", "verdict", "reasons"),
    [
        (FULL, measured(), Verdict.GOOD, ()),
        (FULL, measured(19.98, 0.001, 10.0, 2.0), Verdict.GOOD, ()),  # all at their limits
        (FULL, measured(19.97), Verdict.BAD, ("rate",)),
        (HALF, measured(10.0), Verdict.GOOD, ()),
        (HALF, measured(9.9), Verdict.BAD, ("rate",)),
        (FULL, measured(loss=0.0011), Verdict.BAD, ("loss",)),
        (FULL, measured(delay=10.1), Verdict.BAD, ("delay",)),
        (FULL, measured(jitter=2.1), Verdict.BAD, ("jitter",)),
        (FULL, measured(1.0, 0.5, 99.0, 99.0), Verdict.BAD, ("rate", "loss", "delay", "jitter")),
        (FULL, measured(delay=None), Verdict.UNKNOWN, ("delay",)),
        (FULL, measured(delay=None, loss=0.5), Verdict.BAD, ("loss",)),
        (
            FULL,
            measured(None, None, None, None),
            Verdict.UNKNOWN,
            ("rate", "loss", "delay", "jitter"),
        ),
    ],
)
def test_one_step(step: Step, found: Measured, verdict: Verdict, reasons: tuple[str, ...]) -> None:
    assert judge(VOICE, step, found) == (verdict, reasons)


def whole(*, but: dict[Step, Measured | None] | None = None) -> Activation:
    found = {
        step: measured(
            received=offered_mbps(VOICE if step.traffic_class == "voice" else DATA, step)
        )
        for step in plan([VOICE, DATA])
    }
    for step, value in (but or {}).items():
        if value is None:
            del found[step]
        else:
            found[step] = value
    return activation([VOICE, DATA], found)


def test_all_good_is_passed() -> None:
    found = whole()
    assert found.passed
    assert found.verdict == {UP: Verdict.GOOD, DOWN: Verdict.GOOD}
    assert (found.failed, found.unknown) == ({}, {})


def test_a_direction_fails_by_itself() -> None:
    step = Step(Phase.CONFIGURATION, "data", DOWN, Fraction(3, 4))
    found = whole(but={step: measured(received=10.0)})
    assert found.verdict == {UP: Verdict.GOOD, DOWN: Verdict.BAD}
    assert found.failed == {step: ("rate",)}
    assert not found.passed


def test_classes_that_pass_alone_may_fail_together() -> None:
    step = Step(Phase.PERFORMANCE, "voice", UP, Fraction(1))
    found = whole(but={step: measured(jitter=7.0)})
    assert found.verdict == {UP: Verdict.BAD, DOWN: Verdict.GOOD}


def test_a_step_that_was_not_run_is_not_passed() -> None:
    step = Step(Phase.PERFORMANCE, "data", UP, Fraction(1))
    found = whole(but={step: None})
    assert found.verdict == {UP: Verdict.UNKNOWN, DOWN: Verdict.GOOD}
    assert found.unknown == {step: ("not run",)}
    assert not found.passed


def test_nothing_to_test_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one class"):
        activation([], {})


value = st.none() | st.floats(0, 40)


@given(st.lists(st.tuples(value, value, value, value), min_size=10, max_size=10))
def test_the_verdict_is_the_worst_step(figures: list[tuple[float | None, ...]]) -> None:
    steps = plan([VOICE])
    found = {step: measured(*each) for step, each in zip(steps, figures, strict=True)}
    whole_test = activation([VOICE], found)
    for direction in Direction:
        verdicts = {judge(VOICE, s, m)[0] for s, m in found.items() if s.direction is direction}
        worst = next(v for v in (Verdict.BAD, Verdict.UNKNOWN, Verdict.GOOD) if v in verdicts)
        assert whole_test.verdict[direction] is worst
