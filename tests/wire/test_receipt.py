from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire.receipt import (
    DURABLE_THROUGH,
    Durable,
    ReceiptError,
    read_receipt,
    receipt_declaration,
    receipt_metric,
)
from drivers.wire.sparkplug.codec import DataSet, Payload, decode, encode
from drivers.wire.sparkplug.schema import DataType
from tenone.vocabulary.states import PriorityClass

ROW = Durable(bytes(range(16)), PriorityClass.P1, 42)
ROWS = st.builds(
    Durable,
    st.binary(min_size=16, max_size=16),
    st.sampled_from(PriorityClass),
    st.integers(0, 2**64 - 1),
)


@given(st.lists(ROWS, max_size=8))
def test_receipts_survive_the_wire(rows: list[Durable]) -> None:
    payload = Payload(timestamp_ms=1, metrics=(receipt_metric(rows, now_ms=1),))
    (metric,) = decode(encode(payload)).metrics
    assert metric.name == DURABLE_THROUGH == "Node Control/Durable Through"
    assert read_receipt(metric) == tuple(rows)


def test_the_table_is_the_documents() -> None:
    table = receipt_metric([ROW], now_ms=5).value
    assert table == DataSet(
        ("journal", "class", "seq"),
        (DataType.STRING, DataType.UINT8, DataType.UINT64),
        (("000102030405060708090a0b0c0d0e0f", 1, 42),),
    )
    declared = receipt_declaration(now_ms=5)
    assert (declared.value, declared.alias, declared.datatype) == (None, None, DataType.DATASET)


@pytest.mark.parametrize(
    "row",
    [
        ("0001", 1, 42),
        ("000102030405060708090A0B0C0D0E0F", 1, 42),
        (42, 1, 42),
        ("000102030405060708090a0b0c0d0e0f", 4, 42),
    ],
)
def test_bad_rows_are_refused(row: tuple[int | str, ...]) -> None:
    good = receipt_metric([ROW], now_ms=5)
    assert isinstance(good.value, DataSet)
    with pytest.raises(ReceiptError):
        read_receipt(replace(good, value=replace(good.value, rows=(row,))))


def test_other_tables_and_values_are_refused() -> None:
    good = receipt_metric([ROW], now_ms=5)
    for value in (None, "x", DataSet(("journal",), (DataType.STRING,))):
        with pytest.raises(ReceiptError):
            read_receipt(replace(good, value=value))
    with pytest.raises(ReceiptError):
        Durable(b"short", PriorityClass.P0, 1)
    with pytest.raises(ReceiptError):
        Durable(bytes(16), PriorityClass.P0, 2**64)
