"""The controller as one piece, with a real broker and a real agent's uplink."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.commands import Code, CommandFailed
from controller.host_state import HOST_STATE_FILE
from controller.plan import plan_of
from controller.service import Controller
from controller.store.protocols import LinkChange, StoreError
from controller.store.records import SqlRecords, _change
from controller.store.tables import LinkChangeRow
from controller.views import Change
from drivers.wire.embedded import EmbeddedBroker
from tenone.config import City
from tenone.runtime.clock import SystemClock
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Cause, Tier, Verdict

from .harness import SchoolAgent, city_config, until


@pytest.fixture
async def broker() -> AsyncIterator[EmbeddedBroker]:
    async with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture
def config(tmp_path: Path, broker: EmbeddedBroker) -> City:
    return city_config(tmp_path / "city", broker_port=broker.port)


def verdict(controller: Controller, link: str) -> tuple[Verdict, tuple[Cause, ...]]:
    found = controller.city.link(link)
    assert found is not None
    return found[1].verdict, tuple(found[1].causes)


async def test_from_a_kept_block_to_a_verdict_a_change_a_record_and_a_receipt(
    tmp_path: Path, config: City, broker: EmbeddedBroker
) -> None:
    told: list[Change] = []
    async with Controller(config, clock=SystemClock()) as controller:
        controller.city.listen(told.extend)
        assert verdict(controller, "no1/c301")[0] is Verdict.UNKNOWN
        async with SchoolAgent(tmp_path / "agent", port=broker.port) as agent:
            await agent.keep_ports(speed_mbps=[100, 1000, 10_000])
            await agent.keep_board(online=[1], app=["bell"])
            await until(
                lambda: verdict(controller, "no1/c301") == (Verdict.BAD, (Cause.SPEED,)),
                20,
                "the class is judged",
            )
            await agent.drained(20)
            assert verdict(controller, "no1/up") == (Verdict.GOOD, ())
            await agent.keep_ports()
            await until(
                lambda: verdict(controller, "no1/c301")[0] is Verdict.GOOD, 20, "it is repaired"
            )
            overview = controller.city.overview(ScopePath())
            assert (overview.schools_good, overview.boards_online) == (1, 1)
            assert controller.figures().blocks_total == 3
            assert all(part().ready for part in controller.health())
        await until(
            lambda: verdict(controller, "no1/up") == (Verdict.UNKNOWN, (Cause.AGENT_SILENT,)),
            20,
            "a dead agent is silent at once",
        )
    assert {"link", "school", "agent", "board", "overview"} <= {one.kind for one in told}
    history = [
        (change.link, change.verdict)
        for change in sorted(changes(config), key=lambda one: one.at_ns)
        if change.link == "no1/c301"
    ]
    assert history == [("no1/c301", Verdict.BAD), ("no1/c301", Verdict.GOOD)]


def changes(config: City) -> list[LinkChange]:
    records = SqlRecords(config.records.url)
    with Session(records.engine) as session:
        found = [_change(row) for row in session.scalars(select(LinkChangeRow))]
    records.close()
    return found


async def test_a_restart_knows_since_when(
    tmp_path: Path, config: City, broker: EmbeddedBroker
) -> None:
    async with SchoolAgent(tmp_path / "agent", port=broker.port) as agent:
        async with Controller(config, clock=SystemClock()) as first:
            await agent.keep_ports()
            await until(lambda: verdict(first, "no1/up")[0] is Verdict.GOOD, 20, "judged")
            await agent.drained(20)
            found = first.city.link("no1/up")
            assert found is not None
            since = found[1].since
        recorded = len(changes(config))
        async with Controller(config, clock=SystemClock()) as second:
            await until(
                lambda: verdict(second, "no1/up")[0] is Verdict.GOOD,
                30,
                "the birth brings the newest blocks back",
            )
            found = second.city.link("no1/up")
            assert found is not None
            assert found[1].since == since
            assert second.figures().blocks_total == 0, "nothing new was stored"
    assert len(changes(config)) == recorded, "a restart is no change"
    assert (config.store.path / HOST_STATE_FILE).exists()


async def test_poll_now_in_all_its_outcomes(
    tmp_path: Path, config: City, broker: EmbeddedBroker
) -> None:
    asked: list[object] = []

    async def poll(arguments: Mapping[str, object]) -> str:
        asked.append(arguments["switch"])
        if len(asked) == 2:
            raise CommandFailed(Code.FAILED, "sw1 did not answer")
        return "sw1 answered"

    async with Controller(config, clock=SystemClock()) as controller:
        reply = await controller.asking.poll_now("no9", None)
        assert (reply.state, reply.code) == ("failed", "unknown-school")
        reply = await controller.asking.poll_now("no1", "sw1")
        assert (reply.state, reply.code) == ("failed", "agent-silent")
        agent = SchoolAgent(tmp_path / "agent", port=broker.port, verbs={"Poll": poll})
        async with agent:
            await until(lambda: bool(controller.link.nodes), 20, "the agent is born")
            reply = await controller.asking.poll_now("no1", "sw2")
            assert (reply.state, reply.code) == ("failed", "unknown-switch")
            reply = await controller.asking.poll_now("no1", "sw1")
            assert (reply.state, reply.code, reply.message) == ("successful", "", "sw1 answered")
            reply = await controller.asking.poll_now("no1", None)
            assert (reply.state, reply.message) == ("failed", "sw1 did not answer")
            assert asked == ["sw1", "sw1"]


async def test_a_broker_that_is_away_is_told_and_the_rest_works(tmp_path: Path) -> None:
    config = city_config(tmp_path, broker_port=1)
    async with Controller(config, clock=SystemClock()) as controller:
        await until(lambda: "cannot be reached" in controller.link.trouble, 20, "told")
        ready = {part().name: part().ready for part in controller.health()}
        assert {name for name, well in ready.items() if not well} == {"broker"}
        assert set(ready) >= {"broker", "store", "records", "tasks", "evidence", "export"}
        assert controller.city.overview(ScopePath()).schools_unknown == 1


async def test_records_that_cannot_be_written_are_told_and_tried_again(
    tmp_path: Path, config: City, broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Controller(config, clock=SystemClock()) as controller:
        kept = controller.records.append_changes
        refused = asyncio.Event()

        def refuse(_changes: object) -> None:
            refused.set()
            raise StoreError("the records are on a full disk")

        monkeypatch.setattr(controller.records, "append_changes", refuse)
        async with SchoolAgent(tmp_path / "agent", port=broker.port) as agent:
            await agent.keep_ports()
            async with asyncio.timeout(20):
                await refused.wait()
            await until(
                lambda: any("full disk" in part().sentence for part in controller.health()),
                20,
                "it is told",
            )
            monkeypatch.setattr(controller.records, "append_changes", kept)
            await until(lambda: all(p().ready for p in controller.health()), 30, "it is mended")
    assert {change.link for change in changes(config)} == {"no1/up", "no1/c301", "no1/c302"}


@pytest.mark.parametrize("text", ["{}", "no json", '{"state_ms": "x"}'])
async def test_a_spoilt_host_state_is_no_obstacle(tmp_path: Path, text: str) -> None:
    config = city_config(tmp_path, broker_port=1)
    config.store.path.mkdir(parents=True)
    (config.store.path / HOST_STATE_FILE).write_text(text)
    async with Controller(config, clock=SystemClock()):
        pass


async def test_two_controllers_on_one_store_are_one_too_many(tmp_path: Path) -> None:
    config = city_config(tmp_path, broker_port=1)
    async with Controller(config, clock=SystemClock()):
        with pytest.raises(StoreError, match="another controller"):
            await Controller(config, clock=SystemClock()).start()


def test_the_plan_says_what_the_configuration_says(tmp_path: Path) -> None:
    plan = plan_of(city_config(tmp_path, broker_port=1, schools=["no1", "no2"]))
    assert [school.id for school in plan.schools] == ["no1", "no2"]
    chinese = [plan.name_zh, plan.districts[0].name_zh, plan.schools[0].name_zh]
    assert chinese == ["滨海市", "东区", "学校no1"]
    link = next(one for one in plan.links if one.id == "no2/up")
    assert (link.tier, link.contract_mbps, link.switch, link.port) == (
        Tier.UPLINK, 10_000, "sw1", "XGE1",
    )  # fmt: skip
    assert plan.schools[0].stale_after_seconds == 30
    assert [device.id for device in plan.devices] == ["no1/board/b1", "no2/board/b1"]
    assert str(plan.scope_of(plan.schools[0])) == "binhai/east/no1"
