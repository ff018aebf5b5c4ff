"""The rules of incidents one by one, then all of them against a brute-force statement."""

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.incidents.acts import resolve
from controller.incidents.model import DEADLY, Act, Fact, State, Subject, Timing
from controller.incidents.parents import Groups, PlanParents
from tenone.vocabulary.states import Cause, Severity, Verdict

from .conftest import (
    AGENT,
    C1,
    C2,
    C3,
    CORE,
    EDGE,
    SUBJECTS,
    T0,
    UP,
    Bench,
    S,
    bad,
    everybody,
    good,
    plan,
    unknown,
)


def test_critical_opens_at_once_and_a_warning_after_its_hold(bench: Bench) -> None:
    bench.at(1, bad(C1, 0.5), bad(C2, 0.5, Cause.SPEED, Severity.WARNING))
    assert set(bench.open()) == {C1}
    bench.at(10.4)
    assert set(bench.open()) == {C1}
    bench.at(10.6)
    assert set(bench.open()) == {C1, C2}
    assert bench.acts(C1) == [Act.OPENED, Act.ALARMED]


def test_a_hold_of_its_own_for_a_cause() -> None:
    bench = Bench(timing=Timing(holds={Cause.AGENT_SILENT: 30.0}))
    bench.at(1, bad(AGENT, 0))
    bench.at(29)
    assert not bench.open()
    bench.at(30)
    assert set(bench.open()) == {AGENT}


def test_evidence_closes_it_after_being_good_for_long_enough(bench: Bench) -> None:
    bench.at(1, bad(C1, 0))
    bench.at(20, good(C1, 20))
    bench.at(49)
    assert bench.open()[C1].clearing_ns == T0 + 20 * S
    bench.at(51)
    assert not bench.open()
    (incident,) = bench.said.values()
    assert (incident.state, incident.resolved_ns) == (State.RESOLVED, T0 + 50 * S)
    assert incident.resolved_by == ""


def test_unknown_closes_nothing(bench: Bench) -> None:
    bench.at(1, bad(C1, 0))
    bench.at(10, good(C1, 10))
    bench.at(20, unknown(C1, 20))
    bench.at(5000)
    assert set(bench.open()) == {C1}
    bench.at(5001, good(C1, 5001))
    bench.at(5030)
    assert set(bench.open()) == {C1}
    bench.at(5031)
    assert not bench.open()


def test_a_silent_gateway_is_one_incident(bench: Bench) -> None:
    bench.at(1, bad(AGENT, 0), *(unknown(one, 0) for one in (UP, C1, C2, C3)))
    bench.at(100)
    assert set(bench.open()) == {AGENT}


def test_a_dead_uplink_owns_its_children_and_they_come_back_by_themselves(bench: Bench) -> None:
    bench.at(1, bad(C1, 0.2), bad(C2, 0.2), bad(UP, 0.4))
    assert set(bench.open()) == {UP}
    assert bench.open()[UP].shadowed == {str(C1), str(C2)}
    bench.at(100)
    assert set(bench.open()) == {UP}
    bench.at(101, good(UP, 101))
    bench.at(120, good(C1, 120), good(C2, 120))
    bench.at(300)
    assert not bench.open()
    assert [event.act for event in bench.events].count(Act.ALARMED) == 1


def test_a_child_that_stays_bad_after_its_parent_alarms_after_a_while(bench: Bench) -> None:
    bench.at(1, bad(UP, 0), bad(C1, 0))
    bench.at(101, good(UP, 101))
    bench.at(130)
    assert set(bench.open()) == {UP}
    bench.at(132)
    assert set(bench.open()) == {C1}


def test_a_slow_uplink_owns_nothing(bench: Bench) -> None:
    bench.at(1, bad(UP, 0, Cause.SPEED), bad(C1, 0))
    bench.at(30)
    assert set(bench.open()) == {UP, C1}


def test_a_parent_is_asked_for_before_its_child_is_blamed() -> None:
    bench = Bench()
    power = Subject.power("no1", "u1")
    bench.at(1, bad(C1, 0), witness=lambda _subject: T0 - S)
    assert not bench.open()
    assert bench.engine.waiting() == {CORE, UP, power}
    bench.at(
        8, bad(UP, 8), witness=dict.fromkeys((CORE, power), T0 + 8 * S).get
    )  # it had died between two polls
    assert set(bench.open()) == {UP}
    assert bench.open()[UP].shadowed == {str(C1)}


def test_the_power_is_asked_before_what_went_dark_is_told_of() -> None:
    """Else the classes alarm before the battery is read, which may be a minute later."""
    bench = Bench()
    power = Subject.power("no1", "u1")
    seen = dict.fromkeys((UP, CORE, EDGE), T0 + 2 * S)
    bench.at(1, bad(C1, 0), bad(C2, 0, Cause.SPEED), witness=seen.get)
    assert power in bench.engine.waiting()
    bench.at(12, witness=seen.get)
    assert set(bench.open()) == {C2}, "a slow link has its power"
    bench.at(
        13,
        bad(power, 13, Cause.POWER, Severity.WARNING),
        bad(C1, 13, Cause.POWER),
        witness=seen.get,
    )
    assert set(bench.open()) == {C2}
    bench.at(23, witness=seen.get)
    assert set(bench.open()) == {C2, power}
    assert bench.open()[power].shadowed == {str(C1)}
    assert bench.acts(C1) == []


def test_the_wait_for_a_parent_is_bounded() -> None:
    bench = Bench()
    bench.at(1, bad(C1, 0), witness=lambda _subject: None)
    bench.at(14, witness=lambda _subject: None)
    assert not bench.open()
    bench.at(15, witness=lambda _subject: None)
    assert set(bench.open()) == {C1}
    assert not bench.engine.waiting()


def test_an_alarm_that_was_given_is_not_taken_back_by_a_parent(bench: Bench) -> None:
    bench.at(1, bad(C1, 0))
    bench.at(60, bad(UP, 60))
    assert set(bench.open()) == {C1, UP}
    incident = bench.open()[C1]
    assert incident.owner == bench.open()[UP].id
    assert incident.alarmed_ns is not None
    bench.at(70, good(UP, 70))
    assert not bench.open()[C1].owner
    assert bench.acts(C1) == [Act.OPENED, Act.ALARMED, Act.SHADOWED, Act.RELEASED]


def test_flapping_is_one_incident_with_a_count_that_stays_open(bench: Bench) -> None:
    facts = [fact for n in range(6) for fact in (bad(C1, 40 * n), good(C1, 40 * n + 3))]
    bench.run(facts, 240, witness=everybody)
    incident = bench.open()[C1]
    assert incident.count == 6
    assert [event.act for event in bench.events].count(Act.ALARMED) == 1
    bench.run([], 202 + 600, start=241)
    assert set(bench.open()) == {C1}
    bench.run([], 203 + 600, start=803)
    assert not bench.open()


def test_short_faults_open_when_there_are_too_many(bench: Bench) -> None:
    facts = [
        fact
        for n in range(3)
        for fact in (bad(C1, 20 * n, Cause.SPEED, Severity.WARNING), good(C1, 20 * n + 2))
    ]
    bench.run(facts, 30, witness=everybody)
    assert not bench.open()
    bench.run(facts, 42, start=31, witness=everybody)
    assert bench.open()[C1].count == 3


def test_trouble_that_returns_soon_reopens_the_same_incident(bench: Bench) -> None:
    bench.at(1, bad(C1, 0))
    bench.at(10, good(C1, 10))
    bench.at(60)
    bench.at(100, bad(C1, 100))
    (incident,) = bench.said.values()
    assert (incident.is_open, incident.count) == (True, 2)
    assert bench.acts(C1).count(Act.ALARMED) == 1
    bench.at(110, good(C1, 110))
    bench.at(200)
    bench.at(200 + 1900)
    bench.at(2101)
    bench.at(2200, bad(C1, 2200))
    assert len(bench.said) == 2
    assert len(bench.open()) == 1


def test_a_maintenance_holds_the_alarm_back_while_it_lasts_and_no_longer(bench: Bench) -> None:
    window = bench.window(0, 60, link="no1/c1")
    bench.at(5, bad(C1, 5), bad(C2, 5))
    assert bench.open()[C1].maintenance == window.id
    assert bench.open()[C1].alarmed_ns is None
    assert bench.open()[C2].alarmed_ns is not None
    bench.at(59)
    assert bench.open()[C1].alarmed_ns is None
    bench.at(60)
    assert bench.open()[C1].alarmed_ns == T0 + 60 * S
    assert Act.OUTLASTED in bench.acts(C1)


def test_evidence_decides_whether_a_resolution_by_hand_stays(bench: Bench) -> None:
    bench.at(1, bad(C1, 0))
    incident = bench.open()[C1]
    incident.state, incident.resolved_ns, incident.resolved_by = State.RESOLVED, T0 + 5 * S, "Li"
    bench.at(64)
    assert not bench.open()
    bench.at(65)
    assert incident.is_open
    assert incident.count == 1


def test_a_cause_that_changes_is_the_same_incident(bench: Bench) -> None:
    bench.at(1, bad(C1, 0, Cause.SPEED, Severity.WARNING, speed_mbps=100))
    bench.at(11)
    bench.at(20, bad(C1, 20))
    incident = bench.open()[C1]
    assert (incident.cause, incident.severity) == (Cause.LINK_DOWN, Severity.CRITICAL)
    assert bench.acts(C1) == [Act.OPENED, Act.ALARMED, Act.CAUSE, Act.SEVERITY]


@pytest.mark.parametrize("echo", [Cause.LOSS, Cause.ERRORS, Cause.UPLINK])
def test_an_echo_or_a_parent_does_not_rename_it(bench: Bench, echo: Cause) -> None:
    bench.at(1, bad(C1, 0))
    bench.at(20, bad(C1, 20, echo, Severity.WARNING))
    assert bench.open()[C1].cause is Cause.LINK_DOWN
    bench.at(40, bad(C1, 40, Cause.CONFIGURATION, Severity.WARNING))
    assert bench.open()[C1].cause is Cause.CONFIGURATION


def test_late_and_doubled_facts_change_nothing(bench: Bench) -> None:
    bench.at(10, bad(C1, 9))
    before = list(bench.events)
    bench.at(11, bad(C1, 9), good(C1, 3))
    assert bench.events == before
    assert bench.engine.late == 1


def test_time_that_steps_back_undoes_nothing(bench: Bench) -> None:
    bench.at(100, bad(C1, 99))
    bench.at(5)
    assert set(bench.open()) == {C1}
    assert bench.open()[C1].opened_ns == T0 + 100 * S - 1  # the end of the fact's own second


# -- all rules at once ------------------------------------------------------------

TIMING = Timing(
    hold_seconds=4,
    clear_seconds=6,
    reopen_seconds=40,
    flap_window_seconds=30,
    flap_clear_seconds=20,
    recheck_seconds=5,
    settle_seconds=8,
    verify_seconds=10,
)
LONGEST = 60
STEPS = st.lists(
    st.tuples(
        st.integers(0, 80),
        st.sampled_from(SUBJECTS),
        st.sampled_from((Verdict.GOOD, Verdict.BAD, Verdict.BAD, Verdict.UNKNOWN)),
        st.sampled_from((Cause.LINK_DOWN, Cause.SPEED)),
    ),
    max_size=40,
)


def facts_of(steps: Sequence[tuple[int, Subject, Verdict, Cause]]) -> list[Fact]:
    """One fact a subject and second, so that every order tells the same story."""
    found: dict[tuple[int, Subject], Fact] = {}
    for second, subject, verdict, cause in steps:
        if verdict is Verdict.BAD:
            why = cause if subject.link_id else None
            grave = Severity.WARNING if why is Cause.SPEED else Severity.CRITICAL
            fact = bad(subject, second, why, grave)
        else:
            fact = (good if verdict is Verdict.GOOD else unknown)(subject, second)
        found[second, subject] = fact
    return sorted(found.values(), key=lambda fact: fact.rank)


class Truth:
    """What the facts say, asked moment by moment and nothing kept."""

    def __init__(self, facts: Sequence[Fact], bench: Bench) -> None:
        self._facts = facts
        self._bench = bench
        self._parents = PlanParents(plan())

    def fact(self, subject: Subject, second: int, *, definite: bool) -> Fact | None:
        mine = [
            fact
            for fact in self._facts
            if fact.subject == subject
            and fact.at_ns <= T0 + second * S
            and not (definite and fact.verdict is Verdict.UNKNOWN)
        ]
        return mine[-1] if mine else None

    def is_bad(self, subject: Subject, second: int) -> bool:
        fact = self.fact(subject, second, definite=True)
        return fact is not None and fact.verdict is Verdict.BAD

    def is_good(self, subject: Subject, second: int) -> bool:
        fact = self.fact(subject, second, definite=False)
        return fact is not None and fact.verdict is Verdict.GOOD

    def is_dead(self, subject: Subject, second: int) -> bool:
        """Dead in plain sight, or dead when last seen and standing open."""
        fact = self.fact(subject, second, definite=True)
        if fact is None or fact.verdict is not Verdict.BAD or fact.cause not in DEADLY:
            return False
        return fact == self.fact(subject, second, definite=False) or self.stood(subject, second)

    def stood(self, subject: Subject, second: int) -> bool:
        turns = {Act.OPENED: True, Act.REOPENED: True, Act.RESOLVED: False}
        said = [
            turns[event.act]
            for event in self._bench.events
            if event.act in turns
            and self._bench.said[event.incident].subject == subject
            and event.at_ns < T0 + (second + 1) * S
        ]
        return bool(said) and said[-1]

    def cut_off(self, subject: Subject, second: int) -> bool:
        groups = self._parents.of(subject)
        return any(all(self.is_dead(one, second) for one in group) for group in groups)


Steps = list[tuple[int, Subject, Verdict, Cause]]


@settings(deadline=None)
@given(STEPS)
def test_all_rules_hold_whatever_happens(steps: Steps) -> None:
    all_rules_hold(steps)


@pytest.mark.slow
@settings(deadline=None, max_examples=10_000)
@given(STEPS)
def test_all_rules_hold_ten_thousand_times(steps: Steps) -> None:
    all_rules_hold(steps)


def all_rules_hold(steps: Steps) -> None:
    facts = facts_of(steps)
    bench = Bench(timing=TIMING)
    truth = Truth(facts, bench)
    end = 80 + LONGEST
    bench.run(facts, end)
    subject_of = {one.id: one.subject for one in bench.said.values()}

    for event in bench.events:
        subject, second = subject_of[event.incident], (event.at_ns - T0) // S
        if event.act is Act.ALARMED:  # children of what is dead: alarmed 0
            assert not truth.cut_off(subject, second)
            assert truth.is_bad(subject, second)
        if event.act in {Act.OPENED, Act.REOPENED}:
            assert truth.is_bad(subject, second)
            assert not truth.cut_off(subject, second)
        if event.act is Act.RESOLVED:  # only after unbroken good evidence
            assert all(truth.is_good(subject, one) for one in range(second - 6, second + 1))

    open_now = bench.open()
    shadowed = [name for one in open_now.values() for name in one.shadowed]
    for subject in SUBJECTS:
        if truth.is_bad(subject, end) and truth.fact(subject, end, definite=False) in facts:
            newest = truth.fact(subject, end, definite=False)
            assert newest is not None
            covered = (subject in open_now) + shadowed.count(str(subject))
            if newest.verdict is Verdict.BAD or truth.cut_off(subject, end):
                assert covered == 1, subject  # exactly one open incident covers it
            else:
                assert covered <= 1  # bad, then unseen before it could open
        elif truth.is_good(subject, end):
            assert subject not in open_now
            assert str(subject) not in shadowed


@settings(deadline=None)
@given(STEPS, st.randoms(use_true_random=False))
def test_order_and_doubles_change_nothing(steps: Steps, chance: random.Random) -> None:
    order_changes_nothing(steps, chance)


@pytest.mark.slow
@settings(deadline=None, max_examples=10_000)
@given(STEPS, st.randoms(use_true_random=False))
def test_order_and_doubles_change_nothing_ten_thousand_times(
    steps: Steps, chance: random.Random
) -> None:
    order_changes_nothing(steps, chance)


def order_changes_nothing(steps: Steps, chance: random.Random) -> None:
    facts = facts_of(steps)
    moments = [20, 50, 90, 90 + LONGEST]
    straight, shaken = Bench(timing=TIMING), Bench(timing=TIMING)
    for before, now in pairwise([-1, *moments]):
        due = [fact for fact in facts if T0 + before * S < fact.at_ns <= T0 + now * S]
        straight.at(now, *due)
        again = [*due, *chance.choices(due or [good(C1, -1)], k=5), *facts[:3]]
        again = [fact for fact in again if fact.at_ns <= T0 + now * S]
        chance.shuffle(again)
        shaken.at(now, *again)
    assert shaken.events == straight.events
    assert shaken.engine.incidents == straight.engine.incidents


@pytest.mark.parametrize("subject", [C1, C2, C3])
def test_children_of_a_dead_uplink_alarm_never(subject: Subject, bench: Bench) -> None:
    """However the child's trouble lies in the time in which the uplink is dead."""
    for begin in range(0, 100, 7):
        bench = Bench()
        bench.run(
            [bad(UP, 0), bad(subject, begin), good(subject, 110), good(UP, 105)],
            200,
            witness=everybody,
        )
        alarmed = [one.subject for one in bench.said.values() if one.alarmed_ns]
        assert alarmed == [UP]


class CountedParents(PlanParents):
    """Notes how often it is asked."""

    asked = 0

    def of(self, subject: Subject) -> Groups:
        self.asked += 1
        return super().of(subject)


def test_what_nothing_happened_to_costs_no_question() -> None:
    parents = CountedParents(plan())
    bench = Bench(parents=parents)
    bench.at(1, *(bad(one, 0.5, Cause.SPEED, Severity.WARNING) for one in (C1, C2, C3)))
    bench.at(20)
    assert set(bench.open()) == {C1, C2, C3}
    parents.asked = 0
    for second in range(21, 100):
        bench.at(second)
        bench.engine.waiting()
    assert parents.asked == 0


def blink(subject: Subject, at: float) -> Fact:
    return replace(good(subject, at), blinked=True)


def test_one_short_break_is_no_incident_and_three_in_the_window_are_one(bench: Bench) -> None:
    bench.at(5, blink(C1, 4))
    bench.at(100)
    bench.at(205, blink(C1, 204))
    assert not bench.said
    bench.at(405, blink(C1, 404))
    incident = bench.open()[C1]
    assert (incident.cause, incident.severity) == (Cause.LINK_DOWN, Severity.WARNING)
    assert incident.count == 3
    bench.at(505, blink(C1, 504))
    assert bench.open()[C1].count == 4
    assert bench.acts(C1) == [Act.OPENED, Act.ALARMED, Act.RETURNED]
    bench.at(1103)
    assert set(bench.open()) == {C1}
    bench.at(1105)
    assert not bench.open()
    bench.at(1200, blink(C1, 1199))
    assert not bench.open()


def test_short_breaks_too_far_apart_stay_untold(bench: Bench) -> None:
    for second in range(1, 5000, 301):
        bench.at(second, blink(C1, second - 0.5))
    assert not bench.said


def test_breaks_seen_and_unseen_count_together(bench: Bench) -> None:
    bench.at(1, bad(C1, 0.9, Cause.LINK_DOWN, Severity.WARNING))
    bench.at(5, good(C1, 4.5))
    bench.at(105, blink(C1, 104))
    assert not bench.said
    bench.at(205, blink(C1, 204))
    assert bench.open()[C1].count == 3


def test_what_a_person_closed_reopens_only_by_a_new_break(bench: Bench) -> None:
    for second in (5, 25, 45):
        bench.at(second, blink(C1, second - 1))
    incident = bench.open()[C1]
    resolve(incident, who="Li", at_ns=T0 + 60 * S, version=None, reason="new cord")
    bench.at(61)
    bench.at(200)
    assert not bench.open()
    bench.at(205, blink(C1, 204))
    assert bench.open()[C1].count == 4
