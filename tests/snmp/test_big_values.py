"""VLAN bitmaps of 12 KB beside what is read: an agent that falls silent over large answers.

As snmpsim replays an AC6605 (SWITCHES.md section 1): silent at 10 repetitions, complete at 5.
"""

from drivers.snmp.ber import Tag
from drivers.snmp.client import SnmpClient
from drivers.snmp.session import Session
from drivers.snmp.stations import DOT1Q_FDB, DOT1Q_VLAN_FDB, read_stations
from drivers.snmp.target import Target
from tests.snmp.conftest import Respond, Responder, Store

BITMAP = bytes(12_000)
LARGEST = 65_000
VLANS = 30
STATIONS = 200


def big_store() -> Store:
    store: Store = {}
    egress = (*DOT1Q_VLAN_FDB[:-1], 4)
    untagged = (*DOT1Q_VLAN_FDB[:-1], 5)
    for vlan in range(1, VLANS + 1):
        store[*DOT1Q_VLAN_FDB, 0, vlan] = (Tag.GAUGE32, vlan)
        store[*egress, 0, vlan] = (Tag.OCTET_STRING, BITMAP)
        store[*untagged, 0, vlan] = (Tag.OCTET_STRING, BITMAP)
    for number in range(STATIONS):
        index = (number % VLANS + 1, 2, 0, 0, 0, number >> 8, number & 255)
        store[*DOT1Q_FDB, 2, *index] = (Tag.INTEGER, 1)
        store[*DOT1Q_FDB, 3, *index] = (Tag.INTEGER, 3)
    return store


async def test_stations_beside_bitmaps_are_read_completely(
    client: SnmpClient, respond: Respond
) -> None:
    silent = 0

    def answer(responder: Responder, data: bytes, addr: tuple[str, int]) -> None:
        nonlocal silent
        reply = responder.answer(data).encode()
        if len(reply) > LARGEST:
            silent += 1
        else:
            responder.send(reply, addr)

    responder = await respond(big_store(), answer)
    target = Target(
        host="127.0.0.1", port=responder.port, community="public", timeout_seconds=0.3, retries=2
    )
    session = Session(client, await client.device(target))
    found = await read_stations(session, [], client.budget(60))
    assert found.error is None
    assert silent > 0, "the bitmaps were never in the way"
    assert len(found.learnt) == STATIONS
    assert {one.vlan for one in found.learnt} == set(range(1, VLANS + 1))
    asked = [name for request in responder.requests for name in request.varbinds]
    assert len(asked) < 200
