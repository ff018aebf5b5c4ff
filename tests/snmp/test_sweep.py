"""Sweeps of known instances: shapes, splits, bad variables, bytes that lie."""

import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.snmp.ber import Missing, Oid, Tag, encode_oid, encode_tlv
from drivers.snmp.chunks import REPLY_BYTES, chunks
from drivers.snmp.client import SnmpClient
from drivers.snmp.errors import AgentError, DecodeError, Timeout, UnexpectedReply
from drivers.snmp.message import Message, PduType, VarBind, Version, decode_head
from drivers.snmp.sweep import Harvest, gather, read
from drivers.snmp.target import Device, Target
from tests.snmp.conftest import Handle, Respond, Responder, Store

ROOT: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
COLUMNS = range(6, 14)
NAMES = [(*ROOT, column, row) for row in range(1, 49) for column in COLUMNS]
STORE: Store = {name: (Tag.COUNTER64, 2**40 + slot) for slot, name in enumerate(NAMES)}
WANTED = [(name, slot) for slot, name in enumerate(NAMES)]
Address = tuple[str, int]


def reply(binds: list[VarBind]) -> bytes:
    return Message(
        version=Version.V2C,
        community=b"public",
        pdu_type=PduType.RESPONSE,
        request_id=0x00800000,
        varbinds=tuple(binds),
    ).encode()


def take(data: bytes, names: list[Oid]) -> Harvest:
    expected = tuple((encode_oid(name), len(encode_oid(name)), n) for n, name in enumerate(names))
    harvest = Harvest([None] * len(names))
    read(data, decode_head(data), expected, harvest)
    return harvest


async def open_device(
    client: SnmpClient, respond: Respond, handle: Handle | None = None, store: Store = STORE
) -> tuple[Device, Responder]:
    responder = await respond(store, handle)
    target = Target(
        host="127.0.0.1", port=responder.port, community="public", timeout_seconds=0.1, retries=1
    )
    return await client.device(target), responder


numbers = st.one_of(
    st.tuples(st.just(Tag.INTEGER), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(
        st.sampled_from([Tag.COUNTER32, Tag.GAUGE32, Tag.TIME_TICKS]), st.integers(0, 2**32 - 1)
    ),
    st.tuples(st.just(Tag.COUNTER64), st.integers(0, 2**64 - 1)),
)


@given(st.lists(numbers, min_size=1, max_size=40))
def test_the_quick_reader_reads_what_the_strict_one_does(values: list[tuple[int, int]]) -> None:
    names = [(*ROOT, 6, row) for row in range(len(values))]
    binds = [VarBind(name, *value) for name, value in zip(names, values, strict=True)]
    assert take(reply(binds), names).slots == [value for _, value in values]


def test_absent_and_odd_values_are_told_apart() -> None:
    names: list[Oid] = [(1, 3, 1), (1, 3, 2), (1, 3, 3), (1, 3, 4)]
    binds = [
        VarBind(names[0], Tag.NO_SUCH_INSTANCE, Missing.NO_SUCH_INSTANCE),
        VarBind(names[1], Tag.OCTET_STRING, b"12"),
        VarBind(names[2], Tag.NULL, None),
        VarBind(names[3], Tag.INTEGER, 4),
    ]
    harvest = take(reply(binds), names)
    assert harvest.slots == [None, None, None, 4]
    assert harvest.absent == [0]
    assert harvest.odd == [(1, b"12"), (2, None)]


def test_long_lengths_are_read_strictly() -> None:
    bind = b"\x30\x82\x00\x08" + encode_oid((1, 3, 1)) + b"\x02\x82\x00\x01\x05"
    bind = b"\x30\x81" + bytes((len(bind) - 4,)) + bind[4:]
    body = b"\x02\x04\x00\x80\x00\x00\x02\x01\x00\x02\x01\x00" + encode_tlv(0x30, bind)
    data = encode_tlv(0x30, b"\x02\x01\x01\x04\x06public" + encode_tlv(0xA2, body))
    assert take(data, [(1, 3, 1)]).slots == [5]


@pytest.mark.parametrize("names", [[(1, 3, 1)], [(1, 3, 2), (1, 3, 1)], [(1, 3, 1), (1, 3, 3)]])
def test_other_names_are_refused(names: list[Oid]) -> None:
    binds = [VarBind((1, 3, 1), Tag.INTEGER, 1), VarBind((1, 3, 2), Tag.INTEGER, 2)]
    with pytest.raises(UnexpectedReply):
        take(reply(binds), names)


def test_mutated_sweeps_leave_nothing_behind() -> None:
    """A flipped byte gives a typed error and no value, or a reply that reads strictly the same."""
    names = [(*ROOT, 6, row) for row in range(8)]
    good = reply([VarBind(name, Tag.COUNTER64, 2**40 + name[-1]) for name in names])
    expected = tuple((encode_oid(name), len(encode_oid(name)), n) for n, name in enumerate(names))
    draw = random.Random(7)
    for _ in range(20_000):
        data = bytearray(good)
        for _ in range(draw.randint(1, 3)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        with contextlib.suppress(DecodeError):
            head = decode_head(bytes(data))
            harvest = Harvest([None] * 8)
            try:
                read(bytes(data), head, expected, harvest)
            except (DecodeError, UnexpectedReply):
                assert harvest.slots == [None] * 8
                assert not harvest.absent
                assert not harvest.odd
            else:
                binds = Message.decode(bytes(data)).varbinds
                assert [
                    b.value if isinstance(b.value, int) else None for b in binds
                ] == harvest.slots


async def test_a_sweep_fills_every_slot(respond: Respond, client: SnmpClient) -> None:
    device, responder = await open_device(client, respond)
    parts = chunks(device.envelope, WANTED, device.max_varbinds)
    harvest = await gather(client, device, parts, len(WANTED))
    assert harvest.slots == [2**40 + slot for slot in range(len(WANTED))]
    assert 0 < harvest.sent_ns < harvest.received_ns
    assert harvest.errors == []
    assert len(responder.requests) == len(parts)
    assert (
        max(len(responder.answer(m.encode()).encode()) for m in responder.requests) <= REPLY_BYTES
    )


async def test_too_big_is_split_and_remembered(respond: Respond, client: SnmpClient) -> None:
    def small(self: Responder, data: bytes, addr: Address) -> None:
        answer = self.answer(data)
        if len(answer.varbinds) > 20:
            answer = self.answer(data, varbinds=(), error_status=1)
        self.send(answer.encode(), addr)

    device, _ = await open_device(client, respond, small)
    parts = chunks(device.envelope, WANTED, device.max_varbinds)
    harvest = await gather(client, device, parts, len(WANTED))
    assert None not in harvest.slots
    assert device.max_varbinds <= 20
    assert harvest.errors == []


@pytest.mark.parametrize("status", [2, 5])
async def test_one_bad_variable_does_not_take_the_others(
    respond: Respond, client: SnmpClient, status: int
) -> None:
    bad = NAMES[3]

    def picky(self: Responder, data: bytes, addr: Address) -> None:
        asked = [bind.name for bind in Message.decode(data).varbinds]
        answer = self.answer(data)
        if bad in asked:
            answer = self.answer(data, error_status=status, error_index=asked.index(bad) + 1)
        self.send(answer.encode(), addr)

    device, _ = await open_device(client, respond, picky)
    parts = chunks(device.envelope, WANTED, device.max_varbinds)
    harvest = await gather(client, device, parts, len(WANTED))
    assert [slot for slot, value in enumerate(harvest.slots) if value is None] == [3]
    if status == 2:
        assert harvest.absent == [3]
    else:
        assert harvest.refused == [3]
        assert [type(error) for error in harvest.errors] == [AgentError]


async def test_silence_over_large_requests_is_split(respond: Respond, client: SnmpClient) -> None:
    def shy(self: Responder, data: bytes, addr: Address) -> None:
        answer = self.answer(data)
        if len(self.requests) == 1 or len(answer.varbinds) <= 30:
            self.send(answer.encode(), addr)

    device, _ = await open_device(client, respond, shy)
    parts = chunks(device.envelope, WANTED[:100], 50)
    harvest = await gather(client, device, parts, 100)
    assert None not in harvest.slots


async def test_a_device_that_falls_silent_keeps_what_it_said(
    respond: Respond, client: SnmpClient
) -> None:
    def dying(self: Responder, data: bytes, addr: Address) -> None:
        if len(self.requests) <= 2:
            self.send(self.answer(data).encode(), addr)

    device, responder = await open_device(client, respond, dying)
    parts = chunks(device.envelope, WANTED, 20)
    harvest = await gather(client, device, parts, len(WANTED))
    assert harvest.slots[:40] == [2**40 + slot for slot in range(40)]
    assert set(harvest.slots[40:]) == {None}
    assert all(isinstance(error, Timeout) for error in harvest.errors)
    assert harvest.errors
    assert len(responder.requests) < 20


async def test_a_silent_device_costs_one_timeout(respond: Respond, client: SnmpClient) -> None:
    device, responder = await open_device(client, respond, lambda *_: None)
    parts = chunks(device.envelope, WANTED, 20)
    with pytest.raises(Timeout):
        await gather(client, device, parts, len(WANTED))
    assert len(responder.requests) == 2


async def test_other_names_in_every_answer_are_an_error(
    respond: Respond, client: SnmpClient
) -> None:
    def other(self: Responder, data: bytes, addr: Address) -> None:
        self.send(self.answer(data, varbinds=()).encode(), addr)

    device, _ = await open_device(client, respond, other)
    with pytest.raises(UnexpectedReply, match=r"127\.0\.0\.1"):
        await gather(client, device, chunks(device.envelope, WANTED, 20), len(WANTED))
