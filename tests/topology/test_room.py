"""The room with real records: blocks in, dated rows, restarts, what it tells and shows."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import pytest
import sqlalchemy as sa

import controller.service  # noqa: F401 - every room brings its tables
from controller.bus import Bus
from controller.house import House
from controller.incidents.learnt import LearntParents
from controller.incidents.model import Kind, Subject
from controller.incidents.parents import PlanParents
from controller.plan import (
    CityPlan,
    DevicePlan,
    DistrictPlan,
    LinkPlan,
    SchoolPlan,
    SwitchPlan,
)
from controller.store.protocols import StoreError
from controller.store.records import SqlRecords
from controller.topology.room import RETRY_SECONDS, TopologyRoom
from controller.topology.tables import DriftRow, TopologyEdgeRow
from tenone.blocks.columns import Value
from tenone.blocks.layout import Layout
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.metrics import PORT_INVENTORY
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Tier
from tenone.vocabulary.surroundings import SURROUNDINGS
from tests.controller.conftest import NOON_NS, FakeJournal

P = ParamSpec("P")
T = TypeVar("T")
EVERYTHING = ScopePath()
MAC = {"core": "02:00:00:00:00:01", "f1": "02:00:00:00:00:02"}


def link(name: str, tier: Tier, switch: str, port: str, room: str | None) -> LinkPlan:
    return LinkPlan(
        school="no1", link=name, name=name, tier=tier, room=room, contract_mbps=1000,
        switch=switch, port=port,
    )  # fmt: skip


def plan(*switches: str) -> CityPlan:
    return CityPlan(
        id="binhai",
        name="Binhai",
        districts=[DistrictPlan(id="east", name="East")],
        schools=[SchoolPlan(id="no1", district="east", name="No. 1")],
        switches=[SwitchPlan(school="no1", name=name) for name in switches],
        links=[
            link("up", Tier.UPLINK, "core", "X1", None),
            link("c1", Tier.CLASS, "f1", "G1", "r1"),
        ],
        devices=[],
    )


class Stage:
    """A room, its records and the agent's journal; :meth:`restart` makes a new room."""

    def __init__(self, folder: Path, city: CityPlan | None = None) -> None:
        self.city = city
        self.records = SqlRecords(f"sqlite:///{folder}/records.db")
        self.records.start()
        self.clock = ManualClock()
        self.bus = Bus()
        self.journal = FakeJournal()
        self.fail = False
        self.at_ns = NOON_NS
        self.room = self.restart()

    def restart(self, *switches: str) -> TopologyRoom:
        async def in_records(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
            if self.fail:
                raise StoreError("the disk is full")
            return work(*args, **kwargs)

        house = cast(
            "House",
            _Lent(
                plan=self.city or plan(*(switches or ("core", "f1"))),
                clock=self.clock,
                records=self.records,
                bus=self.bus,
                in_records=in_records,
            ),
        )
        self.room = TopologyRoom(house)
        self.room.open()
        return self.room

    async def say(
        self, stream: str, switch: str, rows: Mapping[str, Mapping[str, Value]], after: int = 10**9
    ) -> None:
        """A block of ``stream``; rows of what is known."""
        self.at_ns += after
        columns = PORT_INVENTORY if stream == "port-inventory" else SURROUNDINGS[stream]
        layout = Layout(stream, columns, tuple(rows))
        values = {name: [row.get(name) for row in rows.values()] for name in columns}
        block = self.journal.block(layout, f"no1/switch/{switch}", values, wall_ns=self.at_ns)
        await self.room.take([self.journal.arrival(block)])

    async def identify(self, switch: str, serial: str) -> None:
        said = {"own_serial": serial, "own_base_mac": MAC[switch]}
        await self.say("switch-identity", switch, {switch: said})

    async def neighbours(self, switch: str, **ports: str) -> None:
        """``X2="f1"``: on port X2 the switch f1 is heard."""
        rows = {
            f"{port}|1": {
                "neighbour_port": port,
                "neighbour_protocol": "lldp",
                "neighbour_mac": MAC.get(whom, whom),
                "neighbour_name": "HUAWEI",
                "neighbour_capabilities": "bridge",
            }
            for port, whom in ports.items()
        }
        await self.say("neighbours", switch, rows)

    async def all_well(self) -> None:
        for switch in MAC:
            await self.identify(switch, f"S-{switch}")
        await self.neighbours("core", X2="f1")
        await self.neighbours("f1", X1="core")

    def rows(self, table: Any) -> Sequence[Any]:
        with self.records.unit() as unit:
            return unit.scalars(sa.select(table).order_by(table.row)).all()

    def kinds(self) -> list[object]:
        return [one["kind"] for one in self.room.drift(EVERYTHING)]


class _Lent:
    """What a house lends this room."""

    def __init__(self, **what: object) -> None:
        self.__dict__.update(what)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.records.close()


async def test_cables_are_dated_and_survive_a_restart(stage: Stage) -> None:
    await stage.all_well()
    graph = stage.room.graph("no1")
    edges = cast("list[dict[str, Any]]", graph["edges"])
    assert [one["kind"] for one in edges].count("cable") == 2  # far ports not told: both ends
    before = {(row.switch, row.port): row.valid_from_ns for row in stage.rows(TopologyEdgeRow)}
    assert len(before) == 2
    stage.restart()
    assert stage.room.nets["no1"].tree.parents("switch/f1") == ("switch/core",)
    for _ in range(3):
        await stage.neighbours("core")
    rows = stage.rows(TopologyEdgeRow)
    assert [(row.switch, row.valid_to_ns == stage.at_ns) for row in rows] == [
        ("core", True),
        ("f1", False),
    ]
    assert {(row.switch, row.port): row.valid_from_ns for row in rows} == before


async def test_drift_is_dated_and_resolved_by_evidence(stage: Stage) -> None:
    await stage.all_well()
    assert stage.kinds() == []
    await stage.identify("f1", "S-new")
    began = stage.at_ns
    assert stage.kinds() == ["switch-replaced"]
    stage.restart()
    (standing,) = stage.room.drift(EVERYTHING)
    assert standing["since"] == began / 1e9
    assert "S-new" in str(standing["sentence"])
    await stage.identify("f1", "S-f1")
    assert stage.kinds() == []
    (row,) = stage.rows(DriftRow)
    assert (row.valid_from_ns, row.valid_to_ns) == (began, stage.at_ns)
    (past,) = await stage.room.past_drift(EVERYTHING)
    assert past["resolved_at"] == stage.at_ns / 1e9


async def test_a_replaced_switch_is_accepted_and_stays_so(stage: Stage) -> None:
    await stage.all_well()
    await stage.identify("f1", "S-new")
    (standing,) = stage.room.drift(EVERYTHING)
    assert await stage.room.accept("another", EVERYTHING) is None
    assert await stage.room.accept(str(standing["id"]), ScopePath.parse("binhai/west")) is None
    assert await stage.room.accept(str(standing["id"]), EVERYTHING) is not None
    stage.restart()
    assert stage.kinds() == []
    await stage.say("port-inventory", "f1", {"X1": {"if_index": 1}})
    (missing,) = stage.room.drift(EVERYTHING)
    assert missing["kind"] == "port-missing"
    with pytest.raises(ValueError, match="configuration"):
        await stage.room.accept(str(missing["id"]), EVERYTHING)


async def test_a_backlog_does_not_undo_the_present(stage: Stage) -> None:
    await stage.all_well()
    await stage.identify("f1", "S-f1")
    stage.at_ns -= 10 * 10**9
    await stage.identify("f1", "S-older")
    assert stage.kinds() == []


async def test_what_the_configuration_no_longer_has_is_closed(stage: Stage) -> None:
    await stage.all_well()
    stage.restart("core")
    await stage.room.keep()
    standing = [row.switch for row in stage.rows(TopologyEdgeRow) if row.valid_to_ns is None]
    assert standing == ["core"]


async def test_what_cannot_be_written_is_not_forgotten(stage: Stage) -> None:
    await stage.all_well()
    stage.fail = True
    saying = asyncio.ensure_future(stage.neighbours("f1", X1="core", G2="02:00:00:00:00:99"))
    async with asyncio.timeout(10):
        while stage.room.health().ready:  # noqa: ASYNC110 - health is no event
            await asyncio.sleep(0.001)
    assert stage.room.health().sentence == "the disk is full"
    stage.fail = False
    stage.clock.advance(RETRY_SECONDS)
    await saying
    assert stage.room.health().ready
    assert [row.port for row in stage.rows(TopologyEdgeRow)] == ["X2", "X1", "G2"]
    assert [row.kind for row in stage.rows(DriftRow)] == ["unknown-neighbour"]


async def test_incidents_learn_who_hangs_on_whom(stage: Stage) -> None:
    """The room's word through the composition's ears: f1 is behind core."""
    parents = LearntParents(PlanParents(plan("core", "f1")))
    f1, core = (Subject("no1", Kind.SWITCH, name) for name in ("f1", "core"))
    uplink = Subject.link("no1/up")
    assert parents.of(f1) == ((uplink,),)
    stage.room.listen(parents.learn)
    await stage.all_well()
    assert parents.of(f1) == ((core,), (uplink,))
    assert parents.of(core) == ()
    assert set(parents.behind(core)) == {"no1/up", "no1/c1"}
    for _ in range(3):
        await stage.neighbours("core")
        await stage.neighbours("f1")
    assert parents.of(f1) == ((uplink,),)


async def test_a_listener_that_comes_late_hears_what_is_known(stage: Stage) -> None:
    await stage.all_well()
    heard: list[str] = []
    stage.room.listen(lambda school, carriers, _shadows: heard.append(f"{school}:{len(carriers)}"))
    assert heard == ["no1:2"]


BOARD = "02:00:00:00:00:b1"


async def board_at(stage: Stage, switch: str, port: str) -> None:
    """The board's address is learnt there, and on no other switch."""
    for one in MAC:
        row: dict[str, Value] = {"station_mac": BOARD, "station_port": port}
        await stage.say("stations", one, {f"{BOARD}@{port}": row} if one == switch else {})


async def test_the_room_the_inventory_knows_is_where_a_device_belongs(tmp_path: Path) -> None:
    board = DevicePlan(school="no1", kind="board", serial="b1", name="Board", room="r1", mac=BOARD)
    stage = Stage(tmp_path, replace(plan("core", "f1"), devices=[board]))
    await stage.all_well()
    await board_at(stage, "core", "G7")
    (drift,) = stage.room.drift(EVERYTHING)
    assert (drift["kind"], drift["expected"], drift["seen"]) == ("moved", "f1 G1", "core G7")
    stage.records.close()


async def test_a_moved_device_stays_moved_over_a_restart_until_the_switch_has_spoken(
    stage: Stage,
) -> None:
    await stage.all_well()
    await board_at(stage, "f1", "G1")
    await board_at(stage, "core", "G7")
    (before,) = stage.room.drift(EVERYTHING)
    stage.restart()
    await stage.identify("core", "S-core")
    (after,) = stage.room.drift(EVERYTHING)
    assert after == before
    await board_at(stage, "f1", "G1")
    assert stage.kinds() == []
    (row,) = stage.rows(DriftRow)
    assert row.valid_to_ns is not None
