"""The loop with an agent that does as it is told: auto, approve, propose; stops, caps, restarts."""

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from controller.enforcement.following import told
from controller.enforcement.model import GuardName
from controller.enforcement.records import RepairRecords
from controller.enforcement.sentences import MENDED
from controller.incidents.model import Subject
from controller.incidents.views import incident_json
from controller.store.protocols import StoreError
from controller.trust.approval_model import ActionState, PlanError
from controller.trust.approval_own import SYSTEM
from controller.trust.approvals import AT_ONCE
from tenone.blocks.block import Block
from tenone.calendar.zone import CITY_ZONE
from tenone.vocabulary.body import UPS
from tenone.vocabulary.intents import Intent, Mode
from tenone.vocabulary.repairs import REPAIRS
from tenone.vocabulary.scope import ScopePath
from tests.enforcement.town import (
    BAD,
    BOTH_SLOW,
    GOOD,
    NO1,
    OPEN,
    SHUT,
    SLOW,
    UPLINK_SLOW,
    WANG,
    RepairTown,
    S,
)

EAST = ScopePath.parse("binhai/east")


async def test_auto_repairs_by_itself_and_proves_it(tmp_path: Path) -> None:
    async with RepairTown(tmp_path, mode="auto") as town:
        town.columns = dict(SLOW)
        await town.run(12)
        (action,) = await town.actions()
        assert action.state is ActionState.DONE
        assert action.requester == SYSTEM
        assert [one.account for one in action.voices] == [town.approvals.own.standing]
        assert action.parameters["link"] == "no1/c301"
        course = await town.course()
        assert [one.step for one in course.steps] == list(GOOD)
        assert course.faulted is not None
        assert course.judged is not None
        assert course.proved is not None
        assert course.faulted <= course.judged < course.proved
        assert town.proposal() is None
        assert ("approval.grant", town.approvals.own.standing, "done") in town.ledger.acts()
        assert town.room.figures.outcomes["restore-negotiation", "done"] == 1
        assert town.room.figures.count == 1


@pytest.mark.parametrize(
    ("rules", "mode"),
    [
        ({"mode": "propose"}, Mode.PROPOSE),
        ({"mode": "approve"}, Mode.APPROVE),
        ({"mode": "auto", "modes": [{"actions": ["restore-negotiation"], "mode": "propose",
                                     "scope": "binhai/east/no1"}]}, Mode.PROPOSE),
    ],
)  # fmt: skip
async def test_modes(tmp_path: Path, rules: dict[str, Any], mode: Mode) -> None:
    async with RepairTown(tmp_path, **rules) as town:
        town.columns = dict(SLOW)
        await town.run(25)
        proposal = town.proposal()
        assert proposal is not None
        assert (proposal.intent, proposal.mode) == (Intent.RESTORE_NEGOTIATION, mode)
        assert town.agent.acted == []
        actions = await town.actions()
        assert len(actions) == (mode is Mode.APPROVE)
        if mode is Mode.PROPOSE:
            assert town.remarks() == [proposal.sentence["en"]]
            return
        assert actions[0].state is ActionState.WAITING
        await town.approve(actions[0])
        await town.run(8)
        assert [one.state for one in await town.actions()] == [ActionState.DONE]
        assert (await town.course()).proved is not None


async def test_off_says_nothing(tmp_path: Path) -> None:
    async with RepairTown(tmp_path, mode="off") as town:
        town.columns = dict(SLOW)
        await town.run(25)
        assert town.room.proposals(NO1) == []
        assert town.remarks() == []


async def test_what_does_not_help_is_put_back_and_not_tried_again(tmp_path: Path) -> None:
    async with RepairTown(tmp_path, mode="auto") as town:
        town.agent.cures, town.agent.steps, town.agent.cable = None, BAD, OPEN
        town.columns = dict(SLOW)
        await town.run(60)
        (action,) = await town.actions()  # and no second one
        assert action.state is ActionState.FAILED
        proposal = town.proposal()
        assert proposal is not None
        assert proposal.intent is None
        carry = (
            "Link c301: pair C of the cable is open at 12 m from the switch (switch sw1, port "
            "GE1). Look there first: the first metres are the patch cord at the switch, the last "
            "ones that in room r301, between them is the cable in the wall."
        )
        assert proposal.sentence["en"] == carry
        said = town.remarks()
        assert said[-1] == carry
        assert len(said) == len(set(said))
        assert [one for one in said if "taken back" in one]
        (view,) = town.town.room.views(NO1)
        assert view.cable == OPEN
        assert incident_json(view)["cable"] == json.loads(OPEN)
        await town.restart()
        assert town.town.room.records.load(0).incidents[0].cable == OPEN
        assert (await town.course()).proved is None
        assert town.room.standing(NO1).failures_today == 1
        await town.restart()
        await town.run(20)
        assert len(await town.actions()) == 1
        assert town.remarks() == said


async def test_the_cable_is_measured_at_once_after_what_was_taken_back(tmp_path: Path) -> None:
    async with RepairTown(tmp_path, mode="auto") as town:
        town.agent.cures, town.agent.steps = None, BAD
        town.columns = dict(SLOW)
        await town.run(30)  # what failed itself would wait for a minute
        repair, measure = await town.actions()
        assert (repair.intent, repair.state) == ("restore-negotiation", ActionState.FAILED)
        assert (measure.intent, measure.state) == ("cable-diagnosis", ActionState.WAITING)


async def test_the_next_day_it_may_be_tried_again(tmp_path: Path) -> None:
    async with RepairTown(tmp_path, mode="auto") as town:
        town.agent.cures, town.agent.steps, town.agent.cable = None, BAD, OPEN
        town.columns = dict(SLOW)
        await town.run(10)
        town.clock.advance(24 * 3600)
        town.agent.cures, town.agent.steps = {}, GOOD
        await town.run(12)
        assert [one.state for one in await town.actions()] == [ActionState.FAILED, ActionState.DONE]


async def test_a_person_may_have_it_tried_again(tmp_path: Path) -> None:
    async with RepairTown(tmp_path, mode="auto") as town:
        town.agent.cures, town.agent.steps, town.agent.cable = None, BAD, OPEN
        town.columns = dict(SLOW)
        await town.run(10)
        town.agent.cures, town.agent.steps = {}, GOOD
        await town.approve(await town.ask())
        await town.run(8)
        assert [one.state for one in await town.actions()] == [ActionState.FAILED, ActionState.DONE]
        assert (await town.course()).proved is not None


async def test_what_is_set_so_already_is_bounced(tmp_path: Path) -> None:
    async with RepairTown(tmp_path, mode="auto") as town:
        town.agent.set_so = {"restore-negotiation"}
        town.columns = dict(SLOW)
        await town.run(12)
        (action,) = await town.actions()
        assert (action.intent, action.state) == ("bounce-port", ActionState.DONE)
        assert [intent for intent, _ in town.agent.planned] == [
            "restore-negotiation",
            "bounce-port",
        ]


async def test_a_port_that_cannot_be_set_is_not_told_as_one_that_is(tmp_path: Path) -> None:
    """A ZTE port with ``speed 100`` was told as one that negotiates, and bounced in vain."""
    async with RepairTown(tmp_path, mode="auto") as town:
        town.agent.cannot = {"restore-negotiation"}
        town.columns = dict(SLOW)
        await town.run(30)
        assert await town.actions() == []
        assert [intent for intent, _ in town.agent.planned] == ["restore-negotiation"]
        proposal = town.proposal()
        assert proposal is not None
        assert proposal.intent is None
        assert "cannot repair this here: it has no such test" in proposal.sentence["en"]
        assert "无法修复" in proposal.sentence["zh"]
        assert town.remarks() == [proposal.sentence["en"]]


async def test_what_was_asked_for_before_a_restart_is_taken_back_when_it_is_mended(
    tmp_path: Path,
) -> None:
    async with RepairTown(tmp_path, mode="approve") as town:
        town.columns = dict(SLOW)
        await town.run(10)
        assert [one.state for one in await town.actions()] == [ActionState.WAITING]
        await town.kill()
        town.columns = {}
        for _ in range(5):
            town.town.ports()
            await town.town.step(1.0)
        town.start()
        await town.run(3)
        (action,) = await town.actions()
        assert (action.state, action.outcome) == (ActionState.WITHDRAWN, MENDED)


async def test_where_no_cable_can_be_measured_people_are_told_what_to_carry(
    tmp_path: Path,
) -> None:
    async with RepairTown(tmp_path, mode="auto") as town:
        town.agent.cures, town.agent.steps = None, BAD
        town.agent.cannot = {"cable-diagnosis"}
        town.columns = dict(SLOW)
        await town.run(30)
        (proposal,) = town.room.proposals(ScopePath())
        assert proposal.intent is None
        assert "Carry a patch cord" in proposal.sentence["en"]
        asked = [intent for intent, _ in town.agent.planned]
        assert asked.count("cable-diagnosis") == 1, "it is not asked for again and again"


async def test_the_school_has_not_agreed_so_people_approve(tmp_path: Path) -> None:
    async with RepairTown(tmp_path, mode="auto", cli={"automatic": []}) as town:
        town.columns = dict(SLOW)
        await town.run(12)
        (action,) = await town.actions()
        assert action.state is ActionState.WAITING
        assert town.agent.acted == []


async def test_a_shut_port_is_opened_only_if_it_was_seen_open(tmp_path: Path) -> None:
    async with RepairTown(tmp_path, mode="auto") as town:
        town.columns = dict(SHUT)
        await town.run(10)
        assert [one.intent for one in await town.actions()] == ["enable-port"]
        town.columns = {}
        await town.run(5)
        await town.restart()  # and it is shut before anybody looks
        town.columns = dict(SHUT)
        await town.run(10)
        proposal = town.proposal()
        assert proposal is not None
        assert proposal.mode is Mode.PROPOSE
        assert "never seen open" in proposal.sentence["en"]
        assert len(await town.actions()) == 1


async def test_the_uplink_is_never_touched(tmp_path: Path) -> None:
    async with RepairTown(tmp_path, mode="auto") as town:
        town.columns = dict(UPLINK_SLOW)
        await town.run(20)
        assert await town.actions() == []
        proposal = town.proposal("no1/up")
        assert proposal is not None
        assert proposal.intent is None  # fibre: the modules
        with pytest.raises(PlanError, match="on which others hang"):
            await town.ask(port="XGE1")
        plan, reasons = await town.room.dry_run(
            "no1", "bounce-port", {"switch": "sw1", "port": "XGE1"}
        )
        assert plan.lines
        assert GuardName.UPLINK in {one.guard for one in reasons}


async def test_one_at_a_time_on_a_switch(tmp_path: Path) -> None:
    async with RepairTown(tmp_path, mode="auto") as town:
        town.agent.hangs = asyncio.Event()
        town.agent.steps, town.agent.cures = (), None
        town.columns = dict(BOTH_SLOW)
        await town.run(15)
        assert len(town.agent.acted) == 1
        standing = town.room.standing(NO1)
        assert (standing.under_way, standing.changes_today) == (1, 1)
        first = town.agent.acted[0].action
        town.agent.tell(first, BAD)
        town.agent.hangs.set()
        town.agent.steps, town.agent.cures = GOOD, SLOW
        await town.run(15)
        assert len(town.agent.acted) == 2
        assert {one.parameters["port"] for one in town.agent.acted} == {"GE1", "GE2"}


@pytest.mark.parametrize(
    ("caps", "done"),
    [({"changes_a_day": 1}, 1), ({"changes_a_day": 0}, 0), ({"failures_a_day": 1}, 1)],
)
async def test_caps_survive_a_restart(tmp_path: Path, caps: dict[str, int], done: int) -> None:
    async with RepairTown(tmp_path, mode="auto", caps=caps) as town:
        town.agent.steps, town.agent.cures, town.agent.cable = BAD, None, OPEN
        town.columns = dict(BOTH_SLOW)
        await town.run(15)
        await town.restart()
        await town.run(15)
        assert len(town.agent.acted) == done
        held = [one.held for one in town.room.proposals(NO1) if one.intent is not None]
        assert all(reasons[0].guard in {GuardName.CAP, GuardName.FAILURES} for reasons in held)
        assert held


async def test_a_person_is_held_by_the_cap_of_changes_too(tmp_path: Path) -> None:
    async with RepairTown(tmp_path, mode="propose", caps={"changes_a_day": 0}) as town:
        action = await town.approve(await town.ask())
        await town.run(3)
        ended = await town.approvals.get(action.id)
        assert ended is not None
        assert ended.state is ActionState.REFUSED
        assert "at most 0" in ended.outcome
        assert town.agent.acted == []
        assert ("approval.execute", "system", "refused") in town.ledger.acts()


async def test_nothing_is_asked_for_where_no_approval_would_be_taken(tmp_path: Path) -> None:
    async with RepairTown(tmp_path, mode="approve") as town:
        town.agent.clock = "free_running"
        town.columns = dict(SLOW)
        await town.run(10)
        assert await town.actions() == []
        assert any("nobody sets the clock" in said.lower() for said in town.remarks())
        with pytest.raises(PlanError, match="Nobody sets the clock of the gateway of no1"):
            await town.ask()
        plan, reasons = await town.room.dry_run(
            "no1", "bounce-port", {"switch": "sw1", "port": "GE1"}
        )
        assert plan.lines
        assert GuardName.CLOCK in {one.guard for one in reasons}
        town.agent.clock = "synchronised"
        await town.run(70)
        assert [one.state for one in await town.actions()] == [ActionState.WAITING]


async def test_the_red_stop(tmp_path: Path) -> None:
    async with RepairTown(tmp_path, mode="auto") as town:
        stop = await town.room.stop(EAST, by="Li", reason="look at this first")
        town.columns = dict(SLOW)
        await town.run(10)
        assert town.agent.acted == []
        proposal = town.proposal()
        assert proposal is not None
        assert [one.guard for one in proposal.held] == [GuardName.STOPPED]
        with pytest.raises(PlanError, match="look at this first"):
            await town.ask()
        await town.restart()  # it is durable
        assert town.room.standing(NO1).stops == (stop,)
        await town.run(10)
        assert town.agent.acted == []
        with pytest.raises(LookupError):
            await town.room.resume(NO1, by="Wang")
        await town.room.resume(EAST, by="Wang")
        await town.run(10)
        assert len(town.agent.acted) == 1
        await town.restart()
        assert town.room.standing(NO1).stops == ()


async def test_a_stop_refuses_what_was_granted_and_lets_end_what_was_begun(tmp_path: Path) -> None:
    async with RepairTown(tmp_path, mode="propose") as town:
        town.agent.hangs = asyncio.Event()
        town.agent.steps = (S.BEGUN, S.APPLIED)
        begun = await town.approve(await town.ask())
        waiting = await town.ask(port="GE2")
        await town.run(2)
        assert len(town.agent.acted) == 1
        await town.approve(waiting)  # it waits for the other one to end
        await town.run(2)
        granted = await town.approvals.get(waiting.id)
        assert granted is not None
        assert granted.state is ActionState.GRANTED
        await town.room.stop(NO1, by="Li", reason="x")
        town.agent.tell(begun.id, (S.PROVED, S.DONE))
        town.agent.steps = GOOD
        town.agent.hangs.set()
        await town.run(4)
        states = {one.id: one.state for one in await town.actions()}
        assert states == {begun.id: ActionState.DONE, waiting.id: ActionState.REFUSED}
        assert len(town.agent.acted) == 1


async def test_a_link_that_healed_while_its_repair_waited_its_turn_is_left_alone(
    tmp_path: Path,
) -> None:
    async with RepairTown(tmp_path, mode="auto") as town:
        for _ in range(AT_ONCE):
            await town.approvals._free.acquire()
        town.columns = dict(SLOW)
        await town.run(6)
        assert town.room.standing(NO1).under_way == 1
        town.columns = {}
        await town.run(3)
        for _ in range(AT_ONCE):
            town.approvals._free.release()
        await town.run(2)
        assert not town.agent.acted
        (action,) = await town.actions()
        assert "not bad any more" in action.outcome


async def test_a_request_writes_in_no_other_incident_than_that_of_its_link(
    tmp_path: Path,
) -> None:
    async with RepairTown(tmp_path, mode="propose") as town:
        town.columns = dict(BOTH_SLOW)
        await town.run(18)
        other = town.town.room.engine.cases[Subject.link("no1/c302")].incident
        assert other is not None
        before = town.remarks("no1/c302")
        await town.approve(await town.ask(incident=other))
        await town.run(4)
        assert town.remarks("no1/c302") == before
        assert any("The agent" in one or "switch" in one for one in town.remarks("no1/c301"))


async def test_two_that_wait_for_each_other_are_done_in_turn(tmp_path: Path) -> None:
    async with RepairTown(tmp_path, mode="propose") as town:
        one, other = await town.ask(), await town.ask(port="GE2")
        await town.approve(one)
        await town.approve(other)
        await town.run(6)
        states = {action.id: action.state for action in await town.actions()}
        assert states == {one.id: ActionState.DONE, other.id: ActionState.DONE}


async def test_the_agent_is_away(tmp_path: Path) -> None:
    async with RepairTown(tmp_path, mode="auto") as town:
        town.columns = dict(SLOW)
        town.agent.online = False
        await town.run(20)
        assert town.agent.acted == []
        assert any("could not plan it" in one for one in town.remarks())
        town.agent.online = True
        await town.run(70)
        assert [one.state for one in await town.actions()] == [ActionState.DONE]


async def test_an_answer_that_never_came_is_known_by_the_sealed_steps(tmp_path: Path) -> None:
    async with RepairTown(tmp_path, mode="auto") as town:
        town.agent.hangs = asyncio.Event()
        town.agent.steps = (S.BEGUN, S.APPLIED)
        town.columns = dict(SLOW)
        await town.run(6)
        (action,) = await town.actions()
        assert action.state is ActionState.STARTED
        await town.kill()
        late = town.agent.tell(action.id, (S.GOOD, S.PROVED, S.DONE))
        town.house.store.commit(late)  # what came while nobody was here
        town.start()
        (action,) = await town.actions()
        assert action.state is ActionState.UNKNOWN
        await town.run(8)
        (action,) = await town.actions()
        assert action.state is ActionState.DONE
        course = await town.course()
        assert [one.step for one in course.steps] == list(GOOD)
        assert course.proved is not None
        assert town.agent.acted == [town.agent.acted[0]]


async def test_a_request_of_before_the_restart_is_not_made_twice(tmp_path: Path) -> None:
    async with RepairTown(tmp_path, mode="approve") as town:
        town.columns = dict(SLOW)
        await town.run(8)
        await town.restart()
        await town.run(20)
        (action,) = await town.actions()
        assert action.state is ActionState.WAITING
        town.columns = {}
        await town.run(5)  # it is good by itself
        (action,) = await town.actions()
        assert action.state is ActionState.WITHDRAWN


async def test_a_person_who_says_no_is_not_asked_again(tmp_path: Path) -> None:
    async with RepairTown(tmp_path, mode="approve") as town:
        town.columns = dict(SLOW)
        await town.run(8)
        (action,) = await town.actions()
        await town.approvals.refuse(WANG, action, "the painter is there")
        await town.run(30)
        assert len(await town.actions()) == 1


async def test_what_the_agent_calls_cured_and_is_not(tmp_path: Path) -> None:
    async with RepairTown(tmp_path, mode="auto") as town:
        town.agent.cures = None
        town.columns = dict(SLOW)
        await town.run(120)
        assert len(town.agent.acted) == 1
        repair, measure = await town.actions()  # then it is asked whether to measure
        assert (measure.intent, measure.state) == ("cable-diagnosis", ActionState.WAITING)
        course = await town.room.course(repair.id)
        assert course is not None
        assert course.proved is None
        assert town.room.figures.outcomes["restore-negotiation", "unproved"] == 1
        assert any("and the link is not good" in one for one in town.remarks())
        assert town.room.standing(NO1).failures_today == 1


async def test_the_agent_refuses_and_the_switch_was_not_touched(tmp_path: Path) -> None:
    async with RepairTown(tmp_path, mode="auto") as town:
        town.agent.steps, town.agent.cures = (), None
        town.agent.said = "The devices are not as they were."
        town.columns = dict(SLOW)
        await town.run(25)
        (action,) = await town.actions()
        assert action.state is ActionState.FAILED
        assert town.room.figures.outcomes["restore-negotiation", "refused"] == 1
        assert town.room.standing(NO1).failures_today == 0
        assert town.room.standing(NO1).changes_today == 1


async def test_an_agent_speaks_of_its_own_actions_alone(tmp_path: Path) -> None:
    async with RepairTown(tmp_path, mode="auto") as town:
        town.agent.hangs = asyncio.Event()
        town.agent.steps, town.agent.cures = (S.BEGUN,), None
        town.columns = dict(SLOW)
        await town.run(6)
        (action,) = await town.actions()
        town.agent.tell(action.id, GOOD, school="no2")
        await town.run(2)
        assert [one.step for one in (await town.course()).steps] == [S.BEGUN]
        assert town.room.standing(NO1).under_way == 1


@pytest.mark.parametrize("name", ["add_steps", "put"])
@pytest.mark.parametrize("step", [S.BEGUN, S.DONE])
async def test_a_disk_that_is_full_for_a_moment_loses_no_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, step: S
) -> None:
    """What the agent has told is told once: the records must not be the end of it."""
    full = [False]

    async with RepairTown(tmp_path, mode="auto") as town:
        town.agent.steps, town.agent.hangs = (), asyncio.Event()
        town.columns = dict(SLOW)
        await town.run(4)
        (action,) = await town.actions()
        assert action.state is ActionState.STARTED
        whole = getattr(RepairRecords, name)

        def write(records: RepairRecords, *given: Any) -> Any:
            if full[0]:
                raise StoreError("database or disk is full")
            return whole(records, *given)

        monkeypatch.setattr(RepairRecords, name, write)
        at = GOOD.index(step)
        town.agent.tell(action.id, GOOD[:at])
        await town.run(1)
        full[0] = True
        town.agent.tell(action.id, GOOD[at:])
        await town.run(3)
        full[0] = False
        await town.run(1)
        town.agent.steps = GOOD
        town.agent.hangs.set()
        await town.run(6)
        (action,) = await town.actions()
        assert action.state is ActionState.DONE
        course = await town.course()
        assert [one.step for one in course.steps] == list(GOOD)
        assert course.proved is not None
        assert town.room.standing(NO1).under_way == 0
        assert town.room.health().ready


@pytest.mark.parametrize("at_ms", [-(2**63), 2**63 - 1])
async def test_a_moment_of_an_agent_can_be_written_on_a_page(tmp_path: Path, at_ms: int) -> None:
    async with RepairTown(tmp_path) as town:
        values: dict[str, list[Any]] = {name: ["x"] for name in REPAIRS}
        values |= {"repair_step": [int(S.BEGUN)], "repair_at_ms": [at_ms]}
        (one,) = told(town.block("repairs", REPAIRS, ("a-1",), values))
        assert datetime.fromtimestamp(one.at_ms / 1000, ZoneInfo(CITY_ZONE)).year in {1970, 2100}


async def test_what_lies_behind_dead_power_is_left_alone(tmp_path: Path) -> None:
    async with RepairTown(tmp_path, mode="auto") as town:
        town.town.give(ups_block(town, on_battery=True))
        town.columns = {"oper": [2, 1, 1]}
        await town.run(15)
        assert town.proposal() is None
        assert await town.actions() == []


@pytest.mark.parametrize(
    ("intent", "parameters", "said"),
    [
        ("fly", {"port": "GE1"}, "There is no intent"),
        ("bounce-port", {}, "'port' is missing"),
        ("bounce-port", {"port": "GE1", "speed": "9"}, "takes no parameter 'speed'"),
        ("exam-priority", {"port": "GE1"}, "'until_ms' is missing"),
        ("bounce-port", {"port": "GE9"}, "shows no port 'GE9'"),
    ],
)
async def test_what_cannot_be_asked_for(
    tmp_path: Path, intent: str, parameters: dict[str, str], said: str
) -> None:
    async with RepairTown(tmp_path, mode="propose") as town:
        more = dict(parameters)
        with pytest.raises(PlanError, match=said):
            await town.ask(intent, **({"port": ""} | more))
        assert town.agent.planned == []


def ups_block(town: RepairTown, *, on_battery: bool) -> Block:
    made: dict[str, Any] = {name: [None] for name in UPS} | {"on_battery": [int(on_battery)]}
    return town.block("ups", UPS, ("ups",), made, subject="ups/u1").block


async def test_what_waited_while_a_person_tried_is_refused(tmp_path: Path) -> None:
    async with RepairTown(tmp_path, mode="approve") as town:
        town.columns = dict(SLOW)
        await town.run(8)
        (waiting,) = await town.actions()
        town.agent.cures, town.agent.steps, town.agent.cable = None, BAD, OPEN
        await town.approve(await town.ask())
        await town.run(4)
        await town.approve(waiting)
        await town.run(4)
        ended = await town.approvals.get(waiting.id)
        assert ended is not None
        assert (ended.state, ended.outcome) == (
            ActionState.REFUSED,
            "this fault was tried before",
        )
        assert len(town.agent.acted) == 1
