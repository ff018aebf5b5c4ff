import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.wire.blocks import (
    RAW_BLOCK,
    AliasBook,
    BlockWriter,
    CarriedBlock,
    UnknownLayoutError,
    WireBlockError,
    announced_layouts,
    decode_blocks,
    device_of,
)
from drivers.wire.sparkplug.codec import Metric, Payload, decode, encode
from drivers.wire.sparkplug.schema import DataType
from drivers.wire.sparkplug.tracking import BirthTable
from tenone.blocks.block import FIRST_PREVIOUS, Block, Draft, Stamp
from tenone.blocks.columns import Column
from tenone.blocks.layout import Layout, layout
from tenone.vocabulary.metric import ColumnType
from tenone.vocabulary.metric import Metric as Kind
from tenone.vocabulary.metrics import METRICS, PORT_COUNTERS, PORT_STATE

DEVICE = "switch-core"
SUBJECT = "no3/switch/core"


def sealed(
    lay: Layout, columns: Sequence[Column], *, subject: str = SUBJECT, seq: int = 1
) -> Block:
    stamp = Stamp(
        agent="no3",
        subject=subject,
        boot_id=bytes(16),
        wall_ns=1_790_000_000_123_456_789,
        monotonic_ns=5,
        uptime_ticks=77,
    )
    return Draft.of(lay, stamp, columns).seal(b"j" * 16, seq, FIRST_PREVIOUS)


def values_of(kind: Kind) -> st.SearchStrategy[int | float | str | None]:
    if kind.type is ColumnType.TEXT:
        return st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    if kind.type is ColumnType.FLOAT32:
        return st.none() | st.floats(width=32)
    if kind.type is ColumnType.FLOAT64:
        return st.none() | st.floats()
    bits = 8 * kind.type.width
    if kind.type.name.startswith("U"):
        return st.none() | st.integers(0, 2**bits - 1)
    return st.none() | st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


@st.composite
def blocks(draw: st.DrawFn) -> tuple[Layout, Block]:
    """Any columns of one grade and purpose, any rows, any values."""
    first = draw(st.sampled_from(sorted(METRICS)))
    alike = sorted(
        name
        for name, kind in METRICS.items()
        if (kind.grade, kind.purpose) == (METRICS[first].grade, METRICS[first].purpose)
    )
    columns = draw(st.lists(st.sampled_from(alike), unique=True, min_size=1, max_size=6))
    rows = draw(st.lists(st.text(max_size=6), unique=True, max_size=20))
    stream = draw(st.from_regex(re.compile(r"[a-z][a-z-]{0,12}"), fullmatch=True))
    lay = layout(stream, columns, rows)
    data = [
        Column.of(
            name,
            draw(st.lists(values_of(METRICS[name]), min_size=len(rows), max_size=len(rows))),
        )
        for name in columns
    ]
    return lay, sealed(lay, data)


def over_the_wire(metrics: Sequence[Metric], *, datatypes: bool = True) -> tuple[Metric, ...]:
    return decode(
        encode(Payload(timestamp_ms=1, seq=0, metrics=tuple(metrics)), datatypes=datatypes)
    ).metrics


def carry(writer: BlockWriter, birth: Sequence[Metric], block: Block, lay: Layout) -> CarriedBlock:
    """Edge to host: encode, decode, names from the birth's table, rebuild."""
    heard = over_the_wire(birth)
    table = BirthTable.of(heard)
    metrics = over_the_wire(writer.encode(block, lay), datatypes=False)
    (carried,) = decode_blocks(
        [table.resolve(metric) for metric in metrics], announced_layouts(heard)
    )
    return carried


@given(blocks())
@settings(max_examples=150)
def test_any_block_arrives_byte_for_byte(case: tuple[Layout, Block]) -> None:
    lay, block = case
    writer = BlockWriter(AliasBook())
    birth = writer.declare(DEVICE, [(lay, None)], now_ms=1)
    carried = carry(writer, birth, block, lay)
    assert carried.block.data == block.data
    assert carried.block.hash == block.hash
    assert carried.layout == lay


@given(blocks())
@settings(max_examples=50)
def test_any_block_arrives_in_a_birth(case: tuple[Layout, Block]) -> None:
    lay, block = case
    birth = over_the_wire(BlockWriter(AliasBook()).declare(DEVICE, [(lay, block)], now_ms=1))
    (carried,) = decode_blocks(birth, announced_layouts(birth))
    assert carried.block.hash == block.hash


@given(blocks())
@settings(max_examples=50)
def test_any_block_of_another_layout_travels_whole(case: tuple[Layout, Block]) -> None:
    lay, block = case
    writer = BlockWriter(AliasBook())
    birth = writer.declare(DEVICE, [], now_ms=1)
    metrics = writer.encode(block, lay)
    assert len(metrics) == 2
    carried = carry(writer, birth, block, lay)
    assert carried.block.data == block.data
    assert carried.layout == lay


STATE = layout("port-state", PORT_STATE, ["1", "2"])
COUNTERS = layout("port-counters", PORT_COUNTERS, ["1", "2", "3"])


def filled(lay: Layout, seq: int = 1, subject: str = SUBJECT) -> Block:
    rows = range(len(lay.rows))
    return sealed(lay, [Column.of(name, rows) for name in lay.columns], seq=seq, subject=subject)


def test_birth_metrics_are_those_of_the_document() -> None:
    birth = BlockWriter(AliasBook()).declare(DEVICE, [(STATE, None)], now_ms=9)
    declared = {metric.name: (metric.datatype, metric.value) for metric in birth}
    assert declared == {
        "Block/Raw": (DataType.BYTES, None),
        "Block/Layout": (DataType.BYTES, None),
        "port-state/Layout": (DataType.BYTES, STATE.document),
        "port-state/Header": (DataType.BYTES, None),
        "port-state/Validity": (DataType.BYTES, None),
        "port-state/if_index": (DataType.UINT32_ARRAY, None),
        "port-state/admin": (DataType.UINT8_ARRAY, None),
        "port-state/oper": (DataType.UINT8_ARRAY, None),
        "port-state/speed_mbps": (DataType.UINT32_ARRAY, None),
        "port-state/duplex": (DataType.UINT8_ARRAY, None),
        "port-state/last_change_ticks": (DataType.UINT32_ARRAY, None),
    }
    assert len({metric.alias for metric in birth}) == len(birth)
    assert all(metric.timestamp_ms == 9 for metric in birth)


def test_a_plain_consumer_reads_arrays() -> None:
    block = filled(STATE)
    birth = BlockWriter(AliasBook()).declare(DEVICE, [(STATE, block)], now_ms=9)
    values = {metric.name: metric.value for metric in birth}
    assert values["port-state/if_index"] == b"\0\0\0\0\1\0\0\0"
    assert values["port-state/oper"] == b"\0\1"


def test_data_names_nothing_and_keeps_the_blocks_time() -> None:
    writer = BlockWriter(AliasBook())
    writer.declare(DEVICE, [(STATE, None)], now_ms=1)
    metrics = writer.encode(filled(STATE), STATE, historical=True)
    assert {metric.name for metric in metrics} == {None}
    assert {metric.timestamp_ms for metric in metrics} == {1_790_000_000_123}
    assert all(metric.is_historical for metric in metrics)
    birth = over_the_wire(writer.declare(DEVICE, [(STATE, None)], now_ms=1))
    table = BirthTable.of(birth)
    (carried,) = decode_blocks([table.resolve(metric) for metric in metrics], {"port-state": STATE})
    assert carried.historical


def test_aliases_are_unique_over_devices_and_stay() -> None:
    book = AliasBook()
    writer = BlockWriter(book)
    one = writer.declare("switch-a", [(STATE, None), (COUNTERS, None)], now_ms=1)
    two = writer.declare("switch-b", [(STATE, None)], now_ms=1)
    assert not {m.alias for m in one} & {m.alias for m in two}
    again = writer.declare("switch-a", [(COUNTERS, None), (STATE, None)], now_ms=2)
    assert {m.name: m.alias for m in again} == {m.name: m.alias for m in one}


def test_a_new_row_order_goes_raw_until_the_next_birth() -> None:
    writer = BlockWriter(AliasBook())
    writer.declare(DEVICE, [(STATE, None)], now_ms=1)
    swapped = layout("port-state", PORT_STATE, ["2", "1"])
    assert len(writer.encode(filled(swapped), swapped)) == 2
    assert writer.announced(DEVICE, "port-state") == STATE
    writer.declare(DEVICE, [(swapped, None)], now_ms=2)
    assert len(writer.encode(filled(swapped), swapped)) == 2 + len(PORT_STATE)
    assert writer.announced(DEVICE, "port-counters") is None


@pytest.mark.parametrize(
    ("subject", "device"),
    [
        ("no3/switch/core", "switch-core"),
        ("no3/board/all", "board-all"),
        ("no3/gateway/agent", None),
        ("no3/gateway/journal", None),
    ],
)
def test_subjects_and_devices(subject: str, device: str | None) -> None:
    assert device_of(subject) == device


def test_what_cannot_be_sent() -> None:
    with pytest.raises(WireBlockError, match="toaster"):
        device_of("no3/toaster/x")
    writer = BlockWriter(AliasBook())
    with pytest.raises(WireBlockError, match="twice"):
        writer.declare(DEVICE, [(STATE, None), (STATE, None)], now_ms=1)
    with pytest.raises(WireBlockError, match="not made with"):
        writer.encode(filled(STATE), COUNTERS)
    with pytest.raises(WireBlockError, match="layout"):
        writer.declare(DEVICE, [(COUNTERS, filled(STATE))], now_ms=1)


def heard() -> dict[str, Metric]:
    birth = BlockWriter(AliasBook()).declare(DEVICE, [(STATE, filled(STATE))], now_ms=9)
    return {metric.name or "": metric for metric in birth}


def test_what_does_not_make_a_block() -> None:
    layouts = {"port-state": STATE}
    named = heard()
    assert len(decode_blocks(list(named.values()), layouts)) == 1
    with pytest.raises(UnknownLayoutError, match="port-state"):
        decode_blocks(list(named.values()), {})
    swapped = layout("port-state", PORT_STATE, ["2", "1"])
    with pytest.raises(UnknownLayoutError, match="no birth"):
        decode_blocks(list(named.values()), {"port-state": swapped})
    without = [metric for name, metric in named.items() if name != "port-state/oper"]
    with pytest.raises(WireBlockError, match="port-state/oper is missing"):
        decode_blocks(without, layouts)
    for name, value in (
        ("port-state/oper", b"\0"),
        ("port-state/Validity", b""),
        ("port-state/Header", b"T1BK"),
        ("port-state/Header", b"x" * 300),
    ):
        spoilt = named | {name: replace(named[name], value=value)}
        with pytest.raises(WireBlockError):
            decode_blocks(list(spoilt.values()), layouts)
    with pytest.raises(WireBlockError, match="twice"):
        decode_blocks([named["port-state/Header"]] * 2, layouts)
    raw = replace(named[RAW_BLOCK], value=filled(STATE).data)
    with pytest.raises(WireBlockError, match="Block/Layout is missing"):
        decode_blocks([raw], layouts)
    assert decode_blocks([], layouts) == ()


def test_what_is_no_announcement() -> None:
    def announcing(value: bytes | None, name: str = "port-state/Layout") -> list[Metric]:
        return [Metric(name=name, datatype=DataType.BYTES, value=value)]

    assert announced_layouts(announcing(STATE.document)) == {"port-state": STATE}
    assert announced_layouts(announcing(None, "Block/Layout")) == {}
    for bad in (
        announcing(None),
        announcing(b"{}"),
        announcing(COUNTERS.document),
    ):
        with pytest.raises(WireBlockError):
            announced_layouts(bad)
