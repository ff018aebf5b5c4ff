"""What the records say is in force of one school."""

from dataclasses import dataclass, field

from controller.topology.drift import DriftView
from controller.topology.model import Edge, Identity, Place

Key = tuple[str, tuple[str, ...]]
"""A table and the key of one of its rows."""


@dataclass(frozen=True, slots=True)
class Standing:
    """By key: cables, who each switch says it is and should be, where addresses belong."""

    edges: dict[tuple[str, str, str], Edge] = field(default_factory=dict)
    identities: dict[str, Identity] = field(default_factory=dict)
    accepted: dict[str, Identity] = field(default_factory=dict)
    homes: dict[str, Place] = field(default_factory=dict)
    drifts: list[DriftView] = field(default_factory=list)

    def keys(self) -> list[Key]:
        """The keys of everything."""
        return [
            *(("edge", key) for key in self.edges),
            *(("baseline", ("identity", name)) for name in self.identities),
            *(("baseline", ("accepted", name)) for name in self.accepted),
            *(("baseline", ("home", name)) for name in self.homes),
            *(("drift", view.drift.key) for view in self.drifts),
        ]
