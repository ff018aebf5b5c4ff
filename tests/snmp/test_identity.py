"""Maker and version out of what devices say of themselves."""

import pytest

from drivers.snmp import mib
from drivers.snmp.ber import Tag, Value
from drivers.snmp.client import SnmpClient
from drivers.snmp.errors import AgentError
from drivers.snmp.identity import read_system, vendor, version
from drivers.snmp.message import Message
from drivers.snmp.session import Session
from drivers.snmp.target import Target
from tests.snmp.conftest import Respond, Responder, Store


@pytest.mark.parametrize(
    ("object_id", "expected"),
    [
        ((1, 3, 6, 1, 4, 1, 2011, 2, 23), "Huawei"),
        ((1, 3, 6, 1, 4, 1, 4881, 1), "Ruijie"),
        ((1, 3, 6, 1, 4, 1, 999999, 1), None),
        ((1, 3, 6, 1, 4, 1), None),
        ((0, 0), None),
        (b"x", None),
        (None, None),
    ],
)
def test_vendor(object_id: Value, expected: str | None) -> None:
    assert vendor(object_id) == expected


@pytest.mark.parametrize(
    ("descr", "expected"),
    [
        ("VRP (R) software,Version 5.170 (S5720 V200R010) \r\n", "5.170 (S5720 V200R010)"),
        ("5900 Version: V3.03.10.B30P11,  RELEASE", "V3.03.10.B30P11"),
        ("Cisco IOS Software, Version 15.0(2)EX5, RELEASE", "15.0(2)EX5"),
        ("AXIS Q1656; Box Camera", None),
        ("", None),
    ],
)
def test_version(descr: str, expected: str | None) -> None:
    assert version(descr) == expected


STORE: Store = {
    mib.SYS_DESCR: (Tag.OCTET_STRING, b"a switch, Version 1.2"),
    mib.SYS_OBJECT_ID: (Tag.OID, (1, 3, 6, 1, 4, 1, 25506, 1)),
    mib.SYS_UPTIME: (Tag.TIME_TICKS, 500),
    mib.SYS_NAME: (Tag.OCTET_STRING, b""),
    (*mib.ENT_CLASS, 1): (Tag.INTEGER, 3),
    (*mib.ENT_CLASS, 2): (Tag.INTEGER, 3),
    (*mib.ENT_CLASS, 9): (Tag.INTEGER, 10),
    (*mib.ENT_SERIAL, 2): (Tag.OCTET_STRING, b"SN2"),
    (*mib.ENT_MODEL, 2): (Tag.OCTET_STRING, b"S5130 "),
}


async def session(client: SnmpClient, responder: Responder) -> Session:
    target = Target(host="127.0.0.1", port=responder.port, community="public")
    return Session(client, await client.device(target))


async def test_the_chassis_with_a_name_is_the_device(respond: Respond, client: SnmpClient) -> None:
    system = await read_system(await session(client, await respond(STORE)))
    assert (system.vendor, system.model, system.serial) == ("H3C", "S5130", "SN2")
    assert (system.version, system.name, system.uptime_ticks) == ("1.2", None, 500)
    assert len(system.chassis) == 2


async def test_one_refused_name_does_not_hide_the_others(
    respond: Respond, client: SnmpClient
) -> None:
    def picky(self: Responder, data: bytes, addr: tuple[str, int]) -> None:
        asked = [bind.name for bind in Message.decode(data).varbinds]
        status = 5 if mib.SNMP_ENGINE_BOOTS in asked else 0
        self.send(self.answer(data, error_status=status, error_index=status and 5).encode(), addr)

    system = await read_system(await session(client, await respond(STORE, picky)))
    assert system.vendor == "H3C"
    assert system.engine_boots is None


async def test_refusing_everything_is_an_error(respond: Respond, client: SnmpClient) -> None:
    def refuse(self: Responder, data: bytes, addr: tuple[str, int]) -> None:
        self.send(self.answer(data, error_status=16).encode(), addr)

    with pytest.raises(AgentError, match="authorizationError"):
        await read_system(await session(client, await respond(STORE, refuse)))
