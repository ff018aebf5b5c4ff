import pytest

from drivers.wire.sparkplug.schema import DataType, MetricMessage, PayloadMessage

# Numbers as published in Sparkplug 3.0, section 6.4.1, typed in again.
METRIC = {
    "name": 1, "alias": 2, "timestamp": 3, "datatype": 4, "is_historical": 5, "is_transient": 6,
    "is_null": 7, "metadata": 8, "properties": 9, "int_value": 10, "long_value": 11,
    "float_value": 12, "double_value": 13, "boolean_value": 14, "string_value": 15,
    "bytes_value": 16, "dataset_value": 17, "template_value": 18, "extension_value": 19,
}  # fmt: skip
PAYLOAD = {"timestamp": 1, "metrics": 2, "seq": 3, "uuid": 4, "body": 5}


def test_field_numbers() -> None:
    for message, numbers in ((MetricMessage, METRIC), (PayloadMessage, PAYLOAD)):
        fields = {field.name: field.number for field in message.DESCRIPTOR.fields}
        assert fields == numbers


def test_one_value_at_a_time() -> None:
    metric = MetricMessage(int_value=1)
    metric.string_value = "x"
    assert metric.WhichOneof("value") == "string_value"
    assert not metric.HasField("int_value")
    assert not metric.HasField("is_null")


@pytest.mark.parametrize(
    ("datatype", "number"),
    [
        (DataType.UNKNOWN, 0),
        (DataType.INT8, 1),
        (DataType.BOOLEAN, 11),
        (DataType.DATETIME, 13),
        (DataType.DATASET, 16),
        (DataType.BYTES, 17),
        (DataType.PROPERTY_SET_LIST, 21),
        (DataType.INT8_ARRAY, 22),
        (DataType.UINT8_ARRAY, 26),
        (DataType.STRING_ARRAY, 33),
        (DataType.DATETIME_ARRAY, 34),
    ],
)
def test_datatype_numbers(datatype: DataType, number: int) -> None:
    assert datatype == number
    assert datatype.is_array == (number >= 22)
    assert [int(one) for one in DataType] == list(range(35))
