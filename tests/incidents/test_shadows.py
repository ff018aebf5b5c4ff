"""Which trouble hides which: children of what is dead, of its power, and of what TenOne darkens."""

from dataclasses import replace

from controller.incidents.model import Subject
from controller.incidents.parents import PlanParents
from tenone.vocabulary.states import Cause, Severity

from .conftest import (
    AGENT,
    C1,
    C2,
    CORE,
    EDGE,
    UP,
    Bench,
    bad,
    but_no_link,
    plan,
    unknown,
)


def test_what_shadows_a_grave_child_is_as_grave() -> None:
    bench = Bench()
    bench.at(1, bad(UP, 0, Cause.CONFIGURATION, Severity.WARNING), bad(C1, 0))
    bench.at(20)
    assert bench.open()[UP].severity is Severity.CRITICAL


def test_a_parent_that_went_out_of_sight_before_it_opened_hides_nobody() -> None:
    bench = Bench()
    nobody_saw: dict[Subject, int] = {}
    bench.at(0, bad(EDGE, 0), bad(C2, 0), witness=nobody_saw.get)
    bench.at(1, unknown(EDGE, 1), witness=nobody_saw.get)
    bench.at(60, witness=nobody_saw.get)
    assert set(bench.open()) == {C2}
    bench.at(61, bad(EDGE, 61), witness=nobody_saw.get)
    bench.at(120, witness=nobody_saw.get)
    assert set(bench.open()) == {C2, EDGE}


def test_power_owns_the_silence_it_makes_and_nothing_else(bench: Bench) -> None:
    power = Subject.power("no1", "u1")
    bench.at(1, bad(power, 0, Cause.POWER, Severity.WARNING))
    bench.at(20)
    assert bench.open()[power].severity is Severity.WARNING
    bench.at(
        21,
        bad(EDGE, 21), bad(C2, 21, Cause.POWER), bad(C1, 21, Cause.SPEED), bad(AGENT, 21),
        witness=but_no_link,
    )  # fmt: skip
    bench.at(60, witness=but_no_link)
    assert set(bench.open()) == {power, C1}
    assert bench.open()[power].shadowed == {str(EDGE), str(C2), str(AGENT)}
    assert bench.open()[power].severity is Severity.CRITICAL


def test_a_ups_answers_only_for_what_it_feeds() -> None:
    city = plan()
    switches = [
        replace(one, fed_by=("u2",) if one.name == "edge" else ("u1",)) for one in city.switches
    ]
    bench = Bench(parents=PlanParents(replace(city, switches=switches)))
    power = Subject.power("no1", "u2")
    bench.at(1, bad(power, 0, Cause.POWER, Severity.WARNING))
    bench.at(20)
    facts = (bad(EDGE, 21), bad(CORE, 21), bad(C2, 21, Cause.POWER))
    bench.at(21, *facts, witness=but_no_link)
    bench.at(60, witness=but_no_link)
    assert set(bench.open()) == {power, CORE}
    assert bench.open()[power].shadowed == {str(EDGE), str(C2)}
    assert bench.parents.behind(power) == ["no1/c2", "no1/c3"]
    assert bench.parents.feeders(AGENT) == (Subject.power("no1", "u1"),)


def test_two_that_hang_on_each_other_do_not_hide_each_other() -> None:
    class Ring(PlanParents):
        def of(self, subject: Subject) -> tuple[tuple[Subject, ...], ...]:
            return {CORE: ((EDGE,),), EDGE: ((CORE,),)}.get(subject, ())

    bench = Bench(parents=Ring(plan()))
    bench.at(1, bad(CORE, 0), bad(EDGE, 0), witness=but_no_link)
    bench.at(20, witness=but_no_link)
    assert set(bench.open()) == {CORE}
    assert bench.open()[CORE].shadowed == {str(EDGE)}
