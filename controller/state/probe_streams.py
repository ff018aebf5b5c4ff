"""The streams of probes: what packets became of the paths they went, and whether names resolve.

A link's path is witnessed by the target its plan names. Late blocks change no live figure: what
they tell is recomputed from the store.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from controller.arrays import F64, I64, Flags
from controller.state.columns import NEVER
from controller.state.marks import Marks
from controller.state.measures import Measures
from controller.state.numbering import Numbering
from controller.state.paths import Packets, Paths, Windows
from controller.state.position import START, Position
from controller.state.values import Cut, rows_of
from controller.store.protocols import Arrival
from tenone.blocks.layout import Layout
from tenone.vocabulary.probes import DnsOutcome
from tenone.vocabulary.scope import DeviceId
from tenone.vocabulary.states import Verdict

_UNSET: Final = 0
_COLUMNS: Final = ("probe_outcome", "probe_away_ns", "probe_held_ns", "probe_dscp_sent")


@dataclass(frozen=True, slots=True, order=True)
class PathId:
    """Whose packets they are: a link, and the target and DSCP that witness it."""

    link: str
    target: str
    dscp: int


Chains = Mapping[tuple[str, str], tuple[bytes, int]]
"""(school, stream) -> journal and sequence number of the newest block that was taken in."""


class ProbeStreams:
    """Fills what probes measure. Nothing here blocks."""

    def __init__(
        self, numbering: Numbering, measures: Measures, marks: Marks, loss_limit: F64
    ) -> None:
        """``loss_limit``: of every link."""
        self._numbering = numbering
        self._measures = measures
        self._marks = marks
        witnessed = [number for number, link in enumerate(numbering.links) if link.witness]
        self._links: I64 = np.array(witnessed, np.int64)
        self._paths = Paths(len(witnessed), loss_limit[self._links])
        self._of: dict[tuple[str, str], list[int]] = {}
        """(school, target) -> paths."""
        self._dscp: dict[tuple[str, str], int] = {}
        for path, number in enumerate(witnessed):
            link = numbering.links[number]
            if link.witness is not None:
                key = link.school, link.witness.target
                self._of.setdefault(key, []).append(path)
                self._dscp[key] = link.witness.dscp
        self.ids: Sequence[PathId] = [
            PathId(link.id, link.witness.target, link.witness.dscp)
            for link in numbering.links
            if link.witness is not None
        ]
        """Of each path."""
        self._tells = True
        self._positions: dict[tuple[str, str], Position] = {}
        self._cuts: dict[tuple[str, bytes], list[tuple[int, list[int], list[int]]]] = {}

    def windows(self) -> tuple[Windows, Chains]:
        """What would be lost with this process: windows, and how far each school was read."""
        chains = {key: (at.journal_id, at.seq) for key, at in self._positions.items()}
        return self._paths.windows(), chains

    def restore(self, paths: I64, windows: Windows, chains: Chains) -> None:
        """Take over what an earlier process knew of ``paths``, before any block is applied."""
        self._paths.take(paths, windows)
        for key, (journal_id, seq) in chains.items():
            self._positions[key] = Position(journal_id, seq, NEVER)

    def catch_up(self, arrivals: Iterable[Arrival]) -> None:
        """Count packets of before the start; what they prove is told with the next ones."""
        self._tells = False
        try:
            for arrival in arrivals:
                subject = DeviceId.parse(arrival.block.stamp.subject)
                evidence_ns = arrival.monotonic_ns - max(arrival.age_ns, 0)
                at = Position(arrival.block.journal_id, arrival.block.seq, evidence_ns)
                take = self.samples if arrival.layout.stream == "probe-samples" else self.burst
                take(arrival, subject, at)
        finally:
            self._tells = True

    def samples(self, arrival: Arrival, subject: DeviceId, at: Position) -> None:
        """A window of all of a school's targets: rows ``target/k``."""
        if not self._newer(subject.school, "samples", at):
            return
        cut = self._cut(subject.school, arrival.layout)
        if not cut:
            return
        columns = _columns(arrival)
        longest = max(len(rows) for _, _, rows in cut)
        outcome = np.zeros((len(cut), longest), np.uint8)
        delay = np.full((len(cut), longest), np.nan)
        for line, (dscp, _, rows) in enumerate(cut):
            packets = _packets(columns, np.array(rows), dscp)
            outcome[line, : len(rows)], delay[line, : len(rows)] = packets
        lines = [line for line, (_, paths, _) in enumerate(cut) for _ in paths]
        paths = np.array([path for _, of_target, _ in cut for path in of_target], np.int64)
        self._take(paths, Packets(outcome[lines], delay[lines]), at)

    def burst(self, arrival: Arrival, subject: DeviceId, at: Position) -> None:
        """A part of a burst at one target, which a text column names: rows ``k``."""
        if not self._newer(subject.school, "burst", at):
            return
        rows = rows_of(arrival)
        target = next((row["probe_target"] for row in rows if row.get("probe_target")), "")
        paths = self._of.get((subject.school, target), [])
        if not paths:
            return
        columns = {
            name: (
                np.array([row.get(name) or 0 for row in rows], np.int64),
                np.array([row.get(name) is not None for row in rows], np.bool_),
            )
            for name in _COLUMNS
        }
        dscp = self._dscp[subject.school, target]
        outcome, delay = _packets(columns, np.arange(len(rows)), dscp)
        alike = Packets(np.tile(outcome, (len(paths), 1)), np.tile(delay, (len(paths), 1)))
        self._take(np.array(paths, np.int64), alike, at)

    def _take(self, paths: I64, packets: Packets, at: Position) -> None:
        asked = (packets.outcome != _UNSET).any(axis=1)
        paths = paths[asked]
        if not len(paths):
            return
        part = Packets(packets.outcome[asked], packets.delay_ms[asked])
        self._paths.add(paths, part, at.evidence_ns)
        if not self._tells:
            return
        self._paths.tell(paths, self._links[paths], self._measures, at.evidence_ns)
        self._marks.dirty = True

    def dns(self, arrival: Arrival, subject: DeviceId, at: Position) -> None:
        """Rows ``name@resolver``: good while every name is answered by a resolver."""
        school = self._numbering.school_number.get(subject.school)
        if school is None or not self._newer(subject.school, "dns", at):
            return
        names: dict[str, list[int | None]] = {}
        for key, row in zip(arrival.layout.rows, rows_of(arrival), strict=True):
            names.setdefault(key.rpartition("@")[0], []).append(row.get("dns_outcome"))
        verdicts = [_name_verdict(outcomes) for outcomes in names.values()]
        if Verdict.BAD in verdicts:
            verdict = Verdict.BAD
        else:
            known = verdicts and Verdict.UNKNOWN not in verdicts
            verdict = Verdict.GOOD if known else Verdict.UNKNOWN
        span = self._numbering.span_of(range(school, school + 1)).links
        self._measures.dns[span.start : span.stop] = verdict
        self._measures.dns_ns[span.start : span.stop] = at.evidence_ns
        self._marks.dirty = True

    def _newer(self, school: str, stream: str, at: Position) -> bool:
        known = self._positions.get((school, stream), START)
        if known.same(at) or not known.before(at):
            return False
        self._positions[school, stream] = at
        return True

    def _cut(self, school: str, layout: Layout) -> list[tuple[int, list[int], list[int]]]:
        """Of each witnessing target: its DSCP, its paths, its rows in the order of sending."""
        key = school, layout.id
        if key not in self._cuts:
            rows: dict[str, list[tuple[int, int]]] = {}
            for row, name in enumerate(layout.rows):
                target, _, number = name.rpartition("/")
                if number.isdigit():
                    rows.setdefault(target, []).append((int(number), row))
            if len(self._cuts) > len(self._numbering.schools) * 4:
                self._cuts.clear()
            self._cuts[key] = [
                (self._dscp[school, target], self._of[school, target], [r for _, r in sorted(own)])
                for target, own in rows.items()
                if (school, target) in self._of
            ]
        return self._cuts[key]


Columns = dict[str, tuple[npt.NDArray[np.int64], Flags]]
"""Values by column, and which of them came."""


def _columns(arrival: Arrival) -> Columns:
    found: Columns = {}
    block, cut = arrival.block, Cut(arrival.layout, _COLUMNS)
    blank = np.zeros(block.rows, np.int64), np.zeros(block.rows, np.bool_)
    for name in _COLUMNS:
        if cut.has(name):
            found[name] = cut.values(block, name).astype(np.int64), cut.known(block, name)
    return {name: found.get(name, blank) for name in _COLUMNS}


def _packets(columns: Columns, rows: I64, dscp: int) -> tuple[npt.NDArray[np.uint8], F64]:
    """Outcome and delay (ms) of the packets of one path; those of another DSCP are left out."""
    outcome, told = columns["probe_outcome"]
    sent_as, marked = columns["probe_dscp_sent"]
    own = told[rows] & (~marked[rows] | (sent_as[rows] == dscp))
    away, back = columns["probe_away_ns"]
    held, reflected = columns["probe_held_ns"]
    # A reflector that held a packet longer than it was away has a clock that stepped.
    sound = back[rows] & reflected[rows] & (held[rows] <= away[rows])
    delay = np.where(sound, (away[rows] - held[rows]) / 1e6, np.nan)
    return np.where(own, outcome[rows], _UNSET).astype(np.uint8), delay


def _name_verdict(outcomes: list[int | None]) -> Verdict:
    if DnsOutcome.ANSWERED in outcomes:
        return Verdict.GOOD
    return Verdict.UNKNOWN if None in outcomes else Verdict.BAD
