"""What the incidents are told of actions under way: the repair's own darkness alarms nobody."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from controller import repairs
from controller.incidents.model import Act, Kind, Subject
from controller.store.protocols import NS

from .town import SLOW, RepairTown, S

LINK = Subject.link("no1/c301")
DARK = {"oper": [2, 1, 1]}


def acts(town: RepairTown) -> list[Act]:
    room = town.town.room
    (incident,) = room.engine.incidents.values()
    return [one.act for one in room.records.timeline(incident.id)]


async def under_way(town: RepairTown) -> str:
    """A slow link, its incident, and a repair whose end is not known yet."""
    town.columns = dict(SLOW)
    town.agent.cures = dict(DARK)
    town.agent.steps = (S.BEGUN, S.APPLIED)
    town.agent.hangs = asyncio.Event()
    await town.run(25)
    (action,) = await town.actions()
    return action.id


async def test_the_incident_says_under_repair_and_nothing_of_the_dark_port(tmp_path: Path) -> None:
    async with RepairTown(tmp_path, mode="auto", settle_seconds=15) as town:
        action = await under_way(town)
        (view,) = town.town.room.views(town.town.room.places.scope("no1"))
        assert (view.cause.label, view.repair) == ("speed", action)
        assert "under-repair" in view.states
        town.columns = {}
        town.agent.tell(action, (S.GOOD, S.PROVED, S.DONE))
        assert town.agent.hangs is not None
        town.agent.hangs.set()
        await town.run(60)
        said = acts(town)
        assert Act.CAUSE not in said
        assert Act.RETURNED not in said
        assert said.count(Act.UNDER_REPAIR) == 1
        assert said[-1] is Act.RESOLVED


async def test_a_cable_that_is_pulled_meanwhile_is_told_afterwards(tmp_path: Path) -> None:
    async with RepairTown(tmp_path, mode="auto", settle_seconds=15) as town:
        action = await under_way(town)
        assert town.agent.hangs is not None
        town.agent.hangs.set()
        town.agent.tell(action, (S.UNDOING, S.UNDONE))
        await town.run(20)
        (incident,) = town.town.room.engine.open()
        assert (incident.cause.label, incident.repair) == ("link-down", "")
        assert Act.REPAIR_OVER in acts(town)


async def test_an_agent_that_dies_in_the_middle_mutes_nothing_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repairs, "OTHERS_LONGEST_NS", 20 * NS)
    async with RepairTown(tmp_path, mode="auto", settle_seconds=15) as town:
        await under_way(town)
        (incident,) = town.town.room.engine.open()
        assert incident.cause.label == "speed"
        await town.run(20 + 45)
        assert incident.cause.label == "link-down"
        assert Act.REPAIR_OVERDUE in acts(town)


async def test_what_an_action_touches(tmp_path: Path) -> None:
    async with RepairTown(tmp_path, mode="approve") as town:
        whole = Subject("no1", Kind.SWITCH, "sw1")
        for intent, port, touched in (
            ("bounce-port", "GE1", {LINK}),
            ("save-configuration", "", {whole} | {
                Subject.link(one.id) for one in town.town.plan.links
                if (one.school, one.switch) == ("no1", "sw1")
            }),
        ):  # fmt: skip
            asked = await town.ask("bounce-port")
            asked = replace(asked, intent=intent, parameters={"switch": "sw1", "port": port})
            wanted = town.room.gate._of(asked)
            assert wanted is not None
            attempt = town.room.gate._attempt(asked, wanted, None)
            attempt.link = LINK.link_id if port else None
            town.room.gate.attempts.add(attempt)
            (repair,) = list(town.town.room.repairs())
            assert repair.touched == touched
            town.room.gate.attempts.drop(attempt.action)
