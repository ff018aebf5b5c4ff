"""The stream ``chassis``: a row a member of a stack, or one made of the maker's own objects."""

from drivers.snmp import mib
from drivers.snmp.ber import Tag
from drivers.snmp.chassis import ChassisReader
from drivers.snmp.client import SnmpClient
from drivers.snmp.switch import SwitchReader
from drivers.snmp.target import Target
from tests.snmp.body import oid, rows
from tests.snmp.conftest import Respond, Store

SYSTEM: Store = {
    mib.SYS_DESCR: (Tag.OCTET_STRING, b"a switch, Version 1.2"),
    mib.SYS_OBJECT_ID: (Tag.OID, oid("1.3.6.1.4.1.99999.1")),
    mib.SYS_UPTIME: (Tag.TIME_TICKS, 500),
    mib.SYS_NAME: (Tag.OCTET_STRING, b"core"),
}


async def read(client: SnmpClient, respond: Respond, more: Store) -> dict[str, dict[str, object]]:
    responder = await respond({**SYSTEM, **more})
    target = Target(host="127.0.0.1", port=responder.port, community="public")
    readings = await ChassisReader(SwitchReader(client, target)).read()
    assert readings.errors == ()
    assert readings.uptime_ticks == 500
    assert readings.received_ns >= readings.sent_ns
    (reading,) = readings.readings
    assert reading.stream == "chassis"
    return rows(reading)


async def test_members_of_a_stack(client: SnmpClient, respond: Respond) -> None:
    store: Store = {}
    for index, kind in ((1, 11), (1001, 3), (2001, 3), (3001, 3), (1002, 5)):
        store[(*mib.ENT_CLASS, index)] = (Tag.INTEGER, kind)
    for member in (1, 2):
        index = member * 1000 + 1
        store[(*mib.ENT_NAME, index)] = (Tag.OCTET_STRING, str(member).encode())
        store[(*mib.ENT_MODEL, index)] = (Tag.OCTET_STRING, b"S5700")
        store[(*mib.ENT_SERIAL, index)] = (Tag.OCTET_STRING, b"SN%d " % member)
        store[(*mib.ENT_HARDWARE, index)] = (Tag.OCTET_STRING, b"V02")
        store[(*mib.ENT_POSITION, index)] = (Tag.INTEGER, member)
    found = await read(client, respond, store)
    # The third is a placeholder without a model, a serial number or a revision.
    assert list(found) == ["chassis 1001", "chassis 2001"]
    assert found["chassis 2001"] == {
        "chassis_name": "2",
        "chassis_model": "S5700",
        "chassis_serial": "SN2",
        "hardware_revision": "V02",
        "firmware_revision": None,
        # What the device as a whole says is not said of each member.
        "software_revision": None,
        "chassis_position": 2,
    }


async def test_a_device_without_entity_mib(client: SnmpClient, respond: Respond) -> None:
    found = await read(client, respond, {})
    assert list(found) == ["chassis"]
    assert found["chassis"]["software_revision"] == "1.2"
    assert found["chassis"]["chassis_serial"] is None


async def test_the_makers_own_objects_fill_the_gaps(client: SnmpClient, respond: Respond) -> None:
    more: Store = {
        mib.SYS_DESCR: (Tag.OCTET_STRING, b"DH-NVR4108"),
        mib.SYS_OBJECT_ID: (Tag.OID, oid("1.3.6.1.4.1.1004849.3.2.10")),
        oid("1.3.6.1.4.1.1004849.2.1.2.4.0"): (Tag.OCTET_STRING, b"2M00"),
        oid("1.3.6.1.4.1.1004849.2.1.2.6.0"): (Tag.OCTET_STRING, b"DH-NVR"),
    }
    (row,) = (await read(client, respond, more)).values()
    assert (row["chassis_model"], row["chassis_serial"]) == ("DH-NVR", "2M00")


async def test_a_device_that_says_nothing_of_itself_has_no_row(
    client: SnmpClient, respond: Respond
) -> None:
    assert await read(client, respond, {mib.SYS_DESCR: (Tag.OCTET_STRING, b"?")}) == {}
