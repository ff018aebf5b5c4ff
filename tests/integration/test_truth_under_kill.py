import asyncio
import os
import random
import shutil
import signal
from pathlib import Path

import pytest

from tests.integration.town import Key, Town, Truth, compare, kept

KILLS = int(os.environ.get("TENONE_KILLS", "100"))
SETTLE_SECONDS = 90

pytestmark = pytest.mark.skipif(
    shutil.which("mosquitto") is None, reason="mosquitto is not installed: no broker to kill"
)


async def kill_at_random(town: Town, kills: int, seed: int) -> dict[str, int]:
    """SIGKILL to agent, broker or controller, one at a time, each started again."""
    chance = random.Random(seed)
    count = dict.fromkeys(("agent", "broker", "controller"), 0)
    for _ in range(kills):
        await asyncio.sleep(chance.uniform(0.05, 1.2))
        victim = chance.choice(list(count))
        count[victim] += 1
        if victim == "broker":
            await town.broker.kill()
            await asyncio.sleep(chance.uniform(0.0, 0.5))
            await town.broker.start()
            continue
        child = (
            town.controller if victim == "controller" else chance.choice([*town.agents.values()])
        )
        child.signal(signal.SIGKILL)
        await child.wait()
        await asyncio.sleep(chance.uniform(0.0, 0.5))
        await child.start()
    return count


async def settle(town: Town, promised: dict[Key, str]) -> Truth:
    """Wait until everything that was promised has arrived, or the deadline says it will not."""
    truth = compare(town, town.data, promised)
    for _ in range(SETTLE_SECONDS):
        if not truth.lost:
            break
        await asyncio.sleep(1.0)
        truth = compare(town, town.data, promised)
    return truth


async def judge(tmp_path: Path, kills: int, seed: int) -> None:
    town = Town(folder=tmp_path / "town", data=tmp_path / "data")
    try:
        await town.start()
        count = await kill_at_random(town, kills, seed)
        for agent in town.agents.values():
            await agent.stop()
        promised = kept(town.folder)  # what they keep from here on is not asked for
        for agent in town.agents.values():
            await agent.start()
        truth = await settle(town, promised)
    finally:
        await town.stop()
    print(
        f"\n{kills} kills {count}: switches answered {truth.answered} counter sweeps, "
        f"{truth.sweeps_stored} of them stored; journals kept {truth.kept} blocks, "
        f"stored {truth.stored}; lost {len(truth.lost)}, doubled {len(truth.doubled)}, "
        f"changed {len(truth.changed)}, sweeps doubled {len(truth.sweeps_doubled)}, "
        f"invented {len(truth.sweeps_invented)}"
    )
    assert truth.kept > kills
    assert truth.sweeps_stored > 0
    assert truth.lost == []
    assert truth.doubled == []
    assert truth.changed == []
    assert truth.sweeps_doubled == []
    assert truth.sweeps_invented == []


@pytest.mark.timeout(120)
@pytest.mark.slow
async def test_a_few_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    await judge(tmp_path, kills=6, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_a_hundred_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    await judge(tmp_path, kills=KILLS, seed=2026)
