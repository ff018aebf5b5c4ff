"""The stream of a UPS: whether what hangs on it runs on a battery, or is off.

Which UPS feeds which switch stands in the configuration (``devices[].feeds``); one that does not
say feeds every switch of its school that no other one names. Of several that feed one switch any
may explain its silence. A UPS that falls silent is taken at its last word: one whose battery ran
out does not say so.
"""

import numpy as np

from controller.state.marks import Marks
from controller.state.measures import Measures
from controller.state.numbering import Numbering
from controller.state.position import START, Position
from controller.state.values import rows_of
from controller.store.protocols import Arrival
from tenone.vocabulary.body import PowerSource
from tenone.vocabulary.scope import DeviceId
from tenone.vocabulary.states import Verdict


class PowerStreams:
    """Fills :attr:`Measures.power` and :attr:`Measures.on_battery`. Nothing here blocks."""

    def __init__(self, numbering: Numbering, measures: Measures, marks: Marks) -> None:
        self._numbering = numbering
        self._measures = measures
        self._marks = marks
        self._positions: dict[tuple[str, str], Position] = {}

    def ups(self, arrival: Arrival, subject: DeviceId, at: Position) -> None:
        """One row: the UPS."""
        key = subject.school, subject.serial
        number = self._numbering.ups_number.get(key)
        if number is None:
            self._marks.unplanned_total += 1
            return
        if not self._positions.get(key, START).before(at):
            return
        self._positions[key] = at
        row = rows_of(arrival)[0] if arrival.block.rows else {}
        said = row.get("on_battery")
        if said is None:
            return
        # Not on its battery, and nothing comes out of it either: its output is switched off.
        off = row.get("power_source") == PowerSource.NONE
        power = self._measures.power
        self._measures.power_heard_ns[number] = at.evidence_ns
        now = Verdict.BAD if said or off else Verdict.GOOD
        if power[number] == now:
            return
        power[number] = now
        school = int(self._numbering.ups_school[number])
        span = self._numbering.span_of(range(school, school + 1)).links
        links, upses = self._numbering.fed_by
        first, last = np.searchsorted(links, (span.start, span.stop))
        failing = power[upses[first:last]] == Verdict.BAD
        on_battery = self._measures.on_battery
        on_battery[span.start : span.stop] = False
        on_battery[links[first:last][failing]] = True
        self._marks.dirty = True
