"""The health reader: learns what is there, asks for that only, survives what agents do."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.snmp import mib
from drivers.snmp.ber import Missing, Oid, Tag
from drivers.snmp.cells import Table
from drivers.snmp.client import SnmpClient
from drivers.snmp.entity import CLASS, ENTRY, NAME, Entity, EntityTree, PortBook
from drivers.snmp.errors import (
    BudgetExceeded,
    NotIncreasing,
    SnmpError,
    Timeout,
    TooManyRows,
)
from drivers.snmp.health import STREAMS, HealthReader, make_plan
from drivers.snmp.message import PduType
from drivers.snmp.reading import Readings
from drivers.snmp.sensors import Body
from drivers.snmp.switch import SwitchReader
from drivers.snmp.target import Target
from drivers.snmp.vendorfile import vendor_files
from tests.snmp.body import every_number, oid, port, rows
from tests.snmp.conftest import Handle, Respond, Responder, Store

HEAT = oid("1.3.6.1.4.1.2011.5.25.31.1.1.1.1.11")
UPS = oid("1.3.6.1.2.1.33.1")
PSE = oid("1.3.6.1.2.1.105.1.3.1.1")


def store() -> Store:
    return {
        mib.SYS_DESCR: (Tag.OCTET_STRING, b"S5720 Huawei Versatile Routing Platform"),
        mib.SYS_OBJECT_ID: (Tag.OID, oid("1.3.6.1.4.1.2011.2.23.1")),
        mib.SYS_UPTIME: (Tag.TIME_TICKS, 500),
        (*HEAT, 1): (Tag.INTEGER, 42),
        (*HEAT, 2): (Tag.INTEGER, 0),
        (*HEAT, 3): (Tag.INTEGER, 50),
        (*ENTRY, CLASS, 1): (Tag.INTEGER, 9),
        (*ENTRY, NAME, 1): (Tag.OCTET_STRING, b"MPU Board 0"),
        (*PSE, 2, 1): (Tag.INTEGER, 370),
        (*PSE, 4, 1): (Tag.INTEGER, 115),
    }


def reader(client: SnmpClient, responder: Responder, **more: float) -> HealthReader:
    target = Target(
        host="127.0.0.1", port=responder.port, community="public", timeout_seconds=0.05, retries=0
    )
    return HealthReader(SwitchReader(client, target), **more)


def streams(readings: Readings) -> dict[str, dict[str, dict[str, object]]]:
    return {one.stream: rows(one) for one in readings.readings}


def asked(responder: Responder, since: int) -> list[Oid]:
    return [bind.name for request in responder.requests[since:] for bind in request.varbinds]


VALUES = st.one_of(
    st.sampled_from([0, 1, -1, 5, 65535, 2147483647, 2**64 - 1, -(2**63), b"", b"x", b"7", None]),
    st.sampled_from([b"1,2,3", b",,", b"50(OM2)", b"\xff\xfe", (1, 3, 6), (0, 0), *Missing]),
    st.integers(-(2**63), 2**64 - 1),
    st.binary(max_size=12),
)
INDEXES = st.one_of(
    st.sampled_from([(), (0,), (1,), (7,), (1, 7), (7, 1), (7, 5, 1), (1, 2, 3, 4)]),
    st.lists(st.integers(0, 2**32 - 1), max_size=5).map(tuple),
)
ROOTS = [sorted({spec.oid for spec in every_number(file)}) for file in vendor_files()]


def whatever_tables_hold_becomes_columns(data: st.DataObject) -> None:
    """Any value of any type at any index: rows of known columns or nothing, never an error."""
    roots = data.draw(st.sampled_from(ROOTS))
    indexes = data.draw(st.lists(INDEXES, min_size=1, max_size=3, unique=True))
    values = data.draw(st.lists(VALUES, min_size=1, max_size=8))
    table = Table(
        {
            root: {index: values[(place + row) % len(values)] for row, index in enumerate(indexes)}
            for place, root in enumerate(roots)
        }
    )
    made = Body(
        table,
        EntityTree({7: Entity(index=7, parent=data.draw(st.integers(0, 9)), name="Gi7 Rx")}),
        PortBook((port(7, "Gi7"), port(1, "Gi1/1"))),
    )
    plan = make_plan(vendor_files(), made)
    for stream in STREAMS:
        now = plan.reading(stream, table.values())
        later = plan.reading(stream, {name: data.draw(VALUES) for name in plan.names(stream)})
        assert now.rows == later.rows
        assert len(set(now.rows)) == len(now.rows)
        assert all(len(column) == len(now.rows) for column in (*now.columns, *later.columns))


@given(st.data())
@settings(max_examples=100)
def test_whatever_tables_hold_becomes_columns(data: st.DataObject) -> None:
    whatever_tables_hold_becomes_columns(data)


@pytest.mark.slow
@given(st.data())
@settings(max_examples=2_000)
def test_whatever_tables_hold_becomes_columns_often(data: st.DataObject) -> None:
    whatever_tables_hold_becomes_columns(data)


def test_a_stream_with_too_many_rows_is_cut_and_says_so() -> None:
    table = Table({HEAT: {(row,): 42 for row in range(5_000)}})
    plan = make_plan(vendor_files(), Body(table, EntityTree(), PortBook(())))
    assert len(plan.sensors) == 2_048
    assert "of 5000 rows of the stream sensors only 2048 are read" in str(plan.failed["sensors"])
    assert set(plan.failed) == {"sensors"}


async def test_it_learns_once_and_then_asks_by_name(client: SnmpClient, respond: Respond) -> None:
    responder = await respond(store())
    health = reader(client, responder)
    first = streams(await health.read())
    assert set(first) == set(STREAMS)
    assert list(first["sensors"]) == ["hwEntityTemperature.1", "hwEntityTemperature.3"]
    assert first["sensors"]["hwEntityTemperature.1"]["sensor_label"] == "MPU Board 0"
    assert first["poe"]["pse 1"]["poe_watts"] == 115
    assert (first["optics"], first["ups"]) == ({}, {})

    since = len(responder.requests)
    responder.store[*HEAT, 1] = (Tag.INTEGER, 60)
    second = streams(await health.read())
    assert second["sensors"]["hwEntityTemperature.1"]["sensor_value"] == 60
    # What a supply may give is learnt; tables that are not there cost nothing.
    assert second["poe"]["pse 1"]["poe_limit_watts"] == 370
    assert len(responder.requests) == since + 1
    assert responder.requests[-1].pdu_type == PduType.GET
    assert set(asked(responder, since)) == {
        mib.SYS_UPTIME, (*HEAT, 1), (*HEAT, 3), (*PSE, 4, 1),
    }  # fmt: skip


async def test_a_ups_that_goes_on_battery_is_seen(client: SnmpClient, respond: Respond) -> None:
    told = {**store(), (*UPS, 4, 1, 0): (Tag.INTEGER, 3), (*UPS, 2, 3, 0): (Tag.INTEGER, 60)}
    responder = await respond(told)
    health = reader(client, responder)
    assert streams(await health.read())["ups"]["ups"]["on_battery"] == 0
    responder.store[*UPS, 4, 1, 0] = (Tag.INTEGER, 5)
    responder.store[*UPS, 2, 3, 0] = (Tag.INTEGER, 59)
    now = streams(await health.read())["ups"]["ups"]
    assert (now["on_battery"], now["battery_minutes_left"]) == (1, 59)


async def test_a_row_that_vanishes_is_unknown_and_looked_for_again(
    client: SnmpClient, respond: Respond, monkeypatch: pytest.MonkeyPatch
) -> None:
    responder = await respond(store())
    health = reader(client, responder)
    await health.read()
    del responder.store[*HEAT, 3]
    found = streams(await health.read())["sensors"]
    assert found["hwEntityTemperature.3"]["sensor_value"] is None
    assert found["hwEntityTemperature.1"]["sensor_value"] == 42
    # Not at once, but long before the hour is over.
    monkeypatch.setattr("drivers.snmp.health.SOON_SECONDS", 0.0)
    await health.read()
    assert list(streams(await health.read())["sensors"]) == ["hwEntityTemperature.1"]


async def test_new_rows_are_found_after_a_restart_and_when_asked(
    client: SnmpClient, respond: Respond
) -> None:
    responder = await respond(store())
    health = reader(client, responder)
    await health.read()
    responder.store[*HEAT, 4] = (Tag.INTEGER, 33)
    assert len(streams(await health.read())["sensors"]) == 2
    responder.store[mib.SYS_UPTIME] = (Tag.TIME_TICKS, 100)
    assert len(streams(await health.read())["sensors"]) == 3
    responder.store[*HEAT, 5] = (Tag.INTEGER, 34)
    health._due_ns = 0
    assert len(streams(await health.read())["sensors"]) == 4


async def test_a_young_agent_is_looked_at_again_soon(
    client: SnmpClient, respond: Respond, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.snmp.health.SOON_SECONDS", 0.0)
    responder = await respond(store())
    health = reader(client, responder)
    await health.read()
    responder.store[*HEAT, 4] = (Tag.INTEGER, 33)
    assert len(streams(await health.read())["sensors"]) == 3
    responder.store[mib.SYS_UPTIME] = (Tag.TIME_TICKS, 6_000_000)
    await health.read()
    responder.store[*HEAT, 5] = (Tag.INTEGER, 34)
    assert len(streams(await health.read())["sensors"]) == 3


async def test_a_table_that_is_too_long_is_not_walked_again_and_again(
    client: SnmpClient, respond: Respond, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.snmp.health.SOON_SECONDS", 0.0)
    monkeypatch.setattr("drivers.snmp.cells.MAX_ROWS", 3)
    old_agent = {mib.SYS_UPTIME: (Tag.TIME_TICKS, 6_000_000)}
    many = {(*HEAT, row): (Tag.INTEGER, 40) for row in range(1, 9)}
    responder = await respond(store() | old_agent | many)
    health = reader(client, responder)
    first = await health.read()
    assert any(isinstance(error, TooManyRows) for error in first.errors)
    assert len(streams(first)["sensors"]) == 3
    assert streams(first)["poe"]["pse 1"]["poe_watts"] == 115
    since = len(responder.requests)
    second = await health.read()
    assert {one.pdu_type for one in responder.requests[since:]} == {PduType.GET}
    assert len(streams(second)["sensors"]) == 3
    assert any(isinstance(error, TooManyRows) for error in second.errors)


async def test_rows_are_named_after_ports_once_these_are_known(
    client: SnmpClient, respond: Respond
) -> None:
    gpon = oid("1.3.6.1.4.1.2011.6.128.1.1.2.23.1")
    told: Store = {
        **store(),
        mib.SYS_UPTIME: (Tag.TIME_TICKS, 6_000_000),
        (*mib.IF_DESCR, 7): (Tag.OCTET_STRING, b"GPON 0/0/1"),
        (*mib.IF_TYPE, 7): (Tag.INTEGER, 250),
        (*gpon, 1, 7): (Tag.INTEGER, 31),
        (*gpon, 4, 7): (Tag.INTEGER, 711),
    }
    responder = await respond(told)
    target = Target(host="127.0.0.1", port=responder.port, community="public")
    switch = SwitchReader(client, target)
    health = HealthReader(switch)
    assert list(streams(await health.read())["optics"]) == ["#7"]
    await switch.inventory()
    found = streams(await health.read())["optics"]
    assert found["GPON 0/0/1"]["tx_dbm"] == 7.11
    assert found["GPON 0/0/1"]["module_celsius"] == 31


async def test_silence_is_one_question_and_an_error(client: SnmpClient, respond: Respond) -> None:
    responder = await respond(store(), lambda *_: None)
    health = reader(client, responder)
    with pytest.raises(Timeout):
        await health.read()
    assert len(responder.requests) == 1


async def test_silence_later_is_an_error_and_the_rows_are_kept(
    client: SnmpClient, respond: Respond
) -> None:
    responder = await respond(store())
    health = reader(client, responder)
    await health.read()
    responder.handle = lambda *_: None
    since = len(responder.requests)
    with pytest.raises(Timeout):
        await health.read()
    assert len(responder.requests) == since + 1
    responder.handle = None
    assert len(streams(await health.read())["sensors"]) == 2


def under(root: Oid, act: Callable[[Responder, bytes, tuple[str, int]], None]) -> Handle:
    """Do ``act`` where a walk of ``root`` asks, else answer as the store says."""

    def handle(responder: Responder, data: bytes, address: tuple[str, int]) -> None:
        names = [bind.name for bind in responder.requests[-1].varbinds]
        walking = responder.requests[-1].pdu_type == PduType.GET_BULK
        if walking and any(name[: len(root)] == root for name in names):
            act(responder, data, address)
        else:
            responder.send(responder.answer(data).encode(), address)

    return handle


def same_again(responder: Responder, data: bytes, address: tuple[str, int]) -> None:
    """The very rows asked after: a walk that would never end."""
    varbinds = responder.requests[-1].varbinds
    reply = responder.answer(data, varbinds=tuple(bind for bind in varbinds for _ in range(3)))
    responder.send(reply.encode(), address)


def garbage(responder: Responder, data: bytes, address: tuple[str, int]) -> None:
    responder.send(b"\x30\x84\xff\xff\xff\xff", address)


def refuse(responder: Responder, data: bytes, address: tuple[str, int]) -> None:
    reply = responder.answer(data, error_status=5, error_index=1, varbinds=())
    responder.send(reply.encode(), address)


@pytest.mark.parametrize("act", [same_again, garbage, refuse, lambda *_: None])
async def test_a_table_an_agent_chokes_on_takes_nothing_from_the_others(
    client: SnmpClient,
    respond: Respond,
    act: Callable[[Responder, bytes, tuple[str, int]], None],
) -> None:
    responder = await respond(store(), under((*PSE, 2), act))
    health = reader(client, responder)
    found = await health.read()
    assert "poe" not in streams(found)
    assert streams(found)["sensors"]["hwEntityTemperature.1"]["sensor_value"] == 42
    assert len(found.errors) == 1
    # It says so again with each pass, and PoE is unknown, never empty.
    again = await health.read()
    assert "poe" not in streams(again)
    assert [str(error) for error in again.errors] == [str(error) for error in found.errors]
    # When the agent has come to itself, the next look finds the table.
    responder.handle = None
    health._due_ns = 0
    assert streams(await health.read())["poe"]["pse 1"]["poe_watts"] == 115


async def test_rows_known_before_outlive_a_table_that_fails_later(
    client: SnmpClient, respond: Respond
) -> None:
    responder = await respond(store())
    health = reader(client, responder)
    await health.read()
    responder.handle = under((*PSE, 2), same_again)
    health._due_ns = 0
    found = await health.read()
    assert [type(error) for error in found.errors] == [NotIncreasing]
    again = await health.read()
    assert streams(again)["poe"]["pse 1"]["poe_watts"] == 115


async def test_an_agent_that_never_ends_is_bounded(client: SnmpClient, respond: Respond) -> None:
    """Each answer goes on by one row, for ever."""

    def endless(responder: Responder, data: bytes, address: tuple[str, int]) -> None:
        request = responder.requests[-1]
        if request.pdu_type == PduType.GET:
            responder.send(responder.answer(data).encode(), address)
            return
        name = request.varbinds[0].name
        row = name[-1] if name[:-1] == HEAT else 0
        bind = type(request.varbinds[0])((*HEAT, row + 1), Tag.INTEGER, 42)
        if name < (*HEAT, row + 1):
            responder.send(responder.answer(data, varbinds=(bind,)).encode(), address)
        else:
            responder.send(responder.answer(data).encode(), address)

    responder = await respond(store(), endless)
    health = reader(client, responder, learn_budget_seconds=0.3)
    found = await health.read()
    assert any(isinstance(error, BudgetExceeded) for error in found.errors)
    assert all(isinstance(error, SnmpError) for error in found.errors)
