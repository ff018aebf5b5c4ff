"""Other people's managers read the same simulated switch; where they are right we agree."""

import asyncio
import importlib
import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest

from drivers.snmp import mib
from drivers.snmp.ber import Oid, oid_text
from drivers.snmp.client import SnmpClient
from drivers.snmp.session import Session
from drivers.snmp.target import Target
from firmware_sims.switch import fleet
from firmware_sims.switch.plan import alike
from firmware_sims.switch.server import Fleet
from firmware_sims.switch.vendors import Vendor
from tenone.runtime.clock import ManualClock

COLUMNS: tuple[Oid, ...] = (mib.IF_DESCR, mib.IF_OPER_STATUS, mib.IF_SPEED, mib.IF_HC_IN_OCTETS)


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """The UDP port of a switch whose time stands still, so that all read the same."""
    (plan,) = alike(
        count=1, vendors=[Vendor.H3C], ports=24, uplinks=2, virtual=True, community="public"
    )
    unit = fleet.live(plan, ("127.0.0.1", 0), fleet.Setting(clock=ManualClock()))
    async with Fleet([unit.endpoint]):
        yield unit.endpoint.port


async def ours(client: SnmpClient, port: int, root: Oid) -> dict[str, object]:
    target = Target(host="127.0.0.1", port=port, community="public")
    walk = await Session(client, await client.device(target)).walk(root)
    assert walk.error is None
    assert len(walk.varbinds) >= 26
    return {oid_text(bind.name): bind.value for bind in walk.varbinds}


@pytest.mark.parametrize("root", COLUMNS, ids=oid_text)
async def test_gufo(client: SnmpClient, port: int, root: Oid) -> None:
    gufo = pytest.importorskip("gufo.snmp.aio")
    async with gufo.SnmpSession(addr="127.0.0.1", port=port, community="public") as session:
        theirs = {name: value async for name, value in session.getbulk(oid_text(root))}
    assert theirs == await ours(client, port, root)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("root", COLUMNS, ids=oid_text)
async def test_pysnmp(client: SnmpClient, port: int, root: Oid) -> None:
    # Loaded here, since it takes a second and most tests do without it.
    pysnmp: Any = importlib.import_module("pysnmp.hlapi.v3arch.asyncio")
    engine = pysnmp.SnmpEngine()
    try:
        transport = await pysnmp.UdpTransportTarget.create(("127.0.0.1", port))
        theirs = {}
        answers = pysnmp.bulk_walk_cmd(
            engine,
            pysnmp.CommunityData("public"),
            transport,
            pysnmp.ContextData(),
            0,
            25,
            pysnmp.ObjectType(pysnmp.ObjectIdentity(oid_text(root))),
            lexicographicMode=False,
            lookupMib=False,
        )
        async for error, status, _, binds in answers:
            assert not error
            assert not status
            theirs.update({str(name): value for name, value in binds})
    finally:
        engine.close_dispatcher()
    expected = await ours(client, port, root)
    assert theirs.keys() == expected.keys()
    for name, value in expected.items():
        assert (bytes(theirs[name]) if isinstance(value, bytes) else int(theirs[name])) == value


@pytest.mark.parametrize("root", COLUMNS, ids=oid_text)
async def test_net_snmp(client: SnmpClient, port: int, root: Oid) -> None:
    if shutil.which("snmpbulkwalk") is None:
        pytest.skip("net-snmp's snmpbulkwalk is not installed (Debian: snmp)")
    command = ["snmpbulkwalk", "-v2c", "-cpublic", "-On", "-OQ", "-Oe", "-OU", "-Ox", "-m", ""]
    process = await asyncio.create_subprocess_exec(
        *command,
        f"127.0.0.1:{port}",
        oid_text(root),
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    said_by_name: dict[str, str] = {}
    last = ""
    for line in said.decode().splitlines():
        name, equals, value = line.partition(" = ")
        if equals:
            last = name.removeprefix(".")
        # Octets go on in the next line after each sixteen.
        said_by_name[last] = said_by_name.get(last, "") + (value if equals else line)
    expected = await ours(client, port, root)
    assert said_by_name.keys() == expected.keys()
    for name, mine in expected.items():
        told = said_by_name[name]
        if isinstance(mine, bytes):
            assert bytes.fromhex(told.replace('"', "")) == mine
        else:
            assert int(told) == mine
