"""Means of counters: gaps stay gaps."""

import pytest

from controller.evidence.runs import LateError, PortState
from controller.evidence.traffic import SwitchTraffic, duplex_of
from controller.store.protocols import NS
from tenone.vocabulary.states import Duplex
from tests.evidence.world import MORNING_NS, World

STATE = PortState(1, 1, 1, 1000, 3)


def fed(world: World, minutes: list[int], state: PortState | None = STATE) -> SwitchTraffic:
    traffic = SwitchTraffic({"no1/a": "GE1"}, lambda _link: state)
    for minute in minutes:
        block = world.counters(MORNING_NS + minute * 60 * NS, [minute * 75_000_000, 0])
        traffic.add(block, world.journal.made[-1][1])
    return traffic


def test_a_steady_load_is_one_ratio(world: World) -> None:
    means = fed(world, list(range(11))).take()
    assert [start - MORNING_NS // NS for start in means] == [0, 300]
    for by_link in means.values():
        assert by_link["no1/a"].ratio == pytest.approx(0.01)
        assert by_link["no1/a"].in_octets in {300_000_000, 375_000_000}
    assert fed(world, []).take() == {}


@pytest.mark.parametrize(
    ("minutes", "state"),
    [
        ([0, 1, 2, 14, 15, 16], STATE),  # too little of the first five minutes
        ([*range(11)], None),
        ([*range(11)], STATE._replace(speed_mbps=0)),
        ([*range(11)], STATE._replace(duplex=1, speed_mbps=100)),
    ],
)
def test_what_was_not_measured_is_missing(
    world: World, minutes: list[int], state: PortState | None
) -> None:
    assert next(iter(fed(world, minutes, state).take().values()))["no1/a"].ratio is None


def test_a_bucket_is_told_once_and_a_late_block_refused(world: World) -> None:
    traffic = fed(world, list(range(11)))
    assert len(traffic.take()) == 2
    assert traffic.take() == {}
    assert len(traffic.take(everything=True)) == 1
    block = world.counters(MORNING_NS, [0, 0])
    with pytest.raises(LateError):
        traffic.add(block, world.journal.made[-1][1])


@pytest.mark.parametrize(
    ("speed", "told", "meant"),
    [
        (1000, 3, Duplex.FULL), (1000, 0, Duplex.FULL), (1000, 1, None), (10_000, 1, Duplex.FULL),
        (100, 2, Duplex.HALF), (1000, 2, None), (100, 0, None),
    ],
)  # fmt: skip
def test_duplex_is_read_as_the_judge_reads_it(speed: int, told: int, meant: Duplex | None) -> None:
    assert duplex_of(PortState(1, 1, 1, speed, told)) is meant
