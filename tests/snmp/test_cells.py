"""One number out of a table: units, sentinels, lanes; and asking for many of them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.snmp.ber import Missing, Tag, Value
from drivers.snmp.cells import Answers, Table, ask, lanes_of, number, walk_into
from drivers.snmp.client import SnmpClient
from drivers.snmp.errors import SnmpError, Timeout
from drivers.snmp.session import Session
from drivers.snmp.target import Target
from drivers.snmp.vendorfile import Convert, Number
from tests.snmp.conftest import Respond, Responder


def spec(**more: object) -> Number:
    return Number.model_validate({"oid": "1.3.6.1.4.1.9.1", **more})


@pytest.mark.parametrize(
    ("value", "more", "expected"),
    [
        (234, {"factor": 0.1}, 23.4),
        (0, {}, 0),
        (-7, {}, -7),
        (-1, {"unknown": (-1,)}, None),
        (2147483647, {"unknown": (0, 2147483647)}, None),
        (b" 40%", {"factor": 0.01}, 0.4),
        (b"37.93 ,37.93", {}, 37.93),
        (b"93.99%", {"factor": 0.01}, 0.9399),
        (b"1310nm", {}, 1310),
        (b"N/A", {}, None),
        (b"", {}, None),
        (b"\x9f\x78\x04\x00\x00\x00\x00", {}, None),
        (None, {}, None),
        (Missing.NO_SUCH_INSTANCE, {}, None),
        ((1, 3, 6), {}, None),
        # 1 mW is 0 dBm, 536 uW is -2.708 dBm; no light has no logarithm.
        (1, {"convert": "milliwatt"}, 0),
        (1000, {"convert": "microwatt"}, 0),
        (536, {"convert": "microwatt"}, -2.708352),
        (10_000, {"factor": 0.1, "convert": "microwatt"}, 0),
        (0, {"convert": "microwatt"}, None),
        (-270, {"convert": "microwatt_or_centidbm"}, -2.7),
        (536, {"convert": "microwatt_or_centidbm"}, -2.708352),
        (-1535721472, {"convert": "unsigned"}, 2759245824),
        (b"50(50um),20(62.5um),100(OM3)", {"convert": "longest"}, 100),
        (b"", {"convert": "longest"}, None),
        (5000, {"factor": 0.1, "least": 0, "most": 100}, None),
        (5000, {"factor": 0.01, "least": 40, "most": 70}, 50),
        (3, {"values": {"1": 1, "3": 0}}, 0),
        (9, {"values": {"1": 1}}, None),
    ],
)
def test_number(value: Value, more: dict[str, object], expected: float | None) -> None:
    assert number(value, spec(**more)) == expected


def test_a_name_among_values_is_the_columns_number() -> None:
    source = spec(values={"2": "mains", "3": "battery"})
    assert number(3, source, "power_source") == 5


@pytest.mark.parametrize(
    ("value", "lane", "expected"),
    [(b"7.37  ,7.18", 0, 7.37), (b"7.37  ,7.18", 1, 7.18), (b"7.37", 1, None), (b"-,1", 0, None)],
)
def test_a_list_has_a_number_a_lane(value: bytes, lane: int, expected: float | None) -> None:
    assert number(value, spec(), lane=lane) == expected


def test_lanes_are_counted() -> None:
    assert [lanes_of(value) for value in (b"1,2,3", b"1", b" ", b"", 5, None)] == [3, 1, 0, 0, 0, 0]


VALUES = st.one_of(
    st.integers(-(2**63), 2**64 - 1),
    st.binary(max_size=40),
    st.sampled_from([None, *Missing]),
    st.tuples(st.integers(0, 9)),
)


@given(VALUES, st.sampled_from(Convert), st.sampled_from([0, 0.01, 1.0, 1024.0, -1.0]))
def test_whatever_comes_is_a_number_or_unknown(
    value: Value, convert: Convert, factor: float
) -> None:
    found = number(value, spec(convert=convert, factor=factor))
    assert found is None or math.isfinite(found)


@given(st.floats(-40, 10))
def test_light_survives_the_way_over_milliwatts(dbm: float) -> None:
    found = number(str(10 ** (dbm / 10) * 1000).encode(), spec(convert="microwatt"))
    assert found == pytest.approx(dbm, abs=1e-5)


STORE = {(1, 3, 6, 1, 4, 1, 9, 1, row): (Tag.INTEGER, row) for row in range(1, 101)}


async def session(client: SnmpClient, port: int, **more: float) -> Session:
    target = Target(host="127.0.0.1", port=port, community="public", **more)  # type: ignore[arg-type] # keyword names are checked by use
    return Session(client, await client.device(target))


async def test_all_names_come_in_as_many_requests_as_needed(
    client: SnmpClient, respond: Respond
) -> None:
    responder = await respond(STORE)
    answers = await ask(await session(client, responder.port), list(STORE), None)
    assert answers.values == {name: value for name, (_, value) in STORE.items()}
    assert answers.errors == []
    assert len(responder.requests) == 2


async def test_a_name_that_is_refused_takes_nothing_from_the_others(
    client: SnmpClient, respond: Respond
) -> None:
    def refuse(responder: Responder, data: bytes, address: tuple[str, int]) -> None:
        asked = [bind.name[-1] for bind in responder.requests[-1].varbinds]
        if 7 in asked:
            reply = responder.answer(
                data, error_status=5, error_index=asked.index(7) + 1, varbinds=()
            )
            responder.send(reply.encode(), address)
        else:
            responder.send(responder.answer(data).encode(), address)

    responder = await respond(STORE, refuse)
    answers = await ask(await session(client, responder.port), list(STORE), None)
    assert len(answers.values) == 99
    assert len(answers.errors) == 1


async def test_silence_raises_and_half_a_silence_does_not(
    client: SnmpClient, respond: Respond
) -> None:
    def half(responder: Responder, data: bytes, address: tuple[str, int]) -> None:
        if any(bind.name[-1] < 50 for bind in responder.requests[-1].varbinds):
            responder.send(responder.answer(data).encode(), address)

    responder = await respond(STORE, half)
    found = await ask(
        await session(client, responder.port, timeout_seconds=0.02, retries=0), list(STORE), None
    )
    assert len(found.values) == 60
    assert [type(error) for error in found.errors] == [Timeout]

    silent = await respond(STORE, lambda *_: None)
    with pytest.raises(SnmpError):
        await ask(
            await session(client, silent.port, timeout_seconds=0.02, retries=0), list(STORE), None
        )
    assert len(silent.requests) == 1


async def test_a_column_is_walked_once(client: SnmpClient, respond: Respond) -> None:
    responder = await respond(STORE)
    table = Table()
    root = (1, 3, 6, 1, 4, 1, 9, 1)
    absent = (1, 3, 6, 1, 4, 1, 9, 2)
    asked = await session(client, responder.port)
    await walk_into(table, asked, [root, root, absent], None)
    before = len(responder.requests)
    await walk_into(table, asked, [root, absent], None)
    assert len(responder.requests) == before
    assert table.column(root) == {(row,): row for row in range(1, 101)}
    assert table.column(absent) == {}
    assert table.error([root, absent]) is None
    assert table.values()[*root, 3] == 3


def test_nothing_asked_is_nothing_answered() -> None:
    assert Answers().values == {}
