from dataclasses import replace

import pytest

from agents.origin import Origin
from agents.switch import Kind, Switch
from drivers.snmp.errors import Timeout
from drivers.snmp.faults import AgentFault, Finding
from tenone.blocks.block import Draft
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.findings import FINDINGS
from tenone.vocabulary.metrics import SWITCH_STATUS
from tenone.vocabulary.scope import DeviceKind
from tests.agents.conftest import FakeSwitch, FakeTables, MakeSwitch


@pytest.fixture
def reader(fake_switch: MakeSwitch) -> FakeSwitch:
    return fake_switch()


@pytest.fixture
def switch(reader: FakeSwitch, origin: Origin) -> Switch:
    return Switch("core", reader=reader, origin=origin, budget_seconds=5)


def streams(drafts: list[Draft]) -> list[str]:
    return [draft.layout.stream for draft in drafts]


def status(drafts: list[Draft]) -> dict[str, object]:
    (draft,) = (draft for draft in drafts if draft.layout.stream == "switch-status")
    return dict(zip(SWITCH_STATUS, (next(iter(c)) for c in draft.columns), strict=True))


async def test_the_first_time_everything_is_read(switch: Switch) -> None:
    drafts = await switch.ask_state()
    assert streams(drafts) == [
        "port-inventory",
        "port-state",
        "port-counters",
        "findings",
        "switch-status",
    ]
    assert switch.answers
    assert not switch.is_changed


async def test_the_status_says_who_it_is(switch: Switch, reader: FakeSwitch) -> None:
    assert status(await switch.ask_state()) == {
        "reachable": 1,
        "poll_error": "",
        "sys_descr": "S5720",
        "sys_object_id": "1.3.6.1.4.1.2011",
        "sys_name": "core",
        "sys_uptime_ticks": reader.uptime_ticks,
    }


async def test_later_only_the_state_is_read(switch: Switch) -> None:
    await switch.ask_state()
    assert streams(await switch.ask_state()) == ["port-state"]
    assert streams(await switch.ask(Kind.INVENTORY)) == ["port-inventory", "findings"]
    assert streams(await switch.ask(Kind.COUNTERS)) == ["port-counters", "switch-status"]


async def test_a_sweep_carries_its_times(switch: Switch, reader: FakeSwitch) -> None:
    await switch.ask_state()
    (draft,) = await switch.ask_state()
    assert draft.stamp.subject == "no3/switch/core"
    assert draft.stamp.uptime_ticks == reader.uptime_ticks
    assert 0 < draft.stamp.sent_ns <= draft.stamp.received_ns <= draft.stamp.monotonic_ns


async def test_a_layout_is_made_once(switch: Switch, reader: FakeSwitch) -> None:
    await switch.ask_state()
    (first,), (second,) = await switch.ask_state(), await switch.ask_state()
    assert first.layout is second.layout
    reader.rows = ("other",)
    (third,) = await switch.ask_state()
    assert third.layout.rows == ("other",)
    assert switch.is_changed


async def test_silence_is_told_once_and_keeps_the_identity(
    switch: Switch, reader: FakeSwitch
) -> None:
    await switch.ask_state()
    reader.error = {"state": Timeout("core is silent")}
    drafts = await switch.ask_state()
    assert streams(drafts) == ["switch-status"]
    assert status(drafts) == {
        "reachable": 0,
        "poll_error": "core is silent",
        "sys_descr": "S5720",
        "sys_object_id": "1.3.6.1.4.1.2011",
        "sys_name": "core",
        "sys_uptime_ticks": None,
    }
    assert await switch.ask_state() == []
    assert streams(await switch.ask(Kind.COUNTERS)) == ["switch-status"]
    assert await switch.ask(Kind.INVENTORY) == []
    assert switch.error == "core is silent"


async def test_after_silence_the_ports_are_told_first_and_the_inventory_is_wanted(
    switch: Switch, reader: FakeSwitch
) -> None:
    await switch.ask_state()
    reader.error = {"state": Timeout("silent")}
    await switch.ask_state()
    reader.error = {}
    assert streams(await switch.ask_state()) == ["port-state", "port-counters", "switch-status"]
    assert switch.is_changed
    await switch.ask(Kind.INVENTORY)
    assert not switch.is_changed


async def test_an_inventory_that_fails_is_silence_only_at_the_first_meeting(
    switch: Switch, reader: FakeSwitch
) -> None:
    reader.error = {"inventory": Timeout("no walk")}
    assert status(await switch.ask_state())["reachable"] == 0
    reader.error = {}
    await switch.ask_state()
    reader.error = {"inventory": Timeout("no walk")}
    drafts = await switch.ask(Kind.INVENTORY)
    assert (status(drafts)["reachable"], status(drafts)["poll_error"]) == (1, "no walk")


async def test_nothing_is_claimed_before_the_first_question(switch: Switch) -> None:
    assert await switch.ask(Kind.COUNTERS) == []
    await switch.ask_state()
    switch.start_over()
    assert await switch.ask(Kind.COUNTERS) == []


HALF = Finding(fault=AgentFault.HALF_DUPLEX_AT_GIGABIT, oid=(1, 3), raw="2", port="GE0/0/2")
SPEED = Finding(fault=AgentFault.WALK_CUT, oid=(1, 4), raw="timeout")


def findings(drafts: list[Draft]) -> dict[str, dict[str, object]] | None:
    found = [draft for draft in drafts if draft.layout.stream == "findings"]
    if not found:
        return None
    (draft,) = found
    rows = zip(*draft.columns, strict=True)
    return {
        key: dict(zip(FINDINGS, row, strict=True))
        for key, row in zip(draft.layout.rows, rows, strict=True)
    }


async def test_findings_are_told_on_change_and_with_the_inventory(
    switch: Switch, reader: FakeSwitch
) -> None:
    reader.findings = (HALF, HALF, SPEED)
    told = findings(await switch.ask_state())
    assert told is not None
    assert list(told) == ["half-duplex-at-gigabit@GE0/0/2", "walk-cut"]
    assert told["half-duplex-at-gigabit@GE0/0/2"] == {
        "finding_code": "half-duplex-at-gigabit",
        "finding_port": "GE0/0/2",
        "finding_sentence": AgentFault.HALF_DUPLEX_AT_GIGABIT.sentence,
        "finding_evidence": "1.3 = 2",
    }
    assert told["walk-cut"]["finding_port"] is None
    assert findings(await switch.ask_state()) is None
    reader.findings = (replace(HALF, raw="3"), SPEED)
    assert findings(await switch.ask_state()) is None, "a raw value that moves is no news"
    assert findings(await switch.ask(Kind.INVENTORY)) is not None
    reader.findings = ()
    assert findings(await switch.ask_state()) is None, "counters and inventory still say so"
    await switch.ask(Kind.COUNTERS)
    assert findings(await switch.ask(Kind.INVENTORY)) == {}


async def test_readings_become_blocks_with_the_times_of_their_exchange(
    reader: FakeSwitch, origin: Origin, clock: ManualClock
) -> None:
    tables = FakeTables(clock, {"sensors": ("fan 1", "psu 1"), "poe": ()})
    switch = Switch(
        "core", reader=reader, origin=origin, budget_seconds=5, tables={Kind.HEALTH: tables}
    )
    assert await switch.ask(Kind.HEALTH) == []
    assert not tables.asked, "what has never answered is not asked for tables"
    await switch.ask_state()
    sensors, poe = await switch.ask(Kind.HEALTH)
    assert sensors.layout.rows == ("fan 1", "psu 1")
    assert sensors.stamp.uptime_ticks == 77
    assert sensors.stamp.sent_ns == clock.monotonic_ns()
    assert (poe.layout.stream, poe.layout.rows) == ("poe", ())
    (again,) = await switch.ask(Kind.HEALTH)
    assert again.layout is sensors.layout, "the same again; that there is no PoE was told"
    tables.streams["poe"] = ("1/1",)
    assert streams(await switch.ask(Kind.HEALTH)) == ["sensors", "poe"]
    tables.streams["poe"] = ()
    assert streams(await switch.ask(Kind.HEALTH)) == ["sensors", "poe"]


async def test_a_table_that_failed_makes_no_block_and_a_sentence(
    reader: FakeSwitch, origin: Origin, clock: ManualClock
) -> None:
    tables = FakeTables(clock, {"sensors": ("fan 1",)}, errors=(Timeout("no optics"),) * 2)
    switch = Switch(
        "core", reader=reader, origin=origin, budget_seconds=5, tables={Kind.HEALTH: tables}
    )
    await switch.ask_state()
    drafts = await switch.ask(Kind.HEALTH)
    assert streams(drafts) == ["sensors", "switch-status"]
    assert status(drafts)["poll_error"] == "no optics"
    assert status(drafts)["reachable"] == 1
    tables.error = Timeout("no answer at all")
    assert status(await switch.ask(Kind.HEALTH))["poll_error"] == "no answer at all"
    tables.error, tables.errors = None, ()
    assert status(await switch.ask(Kind.HEALTH))["poll_error"] == ""


async def test_a_device_without_ports_has_a_status_and_no_port_blocks(
    fake_switch: MakeSwitch, origin: Origin
) -> None:
    ups = Switch(
        "u-1",
        reader=fake_switch(rows=()),
        origin=origin,
        budget_seconds=5,
        kind=DeviceKind.UPS,
    )
    drafts = await ups.ask_state()
    assert streams(drafts) == ["findings", "switch-status"]
    assert {draft.stamp.subject for draft in drafts} == {"no3/ups/u-1"}
    assert streams(await ups.ask_state()) == []
    assert streams(await ups.ask(Kind.COUNTERS)) == ["switch-status"]
