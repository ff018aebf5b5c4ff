import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise

import pytest

from agents.origin import Origin
from agents.poller import Cadence, Poller, PollError, SwitchPoller
from agents.ports import Keep
from agents.switch import Kind, Switch
from drivers.snmp.errors import Timeout
from drivers.snmp.reading import TableReader
from tenone.blocks.block import Block, Draft
from tenone.runtime.clock import ManualClock
from tenone.runtime.supervisor import Supervisor
from tenone.vocabulary.scope import DeviceKind
from tests.agents.conftest import Advance, FakeSwitch, FakeTables, Kept, MakeSwitch

CADENCE = Cadence(state_seconds=10, counters_seconds=60, inventory_seconds=600)
SILENT = Timeout("core did not answer")


class Bench:
    """Builds pollers on the fixtures and runs them under a supervisor."""

    def __init__(self, clock: ManualClock, origin: Origin, kept: Kept) -> None:
        self.clock, self.origin = clock, origin
        self.keep: Keep = kept.keep
        self.tables: dict[Kind, TableReader] = {}
        self.cadence = CADENCE
        self.kind = DeviceKind.SWITCH

    @asynccontextmanager
    async def polling(self, **readers: FakeSwitch) -> AsyncIterator[Poller]:
        poller = Poller(
            SwitchPoller(
                Switch(
                    name,
                    reader=reader,
                    origin=self.origin,
                    budget_seconds=10,
                    kind=self.kind,
                    tables=self.tables,
                ),
                clock=self.clock,
                keep=self.keep,
                cadence=self.cadence,
            )
            for name, reader in readers.items()
        )
        async with Supervisor(self.clock) as tasks:
            poller.start(tasks)
            yield poller


@pytest.fixture
def bench(clock: ManualClock, origin: Origin, kept: Kept) -> Bench:
    return Bench(clock, origin, kept)


async def test_meets_a_switch_once_then_keeps_its_cadences(
    bench: Bench, kept: Kept, fake_switch: MakeSwitch, advance: Advance
) -> None:
    switch = fake_switch()
    async with bench.polling(core=switch):
        await advance(300)
    assert [draft.layout.stream for draft in kept.calls[0]] == [
        "port-inventory",
        "port-state",
        "port-counters",
        "findings",
        "switch-status",
    ]
    assert 29 <= len(switch.times("state")) <= 30
    assert 5 <= len(switch.times("counters")) <= 6
    assert len(switch.times("inventory")) <= 2, "at the meeting, and once in ten minutes"
    assert {draft.stamp.subject for draft in kept.drafts} == {"no3/switch/core"}
    assert not switch.overlapped


async def test_slots_do_not_drift(bench: Bench, fake_switch: MakeSwitch, advance: Advance) -> None:
    switch = fake_switch(seconds=2.0)
    async with bench.polling(core=switch):
        await advance(1200)
    times = switch.times("state")
    slots = [when // 10 for when in times]
    assert len(slots) == len(set(slots)), "a slot was used twice"
    assert len(times) >= 118, "slots were lost although every answer came in time"


async def test_a_slow_switch_skips_slots_and_delays_nobody(
    bench: Bench, fake_switch: MakeSwitch, advance: Advance
) -> None:
    slow, quick, silent = (
        fake_switch(seconds=9.5),
        fake_switch(),
        fake_switch(seconds=5, error={"state": SILENT, "inventory": SILENT}),
    )
    async with bench.polling(slow=slow, quick=quick, silent=silent):
        await advance(300)
    assert not slow.overlapped
    alone = fake_switch()
    async with bench.polling(quick=alone):
        await advance(300)
    assert len(quick.times("state")) == len(alone.times("state"))


async def test_a_silent_switch_says_so_once_a_minute_and_is_still_probed(
    bench: Bench, kept: Kept, fake_switch: MakeSwitch, advance: Advance
) -> None:
    switch = fake_switch(error={"inventory": SILENT, "state": SILENT})
    async with bench.polling(core=switch):
        await advance(600)
    assert not kept.of("port-state")
    assert set(kept.values("switch-status", "reachable")) == {0}
    assert set(kept.values("switch-status", "poll_error")) == {"core did not answer"}
    assert set(kept.values("switch-status", "sys_uptime_ticks")) == {None}
    assert 10 <= len(kept.of("switch-status")) <= 12
    probes = switch.times("inventory")
    gaps = [after - before for before, after in pairwise(probes)]
    assert max(gaps) <= 32, "three intervals and one slot's jitter and step"
    assert min(gaps[4:]) > 25


async def test_a_switch_that_comes_back_is_met_again(
    bench: Bench, kept: Kept, fake_switch: MakeSwitch, advance: Advance
) -> None:
    switch = fake_switch()
    async with bench.polling(core=switch):
        await advance(30)
        switch.error = {"state": SILENT, "inventory": SILENT}
        await advance(60)
        switch.error = {}
        await advance(40)
    changes = kept.values("switch-status", "reachable")
    assert [now for before, now in pairwise([None, *changes]) if now != before] == [1, 0, 1]
    assert len(kept.of("port-inventory")) == 2


async def test_a_sweep_over_its_budget_is_a_failure_with_a_sentence(
    bench: Bench, kept: Kept, fake_switch: MakeSwitch, advance: Advance
) -> None:
    switch = fake_switch()
    async with bench.polling(core=switch):
        await advance(30)
        switch.seconds = 100
        await advance(60)
    assert kept.values("switch-status", "poll_error")[-1] == (
        "the port-state sweep did not end within its budget of 10 s"
    )
    assert kept.values("switch-status", "reachable")[-1] == 0


async def test_counters_that_fail_do_not_make_the_switch_silent(
    bench: Bench, kept: Kept, fake_switch: MakeSwitch, advance: Advance
) -> None:
    switch = fake_switch(error={"counters": Timeout("no counters today")})
    async with bench.polling(core=switch):
        await advance(150)
        assert kept.values("switch-status", "poll_error")[-1] == "no counters today"
        switch.error = {}
        await advance(70)
    assert kept.values("switch-status", "poll_error")[-1] == ""
    assert set(kept.values("switch-status", "reachable")) == {1}
    assert len(kept.of("port-state")) > 15


async def test_a_sweep_that_came_in_part_says_why(
    bench: Bench, kept: Kept, fake_switch: MakeSwitch, advance: Advance
) -> None:
    switch = fake_switch(missing=("a", "b", "c"))
    async with bench.polling(core=switch):
        await advance(15)
        assert kept.values("switch-status", "poll_error") == ["a; b"]
        switch.missing = ()
        await advance(40)
        assert kept.values("switch-status", "poll_error")[-1] == "a; b", "the inventory's"
        await advance(40)
    assert kept.values("switch-status", "poll_error")[-1] == "", "it was asked for again"
    assert set(kept.values("switch-status", "reachable")) == {1}


@pytest.mark.parametrize("change", ["rows", "restart"])
async def test_new_rows_or_a_restart_bring_a_new_inventory(
    change: str, bench: Bench, kept: Kept, fake_switch: MakeSwitch, advance: Advance
) -> None:
    switch = fake_switch()
    async with bench.polling(core=switch):
        await advance(60)
        if change == "rows":
            switch.rows = (*switch.rows, "GE0/0/3")
        else:
            switch.uptime_ticks = 3
        await advance(60)
    assert len(kept.of("port-inventory")) == 2
    assert kept.of("port-inventory")[-1].layout.rows == switch.rows


async def test_an_inventory_that_fails_after_a_change_is_tried_at_the_next_state_slot(
    bench: Bench, kept: Kept, fake_switch: MakeSwitch, advance: Advance
) -> None:
    switch = fake_switch()
    async with bench.polling(core=switch):
        await advance(60)
        switch.error = {"inventory": Timeout("no walk")}
        switch.uptime_ticks = 3
        await advance(100)
    assert 9 <= len(switch.times("inventory")) <= 12
    assert not switch.overlapped


async def test_an_inventory_that_fails_for_ever_is_asked_for_ever_more_rarely(
    bench: Bench, fake_switch: MakeSwitch, advance: Advance
) -> None:
    switch = fake_switch()
    bench.cadence = replace(CADENCE, inventory_seconds=36_000)
    async with bench.polling(core=switch):
        await advance(60)
        switch.error = {"inventory": Timeout("no walk")}
        switch.uptime_ticks = 3
        await advance(7_200)
        assert 10 <= len(switch.times("inventory")) <= 20
        switch.error = {"inventory": SILENT, "state": SILENT}
        await advance(60)
        switch.error = {}
        before = len(switch.times("inventory"))
        await advance(60)
        assert len(switch.times("inventory")) > before, "one that comes back is met at once"


async def test_poll_now(
    bench: Bench, kept: Kept, fake_switch: MakeSwitch, advance: Advance
) -> None:
    switch = fake_switch()
    async with bench.polling(core=switch) as poller:
        await advance(30)
        before = len(kept.of("port-state"))
        await poller.poll_now("core")
        assert len(kept.of("port-state")) == before + 1
        switch.error = {"state": SILENT}
        with pytest.raises(PollError, match="core did not answer"):
            await poller.poll_now("core")
        with pytest.raises(PollError, match="no switch 'other'"):
            await poller.poll_now("other")


async def test_a_request_waits_for_the_sweep_under_way(
    bench: Bench, fake_switch: MakeSwitch, advance: Advance
) -> None:
    switch = fake_switch(seconds=3)
    async with bench.polling(core=switch) as poller:
        await advance(40)
        asked = [asyncio.create_task(poller.poll_now("core")) for _ in range(5)]
        before = len(switch.times("state"))
        await advance(7)
        await asyncio.gather(*asked)
        assert len(switch.times("state")) - before <= 2, "requests at the same time share a sweep"
    assert not switch.overlapped


async def test_a_journal_that_cannot_keep_stops_no_other_switch(
    bench: Bench, kept: Kept, fake_switch: MakeSwitch, advance: Advance
) -> None:
    async def refusing(drafts: Sequence[Draft]) -> list[Block]:
        if any("bad" in draft.stamp.subject for draft in drafts):
            raise RuntimeError("disk")
        return await kept.keep(drafts)

    bench.keep = refusing
    bad, good = fake_switch(), fake_switch()
    async with bench.polling(bad=bad, good=good):
        await advance(100)
    assert len(good.times("state")) >= 9
    assert len(bad.times("state")) >= 2, "it is tried again"
    assert not any("bad" in draft.stamp.subject for draft in kept.drafts)


async def test_silence_is_not_told_before_anything_was_asked(
    bench: Bench, kept: Kept, fake_switch: MakeSwitch, advance: Advance
) -> None:
    for index in range(20):
        switch = fake_switch()
        async with bench.polling(**{f"sw{index}": switch}):
            await advance(15)
    assert set(kept.values("switch-status", "reachable")) == {1}


@pytest.fixture
def health(bench: Bench) -> FakeTables:
    tables = bench.tables[Kind.HEALTH] = FakeTables(bench.clock, {"sensors": ("fan",)})
    return tables


@pytest.fixture
def surroundings(bench: Bench) -> FakeTables:
    tables = bench.tables[Kind.SURROUNDINGS] = FakeTables(bench.clock, {"neighbours": ("a",)})
    return tables


async def test_tables_are_read_at_the_meeting_and_at_their_cadence(
    bench: Bench,
    kept: Kept,
    fake_switch: MakeSwitch,
    advance: Advance,
    health: FakeTables,
    surroundings: FakeTables,
) -> None:
    switch = fake_switch()
    async with bench.polling(core=switch):
        await advance(600)
    met = switch.times("inventory")[0]
    assert {table.asked[0] - met < 1 for table in (health, surroundings)} == {True}
    assert 10 <= len(health.asked) <= 12
    assert len(surroundings.asked) == len(switch.times("inventory")) == 2
    assert len(kept.of("sensors")) == len(health.asked), "the same again is told again"


@pytest.mark.parametrize(("kind", "reads"), [(DeviceKind.SWITCH, 0), (DeviceKind.UPS, 1)])
async def test_asking_a_ups_reads_its_battery(
    bench: Bench,
    fake_switch: MakeSwitch,
    advance: Advance,
    health: FakeTables,
    kind: DeviceKind,
    reads: int,
) -> None:
    bench.kind = kind
    async with bench.polling(u1=fake_switch()) as poller:
        await advance(62)
        before = len(health.asked)
        await poller.poll_now("u1" if kind is DeviceKind.SWITCH else "ups/u1")
        await advance(1)
        assert len(health.asked) - before == reads


async def test_long_walks_of_tables_delay_no_state(
    bench: Bench, fake_switch: MakeSwitch, advance: Advance, surroundings: FakeTables
) -> None:
    surroundings.seconds = 55
    switch = fake_switch()
    async with bench.polling(core=switch):
        await advance(300)
    assert max(after - before for before, after in pairwise(switch.times("state"))) <= 11.5


async def test_a_long_inventory_delays_no_state(
    bench: Bench, fake_switch: MakeSwitch, advance: Advance
) -> None:
    switch = fake_switch()
    bench.cadence = replace(CADENCE, inventory_seconds=120)
    async with bench.polling(core=switch):
        await advance(30)
        switch.slow = {"inventory": 55.0}
        await advance(600)
    assert len(switch.times("inventory")) >= 5
    assert max(after - before for before, after in pairwise(switch.times("state"))) <= 11.5
    assert not switch.overlapped


async def test_tables_of_a_silent_switch_are_left_alone_until_it_is_back(
    bench: Bench, fake_switch: MakeSwitch, advance: Advance, health: FakeTables
) -> None:
    switch = fake_switch(error={"inventory": SILENT, "state": SILENT})
    async with bench.polling(core=switch):
        await advance(300)
        assert not health.asked
        switch.error = {}
        await advance(31)
        assert len(health.asked) == 1
        switch.error = {"inventory": SILENT, "state": SILENT}
        await advance(300)
        assert len(health.asked) == 1
        switch.error = {}
        await advance(31)
        assert len(health.asked) in {2, 3}, "at once, and by its grid"


async def test_a_link_that_came_or_went_has_the_surroundings_looked_at(
    bench: Bench, fake_switch: MakeSwitch, advance: Advance, surroundings: FakeTables
) -> None:
    switch = fake_switch()
    bench.cadence = replace(CADENCE, inventory_seconds=36_000)
    async with bench.polling(core=switch):
        await advance(400)
        assert len(surroundings.asked) == 1
        switch.oper = 2
        await advance(12)
        assert len(surroundings.asked) == 1, "the neighbour has not said yet who it is"
        await advance(45)
        assert len(surroundings.asked) == 2
        for _ in range(30):  # flaps for five minutes
            switch.oper = 3 - switch.oper
            await advance(10)
        assert len(surroundings.asked) <= 3


async def test_an_inventory_that_came_in_part_is_asked_for_again_ever_later(
    bench: Bench, kept: Kept, fake_switch: MakeSwitch, advance: Advance
) -> None:
    switch = fake_switch(missing=("half of it",))
    bench.cadence = replace(CADENCE, inventory_seconds=36_000)
    async with bench.polling(core=switch):
        await advance(20 + 61 + 121 + 241)
        assert 3 <= len(switch.times("inventory")) <= 5
        switch.missing = ()
        await advance(600)
        assert kept.values("switch-status", "poll_error")[-1] == ""
        healed = len(switch.times("inventory"))
        await advance(1_000)
        assert len(switch.times("inventory")) == healed
