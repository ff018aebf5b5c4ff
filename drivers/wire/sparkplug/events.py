"""What a host session tells its caller."""

from dataclasses import dataclass

from drivers.wire.sparkplug.codec import Metric
from drivers.wire.sparkplug.messages import Publish
from drivers.wire.topics import NodeId


@dataclass(frozen=True, slots=True)
class NodeBorn:
    """NBIRTH: ``metrics`` with values, ``again`` if this session was already known (rebirth)."""

    node: NodeId
    bd_seq: int
    timestamp_ms: int
    metrics: tuple[Metric, ...]
    again: bool


@dataclass(frozen=True, slots=True)
class DeviceBorn:
    """DBIRTH."""

    node: NodeId
    device: str
    timestamp_ms: int
    metrics: tuple[Metric, ...]


@dataclass(frozen=True, slots=True)
class Data:
    """NDATA (``device`` None) or DDATA: metrics with the names and datatypes of the birth."""

    node: NodeId
    device: str | None
    timestamp_ms: int
    metrics: tuple[Metric, ...]


@dataclass(frozen=True, slots=True)
class NodeDied:
    """NDEATH: node, its devices and all their metrics are stale since ``at_ms``, our clock."""

    node: NodeId
    bd_seq: int
    at_ms: int
    devices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeviceDied:
    """DDEATH: the device's metrics are stale since ``at_ms``, the payload's clock."""

    node: NodeId
    device: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class RebirthWanted:
    """A rebirth is needed and queued; :class:`RebirthAsked` follows when admitted."""

    node: NodeId
    reason: str


@dataclass(frozen=True, slots=True)
class RebirthAsked:
    """Publish ``command`` now."""

    node: NodeId
    reason: str
    command: Publish


@dataclass(frozen=True, slots=True)
class StateRepaired:
    """Somebody said that we are offline: publish ``state`` now."""

    state: Publish


@dataclass(frozen=True, slots=True)
class Fault:
    """A message broke the protocol and was not used; the sentence says what and why."""

    node: NodeId | None
    topic: str
    sentence: str


HostEvent = (
    NodeBorn
    | DeviceBorn
    | Data
    | NodeDied
    | DeviceDied
    | RebirthWanted
    | RebirthAsked
    | StateRepaired
    | Fault
)
