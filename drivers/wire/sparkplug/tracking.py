"""What a host knows of one edge node: its birth tables and the order of its messages."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from drivers.wire.sparkplug.codec import CodecError, Metric, Payload, typed
from drivers.wire.sparkplug.messages import SEQ_MODULUS
from drivers.wire.sparkplug.schema import DataType
from drivers.wire.topics import NodeId, SparkplugTopic

Declared = tuple[str, DataType]


@dataclass(frozen=True, slots=True)
class BirthTable:
    """What a birth declared: aliases and names, each with name and datatype."""

    by_alias: Mapping[int, Declared]
    by_name: Mapping[str, Declared]
    aliases: Mapping[str, int]
    """Name to alias, where the birth gave one."""

    @classmethod
    def of(cls, metrics: Sequence[Metric]) -> "BirthTable":
        """Read the metrics of a birth; raises :class:`CodecError`."""
        by_alias: dict[int, Declared] = {}
        by_name: dict[str, Declared] = {}
        aliases: dict[str, int] = {}
        for metric in metrics:
            if metric.name is None or metric.datatype is None:
                raise CodecError(
                    f"birth metric {metric.name or metric.alias} lacks its name or datatype"
                )
            if metric.name in by_name:
                raise CodecError(f"birth metric {metric.name} occurs twice")
            by_name[metric.name] = declared = (metric.name, metric.datatype)
            if metric.alias is not None:
                if metric.alias in by_alias:
                    raise CodecError(f"alias {metric.alias} of {metric.name} occurs twice")
                by_alias[metric.alias] = declared
                aliases[metric.name] = metric.alias
        return cls(by_alias, by_name, aliases)

    def resolve(self, metric: Metric) -> Metric:
        """A data metric with its name and datatype; raises :class:`CodecError` if unknown."""
        if metric.alias is not None:
            declared = self.by_alias.get(metric.alias)
        else:
            declared = self.by_name.get(metric.name or "")
        if declared is None:
            raise CodecError(f"no birth declared the metric {metric.alias or metric.name}")
        return typed(metric, *declared)

    def written(self, metric: Metric) -> Metric:
        """A command's metric as the node knows it: by alias alone where it was born with one.

        Raises :class:`CodecError` if it was not born, or as another datatype.
        """
        known = self.resolve(metric)
        alias = self.aliases.get(known.name or "")
        return known if alias is None else replace(known, name=None, alias=alias)


@dataclass(frozen=True, slots=True)
class NodeSnapshot:
    """Enough to go on with a node after a host restart without asking for a rebirth.

    If the node's next message has ``next_seq`` nothing was missed; if not, a rebirth is asked.
    """

    node: NodeId
    bd_seq: int
    next_seq: int
    tables: Mapping[str | None, BirthTable]


@dataclass(frozen=True, slots=True)
class Held:
    """A message that waits for an earlier one."""

    topic: SparkplugTopic
    payload: Payload


@dataclass(slots=True)
class NodeTrack:
    """One node. ``next_seq`` None: no birth seen, so no order is known."""

    node: NodeId
    bd_seq: int | None = None
    online: bool = False
    next_seq: int | None = None
    tables: dict[str | None, BirthTable] = field(default_factory=dict)
    held: dict[int, Held] = field(default_factory=dict)
    deadline: float | None = None
    """When the reorder window of the oldest gap closes (monotonic s)."""

    @classmethod
    def resumed(cls, snapshot: NodeSnapshot) -> "NodeTrack":
        """A node as an earlier host knew it."""
        return cls(
            snapshot.node,
            bd_seq=snapshot.bd_seq,
            online=True,
            next_seq=snapshot.next_seq,
            tables=dict(snapshot.tables),
        )

    def born(self, bd_seq: int, seq: int, table: BirthTable) -> None:
        """NBIRTH: forget devices, order starts anew. What is held may belong to this session."""
        self.bd_seq = bd_seq
        self.online = True
        self.tables = {None: table}
        self.next_seq = (seq + 1) % SEQ_MODULUS
        self.deadline = None

    def died(self) -> None:
        """NDEATH: nothing the birth said holds any longer."""
        self.online = False
        self.next_seq = None
        self.tables = {}
        self.held = {}
        self.deadline = None

    def device_born(self, device: str, table: BirthTable) -> None:
        """DBIRTH; raises :class:`CodecError` before the node's own birth."""
        if None not in self.tables:
            raise CodecError("its node was not born")
        self.tables[device] = table

    def table(self, device: str | None) -> BirthTable:
        """What the birth of ``device`` (None: the node) declared; raises :class:`CodecError`."""
        found = self.tables.get(device)
        if found is None:
            raise CodecError("no birth came before it")
        return found

    def take_older(self, than_ms: int) -> list[Held]:
        """Take out, in order, the held messages with an earlier payload timestamp."""
        start = self.next_seq or 0
        older = [
            seq for seq, held in self.held.items() if (held.payload.timestamp_ms or 0) < than_ms
        ]
        older.sort(key=lambda seq: (seq - start) % SEQ_MODULUS)
        return [self.held.pop(seq) for seq in older]

    def in_order(self) -> Iterator[Held]:
        """Take out held messages as long as the next in order is there."""
        while self.next_seq is not None and self.next_seq in self.held:
            message = self.held.pop(self.next_seq)
            self.next_seq = (self.next_seq + 1) % SEQ_MODULUS
            yield message

    def give_up(self) -> list[Held]:
        """The window has closed: everything held, in order; the order goes on after it."""
        start = self.next_seq or 0
        order = sorted(self.held, key=lambda seq: (seq - start) % SEQ_MODULUS)
        messages = [self.held[seq] for seq in order]
        if order and self.next_seq is not None:
            self.next_seq = (order[-1] + 1) % SEQ_MODULUS
        self.held = {}
        self.deadline = None
        return messages
