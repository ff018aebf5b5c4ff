"""20: a switch that gives its ports hostile names, and somebody who asks for repairs of them.

The whole way of a plan at a school: the name is one the switch reports, it is asked for, the agent
logs in and reads. Judged from the other end: what arrived at the (simulated) switch's console is
written down there, and its configuration is compared. Renderers alone are tried with 100,000 names
a dialect in tests/switch_cli.
"""

import json
import os
import re
from pathlib import Path

import pytest

from agents.commands import CommandFailed
from agents.pending import Pending, PendingBook
from agents.sessions import Sessions
from agents.workshop import RepairShop
from tenone.journal.disk import OsDisk
from tenone.vocabulary.intents import Dialect, Intent
from tenone.vocabulary.states import ClockQuality
from tests.agents.repair_bench import VENDORS, SimSchool, drive
from tests.switch_cli.hostile import names

NAMES = int(os.environ.get("TENONE_NAMES", "100000"))
READS = re.compile(
    r"(display|show) (current-configuration|running-config(-interface)?|interface|poe|archive)"
    r"( (interface|power|brief|config|status|all))*( [A-Za-z][A-Za-z-]* ?\d+([/.:]\d+)*)?"
    r"( \| (include|section|begin) [A-Za-z |^.$\\-]+)?"
)
"""What may be typed to make a plan: questions only, about a port whose name is one."""


class Nobody:
    """Nothing is ever done here."""

    async def execute(self, _pending: Pending) -> str:
        raise AssertionError("nothing was approved")


async def attack(folder: Path, dialect: Dialect, count: int, seed: int) -> tuple[int, int]:
    """How many names came to a plan, and how many lines were typed."""
    sim = SimSchool(folder, dialect)
    shop = RepairShop(
        sim.config,
        sessions=Sessions(sim.config, sim.consoles, clock=sim.clock),
        eyes=sim.eyes,
        book=PendingBook(folder / "outbox", disk=OsDisk()),
        doer=Nobody(),
        clock=sim.clock,
        quality=lambda: ClockQuality.SYNCHRONISED,
    )
    good = [port.name for port in sim.switch.sockets]
    before = sim.switch.wiring.running()
    planned = 0
    for number, name in enumerate(names(good, count, seed)):
        intent = list(Intent)[number % len(Intent)]
        sim.eyes.hostile = frozenset({name})
        parameters = {"switch": "core", "port": name, "until_ms": "1790000600000"}
        wanted = {"intent": intent.value, "parameters": parameters}
        if intent is not Intent.EXAM_PRIORITY:
            del parameters["until_ms"]
        try:
            lines = json.loads(await drive(sim.clock, shop.plan(wanted)))["lines"]
        except CommandFailed:
            continue
        planned += 1
        assert all(line.isprintable() and line.isascii() for line in lines), lines
    strange = [line for line in sim.wire.transcript if READS.fullmatch(line) is None]
    assert not strange, strange[:5]
    assert sim.switch.wiring.running() == before
    return planned, len(sim.wire.transcript)


@pytest.mark.parametrize("dialect", VENDORS)
async def test_hostile_names_become_no_commands(tmp_path: Path, dialect: Dialect) -> None:
    planned, typed = await attack(tmp_path, dialect, 150, 20)
    print(f"\n{dialect.value}: 150 names, {planned} plans, {typed} questions typed")


@pytest.mark.slow
@pytest.mark.parametrize("dialect", VENDORS)
async def test_many_hostile_names(tmp_path: Path, dialect: Dialect) -> None:
    count = NAMES // len(VENDORS)
    planned, typed = await attack(tmp_path, dialect, count, 2020)
    print(f"\n{dialect.value}: {count} names, {planned} plans, {typed} questions, outside 0")
