"""The reader against live simulated switches: rows, reboots, changes, faults, hostile agents."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest

from drivers.snmp import mib
from drivers.snmp.ber import Missing, Oid, Tag
from drivers.snmp.client import SnmpClient
from drivers.snmp.errors import (
    AgentError,
    DecodeError,
    NotIncreasing,
    SnmpError,
    Timeout,
    UnexpectedReply,
)
from drivers.snmp.faults import AgentFault
from drivers.snmp.message import Message
from drivers.snmp.switch import Sweep, SwitchReader
from drivers.snmp.target import Target
from firmware_sims.switch import fleet
from firmware_sims.switch.flaws import flaw
from firmware_sims.switch.fleet import Unit
from firmware_sims.switch.misbehave import Behaviour
from firmware_sims.switch.model import Quirk, Switch
from firmware_sims.switch.plan import alike
from firmware_sims.switch.server import Fleet
from firmware_sims.switch.vendors import Vendor
from tenone.blocks.block import Draft, Stamp
from tenone.blocks.layout import layout
from tenone.runtime.clock import Clock, ManualClock, SystemClock
from tenone.vocabulary.metrics import PORT_COUNTERS, PORT_INVENTORY, PORT_STATE
from tests.snmp.conftest import Respond, Responder, Store

TIMEOUT = 0.2


@dataclass
class Lab:
    """One simulated switch and a reader of it."""

    unit: Unit
    reader: SwitchReader
    client: SnmpClient

    @property
    def switch(self) -> Switch:
        assert self.unit.switch is not None
        return self.unit.switch


Build = Callable[..., Awaitable[Lab]]


@pytest.fixture
async def lab(client: SnmpClient) -> AsyncIterator[Build]:
    fleets: list[Fleet] = []

    async def build(
        misbehave: str | None = None,
        seconds: float = TIMEOUT,
        clock: Clock | None = None,
        **more: int,
    ) -> Lab:
        setting = fleet.Setting(
            clock=clock or SystemClock(),
            misbehave=None if misbehave is None else flaw(misbehave),
        )
        (plan,) = alike(
            count=1,
            vendors=[Vendor.HUAWEI],
            ports=more.get("ports", 24),
            uplinks=2,
            virtual=True,
            community="public",
        )
        unit = fleet.live(plan, ("127.0.0.1", 0), setting)
        serving = Fleet([unit.endpoint])
        await serving.__aenter__()
        fleets.append(serving)
        target = Target(
            host="127.0.0.1",
            port=unit.endpoint.port,
            community="public",
            timeout_seconds=seconds,
            retries=1,
        )
        return Lab(unit, SwitchReader(client, target), client)

    yield build
    for serving in fleets:
        await serving.__aexit__(None, None, None)


def rows(sweep: Sweep, name: str) -> dict[str, object]:
    (column,) = [column for column in sweep.columns if column.metric.name == name]
    return dict(zip(sweep.rows, column, strict=True))


async def test_the_sweeps_are_blocks_of_the_vocabulary(lab: Build) -> None:
    reader = (await lab()).reader
    inventory, state, counters = (
        await reader.inventory(),
        await reader.state(),
        await reader.counters(),
    )
    assert inventory.rows is state.rows is counters.rows
    stamp = Stamp(
        agent="a",
        subject="s/switch/x",
        boot_id=bytes(16),
        wall_ns=1,
        monotonic_ns=1,
        uptime_ticks=state.uptime_ticks,
        sent_ns=state.sent_ns,
        received_ns=state.received_ns,
    )
    for stream, columns, sweep in (
        ("port-state", PORT_STATE, state),
        ("port-counters", PORT_COUNTERS, counters),
        ("port-inventory", PORT_INVENTORY, inventory),
    ):
        shape = layout(stream, columns, sweep.rows)
        block = Draft.of(shape, stamp, sweep.columns).seal(bytes(16), 1, bytes(32))
        assert block.columns(shape) == sweep.columns
        assert 0 < sweep.sent_ns < sweep.received_ns
        assert sweep.errors == ()


async def test_state_says_what_the_switch_is(lab: Build) -> None:
    one = await lab()
    name = one.unit.ports[0]
    state = await one.reader.state()
    assert set(one.unit.ports) <= set(state.rows)
    assert rows(state, "speed_mbps")[name] == 1000
    assert rows(state, "duplex")[name] == 3
    one.switch.set_port(name, {"speed_mbps": 100, "duplex": "half"})
    state = await one.reader.state()
    assert rows(state, "speed_mbps")[name] == 100
    assert rows(state, "duplex")[name] == 2
    assert rows(state, "oper")[name] == 1
    assert not state.rebooted


async def test_a_steady_sweep_asks_only_what_there_is(lab: Build) -> None:
    one = await lab(ports=48)
    await one.reader.state()
    await one.reader.counters()
    before = one.client.counts.sent
    await one.reader.state()
    await one.reader.counters()
    # 51 rows x 19 values in answers of at most 1,472 bytes.
    assert one.client.counts.sent - before <= 24
    assert one.client.counts.retried == 0


async def test_counters_move(lab: Build) -> None:
    one = await lab()
    name = one.unit.ports[0]
    first = await one.reader.counters()
    await asyncio.sleep(0.2)
    second = await one.reader.counters()
    before, after = rows(first, "in_octets")[name], rows(second, "in_octets")[name]
    assert isinstance(before, int)
    assert isinstance(after, int)
    assert after > before


async def test_a_reboot_is_seen_and_the_rows_are_walked_again(lab: Build) -> None:
    one = await lab()
    one.switch.set_port(one.unit.ports[0], {"oper": "down"})
    before = await one.reader.state()
    await one.reader.counters()
    index = rows(before, "if_index")
    await asyncio.sleep(0.1)
    one.switch.reboot(0.0, renumber=True)
    after = await one.reader.state()
    assert after.rebooted
    assert rows(after, "if_index") != index
    # Ports are known by name, so their numbers may change.
    assert set(after.rows) == set(before.rows)
    assert not (await one.reader.state()).rebooted
    assert set((await one.reader.counters()).rows) == set(before.rows)


async def test_identity(lab: Build) -> None:
    inventory = await (await lab()).reader.inventory()
    assert inventory.system.vendor == "Huawei"
    assert inventory.system.descr
    assert inventory.system.uptime_ticks is not None
    assert {port.key for port in inventory.ports} == set(inventory.rows)


EXPECTED: dict[Behaviour, type[SnmpError] | None] = {
    Behaviour.SAME_OID: NotIncreasing,
    Behaviour.CYCLE: None,
    Behaviour.OUT_OF_ORDER: None,
    Behaviour.NO_VARBINDS: UnexpectedReply,
    Behaviour.TOO_BIG: AgentError,
    Behaviour.GEN_ERR: AgentError,
    Behaviour.TRUNCATED: DecodeError,
    Behaviour.RANDOM_BYTES: DecodeError,
    Behaviour.WRONG_REQUEST_ID: Timeout,
    Behaviour.WRONG_COMMUNITY: Timeout,
    Behaviour.LONG_INTEGER: DecodeError,
    Behaviour.DUPLICATES: None,
    Behaviour.COPIES: None,
    Behaviour.HUGE_LENGTH: DecodeError,
    Behaviour.DEEP_NESTING: DecodeError,
    Behaviour.ONE_BYTE: DecodeError,
    Behaviour.OTHER_PORT: Timeout,
    Behaviour.WRONG_NAME: UnexpectedReply,
    Behaviour.LOSSY: None,
    Behaviour.SILENT: Timeout,
}
"""LATE has its own test (its 1.5 s need a longer timeout), HANGING_SUBTREE too."""


@pytest.mark.parametrize(("behaviour", "error"), EXPECTED.items(), ids=map(str, EXPECTED))
async def test_every_misbehaviour_ends_in_a_named_state(
    lab: Build, behaviour: Behaviour, error: type[SnmpError] | None
) -> None:
    one = await lab(behaviour, seconds=0.05 if behaviour is Behaviour.LOSSY else TIMEOUT)
    began = time.monotonic()
    if error is None:
        state = await one.reader.state()
        names = (await one.reader.inventory()).findings
        if behaviour in {Behaviour.CYCLE, Behaviour.OUT_OF_ORDER}:
            # What came in order is true; the finding says that there is more.
            assert AgentFault.WALK_CUT in {finding.fault for finding in names}
            assert len(state.rows) <= 3
        else:
            assert set(one.unit.ports) <= set(state.rows)
        return
    with pytest.raises(error) as caught:
        await one.reader.state()
    assert type(caught.value) is error
    assert time.monotonic() - began < TIMEOUT * 2 + 5.0
    assert one.reader.target.label in str(caught.value)


def test_the_table_is_whole() -> None:
    assert set(Behaviour) - set(EXPECTED) == {Behaviour.LATE, Behaviour.HANGING_SUBTREE}


async def test_late_answers_count(lab: Build) -> None:
    one = await lab(Behaviour.LATE, seconds=1.0)
    session = await one.reader.session()
    (bind,) = await session.get([mib.SYS_UPTIME])
    assert isinstance(bind.value, int)
    assert one.client.counts.retried == 1


async def test_a_hanging_subtree_costs_only_its_own_column(lab: Build) -> None:
    one = await lab(Behaviour.HANGING_SUBTREE, ports=4)
    state = await one.reader.state()
    assert set(one.unit.ports) <= set(state.rows)
    assert rows(state, "oper")[one.unit.ports[0]] == 1
    # It was asked for and did not come: unknown, not "no such row".
    assert rows(state, "duplex")[one.unit.ports[0]] == 1
    assert state.errors
    # And is left alone for a while, with the reason still said.
    before = one.client.counts.sent
    again = await one.reader.state()
    assert one.client.counts.sent - before <= 3
    assert again.errors == state.errors
    assert rows(again, "duplex") == rows(state, "duplex")


QUIRKS: dict[Quirk, AgentFault | None] = {
    Quirk.DUPLICATE_IF_NAME: AgentFault.DUPLICATE_NAME,
    Quirk.RENUMBER_ON_REBOOT: None,
    Quirk.SPEED_MODULO: AgentFault.SPEED_WRAPPED,
    Quirk.NO_IFX: AgentFault.SPEED_SATURATED,
    Quirk.NO_HIGH_SPEED: AgentFault.SPEED_SATURATED,
    Quirk.SPEED_IN_MBPS: AgentFault.SPEED_IN_MBPS,
    Quirk.SPEED_ZERO: AgentFault.NO_SPEED_WHILE_UP,
    Quirk.HIGH_SPEED_ABSURD: AgentFault.HIGH_SPEED_IMPLAUSIBLE,
    Quirk.HALF_AT_GIGABIT: AgentFault.HALF_DUPLEX_AT_GIGABIT,
    Quirk.NO_DUPLEX: None,
    Quirk.HC_STUCK: AgentFault.HC_STUCK,
}
"""PARTIAL_WALK has its own test."""


@pytest.mark.parametrize(("quirk", "fault"), QUIRKS.items(), ids=map(str, QUIRKS))
async def test_quirks_are_named_and_believed_no_further(
    lab: Build, quirk: Quirk, fault: AgentFault | None
) -> None:
    one = await lab(quirk.value)
    await asyncio.sleep(0.05)
    inventory, state = await one.reader.inventory(), await one.reader.state()
    counters = await one.reader.counters()
    assert len(inventory.rows) == len(state.rows) == len(counters.rows)
    assert len(set(state.rows)) >= len(one.unit.ports)
    found = {f.fault for sweep in (inventory, state, counters) for f in sweep.findings}
    assert found == ({fault} if fault is not None else set())
    assert set(rows(state, "speed_mbps").values()) <= {None, 1_000, 10_000}
    if quirk is Quirk.NO_DUPLEX:
        assert set(rows(state, "duplex").values()) == {None}


def test_the_quirks_are_all_there() -> None:
    assert set(Quirk) - set(QUIRKS) == {Quirk.PARTIAL_WALK}


async def test_a_partial_walk_loses_no_port(lab: Build) -> None:
    """Every other 7 s the switch leaves out a third of its ports: they stay, unknown."""
    clock = ManualClock()
    one = await lab(Quirk.PARTIAL_WALK.value, clock=clock)
    names = set(one.unit.ports)

    async def left_out() -> int:
        oper = rows(await one.reader.state(), "oper")
        assert set(oper) >= names
        return sum(oper[name] is None for name in names)

    assert await left_out() == 0
    clock.advance(7)
    one.reader._walked_ns -= 60 * 10**9  # long enough ago for another walk
    assert await left_out() > len(names) / 4
    clock.advance(7)
    await one.reader.inventory()
    assert await left_out() == 0


# -- tables written by hand ------------------------------------------------------------


def table(ports: int = 3, **changes: dict[int, tuple[int, object]]) -> Store:
    store: Store = {
        mib.SYS_UPTIME: (Tag.TIME_TICKS, 100_000),
        mib.IF_NUMBER: (Tag.INTEGER, ports),
    }
    for row in range(1, ports + 1):
        values: dict[Oid, tuple[int, object]] = {
            mib.IF_DESCR: (Tag.OCTET_STRING, f"port {row}".encode()),
            mib.IF_TYPE: (Tag.INTEGER, 6),
            mib.IF_ADMIN_STATUS: (Tag.INTEGER, 1),
            mib.IF_OPER_STATUS: (Tag.INTEGER, 1),
            mib.IF_SPEED: (Tag.GAUGE32, 10**9),
            mib.IF_LAST_CHANGE: (Tag.TIME_TICKS, 5),
            mib.IF_IN_OCTETS: (Tag.COUNTER32, 1_000 + row),
            mib.IF_NAME: (Tag.OCTET_STRING, f"g{row}".encode()),
            mib.IF_HIGH_SPEED: (Tag.GAUGE32, 1_000),
            mib.IF_HC_IN_OCTETS: (Tag.COUNTER64, 2**40 + row),
            mib.DOT3_DUPLEX: (Tag.INTEGER, 3),
        }
        store |= {(*column, row): value for column, value in values.items()}  # type: ignore[misc] # values are of their tags
    for column, cells in changes.items():
        for row, value in cells.items():
            store[(*getattr(mib, column), row)] = value  # type: ignore[assignment] # the same
    return dict(sorted(store.items()))


async def read(
    respond: Respond, client: SnmpClient, store: Store
) -> tuple[SwitchReader, Responder]:
    responder = await respond(store)
    target = Target(
        host="127.0.0.1", port=responder.port, community="public", timeout_seconds=1, retries=0
    )
    return SwitchReader(client, target), responder


async def test_a_row_that_vanishes_is_walked_again(respond: Respond, client: SnmpClient) -> None:
    store = table(4)
    reader, _ = await read(respond, client, store)
    assert (await reader.state()).rows == ("g1", "g2", "g3", "g4")
    for name in [name for name in store if name[-1] == 3 and len(name) > 9]:
        del store[name]
    store[mib.IF_NUMBER] = (Tag.INTEGER, 3)
    state = await reader.state()
    assert state.rows == ("g1", "g2", "g3", "g4")  # too soon after the last walk
    assert rows(state, "oper")["g3"] is None
    reader._walked_ns -= 60 * 10**9
    store[mib.IF_NUMBER] = (Tag.INTEGER, 2)
    assert (await reader.state()).rows == ("g1", "g2", "g4")


async def test_a_port_missing_from_a_partial_walk_is_unknown_not_gone(
    respond: Respond, client: SnmpClient
) -> None:
    reader, responder = await read(respond, client, table(60))
    assert len((await reader.state()).rows) == 60

    def cut(self: Responder, data: bytes, addr: tuple[str, int]) -> None:
        # After the first packet of each column the agent repeats itself.
        asked = Message.decode(data).varbinds[0].name
        answer = self.answer(data)
        if len(answer.varbinds) > 3 and len(asked) == 11 and asked[-1] >= 25:
            answer = self.answer(data, varbinds=answer.varbinds[:1] * 2)
        self.send(answer.encode(), addr)

    responder.handle = cut
    inventory = await reader.inventory()
    assert len(inventory.rows) == 60
    assert AgentFault.WALK_CUT in {finding.fault for finding in inventory.findings}


async def test_counters_keep_their_width(respond: Respond, client: SnmpClient) -> None:
    store = table(
        3,
        IF_HC_IN_OCTETS={
            1: (Tag.COUNTER64, 0),
            3: (Tag.NO_SUCH_INSTANCE, Missing.NO_SUCH_INSTANCE),
        },
    )
    reader, _ = await read(respond, client, store)
    counters = await reader.counters()
    assert rows(counters, "in_octets") == {"g1": 1_001, "g2": 2**40 + 2, "g3": 1_003}
    assert reader.narrow_counters == {("g1", "in_octets"), ("g3", "in_octets")}
    (finding,) = counters.findings
    assert finding.fault is AgentFault.HC_STUCK
    assert finding.evidence == "1.3.6.1.2.1.31.1.1.1.6.1 = 0 while the 32-bit object says 1001"
    # The 64-bit counter wakes up: the series stays as wide as it was.
    store[(*mib.IF_HC_IN_OCTETS, 1)] = (Tag.COUNTER64, 2**41)
    await reader.inventory()
    assert rows(await reader.counters(), "in_octets")["g1"] == 1_001
    # A sound 64-bit counter stalls: noted, and not swapped either.
    store[(*mib.IF_IN_OCTETS, 2)] = (Tag.COUNTER32, 9_999)
    await reader.inventory()
    counters = await reader.counters()
    assert rows(counters, "in_octets")["g2"] == 2**40 + 2
    assert {finding.port for finding in counters.findings} == {"g2"}


async def test_values_of_wrong_types_are_unknown_and_named(
    respond: Respond, client: SnmpClient
) -> None:
    store = table(
        2,
        IF_OPER_STATUS={1: (Tag.OCTET_STRING, b"up")},
        IF_SPEED={2: (Tag.INTEGER, -5)},
        IF_LAST_CHANGE={2: (Tag.COUNTER64, 2**40)},
    )
    reader, _ = await read(respond, client, store)
    state = await reader.state()
    assert rows(state, "oper") == {"g1": None, "g2": 1}
    assert rows(state, "last_change_ticks") == {"g1": 5, "g2": None}
    assert AgentFault.WRONG_TYPE in {finding.fault for finding in state.findings}


async def test_equal_names_are_told_apart(respond: Respond, client: SnmpClient) -> None:
    store = table(3, IF_NAME={2: (Tag.OCTET_STRING, b"g1"), 3: (Tag.OCTET_STRING, b"")})
    reader, _ = await read(respond, client, store)
    inventory = await reader.inventory()
    assert inventory.rows == ("g1#1", "g1#2", "port 3")
    assert [finding.port for finding in inventory.findings] == ["g1#1", "g1#2"]


async def test_the_497_day_wrap_is_no_reboot(respond: Respond, client: SnmpClient) -> None:
    store = table(1)
    boots = mib.SNMP_ENGINE_BOOTS
    store[boots] = (Tag.INTEGER, 7)
    store[mib.SYS_UPTIME] = (Tag.TIME_TICKS, 2**32 - 200)
    reader, _ = await read(respond, client, store)
    await reader.inventory()
    store[mib.SYS_UPTIME] = (Tag.TIME_TICKS, 300)
    assert not (await reader.state()).rebooted
    # The same again, but the engine says that it has started anew.
    store[mib.SYS_UPTIME] = (Tag.TIME_TICKS, 2**32 - 200)
    reader._uptime = None
    await reader.inventory()
    store[mib.SYS_UPTIME] = (Tag.TIME_TICKS, 300)
    store[boots] = (Tag.INTEGER, 8)
    assert (await reader.state()).rebooted


async def test_a_device_without_ports(respond: Respond, client: SnmpClient) -> None:
    reader, _ = await read(respond, client, {mib.SYS_UPTIME: (Tag.TIME_TICKS, 5)})
    assert (await reader.inventory()).rows == ()
    assert (await reader.state()).uptime_ticks == 5
    assert (await reader.counters()).rows == ()


async def test_a_closed_reader_asks_anew(lab: Build) -> None:
    one = await lab()
    await one.reader.state()
    one.reader.close()
    one.reader.close()
    assert (await one.reader.state()).errors == ()
