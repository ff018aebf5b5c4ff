"""The room with real records and live state, minute by minute on a manual clock."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ParamSpec, TypeVar, cast
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from controller.bus import Bus
from controller.house import House
from controller.minutes.count import Counts
from controller.minutes.kept import KEEP_NS
from controller.minutes.room import GRACE_NS, MinutesRoom
from controller.plan import CityPlan, DistrictPlan, LinkPlan, SchoolPlan
from controller.state.city import LiveCity
from controller.state.live import LiveState
from controller.state.numbering import Numbering
from controller.store.blocks import SqliteBlockStore
from controller.store.protocols import LinkChange, StoreError
from controller.store.records import SqlRecords
from tenone.calendar.intervals import HOUR_NS, MINUTE_NS, SECOND_NS
from tenone.config.city import City
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Cause, Severity, Tier, Verdict

from .test_timetable import CALENDAR

P = ParamSpec("P")
T = TypeVar("T")
BELL = datetime(2026, 11, 23, 8, tzinfo=ZoneInfo("Asia/Shanghai"))
MONDAY_8 = int(BELL.astimezone(UTC).timestamp()) * SECOND_NS
EVERYTHING = ScopePath()


def link(school: str, name: str, tier: Tier) -> LinkPlan:
    return LinkPlan(
        school=school, link=name, name=name, tier=tier, room=name, contract_mbps=1000,
        switch=None, port=None,
    )  # fmt: skip


PLAN = CityPlan(
    id="binhai",
    name="Binhai",
    districts=[DistrictPlan(id="east", name="East")],
    schools=[
        SchoolPlan(id="no1", district="east", name="1", calendar=CALENDAR),
        SchoolPlan(id="no2", district="east", name="2"),
    ],
    switches=[],
    links=[
        link("no1", "c1", Tier.CLASS),
        link("no1", "c2", Tier.CLASS),
        link("no1", "up", Tier.UPLINK),
        link("no2", "c1", Tier.CLASS),
    ],
    devices=[],
)


class Town:
    """A house whose clock stands at a Monday's first bell."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(wall_ns=MONDAY_8)
        self.records = SqlRecords(f"sqlite:///{folder}/records.db")
        self.records.start()
        self.records.load(PLAN, MONDAY_8 - HOUR_NS)
        self.bus = Bus()
        self.broken = False

    async def in_records(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self.broken:
            raise StoreError("the disk is full")
        return work(*args, **kwargs)

    def room(self) -> MinutesRoom:
        live = LiveState(Numbering(PLAN), now_ns=self.clock.monotonic_ns())
        live.links.verdict[:] = Verdict.GOOD
        room = MinutesRoom(
            House(
                config=cast("City", None),
                plan=PLAN,
                clock=self.clock,
                folder=Path(),
                live=live,
                city=LiveCity(live, self.clock),
                store=cast("SqliteBlockStore", None),
                records=self.records,
                bus=self.bus,
                in_records=self.in_records,
            )
        )
        room.open()
        return room

    def tell(self, name: str, seconds: float, verdict: Verdict, *causes: Cause) -> None:
        change = LinkChange(
            link=name,
            at_ns=MONDAY_8 + round(seconds * SECOND_NS),
            since_ns=0,
            verdict=verdict,
            severity=Severity.NONE,
            causes=sum(1 << cause for cause in causes),
            oper=1,
            admin=1,
            speed_mbps=0,
            duplex=0,
            block_hash=b"",
        )
        self.records.append_changes([change])
        self.bus.changed([change])

    def good(self, seconds: float = -600) -> None:
        for name in ("no1/c1", "no1/c2", "no1/up", "no2/c1"):
            self.tell(name, seconds, Verdict.GOOD)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path)
    yield town
    town.records.close()


async def pass_minutes(town: Town, room: MinutesRoom, minutes: int) -> None:
    for _ in range(minutes):
        town.clock.advance(MINUTE_NS / SECOND_NS)
        room.judge_due()
        await room._write()


def day(room: MinutesRoom, school: str = "no1") -> tuple[int, dict[Cause, int], int]:
    tally = room.tally(PLAN.scope_of(next(one for one in PLAN.schools if one.id == school)))
    return tally.good, dict(tally.bad_by_cause), tally.unknown


async def test_minutes_of_lessons_are_judged_once_they_are_over(town: Town) -> None:
    town.good()
    room = town.room()
    town.clock.advance(GRACE_NS / SECOND_NS)
    room.judge_due()
    assert day(room) == (0, {}, 0), "the first minute is not over"
    town.tell("no1/c1", 70, Verdict.BAD, Cause.SPEED)
    town.tell("no1/c1", 80, Verdict.GOOD)
    await pass_minutes(town, room, 3)
    assert day(room) == (5, {Cause.SPEED: 1}, 0)
    assert day(room, "no2") == (0, {}, 0), "without a calendar there are no class-minutes"
    (first, second) = room.schools(EVERYTHING)
    assert (first.taught, first.served, second.taught, second.served) == (True, True, None, True)
    assert room.total("no1").bad == 1
    await pass_minutes(town, room, 60)
    assert sum(day(room)[0:1]) + 1 == 2 * 40 + 2 * 13, "the break is not counted"


@dataclass
class Work:
    scope: ScopePath
    link: str | None
    start_ns: int
    until_ns: int


@pytest.mark.parametrize(
    ("scope", "link", "good"),
    [
        ("binhai/east/no1", None, 2 * 3),
        ("binhai/east/no1", "no1/c1", 2 * 3 + 2),
        ("binhai/west", None, 2 * 5),
    ],
)
async def test_minutes_of_approved_work_leave_the_count(
    town: Town, scope: str, link: str | None, good: int
) -> None:
    town.good()
    room = town.room()
    work = Work(ScopePath.parse(scope), link, MONDAY_8 + 90 * SECOND_NS, MONDAY_8 + 150 * SECOND_NS)
    room.works = lambda: [work]
    town.tell("no1/c1", 100, Verdict.BAD, Cause.LINK_DOWN)
    town.tell("no1/c1", 140, Verdict.GOOD)
    await pass_minutes(town, room, 6)
    bad = {} if good < 2 * 5 else {Cause.LINK_DOWN: 2}
    assert day(room) == (good - sum(bad.values()), bad, 0)


async def test_a_restart_goes_on_and_what_nobody_saw_is_unknown(town: Town) -> None:
    town.good()
    room = town.room()
    await pass_minutes(town, room, 11)
    room.close()
    before = day(room)
    assert before == (20, {}, 0)
    town.clock.advance(5 * 60)
    again = town.room()
    good, bad, unknown = day(again)
    assert (good, bad) == (20, {})
    assert unknown == 2 * 6
    await pass_minutes(town, again, 2)
    assert day(again)[0] >= 22


async def test_a_link_that_is_unknown_now_is_not_taken_as_the_records_last_said(town: Town) -> None:
    town.good()
    room = town.room()
    n = room._house.live.numbering
    room._house.live.links.verdict[n.link_number["no1/c1"]] = Verdict.UNKNOWN
    await pass_minutes(town, room, 2)
    assert day(room) == (1, {}, 1)


async def test_after_a_restart_a_bad_link_is_unknown_until_its_agent_is_back(town: Town) -> None:
    town.good()
    town.tell("no1/c1", -300, Verdict.BAD, Cause.SPEED)
    room = town.room()
    number = room._n.link_number["no1/c1"]
    room._house.live.links.verdict[number] = Verdict.UNKNOWN
    await pass_minutes(town, room, 2)
    assert day(room) == (1, {}, 1)
    room._house.live.links.verdict[number] = Verdict.BAD
    await pass_minutes(town, room, 1)
    assert day(room) == (2, {Cause.SPEED: 1}, 1)
    room._house.live.links.verdict[number] = Verdict.UNKNOWN
    town.tell("no1/c1", 150, Verdict.UNKNOWN)
    await pass_minutes(town, room, 2)
    assert day(room) == (4, {Cause.SPEED: 2}, 2), "it was seen to be bad until 08:02:30"


async def test_burn_and_availability(town: Town) -> None:
    town.good(-3 * 86_400)
    room = town.room()
    town.tell("no1/c1", 0, Verdict.BAD, Cause.LINK_DOWN)
    await pass_minutes(town, room, 31)
    school = room.schools(EVERYTHING)[0]
    assert school.burn["1h"].long == pytest.approx(50, rel=1e-6), "half of it is bad, 1 % may be"
    assert school.burn["1h"].verdict is Verdict.BAD
    assert set(school.burn) == {"1h", "6h", "40h"}
    available, covered = room.availability("no1/c1")
    # From 07:00 on promised: 30 min of W before the fall at 08:00, 31 after it.
    assert available == pytest.approx(30 / 61)
    assert covered == pytest.approx(1.0)
    assert room.availability("no1/nowhere") == (None, None)


async def test_a_new_month_begins_with_the_state_of_its_links(town: Town) -> None:
    town.good(-600)
    room = town.room()
    town.tell("no1/c1", 60, Verdict.BAD, Cause.LINK_DOWN)
    await pass_minutes(town, room, 5)
    town.clock.advance(8 * 86_400)  # Tuesday, 1 December
    await pass_minutes(town, room, 5)
    assert room.availability("no1/c1")[0] == 0.0
    assert room.availability("no1/c2")[0] == 1.0
    assert day(room)[2] == 2 * 4, "of the minutes nobody saw only those since midnight are today's"


async def test_records_that_cannot_be_written_are_said_and_caught_up(town: Town) -> None:
    town.good()
    room = town.room()
    town.broken = True
    await pass_minutes(town, room, 3)
    assert not room.health().ready
    assert "disk is full" in room.health().sentence
    town.broken = False
    await pass_minutes(town, room, 1)
    assert room.health().ready
    assert day(town.room())[0] == day(room)[0]


def test_health_says_what_the_calendar_does_not_know(town: Town) -> None:
    town.clock = ManualClock(wall_ns=MONDAY_8 + 60 * 86_400 * SECOND_NS)
    assert "days of this month are not known, from 2027-01-01" in town.room().health().sentence


async def test_changes_that_were_lost_end_in_what_links_are_now(town: Town) -> None:
    town.good(-3 * 86_400)
    room = town.room()
    town.tell("no1/c1", 30, Verdict.BAD, Cause.LINK_DOWN)
    room._inbox._limit = 0
    room._inbox.put(())  # what waits is more than an inbox holds
    number = room._n.link_number["no1/c1"]
    room._house.live.links.verdict[number] = Verdict.BAD
    room._house.live.links.causes[number] = 1 << Cause.LINK_DOWN
    await pass_minutes(town, room, 31)
    assert day(room)[1] == {Cause.LINK_DOWN: 28}, "known from the look at 08:02 on"
    available, _ = room.availability("no1/c1")
    # W begins at 07:30: good until the look at 08:02, then down until 08:31.
    assert available == pytest.approx(32 / 61)


async def test_old_hours_go_once_a_day_whenever_lessons_begin(town: Town) -> None:
    town.good()
    old = MONDAY_8 - KEEP_NS - 24 * HOUR_NS
    room = town.room()
    counts = Counts.zero(2)
    taught = np.array([True, False])
    room._kept.put([(old - old % HOUR_NS, counts, taught)])
    town.clock.advance(20 * 60)  # no lesson's minute of this run is the first of a UTC day
    await pass_minutes(town, room, 2)
    assert next(iter(room._kept.load(0)))[0] > old
