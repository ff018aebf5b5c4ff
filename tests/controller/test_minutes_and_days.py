"""The same blocks through the running count of class-minutes and through the judge of days.

One judges live, minute by minute, from changes of links; the other judges a day afterwards, from
the sealed blocks. Where both claim to know a minute they must say the same of it. Left out are
blocks that come late: the running count is provisional there (:mod:`controller.minutes.room`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.bus import Bus
from controller.evidence.day import DayWindow, Promise, judge_day
from controller.evidence.runs import Days, LateError, Run, SwitchRuns
from controller.house import House
from controller.minutes.room import MinutesRoom
from controller.sla.class_minutes import Tally
from controller.state.city import LiveCity
from controller.state.live import LiveState
from controller.state.numbering import Numbering
from controller.store.blocks import SqliteBlockStore
from controller.store.protocols import Arrival
from controller.store.records import SqlRecords
from tenone.blocks.block import Block
from tenone.blocks.layout import Layout
from tenone.calendar.intervals import HOUR_NS, MINUTE_NS, SECOND_NS, Intervals
from tenone.calendar.public import Overrides, Weekday
from tenone.calendar.school import BellSchedule, Period, SchoolCalendar, Term
from tenone.calendar.zone import day_span
from tenone.config.city import City
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.states import Cause, Verdict

from .conftest import FakeJournal, small_city

P = ParamSpec("P")
T = TypeVar("T")
ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = date(2026, 11, 23)
BELL_NS = int(datetime(2026, 11, 23, 8, tzinfo=ZONE).astimezone(UTC).timestamp()) * SECOND_NS
HOLD_NS = 30 * SECOND_NS
POLL_SECONDS = 10
LOOK_SECONDS = 5
MINUTES = 9
LINK, PORTS = "no1/c301", ("GE1", "XGE1")
CALENDAR = SchoolCalendar(
    public=Overrides(days={}, complete_years=frozenset({2026})),
    weekdays={
        day: BellSchedule((Period("1", time(8), time(9)),), (time(7), time(18)))
        for day in Weekday
        if not day.weekend
    },
    terms=[Term("autumn", date(2026, 9, 1), date(2027, 1, 20))],
)
PORT: dict[str, dict[str, int | None]] = {
    "good": {},
    "slow": {"speed_mbps": 100},
    "down": {"oper": 2},
    "shut": {"admin": 2, "oper": 2},
    "half": {"speed_mbps": 100, "duplex": 2},
    "no speed": {"speed_mbps": None},
    "not said": {"oper": 4},
}
FATES = (*PORT, "switch silent", "agent silent", "agent dead")


@dataclass(frozen=True)
class Stretch:
    fate: str
    polls: int


HISTORIES = st.lists(
    st.builds(Stretch, fate=st.sampled_from(FATES), polls=st.integers(1, 9)),
    min_size=1,
    max_size=12,
)


class World:
    """One class, one agent; the clock goes on in small steps."""

    def __init__(self, records: SqlRecords) -> None:
        plan = small_city()
        links = [one for one in plan.links if one.id in {LINK, "no1/up"}]
        schools = [
            replace(one, calendar=CALENDAR, stale_after_seconds=HOLD_NS / SECOND_NS)
            for one in plan.schools
        ]
        self.plan = replace(plan, links=links, schools=schools)
        # Live notices a silence up to a look later than a report counts it: never over a minute.
        self.clock = ManualClock(wall_ns=BELL_NS - 5 * MINUTE_NS + 2 * SECOND_NS)
        self.live = LiveState(Numbering(self.plan), now_ns=self.clock.monotonic_ns())
        self.city = LiveCity(self.live, self.clock)
        self.bus = Bus()
        self.room = MinutesRoom(
            House(
                config=cast("City", None), plan=self.plan, clock=self.clock, folder=Path(),
                live=self.live, city=self.city, store=cast("SqliteBlockStore", None),
                records=records, bus=self.bus, in_records=_at_once,
            )
        )  # fmt: skip
        self.room.open()
        self.journal = FakeJournal()
        self.blocks: list[Block] = []
        self.minutes: list[Tally] = []

    def play(self, history: list[Stretch]) -> None:
        fates = [one.fate for one in history for _ in range(one.polls)]
        polls = (MINUTES + 2) * 60 // POLL_SECONDS + 5 * 60 // POLL_SECONDS
        fates = ["good"] * (5 * 60 // POLL_SECONDS) + fates
        fates += [fates[-1]] * polls
        before = ""
        for fate in fates[:polls]:
            self.poll(fate, before)
            before = fate
            for _ in range(POLL_SECONDS // LOOK_SECONDS):
                self.look()

    def poll(self, fate: str, before: str) -> None:
        now_ns = self.clock.monotonic_ns()
        if fate == "agent dead":
            self.live.agent_died("no1")
        if fate in {"agent dead", "agent silent"}:
            return
        if before in {"", "agent dead"}:
            self.live.agent_born("no1", "1", now_ns=now_ns)
        self.live.agent_heard("no1", now_ns=now_ns, offset_seconds=0.0)
        self.live.apply(self.read(fate))

    def read(self, fate: str) -> Arrival:
        wall_ns = self.clock.wall_ns()
        if fate == "switch silent":
            status = Layout("switch-status", ("reachable", "poll_error"), ("sw1",))
            told: dict[str, list[Any]] = {"reachable": [0], "poll_error": ["no answer"]}
            block = self.journal.block(status, "no1/switch/sw1", told, wall_ns=wall_ns)
        else:
            columns: dict[str, Any] = {
                name: [value, _UPLINK[name]] for name, value in PORT[fate].items()
            }
            block = self.journal.ports(ports=PORTS, wall_ns=wall_ns, **columns)
        self.blocks.append(block)
        return self.journal.arrival(
            block, received_ns=wall_ns, monotonic_ns=self.clock.monotonic_ns()
        )

    def look(self) -> None:
        self.bus.changed(self.city.judge())
        self.clock.advance(LOOK_SECONDS)
        last_ns, before = self.room._last_ns, self.room.total("no1")
        self.room.judge_due()
        if self.room._last_ns > last_ns >= BELL_NS - MINUTE_NS:
            now = self.room.total("no1")
            causes = {
                cause: number - before.bad_by_cause.get(cause, 0)
                for cause, number in now.bad_by_cause.items()
                if number > before.bad_by_cause.get(cause, 0)
            }
            self.minutes.append(
                Tally(
                    good=now.good - before.good,
                    unknown=now.unknown - before.unknown,
                    bad_by_cause=causes,
                )
            )

    def runs(self) -> list[Run]:
        """What the blocks say, as evidence keeps it."""
        runs = SwitchRuns({LINK: "GE1"}, hold_ns=HOLD_NS, days=Days())
        layouts = {id(block): layout for block, layout in self.journal.made}
        taken: list[Run] = []
        for block in sorted(self.blocks, key=lambda one: one.stamp.wall_ns):
            try:
                runs.add(block, layouts[id(block)])
            except LateError:
                pytest.fail("blocks of one agent come in order")
            taken = [*taken, *runs.take()]
        return list({(run.link, run.start_ns): run for run in taken}.values())

    @staticmethod
    def day(runs: list[Run], minute: int) -> Tally:
        """The same minute, as a report judges it."""
        start_ns = BELL_NS + minute * MINUTE_NS
        lesson = Intervals.of([(start_ns, start_ns + MINUTE_NS)])
        promise = Promise(link=LINK, contract_mbps=1000, shared=False, from_ns=0)
        span = day_span(MONDAY, ZONE)
        judged = judge_day(
            runs,
            [promise],
            DayWindow(span=span, service=lesson, lessons=lesson, until_ns=BELL_NS + HOUR_NS),
            hold_ns=HOLD_NS,
        )
        return Tally(
            good=judged.minutes_good,
            unknown=judged.minutes_unknown,
            bad_by_cause=dict(judged.minutes_bad),
        )


_UPLINK = {"speed_mbps": 10_000, "oper": 1, "admin": 1, "duplex": 3}


async def _at_once(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return work(*args, **kwargs)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlRecords]:
    records = SqlRecords(f"sqlite:///{tmp_path_factory.mktemp('records')}/records.db")
    records.start()
    yield records
    records.close()


def verdict_of(tally: Tally) -> tuple[Verdict, Cause | None]:
    assert tally.good + tally.bad + tally.unknown == 1
    if tally.bad:
        return Verdict.BAD, next(iter(tally.bad_by_cause))
    return (Verdict.GOOD, None) if tally.good else (Verdict.UNKNOWN, None)


@settings(deadline=None, max_examples=12)
@given(HISTORIES)
def test_live_and_day_agree_wherever_both_claim_to_know(
    records: SqlRecords, history: list[Stretch]
) -> None:
    world = World(records)
    world.play(history)
    assert len(world.minutes) >= MINUTES
    runs = world.runs()
    for number, live in enumerate(world.minutes[:MINUTES]):
        day, now = verdict_of(world.day(runs, number)), verdict_of(live)
        if Verdict.UNKNOWN not in {day[0], now[0]}:
            assert now == day, f"minute {number}"
        if now[0] is not Verdict.UNKNOWN:
            assert day[0] is not Verdict.UNKNOWN, f"minute {number}: out of nothing"


def test_both_know_the_plain_cases(records: SqlRecords) -> None:
    world = World(records)
    world.play([Stretch("slow", 3), Stretch("down", 6), Stretch("good", 9), Stretch("shut", 99)])
    runs = world.runs()
    expected = [
        (Verdict.BAD, Cause.LINK_DOWN),
        (Verdict.BAD, Cause.LINK_DOWN),
        (Verdict.GOOD, None),
        (Verdict.BAD, Cause.CONFIGURATION),
    ]
    assert [verdict_of(one) for one in world.minutes[:4]] == expected
    assert [verdict_of(world.day(runs, number)) for number in range(4)] == expected
