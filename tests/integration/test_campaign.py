"""200 faults of all kinds, seen as a person sees them: how soon, none wrong, none missed."""

import os
from pathlib import Path

import pytest

from tests.integration.campaign import STATE_FAULTS, campaign, quantile

FAULTS = int(os.environ.get("TENONE_FAULTS", "200"))
SEED = int(os.environ.get("TENONE_SEED", "20261122"))
SCHOOLS = 8


async def judge(folder: Path, faults: int, seed: int) -> None:
    async with campaign(folder, schools=SCHOOLS, seed=seed) as city:
        await city.run(-(-faults // SCHOOLS))
        print(f"\n{len(city.records)} faults in {SCHOOLS} schools, seed {seed}")
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
        wrong, children = city.wrong_alarms(), city.children_alarmed()
        missed = [f"{one.school} {one.trouble.value}" for one in city.records if one.missed]
        stuck = [
            f"{one.school} {one.trouble.value}: {one.stuck}" for one in city.records if one.stuck
        ]
        for title, found in (
            ("wrong alarms", wrong),
            ("missed", missed),
            ("children alarmed", children),
            ("stuck", stuck),
        ):
            print(f"{title}: {len(found)}")
            for line in found[:40]:
                print(f"  {line}")
        assert (wrong, missed, children, stuck) == ([], [], [], [])


@pytest.mark.slow
@pytest.mark.timeout(1500)
async def test_faults_are_seen_and_nothing_else(tmp_path: Path) -> None:
    await judge(tmp_path / "city", FAULTS, SEED)
