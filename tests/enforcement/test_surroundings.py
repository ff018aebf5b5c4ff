"""What the guards are told: calendars, planned work, cables, allowances, power, boards."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest

from controller.enforcement.model import GuardName, Held
from controller.incidents.maintenance import Window
from controller.plan import CityPlan
from controller.repairs import PlannedWorks
from controller.state.live import LiveState
from controller.topology.model import Edge, Heard
from controller.topology.room import TopologyRoom
from tenone.calendar.public import Overrides, Weekday
from tenone.calendar.school import BellSchedule, Period, SchoolCalendar, Special, Term
from tenone.vocabulary.body import OPTICS, POE, PoeStatus
from tenone.vocabulary.intents import Intent
from tests.controller.conftest import small_city
from tests.enforcement.town import NO1, SLOW, RepairTown

G = GuardName
SECOND = 10**9
BELLS = BellSchedule((Period("1", time(8), time(8, 40)), Period("2", time(8, 50), time(9, 30))))
MONDAY = date(2026, 11, 23)
CALENDAR = SchoolCalendar(
    public=Overrides(days={}, complete_years=frozenset({2026})),
    weekdays={day: BELLS for day in Weekday if not day.weekend},
    terms=[Term("autumn", date(2026, 9, 1), date(2027, 1, 20))],
    exams={date(2026, 11, 25): Special("finals", BELLS)},
)


def plan() -> CityPlan:
    city = small_city()
    return replace(city, schools=[replace(one, calendar=CALENDAR) for one in city.schools])


@asynccontextmanager
async def town_at(
    folder: Path, moment: str = "2026-11-23T07:00+08:00", **more: Any
) -> AsyncIterator[RepairTown]:
    async with RepairTown(folder, plan=plan(), **more) as town:
        wanted_ns = round(datetime.fromisoformat(moment).astimezone(UTC).timestamp()) * SECOND
        town.clock.step_wall((wanted_ns - town.clock.wall_ns()) / SECOND)
        yield town


def held(
    town: RepairTown,
    intent: Intent = Intent.BOUNCE_PORT,
    at: str = "sw1 GE1",
    *,
    automatic: bool = False,
    by: str = "account:li",
) -> list[Held]:
    switch, _, port = at.partition(" ")
    wanted = town.room.gate.wanted(
        intent,
        "no1",
        {"switch": switch, "port": port},
        automatic=automatic,
        by=by,
    )
    assert wanted is not None
    return town.room.gate.held(wanted)


def guards(town: RepairTown, intent: Intent = Intent.BOUNCE_PORT, **more: Any) -> set[GuardName]:
    return {one.guard for one in held(town, intent, **more)}


@pytest.mark.parametrize(
    ("moment", "intent", "expected"),
    [
        ("2026-11-23T07:00+08:00", Intent.BOUNCE_PORT, set()),
        ("2026-11-23T08:00+08:00", Intent.BOUNCE_PORT, {G.CLASS_HOURS}),
        ("2026-11-23T08:00+08:00", Intent.EXAM_PRIORITY, set()),
        ("2026-11-23T07:58:30+08:00", Intent.BOUNCE_PORT, {G.CLASS_HOURS}),  # it might not end
        ("2026-11-23T08:41+08:00", Intent.BOUNCE_PORT, set()),  # the break
        ("2026-11-23T08:49+08:00", Intent.BOUNCE_PORT, {G.CLASS_HOURS}),
        ("2026-11-22T08:00+08:00", Intent.BOUNCE_PORT, set()),  # Sunday
        ("2027-03-01T03:00+08:00", Intent.BOUNCE_PORT, {G.CLASS_HOURS}),  # no term is known
        ("2026-11-25T03:00+08:00", Intent.BOUNCE_PORT, {G.EXAM}),
        ("2026-11-25T03:00+08:00", Intent.EXAM_PRIORITY, set()),
        ("2026-11-24T23:30+00:00", Intent.BOUNCE_PORT, {G.EXAM}),  # the city's date
        ("2026-12-01T03:00+08:00", Intent.BOUNCE_PORT, {G.FREEZE}),
    ],
)
async def test_time(tmp_path: Path, moment: str, intent: Intent, expected: set[GuardName]) -> None:
    freeze = {"first": date(2026, 12, 1), "last": date(2026, 12, 1), "why": "inspection"}
    async with town_at(tmp_path, moment, freezes=[freeze]) as town:
        assert guards(town, intent) == expected


async def test_in_class_what_is_dark_may_be_touched_where_the_city_says_so(tmp_path: Path) -> None:
    async with town_at(tmp_path, "2026-11-23T08:10+08:00", in_class="dark") as town:
        assert guards(town) == {G.CLASS_HOURS}
        town.columns = {"oper": [2, 1, 1]}
        await town.run(2)
        assert guards(town) == set()
        assert guards(town, at="sw1 GE2") == {G.CLASS_HOURS}


async def test_planned_work_of_others(tmp_path: Path) -> None:
    async with town_at(tmp_path) as town:
        now_ns = town.clock.wall_ns()
        window = Window(
            id="w1",
            scope=NO1,
            link="no1/c301",
            start_ns=now_ns,
            end_ns=now_ns + 3600 * SECOND,
            reason="new cables",
            asked_by="Li (account:li)",
            approved_by="Wang",
            made_ns=now_ns,
        )
        await town.town.room.put_window(window)
        assert guards(town, by="account:li") == set()
        for name in ("Li", "Wang", "Li (account:li)", ""):  # names are no proof of who it is
            assert guards(town, by=name) == {G.MAINTENANCE}
        assert guards(town, by="account:zhao") == {G.MAINTENANCE}
        assert guards(town, automatic=True) >= {G.MAINTENANCE}
        assert guards(town, at="sw1 GE2", by="account:zhao") == set()
        works = PlannedWorks(town.town.room)
        assert works.over("no1", "no1/c301", now_ns - 1) == []
        for said in ("account:li", "Li (operator 12ab34cd)", "Li", "Li (account:li) (viewer 1)"):
            await town.town.room.put_window(replace(window, asked_by=said))
            assert guards(town, by="account:li") == {G.MAINTENANCE}
        assert works.over("no1", "no1/c301", now_ns)[0].who == "Li (account:li), Wang"
        town.columns = {"admin": [2, 1, 1], "oper": [2, 1, 1]}
        await town.run(6)
        proposal = town.proposal()
        assert proposal is not None
        assert "planned work" in proposal.sentence["en"]


async def test_cables_that_are_heard(tmp_path: Path) -> None:
    async with town_at(tmp_path) as town:
        topology = TopologyRoom(town.house)
        town.room._around._cabling = _cabling(topology)
        net = topology.nets["no1"]
        assert guards(town, at="sw1 GE2") == set()
        heard = Heard(switch="sw1", port="GE2", protocol="lldp", name="x", mac="02:00:00:00:00:01")
        net.edges[heard.key] = Edge(heard=heard, since_ns=0)
        town.clock.advance(3)
        assert guards(town, at="sw1 GE2") == set()  # foreign gear in a classroom carries nobody
        own = replace(heard, mac=None, name="sw1")  # it is ours: nobody else is called so
        net.edges = {own.key: Edge(heard=own, since_ns=0)}
        town.clock.advance(3)
        assert guards(town, at="sw1 GE2") == {G.MANAGEMENT}


def _cabling(topology: TopologyRoom) -> Any:
    from controller.repairs import LearntCabling  # noqa: PLC0415 - one test needs it

    return LearntCabling(topology)


@pytest.mark.parametrize(
    ("cli", "at", "expected"),
    [
        ({}, "sw1 XGE1", {G.UPLINK}),
        ({"allowed": ["XGE1"]}, "sw1 XGE1", set()),
        ({"protected": ["GE1"]}, "sw1 GE1", {G.EMERGENCY}),
        ({"intents": ["enable-port"]}, "sw1 GE1", {G.NO_CLI}),
        ({}, "sw9 GE1", {G.UNKNOWN_PORT, G.MANAGEMENT, G.NO_CLI}),
    ],
)
async def test_what_school_yaml_says(
    tmp_path: Path, cli: Mapping[str, Any], at: str, expected: set[GuardName]
) -> None:
    async with town_at(tmp_path, cli=cli) as town:
        assert guards(town, at=at) == expected


async def test_what_the_city_allows(tmp_path: Path) -> None:
    async with town_at(tmp_path, allowed_links=["no1/up", "no2/c101", "no7/x"]) as town:
        assert guards(town, at="sw1 XGE1") == set()
        assert guards(town, Intent.QUARANTINE, at="sw1 XGE1") == {G.UPLINK}


async def test_power_light_and_boards(tmp_path: Path) -> None:
    async with town_at(tmp_path) as town:
        around = town.room._around
        number = around.link_at("no1", "sw1", "GE1")
        assert number is not None
        town.columns = dict(SLOW)
        await town.run(1)

        def told(stream: str, columns: tuple[str, ...], key: str, **values: Any) -> None:
            made = {name: [values.get(name)] for name in columns}
            block = town.block(stream, columns, (key,), made, subject="switch/sw1")
            town.town.bus.block(block)
            around.take()

        def facts() -> Any:
            assert number is not None
            said = town.room.gate.attempts.tried("no1/c301", 4, 0)
            return around.link_facts(number, "GE1", said, shadow=None, seen_open=True)

        assert (facts().poe, facts().fibre, facts().board_online) == (None, False, None)
        told("poe", POE, "GE2", poe_status=3)
        assert facts().poe is None
        told("poe", POE, "GE1", poe_status=3)
        assert facts().poe is PoeStatus.DELIVERING
        told("poe", POE, "GE1", poe_status=99)
        assert facts().poe is None
        told("optics", OPTICS, "GE1|2", rx_dbm=-3.0)
        assert facts().fibre
        board = town.town.journals["no1"].boards(["b1"], online=[0])
        town.town.give(board)
        assert facts().board_online is False
        assert (facts().speed_mbps, facts().meant) == (100, None)


async def test_ports_are_known_by_what_their_switch_calls_them(tmp_path: Path) -> None:
    async with town_at(tmp_path) as town:
        live: LiveState = town.house.live
        number = live.numbering.link_number["no1/c301"]
        assert live.port_key(number) == "GE1"
        switch = live.numbering.switch_number["no1", "sw1"]
        assert live.ports_shown(switch) == {"GE1", "GE2", "XGE1"}
        assert live.port_meant(switch, "GE77") is None
        assert (live.port_oper(switch, "GE1"), live.port_oper(switch, "GE77")) == (1, 0)
        assert town.room._around.link_at("no1", "sw1", "GE77") is None
