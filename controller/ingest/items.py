"""What decoding hands to the committing stage, in the order it arrived."""

from dataclasses import dataclass

from controller.ingest.passing import WholeBlock
from controller.store.protocols import Arrival, BaseNotice
from drivers.wire.topics import NodeId


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentBorn:
    """NBIRTH of a school the city knows."""

    node: NodeId
    version: str
    monotonic_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentDied:
    """NDEATH."""

    node: NodeId


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Some message of the node came; its clock said ``timestamp_ms`` when it was sent."""

    node: NodeId
    timestamp_ms: int
    received_ns: int
    monotonic_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Something that does not fit: quarantined with its reason, and counted."""

    reason: str
    """Short and stable: ``malformed``, ``unknown-school``, ``wrong-subject``, ``conflict``."""
    sentence: str
    school: str
    topic: str
    data: bytes
    block: WholeBlock | None = None
    """The one block it is about, where all its bytes came and its layout is known here."""


Item = Arrival | BaseNotice | AgentBorn | AgentDied | Heard | Refusal
