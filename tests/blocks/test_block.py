import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenone.blocks.block import FIRST_PREVIOUS, Block, BlockError, Draft, Stamp
from tenone.blocks.columns import Column
from tenone.blocks.layout import Layout
from tenone.vocabulary.metric import ColumnType
from tenone.vocabulary.metrics import METRICS, PORT_STATE
from tenone.vocabulary.states import ClockQuality, DataGrade, PriorityClass, Purpose

SLA_COLUMNS = [name for name, metric in METRICS.items() if metric.purpose is Purpose.SLA]
ROWS = st.lists(st.text(max_size=12), max_size=9, unique=True)
TEXT = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=10)
VALUES: dict[ColumnType, st.SearchStrategy[object]] = {
    ColumnType.TEXT: TEXT,
    ColumnType.FLOAT64: st.floats(allow_nan=False),
}
INTEGERS = {
    ColumnType.UINT8: (0, 2**8 - 1),
    ColumnType.UINT16: (0, 2**16 - 1),
    ColumnType.UINT32: (0, 2**32 - 1),
    ColumnType.UINT64: (0, 2**64 - 1),
    ColumnType.INT8: (-(2**7), 2**7 - 1),
    ColumnType.INT16: (-(2**15), 2**15 - 1),
    ColumnType.INT32: (-(2**31), 2**31 - 1),
    ColumnType.INT64: (-(2**63), 2**63 - 1),
}


@st.composite
def drafts(draw: st.DrawFn) -> tuple[Draft, list[list[object]]]:
    names = draw(st.lists(st.sampled_from(SLA_COLUMNS), min_size=1, max_size=6, unique=True))
    rows = draw(ROWS)
    table: list[list[object]] = []
    for name in names:
        kind = METRICS[name].type
        value = VALUES[kind] if kind in VALUES else st.integers(*INTEGERS[kind])
        table.append(draw(st.lists(st.none() | value, min_size=len(rows), max_size=len(rows))))
    stamp = Stamp(
        agent=draw(st.text(max_size=8)),
        subject=draw(st.text(max_size=8)),
        boot_id=draw(st.binary(min_size=16, max_size=16)),
        wall_ns=draw(st.integers(-(2**63), 2**63 - 1)),
        monotonic_ns=draw(st.integers(0, 2**63 - 1)),
        clock_quality=draw(st.sampled_from(ClockQuality)),
        uptime_ticks=draw(st.none() | st.integers(0, 2**32 - 2)),
    )
    columns = [Column.of(name, values) for name, values in zip(names, table, strict=True)]  # type: ignore[arg-type]  # drawn to fit
    return Draft.of(Layout("s", tuple(names), tuple(rows)), stamp, columns), table


@given(made=drafts(), seq=st.integers(1, 2**64 - 1))
def test_a_block_says_back_what_was_put_in(
    made: tuple[Draft, list[list[object]]], seq: int
) -> None:
    draft, table = made
    block = Block.parse(draft.seal(b"j" * 16, seq, b"p" * 32).data)
    layout = Layout.parse(draft.layout.document)
    assert [list(column) for column in block.columns(layout)] == table
    assert (block.seq, block.journal_id, block.previous) == (seq, b"j" * 16, b"p" * 32)
    assert block.stamp == draft.stamp
    assert (block.grade, block.purpose) == (DataGrade.INTERNAL, Purpose.SLA)
    assert block.hash == hashlib.sha256(block.data).digest()


@given(made=drafts(), at=st.data())
def test_a_changed_byte_is_refused_or_changes_the_hash(
    made: tuple[Draft, list[list[object]]], at: st.DataObject
) -> None:
    draft, _ = made
    block = draft.seal(b"j" * 16, 1, FIRST_PREVIOUS)
    data = bytearray(block.data)
    data[at.draw(st.integers(0, len(data) - 1))] ^= at.draw(st.integers(1, 255))
    try:
        other = Block.parse(bytes(data))
        other.columns(draft.layout)
    except BlockError:
        return
    assert other.hash != block.hash


@given(data=st.binary(max_size=400))
def test_rubbish_is_a_block_error(data: bytes) -> None:
    with pytest.raises(BlockError):
        Block.parse(b"T1BK\x01" + data)


def stamp() -> Stamp:
    return Stamp(agent="no3", subject="no3/switch/a", boot_id=bytes(16), wall_ns=0, monotonic_ns=0)


def test_the_chain_names_its_predecessor() -> None:
    layout = Layout("port-state", PORT_STATE, ("Gi0/1",))
    draft = Draft.of(layout, stamp(), [Column.of(name, [1]) for name in PORT_STATE])
    first = draft.seal(b"j" * 16, 1, FIRST_PREVIOUS)
    second = draft.seal(b"j" * 16, 2, first.hash)
    assert first.follows(None)
    assert second.follows(first)
    assert not second.follows(None)
    assert not draft.seal(b"j" * 16, 3, first.hash).follows(first)
    assert not draft.seal(b"k" * 16, 2, first.hash).follows(first)
    assert not draft.seal(b"j" * 16, 2, second.hash).follows(first)


@pytest.mark.parametrize(
    ("columns", "rows", "message"),
    [
        (("oper",), ("a", "b"), "do not have the 2 rows"),
        (("admin",), ("a",), "are not those of layout"),
        (("oper", "cpu_ratio"), ("a",), "mixes data grades or purposes"),
    ],
)
def test_a_draft_that_does_not_fit_is_refused(
    columns: tuple[str, ...], rows: tuple[str, ...], message: str
) -> None:
    given_columns = [Column.of("oper", [1])]
    if len(columns) > 1:
        given_columns.append(Column.of("cpu_ratio", [0.5]))
    with pytest.raises(BlockError, match=message):
        Draft.of(Layout("s", columns, rows), stamp(), given_columns)


def test_the_class_is_the_most_urgent_of_the_columns() -> None:
    layout = Layout("port-state", PORT_STATE, ())
    draft = Draft.of(layout, stamp(), [Column.of(name, []) for name in PORT_STATE])
    assert draft.priority is PriorityClass.P1


def complaint(work: Callable[[Layout], object], layout: Layout) -> str:
    try:
        work(layout)
    except BlockError as error:
        return str(error)
    return ""


@given(
    made=drafts(),
    at=st.integers(0, 2**16),
    flipped=st.integers(0, 255),
    more=st.binary(max_size=2),
    less=st.integers(0, 2),
)
def test_a_check_says_what_cutting_would(
    made: tuple[Draft, list[list[object]]], at: int, flipped: int, more: bytes, less: int
) -> None:
    draft, _ = made
    whole = draft.seal(b"j" * 16, 1, FIRST_PREVIOUS)
    body = bytearray(whole.data[whole.header_bytes :])
    if body:
        body[at % len(body)] ^= flipped
    data = whole.header + bytes(body[: len(body) - less]) + more
    block = Block.parse(data)
    for layout in (draft.layout, Layout("t", draft.layout.columns, draft.layout.rows)):
        assert complaint(block.check, layout) == complaint(block.columns, layout)
