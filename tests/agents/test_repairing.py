"""What an agent offers: plans where a switch has a command line, changes where keys are pinned."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from agents.approvals import KEYS_VERB, VERB, pin_first_keys
from agents.boards import BoardTable
from agents.configurations import Configurations
from agents.origin import Origin
from agents.repairing import AfterChanges, boards_heard, make_repairs, verbs_of
from agents.workshop import PLAN_VERB
from drivers.devices.board import read_message
from drivers.devices.message import parse_topic
from tenone.config import School
from tenone.config.school import Device
from tenone.journal.disk import OsDisk
from tenone.trust.approval_keys import KeySet, KeySetError
from tenone.vocabulary.intents import Dialect
from tenone.vocabulary.repairs import RepairStep
from tenone.vocabulary.scope import DeviceKind
from tests.agents.conftest import Kept, until
from tests.agents.repair_bench import SimSchool
from tests.agents.test_pending import PENDING
from tests.trust.approving import PUBLIC


def made(sim: SimSchool, school: School) -> Any:
    origin = Origin(school="no1", boot_id=bytes(16), clock=sim.clock)
    repairs = make_repairs(
        school,
        consoles=sim.consoles,
        eyes=sim.eyes,
        origin=origin,
        keep=Kept().keep,
        disk=OsDisk(),
        table=lambda: None,
    )
    return repairs, verbs_of(repairs, school, origin=origin, disk=OsDisk())


def test_verbs_by_what_there_is(tmp_path: Path) -> None:
    sim = SimSchool(tmp_path, Dialect.COMWARE)
    outbox = sim.config.outbox.path
    bare = sim.config.model_copy(update={"switches": ()})
    assert made(sim, bare) == (None, {})
    assert set(made(sim, sim.config)[1]) == {PLAN_VERB}
    pin_first_keys(outbox, KeySet(city="c", number=1, current=PUBLIC), OsDisk())
    assert set(made(sim, sim.config)[1]) == {PLAN_VERB, VERB, KEYS_VERB}
    (outbox / "approval-keys").write_text("rubbish")
    with pytest.raises(KeySetError):
        made(sim, sim.config)


def test_boards_of_a_room_that_were_heard(tmp_path: Path) -> None:
    sim = SimSchool(tmp_path, Dialect.COMWARE)
    school = sim.config.model_copy(
        update={
            "devices": tuple(
                Device(kind=DeviceKind.BOARD, serial=f"b-{number}", room=room)
                for number, room in enumerate(("r1", "r1", "r2"))
            )
        }
    )
    table = BoardTable(["b-0", "b-1", "b-2"])
    assert boards_heard(school, None, "r1") == {}
    for n in (1, 2, 2):
        topic = parse_topic("t1/board/b-0/m")
        payload = b'{"ts":1,"n":%d,"boot":"x","v":{}}' % n
        table.apply(read_message(topic, payload, 1))
    assert boards_heard(school, table, "r1") == {"b-0": 2}
    assert boards_heard(school, table, "r2") == {}
    assert boards_heard(school, table, None) == {}


async def test_a_configuration_is_fetched_when_an_action_has_ended() -> None:
    asked: list[tuple[str, str, str | None]] = []

    class Care:
        async def fetch(self, switch: str, *, why: str, ours: str | None) -> None:
            asked.append((switch, why, ours))

    after = AfterChanges(cast("Configurations", Care()))
    for step in (RepairStep.BEGUN, RepairStep.DONE, RepairStep.UNDONE):
        after.heard(PENDING, step)
    task = asyncio.ensure_future(after.run())
    await until(lambda: len(asked) == 2)
    task.cancel()
    assert asked == [("core", "after a-1", PENDING.port), ("core", "after a-1", None)]


def test_of_too_many_that_wait_the_oldest_is_left_out_and_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    after = AfterChanges(cast("Configurations", None), most=2)
    for number in range(3):
        after.heard(replace(PENDING, action=f"a-{number}"), RepairStep.DONE)
    assert "not fetched after a-0" in caplog.text
    assert [after._ended.get_nowait()[0].action for _ in range(2)] == ["a-1", "a-2"]
