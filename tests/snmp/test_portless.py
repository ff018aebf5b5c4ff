import pytest

from drivers.snmp import mib
from drivers.snmp.ber import Tag
from drivers.snmp.client import SnmpClient
from drivers.snmp.errors import Timeout
from drivers.snmp.portless import PortlessReader
from drivers.snmp.target import Target
from tests.snmp.conftest import Respond, Store


async def test_a_ups_says_who_it_is_and_that_it_is_there(
    respond: Respond, client: SnmpClient
) -> None:
    store: Store = {
        mib.SYS_DESCR: (Tag.OCTET_STRING, b"Smart-UPS 1500"),
        mib.SYS_UPTIME: (Tag.TIME_TICKS, 90_000),
        mib.SYS_NAME: (Tag.OCTET_STRING, b"ups-1"),
    }
    responder = await respond(store)
    target = Target(
        host="127.0.0.1", port=responder.port, community="public", timeout_seconds=0.2, retries=0
    )
    reader = PortlessReader(client, target)
    inventory = await reader.inventory()
    assert (inventory.system.descr, inventory.system.name) == ("Smart-UPS 1500", "ups-1")
    before = len(responder.requests)
    state = await reader.state()
    assert (state.rows, state.uptime_ticks, state.rebooted) == ((), 90_000, False)
    assert len(responder.requests) - before == 1
    store[mib.SYS_UPTIME] = (Tag.TIME_TICKS, 100)
    assert (await reader.counters()).rebooted
    responder.handle = lambda *_: None
    with pytest.raises(Timeout):
        await reader.state()
