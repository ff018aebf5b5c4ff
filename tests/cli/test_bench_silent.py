"""The arithmetic of ``tenone bench poll --silent``; a small run is in test_bench_poll."""

import pytest

from tenone.cli.bench_silent import Tally, run
from tenone.cli.bench_switches import Kind


def test_a_rate_is_of_healthy_sweeps() -> None:
    assert Tally().rate == 0
    assert Tally(sweeps=10, failed=3, seconds=2.5).rate == 4


@pytest.mark.slow
async def test_silent_switches_fail_and_the_others_do_not() -> None:
    line = await run(4, 2.0, 0.5, Kind())
    assert (line["switches"], line["silent_switches"]) == (2, 2)
    assert line["healthy_sweeps_failed"] == 0
    assert line["healthy_sweeps_per_second_beside"] > 0
    assert line["retries"] >= 2
