import asyncio
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from firmware_sims.switch.console.offer import Offer
from firmware_sims.switch.fleet import AnswerLog, Controls, Setting, Unit, live, recorded
from firmware_sims.switch.misbehave import Behaviour
from firmware_sims.switch.model import Quirk
from firmware_sims.switch.plan import Plan
from firmware_sims.switch.replay import Recording, Variable
from firmware_sims.switch.usm import V3User
from firmware_sims.switch.vendors import Vendor
from tenone.runtime.clock import ManualClock

IF_IN_OCTETS = (1, 3, 6, 1, 2, 1, 2, 2, 1, 10)
HC_IN_OCTETS = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6)
IF_NAME = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1)
UPTIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)
ANYWHERE = ("127.0.0.1", 0)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def made(clock: ManualClock) -> Iterator[Any]:
    """Makes units and frees their sockets."""
    units: list[Unit] = []

    def make(log: AnswerLog | None = None, **options: Any) -> Unit:
        settings: dict[str, Any] = {
            "name": "sw1",
            "vendor": Vendor.RUIJIE,
            "ports": 4,
            "uplinks": 1,
        }
        units.append(live(Plan(**{**settings, **options}), ANYWHERE, Setting(clock=clock, log=log)))
        return units[-1]

    yield make
    for unit in units:
        unit.endpoint._socket.close()


def test_ready_says_where_and_what(made: Any) -> None:
    unit = made(community="schule")
    assert unit.ready() == {
        "name": "sw1",
        "host": "127.0.0.1",
        "port": unit.endpoint.port,
        "community": "schule",
        "vendor": "ruijie",
        "ports": ["Gi0/1", "Gi0/2", "Gi0/3", "Gi0/4", "Te0/5"],
    }


def test_a_plan_sets_ports_at_the_start(made: Any) -> None:
    unit = made(set={"Gi0/2": {"oper": "down", "alias": "spare"}}, location="roof")
    spare, used = unit.switch.port("Gi0/2"), unit.switch.port("Gi0/1")
    assert (spare.link, unit.switch.location) == (False, "roof")
    # It has always been so: no traffic, no change just now.
    now = unit.switch.now()
    assert (spare.traffic.in_octets(now), spare.last_change_ticks) == (0, used.last_change_ticks)
    assert used.traffic.in_octets(now) > 10**9


def test_answers_are_numbered_and_logged_before_they_leave(
    made: Any, clock: ManualClock, v2c: Any
) -> None:
    out = io.StringIO()
    unit = made(AnswerLog(out, clock))

    def ask(kind: str, *oids: tuple[int, ...]) -> list[int]:
        reply = unit.agent.answer(v2c.request(kind, [*oids]))
        return [int(value) for _, _, value in v2c.reply(reply)[2]]

    assert ask("Get", (*HC_IN_OCTETS, 1)) == [1]
    assert ask("Get", (*HC_IN_OCTETS, 1), (*IF_IN_OCTETS, 1)) == [2, 2]
    assert ask("GetBulk", HC_IN_OCTETS)[0] == 3
    ask("Get", (*HC_IN_OCTETS, 2))  # another port: no sweep of the first
    unit.switch.reboot(0)
    clock.advance(2)
    assert ask("Get", UPTIME, (*HC_IN_OCTETS, 1)) == [200, 4]
    ask("Get", UPTIME)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(line["answer"], line["uptime_ticks"]) for line in lines] == [
        (1, None),
        (2, None),
        (3, None),
        (4, 200),
        (None, 200),
    ]
    assert {line["switch"] for line in lines} == {"sw1"}


def test_a_number_is_used_up_only_by_a_reply_that_holds_it(
    made: Any, clock: ManualClock, v2c: Any
) -> None:
    out = io.StringIO()
    unit = made(AnswerLog(out, clock), ports=100)
    names = [(*IF_NAME, n) for n in range(1, 100)]
    too_big = v2c.reply(unit.agent.answer(v2c.request("Get", [*names, (*HC_IN_OCTETS, 1)])))
    assert too_big[0] == 1
    assert json.loads(out.getvalue() or "[]") == []
    (bound,) = v2c.reply(unit.agent.answer(v2c.request("Get", [(*HC_IN_OCTETS, 1)])))[2]
    assert int(bound[2]) == 1


def test_numbering_follows_a_renumbered_port(made: Any, clock: ManualClock, v2c: Any) -> None:
    unit = made(AnswerLog(io.StringIO(), clock))
    unit.switch.reboot(0, renumber=True)
    index = unit.switch.ports[0].if_index
    (bound,) = v2c.reply(unit.agent.answer(v2c.request("Get", [(*HC_IN_OCTETS, index)])))[2]
    assert int(bound[2]) == 1


def test_control_lines_change_the_switch(made: Any, clock: ManualClock) -> None:
    unit = made()
    handle = Controls([unit]).handle
    handle({"switch": "sw1", "port": "Gi0/3", "set": {"speed_mbps": 100, "duplex": "half"}})
    port = unit.switch.port("Gi0/3")
    assert (port.speed_mbps, port.duplex.label) == (100, "half")
    handle({"switch": "sw1", "silent": True})
    assert not unit.switch.answers(unit.switch.now())
    handle({"switch": "sw1", "silent": False})
    handle({"switch": "sw1", "lines": ["mls qos"]})
    assert unit.switch.wiring.running().lines == ("mls qos",)
    before = port.if_index
    handle({"switch": "sw1", "reboot": {"silent_seconds": 3, "renumber": True}})
    assert not unit.switch.answers(unit.switch.now())
    clock.advance(3)
    assert unit.switch.answers(unit.switch.now())
    assert port.if_index != before
    handle({"switch": "sw1", "reboot": {}})


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ({}, "'switch' must be text"),
        ({"switch": "sw9", "silent": True}, "no switch here is called 'sw9'"),
        ({"switch": "sw1"}, "this one holds nothing"),
        ({"switch": "sw1", "port": "Gi0/1"}, "this one holds port"),
        ({"switch": "sw1", "port": 3, "set": {}}, "'port' must be text"),
        ({"switch": "sw1", "port": "Gi0/1", "set": []}, "'set' must be an object"),
        ({"switch": "sw1", "silent": 1}, "'silent' must be true or false"),
        ({"switch": "sw1", "lines": "a"}, "lines must be a list of texts"),
        ({"switch": "sw1", "lines": [1]}, "lines must be a list of texts"),
        ({"switch": "sw1", "reboot": {"silent_seconds": "x"}}, "must be a number"),
        ({"switch": "sw1", "reboot": {"loudly": True}}, "'loudly' is not known"),
        ({"switch": "sw1", "silent": True, "reboot": {}}, "this one holds reboot, silent"),
    ],
)
def test_bad_commands(made: Any, command: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Controls([made()]).handle(command)


def test_a_recording_is_served_but_not_changed(clock: ManualClock) -> None:
    held = Recording([Variable((*IF_NAME, n), 4, f"Gi{n}".encode()) for n in (1, 2)])
    unit = recorded(held, "old", "public", ANYWHERE, Setting(clock=clock))
    try:
        assert unit.ports == ["Gi1", "Gi2"]
        with pytest.raises(ValueError, match="a recording, which cannot be changed"):
            Controls([unit]).handle({"switch": "old", "silent": True})
    finally:
        unit.endpoint._socket.close()


@pytest.mark.parametrize("flaw", [Quirk.HC_STUCK, "log"])
def test_options_that_need_a_live_switch_are_refused(clock: ManualClock, flaw: Any) -> None:
    setting = (
        Setting(clock=clock, log=AnswerLog(io.StringIO(), clock))
        if flaw == "log"
        else Setting(clock=clock, misbehave=flaw)
    )
    held = Recording([Variable((*IF_NAME, 1), 4, b"x")])
    with pytest.raises(ValueError, match="live switch"):
        recorded(held, "old", "public", ANYWHERE, setting)


def test_misbehaviour_reaches_the_socket(clock: ManualClock, v2c: Any) -> None:
    unit = live(
        Plan(name="a", vendor=Vendor.ZTE),
        ANYWHERE,
        Setting(clock=clock, misbehave=Behaviour.SILENT),
    )
    try:
        assert unit.endpoint._answer(v2c.request("Get", [UPTIME])) == ()
    finally:
        unit.endpoint._socket.close()


def test_an_engine_is_changed_by_control_lines(clock: ManualClock) -> None:
    users = (V3User.parse("bob:sha256:password1"),)
    setting = Setting(clock=clock, v3_users=users)
    plan = Plan(name="sw1", vendor=Vendor.RUIJIE, ports=4, uplinks=1)
    unit = live(plan, ANYWHERE, setting)
    try:
        engine, controls = unit.engine, Controls([unit])
        assert engine is not None
        clock.advance(100)
        assert (engine.boots, engine.time) == (1, 100)
        controls.handle({"switch": "sw1", "engine": {"jump_seconds": 900}})
        assert (engine.boots, engine.time) == (1, 1000)
        controls.handle({"switch": "sw1", "engine": {"reboot": True, "name": "spare"}})
        assert (engine.boots, engine.time) == (2, 0)
        assert engine.engine_id.endswith(b"spare")
        controls.handle({"switch": "sw1", "reboot": {"silent_seconds": 0}})
        assert engine.boots == 3
        for bad in ({"engine": {"boots": 3}}, {"engine": {"jump_seconds": "far"}}):
            with pytest.raises(ValueError, match=r"boots|jump_seconds"):
                controls.handle({"switch": "sw1", **bad})
    finally:
        unit.endpoint._socket.close()


def test_without_users_there_is_no_engine(made: Any) -> None:
    unit = made()
    assert unit.engine is None
    with pytest.raises(ValueError, match="start it with --v3-user"):
        Controls([unit]).handle({"switch": "sw1", "engine": {"reboot": True}})


def test_control_lines_change_cables_settings_and_consoles(clock: ManualClock) -> None:
    setting = Setting(clock=clock, consoles=Offer(seed=1))
    wire = {"Gi0/2": {"pairs": {"D": {"state": "short", "metres": 9}}}}
    plan = Plan(
        name="sw1", vendor=Vendor.RUIJIE, ports=4, uplinks=1, wire=wire, vlans=(10,), console=""
    )
    unit = live(plan, ANYWHERE, setting)
    assert unit.switch is not None
    assert unit.front is not None
    switch, controls = unit.switch, Controls([unit])
    assert unit.ready()["console"] == unit.front.ready()
    assert switch.vlans == {1, 10}
    assert switch.port("Gi0/2").speed_mbps == 100
    assert switch.port("Gi0/2").oper.label == "up"
    assert switch.port("Gi0/2").last_change_ticks == switch.port("Gi0/3").last_change_ticks
    controls.handle({"switch": "sw1", "port": "Gi0/1", "configure": {"speed_mbps": 100}})
    controls.handle({"switch": "sw1", "port": "Gi0/3", "wire": {"draws": True, "hung": True}})
    controls.handle({"switch": "sw1", "console": {"cut_after": 2}})
    clock.advance(5)
    switch.tick()
    assert (switch.port("Gi0/1").speed_mbps, switch.port("Gi0/3").oper.label) == (100, "down")
    assert unit.front.misbehave.cut_after == 2
    assert switch.store.startup.port("Gi0/1").negotiates
    with pytest.raises(ValueError, match="'sw1' has no console: start it with --console"):
        Controls([replace(unit, front=None)]).handle({"switch": "sw1", "console": {}})
    unit.endpoint._socket.close()
    asyncio.run(unit.front.close())
