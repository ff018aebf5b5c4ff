import pytest

from agents.origin import Origin
from agents.switch import Kind, Switch
from drivers.snmp.errors import Timeout
from tenone.blocks.block import Draft
from tenone.vocabulary.metrics import SWITCH_STATUS
from tests.agents.conftest import FakeSwitch, MakeSwitch


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
    assert streams(drafts) == ["port-inventory", "port-state", "port-counters", "switch-status"]
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
    assert streams(await switch.ask(Kind.INVENTORY)) == ["port-inventory"]
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
