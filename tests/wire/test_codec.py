"""The codec, checked against a protobuf reader written here by hand from the field numbers."""

import contextlib
import math
import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.wire.sparkplug import codec
from drivers.wire.sparkplug.codec import (
    CodecError,
    DataSet,
    Metric,
    Opaque,
    Payload,
    Property,
    decode,
    encode,
    typed,
)
from drivers.wire.sparkplug.schema import DataType as D
from drivers.wire.sparkplug.schema import PayloadMessage


def walk(data: bytes) -> list[tuple[int, int, Any]]:
    """(field number, wire type, raw value) of one protobuf message, by the encoding guide."""

    def varint(at: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            byte = data[at]
            value |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if not byte & 0x80:
                return value, at

    found: list[tuple[int, int, Any]] = []
    at = 0
    while at < len(data):
        key, at = varint(at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = varint(at)
            found.append((number, wire, value))
        elif wire == 1:
            found.append((number, wire, struct.unpack_from("<d", data, at)[0]))
            at += 8
        elif wire == 2:
            length, at = varint(at)
            found.append((number, wire, data[at : at + length]))
            at += length
        else:
            assert wire == 5
            found.append((number, wire, struct.unpack_from("<f", data, at)[0]))
            at += 4
    return found


ONE = Metric(name="m", alias=7, timestamp_ms=1000, datatype=D.INT64, value=-2)

# value, datatype -> (field number in Metric, raw value) by the published numbers
FIELDS = [
    (D.INT8, -1, 10, 0xFFFFFFFF),
    (D.INT16, -300, 10, 0xFFFFFED4),
    (D.INT32, -(2**31), 10, 0x80000000),
    (D.UINT8, 255, 10, 255),
    (D.UINT16, 65535, 10, 65535),
    (D.UINT32, 2**32 - 1, 10, 2**32 - 1),
    (D.INT64, -1, 11, 2**64 - 1),
    (D.UINT64, 2**64 - 1, 11, 2**64 - 1),
    (D.DATETIME, 1_790_000_000_000, 11, 1_790_000_000_000),
    (D.FLOAT, 0.5, 12, 0.5),
    (D.DOUBLE, 0.1, 13, 0.1),
    (D.BOOLEAN, True, 14, 1),
    (D.STRING, "学校", 15, "学校".encode()),
    (D.TEXT, "", 15, b""),
    (D.UUID, "x", 15, b"x"),
    (D.BYTES, b"\0\xff", 16, b"\0\xff"),
    (D.FILE, b"f", 16, b"f"),
    (D.UINT16_ARRAY, b"\1\0\2\0", 16, b"\1\0\2\0"),
    (D.STRING_ARRAY, b"a\0", 16, b"a\0"),
]


@pytest.mark.parametrize(("datatype", "value", "number", "raw"), FIELDS)
def test_each_datatype_has_its_field(datatype: D, value: Any, number: int, raw: Any) -> None:
    metric = Metric(name="m", alias=7, timestamp_ms=1000, datatype=datatype, value=value)
    data = encode(Payload(timestamp_ms=5, seq=255, metrics=(metric,)))
    top = {field: content for field, _, content in walk(data)}
    assert (top[1], top[3]) == (5, 255)
    fields = {field: content for field, _, content in walk(top[2])}
    assert fields == {1: b"m", 2: 7, 3: 1000, 4: int(datatype), number: raw}
    assert decode(data).metrics == (metric,)


@pytest.mark.parametrize(("datatype", "value", "number", "raw"), FIELDS)
def test_data_leaves_the_datatype_out_and_the_birth_gives_it_back(
    datatype: D, value: Any, number: int, raw: Any
) -> None:
    metric = Metric(alias=7, timestamp_ms=1000, datatype=datatype, value=value)
    data = encode(Payload(timestamp_ms=5, metrics=(metric,)), datatypes=False)
    (sent,) = decode(data).metrics
    assert sent.datatype is None
    known = typed(sent, "m", datatype)
    assert (known.name, known.value, known.datatype) == ("m", value, datatype)
    assert type(known.value) is type(value)


def test_small_negative_numbers_are_read_as_either_width() -> None:
    for raw in (0xFF, 0xFFFFFFFF):
        message = PayloadMessage()
        message.metrics.add(name="m", datatype=int(D.INT8), int_value=raw)
        assert decode(message.SerializeToString()).metrics[0].value == -1


def test_flags_null_properties() -> None:
    metrics = (
        Metric(name="null", datatype=D.BYTES),
        Metric(
            name="old",
            datatype=D.DOUBLE,
            value=1.0,
            is_historical=True,
            is_transient=True,
            properties={
                "Quality": Property(D.INT32, 192),
                "unit": Property(D.STRING, "Mbit/s"),
                "none": Property(D.STRING, None),
            },
        ),
    )
    payload = Payload(timestamp_ms=0, seq=0, metrics=metrics, uuid="u", body=b"b")
    data = encode(payload)
    assert decode(data) == payload
    first, second = [content for field, _, content in walk(data) if field == 2]
    assert {field: content for field, _, content in walk(first)}[7] == 1
    flags = {field: content for field, _, content in walk(second)}
    assert (flags[5], flags[6]) == (1, 1)


def test_dataset() -> None:
    table = DataSet(
        ("journal", "class", "seq", "ok", "ratio", "low"),
        (D.STRING, D.UINT8, D.UINT64, D.BOOLEAN, D.FLOAT, D.INT32),
        (("ab", 1, 2**64 - 1, True, 0.5, -7), ("", 0, 0, False, -0.25, 7)),
    )
    metric = Metric(name="t", datatype=D.DATASET, value=table)
    data = encode(Payload(timestamp_ms=1, metrics=(metric,)))
    assert decode(data).metrics[0].value == table
    inner = next(content for field, _, content in walk(data) if field == 2)
    dataset = next(content for field, _, content in walk(inner) if field == 17)
    fields = walk(dataset)
    assert [content for field, _, content in fields if field == 1] == [6]
    assert [content for field, _, content in fields if field == 3] == [12, 5, 8, 11, 9, 3]
    assert sum(field == 4 for field, _, _ in fields) == 2


def test_templates_are_kept_unread() -> None:
    message = PayloadMessage()
    metric = message.metrics.add(name="t", datatype=int(D.TEMPLATE))
    metric.template_value.is_definition = True
    read = decode(message.SerializeToString())
    assert read.metrics[0].value == Opaque(b"\x28\x01")
    assert encode(read) == message.SerializeToString()


VALUES = st.one_of(
    st.tuples(st.just(D.INT32), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(st.just(D.INT64), st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.just(D.UINT64), st.integers(0, 2**64 - 1)),
    st.tuples(st.just(D.DOUBLE), st.floats(allow_nan=False)),
    st.tuples(st.just(D.FLOAT), st.floats(allow_nan=False, width=32)),
    st.tuples(st.just(D.BOOLEAN), st.booleans()),
    st.tuples(st.just(D.STRING), st.text(max_size=20)),
    st.tuples(st.just(D.BYTES), st.binary(max_size=40)),
    st.tuples(st.just(D.DOUBLE_ARRAY), st.binary(max_size=40)),
    st.tuples(st.just(D.STRING), st.none()),
)
METRICS = st.builds(
    lambda name, alias, typed_value, time, old: Metric(
        name=name,
        alias=alias,
        datatype=typed_value[0],
        value=typed_value[1],
        timestamp_ms=time,
        is_historical=old,
    ),
    st.none() | st.text(max_size=30),
    st.none() | st.integers(0, 2**64 - 1),
    VALUES,
    st.none() | st.integers(0, 2**63 - 1),
    st.booleans(),
)


@given(
    st.builds(
        Payload,
        timestamp_ms=st.none() | st.integers(0, 2**63 - 1),
        seq=st.none() | st.integers(0, 255),
        metrics=st.lists(METRICS, max_size=5).map(tuple),
    )
)
def test_payloads_survive(payload: Payload) -> None:
    assert decode(encode(payload)) == payload


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_any_bytes_are_a_payload_or_a_typed_error(data: bytes) -> None:
    with contextlib.suppress(CodecError):
        decode(data)


@given(st.data())
def test_corrupted_payloads_raise_nothing_else(data: st.DataObject) -> None:
    table = DataSet(("a", "b"), (D.STRING, D.INT32), (("x", 1),))
    good = bytearray(
        encode(
            Payload(
                timestamp_ms=1,
                seq=2,
                metrics=(
                    ONE,
                    Metric(name="t", datatype=D.DATASET, value=table),
                    Metric(
                        name="p",
                        datatype=D.FLOAT,
                        value=1.0,
                        properties={"q": Property(D.INT32, 1)},
                    ),
                ),
            )
        )
    )
    for _ in range(data.draw(st.integers(1, 3))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(CodecError):
        decode(bytes(good))


@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        (D.INT8, 128),
        (D.INT8, -129),
        (D.UINT8, -1),
        (D.UINT32, 2**32),
        (D.INT64, 2**63),
        (D.UINT64, -1),
        (D.INT32, "1"),
        (D.INT32, 1.0),
        (D.INT32, True),
        (D.BOOLEAN, 1),
        (D.STRING, 1),
        (D.STRING, "\ud800"),
        (D.FLOAT, 1e39),
        (D.DOUBLE, "x"),
        (D.STRING, b"x"),
        (D.BYTES, "x"),
        (D.UNKNOWN, 1),
        (D.DATASET, 1),
        (None, 1),
    ],
)
def test_values_that_do_not_fit_are_not_encoded(datatype: D | None, value: Any) -> None:
    metric = Metric(name="m", datatype=datatype, value=value)
    with pytest.raises(CodecError):
        encode(Payload(timestamp_ms=1, metrics=(metric,)))


def test_whole_numbers_and_infinity_are_floats_too() -> None:
    metrics = (
        Metric(name="a", datatype=D.DOUBLE, value=3),
        Metric(name="b", datatype=D.FLOAT, value=math.inf),
    )
    read = decode(encode(Payload(timestamp_ms=1, metrics=metrics)))
    assert [metric.value for metric in read.metrics] == [3.0, math.inf]


@pytest.mark.parametrize(
    "payload",
    [
        Payload(timestamp_ms=-1),
        Payload(timestamp_ms=1, seq=-1),
        Payload(timestamp_ms=1, metrics=(Metric(name="n" * 1025, datatype=D.BYTES),)),
        Payload(timestamp_ms=1, metrics=(Metric(name="m", alias=-1, datatype=D.BYTES),)),
        Payload(
            timestamp_ms=1,
            metrics=(Metric(name="m", datatype=D.DATASET, value=DataSet(("a",), ())),),
        ),
        Payload(
            timestamp_ms=1,
            metrics=(
                Metric(name="m", datatype=D.DATASET, value=DataSet(("a",), (D.INT8,), ((1, 2),))),
            ),
        ),
    ],
)
def test_malformed_payloads_are_not_encoded(payload: Payload) -> None:
    with pytest.raises(CodecError):
        encode(payload)


def _both(m: Any) -> None:
    metric = m.metrics.add(name="m", is_null=True)
    metric.int_value = 1


def _neither(m: Any) -> None:
    m.metrics.add(name="m")


def _datatype(m: Any) -> None:
    m.metrics.add(name="m", datatype=99, int_value=1)


def _wrong_field(m: Any) -> None:
    m.metrics.add(name="m", datatype=int(D.STRING), int_value=1)


def _too_wide(m: Any) -> None:
    m.metrics.add(name="m", datatype=int(D.UINT8), int_value=256)


def _too_wide_signed(m: Any) -> None:
    m.metrics.add(name="m", datatype=int(D.INT8), int_value=0x1234)


def _seq(m: Any) -> None:
    m.seq = 256


def _time(m: Any) -> None:
    m.timestamp = 2**63


def _columns(m: Any) -> None:
    table = m.metrics.add(name="m", datatype=int(D.DATASET)).dataset_value
    table.num_of_columns = 2
    table.columns.append("a")
    table.types.append(int(D.INT8))


def _cells(m: Any) -> None:
    table = m.metrics.add(name="m", datatype=int(D.DATASET)).dataset_value
    table.num_of_columns = 1
    table.columns.append("a")
    table.types.append(int(D.INT8))
    table.rows.add()


def _empty_cell(m: Any) -> None:
    _cells(m)
    m.metrics[0].dataset_value.rows[0].elements.add()


def _cell_type(m: Any) -> None:
    table = m.metrics.add(name="m", datatype=int(D.DATASET)).dataset_value
    table.num_of_columns = 1
    table.columns.append("a")
    table.types.append(int(D.BYTES))


def _keys(m: Any) -> None:
    m.metrics.add(name="m", is_null=True).properties.keys.append("a")


@pytest.mark.parametrize(
    "spoil",
    [
        _both, _neither, _datatype, _wrong_field, _too_wide, _too_wide_signed, _seq, _time,
        _columns, _cells, _empty_cell, _cell_type, _keys,
    ],
)  # fmt: skip
def test_malformed_payloads_are_not_decoded(spoil: Callable[[Any], None]) -> None:
    message = PayloadMessage()
    spoil(message)
    with pytest.raises(CodecError):
        decode(message.SerializeToString())


@pytest.mark.parametrize(
    "data",
    [
        bytes([0x12, 4, 0x0A, 2, 0xFF, 0xFE]),  # a name that is not UTF-8
        bytes([0x22, 2, 0xFF, 0xFE]),  # a uuid that is not UTF-8
        b"\x12\x7f",
        b"hello",
    ],
)
def test_bytes_that_are_no_payload(data: bytes) -> None:
    with pytest.raises(CodecError):
        decode(data)


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    small = encode(Payload(timestamp_ms=1, metrics=(ONE, ONE)))
    monkeypatch.setattr(codec, "MAX_METRICS", 1)
    with pytest.raises(CodecError, match="2 metrics"):
        decode(small)
    monkeypatch.setattr(codec, "MAX_PAYLOAD_BYTES", 10)
    with pytest.raises(CodecError, match="at most 10"):
        decode(small)
    with pytest.raises(CodecError, match="at most 10"):
        encode(Payload(timestamp_ms=1, metrics=(ONE, ONE)))


def test_a_datatype_does_not_change_after_birth() -> None:
    with pytest.raises(CodecError, match="born as STRING"):
        typed(ONE, "m", D.STRING)
