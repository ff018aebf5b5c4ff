"""Vendor tables over a real socket: rows joined, sums, what is cut, what is never asked."""

from drivers.snmp.ber import Tag
from drivers.snmp.client import SnmpClient
from drivers.snmp.ports import Port
from drivers.snmp.session import Session
from drivers.snmp.target import Target
from drivers.snmp.vendor_reader import VendorRows, read_vendor_tables
from drivers.snmp.vendor_tables import tables_for, vendor_specs
from tests.snmp.conftest import Respond, Store

HUAWEI = (1, 3, 6, 1, 4, 1, 2011)
ONT = (*HUAWEI, 6, 128, 1, 1, 2)
ZTE = (1, 3, 6, 1, 4, 1, 3902, 1012, 3, 28)
PON = 4194304000
PORTS = [
    Port(
        key="GPON 0/1/0",
        if_index=PON,
        name="GPON 0/1/0",
        descr=None,
        alias=None,
        type=250,
        mtu=None,
        mac=None,
    )
]


async def read(
    client: SnmpClient, respond: Respond, store: Store, enterprise: int
) -> tuple[VendorRows, int]:
    responder = await respond(store)
    target = Target(host="127.0.0.1", port=responder.port, community="public")
    session = Session(client, await client.device(target))
    tables = tables_for(vendor_specs(), enterprise, "")
    rows = await read_vendor_tables(session, tables, PORTS, client.budget(10))
    return rows, len(responder.requests)


async def test_optical_terminals_of_huawei(client: SnmpClient, respond: Respond) -> None:
    """Columns of three tables with one index; 2147483647 is the maker's word for unknown."""
    store: Store = {
        (*ONT, 43, 1, 3, PON, 0): (Tag.OCTET_STRING, b"HWTC\x12\x34\xab\xcd"),
        (*ONT, 43, 1, 3, PON, 1): (Tag.OCTET_STRING, b"HWTC\0\0\0\x01"),
        (*ONT, 43, 1, 9, PON, 0): (Tag.OCTET_STRING, b"library"),
        (*ONT, 46, 1, 15, PON, 0): (Tag.INTEGER, 1),
        (*ONT, 46, 1, 15, PON, 1): (Tag.INTEGER, 2),
        (*ONT, 46, 1, 20, PON, 0): (Tag.INTEGER, 1204),
        (*ONT, 46, 1, 20, PON, 1): (Tag.INTEGER, -1),
        (*ONT, 51, 1, 4, PON, 0): (Tag.INTEGER, -2250),
        (*ONT, 51, 1, 4, PON, 1): (Tag.INTEGER, 2147483647),
    }
    found, _ = await read(client, respond, store, 2011)
    assert found.failed == {}
    assert found.rows["onus"] == {
        "GPON 0/1/0/0": {
            "onu_port": "GPON 0/1/0",
            "onu_serial": "HWTC1234ABCD",
            "onu_name": "library",
            "onu_state": "online",
            "onu_distance_metres": 1204,
            "onu_rx_dbm": -22.5,
        },
        "GPON 0/1/0/1": {
            "onu_port": "GPON 0/1/0",
            "onu_serial": "HWTC00000001",
            "onu_name": None,
            "onu_state": "offline",
            "onu_distance_metres": None,
            "onu_rx_dbm": None,
        },
    }


async def test_optical_terminals_of_zte(client: SnmpClient, respond: Respond) -> None:
    store: Store = {
        (*ZTE, 1, 1, 2, 268501248, 3): (Tag.OCTET_STRING, b"gym"),
        (*ZTE, 1, 1, 5, 268501248, 3): (Tag.OCTET_STRING, b"ZTEG\xd5\xd4\x28\x74"),
        (*ZTE, 2, 1, 4, 268501248, 3): (Tag.INTEGER, 6),
    }
    found, _ = await read(client, respond, store, 3902)
    (row,) = found.rows["onus"].values()
    assert row["onu_serial"] == "ZTEGD5D42874"
    assert row["onu_state"] == "6"  # the sources disagree about it: the number, no word


async def test_a_device_without_the_tables_is_asked_little(
    client: SnmpClient, respond: Respond
) -> None:
    found, requests = await read(client, respond, {}, 2011)
    assert found.rows == {}
    assert requests <= sum(len(t.required) for t in tables_for(vendor_specs(), 2011, ""))


async def test_a_table_that_is_cut_is_named(client: SnmpClient, respond: Respond) -> None:
    responder = await respond({}, lambda *_: None)
    target = Target(
        host="127.0.0.1", port=responder.port, community="x", timeout_seconds=0.05, retries=0
    )
    session = Session(client, await client.device(target))
    tables = tables_for(vendor_specs(), 3902, "")
    found = await read_vendor_tables(session, tables, PORTS, client.budget(5))
    assert set(found.failed) == {"onus"}
    assert found.rows == {}
