"""Sparkplug B payloads: typed values in, bytes out, and back, strictly and within bounds.

What is wrong with a payload raises :class:`CodecError` with one sentence. A data metric
carries only an alias and a raw value; :func:`typed` gives it the meaning its birth declared.
"""

import math
from types import MappingProxyType
from typing import Any

from google.protobuf.message import DecodeError

from drivers.wire.sparkplug.payload import (
    MAX_TIMESTAMP_MS,
    NO_PROPERTIES,
    CodecError,
    DataSet,
    Metric,
    Opaque,
    Payload,
    Properties,
    Property,
    Scalar,
    Value,
    metrics_by_name,
)
from drivers.wire.sparkplug.schema import DataType, PayloadMessage

__all__ = [
    "MAX_TIMESTAMP_MS",
    "CodecError",
    "DataSet",
    "Metric",
    "Opaque",
    "Payload",
    "Properties",
    "Property",
    "decode",
    "encode",
    "metrics_by_name",
    "typed",
]

MAX_PAYLOAD_BYTES = 32 * 1024 * 1024
"""A block (8 MiB) with its layout (16 MiB) fits in one payload."""
MAX_METRICS = 16_384
MAX_NAME_BYTES = 1024
MAX_DATASET_CELLS = 65_536
MAX_PROPERTIES = 64

_INT, _LONG, _STRING, _BYTES = "int_value", "long_value", "string_value", "bytes_value"
_FIELD = {
    DataType.INT8: _INT,
    DataType.INT16: _INT,
    DataType.INT32: _INT,
    DataType.UINT8: _INT,
    DataType.UINT16: _INT,
    DataType.UINT32: _INT,
    DataType.INT64: _LONG,
    DataType.UINT64: _LONG,
    DataType.DATETIME: _LONG,
    DataType.FLOAT: "float_value",
    DataType.DOUBLE: "double_value",
    DataType.BOOLEAN: "boolean_value",
    DataType.STRING: _STRING,
    DataType.TEXT: _STRING,
    DataType.UUID: _STRING,
    DataType.BYTES: _BYTES,
    DataType.FILE: _BYTES,
    DataType.DATASET: "dataset_value",
    DataType.TEMPLATE: "template_value",
} | {datatype: _BYTES for datatype in DataType if datatype.is_array}
_BITS = {
    DataType.INT8: 8,
    DataType.INT16: 16,
    DataType.INT32: 32,
    DataType.INT64: 64,
    DataType.UINT8: 8,
    DataType.UINT16: 16,
    DataType.UINT32: 32,
    DataType.UINT64: 64,
    DataType.DATETIME: 64,
}
_SIGNED = frozenset({DataType.INT8, DataType.INT16, DataType.INT32, DataType.INT64})
_PYTHON = {
    _INT: int,
    _LONG: int,
    "float_value": float,
    "double_value": float,
    "boolean_value": bool,
    _STRING: str,
    _BYTES: bytes,
    "dataset_value": DataSet,
    "template_value": Opaque,
}
_DATATYPES = {int(datatype): datatype for datatype in DataType}


def encode(payload: Payload, *, datatypes: bool = True) -> bytes:
    """The bytes of ``payload``; raises :class:`CodecError`.

    ``datatypes`` False leaves them out, as data messages should (their birth declared them);
    a scalar needs one all the same, to choose its field.
    """
    message = PayloadMessage()
    try:
        if payload.timestamp_ms is not None:
            message.timestamp = payload.timestamp_ms
        if payload.seq is not None:
            message.seq = payload.seq
        if payload.uuid is not None:
            message.uuid = payload.uuid
        if payload.body is not None:
            message.body = payload.body
        for metric in payload.metrics:
            _put_metric(message.metrics.add(), metric, datatypes=datatypes)
        data: bytes = message.SerializeToString()
    except (ValueError, TypeError) as error:
        if isinstance(error, CodecError):
            raise
        raise CodecError(f"a value does not fit its field: {error}") from error
    if len(data) > MAX_PAYLOAD_BYTES:
        raise CodecError(f"payload of {len(data)} bytes, at most {MAX_PAYLOAD_BYTES}")
    return data


def decode(data: bytes) -> Payload:
    """Read a payload; raises :class:`CodecError`."""
    if len(data) > MAX_PAYLOAD_BYTES:
        raise CodecError(f"payload of {len(data)} bytes, at most {MAX_PAYLOAD_BYTES}")
    message = PayloadMessage()
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise CodecError(f"{len(data)} bytes are no Sparkplug payload") from error
    if len(message.metrics) > MAX_METRICS:
        raise CodecError(f"{len(message.metrics)} metrics in a payload, at most {MAX_METRICS}")
    seq = message.seq if message.HasField("seq") else None
    if seq is not None and seq > 255:  # noqa: PLR2004 - tck-id-payloads-sequence-num-incrementing
        raise CodecError(f"seq {seq} is not in 0..255")
    return Payload(
        timestamp_ms=_timestamp(message),
        seq=seq,
        metrics=tuple([_metric(part) for part in message.metrics]),
        uuid=_text(message.uuid, "uuid") if message.HasField("uuid") else None,
        body=message.body if message.HasField("body") else None,
    )


def typed(metric: Metric, name: str, datatype: DataType) -> Metric:
    """A data metric as its birth declared it; raises :class:`CodecError` if it does not fit."""
    if metric.datatype is not None and metric.datatype is not datatype:
        raise CodecError(
            f"metric {name} was born as {datatype.name} and now says {metric.datatype.name}"
        )
    value = metric.value
    if value is not None and metric.datatype is None:
        value = _meaning(datatype, value, name)
    return Metric(  # dataclasses.replace takes five times as long, and this is the hot path
        name=name,
        alias=metric.alias,
        datatype=datatype,
        value=value,
        timestamp_ms=metric.timestamp_ms,
        is_historical=metric.is_historical,
        is_transient=metric.is_transient,
        properties=metric.properties,
    )


def _meaning(datatype: DataType, value: Value, name: str) -> Value:
    """``value`` as ``datatype`` means it: checked, and signed where it is signed."""
    wire_field = _FIELD.get(datatype)
    if wire_field is None or type(value) is not _PYTHON[wire_field]:
        raise CodecError(f"metric {name} is {datatype.name} and holds a {type(value).__name__}")
    if wire_field not in {_INT, _LONG}:
        return value
    assert isinstance(value, int)  # noqa: S101 - the line above compared the type; this tells mypy
    bits = _BITS[datatype]
    if datatype in _SIGNED:
        # Some encoders send int8 as 0xFF, some as 0xFFFFFFFF: both are -1.
        wide = 64 if wire_field == _LONG else 32
        signed = value - (1 << wide) if value >> (wide - 1) else value
        if bits < wide and 0 <= signed < 1 << bits:
            signed = signed - (1 << bits) if signed >> (bits - 1) else signed
        if not -(1 << (bits - 1)) <= signed < 1 << (bits - 1):
            raise CodecError(f"metric {name}: {value} does not fit {datatype.name}")
        return signed
    if value >> bits:
        raise CodecError(f"metric {name}: {value} does not fit {datatype.name}")
    return value


def _metric(message: Any) -> Metric:
    kind = message.WhichOneof("value")
    is_null = message.is_null
    name = _text(message.name, "metric name") if message.HasField("name") else None
    datatype = None
    if message.HasField("datatype"):
        datatype = _DATATYPES.get(message.datatype)
        if datatype is None:
            raise CodecError(f"metric {name}: datatype {message.datatype} is not known")
    value: Value | None = None
    if kind is None:
        if not is_null:
            raise CodecError(f"metric {name}: neither a value nor null")
    elif is_null:
        raise CodecError(f"metric {name}: both a value and null")
    else:
        value = _raw(message, kind)
        if datatype is not None:
            value = _meaning(datatype, value, str(name))
    return Metric(
        name=name,
        alias=message.alias if message.HasField("alias") else None,
        datatype=datatype,
        value=value,
        timestamp_ms=_timestamp(message),
        is_historical=message.is_historical,
        is_transient=message.is_transient,
        properties=_properties(message.properties)
        if message.HasField("properties")
        else NO_PROPERTIES,
    )


def _raw(message: Any, kind: str) -> Value:
    if kind == _BYTES:
        data: bytes = message.bytes_value
        return data
    if kind == _STRING:
        return _text(message.string_value, "string value", MAX_PAYLOAD_BYTES)
    if kind == "dataset_value":
        return _dataset(message.dataset_value)
    value: Any = getattr(message, kind)
    if kind in {"template_value", "extension_value"}:
        return Opaque(value.SerializeToString(), kind)
    scalar: Scalar = value
    return scalar


def _put_metric(message: Any, metric: Metric, *, datatypes: bool) -> None:
    if metric.name is not None:
        if len(metric.name) > MAX_NAME_BYTES:
            raise CodecError(f"metric name of {len(metric.name)} characters is too long")
        message.name = metric.name
    if metric.alias is not None:
        message.alias = metric.alias
    if metric.timestamp_ms is not None:
        message.timestamp = metric.timestamp_ms
    if metric.datatype is not None and datatypes:
        message.datatype = metric.datatype
    if metric.is_historical:
        message.is_historical = True
    if metric.is_transient:
        message.is_transient = True
    if metric.properties:
        _put_properties(message.properties, metric.properties)
    _put_value(message, metric)


def _put_value(message: Any, metric: Metric) -> None:
    value, datatype = metric.value, metric.datatype
    what = metric.name if metric.name is not None else f"with alias {metric.alias}"
    if value is None:
        message.is_null = True
    elif isinstance(value, bytes):
        if datatype is not None and _FIELD.get(datatype) != _BYTES:
            raise CodecError(f"metric {what}: bytes do not fit {datatype.name}")
        message.bytes_value = value
    elif isinstance(value, DataSet):
        _put_dataset(message.dataset_value, value)
    elif isinstance(value, Opaque):
        getattr(message, value.field).ParseFromString(value.data)
    elif datatype is None:
        raise CodecError(f"metric {what}: a scalar needs its datatype")
    else:
        _put_scalar(message, datatype, value, what)


def _put_scalar(message: Any, datatype: DataType, value: Value, name: str) -> None:
    wire_field = _FIELD.get(datatype, "")
    expected = _PYTHON.get(wire_field)
    if isinstance(value, int) and not isinstance(value, bool) and expected in {int, float}:
        value = expected(value)  # an enumeration is a number too
    if type(value) is not expected:
        raise CodecError(f"metric {name}: {value!r} does not fit {datatype.name}")
    if isinstance(value, int) and wire_field in {_INT, _LONG}:
        bits = _BITS[datatype]
        low, high = (-(1 << (bits - 1)), 1 << (bits - 1)) if datatype in _SIGNED else (0, 1 << bits)
        if not low <= value < high:
            raise CodecError(f"metric {name}: {value} does not fit {datatype.name}")
        value &= 0xFFFFFFFFFFFFFFFF if wire_field == _LONG else 0xFFFFFFFF
    elif datatype is DataType.FLOAT and isinstance(value, float) and _too_large(value):
        raise CodecError(f"metric {name}: {value} does not fit FLOAT")
    setattr(message, wire_field, value)


def _too_large(value: float) -> bool:
    return math.isfinite(value) and abs(value) > 3.4028234663852886e38  # noqa: PLR2004 - largest binary32


def _dataset(message: Any) -> DataSet:
    columns = tuple(_text(name, "DataSet column") for name in message.columns)
    if message.num_of_columns != len(columns) or len(message.types) != len(columns):
        raise CodecError(
            f"DataSet says {message.num_of_columns} columns, names {len(columns)} "
            f"and types {len(message.types)}"
        )
    if len(message.rows) * max(len(columns), 1) > MAX_DATASET_CELLS:
        raise CodecError(f"DataSet of {len(message.rows)} rows is too large")
    types = []
    for number in message.types:
        datatype = _DATATYPES.get(number, DataType.UNKNOWN)
        if not DataType.INT8 <= datatype <= DataType.TEXT:
            raise CodecError(f"DataSet column of datatype {number} is not a scalar")
        types.append(datatype)
    rows = []
    for row in message.rows:
        if len(row.elements) != len(columns):
            raise CodecError(f"DataSet row of {len(row.elements)} cells, {len(columns)} columns")
        cells = []
        for name, datatype, cell in zip(columns, types, row.elements, strict=True):
            kind = cell.WhichOneof("value")
            if kind is None:
                raise CodecError(f"DataSet column {name}: a cell without a value")
            value = _raw(cell, kind)
            cells.append(_scalar(_meaning(datatype, value, name)))
        rows.append(tuple(cells))
    return DataSet(columns, tuple(types), tuple(rows))


def _put_dataset(message: Any, dataset: DataSet) -> None:
    if len(dataset.types) != len(dataset.columns):
        raise CodecError(f"DataSet of {len(dataset.columns)} columns, {len(dataset.types)} types")
    if len(dataset.rows) * max(len(dataset.columns), 1) > MAX_DATASET_CELLS:
        raise CodecError(f"DataSet of {len(dataset.rows)} rows is too large")
    message.num_of_columns = len(dataset.columns)
    message.columns.extend(dataset.columns)
    message.types.extend(dataset.types)
    for row in dataset.rows:
        if len(row) != len(dataset.columns):
            raise CodecError(f"DataSet row of {len(row)} cells, {len(dataset.columns)} columns")
        elements = message.rows.add().elements
        for name, datatype, value in zip(dataset.columns, dataset.types, row, strict=True):
            _put_scalar(elements.add(), datatype, value, name)


def _properties(message: Any) -> Properties:
    if len(message.keys) != len(message.values) or len(message.keys) > MAX_PROPERTIES:
        raise CodecError(
            f"PropertySet of {len(message.keys)} keys and {len(message.values)} values"
        )
    found = {}
    for key, part in zip(message.keys, message.values, strict=True):
        name = _text(key, "property name")
        datatype = _DATATYPES.get(part.type, DataType.UNKNOWN)
        kind = part.WhichOneof("value")
        if kind is None or part.is_null:
            found[name] = Property(datatype, None)
        elif kind in {"propertyset_value", "propertysets_value", "extension_value"}:
            continue  # nested sets mean nothing here and are no reason to refuse the metric
        else:
            found[name] = Property(datatype, _scalar(_meaning(datatype, _raw(part, kind), name)))
    return MappingProxyType(found)


def _put_properties(message: Any, properties: Properties) -> None:
    for name, item in properties.items():
        message.keys.append(name)
        part = message.values.add()
        part.type = item.type
        if item.value is None:
            part.is_null = True
        else:
            _put_scalar(part, item.type, item.value, name)


def _scalar(value: Value) -> Scalar:
    if isinstance(value, bytes | DataSet | Opaque):
        raise CodecError(f"a {type(value).__name__} stands where a scalar belongs")
    return value


def _timestamp(message: Any) -> int | None:
    if not message.HasField("timestamp"):
        return None
    value: int = message.timestamp
    if value > MAX_TIMESTAMP_MS:
        raise CodecError(f"timestamp {value} is out of range")
    return value


def _text(value: object, what: str, limit: int = MAX_NAME_BYTES) -> str:
    # upb hands out bytes where a proto2 string is not UTF-8.
    if not isinstance(value, str):
        raise CodecError(f"{what} is not UTF-8")
    if len(value) > limit:
        raise CodecError(f"{what} of {len(value)} characters, at most {limit}")
    return value
