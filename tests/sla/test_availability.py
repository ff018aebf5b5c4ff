"""SLA.md 1: worked figures, and a state machine against a count second by second."""

from fractions import Fraction
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from controller.sla.availability import (
    Maintenance,
    Outage,
    approved,
    availability,
    unite,
    window,
)
from controller.sla.timeline import Sample, timeline
from tenone.calendar.intervals import HOUR_NS, SECOND_NS, Intervals
from tenone.vocabulary.states import Verdict

LONG = 220  # seconds a machine's day has


def hours(*parts: tuple[float, float]) -> Intervals:
    return Intervals.of((round(a * HOUR_NS), round(b * HOUR_NS)) for a, b in parts)


def test_total_maintenance_is_not_subtracted_from_total_downtime() -> None:
    # 10 h of service, 1 h down, another hour of maintenance in which nothing was down.
    # Downtime less maintenance would be 0 and A 100 %; it is 1 - 1/9.
    time = window(hours((0, 10)), now_ns=10 * HOUR_NS, maintenance=hours((4, 5)))
    found = availability(time, hours((1, 2)))
    assert found.ratio == 1 - Fraction(1, 9)


def test_an_open_outage_ends_now() -> None:
    now = 8 * HOUR_NS
    time = window(hours((0, 10)), now_ns=now)
    found = availability(time, unite([Outage(6 * HOUR_NS)], now))
    assert found.ratio == Fraction(6, 8)


def test_outages_that_overlap_count_once() -> None:
    now = 10 * HOUR_NS
    outages = [Outage(HOUR_NS, 3 * HOUR_NS), Outage(2 * HOUR_NS, 4 * HOUR_NS)]
    assert (
        availability(window(hours((0, 10)), now_ns=now), unite(outages, now)).down_ns == 3 * HOUR_NS
    )


def test_unknown_leaves_the_window_and_is_down_in_the_worst_case() -> None:
    time = window(hours((0, 10)), now_ns=10 * HOUR_NS, unknown=hours((0, 1)))
    found = availability(time, hours((2, 3)))
    assert (found.ratio, found.worst_ratio) == (Fraction(8, 9), Fraction(8, 10))
    assert found.coverage == Fraction(9, 10)
    assert found.refusal is not None
    assert "90.00 %" in found.refusal


def test_maintenance_is_in_neither_figure() -> None:
    # Down 2 to 4 with maintenance 3 to 5, unknown 8 to 9: A = 1 - 1/7, worst = 1 - 2/8.
    time = window(
        hours((0, 10)),
        now_ns=10 * HOUR_NS,
        maintenance=hours((3, 5)),
        unknown=hours((8, 9)),
    )
    found = availability(time, hours((2, 4)))
    assert (found.ratio, found.worst_ratio) == (1 - Fraction(1, 7), 1 - Fraction(2, 8))


def test_a_device_counts_from_its_onboarding() -> None:
    time = window(hours((0, 10)), now_ns=10 * HOUR_NS, onboarded_ns=6 * HOUR_NS)
    assert availability(time, hours((0, 7))).ratio == Fraction(3, 4)


def test_nothing_measured_is_no_percentage() -> None:
    for time in (
        window(Intervals(), now_ns=5),
        window(hours((0, 1)), now_ns=0),
        window(hours((0, 1)), now_ns=HOUR_NS, maintenance=hours((0, 1))),
    ):
        found = availability(time, hours((0, 1)))
        assert found.ratio is None
        assert found.worst_ratio is None
    assert availability(window(Intervals(), now_ns=5), hours()).refusal is not None


def test_work_counts_once_it_is_approved() -> None:
    works = [
        Maintenance(start_ns=0, end_ns=5, approved_by=None),
        Maintenance(start_ns=3, end_ns=9, approved_by="head"),
    ]
    assert approved(works) == Intervals.of([(3, 9)])


@pytest.mark.parametrize(
    ("outage", "now", "length"),
    [
        (Outage(10), 30, 20),
        (Outage(10, 20), 30, 10),
        (Outage(10, 20), 15, 5),
        (Outage(10, 4), 30, 0),  # its end was stamped by a clock that had stepped back
        (Outage(10), 4, 0),
    ],
)
def test_an_outage_is_never_negative(outage: Outage, now: int, length: int) -> None:
    assert outage.until(now).length_ns == length
    assert outage.until(now).end_ns >= outage.start_ns


class Day(RuleBasedStateMachine):
    """One link through a day of seconds; everything is also written down second by second."""

    second = st.integers(0, LONG)

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.samples: list[Sample] = []
        self.outages: list[Outage] = []
        self.works: list[Maintenance] = []
        self.service: list[tuple[int, int]] = []
        self.hold = 30
        self.onboarded: int | None = None

    @initialize(
        service=st.just([(0, LONG)]) | st.lists(st.tuples(second, second), max_size=4),
        hold=st.integers(1, 60),
        onboarded=st.none() | st.integers(0, LONG // 3),
    )
    def begin(self, service: list[tuple[int, int]], hold: int, onboarded: int | None) -> None:
        self.service, self.hold, self.onboarded = service, hold, onboarded

    @rule(seconds=st.integers(1, 60))
    def time_passes(self, seconds: int) -> None:
        self.now = min(LONG, self.now + seconds)

    @rule(seconds=st.integers(1, 40))
    def wall_clock_steps_back(self, seconds: int) -> None:
        self.now = max(0, self.now - seconds)

    @rule(verdict=st.sampled_from(list(Verdict)))
    def sampled(self, verdict: Verdict) -> None:
        self.samples.append(Sample(self.now * SECOND_NS, verdict))

    @rule(verdict=st.sampled_from(list(Verdict)), late=st.integers(1, 120))
    def sampled_late(self, verdict: Verdict, late: int) -> None:
        self.samples.append(Sample((self.now - late) * SECOND_NS, verdict))

    @rule(seed=st.integers(0, 2**16))
    def delivered_twice_and_shuffled(self, seed: int) -> None:
        before = self.judged()
        self.samples += self.samples[: len(self.samples) // 2]
        self.outages += self.outages[:2]
        Random(seed).shuffle(self.samples)
        Random(seed).shuffle(self.outages)
        assert self.judged() == before

    @rule()
    def goes_down(self) -> None:
        self.outages.append(Outage(self.now * SECOND_NS))

    @rule()
    def comes_back(self) -> None:
        # Stamped with whatever the wall clock says, also before the outage's own beginning.
        self.outages = [
            Outage(outage.start_ns, self.now * SECOND_NS) if outage.end_ns is None else outage
            for outage in self.outages
        ]

    @rule(start=second, length=st.integers(-5, 90), by=st.sampled_from([None, "head"]))
    def maintained(self, start: int, length: int, by: str | None) -> None:
        end = start + length
        work = Maintenance(start_ns=start * SECOND_NS, end_ns=end * SECOND_NS, approved_by=by)
        self.works.append(work)

    def judged(self) -> list[int]:
        now = self.now * SECOND_NS
        seen = timeline(
            self.samples,
            start_ns=0,
            end_ns=now,
            hold_ns=self.hold * SECOND_NS,
        )
        time = window(
            Intervals.of((a * SECOND_NS, b * SECOND_NS) for a, b in self.service),
            now_ns=now,
            maintenance=approved(self.works),
            unknown=seen.unknown,
            onboarded_ns=None if self.onboarded is None else self.onboarded * SECOND_NS,
        )
        found = availability(time, unite(self.outages, now) | seen.bad)
        known = found.coverage
        whole = time.service.measure_ns
        unknown = 0 if known is None else (1 - known) * whole
        figures = (
            found.measured_ns,
            found.down_ns,
            found.judged_ns,
            found.worst_ns,
            whole,
            int(unknown),
        )
        assert all(figure % SECOND_NS == 0 for figure in figures)
        return [figure // SECOND_NS for figure in figures]

    def said(self, second: int) -> Verdict:
        heard = [s for s in self.samples if s.at_ns <= second * SECOND_NS]
        heard = [s for s in heard if s.at_ns < self.now * SECOND_NS]
        if not heard:
            return Verdict.UNKNOWN
        newest = max(s.at_ns for s in heard)
        verdicts = {s.verdict for s in heard if s.at_ns == newest} - {Verdict.UNKNOWN}
        if second * SECOND_NS - newest >= self.hold * SECOND_NS or len(verdicts) != 1:
            return Verdict.UNKNOWN
        return verdicts.pop()

    @invariant()
    def equals_the_count_of_seconds(self) -> None:
        measured = down = judged = worst = whole = unknown = 0
        for second in range(self.now):
            moment = second * SECOND_NS
            if not any(a <= second < b for a, b in self.service):
                continue
            if self.onboarded is not None and second < self.onboarded:
                continue
            said = self.said(second)
            is_down = said is Verdict.BAD or any(
                outage.start_ns <= moment and (outage.end_ns is None or moment < outage.end_ns)
                for outage in self.outages
            )
            blind = said is Verdict.UNKNOWN
            whole += 1
            unknown += blind
            if any(w.approved_by and w.start_ns <= moment < w.end_ns for w in self.works):
                continue
            judged += 1
            worst += blind or is_down
            if not blind:
                measured += 1
                down += is_down
        assert self.judged() == [measured, down, judged, worst, whole, unknown]


def test_the_machine_equals_the_count() -> None:
    run_state_machine_as_test(
        Day, settings=settings(max_examples=150, stateful_step_count=20, deadline=None)
    )


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_machine_equals_the_count_ten_thousand_times() -> None:
    run_state_machine_as_test(
        Day, settings=settings(max_examples=10_000, stateful_step_count=20, deadline=None)
    )
