import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenone.blocks.columns import Column, ColumnError, all_valid, check_shape, pack_validity
from tenone.vocabulary.metrics import METRICS


@given(values=st.lists(st.none() | st.integers(0, 2**32 - 1), max_size=30))
def test_numbers_lie_little_endian_with_a_bit_each(values: list[int | None]) -> None:
    column = Column.of("speed_mbps", values)
    assert column.data == b"".join(struct.pack("<I", value or 0) for value in values)
    assert list(column) == values
    assert [column.is_valid(row) for row in range(len(values))] == [
        value is not None for value in values
    ]


@given(values=st.lists(st.none() | st.text(max_size=8), max_size=20))
def test_text_is_nul_terminated_and_a_nul_inside_is_made_visible(
    values: list[str | None],
) -> None:
    column = Column.of("if_alias", values)
    assert column.data.count(b"\0") == len(values)
    expected = [
        value
        if value is None
        else value.replace("\0", "\u2400").encode("utf-8", "replace").decode()
        for value in values
    ]
    assert list(column) == expected


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("oper", [256]),
        ("oper", [-1]),
        ("oper", ["up"]),
        ("oper", [1.5]),
        ("if_name", [7]),
        ("rssi_dbm", [-129]),
    ],
)
def test_a_value_that_does_not_fit_its_metric(name: str, values: list[int | float | str]) -> None:
    with pytest.raises(ColumnError, match=name):
        Column.of(name, values)


@pytest.mark.parametrize(
    ("name", "rows", "data", "validity"),
    [
        ("oper", 3, b"\1\1", b"\7"),
        ("oper", 3, b"\1\1\1", b"\xff"),
        ("oper", 3, b"\1\1\1", b"\7\0"),
        ("if_name", 2, b"a\0", b"\3"),
        ("if_name", 1, b"a\0b", b"\1"),
        ("if_name", 1, b"\xff\0", b"\1"),
    ],
)
def test_bytes_that_are_no_column(name: str, rows: int, data: bytes, validity: bytes) -> None:
    with pytest.raises(ColumnError, match=name):
        check_shape(METRICS[name], rows, data, validity)


@given(rows=st.integers(0, 70))
def test_all_valid_is_every_bit_and_no_more(rows: int) -> None:
    assert all_valid(rows) == pack_validity([True] * rows)
