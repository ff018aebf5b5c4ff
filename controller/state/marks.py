"""What the streams note while blocks are applied, for whoever judges, tells and records."""

from dataclasses import dataclass, field

from controller.state.columns import NEVER
from controller.store.protocols import Flap
from controller.store.records import PortFacts


@dataclass(slots=True)
class Marks:
    """Whoever takes one of the collections leaves an empty one."""

    dirty: bool = True
    """Something came in since the last judgement."""
    newest_ns: int = NEVER
    """When the newest report from anywhere was read (monotonic)."""
    unplanned_total: int = 0
    """Blocks about switches, boards or UPSes that the configuration does not know."""
    switches: set[int] = field(default_factory=set)
    boards: set[int] = field(default_factory=set)
    agents: set[int] = field(default_factory=set)
    inventories: list[tuple[str, str, list[PortFacts]]] = field(default_factory=list)
    """Inventories that came, for the records to keep."""
    flaps: list[Flap] = field(default_factory=list)
    """Links that were away between two good polls, for the rooms."""
