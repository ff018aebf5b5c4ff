"""What real switches do wrong, from the wire through reader and agent to the blocks that leave.

docs/traps-of-real-switches.md says which line of the list is held by which test here or elsewhere.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from agents.origin import Origin
from agents.switch import Kind
from agents.switch import Switch as AgentSwitch
from drivers.snmp.client import SnmpClient
from drivers.snmp.surroundings import SurroundingsReader
from drivers.snmp.switch import SwitchReader
from drivers.snmp.target import Target
from firmware_sims.switch import misbehave
from firmware_sims.switch.fleet import Setting, Unit, live
from firmware_sims.switch.misbehave import Behaviour
from firmware_sims.switch.model import Quirk, Switch
from firmware_sims.switch.plan import Plan
from firmware_sims.switch.server import Fleet
from firmware_sims.switch.vendors import Vendor
from tenone.blocks.block import Draft
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.states import Duplex, OperStatus

T = TypeVar("T")
WRAP_SECONDS = 2**32 / 100
UP, DOWN = int(OperStatus.UP), int(OperStatus.DOWN)


@dataclass
class Said:
    """The blocks of one asking."""

    drafts: list[Draft]

    @property
    def streams(self) -> list[str]:
        return [draft.layout.stream for draft in self.drafts]

    def rows(self, stream: str) -> tuple[str, ...]:
        return self._of(stream).layout.rows

    def column(self, stream: str, name: str) -> dict[str, Any]:
        draft = self._of(stream)
        column = draft.columns[draft.layout.columns.index(name)]
        return dict(zip(draft.layout.rows, column, strict=True))

    @property
    def findings(self) -> set[str]:
        return {row.partition("@")[0] for row in self.rows("findings")}

    @property
    def error(self) -> str:
        return str(next(iter(self.column("switch-status", "poll_error").values())))

    def _of(self, stream: str) -> Draft:
        return next(draft for draft in self.drafts if draft.layout.stream == stream)


@dataclass
class Wire:
    """A simulated switch, the real reader, the real agent's switch; time is moved by hand."""

    clock: ManualClock
    unit: Unit
    agent: AgentSwitch
    client: SnmpClient
    said: list[Draft] = field(default_factory=list)

    @property
    def switch(self) -> Switch:
        assert self.unit.switch is not None
        return self.unit.switch

    @property
    def ports(self) -> list[str]:
        return list(self.unit.ports)

    async def state(self, after: float = 10) -> Said:
        self.clock.advance(after)
        return await self._said(self.agent.ask_state())

    async def ask(self, kind: Kind, after: float = 0) -> Said:
        self.clock.advance(after)
        return await self._said(self.agent.ask(kind))

    async def _said(self, work: Coroutine[Any, Any, list[Draft]]) -> Said:
        """Answers come at once; where none comes, time goes on until it is given up."""
        asked = asyncio.ensure_future(work)
        while not asked.done():
            await asyncio.wait({asked}, timeout=0.005)
            if not asked.done():
                self.clock.advance(0.1)
        return Said(asked.result())


MakeWire = Callable[..., Awaitable[Wire]]


@pytest.fixture
async def wire(clock: ManualClock, origin: Origin) -> AsyncIterator[MakeWire]:
    open_ones: list[tuple[Fleet, SnmpClient]] = []

    async def make(
        flaw: Quirk | Behaviour | None = None,
        *,
        ports: int = 6,
        max_reply: int = 1472,
        timeout_seconds: float = 2,
        seed: int = 0,
        name: str = "core",
        slug: str = "core",
    ) -> Wire:
        unit = live(
            Plan(name=name, vendor=Vendor.HUAWEI, ports=ports),
            ("127.0.0.1", 0),
            Setting(clock=clock, misbehave=flaw, max_reply=max_reply, seed=seed),
        )
        serving, client = Fleet([unit.endpoint]), SnmpClient(clock=clock)
        await serving.__aenter__()
        await client.__aenter__()
        open_ones.append((serving, client))
        target = Target(
            host="127.0.0.1",
            port=unit.endpoint.port,
            community="public",
            timeout_seconds=timeout_seconds,
        )
        reader = SwitchReader(client, target)
        agent = AgentSwitch(
            slug,
            reader=reader,
            origin=origin,
            budget_seconds=15,
            tables={Kind.SURROUNDINGS: SurroundingsReader(reader, name=slug)},
        )
        return Wire(clock, unit, agent, client)

    yield make
    for serving, client in open_ones:
        await client.__aexit__(None, None, None)
        await serving.__aexit__(None, None, None)


# -- speeds and duplex ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quirk", "code", "uplink_mbps", "access_mbps"),
    [
        (Quirk.NO_IFX, "speed-saturated", None, 1_000),
        (Quirk.SPEED_MODULO, "speed-wrapped", None, 1_000),
        (Quirk.SPEED_IN_MBPS, "speed-in-mbps", 10_000, 1_000),
        (Quirk.HIGH_SPEED_ABSURD, "high-speed-implausible", None, None),
        (Quirk.SPEED_ZERO, "no-speed-while-up", None, None),
    ],
)
async def test_speeds_that_are_not(
    wire: MakeWire,
    quirk: Quirk,
    code: str,
    uplink_mbps: int | None,
    access_mbps: int | None,
) -> None:
    one = await wire(quirk)
    said = await one.state()
    speeds = said.column("port-state", "speed_mbps")
    by_port = (
        [speeds.get(name, speeds.get(name.replace("GE", "GigabitEthernet"))) for name in one.ports]
        if quirk is not Quirk.NO_IFX
        else list(speeds.values())
    )
    assert code in said.findings
    assert access_mbps in by_port or access_mbps is None
    assert (uplink_mbps in by_port) if uplink_mbps else 10_000 not in by_port
    assert not {1_410, 4_294, 0} & set(by_port)


@pytest.mark.parametrize("mbps", [100, 1_000, 2_500, 5_000, 10_000, 25_000])
async def test_every_speed_there_is(wire: MakeWire, mbps: int) -> None:
    one = await wire()
    one.switch.set_port(one.ports[0], {"speed_mbps": mbps})
    said = await one.state()
    assert said.column("port-state", "speed_mbps")[one.ports[0]] == mbps
    assert not said.findings


async def test_half_duplex_at_a_gigabit_is_unknown_and_found(wire: MakeWire) -> None:
    one = await wire(Quirk.HALF_AT_GIGABIT)
    said = await one.state()
    assert "half-duplex-at-gigabit" in said.findings
    assert set(said.column("port-state", "duplex").values()) <= {int(Duplex.UNKNOWN), None}
    assert said.column("findings", "finding_evidence")[
        f"half-duplex-at-gigabit@{one.ports[0]}"
    ].endswith(" = 2")


async def test_half_duplex_at_a_hundred_is_believed(wire: MakeWire) -> None:
    one = await wire()
    one.switch.set_port(one.ports[0], {"speed_mbps": 100, "duplex": "half"})
    said = await one.state()
    assert said.column("port-state", "duplex")[one.ports[0]] == int(Duplex.HALF)


# -- counters ------------------------------------------------------------------------------


async def test_a_stuck_64_bit_counter_is_found_and_its_twin_counts(wire: MakeWire) -> None:
    one = await wire(Quirk.HC_STUCK)
    await one.state()
    first = await one.ask(Kind.COUNTERS, after=60)
    second = await one.ask(Kind.COUNTERS, after=60)
    port = one.ports[0]
    assert "hc-stuck" in (await one.ask(Kind.INVENTORY)).findings
    moved = [said.column("port-counters", "in_octets")[port] for said in (first, second)]
    assert 0 < moved[0] < moved[1] < 2**32
    assert second.column("port-counters", "narrow_counters")[port] & 1


@pytest.mark.parametrize("told", [True, False])
async def test_cleared_counters_leave_as_they_stand_with_what_was_told(
    wire: MakeWire, told: bool
) -> None:
    """The gap is made by arithmetic (tests/sla/test_counters.py) from exactly these values."""
    one = await wire()
    await one.state()
    before = await one.ask(Kind.COUNTERS, after=60)
    one.clock.advance(30)
    one.switch.clear_counters(one.ports[0], told=told)
    after = await one.ask(Kind.COUNTERS, after=30)
    port, other = one.ports[:2]
    octets = [said.column("port-counters", "in_octets") for said in (before, after)]
    assert octets[1][port] < octets[0][port]
    assert octets[1][other] > octets[0][other]
    marks = [said.column("port-counters", "discontinuity_ticks") for said in (before, after)]
    assert (marks[1][port] != marks[0][port]) is told
    assert marks[1][other] == marks[0][other]
    assert not one.agent.is_changed, "no reboot: sysUpTime went on"
    ticks = [said.drafts[0].stamp.uptime_ticks for said in (before, after)]
    assert ticks[1] - ticks[0] == pytest.approx(6_000, abs=100)  # type: ignore[operator] # answered


# -- uptime --------------------------------------------------------------------------------


@pytest.mark.parametrize("early_seconds", [-5, 0, 5])
async def test_the_wrap_of_497_days_is_no_reboot(wire: MakeWire, early_seconds: int) -> None:
    one = await wire()
    one.switch.age(WRAP_SECONDS - 10 + early_seconds)
    await one.state(after=0)
    await one.ask(Kind.INVENTORY)
    walked = one.unit.agent.statistics.requests
    said = await one.state(after=10 + 0.5)
    later = await one.state()
    assert not one.agent.is_changed
    assert {*said.streams, *later.streams} == {"port-state"}
    ticks = [draft.stamp.uptime_ticks for draft in (*said.drafts, *later.drafts)]
    assert min(tick for tick in ticks if tick is not None) < 3_000, "it has wrapped"
    assert one.unit.agent.statistics.requests - walked < 12, "nothing was walked anew"


async def test_a_reboot_at_the_wrap_is_one(wire: MakeWire) -> None:
    one = await wire()
    one.switch.age(WRAP_SECONDS - 5)
    await one.state(after=0)
    one.clock.advance(5)
    one.switch.reboot(0)
    await one.state(after=0.5)
    assert one.agent.is_changed, "snmpEngineBoots says so where sysUpTime cannot"


# -- rows ----------------------------------------------------------------------------------


async def test_renumbered_ports_keep_their_names_and_history(wire: MakeWire) -> None:
    one = await wire()
    before = await one.state()
    port = one.ports[2]
    one.switch.set_port(port, {"oper": "down"})
    one.switch.reboot(0, renumber=True)
    after = await one.state(after=60)
    assert one.agent.is_changed
    inventory = await one.ask(Kind.INVENTORY)
    assert set(before.rows("port-state")) == set(after.rows("port-state"))
    assert set(inventory.rows("port-inventory")) == set(before.rows("port-state"))
    indexes = [said.column("port-state", "if_index")[port] for said in (before, after)]
    assert indexes[0] != indexes[1]
    oper = after.column("port-state", "oper")
    assert [name for name in one.ports if oper[name] == DOWN] == [port]


async def test_ports_of_one_name_are_told_apart(wire: MakeWire) -> None:
    one = await wire(Quirk.DUPLICATE_IF_NAME)
    said = await one.state()
    twins = [name for name in said.rows("port-state") if name.startswith(one.ports[0])]
    assert len(twins) == 2
    assert all("#" in name for name in twins)
    assert "duplicate-name" in said.findings


async def test_swapped_names_are_followed_and_found(wire: MakeWire) -> None:
    one = await wire()
    before = await one.state()
    first, second = one.ports[:2]
    one.switch.set_port(first, {"oper": "down"})
    one.switch.swap_names(first, second)
    said = await one.ask(Kind.INVENTORY, after=3600)
    assert {f"names-swapped@{first}", f"names-swapped@{second}"} <= set(said.rows("findings"))
    state = await one.state()
    oper = state.column("port-state", "oper")
    assert (oper[first], oper[second]) == (UP, DOWN), "the name is the identity"
    index = [each.column("port-state", "if_index") for each in (before, state)]
    assert (index[1][first], index[1][second]) == (index[0][second], index[0][first])


async def test_ports_missing_for_a_while_are_unknown_and_come_back_without_a_spike(
    wire: MakeWire,
) -> None:
    one = await wire(Quirk.PARTIAL_WALK)
    whole = await one.state(after=1)
    octets = (await one.ask(Kind.COUNTERS)).column("port-counters", "in_octets")
    hidden = await one.state(after=7)
    assert hidden.rows("port-state") == whole.rows("port-state")
    oper = hidden.column("port-state", "oper")
    missing = [name for name in one.ports if oper[name] is None]
    assert missing
    assert hidden.column("port-state", "speed_mbps")[missing[0]] is None
    counted = (await one.ask(Kind.COUNTERS)).column("port-counters", "in_octets")
    assert counted[missing[0]] is None, "unknown, not 0"
    seen: dict[str, Any] = {}
    for _ in range(60):  # the switch shows them for 7 s, hides them for 7 s, ...
        oper = (await one.state(after=5)).column("port-state", "oper")
        seen |= {name: oper[name] for name in missing if oper.get(name) is not None}
    assert set(seen) == set(missing), "found again without waiting for the hourly inventory"
    again = (await one.ask(Kind.COUNTERS)).column("port-counters", "in_octets")
    known = [name for name in missing if again[name] is not None]
    assert all(again[name] > octets[name] for name in known), "it went on counting"


async def test_switches_of_one_name_are_as_many_devices(wire: MakeWire) -> None:
    """Both say that they are called HUAWEI; their subjects and serial numbers are their own."""
    said = []
    for seed in (1, 2):
        one = await wire(seed=seed, name="HUAWEI", slug=f"sw-{seed}")
        await one.state()
        said.append((await one.state(after=60), await one.ask(Kind.SURROUNDINGS)))
        assert one.agent.subject == f"switch/sw-{seed}"
    serials = [
        next(iter(around.column("switch-identity", "own_serial").values())) for _, around in said
    ]
    assert len(set(serials)) == 2
    subjects = {around.drafts[0].stamp.subject for _, around in said}
    assert subjects == {"no3/switch/sw-1", "no3/switch/sw-2"}


# -- messages ------------------------------------------------------------------------------


async def test_a_switch_of_small_answers_is_read_whole_and_remembered(wire: MakeWire) -> None:
    one = await wire(ports=24, max_reply=484)
    said = await one.state()
    assert None not in said.column("port-state", "oper").values()
    assert said.error == ""
    before = one.unit.agent.statistics.requests
    await one.state()
    steady = one.unit.agent.statistics.requests - before
    before = one.unit.agent.statistics.requests
    await one.state()
    assert one.unit.agent.statistics.requests - before == steady, "nothing is tried too big again"


@pytest.mark.parametrize("behaviour", [Behaviour.CYCLE, Behaviour.OUT_OF_ORDER, Behaviour.SAME_OID])
async def test_walks_that_would_never_end_end_with_what_is_true(
    wire: MakeWire, behaviour: Behaviour
) -> None:
    one = await wire(behaviour, ports=24)
    said = await one.state()
    assert one.unit.agent.statistics.requests < 200
    assert len(said.rows("port-state")) <= 3 if "port-state" in said.streams else said.error
    if "findings" in said.streams and "port-state" in said.streams:
        assert "walk-cut" in said.findings
    assert "127.0.0.1" in said.error, "the device is named"


async def test_a_hanging_subtree_costs_its_own_column_and_names_the_device(
    wire: MakeWire,
) -> None:
    one = await wire(Behaviour.HANGING_SUBTREE)
    said = await one.state()
    assert set(said.column("port-state", "oper").values()) == {UP}
    assert set(said.column("port-state", "duplex").values()) == {int(Duplex.UNKNOWN)}
    assert f"127.0.0.1:{one.unit.endpoint.port}" in said.error
    assert next(iter(said.column("switch-status", "reachable").values())) == 1
    paused = one.clock.monotonic_ns()
    await one.state()
    assert one.clock.monotonic_ns() - paused < 11e9, "it is not waited for again and again"


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (Behaviour.OTHER_PORT, "did not answer"),
        (Behaviour.RANDOM_BYTES, "nothing readable"),
        (Behaviour.TRUNCATED, "nothing readable"),
        (Behaviour.LONG_INTEGER, "nothing readable"),
        (Behaviour.WRONG_COMMUNITY, "did not answer"),
        (Behaviour.WRONG_REQUEST_ID, "did not answer"),
        (Behaviour.SILENT, "did not answer"),
        (Behaviour.GEN_ERR, "genErr"),
        (Behaviour.TOO_BIG, "tooBig"),
    ],
)
async def test_what_cannot_be_believed_is_silence_with_a_reason_and_no_port_state(
    wire: MakeWire, behaviour: Behaviour, words: str
) -> None:
    one = await wire(behaviour)
    said = await one.state()
    assert "port-state" not in said.streams
    assert words in said.error
    assert next(iter(said.column("switch-status", "reachable").values())) == 0


async def test_late_answers_are_the_true_ones(
    wire: MakeWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each answer comes after its question was asked again; none is taken for another's."""
    monkeypatch.setattr(misbehave, "LATE_SECONDS", 0.05)
    one = await wire(Behaviour.LATE, ports=2, timeout_seconds=0.8)
    one.switch.set_port(one.ports[1], {"oper": "down"})
    said = await one.state()
    oper = said.column("port-state", "oper")
    assert (oper[one.ports[0]], oper[one.ports[1]]) == (UP, DOWN)
    assert one.client.counts.retried > 0


@pytest.mark.parametrize("behaviour", [Behaviour.DUPLICATES, Behaviour.COPIES])
async def test_doubled_answers_are_one(wire: MakeWire, behaviour: Behaviour) -> None:
    one = await wire(behaviour)
    said = await one.state()
    assert said.streams.count("port-state") == 1
    assert set(said.column("port-state", "oper").values()) == {UP}


# -- between two polls ---------------------------------------------------------------------


async def test_a_link_that_went_and_came_between_two_polls_shows_in_last_change(
    wire: MakeWire,
) -> None:
    """1000-100-1000: state and speed say nothing, ifLastChange does."""
    one = await wire()
    before = await one.state()
    port, other = one.ports[:2]
    one.clock.advance(3)
    one.switch.set_port(port, {"speed_mbps": 100})
    one.clock.advance(3)
    one.switch.set_port(port, {"speed_mbps": 1_000})
    after = await one.state(after=4)
    for name in ("oper", "speed_mbps", "duplex"):
        assert after.column("port-state", name)[port] == before.column("port-state", name)[port]
    changes = [said.column("port-state", "last_change_ticks") for said in (before, after)]
    assert changes[1][port] > changes[0][port]
    assert changes[1][other] == changes[0][other]


async def test_a_wall_clock_that_steps_back_leaves_the_order_of_blocks_alone(
    wire: MakeWire,
) -> None:
    one = await wire()
    first = await one.state()
    one.clock.step_wall(-3_600)
    second = await one.state()
    stamps = [said.drafts[0].stamp for said in (first, second)]
    assert stamps[1].wall_ns < stamps[0].wall_ns
    assert stamps[1].monotonic_ns > stamps[0].monotonic_ns
    assert 0 < stamps[1].sent_ns <= stamps[1].received_ns


def test_the_list_names_tests_that_exist() -> None:
    page = Path(__file__).parents[2] / "docs" / "traps-of-real-switches.md"
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"wire `(\w+)", text))
    here = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert {name for name in named if not any(one.startswith(name) for one in here)} == set()
    unlisted = {one for one in here if not any(one.startswith(name) for name in named)}
    assert unlisted == {"the_list_names_tests_that_exist"}
    for file in set(re.findall(r"`(tests/[\w/]+\.py)`", text)):
        assert (page.parents[1] / file).is_file(), file
