"""MTTA and the stages of repairs in reports, each with how many incidents it rests on."""

from dataclasses import replace

import pytest

from controller.evidence import bundle
from controller.evidence.desk import Desk
from controller.evidence.repairs import repairs_json
from controller.evidence.report import CLAUSES
from controller.evidence.verify import verify
from controller.sla.repair import Course, Repair
from controller.store.protocols import NS
from tenone.calendar.intervals import Intervals
from tests.evidence.test_verify import ASKED, END_NS, MADE, rewritten
from tests.evidence.world import MORNING_NS, World, random_morning

T0 = MORNING_NS
MINUTE = 60 * NS
ALWAYS = Intervals.of([(0, 2**62)])
DISTRICTS = {"no1": "east", "no2": "west"}


def repair(
    school: str = "no1",
    *,
    link: str | None = "c301",
    told: bool = True,
    level: str | None = "school",
    acknowledged: int | None = 5,
    fixed: int | None = 12,
    verified: int | None = 13,
) -> Repair:
    """Began at T0, seen after a minute, told after two; the others in minutes."""

    def at(minutes: int | None) -> int | None:
        return None if minutes is None else T0 + minutes * MINUTE

    return Repair(
        school=school,
        link=None if link is None else f"{school}/{link}",
        level=level if told else None,
        alarmed_ns=at(2) if told else None,
        course=Course(
            began_ns=T0,
            detected_ns=at(1),
            acknowledged_ns=at(acknowledged),
            fixed_ns=at(fixed),
            verified_ns=at(verified),
        ),
    )


def test_worked_means_by_scope_level_and_link() -> None:
    told = repairs_json(
        [
            repair(),
            repair(acknowledged=11, link=None),
            repair(acknowledged=None, fixed=None, verified=None),  # open, nobody took it
            repair(told=False, acknowledged=None),
            repair("no2", level="city", acknowledged=32, fixed=42, verified=43),
        ],
        DISTRICTS,
        lambda _one, start, end: ALWAYS.within(start, end),
        "binhai",
    )
    city, *others = told["groups"]
    assert [one["scope"] for one in others] == [
        "binhai/east", "binhai/west", "binhai/east/no1", "binhai/west/no2",
    ]  # fmt: skip
    assert (city["incidents"], city["held_back"]) == (4, 1)
    assert (city["mtta_seconds"], city["mtta_incidents"]) == ((3 + 9 + 30) * 60 / 3, 3)
    assert (city["detect_seconds"], city["detect_incidents"]) == (60.0, 4)
    assert (city["acknowledge_seconds"], city["acknowledge_incidents"]) == ((4 + 10 + 31) * 20.0, 3)
    assert (city["fix_seconds"], city["fix_incidents"]) == ((7 + 1 + 10) * 20.0, 3)
    assert (city["verify_seconds"], city["verify_incidents"]) == (60.0, 3)
    assert others[0]["incidents"] == 3
    assert [one["level"] for one in told["levels"]] == ["city", "school"]
    assert told["links"]["no1/c301"]["incidents"] == 2
    assert told["links"]["no1/c301"]["held_back"] == 1


def test_none_where_there_is_none() -> None:
    told = repairs_json([], DISTRICTS, lambda *_: ALWAYS, "binhai")
    (city,) = told["groups"]
    assert city["incidents"] == 0
    assert {value for name, value in city.items() if name.endswith("_seconds")} == {None}
    assert told["levels"] == []
    assert told["links"] == {}


@pytest.fixture
def told(world: World) -> World:
    world.commit(random_morning(world, 1))
    world.settle(END_NS + NS)
    return world


def desk(world: World, *repairs: Repair) -> Desk:
    return Desk(
        city="binhai", schools={"no1": world.school}, rollups=world.rollups, seals=world.seals,
        blocks=world.store, names={}, oldest_day="2026-01-01",
        repairs=lambda start, end: [one for one in repairs if start <= T0 < end],
    )  # fmt: skip


def test_a_report_says_them_in_service_time_and_verifies(told: World) -> None:
    late = repair(acknowledged=24 * 60, fixed=24 * 60 + 5, verified=24 * 60 + 6)
    there = desk(told, repair(), late, repair("no9"))
    report = there.sla(ASKED, MADE)
    (city, _, school) = report["repairs"]["groups"]
    assert school["scope"] == "binhai/east/no1"
    assert city["incidents"] == 2, "no9 is not of this report"
    # The school is open from 7:30 to 8:15, today and tomorrow: 43 minutes of the first day.
    assert city["mtta_seconds"] == (3 + 43) * 60 / 2
    verdict = verify(there.evidence(ASKED, report))
    assert verdict.equal, verdict.faults
    assert any("no block says them" in note for note in verdict.notes)
    assert desk(told).sla(replace(ASKED, link="no1/up"), MADE)["repairs"]["links"] == {}
    sheet = there.inspection(ASKED, MADE, "semester")
    items = {one["code"]: one for one in sheet["items"]}
    assert items["mtta"]["value"] == city["mtta_seconds"]
    assert (items["mtta"]["rests_on"], items["mtta"]["incidents"]) == (2, 2)
    assert {"detect", "acknowledge", "fix", "verify"} <= set(items)
    empty = desk(told).inspection(ASKED, MADE, "weekly")
    (mtta,) = [one for one in empty["items"] if one["code"] == "mtta"]
    assert (mtta["value"], mtta["rests_on"], mtta["incidents"]) == (None, 0, 0)


def test_by_which_clauses_minutes_are_judged_is_said_and_checked(told: World) -> None:
    report = desk(told).sla(ASKED, MADE)
    assert report["about"]["class_minutes_clauses"] == list(CLAUSES) == ["link"]
    data = desk(told).evidence(ASKED, report)

    def change(body: bytes) -> bytes:
        told = bundle.unpack_json(body)
        told["about"]["class_minutes_clauses"] = ["link", "board"]
        return bundle.pack_json(told)

    (fault,) = verify(rewritten(data, "REPT", change)).faults
    assert "judged by ['link', 'board']" in fault
