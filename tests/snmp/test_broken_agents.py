"""Every row of the broken-agents table ends in a named state within timeout x (1 + retries)."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from drivers.snmp.ber import Oid, Tag, encode_oid, encode_tlv
from drivers.snmp.client import SnmpClient
from drivers.snmp.errors import (
    AgentError,
    DecodeError,
    ErrorStatus,
    NotIncreasing,
    SnmpError,
    Timeout,
    UnexpectedReply,
)
from drivers.snmp.message import Message, VarBind
from drivers.snmp.session import Session
from drivers.snmp.target import Target
from tests.snmp.conftest import Respond, Responder, until

ROOT: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1, 10)
STORE = {(*ROOT, row): (Tag.COUNTER32, row * 1000) for row in range(1, 49)}
TIMEOUT = 0.15
RETRIES = 1
SLACK = 5.0
"""What a loaded machine may add; the bound itself is the product's promise."""

Address = tuple[str, int]


def same_oid(self: Responder, data: bytes, addr: Address) -> None:
    bind = VarBind((*ROOT, 1), Tag.COUNTER32, 7)
    self.send(self.answer(data, varbinds=(bind,)).encode(), addr)


def cycle(self: Responder, data: bytes, addr: Address) -> None:
    (asked,) = Message.decode(data).varbinds
    row = (asked.name[len(ROOT)] % 5 + 1) if len(asked.name) > len(ROOT) else 1
    bind = VarBind((*ROOT, row), Tag.COUNTER32, 7)
    self.send(self.answer(data, varbinds=(bind,)).encode(), addr)


def empty(self: Responder, data: bytes, addr: Address) -> None:
    self.send(self.answer(data, varbinds=()).encode(), addr)


def status(code: int) -> Callable[[Responder, bytes, Address], None]:
    def handle(self: Responder, data: bytes, addr: Address) -> None:
        asked = Message.decode(data).varbinds
        answer = self.answer(data, varbinds=asked, error_status=code, error_index=1)
        self.send(answer.encode(), addr)

    return handle


def raw(make: Callable[[bytes], list[bytes]]) -> Callable[[Responder, bytes, Address], None]:
    def handle(self: Responder, data: bytes, addr: Address) -> None:
        for packet in make(self.answer(data).encode()):
            self.send(packet, addr)

    return handle


def random_bytes(good: bytes) -> list[bytes]:
    return [random.Random(len(good)).randbytes(len(good))]


def wide_integer(good: bytes) -> list[bytes]:
    head = Message.decode(good)
    bind = encode_tlv(0x30, encode_oid((*ROOT, 1)) + b"\x02\x0c" + bytes(11) + b"\x05")
    pdu = b"\x02\x04" + head.request_id.to_bytes(4, "big") + b"\x02\x01\0\x02\x01\0"
    body = b"\x02\x01\x01\x04\x06public" + encode_tlv(0xA2, pdu + encode_tlv(0x30, bind))
    return [encode_tlv(0x30, body)]


def wrong_id(self: Responder, data: bytes, addr: Address) -> None:
    answer = self.answer(data, request_id=(Message.decode(data).request_id ^ 0x55) or 1)
    self.send(answer.encode(), addr)


def wrong_community(self: Responder, data: bytes, addr: Address) -> None:
    self.send(self.answer(data, community=b"private").encode(), addr)


def silence(self: Responder, data: bytes, addr: Address) -> None:
    pass


def too_many(self: Responder, data: bytes, addr: Address) -> None:
    binds = tuple(VarBind((*ROOT, row), Tag.COUNTER32, row) for row in range(1, 200))
    self.send(self.answer(data, varbinds=binds).encode(), addr)


def echo(self: Responder, data: bytes, addr: Address) -> None:
    self.send(data, addr)


@dataclass(frozen=True)
class Case:
    handle: Callable[[Responder, bytes, Address], None]
    error: type[SnmpError]
    rows: int = 0
    count: str = ""
    """The client's counter that must have moved."""


CASES = {
    "same OID again": Case(same_oid, NotIncreasing, 1),
    "rows cycle": Case(cycle, NotIncreasing, 5),
    "no variable bindings": Case(empty, UnexpectedReply),
    "tooBig whatever is asked": Case(status(ErrorStatus.TOO_BIG), AgentError),
    "genErr": Case(status(ErrorStatus.GEN_ERR), AgentError),
    "an error-status nobody defined": Case(status(99), AgentError),
    "truncated": Case(raw(lambda good: [good[:-7]]), DecodeError, count="malformed"),
    "random bytes": Case(raw(random_bytes), DecodeError, count="malformed"),
    "wrong request-id": Case(wrong_id, Timeout, count="stray"),
    "wrong community": Case(wrong_community, Timeout, count="wrong_community"),
    "12-byte integer": Case(raw(wide_integer), DecodeError, count="malformed"),
    "2 GiB length": Case(raw(lambda good: [b"\x30\x84\x7f\xff\xff\xff" + good]), DecodeError),
    "350-deep nesting": Case(raw(lambda _: [b"\x30\x82\x02\xbc" + b"\x30\x80" * 350]), DecodeError),
    "one byte": Case(raw(lambda _: [b"\x30"]), DecodeError, count="malformed"),
    "more than asked": Case(too_many, UnexpectedReply),
    "our own request back": Case(echo, Timeout, count="stray"),
    "silence": Case(silence, Timeout),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_a_broken_agent_ends_in_a_named_state(
    respond: Respond, client: SnmpClient, case: Case
) -> None:
    responder = await respond(STORE, case.handle)
    session = await _session(client, responder)
    began = time.monotonic()
    walk = await session.walk(ROOT)
    # A walk that is given nothing readable asks once, with its retries.
    assert time.monotonic() - began < TIMEOUT * (1 + RETRIES) + SLACK
    assert type(walk.error) is case.error
    assert session.device.label in str(walk.error)
    assert len(walk.varbinds) == case.rows
    assert len(responder.requests) <= 10
    if case.count:
        assert getattr(client.counts, case.count) > 0
    if not case.rows:
        with pytest.raises(case.error):
            await session.get([(*ROOT, 1)])


async def _session(client: SnmpClient, responder: Responder, **more: float) -> Session:
    target = Target(
        host="127.0.0.1",
        port=responder.port,
        community="public",
        timeout_seconds=more.get("timeout", TIMEOUT),
        retries=int(more.get("retries", RETRIES)),
    )
    return Session(client, await client.device(target))


async def test_a_late_answer_to_the_first_try_answers_the_second(
    respond: Respond, client: SnmpClient
) -> None:
    def late(self: Responder, data: bytes, addr: Address) -> None:
        answer = self.answer(data).encode()
        asyncio.get_running_loop().call_later(TIMEOUT * 1.5, self.send, answer, addr)

    responder = await respond(STORE, late)
    session = await _session(client, responder)
    (bind,) = await session.get([(*ROOT, 3)])
    assert bind.value == 3000
    assert client.counts.retried == 1
    await until(lambda: client.counts.late_or_duplicate == 1)


async def test_fifty_one_copies_are_one_answer(respond: Respond, client: SnmpClient) -> None:
    responder = await respond(STORE, raw(lambda good: [good] * 51))
    session = await _session(client, responder)
    walk = await session.walk(ROOT)
    assert walk.error is None
    assert [bind.value for bind in walk.varbinds] == [row * 1000 for row in range(1, 49)]
    await until(lambda: client.counts.late_or_duplicate == 2 * 50)


async def test_garbage_before_the_true_answer_does_no_harm(
    respond: Respond, client: SnmpClient
) -> None:
    def noisy(good: bytes) -> list[bytes]:
        return [b"\x30", good[:-3], random_bytes(good)[0], wide_integer(good)[0], good]

    responder = await respond(STORE, raw(noisy))
    walk = await (await _session(client, responder)).walk(ROOT)
    assert walk.error is None
    assert len(walk.varbinds) == 48
    assert client.counts.retried == 0


async def test_an_answer_from_another_address_is_not_believed(
    respond: Respond, client: SnmpClient
) -> None:
    other = await respond(STORE)

    def elsewhere(self: Responder, data: bytes, addr: Address) -> None:
        other.send(self.answer(data).encode(), addr)

    responder = await respond(STORE, elsewhere)
    session = await _session(client, responder)
    with pytest.raises(Timeout, match=r"an answer came from 127\.0\.0\.1, which was not asked"):
        await session.get([(*ROOT, 1)])
    assert client.counts.foreign == 2


async def test_too_big_halves_the_request_and_is_remembered(
    respond: Respond, client: SnmpClient
) -> None:
    def small(self: Responder, data: bytes, addr: Address) -> None:
        answer = self.answer(data)
        if len(answer.varbinds) > 7:
            answer = self.answer(data, varbinds=(), error_status=1)
        self.send(answer.encode(), addr)

    responder = await respond(STORE, small)
    session = await _session(client, responder)
    walk = await session.walk(ROOT)
    assert walk.error is None
    assert len(walk.varbinds) == 48
    assert session.device.max_repetitions == 6
    names = [(*ROOT, row) for row in range(1, 49)]
    assert [bind.value for bind in await session.get(names)] == [row * 1000 for row in range(1, 49)]
    assert session.device.max_varbinds == 6
    before = len(responder.requests)
    await session.get(names)
    assert len(responder.requests) - before == 8


async def test_silence_over_large_answers_steps_down(respond: Respond, client: SnmpClient) -> None:
    def shy(self: Responder, data: bytes, addr: Address) -> None:
        if len((answer := self.answer(data)).varbinds) <= 5:
            self.send(answer.encode(), addr)

    responder = await respond(STORE, shy)
    session = await _session(client, responder)
    walk = await session.walk(ROOT)
    assert walk.error is None
    assert len(walk.varbinds) == 48
    assert client.counts.retried == 1
    assert session.device.max_repetitions == 5


async def test_a_closed_port_is_a_timeout_that_says_what_to_check(client: SnmpClient) -> None:
    target = Target(host="127.0.0.1", port=1, community="public", timeout_seconds=0.05, retries=0)
    session = Session(client, await client.device(target))
    with pytest.raises(Timeout, match="out of reach, or does not accept this community"):
        await session.get([(*ROOT, 1)])
