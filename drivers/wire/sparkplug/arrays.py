"""Array values of Sparkplug B 3.0 (section 6.4.16): little-endian bytes, end to end.

A block's columns travel as these bytes untouched; the functions here are for plain
Sparkplug consumers and for tests.
"""

import sys
from array import array
from collections.abc import Sequence
from typing import Any

from drivers.wire.sparkplug.schema import DataType

_CODES = {
    DataType.INT8_ARRAY: "b",
    DataType.INT16_ARRAY: "h",
    DataType.INT32_ARRAY: "i",
    DataType.INT64_ARRAY: "q",
    DataType.UINT8_ARRAY: "B",
    DataType.UINT16_ARRAY: "H",
    DataType.UINT32_ARRAY: "I",
    DataType.UINT64_ARRAY: "Q",
    DataType.FLOAT_ARRAY: "f",
    DataType.DOUBLE_ARRAY: "d",
    DataType.DATETIME_ARRAY: "q",
}
_COUNT_BYTES = 4

ArrayValues = Sequence[int] | Sequence[float] | Sequence[bool] | Sequence[str]


class ArrayError(ValueError):
    """Bytes that are no array of that datatype, or values that do not fit it."""


def encode_array(datatype: DataType, values: ArrayValues) -> bytes:
    """The wire bytes of ``values``; raises :class:`ArrayError`.

    Numbers: as they lie in memory. STRING_ARRAY: UTF-8, each ended by NUL. BOOLEAN_ARRAY: a
    count (uint32), then bits, most significant first. DATETIME_ARRAY: int64 epoch ms.
    """
    try:
        if datatype is DataType.STRING_ARRAY:
            texts = [str(value) for value in values]
            if any("\0" in text for text in texts):
                raise ArrayError("a string of a StringArray cannot hold NUL, which ends it")
            return b"".join(text.encode() + b"\0" for text in texts)
        if datatype is DataType.BOOLEAN_ARRAY:
            bits = bytearray((len(values) + 7) // 8)
            for index, value in enumerate(values):
                if value:
                    bits[index >> 3] |= 0x80 >> (index & 7)
            return len(values).to_bytes(_COUNT_BYTES, "little") + bytes(bits)
        numbers = _numbers(datatype, values)
    except (TypeError, OverflowError, UnicodeEncodeError) as error:
        raise ArrayError(f"a value does not fit {datatype.name}: {error}") from error
    data: bytes = _little_endian(numbers).tobytes()
    return data


def decode_array(datatype: DataType, data: bytes) -> ArrayValues:
    """The values of ``data``; raises :class:`ArrayError`."""
    if datatype is DataType.STRING_ARRAY:
        if data and not data.endswith(b"\0"):
            raise ArrayError("a StringArray must end with NUL")
        try:
            return [part.decode() for part in data.split(b"\0")[:-1]]
        except UnicodeDecodeError as error:
            raise ArrayError("a string of a StringArray is not UTF-8") from error
    if datatype is DataType.BOOLEAN_ARRAY:
        count = int.from_bytes(data[:_COUNT_BYTES], "little")
        bits = data[_COUNT_BYTES:]
        if len(data) < _COUNT_BYTES or len(bits) != (count + 7) // 8:
            raise ArrayError(f"{len(data)} bytes are no BooleanArray")
        return [bool(bits[index >> 3] & (0x80 >> (index & 7))) for index in range(count)]
    numbers = _numbers(datatype)
    if len(data) % numbers.itemsize:
        raise ArrayError(f"{len(data)} bytes are no {datatype.name} of {numbers.itemsize} each")
    numbers.frombytes(data)
    found: ArrayValues = _little_endian(numbers)
    return found


def _numbers(datatype: DataType, values: Any = ()) -> Any:
    """An array of the datatype's numbers; whether ints or floats only its code says."""
    try:
        code = _CODES[datatype]
    except KeyError:
        raise ArrayError(f"{datatype.name} is not an array of numbers") from None
    return array(code, values)


def _little_endian(numbers: Any) -> Any:
    if sys.byteorder == "big":  # pragma: no cover - tenone.blocks refuses such a machine already
        numbers.byteswap()
    return numbers
