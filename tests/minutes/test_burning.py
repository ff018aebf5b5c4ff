"""Burn rates of many schools against the definition over interval sets."""

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.minutes.burning import REACH, Burning
from controller.minutes.count import Counts
from controller.sla.burn import SCHOOL_MONTH, burn
from tenone.calendar.intervals import HOUR_NS, MINUTE_NS, Intervals
from tenone.vocabulary.states import Verdict

BUDGET_MINUTES = 220 * 60
OBJECTIVE = 0.99


def counts(state: Verdict) -> Counts:
    one = Counts.zero(2)
    match state:
        case Verdict.GOOD:
            one.good[1] = 1
        case Verdict.BAD:
            one.bad[1, 4] = 1
        case Verdict.UNKNOWN:
            one.unknown[1] = 1
    return one


MINUTES = st.lists(
    st.tuples(st.sampled_from(list(Verdict)), st.integers(1, 700)), min_size=1, max_size=5
)


@settings(max_examples=20, deadline=None)
@given(MINUTES)
def test_rates_are_those_of_the_definition(runs: list[tuple[Verdict, int]]) -> None:
    burning = Burning(np.array([OBJECTIVE, OBJECTIVE]))
    minutes = [state for state, length in runs for _ in range(length)]
    taught = np.array([False, True])
    for state in minutes:
        burning.add(counts(state), taught)
    sets = {
        verdict: Intervals.of(
            (n * MINUTE_NS, (n + 1) * MINUTE_NS)
            for n, state in enumerate(minutes)
            if state is verdict
        )
        for verdict in Verdict
    }
    service = Intervals.of([(0, len(minutes) * MINUTE_NS)])
    for rates, alert in zip(
        burning.rates(np.array([BUDGET_MINUTES, BUDGET_MINUTES])), SCHOOL_MONTH, strict=True
    ):
        expected = burn(
            alert,
            good=sets[Verdict.GOOD],
            bad=sets[Verdict.BAD],
            service=service,
            budget_window_ns=220 * HOUR_NS,
            objective=Fraction(99, 100),
        )
        assert np.isnan(rates.long[0])
        assert rates.verdict[0] == Verdict.UNKNOWN
        assert np.isclose(rates.threshold[1], float(expected.threshold))
        for mine, theirs in ((rates.long, expected.long_rate), (rates.short, expected.short_rate)):
            assert np.isnan(mine[1]) if theirs is None else np.isclose(mine[1], float(theirs))
        assert rates.verdict[1] == expected.verdict


def test_one_bad_minute_after_a_start_wakes_nobody() -> None:
    burning = Burning(np.array([OBJECTIVE, OBJECTIVE]))
    taught = np.array([False, True])
    for expected in (Verdict.UNKNOWN,) * 3 + (Verdict.BAD,):
        burning.add(counts(Verdict.BAD), taught)
        hour, *longer = burning.rates(np.array([BUDGET_MINUTES, BUDGET_MINUTES]))
        assert hour.verdict[1] == expected, "its short window is five minutes"
        assert [one.verdict[1] for one in longer] == [Verdict.UNKNOWN] * 2


def test_the_thresholds_of_a_school_month() -> None:
    rates = Burning(np.array([OBJECTIVE])).rates(np.array([BUDGET_MINUTES]))
    assert [round(float(one.threshold[0]), 2) for one in rates] == [4.4, 1.83, 1.1]
    assert REACH == 40 * 60


def test_what_is_older_than_the_longest_window_counts_no_more() -> None:
    burning = Burning(np.array([OBJECTIVE, OBJECTIVE]))
    taught = np.array([False, True])
    budget = np.array([BUDGET_MINUTES, BUDGET_MINUTES])
    for state, minutes in ((Verdict.BAD, 2 * REACH + 7), (Verdict.GOOD, REACH - 1)):
        for _ in range(minutes):
            burning.add(counts(state), taught)
    assert np.isclose(burning.rates(budget)[-1].long[1], 1 / REACH / 0.01)
    burning.add(counts(Verdict.GOOD), taught)
    assert [one.long[1] for one in burning.rates(budget)] == [0, 0, 0]
