"""How many damaged frames a link's port counted in the minutes before something happened to it.

Of every switch two readings of ifInErrors are kept: the newest, and one some five to ten minutes
older. Between them the counter may have been reset: what goes back is no figure.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from controller.plan import CityPlan
from controller.state.values import Cut
from controller.store.protocols import NS, Arrival
from tenone.vocabulary.metrics import METRICS

STREAM = "port-counters"
COLUMN = "in_errors"
WIDTH = METRICS[COLUMN].type.width
MAX_CUTS = 50_000
SPAN_NS = 300 * NS
"""A reading this old becomes the one to compare with."""


class ErrorCounts:
    """Asked for the errors a link's port counted lately; knows nothing by default."""

    def take(self, _arrival: Arrival) -> None:
        """Learn from a block of port counters."""

    def of(self, _link: str) -> int | None:
        """Errors received in the minutes before now; None where they were not counted."""
        return None


@dataclass(frozen=True, slots=True)
class _Reading:
    at_ns: int
    cut: Cut
    raw: bytes
    """The column's bitmap and values, as they stood in the block."""

    def of(self, port: str) -> int | None:
        rows = self.cut.layout.rows
        if port not in rows:
            return None
        row = rows.index(port)
        if not self.raw[row >> 3] >> (row & 7) & 1:
            return None
        at = (len(rows) + 7) // 8 + row * WIDTH
        return int.from_bytes(self.raw[at : at + WIDTH], "little")


class ErrorBook(ErrorCounts):
    """See the module. A link whose binding names its port in other words has no figure."""

    def __init__(self, plan: CityPlan) -> None:
        self._ports: Mapping[str, tuple[str, str]] = {
            link.id: (f"{link.school}/switch/{link.switch}", link.port)
            for link in plan.links
            if link.switch and link.port
        }
        self._cuts: dict[bytes, Cut] = {}
        self._readings: dict[str, tuple[_Reading, _Reading, _Reading]] = {}
        """Subject -> the one to compare with, the one that will be, the newest."""

    def take(self, arrival: Arrival) -> None:
        """See :class:`ErrorCounts`; a block older than the newest changes nothing."""
        reading = self._read(arrival)
        subject = arrival.block.stamp.subject
        if reading is None:
            return
        known = self._readings.get(subject)
        if known is None:
            self._readings[subject] = reading, reading, reading
            return
        base, middle, newest = known
        if reading.at_ns <= newest.at_ns:
            return
        if reading.at_ns - middle.at_ns >= SPAN_NS:
            base, middle = middle, reading
        self._readings[subject] = base, middle, reading

    def of(self, link: str) -> int | None:
        """See :class:`ErrorCounts`."""
        subject, port = self._ports.get(link, ("", ""))
        known = self._readings.get(subject)
        if known is None:
            return None
        before, after = known[0].of(port), known[2].of(port)
        if before is None or after is None or after < before:
            return None
        return after - before

    def _read(self, arrival: Arrival) -> _Reading | None:
        """The one column that matters; None where the layout has none."""
        layout = arrival.layout
        cut = self._cuts.get(layout.id)
        if cut is None:
            if len(self._cuts) > MAX_CUTS:
                self._cuts.clear()
            cut = self._cuts[layout.id] = Cut(layout, (COLUMN,))
        if not cut.has(COLUMN):
            return None
        at_ns = arrival.received_ns - max(arrival.age_ns, 0)
        return _Reading(at_ns, cut, cut.raw(arrival.block, COLUMN))
