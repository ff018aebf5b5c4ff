"""SLA.md 11: derived thresholds, windows of service time, and when nothing can be decided."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.sla.burn import CALENDAR_MONTH, SCHOOL_MONTH, Alert, Burn, burn, burn_rate
from tenone.calendar.intervals import HOUR_NS, Intervals
from tenone.vocabulary.states import Verdict

SLO = Fraction(99, 100)


def test_worked_thresholds() -> None:
    month = [alert.threshold(720 * HOUR_NS) for alert in CALENDAR_MONTH]
    assert [float(threshold) for threshold in month] == [14.4, 6.0, 1.0]
    school = [alert.threshold(220 * HOUR_NS) for alert in SCHOOL_MONTH]
    assert [round(float(threshold), 2) for threshold in school] == [4.4, 1.83, 1.1]
    assert school[1] == Fraction(11, 6)


def test_the_short_window_is_a_twelfth() -> None:
    assert [alert.short_ns * 60 // HOUR_NS for alert in CALENDAR_MONTH] == [5, 30, 360]


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [(99, 1, Fraction(1)), (90, 10, Fraction(10)), (1, 0, Fraction(0)), (0, 0, None)],
)
def test_burn_rate(good: int, bad: int, expected: Fraction | None) -> None:
    assert burn_rate(good, bad, SLO) == expected


@pytest.mark.parametrize("objective", [Fraction(1), Fraction(-1, 9), Fraction(2)])
def test_an_objective_without_a_budget_is_refused(objective: Fraction) -> None:
    with pytest.raises(ValueError, match="budget"):
        burn_rate(1, 1, objective)


ALERT = Alert(120, Fraction(2, 100))  # short window 10; threshold 2 % of 24,000 / 120 = 4


def measure(service: Intervals, bad: Intervals, unknown: Intervals | None = None) -> Burn:
    unknown = unknown or Intervals()
    return burn(
        ALERT,
        good=service - bad - unknown,
        bad=bad - unknown,
        service=service,
        budget_window_ns=24_000,
        objective=SLO,
    )


DAYS = Intervals.of([(0, 100), (1000, 1100)])  # a night between them


@pytest.mark.parametrize(
    ("bad", "unknown", "verdict"),
    [
        ([], [], Verdict.GOOD),
        ([(1095, 1100)], [], Verdict.BAD),  # long 5/120, short 5/10
        ([(1050, 1060)], [], Verdict.GOOD),  # it is over: the short window is clean
        ([(1099, 1100)], [], Verdict.GOOD),  # the long window burns 0.83 only
        ([(90, 100), (1097, 1100)], [], Verdict.BAD),  # yesterday evening counts
        ([(1095, 1100)], [(1090, 1092)], Verdict.BAD),  # coverage 0.8 is enough
        ([(1095, 1100)], [(1090, 1093)], Verdict.UNKNOWN),
        ([], [(0, 1100)], Verdict.UNKNOWN),
    ],
)
def test_alert(
    bad: list[tuple[int, int]], unknown: list[tuple[int, int]], verdict: Verdict
) -> None:
    assert measure(DAYS, Intervals.of(bad), Intervals.of(unknown)).verdict is verdict


def test_exactly_the_threshold_is_not_above_it() -> None:
    # Bad for 4.8 of 120 with a budget of 1 %: exactly 4.
    alert = Alert(1200, Fraction(2, 100))
    service = Intervals.of([(0, 1200)])
    bad = Intervals.of([(1152, 1200)])
    found = burn(
        alert,
        good=service - bad,
        bad=bad,
        service=service,
        budget_window_ns=240_000,
        objective=SLO,
    )
    assert found.long_rate == found.threshold == 4
    assert found.verdict is Verdict.GOOD


def test_before_there_was_service_nothing_is_decided() -> None:
    assert measure(Intervals(), Intervals()).verdict is Verdict.UNKNOWN
    assert measure(Intervals.of([(0, 7)]), Intervals()).verdict is Verdict.UNKNOWN
    assert measure(Intervals.of([(0, 8)]), Intervals()).verdict is Verdict.GOOD


def test_good_and_bad_at_once_is_refused() -> None:
    time = Intervals.of([(0, 10)])
    with pytest.raises(ValueError, match="good and bad"):
        burn(ALERT, good=time, bad=time, service=time, budget_window_ns=1, objective=SLO)


states = st.lists(st.sampled_from(["good", "bad", "unknown", "closed"]), max_size=300)


@given(states)
def test_against_every_moment(day: list[str]) -> None:
    def parts(wanted: str) -> Intervals:
        return Intervals.of((at, at + 1) for at, state in enumerate(day) if state == wanted)

    service = parts("good") | parts("bad") | parts("unknown")
    found = measure(service, parts("bad"), parts("unknown"))
    open_moments = [state for state in day if state != "closed"]
    for length, rate in ((120, found.long_rate), (10, found.short_rate)):
        newest = open_moments[-length:]
        good, bad = newest.count("good"), newest.count("bad")
        assert rate == (Fraction(bad, good + bad) * 100 if good + bad else None)
    known = sum(state != "unknown" for state in open_moments[-10:])
    assert (found.verdict is Verdict.UNKNOWN) == (known < 8)
    if known >= 8:
        assert found.long_rate is not None
        assert found.short_rate is not None
        stands = found.long_rate > 4 and found.short_rate > 4
        assert found.verdict is (Verdict.BAD if stands else Verdict.GOOD)
