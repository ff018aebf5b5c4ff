"""Each guard by itself, all reasons at once, and abuse case 22."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from controller.enforcement.guards import (
    AT_REQUEST,
    GUARDS,
    PASSING,
    Facts,
    Hours,
    Target,
    Wanted,
    Work,
    held,
)
from controller.enforcement.model import GuardName, Stop
from controller.enforcement.reach import Bound, Cable, Network, PortRef, reach_of
from tenone.config.enforcement import Caps, Freeze
from tenone.vocabulary.intents import Intent, Mode
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Tier

G, I = GuardName, Intent  # noqa: E741 - a table of them
NO1 = ScopePath.parse("binhai/east/no1")
TODAY = date(2026, 11, 23)
PORTS = frozenset({"GE1", "GE2", "GE9", "XGE1", "XGE2"})
NETWORK = Network(
    switches=frozenset({"core", "sw1", "sw2"}),
    cables=(
        Cable(near=PortRef("core", "XGE2"), far="sw1", far_port="XGE1"),
        Cable(near=PortRef("sw1", "XGE2"), far="sw2", far_port="XGE1"),
        Cable(near=PortRef("sw1", "GE2"), far=None, words="a switch under a desk"),
        Cable(near=PortRef("core", "GE2"), far=None, words="a router"),
        Cable(near=PortRef("sw2", "GE2"), far=None, network=False, words="a camera"),
    ),
    bound=(
        Bound(at=PortRef("core", "XGE1"), link="no1/up", tier=Tier.UPLINK),
        Bound(at=PortRef("core", "XGE2"), link="no1/b1", tier=Tier.BACKBONE),
        Bound(at=PortRef("sw1", "GE1"), link="no1/c1", tier=Tier.CLASS),
        Bound(at=PortRef("sw1", "GE2"), link="no1/c2", tier=Tier.CLASS),
        Bound(at=PortRef("sw2", "GE1"), link="no1/ap1", tier=Tier.WIFI),
    ),
    protected=frozenset({PortRef("core", "GE1")}),
    emergency={PortRef("sw2", "GE9"): "no1/base/s1"},
)
REACH = reach_of(NETWORK)


def wanted(intent: Intent = I.BOUNCE_PORT, at: str = "sw1 GE1", **changed: Any) -> Wanted:
    targets = frozenset(
        Target(school or "no1", switch, port)
        for one in at.split(", ")
        for school, _, rest in [one.rpartition(":")]
        for switch, _, port in [rest.partition(" ")]
    )
    values: dict[str, Any] = {
        "intent": intent,
        "scope": NO1,
        "targets": targets,
        "automatic": True,
    }
    return Wanted(**(values | changed))


def facts(**changed: Any) -> Facts:
    values: dict[str, Any] = {
        "mode": Mode.AUTO,
        "reach": REACH,
        "ports": dict.fromkeys(("core", "sw1", "sw2"), PORTS),
        "offered": frozenset(Intent),
        "today": TODAY,
        "hours": Hours.FREE,
        "dark": False,
    }
    return Facts(**(values | changed))


def stop(scope: str) -> Stop:
    return Stop(scope=ScopePath.parse(scope) if scope else ScopePath(), by="Li", at=0, reason="x")


def freeze(scope: str | None = None, first: str = "2026-11-23", last: str = "2026-11-23") -> Freeze:
    return Freeze.model_validate(
        {"first": date.fromisoformat(first), "last": date.fromisoformat(last), "why": "inspection",
         "scope": scope}
    )  # fmt: skip


HERE = Target("no1", "sw1", "GE2")
CLASS_TIME = {"hours": Hours.LESSON}
MINE = Work(reason="new cables", by="account:li", who="Li, Wang")


def test_nothing_holds_a_repair_of_a_classroom_back() -> None:
    assert held(wanted(), facts()) == []
    assert held(wanted(at="sw2 GE2", automatic=False), facts()) == []  # nobody bound it; a camera


@pytest.mark.parametrize(
    ("guard", "asked", "known"),
    [
        (G.STOPPED, wanted(), facts(stops=[stop("binhai/east/no1")])),
        (G.STOPPED, wanted(automatic=False), facts(stops=[stop("binhai/east")])),
        (G.STOPPED, wanted(I.EXAM_PRIORITY, automatic=False), facts(stops=[stop("")])),
        (G.MODE, wanted(), facts(mode=Mode.PROPOSE)),
        (G.MODE, wanted(automatic=False), facts(mode=Mode.OFF)),
        (G.UNKNOWN_PORT, wanted(at="sw1 GE77"), facts()),
        (G.UNKNOWN_PORT, wanted(at="sw77 GE1"), facts()),
        (G.UPLINK, wanted(at="core XGE1"), facts()),
        (G.UPLINK, wanted(I.QUARANTINE, "core XGE1"), facts(allowed={PortRef("core", "XGE1")})),
        (G.MANAGEMENT, wanted(at="sw1 XGE1"), facts()),
        (G.MANAGEMENT, wanted(at="sw1 XGE2"), facts()),
        (G.MANAGEMENT, wanted(at="sw2 XGE1"), facts()),
        (G.MANAGEMENT, wanted(at="core GE2"), facts()),
        (G.MANAGEMENT, wanted(at="sw1 GE9"), facts(reach=replace(REACH, blind="no uplink"))),
        (G.MANAGEMENT, wanted(at="sw1 GE9"), facts(reach=replace(REACH, vague=frozenset({"sw1"})))),
        (G.EMERGENCY, wanted(at="core GE1"), facts()),
        (G.EMERGENCY, wanted(at="core GE1"), facts(allowed={PortRef("core", "GE1")})),
        (G.EMERGENCY, wanted(at="sw2 GE9"), facts()),
        (G.CLASS_HOURS, wanted(), facts(**CLASS_TIME)),
        (G.CLASS_HOURS, wanted(automatic=False), facts(**CLASS_TIME, dark=True)),
        (G.CLASS_HOURS, wanted(), facts(**CLASS_TIME, in_class="dark", dark=False)),
        (G.CLASS_HOURS, wanted(), facts(**CLASS_TIME, in_class="dark", dark=None)),
        (G.CLASS_HOURS, wanted(), facts(hours=Hours.UNKNOWN)),
        (G.EXAM, wanted(), facts(exam="finals")),
        (G.EXAM, wanted(automatic=False), facts(exam="finals")),
        (G.FREEZE, wanted(), facts(freezes=[freeze()])),
        (G.FREEZE, wanted(automatic=False), facts(freezes=[freeze("binhai/east")])),
        (G.FREEZE, wanted(I.EXAM_PRIORITY), facts(freezes=[freeze(first="2026-11-01")])),
        (G.MAINTENANCE, wanted(), facts(works=[MINE])),
        (G.MAINTENANCE, wanted(by="Li"), facts(works=[MINE])),
        (G.MAINTENANCE, wanted(automatic=False, by="account:wang"), facts(works=[MINE])),
        (G.CAP, wanted(), facts(changes_today=6)),
        (G.CAP, wanted(automatic=False), facts(changes_today=7)),
        (G.CAP, wanted(), facts(under_way=[Target(f"no{n}", "sw9", "GE9") for n in range(6, 10)])),
        (G.CHAIN, wanted(), facts(under_way=[HERE])),
        (G.CHAIN, wanted(at="sw2 GE1"), facts(under_way=[Target("no1", "core", "GE9")])),
        (G.CHAIN, wanted(at="core GE9"), facts(under_way=[Target("no1", "sw2", "GE1")])),
        (G.FAILURES, wanted(), facts(failures_today=3)),
        (G.FAILURES, wanted(), facts(schools_failed_today=3)),
        (G.AGAIN, wanted(), facts(tried=True)),
        (G.AGENT_AWAY, wanted(), facts(agent_online=False)),
        (G.NO_CLI, wanted(), facts(offered=None)),
        (G.NO_CLI, wanted(), facts(offered=frozenset({I.ENABLE_PORT}))),
    ],
)
def test_a_guard_holds_and_alone(guard: GuardName, asked: Wanted, known: Facts) -> None:
    reasons = held(asked, known)
    assert {one.guard for one in reasons} == {guard}
    assert all(one.sentence and one.sentence[-1] != "." for one in reasons)


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        (wanted(), facts(stops=[stop("binhai/west"), stop("binhai/east/no2")])),
        (wanted(automatic=False), facts(mode=Mode.PROPOSE)),
        (wanted(), facts(mode=Mode.APPROVE)),
        (wanted(at="core XGE1"), facts(allowed={PortRef("core", "XGE1")})),
        (wanted(at="sw1 XGE2"), facts(allowed={PortRef("sw1", "XGE2")})),
        (wanted(I.QUARANTINE, "sw1 GE2"), facts()),  # whoever put a switch under the desk
        (wanted(), facts(**CLASS_TIME, in_class="dark", dark=True)),
        (wanted(I.EXAM_PRIORITY), facts(**CLASS_TIME)),
        (wanted(I.SAVE_CONFIGURATION, "sw1 "), facts(**CLASS_TIME)),
        (wanted(), facts(hours=Hours.NO_CALENDAR)),
        (wanted(I.EXAM_PRIORITY), facts(exam="finals")),
        (wanted(), facts(exam="finals", exam_freeze=False)),
        (wanted(), facts(freezes=[freeze("binhai/west"), freeze(last="2026-11-24",
                                                               first="2026-11-24")])),
        (wanted(automatic=False, by="account:li"), facts(works=[MINE])),
        (wanted(), facts(changes_today=5)),
        (wanted(), facts(changes_today=6, caps=Caps(changes_a_day=7))),
        (wanted(I.SAVE_CONFIGURATION, "sw1 "), facts(changes_today=6)),
        (wanted(), facts(under_way=[Target("no2", "sw1", "GE1")] * 9)),  # one school never ends
        (wanted(automatic=False), facts(failures_today=9)),
        (wanted(), facts(failures_today=2, schools_failed_today=2)),
        (wanted(automatic=False), facts(tried=True)),
        (wanted(at="sw2 GE2"), facts(under_way=[Target("no2", "core", "GE9")])),
    ],
)  # fmt: skip
def test_a_guard_lets_pass(asked: Wanted, known: Facts) -> None:
    assert held(asked, known) == []


def test_every_guard_is_there_and_all_reasons_are_said() -> None:
    assert set(GUARDS) == set(GuardName)
    assert set(GuardName) >= PASSING
    assert AT_REQUEST.isdisjoint(PASSING)
    asked = wanted(at="core XGE1")
    known = facts(
        stops=[stop("binhai"), stop("binhai/east")],
        mode=Mode.OFF,
        hours=Hours.LESSON,
        exam="finals",
        freezes=[freeze()],
        works=[MINE],
        changes_today=6,
        failures_today=3,
        under_way=[Target("no1", "core", "GE9")] * 4,
        tried=True,
        agent_online=False,
        offered=None,
        no_clock="nobody sets it",
    )
    assert {one.guard for one in held(asked, known)} == set(GuardName) - {
        G.UNKNOWN_PORT,
        G.MANAGEMENT,
        G.EMERGENCY,
    }
    assert [one.guard for one in held(asked, known)].count(G.STOPPED) == 2


@pytest.mark.parametrize(
    "at",
    [
        "core XGE1",  # the uplink
        "core XGE2",  # a backbone
        "sw1 GE1, core XGE1",  # a classroom and the uplink
        "sw1 GE1, no2:sw1 GE1",  # two schools
        "no2:sw1 GE1",  # another school than it is for
        "sw1 GE1, sw1 GE2",  # two ports
        "sw1 GE1, sw2 GE1",  # two switches
    ],
)
@pytest.mark.parametrize("automatic", [True, False])
def test_abuse_22_a_plan_too_broad_is_refused(at: str, automatic: bool) -> None:
    for intent in Intent:
        assert held(wanted(intent, at, automatic=automatic), facts())
