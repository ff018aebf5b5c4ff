"""Learnt layouts: whatever they take, the full decode takes too, and to the same numbers."""

import asyncio
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.snmp.ber import Missing, Oid, Tag, Value, encode_oid
from drivers.snmp.chunks import Chunk, chunks
from drivers.snmp.client import SnmpClient
from drivers.snmp.errors import DecodeError, SnmpError, UnexpectedReply
from drivers.snmp.layout import CLOCK, Answer, Expected, Recall, id_place, learn
from drivers.snmp.message import Message, PduType, VarBind, Version, decode_head
from drivers.snmp.sheet import Board
from drivers.snmp.sweep import Gatherer, Harvest, gather, read
from drivers.snmp.switch import SwitchReader
from drivers.snmp.target import Target
from firmware_sims.switch import fleet, replay
from firmware_sims.switch.server import Fleet
from tenone.runtime.clock import SystemClock
from tests.snmp.conftest import Handle, Respond, Responder, Store
from tests.snmp.oracle import captures

ROOT: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6)
ID = 0x12345678
Typed = tuple[int, Value]
Seen = tuple[list[int | None], list[int]]
"""Slots and absent slots."""
RECORDINGS = [
    path for room in ("snmp", "snmp-full") for path in (captures().parent / room).glob("*.snmprec")
]


def names(count: int) -> list[Oid]:
    return [(*ROOT, row) for row in range(1, count + 1)]


def wanted(count: int) -> tuple[Expected, ...]:
    """Slots from 1: none of these is the clock."""
    encoded = [encode_oid(name) for name in names(count)]
    return tuple((name, len(name), slot) for slot, name in enumerate(encoded, 1))


def reply(values: list[Typed], request_id: int = ID) -> bytes:
    binds = [VarBind(n, *value) for n, value in zip(names(len(values)), values, strict=True)]
    return Message(
        version=Version.V2C,
        community=b"public",
        pdu_type=PduType.RESPONSE,
        request_id=request_id,
        varbinds=tuple(binds),
    ).encode()


def full(data: bytes, expected: tuple[Expected, ...]) -> Seen:
    """What the judge says; raises as it does."""
    harvest = Harvest([None] * (len(expected) + 1))
    read(data, decode_head(data), expected, harvest)
    assert not harvest.odd
    return harvest.slots, harvest.absent


def learnt(data: bytes, expected: tuple[Expected, ...]) -> Recall | None:
    recall = Recall()
    slots, _ = full(data, expected)
    return recall if recall.learn(data, decode_head(data), expected, slots) else None


def quick(recall: Recall, data: bytes) -> Seen | None:
    """What the layout says, as a sweep would come to have it."""
    known = recall.read(data)
    if known is None:
        return None
    answer, clock = known
    slots: list[int | None] = [None] * (len(answer.layout.places + answer.layout.absent) + 1)
    answer.put(slots)
    if clock is not None:
        slots[CLOCK] = clock
    return slots, list(answer.layout.absent)


EDGES = [
    edge
    for bits in (7, 8, 15, 16, 23, 24, 31, 32, 39, 40, 47, 48, 55, 56, 63, 64)
    for edge in (2**bits - 1, 2**bits)
]
UNSIGNED32 = (Tag.COUNTER32, Tag.GAUGE32, Tag.TIME_TICKS, Tag.UINTEGER32)


def at_most(limit: int) -> st.SearchStrategy[int]:
    edges = [edge for edge in [0, 1, *EDGES] if edge <= limit]
    return st.sampled_from(edges) | st.integers(0, limit)


def of_tag(tag: int) -> st.SearchStrategy[Typed]:
    if tag == Tag.INTEGER:
        return st.tuples(st.just(tag), at_most(2**31 - 1) | st.integers(-(2**31), -1))
    if tag == Tag.NO_SUCH_INSTANCE:
        return st.just((tag, Missing.NO_SUCH_INSTANCE))
    return st.tuples(st.just(tag), at_most(2**64 - 1 if tag == Tag.COUNTER64 else 2**32 - 1))


TAGS = st.sampled_from([Tag.INTEGER, Tag.COUNTER64, Tag.NO_SUCH_INSTANCE, *UNSIGNED32])


@st.composite
def two_answers(draw: st.DrawFn) -> tuple[list[Typed], list[Typed]]:
    tags = draw(st.lists(TAGS, min_size=8, max_size=40))
    one = [draw(of_tag(tag)) for tag in tags]
    # Some values stay, some move, some change their type.
    other = [
        draw(st.one_of(st.just(before), of_tag(tag), TAGS.flatmap(of_tag)))
        for before, tag in zip(one, tags, strict=True)
    ]
    return one, other


def shape(values: list[Typed]) -> list[tuple[int, int]]:
    return [
        (tag, (value.bit_length() // 8) if isinstance(value, int) else -1) for tag, value in values
    ]


def usual(data: bytes) -> bool:
    """Long enough, and the lengths of message and PDU have the same form."""
    pdu = (9 if data[1] == 0x82 else 8) + len("public")
    return len(data) >= 128 and data[1] == data[pdu + 1]


@given(two_answers(), st.integers(0x0080_0000, 0x7FFF_FFFF))
def test_the_next_answer_reads_as_the_full_decode_does(
    both: tuple[list[Typed], list[Typed]], number: int
) -> None:
    one, other = both
    expected = wanted(len(one))
    recall = learnt(reply(one), expected)
    plain = not any(isinstance(value, int) and value < 0 for _, value in one)
    assert (recall is not None) == (plain and usual(reply(one)))
    if recall is None:
        return
    data = reply(other, number)
    seen = quick(recall, data)
    if seen is not None:
        assert seen == full(data, expected)
    negative = any(isinstance(value, int) and value < 0 for _, value in other)
    assert (seen is not None) == (shape(one) == shape(other) and not negative)


@pytest.mark.parametrize("start", EDGES)
def test_counters_that_grow_over_every_width(start: int) -> None:
    """Only where a width changes is the full decode asked, and every value is right."""
    draw = random.Random(start)
    counters = [max(0, start - draw.randrange(200)) for _ in range(30)]
    expected = wanted(len(counters))
    recall: Recall | None = None
    before: list[tuple[int, int]] = []
    for step in range(120):
        tags = [Tag.COUNTER64] * 20 + [Tag.COUNTER32] * 6 + [Tag.TIME_TICKS] * 4
        limits = [2**64 if tag == Tag.COUNTER64 else 2**32 for tag in tags]
        values: list[Typed] = [
            (tag, value % limit) for tag, value, limit in zip(tags, counters, limits, strict=True)
        ]
        data = reply(values, ID + step)
        told = quick(recall, data) if recall is not None else None
        assert (told is not None) == (shape(values) == before)
        if told is None:
            recall = learnt(data, expected)
        else:
            assert told[0][1:] == [value for _, value in values]
        before = shape(values)
        counters = [value + draw.choice((0, 1, 1, 3)) for value in counters]


def good_answers() -> list[list[Typed]]:
    draw = random.Random(3)
    wide: list[Typed] = [(Tag.COUNTER64, draw.randrange(2 ** (8 * n + 7))) for n in range(8)]
    mixed: list[Typed] = [
        (Tag.TIME_TICKS, 123456),
        (Tag.INTEGER, 1),
        (Tag.COUNTER64, 2**64 - 1),
        (Tag.GAUGE32, 2**32 - 1),
        (Tag.COUNTER32, 0x7FFFFFFF),
        (Tag.NO_SUCH_OBJECT, Missing.NO_SUCH_OBJECT),
        (Tag.INTEGER, 2**31 - 1),
        (Tag.GAUGE32, 1000),
        (Tag.NO_SUCH_INSTANCE, Missing.NO_SUCH_INSTANCE),
    ]
    return [[*wide, (Tag.COUNTER32, 127)], mixed, [*mixed, *wide, *mixed]]


def mutated(good: bytes, values: list[int], draw: random.Random) -> bytes:
    """Mostly anywhere; one in three only in the bytes of ``values``, as a counter would move."""
    data = bytearray(good)
    if draw.randrange(3) == 0:
        for _ in range(draw.randint(1, 8)):
            data[draw.choice(values)] = draw.choice((0, 0x7F, draw.randrange(256), 0x80, 0xFF))
        return bytes(data)
    for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
        match draw.randrange(8):
            case 0:
                del data[draw.randrange(len(data) + 1) :]
            case 1:
                data += draw.randbytes(draw.randint(1, 3))
            case 2:
                place = draw.randrange(len(data) + 1)
                data[place:place] = draw.randbytes(1)
            case 3 | 4:
                place = draw.randrange(len(data) + 1)
                data[place : place + 1] = draw.choice((b"\0", b"\x7f", b"\x80", b"\xff", b"\x82"))
            case _ if data:
                data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return bytes(data)


@pytest.mark.slow
def test_a_hundred_thousand_mutated_answers() -> None:
    """What the layout takes, the judge takes, to the same values; the rest is a typed error."""
    draw = random.Random(11)
    taken = refused = errors = 0
    for values in good_answers():
        good, expected = reply(values), wanted(len(values))
        recall = learnt(good, expected)
        assert recall is not None
        layout = learn(good, decode_head(good), expected)
        assert layout is not None
        mask = layout.mask.to_bytes(layout.size, "little")
        spots = [at for at in range(layout.id_end, layout.size) if mask[at] != 0xFF]
        for _ in range(34_000):
            data = mutated(good, spots, draw)
            at = id_place(data)
            if int.from_bytes(data[at : at + 4], "big") != ID:
                continue  # the client would not have found this request by it
            seen = quick(recall, data)
            try:
                told: Seen | None = full(data, expected)
            except (DecodeError, UnexpectedReply):
                told = None
                errors += 1
            except AssertionError:
                told = None  # a value that is no number: the judge took it as odd
            if seen is None:
                refused += 1
            else:
                taken += 1
                assert seen == told
    assert taken > 10_000
    assert refused > 10_000
    assert errors > 10_000


# -- whole sweeps ------------------------------------------------------------------------


@dataclass
class Watch:
    """Decodes in full, beside the sweep, whatever the sweep recognised."""

    recognised: int = 0
    sweeps: int = 0
    slots: dict[Gatherer, dict[int, int | None]] = field(default_factory=dict)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    watch = Watch()
    glance: Callable[[Gatherer, Chunk, bytes], bool] = Gatherer.glance
    answered: Callable[..., None] = Gatherer.answered
    finish: Callable[[Gatherer, Board], None] = Gatherer.finish

    def note(owner: Gatherer, chunk: Chunk, data: bytes) -> None:
        told = Harvest([None] * len(owner._harvest.slots))
        read(data, decode_head(data), chunk.expected, told)
        mine = watch.slots.setdefault(owner, {})
        mine.update((slot, told.slots[slot]) for _, _, slot in chunk.expected)

    def watched_glance(owner: Gatherer, chunk: Chunk, data: bytes) -> bool:
        taken = glance(owner, chunk, data)
        if taken:
            watch.recognised += 1
            note(owner, chunk, data)
        return taken

    def watched_answered(owner: Gatherer, chunk: Chunk, head: Any, data: bytes) -> None:
        answered(owner, chunk, head, data)
        if not head.error_status:
            note(owner, chunk, data)

    def watched_finish(owner: Gatherer, board: Board) -> None:
        finish(owner, board)
        watch.sweeps += 1
        told, harvest = watch.slots.pop(owner, {}), owner._harvest
        for slot, value in enumerate(harvest.slots):
            assert (harvest.clock if slot == CLOCK else value) == told.get(slot)
        for slot in harvest.absent:
            assert told[slot] is None

    monkeypatch.setattr(Gatherer, "glance", watched_glance)
    monkeypatch.setattr(Gatherer, "answered", watched_answered)
    monkeypatch.setattr(Gatherer, "finish", watched_finish)
    yield watch
    assert watch.sweeps


@pytest.mark.skipif(not RECORDINGS, reason="no recordings: set TENONE_CAPTURES")
@pytest.mark.slow
async def test_every_recorded_device(client: SnmpClient, watch: Watch) -> None:
    """Three sweeps of each: what is recognised is what the full decode reads."""
    setting = fleet.Setting(clock=SystemClock())
    silent = []
    for path in RECORDINGS:
        unit = fleet.recorded(replay.load(path), path.stem, "public", ("127.0.0.1", 0), setting)
        async with Fleet([unit.endpoint]):
            port = unit.endpoint.port
            reader = SwitchReader(client, Target(host="127.0.0.1", port=port, community="public"))
            before = watch.recognised
            try:
                for _ in range(2):
                    await reader.state()
                    await reader.counters()
                state, counters = await reader.state(), await reader.counters()
            except SnmpError as error:
                silent.append(f"{path.stem}: {error}")
                continue
            finally:
                reader.close()
            small = len(state.rows) <= 2
            assert len(counters.rows) == len(state.rows)
            assert watch.recognised > before or small, path.stem
    assert not silent
    assert watch.recognised > 1_000


SWEPT = 200


def moving_store(start: int) -> Store:
    store: Store = {(*ROOT, row): (Tag.COUNTER64, start + row) for row in range(1, SWEPT)}
    store[1, 3, 6, 1, 2, 1, 1, 3, 0] = (Tag.TIME_TICKS, 5_000_000)
    return store


def parts_of(store: Store, device: Any) -> tuple[Chunk, ...]:
    return chunks(device.envelope, ((name, n) for n, name in enumerate(sorted(store))), 40)


def values_of(store: Store) -> list[Value]:
    return [store[name][1] for name in sorted(store)]


async def test_sweeps_that_overlap_never_mix_old_and_new(
    respond: Respond, client: SnmpClient, watch: Watch
) -> None:
    store = moving_store(2**40)
    uptime = min(store)
    responder = await respond(store, None)
    device = await client.device(Target(host="127.0.0.1", port=responder.port, community="public"))
    parts, board, draw = parts_of(store, device), Board(), random.Random(5)

    async def shake() -> None:
        while True:
            await asyncio.sleep(0)
            name = draw.choice(sorted(store))
            store[name] = (store[name][0], draw.randrange(2**40, 2**41) % 2**31 + 2**40)
            store[uptime] = (Tag.TIME_TICKS, draw.randrange(5_000_000, 6_000_000))

    task = asyncio.ensure_future(shake())
    for _ in range(25):
        await asyncio.gather(*(gather(client, device, parts, SWEPT, board=board) for _ in range(3)))
    task.cancel()
    # Still: the sweeps agree with the switch, then with each other, object and all.
    await gather(client, device, parts, SWEPT, board=board)
    harvest = await gather(client, device, parts, SWEPT, board=board)
    assert [harvest.clock, *harvest.slots[1:]] == values_of(store)
    store[uptime] = (Tag.TIME_TICKS, 6_000_001)
    again = await gather(client, device, parts, SWEPT, board=board)
    assert again.slots is harvest.slots
    assert again.clock == 6_000_001
    assert watch.recognised > 300


async def test_what_does_not_come_is_unknown_and_never_an_old_value(
    respond: Respond, client: SnmpClient
) -> None:
    store = moving_store(7)
    lost: set[int] = set()

    def handle(self: Responder, data: bytes, addr: tuple[str, int]) -> None:
        if not lost & {bind.name[-1] for bind in Message.decode(data).varbinds}:
            self.send(self.answer(data).encode(), addr)

    responder = await respond(store, handle)
    target = Target(
        host="127.0.0.1", port=responder.port, community="public", timeout_seconds=0.05, retries=0
    )
    device = await client.device(target)
    parts, board = parts_of(store, device), Board()
    for _ in range(2):
        await gather(client, device, parts, SWEPT, board=board)
    whole = await gather(client, device, parts, SWEPT, board=board)
    lost.add(100)
    holed = await gather(client, device, parts, SWEPT, board=board)
    gone = [slot for slot, value in enumerate(holed.slots) if value is None]
    assert 100 in gone
    assert len(gone) < 40
    assert holed.errors
    kept = [(slot, v) for slot, v in enumerate(holed.slots) if v is not None]
    assert kept == [(slot, whole.slots[slot]) for slot, _ in kept]
    assert None not in whole.slots
    lost.clear()
    del store[*ROOT, 100]
    without = await gather(client, device, parts, SWEPT, board=board)
    assert without.absent == [100]
    assert without.slots[100] is None
    again = await gather(client, device, parts, SWEPT, board=board)
    assert again.absent == [100]
    assert again.slots is without.slots


@pytest.mark.parametrize(
    ("change", "counted"),
    [
        (lambda data: data.replace(b"public", b"publis"), "wrong_community"),
        (lambda data: data.replace(b"\xa2\x82", b"\xa0\x82", 1), "stray"),
        (lambda data: data[:-1], "malformed"),
        (lambda data: data + b"\0", "malformed"),
    ],
)
async def test_a_known_layout_opens_no_door(
    respond: Respond, client: SnmpClient, change: Callable[[bytes], bytes], counted: str
) -> None:
    """Before every true answer comes one that is wrong in what only the envelope says."""
    store = moving_store(2**40)
    forge: list[bool] = []

    def handle(self: Responder, data: bytes, addr: tuple[str, int]) -> None:
        answer = self.answer(data).encode()
        if forge:
            self.send(change(answer), addr)
        self.send(answer, addr)

    handled: Handle = handle
    responder = await respond(store, handled)
    device = await client.device(Target(host="127.0.0.1", port=responder.port, community="public"))
    parts, board = parts_of(store, device), Board()
    await gather(client, device, parts, SWEPT, board=board)
    forge.append(True)
    harvest = await gather(client, device, parts, SWEPT, board=board)
    assert [harvest.clock, *harvest.slots[1:]] == values_of(store)
    assert getattr(client.counts, counted) == len(parts)


async def test_a_known_layout_from_another_address_is_not_believed(
    respond: Respond, client: SnmpClient
) -> None:
    store = moving_store(2**40)
    other = await respond({})

    def handle(self: Responder, data: bytes, addr: tuple[str, int]) -> None:
        answer = self.answer(data).encode()
        if board._answers:
            other.send(answer, addr)
        self.send(answer, addr)

    responder = await respond(store, handle)
    device = await client.device(Target(host="127.0.0.1", port=responder.port, community="public"))
    parts, board = parts_of(store, device), Board()
    await gather(client, device, parts, SWEPT, board=board)
    harvest = await gather(client, device, parts, SWEPT, board=board)
    assert client.counts.foreign == len(parts)
    assert [harvest.clock, *harvest.slots[1:]] == values_of(store)


def test_a_layout_that_reads_its_own_example_wrong_is_not_kept() -> None:
    values: list[Typed] = [(Tag.COUNTER64, 2**40 + n) for n in range(12)]
    data, expected = reply(values), wanted(12)
    slots, _ = full(data, expected)
    assert learn(data, decode_head(data), expected) is not None
    slots[3] = 1
    recall = Recall()
    assert recall.learn(data, decode_head(data), expected, slots) is None
    assert recall.read(data) is None


def test_an_answer_stands_for_itself_only() -> None:
    values: list[Typed] = [(Tag.COUNTER64, 2**40 + n) for n in range(12)]
    data, expected = reply(values), wanted(12)
    recall = learnt(data, expected)
    assert recall is not None
    known = recall.read(reply(values, ID + 1))
    again = recall.read(data)
    assert known is not None
    assert again is not None
    assert known[0] is again[0]
    assert isinstance(known[0], Answer)
    values[5] = (Tag.COUNTER64, 2**40)
    moved = recall.read(reply(values))
    assert moved is not None
    assert moved[0] is not known[0]


async def test_an_answer_that_is_never_learnt_is_never_taken_for_the_same(
    respond: Respond, client: SnmpClient
) -> None:
    store = moving_store(2**40)
    last = max(store)
    responder = await respond(store, None)
    device = await client.device(Target(host="127.0.0.1", port=responder.port, community="public"))
    parts, board = parts_of(store, device), Board()
    for value in (-1, -2, 5, -3, -3, 4):
        store[last] = (Tag.INTEGER, value)
        harvest = await gather(client, device, parts, SWEPT, board=board)
        assert [harvest.clock, *harvest.slots[1:]] == values_of(store)
