"""What one metric is: name, unit, storage, urgency, grade, purpose, source.

The catalogue is :mod:`tenone.vocabulary.metrics`; each room's metrics stand in a module beside it.
"""

from dataclasses import dataclass
from enum import IntEnum

from tenone.vocabulary.states import DataGrade, PriorityClass, Purpose


class ColumnType(IntEnum):
    """How a column's values lie in a block: little-endian, fixed width, or text.

    ``TEXT`` is NUL-terminated UTF-8, one string a row: the encoding of a Sparkplug
    StringArray, so the bytes of a block are also the bytes on the wire.
    """

    UINT8 = 1
    UINT16 = 2
    UINT32 = 3
    UINT64 = 4
    INT8 = 5
    INT16 = 6
    INT32 = 7
    INT64 = 8
    FLOAT32 = 9
    FLOAT64 = 10
    TEXT = 11

    @property
    def width(self) -> int:
        """Bytes a row; 0 for text, whose rows vary."""
        return _WIDTHS[self]

    @property
    def code(self) -> str:
        """The ``struct`` and ``array`` type code; empty for text."""
        return _CODES[self]


_WIDTHS = {
    ColumnType.UINT8: 1,
    ColumnType.UINT16: 2,
    ColumnType.UINT32: 4,
    ColumnType.UINT64: 8,
    ColumnType.INT8: 1,
    ColumnType.INT16: 2,
    ColumnType.INT32: 4,
    ColumnType.INT64: 8,
    ColumnType.FLOAT32: 4,
    ColumnType.FLOAT64: 8,
    ColumnType.TEXT: 0,
}
_CODES = {
    ColumnType.UINT8: "B",
    ColumnType.UINT16: "H",
    ColumnType.UINT32: "I",
    ColumnType.UINT64: "Q",
    ColumnType.INT8: "b",
    ColumnType.INT16: "h",
    ColumnType.INT32: "i",
    ColumnType.INT64: "q",
    ColumnType.FLOAT32: "f",
    ColumnType.FLOAT64: "d",
    ColumnType.TEXT: "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One named quantity: its unit, how it is stored, how urgent and how sensitive it is."""

    name: str
    unit: str
    type: ColumnType
    priority: PriorityClass
    grade: DataGrade
    purpose: Purpose
    source: str
    """Where the value comes from: MIB object, standard's section, or device contract."""
    counter: bool = False


def port_metric(
    name: str, unit: str, kind: ColumnType, source: str, *, counter: bool = False
) -> Metric:
    """What a switch says about itself or its ports, read for the promise."""
    return Metric(
        name=name,
        unit=unit,
        type=kind,
        priority=PriorityClass.P1,
        grade=DataGrade.INTERNAL,
        purpose=Purpose.SLA,
        source=source,
        counter=counter,
    )


def care_metric(name: str, unit: str, kind: ColumnType, source: str) -> Metric:
    """What a device says about its health."""
    return Metric(
        name=name,
        unit=unit,
        type=kind,
        priority=PriorityClass.P2,
        grade=DataGrade.INTERNAL,
        purpose=Purpose.DEVICE_CARE,
        source=source,
    )


def node_metric(name: str, unit: str, kind: ColumnType, source: str) -> Metric:
    """What the gateway says about itself."""
    return Metric(
        name=name,
        unit=unit,
        type=kind,
        priority=PriorityClass.P2,
        grade=DataGrade.INTERNAL,
        purpose=Purpose.OPERATION,
        source=source,
    )
