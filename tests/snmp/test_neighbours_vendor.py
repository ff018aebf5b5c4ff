"""Neighbours of the makers' own tables: what is asked of an agent that has none."""

from drivers.snmp.ber import Tag
from drivers.snmp.client import SnmpClient
from drivers.snmp.neighbours_vendor import CDP_CACHE, TPLINK_LLDP, read_cdp, read_tplink
from drivers.snmp.session import Session
from drivers.snmp.target import Target
from tests.snmp.conftest import Respond, Responder, Store


async def session_of(client: SnmpClient, responder: Responder) -> Session:
    target = Target(host="127.0.0.1", port=responder.port, community="public")
    return Session(client, await client.device(target))


async def test_none_costs_one_question_each(client: SnmpClient, respond: Respond) -> None:
    responder = await respond({})
    session = await session_of(client, responder)
    assert await read_cdp(session, []) == ([], None)
    assert await read_tplink(session, []) == ([], None)
    assert len(responder.requests) == 2


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
