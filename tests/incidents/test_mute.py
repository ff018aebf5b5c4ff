"""A switch that is silent and still carries hides nothing; one that died hides all behind it."""

from dataclasses import replace

import pytest

from controller.incidents.learnt import LearntParents
from controller.incidents.model import Act, Subject
from controller.incidents.parents import PlanParents

from .conftest import CORE, EDGE, T0, Bench, S, bad, plan

LAB_LINK = Subject.link("no1/c4")


@pytest.fixture
def bench() -> Bench:
    """Switches edge and lab hang on core, as their cables say."""
    city = plan()
    lab = replace(city.switches[0], name="lab")
    link = replace(city.links[-1], link="c4", switch="lab", port="c4")
    city = replace(city, switches=[*city.switches, lab], links=[*city.links, link])
    parents = LearntParents(PlanParents(city))
    below = (("switch/core",),)
    parents.learn(
        "no1",
        {"core": (), "edge": below, "lab": below},
        {"core": frozenset({"edge", "lab"}), "edge": frozenset(), "lab": frozenset()},
    )
    return Bench(parents=parents)


@pytest.mark.parametrize("mute", [True, False])
def test_a_switch_that_is_only_mute_hides_no_outage_behind_it(bench: Bench, mute: bool) -> None:
    well = {LAB_LINK: T0 - S}
    bench.at(1, bad(CORE, 0), witness=well.get)
    bench.at(60, witness=well.get)
    assert set(bench.open()) == {CORE}
    for second in range(1_000, 1_200):
        if mute:
            well[LAB_LINK] = T0 + second * S
        facts = [bad(EDGE, second)] if second == 1_000 else []
        bench.at(second, *facts, witness=well.get)
    assert set(bench.open()) == ({CORE, EDGE} if mute else {CORE})
    assert (Act.ALARMED in bench.acts(EDGE)) == mute


def test_what_was_seen_before_a_switch_died_does_not_acquit_it(bench: Bench) -> None:
    well = {LAB_LINK: T0 + 999 * S}
    for second in range(1_001, 1_100):
        facts = [bad(CORE, 1_000), bad(EDGE, 1_001)] if second == 1_001 else []
        bench.at(second, *facts, witness=well.get)
    assert set(bench.open()) == {CORE}
    assert bench.open()[CORE].shadowed == {str(EDGE)}


def test_one_that_was_mute_and_then_dies_hides_again_what_dies_with_it(bench: Bench) -> None:
    well = {LAB_LINK: T0}
    bench.at(1, bad(CORE, 0), witness=well.get)
    for second in range(2, 1_000):
        well[LAB_LINK] = T0 + second * S
        bench.at(second, witness=well.get)
    for second in range(1_003, 1_100):
        facts = [bad(EDGE, 1_003), bad(Subject(CORE.school, CORE.kind, "lab"), 1_004)]
        bench.at(second, *(facts if second == 1_004 else []), witness=well.get)
    assert set(bench.open()) == {CORE}
