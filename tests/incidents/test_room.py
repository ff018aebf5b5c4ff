"""The room between live state, records and people: what it opens, keeps, tells and takes back."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from controller.incidents.acts import ActError, StaleError
from controller.incidents.maintenance import Window
from controller.incidents.model import Act, Incident, State, Subject
from controller.incidents.records import KEEP_NS
from controller.incidents.room import GONE, SteadyWall
from controller.sla.class_minutes import Clause, MinuteProfile
from controller.sla.rules import LinkRules
from controller.state.live import GRACE_NS
from controller.store.protocols import Flap
from controller.threads import Thread
from tenone.config.escalation import Escalation
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Cause, Severity
from tests.controller.conftest import small_city

from .house import Town

CITY = ScopePath.parse("binhai")
SLOW: dict[str, Any] = {"speed_mbps": [100, 1000, 10_000]}
UPLINK_DOWN: dict[str, Any] = {"oper": [2, 1, 2], "speed_mbps": [0, 1000, 0]}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def town(tmp_path: Path, clock: ManualClock) -> Iterator[Town]:
    town = Town(tmp_path, clock, Escalation.model_validate({}))
    town.born("no1", "no2")
    yield town
    town.close()


def only(town: Town) -> str:
    (view,) = town.desk.views(CITY)
    return view.id


async def test_a_slow_class_opens_with_its_figures_and_closes_by_evidence(town: Town) -> None:
    await town.sweeps(20)
    assert not town.desk.views(CITY)
    await town.sweeps(30, **SLOW)
    (view,) = town.desk.views(CITY)
    assert (view.link, view.cause, view.severity) == ("no1/c301", Cause.SPEED, Severity.WARNING)
    assert view.figures == {"contract_mbps": 1000, "speed_mbps": 100}
    assert view.harmed.named == ("Link c301",)
    assert view.proofs
    assert str(view.scope) == "binhai/east/no1"
    assert [change.kind for change in town.told] == ["incident"] * len(town.told)
    assert town.told[-1].body["id"] == view.id
    await town.sweeps(60)
    assert not town.desk.views(CITY)
    assert town.told[-1].body["state"] == "resolved"
    (past,) = await town.desk.past(CITY)
    assert past.id == view.id
    acts = [event.act for event in await town.desk.timeline(view.id)]
    assert acts == [Act.OPENED, Act.ALARMED, Act.ESCALATED, Act.CLEARING, Act.RESOLVED]


async def test_evidence_older_than_the_last_look_is_not_lost(town: Town) -> None:
    def judge() -> None:
        town.bus.changed(town.city.judge())

    judge()
    town.clock.advance(0.4)
    await town.room.step()  # nobody has seen anything yet: unknown, as of now
    town.clock.advance(0.1)
    town.ports(age_seconds=3, **SLOW)
    judge()
    await town.room.step()
    await town.step(20)
    (view,) = town.desk.views(CITY)
    assert view.cause is Cause.SPEED
    assert town.room.engine.late == 0


async def test_what_is_old_enough_is_forgotten_with_its_timeline(town: Town) -> None:
    await town.sweeps(20)
    await town.sweeps(30, **SLOW)
    name = only(town)
    assert town.desk.count(CITY) == 1
    assert town.desk.count(ScopePath.parse("binhai/west")) == 0
    await town.sweeps(60)
    town.room.records.prune(town.clock.wall_ns())
    assert await town.desk.timeline(name)
    town.room.records.prune(town.clock.wall_ns() + KEEP_NS)
    assert not await town.desk.timeline(name)
    assert not await town.desk.past(CITY)


async def test_a_dead_uplink_is_one_incident_that_names_its_children(town: Town) -> None:
    await town.sweeps(20)
    await town.sweeps(40, **UPLINK_DOWN)
    (view,) = town.desk.views(CITY)
    assert view.link == "no1/up"
    assert "no1/link/c301" in view.shadowed
    assert view.harmed.classes == 2


async def test_a_silent_switch_is_one_incident_and_its_links_are_none(town: Town) -> None:
    await town.sweeps(20)
    town.give(town.journals["no1"].status(reachable=0, error="no answer"))
    for _ in range(20):
        await town.step(1)
    (view,) = town.desk.views(CITY)
    assert (view.kind, view.name, view.cause) == ("switch", "sw1", Cause.SWITCH_SILENT)
    assert view.harmed.links == 3


async def test_a_silent_gateway_is_one_incident_of_the_school(town: Town) -> None:
    await town.sweeps(GRACE_NS / 10**9 + 10)
    town.died("no1")
    await town.step(1)
    await town.step(29)
    assert not town.desk.views(CITY)  # a gateway that starts anew is back by now
    await town.step(2)
    views = town.desk.views(ScopePath.parse("binhai/east"))
    assert [(view.kind, view.cause) for view in views] == [("agent", Cause.AGENT_SILENT)]
    town.born("no1")
    for _ in range(40):
        await town.step(1)
    assert not town.desk.views(ScopePath.parse("binhai/east"))


async def test_a_gateway_that_spoke_since_the_start_is_missed_in_the_first_minute(
    town: Town,
) -> None:
    await town.sweeps(10)
    town.died("no1")
    await town.step(1)
    await town.step(29)
    assert not town.desk.views(CITY)
    await town.step(2)
    assert [(view.kind, view.school) for view in town.desk.views(CITY)] == [("agent", "no1")]


async def test_boards_that_go_with_their_switch_alarm_for_nobody(
    tmp_path: Path, clock: ManualClock
) -> None:
    rules = LinkRules(minute=MinuteProfile(clauses=frozenset({Clause.LINK, Clause.BOARD})))
    plan = small_city(rules=rules)
    town = Town(tmp_path, clock, Escalation.model_validate({}), plan)
    town.born("no1", "no2")
    town.give(town.journals["no1"].boards(["b1"], online=[1]))
    await town.sweeps(20)
    # The newest look at the switch was good; then both died, and the board says so first.
    town.give(town.journals["no1"].boards(["b1"], online=[0]))
    for _ in range(12):
        await town.step(1)
        # What its agent says after counters that got no answer, until it asks for the state again.
        town.give(town.journals["no1"].status(reachable=1, error="no answer"))
    assert not town.desk.views(CITY), "nobody has seen the switch since"
    town.give(town.journals["no1"].status(reachable=0, error="no answer"))
    for _ in range(20):
        await town.step(1)
    (view,) = town.desk.views(CITY)
    assert (view.kind, view.name) == ("switch", "sw1")
    town.close()


async def test_a_gateway_that_never_spoke_is_not_missed(tmp_path: Path, clock: ManualClock) -> None:
    town = Town(tmp_path, clock, Escalation.model_validate({}))
    for _ in range(20):
        await town.step(20)
    assert not town.desk.views(CITY)
    town.close()


async def test_a_restart_keeps_all_and_alarms_nothing_twice(
    tmp_path: Path, town: Town, clock: ManualClock
) -> None:
    await town.sweeps(20)
    await town.sweeps(30, **SLOW)
    await town.desk.act(only(town), Act.ACKNOWLEDGED, who="Li", version=1, text="", level=1)
    before = town.desk.views(CITY)
    town.room.close()

    again = Town(tmp_path, clock, Escalation.model_validate({}))
    assert again.desk.views(CITY) == before
    await again.step(30)  # nobody has reported yet: unknown closes nothing
    again.born("no1", "no2")
    await again.sweeps(60, **SLOW)
    (view,) = again.desk.views(CITY)
    assert replace(view, proofs=before[0].proofs) == before[0]
    acts = [event.act for event in await again.desk.timeline(view.id)]
    assert acts.count(Act.ALARMED) == acts.count(Act.OPENED) == 1
    await again.sweeps(60)
    assert not again.desk.views(CITY)
    again.close()


async def test_what_was_mended_while_nobody_looked_closes_after_the_restart(
    tmp_path: Path, town: Town, clock: ManualClock
) -> None:
    await town.sweeps(20)
    await town.sweeps(30, **SLOW)
    town.room.close()
    again = Town(tmp_path, clock, Escalation.model_validate({}))
    again.born("no1", "no2")
    await again.sweeps(60)
    assert not again.desk.views(CITY)
    again.close()


async def test_what_the_configuration_no_longer_has_is_resolved(
    tmp_path: Path, town: Town, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await town.sweeps(20)
    await town.sweeps(30, **SLOW)
    name = only(town)
    town.room.close()
    monkeypatch.setattr("controller.incidents.places.Places.knows", lambda _self, _subject: False)
    again = Town(tmp_path, clock, Escalation.model_validate({}))
    await again.step(1)
    found = await again.desk.find(name)
    assert found is not None
    assert (found.state, found.resolved_by) == (State.RESOLVED, GONE)
    again.close()


async def test_two_people_at_once_and_one_is_told(town: Town) -> None:
    await town.sweeps(20)
    await town.sweeps(30, **SLOW)
    name = only(town)
    first = await town.desk.act(name, Act.ASSIGNED, who="Li", version=1, text="Wang Wei", level=0)
    assert (first.assignee, first.version) == ("Wang Wei", 2)
    with pytest.raises(StaleError, match="Somebody changed"):
        await town.desk.act(name, Act.ASSIGNED, who="Zhao", version=1, text="Chen", level=0)
    commented = await town.desk.act(
        name, Act.COMMENTED, who="Zhao", version=None, text="cable ordered", level=0
    )
    ticket = await town.desk.act(
        name, Act.TICKETED, who="Zhao", version=commented.version, text="T-17", level=0
    )
    assert ticket.ticket == "T-17"
    with pytest.raises(ActError, match="reason"):
        await town.desk.act(name, Act.RESOLVED, who="Li", version=None, text=" ", level=0)
    with pytest.raises(ActError, match="nobody does this"):
        await town.desk.act(name, Act.ALARMED, who="Li", version=None, text="", level=0)
    with pytest.raises(LookupError):
        await town.desk.act("no1-0", Act.COMMENTED, who="Li", version=None, text="x", level=0)
    done = await town.desk.act(
        name, Act.RESOLVED, who="Li", version=None, text="new cable", level=0
    )
    assert (done.state, done.resolved_by) == (State.RESOLVED, "Li")
    who = [(event.act, event.who) for event in await town.desk.timeline(name)]
    assert (Act.COMMENTED, "Zhao") in who
    await town.sweeps(80, **SLOW)  # the evidence disagrees
    assert only(town) == name
    again = await town.desk.act(name, Act.ACKNOWLEDGED, who="Li", version=None, text="", level=0)
    with pytest.raises(StaleError, match="Li has acknowledged"):
        await town.desk.act(
            name, Act.ACKNOWLEDGED, who="Zhao", version=again.version, text="", level=0
        )


def window(town: Town, start: float, end: float, **values: object) -> Window:
    now_ns = town.clock.wall_ns()
    made = Window(
        id="m1",
        scope=ScopePath.parse("binhai/east/no1"),
        link="no1/c301",
        start_ns=now_ns + round(start * 10**9),
        end_ns=now_ns + round(end * 10**9),
        reason="new cable",
        asked_by="Li",
        approved_by="Wang",
        made_ns=now_ns,
    )
    return replace(made, **values)  # type: ignore[arg-type]  # fields by name


async def test_planned_work_is_quiet_feeds_the_arithmetic_and_outlasts_a_restart(
    tmp_path: Path, town: Town, clock: ManualClock
) -> None:
    await town.sweeps(20)
    made = await town.desk.add_window(window(town, 0, 600))
    await town.sweeps(30, **SLOW)
    (view,) = town.desk.views(CITY)
    assert (view.maintenance, view.alarmed) == ("m1", None)
    (work,) = town.room.maintenance("no1/c301")
    assert (work.start_ns, work.end_ns, work.approved_by) == (made.start_ns, made.end_ns, "Wang")
    assert not town.room.maintenance("no1/c302")
    town.room.close()
    again = Town(tmp_path, clock, Escalation.model_validate({}))
    assert again.room.maintenance("no1/c301") == [work]
    ended = await again.desk.end_window("m1", who="Li")
    assert ended.until_ns == again.room.wall.now_ns()
    with pytest.raises(StaleError):
        await again.desk.end_window("m1", who="Li")
    with pytest.raises(LookupError):
        await again.desk.end_window("m2", who="Li")
    again.close()


@pytest.mark.parametrize(
    ("start", "end", "values", "said"),
    [
        (60, 60, {}, "after it starts"),
        (60, 86_400 * 91, {}, "90 days"),
        (-3600, 60, {}, "past"),
        (0, 60, {"approved_by": " "}, "approved"),
    ],
)
async def test_a_window_that_cannot_be_is_refused(
    town: Town, start: float, end: float, values: dict[str, object], said: str
) -> None:
    with pytest.raises(ActError, match=said):
        await town.desk.add_window(window(town, start, end, **values))


async def test_parents_are_asked_for_while_a_child_waits(town: Town) -> None:
    asked: list[tuple[str, str | None]] = []

    async def recheck(school: str, switch: str | None) -> None:
        asked.append((school, switch))

    town.room.recheck = recheck
    await town.sweeps(20)
    town.ports(**SLOW)
    await town.step(1)
    await town.step(1)
    questions = [town.room._questions.get_nowait() for _ in range(town.room._questions.qsize())]
    assert set(questions) <= {("no1", "sw1"), ("no1", None)}


async def test_the_battery_is_asked_for_when_a_class_goes_dark(town: Town) -> None:
    asked: list[tuple[str, str | None]] = []

    async def recheck(school: str, switch: str | None) -> None:
        asked.append((school, switch))

    town.room.recheck = recheck
    await town.sweeps(20)
    town.ports(oper=[2, 1, 1])
    await town.step(1)
    await town.step(1)
    questions = [town.room._questions.get_nowait() for _ in range(town.room._questions.qsize())]
    assert ("no1", "ups/u1") in questions


def test_steady_time_runs_on_while_the_clock_is_behind() -> None:
    clock = ManualClock()
    wall = SteadyWall(clock)
    start = wall.now_ns()
    clock.step_wall(-3600)
    clock.advance(5)
    assert wall.now_ns() == start + 5 * 10**9
    clock.step_wall(7200)
    assert wall.now_ns() == clock.wall_ns()


async def test_a_wall_clock_that_steps_back_does_not_stop_the_room(town: Town) -> None:
    await town.sweeps(20)
    town.clock.step_wall(-3600)
    await town.sweeps(30, **SLOW)
    (view,) = town.desk.views(CITY)
    assert view.cause is Cause.SPEED
    await town.sweeps(60)
    assert not town.desk.views(CITY)


def test_a_storm_is_written_in_few_statements(town: Town, clock: ManualClock) -> None:
    def rows(version: int) -> list[tuple[Incident, None, str]]:
        return [
            (
                Incident(
                    id=f"no1-{number:012d}",
                    subject=Subject.link(f"no1/l{number}"),
                    cause=Cause.SPEED,
                    severity=Severity.WARNING,
                    began_ns=1,
                    opened_ns=clock.wall_ns(),
                    version=version,
                ),
                None,
                "east",
            )
            for number in range(1200)
        ]

    town.room.records.write(rows(1), ())
    said: list[str] = []
    sa.event.listen(
        town.records.engine, "before_cursor_execute", lambda *told: said.append(told[2])
    )
    town.room.records.write(rows(2), ())
    assert len(said) <= 6  # a row was read and written by itself
    kept = town.room.records.load(0).incidents
    assert len(kept) == 1200
    assert {one.version for one in kept} == {2}


async def test_breaks_between_two_polls_are_counted_and_those_of_a_switch_are_not(
    town: Town,
) -> None:
    def away(link: str, *, restarted: bool = False) -> Flap:
        now_ns = town.clock.wall_ns()
        return Flap(
            link=link, back_ns=now_ns - 2 * 10**9, good_ns=now_ns - 10**10,
            restarted=restarted, block_hash=b"\1" * 32,
        )  # fmt: skip

    await town.sweeps(20)
    for count in range(1, 4):
        town.bus.flapped([away("no1/c301"), away("no1/c302", restarted=True)])
        await town.step(20)
        assert len(town.desk.views(CITY)) == (count == 3)
    (view,) = town.desk.views(CITY)
    assert (view.link, view.count, view.cause) == ("no1/c301", 3, Cause.LINK_DOWN)
    assert view.proofs == ("01" * 32,)


async def test_a_stop_loses_nothing_that_waits_for_the_records(town: Town) -> None:
    records, busy = Thread("records"), threading.Event()
    at_once = town.house.in_records
    object.__setattr__(town.house, "in_records", records)
    await town.sweeps(20)
    ahead = asyncio.ensure_future(records(busy.wait))  # other work of the same thread
    await asyncio.sleep(0)
    town.ports(**UPLINK_DOWN)
    step = asyncio.ensure_future(town.step(20))
    await asyncio.sleep(0.05)  # it never waits but for the thread
    assert town.room.engine.open()
    step.cancel()
    await asyncio.gather(step, return_exceptions=True)
    busy.set()
    await ahead
    await records(town.room.close)
    (incident,) = await records(lambda: town.room.records.load(0).incidents)
    acts = [event.act for event in await records(town.room.records.timeline, incident.id)]
    assert acts[:1] == [Act.OPENED]
    assert len(acts) == len(set(acts))
    records.end()
    object.__setattr__(town.house, "in_records", at_once)
