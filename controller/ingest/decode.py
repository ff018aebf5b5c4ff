"""From host events to items: who may say what, which layout, which block. No I/O.

The trust boundary between a school and the city is here: a node speaks for its own school and
district only, and a block's subject must be the device it came under.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from controller.ingest.items import AgentBorn, AgentDied, Heard, Item, Refusal
from controller.ingest.passing import WholeBlock
from controller.plan import SchoolPlan
from controller.store.protocols import Arrival, BaseNotice, ChainKey
from drivers.wire.blocks import (
    CarriedBlock,
    UnknownLayoutError,
    WireBlockError,
    decode_blocks,
    device_of,
    only_block,
    readable_layouts,
)
from drivers.wire.sparkplug.codec import CodecError, Metric, Payload, encode
from drivers.wire.sparkplug.events import Data, DeviceBorn, NodeBorn, NodeDied
from drivers.wire.topics import NodeId
from tenone.blocks.block import ID_BYTES, place_of
from tenone.blocks.layout import Layout
from tenone.runtime.clock import Clock
from tenone.vocabulary.states import PriorityClass

JOURNAL_ID = "Journal/Id"
AGENT_VERSION = "Agent/Version"
MAX_SEQ = 2**63 - 1
"""Larger ones no journal reaches and no column of the store holds."""
MAX_AGE_NS = 400 * 86_400 * 10**9
"""No journal holds older blocks; a payload time beyond it is a clock at fault."""

Where = tuple[NodeId, str | None]


class RebirthNeededError(Exception):
    """Only a birth helps; the sentence says why."""

    def __init__(self, node: NodeId, sentence: str) -> None:
        super().__init__(sentence)
        self.node = node


class Decoder:
    """Remembers the layouts of each node's births."""

    def __init__(self, schools: Mapping[str, SchoolPlan], clock: Clock) -> None:
        self._schools = schools
        self._clock = clock
        self._layouts: dict[Where, dict[str, Layout]] = {}
        self._unreadable: dict[Where, frozenset[str]] = {}
        """Streams whose layout this version cannot read; a rebirth would not help."""

    def born(self, event: NodeBorn) -> list[Item]:
        """NBIRTH: the agent, its journal's bases, its newest blocks."""
        if (stranger := self._stranger(event.node, "NBIRTH", event.metrics)) is not None:
            return [stranger]
        self._forget(event.node)
        named = {metric.name: metric.value for metric in event.metrics if metric.name}
        version = named.get(AGENT_VERSION)
        return [
            AgentBorn(
                node=event.node,
                version=version if isinstance(version, str) else "",
                monotonic_ns=self._clock.monotonic_ns(),
            ),
            *self._bases(event.node, named),
            *self._birth(event.node, None, event.timestamp_ms, event.metrics),
        ]

    def device_born(self, event: DeviceBorn) -> list[Item]:
        """DBIRTH: layouts and newest blocks of one device."""
        if (stranger := self._stranger(event.node, "DBIRTH", event.metrics)) is not None:
            return [stranger]
        return self._birth(event.node, event.device, event.timestamp_ms, event.metrics)

    def data(self, event: Data) -> list[Item]:
        """NDATA or DDATA; raises :class:`RebirthNeededError` where a layout is not known."""
        if (stranger := self._stranger(event.node, "DATA", event.metrics)) is not None:
            return [stranger]
        return self._blocks(event.node, event.device, event.timestamp_ms, event.metrics)

    def died(self, event: NodeDied) -> list[Item]:
        """NDEATH."""
        self._forget(event.node)
        return [AgentDied(node=event.node)] if self._school(event.node) else []

    # -- inside

    def _school(self, node: NodeId) -> SchoolPlan | None:
        school = self._schools.get(node.node)
        return school if school is not None and school.district == node.group else None

    def _stranger(self, node: NodeId, what: str, metrics: Sequence[Metric]) -> Refusal | None:
        if self._school(node) is not None:
            return None
        sentence = (
            f"{what} of {node}: this city has no such school in that district; "
            "add it to city.yaml or correct the agent's school.yaml"
        )
        return _refusal("unknown-school", sentence, node, None, metrics)

    def _forget(self, node: NodeId) -> None:
        for known in (self._layouts, self._unreadable):
            for where in [where for where in known if where[0] == node]:
                del known[where]

    def _birth(
        self, node: NodeId, device: str | None, timestamp_ms: int, metrics: Sequence[Metric]
    ) -> list[Item]:
        layouts, unreadable = readable_layouts(metrics)
        self._layouts[node, device] = layouts
        self._unreadable[node, device] = frozenset(unreadable)
        # Told once a birth: the blocks themselves stay unreceipted, so the agent keeps them.
        refusals = [
            _refusal(
                "malformed",
                f"birth of {device or node}: {sentence}; blocks of {stream} stay with the agent "
                "until a controller reads them: is the agent newer than this controller?",
                node,
                device,
                [metric for metric in metrics if _stream_of(metric) == stream],
            )
            for stream, sentence in unreadable.items()
        ]
        return [*refusals, *self._blocks(node, device, timestamp_ms, metrics)]

    def _blocks(
        self, node: NodeId, device: str | None, timestamp_ms: int, metrics: Sequence[Metric]
    ) -> list[Item]:
        received_ns, monotonic_ns = self._clock.wall_ns(), self._clock.monotonic_ns()
        items: list[Item] = [
            Heard(
                node=node,
                timestamp_ms=timestamp_ms,
                received_ns=received_ns,
                monotonic_ns=monotonic_ns,
            )
        ]
        if unreadable := self._unreadable.get((node, device)):
            metrics = [metric for metric in metrics if _stream_of(metric) not in unreadable]
        try:
            carried = decode_blocks(metrics, self._layouts.get((node, device), {}))
        except UnknownLayoutError as error:
            raise RebirthNeededError(node, f"{device or node}: {error}") from error
        except WireBlockError as error:
            sentence = f"data of {device or node}: {error}"
            whole = only_block(metrics, self._layouts.get((node, device), {}))
            refusal = _refusal("malformed", sentence, node, device, metrics)
            return [*items, replace(refusal, block=_placed(node, whole))]
        for one in carried:
            if (wrong := self._wrong_place(node, device, one)) is not None:
                items.append(wrong)
                continue
            age_ns = timestamp_ms * 1_000_000 - one.block.stamp.wall_ns
            items.append(
                Arrival(
                    block=one.block,
                    layout=one.layout,
                    school=node.node,
                    district=node.group,
                    received_ns=received_ns,
                    age_ns=min(max(age_ns, 0), MAX_AGE_NS),
                    monotonic_ns=monotonic_ns,
                )
            )
        return items

    def _wrong_place(
        self, node: NodeId, device: str | None, carried: CarriedBlock
    ) -> Refusal | None:
        """A block about somebody else, or with a number that no journal gives."""
        block, subject = carried.block, carried.block.stamp.subject
        try:
            fits = device_of(subject) == device and subject.partition("/")[0] == node.node
        except WireBlockError:
            fits = False
        if not fits:
            reason = "wrong-subject"
            sentence = f"a block about {subject!r} came under {node}/{device or '(node)'}"
        elif block.seq > MAX_SEQ:
            reason = "malformed"
            sentence = f"a block about {subject!r} has the impossible number {block.seq}"
        else:
            return None
        return Refusal(
            reason=reason,
            sentence=sentence,
            school=node.node,
            topic=f"{node}/{device or ''}",
            data=block.data,
            block=_placed(node, block.data),
        )

    def _bases(self, node: NodeId, named: Mapping[str, object]) -> list[Item]:
        try:
            journal_id = bytes.fromhex(str(named.get(JOURNAL_ID)))
        except ValueError:
            return []
        if len(journal_id) != ID_BYTES:
            return []
        found: list[Item] = []
        for priority in PriorityClass:
            base, head = (
                named.get(f"Journal/{priority.name}/Base"),
                named.get(f"Journal/{priority.name}/Head"),
            )
            # A base beyond its own head would excuse blocks that are still to come.
            if isinstance(base, int) and isinstance(head, int) and 0 < base <= head <= MAX_SEQ:
                chain = ChainKey(journal_id, priority)
                found.append(
                    BaseNotice(chain=chain, base=base, school=node.node, district=node.group)
                )
        return found


def _stream_of(metric: Metric) -> str:
    return (metric.name or "").rpartition("/")[0]


def _placed(node: NodeId, data: bytes | None) -> WholeBlock | None:
    """The block with its place; None where it claims none that a store holds."""
    place = None if data is None else place_of(data)
    if data is None or place is None or place[2] > MAX_SEQ:
        return None
    journal_id, priority, seq = place
    return WholeBlock(node, ChainKey(journal_id, priority), seq, data)


def _refusal(
    reason: str, sentence: str, node: NodeId, device: str | None, metrics: Sequence[Metric]
) -> Refusal:
    try:
        data = encode(Payload(timestamp_ms=None, metrics=tuple(metrics)))
    except CodecError:
        data = b""
    return Refusal(
        reason=reason,
        sentence=sentence,
        school=node.node,
        topic=f"{node}/{device or ''}",
        data=data,
    )
