"""What TenOne itself darkens is not told; what stays, or began before, or is another's, is."""

import random
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.incidents.mending import Mending, Repair
from controller.incidents.model import DEADLY, Act, Fact, Subject, Timing
from controller.incidents.mute import nobody
from controller.incidents.parents import PlanParents
from tenone.vocabulary.states import Cause, Severity, Verdict

from .conftest import (
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

WARN = Severity.WARNING


def slow(subject: Subject, at: float) -> Fact:
    return bad(subject, at, Cause.SPEED, WARN, speed_mbps=100)


def blink(subject: Subject, at: float) -> Fact:
    return replace(good(subject, at), blinked=True)


def causes(bench: Bench, subject: Subject) -> list[object]:
    """What the incidents of a subject were called, one after the other."""
    ids = {one.id for one in bench.said.values() if one.subject == subject}
    return [
        event.fields["cause" if event.act is Act.OPENED else "now"]
        for event in bench.events
        if event.incident in ids and event.act in {Act.OPENED, Act.CAUSE}
    ]


# -- one rule at a time: a slow link is repaired from 20 to 30 s ----------------------

COURSES: dict[str, tuple[list[Fact], list[str], int]] = {
    "it helps": ([bad(C1, 22), good(C1, 26)], ["speed"], 1),
    "it is put back": ([bad(C1, 22), slow(C1, 26)], ["speed"], 1),
    "it is put back, unseen for a moment": (
        [bad(C1, 22), unknown(C1, 24), slow(C1, 26)], ["speed"], 1,
    ),
    "dark, shut, dark, good": (
        [bad(C1, 21), bad(C1, 22, Cause.CONFIGURATION), bad(C1, 24), good(C1, 27)], ["speed"], 1,
    ),
    "a break between two polls": ([blink(C1, 25), good(C1, 26)], ["speed"], 1),
    "dark, and good at a look that knows of the break": (
        [bad(C1, 22), blink(C1, 26)], ["speed"], 1,
    ),
    "the port needs a moment after the end": ([bad(C1, 29), good(C1, 34.5)], ["speed"], 1),
    "the cable is pulled meanwhile": ([bad(C1, 22)], ["speed", "link-down"], 1),
    "it is cured, then the cable is pulled, still in it": (
        [bad(C1, 22), good(C1, 25), bad(C1, 28)], ["speed", "link-down"], 2,
    ),
    "the cable is pulled after it": ([bad(C1, 22), good(C1, 25), bad(C1, 40)],
                                     ["speed", "link-down"], 2),
}  # fmt: skip


@pytest.mark.parametrize("course", COURSES)
def test_a_slow_link_is_repaired(course: str) -> None:
    facts, told, count = COURSES[course]
    bench = Bench()
    bench.repair(20, 30, C1)
    bench.run([slow(C1, 1), *facts], 45, witness=everybody)
    assert causes(bench, C1) == told
    (incident,) = bench.said.values()
    assert incident.count == count
    grave = Severity.CRITICAL if "link-down" in told else WARN
    assert incident.severity is grave
    assert bench.acts(C1).count(Act.ALARMED) == 1
    assert bench.acts(C1).count(Act.UNDER_REPAIR) == 1
    assert bench.acts(C1).count(Act.REPAIR_OVER) == 1


def test_a_well_link_that_is_measured_has_no_incident(bench: Bench) -> None:
    bench.repair(20, 30, C1)
    bench.run([bad(C1, 22), good(C1, 31)], 700, witness=everybody)
    assert not bench.said


def test_a_fault_that_begins_in_a_repair_is_told_afterwards_from_its_beginning(
    bench: Bench,
) -> None:
    bench.repair(20, 30, C1)
    bench.run([bad(C1, 22.5)], 34, witness=everybody)
    assert not bench.said
    bench.run([], 36, start=35, witness=everybody)
    incident = bench.open()[C1]
    assert incident.began_ns == T0 + round(22.5 * S)
    assert incident.opened_ns == incident.alarmed_ns == T0 + 35 * S
    assert not incident.repair


def test_one_that_went_out_of_sight_meanwhile_is_told_when_it_is_seen_again(bench: Bench) -> None:
    bench.repair(20, 30, C1)
    bench.run([bad(C1, 22), unknown(C1, 25)], 60, witness=everybody)
    assert not bench.said
    bench.run([bad(C1, 61)], 62, start=61, witness=everybody)
    assert bench.open()[C1].began_ns == T0 + 22 * S


def test_what_was_bad_before_is_told_all_the_same(bench: Bench) -> None:
    bench.repair(20, 30, C1)
    bench.run([slow(C1, 15), slow(C1, 22)], 27, witness=everybody)
    assert bench.open()[C1].repair == "a-0"
    assert causes(bench, C1) == ["speed"]


def test_others_on_the_switch_are_not_muted(bench: Bench) -> None:
    bench.repair(20, 30, C2)
    bench.run([bad(C2, 22), bad(C3, 22), bad(C1, 22)], 28, witness=everybody)
    assert set(bench.open()) == {C3, C1}


def test_an_action_at_the_switch_as_a_whole_mutes_it_and_its_links(bench: Bench) -> None:
    bench.repair(20, 30, EDGE, C2, C3)
    bench.run(
        [bad(EDGE, 22), unknown(C2, 22), bad(C1, 22), good(EDGE, 27), good(C2, 28)],
        60,
        witness=everybody,
    )
    assert set(bench.open()) == {C1}


def test_one_that_never_ends_mutes_nothing_for_ever_and_says_so(bench: Bench) -> None:
    bench.repair(20, None, C1, longest=60)
    bench.run([slow(C1, 1), bad(C1, 22)], 84, witness=everybody)
    assert causes(bench, C1) == ["speed"]
    bench.run([], 86, start=85, witness=everybody)
    assert causes(bench, C1) == ["speed", "link-down"]
    assert bench.acts(C1)[-3:] == [Act.CAUSE, Act.SEVERITY, Act.REPAIR_OVERDUE]
    assert not bench.open()[C1].repair


def test_children_of_what_is_darkened_are_not_alarmed(bench: Bench) -> None:
    bench.repair(20, 30, UP)
    facts = [bad(UP, 22), bad(EDGE, 24), bad(C1, 25), good(UP, 28), good(EDGE, 40), good(C1, 41)]
    bench.run(facts, 700, witness=everybody)
    assert not bench.said


def test_children_lie_behind_it_where_it_stays(bench: Bench) -> None:
    bench.repair(20, 30, UP)
    bench.run([bad(UP, 22), bad(EDGE, 24), bad(C1, 25)], 700, witness=everybody)
    assert set(bench.open()) == {UP}
    assert bench.open()[UP].shadowed == {str(EDGE), str(C1)}
    assert bench.acts(EDGE) == bench.acts(C1) == []


def test_nothing_closes_while_it_is_dark_under_our_hands(bench: Bench) -> None:
    """A cable is measured while its incident clears: the good that counts begins after it."""
    bench.repair(20, 100, C1)
    bench.run([slow(C1, 1), good(C1, 15), bad(C1, 21), good(C1, 102)], 131, witness=everybody)
    assert set(bench.open()) == {C1}
    bench.run([], 133, start=132, witness=everybody)
    assert not bench.open()
    assert bench.acts(C1)[-1] is Act.RESOLVED


def test_of_two_actions_the_longer_one_counts() -> None:
    mending = Mending()
    one = Repair(
        action="a", intent="x", touched=frozenset({C1}), begun_ns=0, ended_ns=3, longest_ns=9,
        settle_ns=2,
    )  # fmt: skip
    mending.under_way([one, replace(one, action="b", ended_ns=None)])
    assert [
        None if (found := mending.over(C1, at)) is None else found.action for at in (-1, 0, 10, 11)
    ] == [None, "b", "b", None]
    assert mending.has_no_end("b")
    assert not mending.has_no_end("a")
    assert one.moved(7).holds(7)
    assert not one.moved(7).holds(6)


def test_action_after_action_mutes_nothing_for_ever(bench: Bench) -> None:
    for begun in range(20, 2000, 50):
        bench.repair(begun, begun + 48, C1)
    bench.run([bad(C1, 22)], 621, witness=everybody)
    assert not bench.said
    bench.run([], 623, start=622, witness=everybody)
    assert bench.open()[C1].began_ns == T0 + 22 * S


def test_the_newest_cable_test_stays_with_the_incident(bench: Bench) -> None:
    bench.repair(20, 30, C1)
    bench.repairs[0] = replace(bench.repairs[0], cable="[1]")
    bench.repairs.append(replace(bench.repairs[0], action="older", begun_ns=T0, cable="[0]"))
    bench.run([slow(C1, 1)], 40, witness=everybody)
    assert bench.open()[C1].cable == "[1]"
    bench.repairs.clear()
    bench.run([], 50, start=41, witness=everybody)
    assert bench.open()[C1].cable == "[1]"


# -- all rules at once, with repairs --------------------------------------------------

TIMING = Timing(
    hold_seconds=4,
    clear_seconds=6,
    reopen_seconds=40,
    flap_window_seconds=30,
    flap_clear_seconds=20,
    recheck_seconds=5,
    settle_seconds=8,
)
LONGEST, SETTLE, END = 30, 5, 200
Step = tuple[int, Subject, Verdict, Cause]
Work = tuple[int, int | None, Subject]
STEPS = st.lists(
    st.tuples(
        st.integers(0, 80),
        st.sampled_from(SUBJECTS),
        st.sampled_from((Verdict.GOOD, Verdict.BAD, Verdict.BAD, Verdict.UNKNOWN)),
        st.sampled_from((Cause.LINK_DOWN, Cause.SPEED)),
    ),
    max_size=40,
)
WORKS = st.lists(
    st.tuples(
        st.integers(0, 80),
        st.one_of(st.none(), st.integers(0, 50)),
        st.sampled_from((C1, C2, UP, CORE)),
    ),
    min_size=1,
    max_size=4,
)


class Truth:
    """What the facts say, asked second by second; nothing is kept."""

    def __init__(self, steps: list[Step], works: list[Work]) -> None:
        told: dict[tuple[int, Subject], Fact] = {}
        for second, subject, verdict, cause in steps:
            if verdict is Verdict.BAD:
                why = cause if subject.link_id else None
                grave = WARN if why is Cause.SPEED else Severity.CRITICAL
                told[second, subject] = bad(subject, second, why, grave)
            else:
                told[second, subject] = (good if verdict is Verdict.GOOD else unknown)(
                    subject, second
                )
        self.facts = sorted(told.values(), key=lambda fact: fact.rank)
        self.works = works

    def fact(self, subject: Subject, second: int, *, definite: bool = True) -> Fact | None:
        mine = [
            fact
            for fact in self.facts
            if fact.subject == subject
            and fact.at_ns <= T0 + second * S
            and not (definite and fact.verdict is Verdict.UNKNOWN)
        ]
        return mine[-1] if mine else None

    def is_bad(self, subject: Subject, second: int) -> bool:
        fact = self.fact(subject, second)
        return fact is not None and fact.verdict is Verdict.BAD

    def bad_as(self, subject: Subject, second: int, cause: Cause) -> bool:
        fact = self.fact(subject, second)
        return fact is not None and fact.verdict is Verdict.BAD and fact.cause is cause

    def since(self, subject: Subject, second: int) -> int:
        while second > 0 and self.is_bad(subject, second - 1):
            second -= 1
        return second

    def muted(self, subject: Subject, second: int) -> bool:
        return any(
            one == subject
            and begun <= second < begun + min(LONGEST, LONGEST if took is None else took) + SETTLE
            for begun, took, one in self.works
        )

    def cut_off(self, subject: Subject, second: int) -> bool:
        """Behind a parent that is seen to be dead, whoever has darkened it."""
        return any(
            all(
                (fact := self.fact(one, second, definite=False)) is not None
                and fact.verdict is Verdict.BAD
                and fact.cause in DEADLY
                for one in group
            )
            for group in PlanParents(plan()).of(subject)
        )


def all_rules_hold(steps: list[Step], works: list[Work]) -> None:
    truth = Truth(steps, works)
    bench = Bench(timing=TIMING)
    for begun, took, subject in works:
        end = None if took is None else begun + took
        bench.repair(begun, end, subject, longest=LONGEST)
    for second in range(END + 1):
        due = [one for one in truth.facts if one.at_ns == T0 + second * S]
        told = bench.at(second, *due, witness=nobody)
        for event in told:
            subject = bench.said[event.incident].subject
            if event.act in {Act.OPENED, Act.REOPENED, Act.ALARMED, Act.RETURNED}:
                assert truth.is_bad(subject, second)
            if event.act in {Act.OPENED, Act.REOPENED, Act.ALARMED}:
                assert not truth.cut_off(subject, second)
            if event.act in {Act.OPENED, Act.REOPENED}:
                began = truth.since(subject, second)  # new trouble in a repair is not told in it
                assert not (truth.muted(subject, second) and truth.muted(subject, began))
            if event.act is Act.CAUSE:
                at = (event.at_ns - T0) // S
                assert not truth.muted(subject, second) or not truth.muted(subject, at)
            if event.act is Act.RESOLVED:
                assert not any(
                    truth.is_bad(subject, one)
                    for one in range((event.at_ns - T0) // S - 6, second + 1)
                )
        for subject, incident in bench.open().items():
            assert bool(incident.repair) == truth.muted(subject, second)

    open_now = bench.open()
    shadowed = [name for one in open_now.values() for name in one.shadowed]
    for subject in SUBJECTS:  # long after all repairs: nothing was lost
        newest = truth.fact(subject, END, definite=False)
        if newest is not None and newest.verdict is Verdict.BAD:
            assert (subject in open_now) + shadowed.count(str(subject)) == 1, subject
            if subject in open_now and len(open_now[subject].proofs) == 0:
                assert not open_now[subject].repair
        if newest is not None and newest.verdict is Verdict.GOOD:
            assert subject not in open_now


@settings(deadline=None, max_examples=40)
@given(STEPS, WORKS)
def test_all_rules_hold_whatever_is_repaired(steps: list[Step], works: list[Work]) -> None:
    all_rules_hold(steps, works)


@pytest.mark.slow
@settings(deadline=None, max_examples=1000)
@given(STEPS, WORKS)
def test_all_rules_hold_a_thousand_times(steps: list[Step], works: list[Work]) -> None:
    all_rules_hold(steps, works)


@settings(deadline=None, max_examples=40)
@given(STEPS, WORKS, st.randoms(use_true_random=False))
def test_order_and_doubles_change_nothing(
    steps: list[Step], works: list[Work], chance: random.Random
) -> None:
    facts = Truth(steps, works).facts
    straight, shaken = Bench(timing=TIMING), Bench(timing=TIMING)
    for bench in (straight, shaken):
        for begun, took, subject in works:
            end = None if took is None else begun + took
            bench.repair(begun, end, subject, longest=LONGEST)
    for before, now in pairwise([-1, 20, 50, 90, END]):
        due = [fact for fact in facts if T0 + before * S < fact.at_ns <= T0 + now * S]
        straight.at(now, *due)
        again = [*due, *chance.choices(due or [good(C1, -1)], k=5), *facts[:3]]
        again = [fact for fact in again if fact.at_ns <= T0 + now * S]
        chance.shuffle(again)
        shaken.at(now, *again)
    assert shaken.events == straight.events
    assert shaken.engine.incidents == straight.engine.incidents
