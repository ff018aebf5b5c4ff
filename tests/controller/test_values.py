"""Values of small columns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.state.columns import UNSAID
from controller.state.values import MAX_COUNT, NUMPY, Cut, count, flag
from tenone.blocks.block import FIRST_PREVIOUS, BlockError, Draft, Stamp
from tenone.blocks.columns import Column
from tenone.blocks.layout import Layout
from tenone.vocabulary.metric import ColumnType

STAMP = Stamp(
    agent="no1/gateway/agent",
    subject="no1/switch/sw1",
    boot_id=bytes(16),
    wall_ns=1,
    monotonic_ns=1,
)
NAMES = ("if_index", "if_name", "mtu", "oper", "in_octets")
WANTED = ("if_index", "if_name", "mtu", "oper")
NUMBERS = st.none() | st.integers(0, 255)


@pytest.mark.parametrize(("value", "code"), [(None, UNSAID), (0, 0), (1, 1), (200, 1)])
def test_flags(value: int | None, code: int) -> None:
    assert flag(value) == code


@pytest.mark.parametrize(
    ("value", "kept"), [(None, UNSAID), (0, 0), (7, 7), (2**64 - 1, MAX_COUNT)]
)
def test_counts(value: int | None, kept: int) -> None:
    assert count(value) == kept


def test_every_column_type_but_text_has_a_numpy_type() -> None:
    assert set(NUMPY) == {kind.code for kind in ColumnType if kind.width}


@given(
    names=st.permutations(NAMES),
    rows=st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, st.none() | st.text("ab")), max_size=20),
)
def test_a_cut_reads_what_the_columns_hold(
    names: list[str], rows: list[tuple[int | None, int | None, int | None, str | None]]
) -> None:
    layout = Layout("port-state", tuple(names), tuple(map(str, range(len(rows)))))
    table: dict[str, list[int | None] | list[str | None]] = {
        "if_index": [row[0] for row in rows],
        "oper": [row[1] for row in rows],
        "in_octets": [row[2] for row in rows],
        "mtu": [row[0] for row in rows],
        "if_name": [row[3] for row in rows],
    }
    columns = [Column.of(name, table[name]) for name in names]
    block = Draft.of(layout, STAMP, columns).seal(b"j" * 16, 1, FIRST_PREVIOUS)
    cut = Cut(layout, WANTED)
    cut.check(block)
    assert not cut.has("in_octets"), "nobody asked for it"
    assert not cut.has("if_name"), "text is no numbers"
    for name in ("if_index", "mtu", "oper"):
        assert cut.has(name)
        known, values = cut.known(block, name).tolist(), cut.values(block, name).tolist()
        assert [v if k else None for v, k in zip(values, known, strict=True)] == table[name]
        found = next(column for column in columns if column.metric.name == name)
        assert cut.raw(block, name) == found.validity + found.data


def test_a_cut_takes_no_block_of_another_layout() -> None:
    layouts = [Layout("port-state", ("oper",), rows) for rows in (("a",), ("b",))]
    block = Draft.of(layouts[0], STAMP, [Column.of("oper", [1])]).seal(b"j" * 16, 1, FIRST_PREVIOUS)
    with pytest.raises(BlockError, match="is not the one the block was made with"):
        Cut(layouts[1], ("oper",)).check(block)
