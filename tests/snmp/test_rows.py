"""Which ports a new walk keeps, and when missing ones are looked for again."""

import asyncio
import socket

import pytest

from drivers.snmp import mib, target
from drivers.snmp.client import SnmpClient
from drivers.snmp.errors import Timeout, UnexpectedReply
from drivers.snmp.portplan import state_plan
from drivers.snmp.ports import Port, PortTable
from drivers.snmp.rows import MAX_MISSES, Table, merged
from drivers.snmp.switch import REWALK_SECONDS, SwitchReader
from drivers.snmp.target import Target
from tests.snmp.conftest import Respond, Store
from tests.snmp.test_switch import rows, table


def port(index: int, name: str | None = None) -> Port:
    return Port(
        key=name or f"g{index}",
        if_index=index,
        name=name or f"g{index}",
        descr=None,
        alias=None,
        type=6,
        mtu=None,
        mac=None,
    )


def known(*indexes: int, walked: int | None = None, now: int | None = None) -> Table:
    ports = tuple(port(index) for index in indexes)
    keys = tuple(one.key for one in ports)
    return Table(
        ports=ports,
        keys=keys,
        state=state_plan(ports),
        findings=(),
        walked_number=walked,
        if_number=now,
    )


def walk(*indexes: int, cut: bool = False) -> PortTable:
    error = UnexpectedReply("cut") if cut else None
    return PortTable(tuple(port(index) for index in indexes), (), error)


def test_a_port_is_missed_three_times_before_it_is_given_up_as_lost() -> None:
    before = known(1, 2, 3)
    for misses in range(1, MAX_MISSES):
        ports, counts, lost = merged(walk(1, 3), before)
        assert [one.key for one in ports] == ["g1", "g2", "g3"]
        assert counts == {"g2": misses}
        assert not lost
        before.misses = counts
    ports, counts, lost = merged(walk(1, 3), before)
    assert [one.key for one in ports] == ["g1", "g3"]
    assert counts == {}
    assert lost == {"g2"}
    before = known(1, 3)
    before.lost = lost
    ports, _, lost = merged(walk(1, 2, 3), before)
    assert [one.key for one in ports] == ["g1", "g2", "g3"]
    assert not lost


def test_a_cut_walk_is_no_miss_and_a_fallen_if_number_is_believed_at_once() -> None:
    ports, counts, lost = merged(walk(1, cut=True), known(1, 2))
    assert [one.key for one in ports] == ["g1", "g2"]
    assert counts == {"g2": 0}
    ports, counts, lost = merged(walk(1), known(1, 2, walked=2, now=1))
    assert [one.key for one in ports] == ["g1"]
    assert not counts
    assert not lost


def without(store: Store, row: int) -> Store:
    return {name: value for name, value in store.items() if name[-1] != row or len(name) < 10}


@pytest.mark.parametrize("walks_missing", [1, MAX_MISSES + 1])
async def test_a_port_that_comes_back_is_found_without_an_inventory(
    respond: Respond, client: SnmpClient, walks_missing: int
) -> None:
    """Neither ifNumber nor ifTableLastChange moves: only walking again can find it."""
    whole = table(4)
    responder = await respond(dict(whole))
    reader = SwitchReader(client, Target(host="127.0.0.1", port=responder.port, community="public"))
    await reader.state()
    responder.store = without(whole, 3)
    for _ in range(walks_missing):
        reader._walked_ns -= 700 * 10**9
        await reader.state()
    gone = walks_missing > MAX_MISSES
    state = await reader.state()
    assert rows(state, "oper").get("g3", "gone") == ("gone" if gone else None)
    responder.store = dict(whole)
    assert rows(await reader.state(), "oper").get("g3") is None, "a walk a sweep would be too many"
    reader._walked_ns -= 700 * 10**9
    assert rows(await reader.state(), "oper")["g3"] == 1
    assert reader._rewalk_seconds == REWALK_SECONDS


async def test_walks_for_missing_ports_become_rarer(respond: Respond, client: SnmpClient) -> None:
    whole = table(4)
    responder = await respond(dict(whole))
    reader = SwitchReader(client, Target(host="127.0.0.1", port=responder.port, community="public"))
    await reader.state()
    responder.store = without(whole, 3)
    asked = []
    for _ in range(8):
        reader._walked_ns -= 10_000 * 10**9
        await reader.state()
        asked.append(reader._rewalk_seconds)
    assert asked[:3] == [40, 80, 160]
    assert max(asked) <= 640


async def test_a_name_that_moves_to_another_address_is_followed(
    respond: Respond, client: SnmpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = await respond(table(2)), await respond(table(2))
    known_as = {"port": old.port}

    async def look_up(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
        await asyncio.sleep(0)
        assert (host, port) == ("switch.example", 161)
        return socket.AF_INET, ("127.0.0.1", known_as["port"])

    monkeypatch.setattr(target, "_address", look_up)
    asked = Target(host="switch.example", community="public", timeout_seconds=0.05, retries=0)
    reader = SwitchReader(client, asked)
    assert (await reader.state()).rows == ("g1", "g2")
    old.handle = lambda *_: None
    known_as["port"] = new.port
    for _ in range(3):
        with pytest.raises(Timeout):
            await reader.state()
    state = await reader.state()
    assert rows(state, "oper") == {"g1": 1, "g2": 1}
    assert any(m.varbinds[0].name == mib.SYS_UPTIME for m in new.requests)
