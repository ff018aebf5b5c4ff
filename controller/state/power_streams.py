"""The stream of a UPS: whether a school's switches run on a battery.

Which UPS feeds which switch nobody says; a school's UPSes are taken to feed all of its switches.
A UPS that falls silent is taken at its last word: one whose battery ran out does not say so.
"""

from controller.state.marks import Marks
from controller.state.measures import Measures
from controller.state.numbering import Numbering
from controller.state.position import START, Position
from controller.state.values import rows_of
from controller.store.protocols import Arrival
from tenone.vocabulary.scope import DeviceId


class PowerStreams:
    """Fills :attr:`Measures.on_battery`. Nothing here blocks."""

    def __init__(self, numbering: Numbering, measures: Measures, marks: Marks) -> None:
        self._numbering = numbering
        self._measures = measures
        self._marks = marks
        self._positions: dict[tuple[str, str], Position] = {}
        self._on_battery: dict[str, set[str]] = {}

    def ups(self, arrival: Arrival, subject: DeviceId, at: Position) -> None:
        """One row: the UPS."""
        number = self._numbering.school_number.get(subject.school)
        if number is None:
            self._marks.unplanned_total += 1
            return
        key = subject.school, subject.serial
        if not self._positions.get(key, START).before(at):
            return
        self._positions[key] = at
        said = rows_of(arrival)[0].get("on_battery") if arrival.block.rows else None
        if said is None:
            return
        running = self._on_battery.setdefault(subject.school, set())
        if said:
            running.add(subject.serial)
        else:
            running.discard(subject.serial)
        span = self._numbering.span_of(range(number, number + 1)).links
        self._measures.on_battery[span.start : span.stop] = bool(running)
        self._marks.dirty = True
