"""What a Sparkplug B payload holds, as values: metrics, their properties, tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from drivers.wire.sparkplug.schema import DataType

MAX_TIMESTAMP_MS = 2**63 - 1


class CodecError(ValueError):
    """A payload that breaks the schema, the datatypes or the bounds."""


@dataclass(frozen=True, slots=True)
class DataSet:
    """A table: column names, their datatypes, rows of cells (None never occurs in Sparkplug)."""

    columns: tuple[str, ...]
    types: tuple[DataType, ...]
    rows: tuple[tuple["Scalar", ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Opaque:
    """A Template or an extension: kept as its protobuf bytes, because nothing here reads it."""

    data: bytes
    field: str = "template_value"


Scalar = int | float | bool | str
Value = Scalar | bytes | DataSet | Opaque


@dataclass(frozen=True, slots=True)
class Property:
    """One typed property of a metric, such as ``Quality`` or ``unit``."""

    type: DataType
    value: Scalar | None


Properties = Mapping[str, Property]
NO_PROPERTIES: Properties = MappingProxyType({})


@dataclass(slots=True, kw_only=True, unsafe_hash=True)
class Metric:
    """One metric. ``value`` None is null (``is_null`` on the wire).

    A value like the others here: nobody changes one. It is not frozen because a city's messages
    make 40,000 a second, and a frozen one takes three times as long to make.

    Arrays, Bytes and File hold bytes. Without ``datatype`` an integer is the unsigned number
    of the wire; :func:`typed` makes it signed.
    """

    name: str | None = None
    alias: int | None = None
    datatype: DataType | None = None
    value: Value | None = None
    timestamp_ms: int | None = None
    is_historical: bool = False
    is_transient: bool = False
    properties: Properties = field(default_factory=lambda: NO_PROPERTIES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """A whole payload. ``seq`` is 0..255, None in NDEATH and in commands."""

    timestamp_ms: int | None
    seq: int | None = None
    metrics: tuple[Metric, ...] = ()
    uuid: str | None = None
    body: bytes | None = None


def metrics_by_name(metrics: Sequence[Metric]) -> dict[str, Metric]:
    """The metrics that have a name; raises :class:`CodecError` if one occurs twice."""
    found: dict[str, Metric] = {}
    for metric in metrics:
        if metric.name is None:
            continue
        if metric.name in found:
            raise CodecError(f"metric {metric.name} occurs twice in one payload")
        found[metric.name] = metric
    return found
