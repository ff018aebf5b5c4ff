"""Neighbours of the makers' own tables: what is asked of an agent that has none."""

import pytest

from drivers.snmp.ber import Tag
from drivers.snmp.client import SnmpClient
from drivers.snmp.neighbours_vendor import (
    CDP_CACHE,
    HUAWEI_NDP,
    TPLINK_LLDP,
    read_cdp,
    read_huawei,
    read_tplink,
)
from drivers.snmp.session import Session
from drivers.snmp.target import Target
from tests.snmp.body import port
from tests.snmp.conftest import Respond, Responder, Store


async def session_of(client: SnmpClient, responder: Responder) -> Session:
    target = Target(host="127.0.0.1", port=responder.port, community="public")
    return Session(client, await client.device(target))


async def test_none_costs_one_question_each(client: SnmpClient, respond: Respond) -> None:
    responder = await respond({})
    session = await session_of(client, responder)
    assert await read_cdp(session, []) == ([], None)
    assert await read_tplink(session, []) == ([], None)
    assert await read_huawei(session, []) == ([], None)
    assert len(responder.requests) == 3


async def test_cdp(client: SnmpClient, respond: Respond) -> None:
    row = (10103, 1)
    store: Store = {
        (*CDP_CACHE, 3, *row): (Tag.INTEGER, 1),
        (*CDP_CACHE, 4, *row): (Tag.OCTET_STRING, b"\x0a\x01\x64\xb5"),
        (*CDP_CACHE, 6, *row): (Tag.OCTET_STRING, b"SEP00AABBCCDDEE"),
        (*CDP_CACHE, 7, *row): (Tag.OCTET_STRING, b"Port 1"),
        (*CDP_CACHE, 9, *row): (Tag.OCTET_STRING, b"\0\0\0\x90"),
    }
    responder = await respond(store)
    (one,), error = await read_cdp(await session_of(client, responder), [])
    assert error is None
    assert one.local_port == "#10103"
    assert (one.remote_name, one.address) == ("SEP00AABBCCDDEE", "10.1.100.181")
    assert one.capabilities == frozenset({"telephone", "station-only"})
    assert not one.network


async def test_tplink(client: SnmpClient, respond: Respond) -> None:
    row = (49153, 1)
    store: Store = {
        (*TPLINK_LLDP, 4, *row): (Tag.OCTET_STRING, b"48:A9:8A:C1:AC:58"),
        (*TPLINK_LLDP, 12, *row): (Tag.OCTET_STRING, b"Bridge Router "),
        (*TPLINK_LLDP, 13, *row): (Tag.OCTET_STRING, b"::169.254.2.131"),
    }
    responder = await respond(store)
    (one,), error = await read_tplink(await session_of(client, responder), [])
    assert error is None
    assert one.remote_mac == one.chassis_id == "48:a9:8a:c1:ac:58"
    assert one.address == "169.254.2.131"
    assert one.capabilities == frozenset({"bridge", "router"})


NDP_MAC = bytes.fromhex("00e0fc123456")


def ndp_index(if_index: int, device: bytes, name: bytes) -> tuple[int, ...]:
    return (if_index, len(device), *device, len(name), *name)


async def test_huawei(client: SnmpClient, respond: Respond) -> None:
    row = ndp_index(6, NDP_MAC, b"GigabitEthernet0/0/24")
    other = ndp_index(7, b"\x01\x02", b"")
    store: Store = {
        (*HUAWEI_NDP, 1, *row): (Tag.OCTET_STRING, NDP_MAC),
        (*HUAWEI_NDP, 2, *row): (Tag.OCTET_STRING, b"GigabitEthernet0/0/24"),
        (*HUAWEI_NDP, 3, *row): (Tag.OCTET_STRING, b"core"),
        (*HUAWEI_NDP, 3, *other): (Tag.OCTET_STRING, b""),
        (*HUAWEI_NDP, 5, *row): (Tag.OCTET_STRING, b"S5720"),
        (*HUAWEI_NDP, 8, *row): (Tag.OCTET_STRING, b"V200R019C10"),
    }
    responder = await respond(store)
    session = await session_of(client, responder)
    found, error = await read_huawei(session, [port(6, "GE0/0/1")])
    assert error is None
    one, two = found
    assert (one.local_port, one.protocol) == ("GE0/0/1", "ndp")
    assert (one.remote_name, one.remote_port) == ("core", "GigabitEthernet0/0/24")
    assert one.remote_mac == one.chassis_id == "00:e0:fc:12:34:56"
    assert (one.platform, one.remote_descr) == ("S5720", "V200R019C10")
    assert (two.local_port, two.remote_name, two.remote_port) == ("#7", None, None)
    assert (two.remote_mac, two.chassis_id) == (None, "01:02")


@pytest.mark.parametrize(
    ("index", "mac", "remote"),
    [
        (ndp_index(6, NDP_MAC, b"GE0/0/24"), "00:e0:fc:12:34:56", "GE0/0/24"),
        ((6, 1), None, None),
        ((6, 99, 1, 2), None, None),
        ((6, 2, 1, 999, 1, 65), None, "A"),
    ],
)
async def test_huawei_with_nothing_but_an_index(
    client: SnmpClient,
    respond: Respond,
    index: tuple[int, ...],
    mac: str | None,
    remote: str | None,
) -> None:
    responder = await respond({(*HUAWEI_NDP, 3, *index): (Tag.OCTET_STRING, b"core")})
    (one,), error = await read_huawei(await session_of(client, responder), [])
    assert error is None
    assert (one.remote_name, one.remote_mac, one.remote_port) == ("core", mac, remote)
