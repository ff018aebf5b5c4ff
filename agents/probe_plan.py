"""Which test packet is due when, and in which row of its window's block. No I/O, no clock.

Rows are fixed by the configuration, so that every window has the same layout: a target has as many
rows as packets can fall into one window. All times are nanoseconds from the plan's start.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from agents.schedule import spread
from tenone.config.probes import Probes, ProbeTarget

SUSPECT_LOST: Final = 2
SUSPECT_OF: Final = 20
"""So many lost of the newest so many make a suspicion; a packet is lost now and then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """The packets of one DSCP to one target."""

    target: str
    dscp: int
    every_ns: int
    first_ns: int
    """Spread by name, so that a school's classes are not asked all at once."""
    class_time_only: bool
    first_row: int
    stride: int
    """Rows from one packet of a window to the next: the target's number of DSCPs."""
    witness: bool = False
    """Whether a link is judged by it: the first DSCP of a target that has one, or is the core."""

    def due(self, from_ns: int, until_ns: int) -> list[int]:
        """When packets are due in ``[from_ns, until_ns)``."""
        first = max(0, -(-(from_ns - self.first_ns) // self.every_ns))
        return list(range(self.first_ns + first * self.every_ns, until_ns, self.every_ns))


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """One packet that is due."""

    at_ns: int
    row: int
    lane: Lane


@dataclass(frozen=True)
class Plan:
    """All lanes of a school."""

    window_ns: int
    lanes: tuple[Lane, ...]
    rows: tuple[str, ...]

    @classmethod
    def of(cls, probes: Probes) -> "Plan":
        """The plan the configuration asks for."""
        window_ns = round(probes.window_seconds * 1e9)
        lanes: list[Lane] = []
        rows: list[str] = []
        for target in probes.targets:
            every_ns = round(target.every_seconds * 1e9)
            lanes += _lanes(target, every_ns, len(rows))
            most = len(target.dscp) * -(-window_ns // every_ns)
            rows += [f"{target.name}/{number}" for number in range(most)]
        return cls(window_ns, tuple(lanes), tuple(rows))

    @cached_property
    def by_target(self) -> dict[str, tuple[Lane, ...]]:
        """Each target's lanes, in the order of its DSCPs."""
        found: dict[str, list[Lane]] = {}
        for lane in self.lanes:
            found.setdefault(lane.target, []).append(lane)
        return {target: tuple(lanes) for target, lanes in found.items()}

    @property
    def witnesses(self) -> tuple[Lane, ...]:
        """The lanes by which links are judged."""
        return tuple(lane for lane in self.lanes if lane.witness)

    def due(self, window: int) -> list[Slot]:
        """The packets of one window (from 0), in the order they are sent."""
        from_ns = window * self.window_ns
        slots = [
            Slot(at_ns, lane.first_row + number * lane.stride, lane)
            for lane in self.lanes
            for number, at_ns in enumerate(lane.due(from_ns, from_ns + self.window_ns))
        ]
        return sorted(slots, key=lambda slot: (slot.at_ns, slot.row))


def _lanes(target: ProbeTarget, every_ns: int, first_row: int) -> Iterable[Lane]:
    for place, dscp in enumerate(target.dscp):
        yield Lane(
            target=target.name,
            dscp=dscp,
            every_ns=every_ns,
            first_ns=spread(f"{target.name}/{dscp}", every_ns),
            class_time_only=target.in_class_time_only,
            first_row=first_row + place,
            stride=len(target.dscp),
            witness=place == 0 and (target.link is not None or target.kind == "core"),
        )


def is_suspect(lost: Sequence[bool]) -> bool:
    """Whether the newest packets (oldest first) hint at loss without deciding it.

    Total or heavy loss is decided already, an outage that is over was no loss now and then, and
    while the newest packet is lost this may be the beginning of one.
    """
    newest = lost[-SUSPECT_OF:]
    return SUSPECT_LOST <= sum(newest) <= len(newest) // 2 and not newest[-1]
