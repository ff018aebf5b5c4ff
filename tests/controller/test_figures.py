"""Figures of many links at once are those that each link's view has."""

import numpy as np
import pytest

from controller.state.city import LiveCity
from controller.state.live import LiveState
from controller.state.numbering import Numbering
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Verdict

from .conftest import FakeJournal, small_city


@pytest.mark.parametrize("good", [True, False])
def test_figures_are_those_of_the_links(good: bool) -> None:
    clock = ManualClock()
    live = LiveState(Numbering(small_city()), now_ns=clock.monotonic_ns())
    city = LiveCity(live, clock)
    live.agent_born("no1", "1.0", now_ns=clock.monotonic_ns())
    journal = FakeJournal()
    block = journal.ports(speed_mbps=[100, 1000, 10_000])
    live.apply(
        journal.arrival(block, received_ns=clock.wall_ns(), monotonic_ns=clock.monotonic_ns())
    )
    city.judge()
    clock.advance(3)
    live.measures.rtt_ms[0] = 12.5
    live.measures.loss_ratio[1] = 0.25
    for scope in (ScopePath(), *map(ScopePath.parse, ("binhai/east", "binhai/west"))):
        views = [v for v in city.links(scope) if good or v.verdict is not Verdict.GOOD]
        found = city.figures(scope, good=good)
        assert [label[1:] for label in found.labels] == [(v.school, v.id, v.tier) for v in views]
        assert {label[0] for label in found.labels} <= {"east", "west"}
        for name, column in found.columns.items():
            expected: list[object] = [
                getattr(v if hasattr(v, name) else v.measured, name, None) for v in views
            ]
            if name == "evidence_age_seconds":
                expected = [min((e.age_seconds for e in v.evidence), default=None) for v in views]
            told = [None if np.isnan(value) else value for value in column.tolist()]
            assert told == [one if one is None else pytest.approx(one) for one in expected], name
