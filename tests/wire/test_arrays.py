import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire.sparkplug.arrays import ArrayError, ArrayValues, decode_array, encode_array
from drivers.wire.sparkplug.schema import DataType as D


@pytest.mark.parametrize(
    ("datatype", "values", "wire"),
    [
        # The examples of Sparkplug 3.0, section 6.4.16 (it prints DateTime without its zeros).
        (D.INT8_ARRAY, [-23, 123], "e97b"),
        (D.INT16_ARRAY, [-30000, 30000], "d08a3075"),
        (D.INT32_ARRAY, [-1, 315338746], "fffffffffaafcb12"),
        (D.UINT8_ARRAY, [23, 250], "17fa"),
        (D.UINT16_ARRAY, [30, 52360], "1e0088cc"),
        (D.UINT32_ARRAY, [52, 3293969225], "3400000049fb55c4"),
        (D.BOOLEAN_ARRAY, [False, False, True, True, False, True, False, False,
                           True, True, False, True], "0c00000034d0"),
        (D.STRING_ARRAY, ["ABC", "hello"], "4142430068656c6c6f00"),
        (D.DATETIME_ARRAY, [1256102875335, 1656107875000],
         "c7d0907524010000b8bab89781010000"),
    ],
)  # fmt: skip
def test_worked_examples(datatype: D, values: ArrayValues, wire: str) -> None:
    assert encode_array(datatype, values).hex() == wire
    assert list(decode_array(datatype, bytes.fromhex(wire))) == values


def test_floats_are_ieee_little_endian() -> None:
    assert encode_array(D.FLOAT_ARRAY, [1.23, 89.341]) == struct.pack("<2f", 1.23, 89.341)
    assert encode_array(D.DOUBLE_ARRAY, [12.354213]) == struct.pack("<d", 12.354213)


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_strings_survive(values: list[str]) -> None:
    assert decode_array(D.STRING_ARRAY, encode_array(D.STRING_ARRAY, values)) == values


@given(st.lists(st.booleans()))
def test_booleans_survive(values: list[bool]) -> None:
    assert decode_array(D.BOOLEAN_ARRAY, encode_array(D.BOOLEAN_ARRAY, values)) == values


@given(st.sampled_from([d for d in D if d.is_array]), st.binary(max_size=64))
def test_any_bytes_are_an_array_or_a_typed_error(datatype: D, data: bytes) -> None:
    try:
        values = decode_array(datatype, data)
    except ArrayError:
        return
    if datatype not in {D.BOOLEAN_ARRAY, D.FLOAT_ARRAY, D.DOUBLE_ARRAY}:
        assert encode_array(datatype, values) == data


@pytest.mark.parametrize(
    ("datatype", "values"),
    [
        (D.INT8_ARRAY, [128]),
        (D.UINT8_ARRAY, [-1]),
        (D.UINT8_ARRAY, ["x"]),
        (D.STRING_ARRAY, ["a\0b"]),
        (D.STRING_ARRAY, ["\ud800"]),
        (D.INT32, [1]),
    ],
)
def test_what_does_not_fit_is_refused(datatype: D, values: ArrayValues) -> None:
    with pytest.raises(ArrayError):
        encode_array(datatype, values)


@pytest.mark.parametrize(
    ("datatype", "data"),
    [
        (D.INT16_ARRAY, b"\0"),
        (D.STRING_ARRAY, b"abc"),
        (D.STRING_ARRAY, b"\xff\0"),
        (D.BOOLEAN_ARRAY, b"\0\0"),
        (D.BOOLEAN_ARRAY, b"\x09\0\0\0\0"),
        (D.BYTES, b""),
    ],
)
def test_bytes_that_do_not_fit_are_refused(datatype: D, data: bytes) -> None:
    with pytest.raises(ArrayError):
        decode_array(datatype, data)
