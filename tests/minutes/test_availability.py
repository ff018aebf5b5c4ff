"""Availability to date against the definition, over random months."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.minutes.availability import DOWN, UNKNOWN, UP, MonthToDate, Passed, states_of
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
    mask = sum(1 << cause for cause in causes)
    assert states_of(np.array([verdict], np.int8), np.array([mask], np.uint64)).tolist() == [state]


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
    month.begin(np.array([onboarded, 0]), np.array([UNKNOWN, UNKNOWN], np.int8))
    changes = [change for change in sorted(changes, key=lambda one: one[0]) if change[0] <= now]
    month.change(
        np.zeros(len(changes), np.int64),
        np.array([at for at, _ in changes], np.int64),
        np.array([state for _, state in changes], np.int8),
    )
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


def test_a_batch_is_its_changes_one_after_the_other() -> None:
    window = [Intervals.of([(0, 100)]), Intervals.of([(50, 100)])]
    changes = [(0, 10, DOWN), (1, 60, DOWN), (0, 20, UP), (0, 15, UNKNOWN), (1, 70, UP)]

    def fresh() -> MonthToDate:
        month = MonthToDate(start_ns=0, end_ns=100, windows=window, window_of=np.array([0, 1]))
        month.begin(np.zeros(2, np.int64), np.full(2, UP, np.int8))
        return month

    together, apart = fresh(), fresh()
    columns = [np.array(column) for column in zip(*changes, strict=True)]
    together.change(columns[0], columns[1], columns[2].astype(np.int8))
    for link, at, state in changes:
        apart.change(np.array([link]), np.array([at]), np.array([state], np.int8))
    assert together.spent(100).tolist() == apart.spent(100).tolist()
    assert together.spent(100).tolist() == [[10, 40], [10, 10], [80, 0]]
