"""What this edge node announces: its own metrics, and every stream of every device.

No I/O. A birth carries the newest kept block of each stream, so a host that joins late knows
the present at once and folds the block like any resend.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agents.health import HEALTH_LAYOUT
from drivers.wire.blocks import AliasBook, BlockWriter, device_of
from drivers.wire.commands import declarations
from drivers.wire.receipt import receipt_declaration
from drivers.wire.sparkplug.codec import Metric
from drivers.wire.sparkplug.schema import DataType
from tenone.blocks.block import Block
from tenone.blocks.layout import Layout
from tenone.journal.journal import GAP_LAYOUT
from tenone.vocabulary.states import PriorityClass

Device = str | None
"""A Sparkplug device id; None is the node itself."""
GATEWAY_LAYOUTS = (HEALTH_LAYOUT, GAP_LAYOUT)
"""The node's own streams, declared in every NBIRTH, made yet or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFacts:
    """What an NBIRTH says of the node besides blocks."""

    journal_id: bytes
    bases: Mapping[PriorityClass, int]
    heads: Mapping[PriorityClass, int]
    version: str
    boot_id: bytes
    verbs: tuple[str, ...]

    def metrics(self, now_ms: int) -> list[Metric]:
        """By name, without aliases: nothing of it appears in data."""
        named: list[tuple[str, DataType, int | str]] = [
            ("Journal/Id", DataType.STRING, self.journal_id.hex()),
            ("Agent/Version", DataType.STRING, self.version),
            ("Agent/Boot Id", DataType.STRING, self.boot_id.hex()),
        ]
        for priority in PriorityClass:
            name = f"Journal/{priority.name}"
            named.append((f"{name}/Base", DataType.UINT64, self.bases[priority]))
            named.append((f"{name}/Head", DataType.UINT64, self.heads[priority]))
        metrics = [
            Metric(name=name, datatype=datatype, value=value, timestamp_ms=now_ms)
            for name, datatype, value in named
        ]
        metrics.append(receipt_declaration(now_ms=now_ms))
        for verb in self.verbs:
            metrics += declarations(verb, now_ms=now_ms)
        return metrics


class Announcer:
    """Remembers the newest block and layout of each stream, and what the host was told of.

    ``streams``: further streams of the node itself, which every NBIRTH declares.
    """

    def __init__(self, streams: Iterable[Layout] = ()) -> None:
        self.writer = BlockWriter(AliasBook())
        self._newest: dict[Device, dict[str, tuple[Layout, Block | None]]] = {
            None: {layout.stream: (layout, None) for layout in (*GATEWAY_LAYOUTS, *streams)}
        }

    def note(self, block: Block, layout: Layout) -> None:
        """A block was kept; the newest of its stream counts."""
        streams = self._newest.setdefault(device_of(block.stamp.subject), {})
        _, before = streams.get(layout.stream, (layout, None))
        if before is None or before.priority != block.priority or before.seq < block.seq:
            streams[layout.stream] = (layout, block)

    def meet(self, block: Block, layout: Layout) -> None:
        """An older block goes out: of a device nobody has heard of yet it is the newest so far.

        Two that keep at once may be heard of in another order than the journal's.
        """
        if device_of(block.stamp.subject) not in self._newest:
            self.note(block, layout)

    def is_newest(self, block: Block, stream: str) -> bool:
        """Whether nothing newer of the block's stream has been kept."""
        _, newest = self._newest.get(device_of(block.stamp.subject), {}).get(stream, (None, None))
        return newest is not None and (newest.priority, newest.seq) == (block.priority, block.seq)

    def needs_birth(self, block: Block, layout: Layout) -> bool:
        """Whether the block's device must be born (again) before or with this block.

        An older block whose layout is no longer the announced one needs none: it travels whole.
        """
        device = device_of(block.stamp.subject)
        if device is None:
            return False
        announced = self.writer.announced(device, layout.stream)
        return announced is None or (
            announced.id != layout.id and self.is_newest(block, layout.stream)
        )

    def devices(self) -> list[str]:
        """All devices that have a stream."""
        return [device for device in self._newest if device is not None]

    def declare(
        self, device: Device, now_ms: int, *, with_blocks: bool = True
    ) -> tuple[list[Metric], list[Block]]:
        """Birth metrics of one device, and the blocks they carry."""
        streams = [
            (layout, block if with_blocks else None)
            for layout, block in self._newest[device].values()
        ]
        metrics = self.writer.declare(device, streams, now_ms=now_ms)
        return metrics, [block for _, block in streams if block is not None]
