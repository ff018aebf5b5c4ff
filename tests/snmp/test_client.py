"""The client's bounds: windows, budgets, sources, families, time."""

import asyncio
import socket

import pytest

from drivers.snmp.ber import Missing, Oid, Tag, encode_oid
from drivers.snmp.client import SnmpClient
from drivers.snmp.errors import (
    BadTarget,
    BudgetExceeded,
    SnmpError,
    Timeout,
    TooManyRows,
    Unreachable,
)
from drivers.snmp.message import Envelope, Head, PduType, Version, build_request
from drivers.snmp.session import Session
from drivers.snmp.target import Target, parse_host_port
from tenone.runtime.clock import ManualClock
from tests.snmp.conftest import Respond, Responder, until

ROOT: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1, 10)
STORE = {(*ROOT, row): (Tag.COUNTER32, row) for row in range(1, 101)}


def target(port: int, host: str = "127.0.0.1", **more: float) -> Target:
    return Target(
        host=host,
        port=port,
        community="public",
        timeout_seconds=more.get("timeout", 2.0),
        retries=int(more.get("retries", 1)),
        window=int(more.get("window", 2)),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.1", ("10.0.0.1", 161)),
        ("10.0.0.1:1161", ("10.0.0.1", 1161)),
        ("switch.school:162", ("switch.school", 162)),
        ("[::1]:161", ("::1", 161)),
        ("[::1]", ("::1", 161)),
        ("fe80::1", ("fe80::1", 161)),
    ],
)
def test_addresses(text: str, expected: tuple[str, int]) -> None:
    assert parse_host_port(text) == expected


@pytest.mark.parametrize(
    "text", ["", ":161", "h:", "h:0", "h:65536", "h:x", "[::1", "[::1]x", "[::1]:", "h:１６１"]
)
def test_bad_addresses(text: str) -> None:
    with pytest.raises(BadTarget):
        parse_host_port(text)


@pytest.mark.parametrize("more", [{"timeout": 0}, {"retries": -1}, {"window": 0}])
def test_bad_targets(more: dict[str, float]) -> None:
    with pytest.raises(BadTarget):
        target(161, "127.0.0.1", **more)


async def test_an_unknown_host_is_one_sentence(client: SnmpClient) -> None:
    with pytest.raises(BadTarget, match="has no address"):
        await client.device(target(161, "no-such-host.invalid"))


async def test_get_and_walk(respond: Respond, client: SnmpClient) -> None:
    session = Session(client, await client.device(target((await respond(STORE)).port)))
    binds = await session.get([(*ROOT, 1), (*ROOT, 999)])
    assert [bind.value for bind in binds] == [1, Missing.NO_SUCH_INSTANCE]
    walk = await session.walk(ROOT)
    assert walk.error is None
    assert [bind.value for bind in walk.varbinds] == list(range(1, 101))
    nothing = await session.walk((1, 3, 6, 1, 9))
    assert nothing.varbinds == ()
    assert nothing.error is None


async def test_a_walk_is_bounded(respond: Respond, client: SnmpClient) -> None:
    session = Session(client, await client.device(target((await respond(STORE)).port)))
    walk = await session.walk(ROOT, max_rows=30)
    assert len(walk.varbinds) == 30
    assert isinstance(walk.error, BudgetExceeded)


async def test_ipv6(respond: Respond, client: SnmpClient) -> None:
    try:
        responder = await respond(STORE, host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    session = Session(client, await client.device(target(responder.port, "::1")))
    assert session.device.label == f"[::1]:{responder.port}"
    assert len((await session.walk(ROOT)).varbinds) == 100


async def test_a_name_is_resolved(respond: Respond, client: SnmpClient) -> None:
    session = Session(client, await client.device(target((await respond(STORE)).port, "localhost")))
    if session.device.family == socket.AF_INET:
        assert [bind.value for bind in await session.get([(*ROOT, 5)])] == [5]


async def test_the_window_opens_after_the_first_answer(
    respond: Respond, client: SnmpClient
) -> None:
    held: list[tuple[bytes, tuple[str, int]]] = []
    seen: list[int] = []

    def hold(self: Responder, data: bytes, addr: tuple[str, int]) -> None:
        held.append((data, addr))
        seen.append(len(held))

    responder = await respond(STORE, hold)
    device = await client.device(target(responder.port, window=3, timeout=10))
    done: list[int] = []
    request = build_request(
        Envelope(Version.V2C, b"public"), PduType.GET, (encode_oid((*ROOT, 1)),)
    )

    def on_reply(_head: Head, _data: bytes) -> None:
        done.append(1)

    def on_error(error: SnmpError) -> None:
        raise error

    for _ in range(9):
        client.submit(device, request, on_reply, on_error)
    async with asyncio.timeout(10):
        while len(done) < 9:
            await asyncio.sleep(0)
            if held and len(held) >= min(9 - len(done), 3 if done else 1):
                data, addr = held.pop(0)
                responder.send(responder.answer(data).encode(), addr)
    assert max(seen) == 3
    assert seen[:2] == [1, 1]


async def test_all_devices_together_stay_within_the_bound(respond: Respond) -> None:
    clock = ManualClock()
    responder = await respond(STORE, lambda *_: None)
    async with SnmpClient(clock=clock, max_outstanding=4) as client:
        devices = [await client.device(target(responder.port)) for _ in range(10)]
        waits = [asyncio.ensure_future(Session(client, d).get([(*ROOT, 1)])) for d in devices]
        await until(lambda: len(responder.requests) >= 4)
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(responder.requests) == 4
        # Silent ones stop counting long before they time out, so others get their turn.
        async with asyncio.timeout(5):
            while len(responder.requests) < 10:
                clock.advance(0.05)
                await asyncio.sleep(0)
        assert client.counts.retried == 0
        async with asyncio.timeout(5):
            while not all(wait.done() for wait in waits):
                clock.advance(0.05)
                await asyncio.sleep(0)
        assert all(isinstance(wait.exception(), Timeout) for wait in waits)
        assert client.counts.sent == 20


async def test_a_budget_of_time_ends_before_the_retries(respond: Respond) -> None:
    clock = ManualClock()
    responder = await respond(STORE, lambda *_: None)
    async with SnmpClient(clock=clock) as client:
        device = await client.device(target(responder.port, timeout=2, retries=5))
        budget = client.budget(3)
        wait = asyncio.ensure_future(Session(client, device).get([(*ROOT, 1)], budget))
        began = clock.monotonic_ns()
        async with asyncio.timeout(5):
            while not wait.done():
                await asyncio.sleep(0)
                clock.advance(0.01)
        assert isinstance(wait.exception(), BudgetExceeded)
        assert 3.0 <= (clock.monotonic_ns() - began) / 1e9 < 3.2
        with pytest.raises(BudgetExceeded, match="used up the 3 s"):
            await Session(client, device).get([(*ROOT, 1)], budget)


async def test_a_budget_of_requests(respond: Respond, client: SnmpClient) -> None:
    session = Session(client, await client.device(target((await respond(STORE)).port)))
    walk = await session.walk(ROOT, client.budget(60, requests=2))
    assert len(walk.varbinds) == 50
    assert isinstance(walk.error, BudgetExceeded)


async def test_a_silent_column_does_not_starve_the_others(
    respond: Respond, client: SnmpClient
) -> None:
    bad = (*ROOT[:-1], 12)
    store = STORE | {(*bad, 1): (Tag.INTEGER, 1), (*ROOT[:-1], 14, 1): (Tag.INTEGER, 1)}

    def stuck(self: Responder, data: bytes, addr: tuple[str, int]) -> None:
        answer = self.answer(data)
        if self.requests[-1].varbinds[0].name[: len(bad)] != bad:
            self.send(answer.encode(), addr)

    responder = await respond(store, stuck)
    session = Session(client, await client.device(target(responder.port, timeout=0.1)))
    walks = await session.walk_all([bad, ROOT, (*ROOT[:-1], 14)])
    assert isinstance(walks[0].error, Timeout)
    assert [len(walk.varbinds) for walk in walks] == [0, 100, 1]


async def test_a_column_that_is_too_long_takes_nothing_from_the_others(
    respond: Respond, client: SnmpClient
) -> None:
    short = (*ROOT[:-1], 14)
    responder = await respond(STORE | {(*short, 1): (Tag.INTEGER, 1)})
    device = await client.device(target(responder.port, window=1))
    walks = await Session(client, device).walk_all([ROOT, short], max_rows=30)
    assert isinstance(walks[0].error, TooManyRows)
    assert (len(walks[0].varbinds), len(walks[1].varbinds)) == (30, 1)
    assert walks[1].error is None
    # Who makes up rows without end would do so everywhere.
    many = await Session(client, device).walk_all([ROOT] * 20, max_rows=30)
    assert [len(walk.varbinds) for walk in many] == [30] * 16 + [0] * 4


async def test_a_silent_device_is_given_up_after_two_columns(
    respond: Respond, client: SnmpClient
) -> None:
    responder = await respond(STORE, lambda *_: None)
    device = await client.device(target(responder.port, timeout=0.05, retries=0, window=1))
    walks = await Session(client, device).walk_all([(*ROOT[:-1], c) for c in range(1, 20)])
    assert all(isinstance(walk.error, Timeout) for walk in walks)
    assert len(responder.requests) == 2


async def test_forgetting_a_device_fails_what_waits(respond: Respond, client: SnmpClient) -> None:
    responder = await respond(STORE, lambda *_: None)
    device = await client.device(target(responder.port))
    session = Session(client, device)
    waits = [asyncio.ensure_future(session.get([(*ROOT, 1)])) for _ in range(3)]
    await asyncio.sleep(0.01)
    client.forget(device)
    client.forget(device)
    for wait in waits:
        with pytest.raises(Unreachable):
            await wait


async def test_what_the_system_refuses_is_named(client: SnmpClient) -> None:
    device = await client.device(target(161, "255.255.255.255", timeout=0.1, retries=0))
    with pytest.raises(Unreachable, match="cannot be sent to"):
        await Session(client, device).get([(*ROOT, 1)])


async def test_request_ids_are_not_repeated(client: SnmpClient) -> None:
    ids = [client._next_id() for _ in range(5_000)]
    assert len(set(ids)) > 4_990
    assert all(0x0080_0000 <= number <= 0x7FFF_FFFF for number in ids)
