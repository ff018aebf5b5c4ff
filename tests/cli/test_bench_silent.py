"""The arithmetic of ``tenone bench poll --silent``; a small run is in test_bench_poll."""

import pytest

from tenone.cli.bench_silent import Kept, Tally, run
from tenone.cli.bench_switches import Kind


def test_a_rate_is_of_healthy_sweeps() -> None:
    assert Tally().rate == 0
    assert Tally(sweeps=10, failed=3, seconds=2.5).rate == 4


def test_the_share_kept_is_the_median_of_turns_next_to_each_other() -> None:
    """A turn in which the machine was busy falls on neither side."""
    rates = [(100, 98), (100, 97), (50, 49), (100, 20), (100, 96)]
    pairs = [(Tally(alone, 0, 1.0), Tally(beside, 0, 1.0)) for alone, beside in rates]
    kept = Kept.of(pairs)
    assert kept.median == 0.97
    low, high = kept.quartiles
    assert low < kept.median <= high
    assert Kept.of([(Tally(), Tally())]).median == 0
    assert Kept.of(pairs[:1]).quartiles == (0.98, 0.98)


@pytest.mark.slow
async def test_silent_switches_fail_and_the_others_do_not() -> None:
    line = await run(4, 2.0, 0.5, Kind(), rounds=2)
    assert (line["switches"], line["silent_switches"]) == (2, 2)
    assert line["healthy_sweeps_failed"] == 0
    assert line["healthy_sweeps_per_second_beside"] > 0
    assert line["share_of_rate_kept"] > 0
    assert line["retries"] >= 2
