"""Availability to date against the definition, over random months."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.minutes.availability import DOWN, UNKNOWN, UP, MonthToDate, Passed, state_of
from tenone.calendar.intervals import Intervals
from tenone.vocabulary.states import Cause, Verdict

SPANS = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), max_size=6)
CHANGES = st.lists(
    st.tuples(st.integers(0, 220), st.sampled_from([UP, DOWN, UNKNOWN])), max_size=10
)


@pytest.mark.parametrize(
    ("verdict", "causes", "state"),
    [
        (Verdict.GOOD, (), UP),
        (Verdict.UNKNOWN, (Cause.STALE,), UNKNOWN),
        (Verdict.BAD, (Cause.LINK_DOWN,), DOWN),
        (Verdict.BAD, (Cause.CONFIGURATION,), DOWN),
        (Verdict.BAD, (Cause.SPEED, Cause.DUPLEX), UP),
    ],
)
def test_what_counts_as_down(verdict: Verdict, causes: tuple[Cause, ...], state: int) -> None:
    assert state_of(verdict, sum(1 << cause for cause in causes)) == state


@given(SPANS, st.lists(st.integers(-5, 205), min_size=1, max_size=5))
def test_the_time_that_has_passed(spans: list[tuple[int, int]], moments: list[int]) -> None:
    time = Intervals.of(spans)
    passed = Passed(time)(np.array(moments, np.int64))
    assert passed.tolist() == [time.within(-10, moment).measure_ns for moment in moments]


@given(SPANS, CHANGES, st.integers(0, 250), st.integers(0, 60))
def test_time_in_each_state_is_that_of_a_count(
    spans: list[tuple[int, int]], changes: list[tuple[int, int]], now: int, onboarded: int
) -> None:
    window = Intervals.of(spans).within(0, 200)
    month = MonthToDate(
        start_ns=0, end_ns=200, windows=[Intervals(), window], window_of=np.array([1, 0])
    )
    month.begin(0, onboarded, UNKNOWN)
    changes = [change for change in sorted(changes, key=lambda one: one[0]) if change[0] <= now]
    for at, state in changes:
        month.change(0, at, state)
    expected = [0, 0, 0]
    state_at = UNKNOWN
    for moment in range(min(now, 200)):
        for at, state in changes:
            if at == moment or (moment == onboarded and at < onboarded):
                state_at = state
        if moment >= onboarded and moment in window:
            expected[state_at] += 1
    spent = month.spent(now)
    assert spent[:, 0].tolist() == expected
    assert spent[:, 1].tolist() == [0, 0, 0]
    known, covered = month.availability(now)
    up, down, unknown = expected
    assert known[0] == (up / (up + down)) if up + down else np.isnan(known[0])
    every = up + down + unknown
    assert covered[0] == ((up + down) / every) if every else np.isnan(covered[0])
