"""How a block rides in Sparkplug metrics (docs/internals.md, "Wire").

A stream ``S`` of a device has the metrics ``S/Layout`` (births only), ``S/Header``,
``S/Validity`` and ``S/<column>``: header, validity and columns in layout order *are* the
canonical bytes. A block of another layout travels whole as ``Block/Raw`` with
``Block/Layout``. Nothing is converted, so the block's hash is the proof.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from drivers.wire.sparkplug.codec import CodecError, Metric, metrics_by_name
from drivers.wire.sparkplug.schema import DataType
from tenone.blocks.block import Block, BlockError
from tenone.blocks.layout import Layout, LayoutError
from tenone.vocabulary.metric import ColumnType
from tenone.vocabulary.scope import DeviceId, DeviceKind, IdentifierError

LAYOUT, HEADER, VALIDITY = "Layout", "Header", "Validity"
RAW_BLOCK, RAW_LAYOUT = "Block/Raw", "Block/Layout"

DATATYPES = {
    ColumnType.UINT8: DataType.UINT8_ARRAY,
    ColumnType.UINT16: DataType.UINT16_ARRAY,
    ColumnType.UINT32: DataType.UINT32_ARRAY,
    ColumnType.UINT64: DataType.UINT64_ARRAY,
    ColumnType.INT8: DataType.INT8_ARRAY,
    ColumnType.INT16: DataType.INT16_ARRAY,
    ColumnType.INT32: DataType.INT32_ARRAY,
    ColumnType.INT64: DataType.INT64_ARRAY,
    ColumnType.FLOAT32: DataType.FLOAT_ARRAY,
    ColumnType.FLOAT64: DataType.DOUBLE_ARRAY,
    ColumnType.TEXT: DataType.STRING_ARRAY,
}


class WireBlockError(ValueError):
    """Metrics that do not make a block."""


class UnknownLayoutError(WireBlockError):
    """A block whose layout no birth announced: ask for a rebirth, the journal keeps it."""


def device_of(subject: str) -> str | None:
    """The Sparkplug device of a block's subject ``<school>/<kind>/<asset>``.

    None for the gateway, whose blocks ride in NDATA. Raises :class:`WireBlockError`.
    """
    try:
        device = DeviceId.parse(subject)
    except IdentifierError as error:
        raise WireBlockError(f"block subject: {error}") from error
    return None if device.kind is DeviceKind.GATEWAY else device.sparkplug_device


class AliasBook:
    """Aliases of one edge node: unique over the node and all its devices, stable for its life.

    The same (device, metric name) keeps its alias from birth to birth.
    """

    def __init__(self) -> None:
        self._aliases: dict[tuple[str | None, str], int] = {}

    def alias(self, device: str | None, name: str) -> int:
        """The alias of a metric of ``device`` (None: of the node itself), from 1."""
        return self._aliases.setdefault((device, name), len(self._aliases) + 1)


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of one device as its birth declared it: which alias carries what."""

    device: str | None
    layout: Layout
    header: int
    validity: int
    columns: tuple[int, ...]


class BlockWriter:
    """The edge's side: declares streams in births, turns blocks into data metrics."""

    def __init__(self, aliases: AliasBook) -> None:
        self._aliases = aliases
        self._streams: dict[tuple[str | None, str], Stream] = {}

    def announced(self, device: str | None, stream: str) -> Layout | None:
        """The layout the last birth declared for ``stream``, if any."""
        found = self._streams.get((device, stream))
        return None if found is None else found.layout

    def declare(
        self,
        device: str | None,
        streams: Iterable[tuple[Layout, Block | None]],
        *,
        now_ms: int,
    ) -> list[Metric]:
        """The birth metrics of ``device``: every stream with its newest block (None: null).

        What was declared before for this device is forgotten. ``Block/Raw`` and
        ``Block/Layout`` are declared null. Raises :class:`WireBlockError`.
        """
        self.withdraw(device)
        metrics = [
            self._null(device, RAW_BLOCK, DataType.BYTES, now_ms),
            self._null(device, RAW_LAYOUT, DataType.BYTES, now_ms),
        ]
        for layout, block in streams:
            if (device, layout.stream) in self._streams:
                raise WireBlockError(f"stream {layout.stream} is declared twice for {device}")
            metrics += self._declare(device, layout, block, now_ms)
        return metrics

    def withdraw(self, device: str | None) -> None:
        """What was declared for ``device`` did not go out."""
        for key in [key for key in self._streams if key[0] == device]:
            del self._streams[key]

    def encode(self, block: Block, layout: Layout, *, historical: bool = False) -> list[Metric]:
        """The data metrics of ``block``: by alias, no datatypes, one payload for one block.

        Raises :class:`WireBlockError` if the device of the block's subject was never declared.
        """
        device = device_of(block.stamp.subject)
        time_ms = max(block.stamp.wall_ns // 1_000_000, 0)
        stream = self._streams.get((device, layout.stream))
        if stream is None or stream.layout.id != block.layout_id:
            if layout.id != block.layout_id:
                raise WireBlockError(f"block {block.seq} was not made with {layout.stream}")
            pairs = [
                (self._aliases.alias(device, RAW_BLOCK), block.data),
                (self._aliases.alias(device, RAW_LAYOUT), layout.document),
            ]
        else:
            pairs = _parts(stream, block)
        return [
            Metric(alias=alias, value=value, timestamp_ms=time_ms, is_historical=historical)
            for alias, value in pairs
        ]

    def _declare(
        self, device: str | None, layout: Layout, block: Block | None, now_ms: int
    ) -> list[Metric]:
        name, alias = layout.stream, self._aliases.alias
        stream = Stream(
            device=device,
            layout=layout,
            header=alias(device, f"{name}/{HEADER}"),
            validity=alias(device, f"{name}/{VALIDITY}"),
            columns=tuple(alias(device, f"{name}/{column}") for column in layout.columns),
        )
        self._streams[device, name] = stream
        values: dict[int, bytes] = {} if block is None else dict(_parts(stream, block))
        time_ms = now_ms if block is None else max(block.stamp.wall_ns // 1_000_000, 0)
        described = [
            (f"{name}/{HEADER}", stream.header, DataType.BYTES),
            (f"{name}/{VALIDITY}", stream.validity, DataType.BYTES),
            *(
                (f"{name}/{metric.name}", number, DATATYPES[metric.type])
                for metric, number in zip(layout.metrics, stream.columns, strict=True)
            ),
        ]
        announcement = Metric(
            name=f"{name}/{LAYOUT}",
            alias=alias(device, f"{name}/{LAYOUT}"),
            datatype=DataType.BYTES,
            value=layout.document,
            timestamp_ms=now_ms,
        )
        return [
            announcement,
            *(
                Metric(
                    name=metric_name,
                    alias=number,
                    datatype=datatype,
                    value=values.get(number),
                    timestamp_ms=time_ms,
                )
                for metric_name, number, datatype in described
            ),
        ]

    def _null(self, device: str | None, name: str, datatype: DataType, now_ms: int) -> Metric:
        alias = self._aliases.alias(device, name)
        return Metric(name=name, alias=alias, datatype=datatype, timestamp_ms=now_ms)


@dataclass(frozen=True, slots=True)
class CarriedBlock:
    """A block as it came off the wire, checked against its layout."""

    block: Block
    layout: Layout
    historical: bool


def announced_layouts(birth: Sequence[Metric]) -> dict[str, Layout]:
    """The layouts a birth announces, by stream; raises :class:`WireBlockError`."""
    layouts, unreadable = readable_layouts(birth)
    for sentence in unreadable.values():
        raise WireBlockError(sentence)
    return layouts


def readable_layouts(birth: Sequence[Metric]) -> tuple[dict[str, Layout], dict[str, str]]:
    """The layouts a birth announces by stream, and why others cannot be read, by stream.

    A newer agent may announce what this version has no words for; its other streams still count.
    """
    layouts: dict[str, Layout] = {}
    unreadable: dict[str, str] = {}
    for metric in birth:
        stream, separator, what = (metric.name or "").rpartition("/")
        if not separator or what != LAYOUT or metric.name == RAW_LAYOUT:
            continue
        try:
            layouts[stream] = _announced(metric, stream)
        except WireBlockError as error:
            unreadable[stream] = str(error)
    return layouts, unreadable


def decode_blocks(
    metrics: Sequence[Metric], layouts: Mapping[str, Layout]
) -> tuple[CarriedBlock, ...]:
    """The blocks in a birth or data message whose metrics have their names.

    ``layouts`` are those the device's birth announced. Raises :class:`UnknownLayoutError` where
    only a rebirth helps, else :class:`WireBlockError`.
    """
    try:
        named = metrics_by_name(metrics)
    except CodecError as error:
        raise WireBlockError(str(error)) from error
    found = []
    for name, metric in named.items():
        if metric.value is None:
            continue
        if name == RAW_BLOCK:
            found.append(_raw(named, metric))
        elif name.endswith(f"/{HEADER}"):
            found.append(_rebuilt(named, metric, name.removesuffix(f"/{HEADER}"), layouts))
    return tuple(found)


def only_block(metrics: Sequence[Metric], layouts: Mapping[str, Layout]) -> bytes | None:
    """The bytes of the one block in a message, unchecked, where they came whole.

    None where the message has none or several, or where its layout cannot be read here.
    """
    try:
        named = metrics_by_name(metrics)
        heads = [
            name
            for name, metric in named.items()
            if metric.value is not None and (name == RAW_BLOCK or name.endswith(f"/{HEADER}"))
        ]
        if len(heads) != 1:
            return None
        if heads[0] == RAW_BLOCK:
            _layout(_bytes(named, RAW_LAYOUT))
            return _bytes(named, RAW_BLOCK)
        return _joined(named, heads[0].removesuffix(f"/{HEADER}"), layouts)
    except (CodecError, WireBlockError):
        return None


def _parts(stream: Stream, block: Block) -> list[tuple[int, bytes]]:
    """Cut the canonical bytes into header, validity and columns, each with its alias."""
    try:
        columns = block.columns(stream.layout)
    except BlockError as error:
        raise WireBlockError(f"block {block.seq}: {error}") from error
    bitmaps = len(columns) * ((block.rows + 7) // 8)
    validity = block.data[block.header_bytes : block.header_bytes + bitmaps]
    return [
        (stream.header, block.header),
        (stream.validity, validity),
        *((alias, column.data) for alias, column in zip(stream.columns, columns, strict=True)),
    ]


def _rebuilt(
    named: Mapping[str, Metric], header: Metric, stream: str, layouts: Mapping[str, Layout]
) -> CarriedBlock:
    data = _joined(named, stream, layouts)
    return _checked(data, layouts[stream], historical=header.is_historical)


def _joined(named: Mapping[str, Metric], stream: str, layouts: Mapping[str, Layout]) -> bytes:
    layout = layouts.get(stream)
    if layout is None:
        raise UnknownLayoutError(f"no birth announced a layout for stream {stream}")
    parts = [_bytes(named, f"{stream}/{HEADER}"), _bytes(named, f"{stream}/{VALIDITY}")]
    parts += [_bytes(named, f"{stream}/{column}") for column in layout.columns]
    return b"".join(parts)


def _raw(named: Mapping[str, Metric], raw: Metric) -> CarriedBlock:
    layout = _layout(_bytes(named, RAW_LAYOUT))
    return _checked(_bytes(named, RAW_BLOCK), layout, historical=raw.is_historical)


def _checked(data: bytes, layout: Layout, *, historical: bool) -> CarriedBlock:
    try:
        block = Block.parse(data)
        if block.layout_id != layout.id:
            raise UnknownLayoutError(
                f"a block of stream {layout.stream} has a layout that no birth announced"
            )
        block.check(layout)
    except BlockError as error:
        raise WireBlockError(f"stream {layout.stream}: {error}") from error
    return CarriedBlock(block, layout, historical)


def _announced(metric: Metric, stream: str) -> Layout:
    if not isinstance(metric.value, bytes):
        raise WireBlockError(f"{metric.name} is announced without a layout document")
    layout = _layout(metric.value)
    if layout.stream != stream:
        raise WireBlockError(f"{metric.name} announces a layout of {layout.stream}")
    return layout


def _layout(document: bytes) -> Layout:
    try:
        return Layout.parse(document)
    except LayoutError as error:
        raise WireBlockError(str(error)) from error


def _bytes(named: Mapping[str, Metric], name: str) -> bytes:
    metric = named.get(name)
    if metric is None or not isinstance(metric.value, bytes):
        raise WireBlockError(f"metric {name} is missing beside its block")
    return metric.value
