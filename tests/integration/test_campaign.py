"""Faults of all kinds, seen as a person sees them: how soon, none wrong, none missed."""

import os
from pathlib import Path

import pytest

from tests.integration.campaign import STATE_FAULTS, Campaign, Trouble, campaign, quantile

FAULTS = int(os.environ.get("TENONE_FAULTS", "120"))
"""By default five minutes; 200 take eight."""
SEED = int(os.environ.get("TENONE_SEED", "20261122"))
SCHOOLS = 8


def judge(city: Campaign, title: str) -> None:
    print(f"\n{len(city.records)} faults in {SCHOOLS} schools, {title}")
    print(city.table())
    soon = [
        one.verdict_seconds
        for one in city.records
        if one.trouble in STATE_FAULTS and one.verdict_seconds is not None
    ]
    print(
        f"state faults: fault to verdict median {quantile(soon, 0.5):.2f} s, "
        f"p99 {quantile(soon, 0.99):.2f} s"
    )
    print(f"incidents that were under repair: {city.under_repair()}")
    wrong, children = city.wrong_alarms(), city.children_alarmed()
    missed = [f"{one.school} {one.trouble.value}" for one in city.records if one.missed]
    stuck = [f"{one.school} {one.trouble.value}: {one.stuck}" for one in city.records if one.stuck]
    for what, found in (
        ("wrong alarms", wrong),
        ("missed", missed),
        ("children alarmed", children),
        ("stuck", stuck),
    ):
        print(f"{what}: {len(found)}")
        for line in found[:40]:
            print(f"  {line}")
    assert (wrong, missed, children, stuck) == ([], [], [], [])


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.timeout(1500)
async def test_faults_are_seen_and_nothing_else(tmp_path: Path) -> None:
    async with campaign(tmp_path / "city", schools=SCHOOLS, seed=SEED) as city:
        await city.run(-(-FAULTS // SCHOOLS))
        judge(city, f"seed {SEED}, a state poll every second")
        assert city.under_repair(), "nothing was repaired, so nothing is shown of repairs"


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_with_traps_a_slow_poll_is_no_slow_verdict(tmp_path: Path) -> None:
    seed = SEED + 1
    async with campaign(
        tmp_path / "city", schools=SCHOOLS, seed=seed, state_seconds=10.0, traps=True
    ) as city:
        await city.run(-(-FAULTS // 3 // SCHOOLS), STATE_FAULTS | {Trouble.POWER_CUT})
        judge(city, f"seed {seed}, a state poll every 10 s and traps")
