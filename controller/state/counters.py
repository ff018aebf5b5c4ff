"""Counters of links, from blocks to rates, ratios and means; see docs/arithmetic.md.

A block is only read when it comes; what it means is worked out for all that came since, in one go
(:meth:`Counters.settle`), so that a city's sweep is a few large array operations.

Two samples of each link are kept, the newest of all that came, in whatever order: the figures of
the newest interval are a function of the *set* of blocks. An interval is added to the windows
when the next sample comes, so one that arrives between the two newest still parts their interval
in two; what arrives later than that changes no live figure, only what is recomputed from the
store.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from controller.arrays import F64, I64, U64, Flags
from controller.sla import counter_columns as arithmetic
from controller.sla.utilisation import Busy
from controller.sla.verdict import settled_duplex
from controller.state.columns import NEVER, Links, Ports
from controller.state.measures import Measures
from controller.state.position import START, Position
from controller.state.samples import COUNTERS, WIDTH, CounterCut, Sample, no_samples
from controller.state.windows import KINDS, Frames, FrameWindow, MeanWindow, known_frames
from controller.store.protocols import NS, Arrival

STAGED: Final = 16_384
"""Links whose samples wait to be worked out together."""
ROUNDS: Final = 8
"""So many samples of one link may wait, as when an agent sends what it kept."""
_AT: Final = {name: number for number, name in enumerate(COUNTERS)}
_OCTETS: Final = 2
"""The first so many counters count octets, all others frames."""


@dataclass(frozen=True, slots=True)
class Interval:
    """What lies between two samples of n links. NaN, and 0 of 0 frames, are unknown."""

    elapsed_ns: I64
    utilisation_in: F64
    utilisation_out: F64
    utilisation: F64
    frames: Frames
    """In :data:`controller.state.windows.KINDS` rows."""
    start_wall_ns: I64
    end_wall_ns: I64

    def part(self, at: Flags | I64) -> "Interval":
        """The links at ``at``."""
        frames = self.frames
        return Interval(
            self.elapsed_ns[at],
            self.utilisation_in[at],
            self.utilisation_out[at],
            self.utilisation[at],
            Frames(frames.part[:, at], frames.total[:, at], frames.start_ns[at]),
            self.start_wall_ns[at],
            self.end_wall_ns[at],
        )


class _Round:
    """At most one sample of each link, one block after the other."""

    def __init__(self, room: int) -> None:
        self._sample = no_samples(room)
        self._links: I64 = np.zeros(room, np.int64)
        self._groups: I64 = np.zeros(room, np.int64)
        self.used = 0

    def has_room(self, count: int) -> bool:
        """Whether ``count`` more links fit."""
        return self.used + count <= len(self._links)

    def take(self, switch: int, cut: CounterCut, arrival: Arrival, at: Position) -> None:
        """Read a block's counters."""
        where = slice(self.used, self.used + len(cut.links))
        cut.read(self._sample, where, arrival, at)
        self._links[where] = cut.links
        self._groups[where] = switch
        self.used = where.stop

    def give(self) -> tuple[I64, I64, Sample]:
        """Links, agents and samples; valid until the next :meth:`take`."""
        used = slice(0, self.used)
        self.used = 0
        return self._links[used], self._groups[used], self._sample.part(used)


class Counters:
    """Fills the counters' columns of :class:`Measures`. Nothing here blocks."""

    def __init__(self, links: Links, ports: Ports, measures: Measures) -> None:
        count = len(links.port)
        self._links = links
        self._ports = ports
        self._measures = measures
        self._before = no_samples(count)
        self._now = no_samples(count)
        self._pending = _nothing(count)
        """Of the newest interval, until the next sample comes."""
        self._frames = FrameWindow(count)
        self._means = MeanWindow(count)
        self._positions: dict[int, tuple[Position, Position]] = {}
        """Of each switch: its newest sample and the one before."""
        self._rounds: list[_Round] = []
        """Samples that wait: the first of each link, then the second, and so on."""
        self._waiting: dict[int, int] = {}
        """Of each switch, how many samples of its links wait."""

    def take(self, switch: int, cut: CounterCut, arrival: Arrival, at: Position) -> None:
        """Take a block's counters in, in whatever order blocks come; the same again is nothing."""
        count = len(cut.links)
        if not count:
            return
        newest, before = self._positions.get(switch, (START, START))
        if at.same(newest) or at.same(before):
            return
        if not newest.before(at):
            if before.before(at):
                self._take_late(switch, cut, arrival, at)
                self._positions[switch] = newest, at
            return
        number = self._waiting.get(switch, 0)
        if number == ROUNDS or (
            number < len(self._rounds) and not self._rounds[number].has_room(count)
        ):
            self.settle()
            number = 0
        if number == len(self._rounds):
            self._rounds.append(_Round(max(count, min(STAGED, len(self._links.port)))))
        elif not self._rounds[number].has_room(count):
            self._rounds[number] = _Round(count)
        self._rounds[number].take(switch, cut, arrival, at)
        self._waiting[switch] = number + 1
        self._positions[switch] = at, newest

    def forget(self, links: Sequence[int]) -> None:
        """Another port carries ``links`` now: its counters are no continuation of the old ones."""
        if not links:
            return
        self.settle()
        at = np.array(links, np.int64)
        self._before.clear(at)
        self._now.clear(at)
        self._frames.forget(at)
        self._means.forget(at)
        self._put_pending(at, _nothing(len(at)))
        _forget(self._measures, at)

    def settle(self) -> None:
        """Work out what has come; called before anything is judged."""
        if not self._waiting:
            return
        self._waiting.clear()
        for waiting in self._rounds:
            if waiting.used:
                self._shift(*waiting.give())
        del self._rounds[2:]  # room for what an agent had kept is given back

    def _take_late(self, switch: int, cut: CounterCut, arrival: Arrival, at: Position) -> None:
        """A sample from between the two newest: their interval becomes two."""
        self.settle()
        late = no_samples(len(cut.links))
        cut.read(late, slice(None), arrival, at)
        links = cut.links
        newer = _later(late, self._now.part(links))
        # A port that was missing from the newest block: for its link this one is the newest.
        group = np.full(len(links), switch)
        self._shift(links[newer], group[newer], late.part(np.flatnonzero(newer)))
        split = np.flatnonzero(~newer & _later(late, self._before.part(links)))
        self._split(links[split], group[split], late.part(split))

    def _shift(self, at: I64, groups: I64, sample: Sample) -> None:
        """``sample`` is the newest one of the links."""
        if len(at):
            last = self._now.part(at)
            self._conclude(at, self._pending.part(at))
            interval = self._between(at, groups, last, sample)
            self._before.put(at, last)
            self._now.put(at, sample)
            self._publish(at, interval, sample.evidence_ns)

    def _split(self, at: I64, groups: I64, sample: Sample) -> None:
        """``sample`` parts the newest interval of the links."""
        if len(at):
            now = self._now.part(at)
            self._conclude(at, self._between(at, groups, self._before.part(at), sample))
            self._before.put(at, sample)
            self._publish(at, self._between(at, groups, sample, now), now.evidence_ns)

    def _between(self, at: I64, groups: I64, first: Sample, second: Sample) -> Interval:
        """``groups``: which agent each link's samples are of."""
        comparable = (first.ns != NEVER) & (first.boot == second.boot)
        known = first.known & second.known & comparable
        restarted = self._restarted(groups, first, second, known)
        elapsed_ns, no_time = arithmetic.elapsed(
            first.ns, second.ns, first.ticks, second.ticks, restarted
        )
        known &= no_time == 0
        elapsed_ns = np.where(comparable, elapsed_ns, 0)
        port = self._links.port_of_counters[at]
        speed = self._ports.speed_mbps[port].astype(np.int64)
        narrow = second.narrow_rows()
        wraps = np.empty((WIDTH, len(at)), np.int64)
        wraps[:_OCTETS] = arithmetic.octet_wrap_ns(speed)
        wraps[_OCTETS:] = arithmetic.frame_wrap_ns(speed)
        delta, gap = arithmetic.difference(
            first.values,
            second.values,
            known=known,
            narrow=narrow,
            same_width=first.narrow_rows() == narrow,
            same_life=np.broadcast_to(
                first.discontinuity == second.discontinuity, first.values.shape
            ),
            elapsed_ns=elapsed_ns,
            wrap_ns=wraps,
        )
        fine = gap == 0
        octets, duplex_known = arithmetic.both_ways(
            delta[0], delta[1], settled_duplex(self._ports.duplex[port], speed)
        )
        rate = {"elapsed_ns": elapsed_ns, "speed_mbps": speed}
        return Interval(
            elapsed_ns=elapsed_ns,
            utilisation_in=arithmetic.utilisation(delta[0], fine[0], **rate),
            utilisation_out=arithmetic.utilisation(delta[1], fine[1], **rate),
            utilisation=arithmetic.utilisation(octets, duplex_known & fine[0] & fine[1], **rate),
            frames=_frames(delta, fine, first.evidence_ns),
            start_wall_ns=first.wall_ns,
            end_wall_ns=second.wall_ns,
        )

    @staticmethod
    def _restarted(groups: I64, first: Sample, second: Sample, known: Flags) -> Flags:
        """Links of agents all of whose counters began anew; asked only where sysUpTime fell."""
        restarted = np.zeros(len(groups), np.bool_)
        fell = (second.ticks < first.ticks) & known.any(axis=0)
        for group in np.unique(groups[fell]).tolist():
            own = groups == group
            restarted[own] = arithmetic.every_counter_restarted(
                first.values[:, own].reshape(-1, 1),
                second.values[:, own].reshape(-1, 1),
                known[:, own].reshape(-1, 1),
            )
        return restarted

    def _conclude(self, at: I64, interval: Interval) -> None:
        """An interval is over and goes into the windows."""
        self._frames.add(at, interval.frames)
        start_ns, end_ns = interval.start_wall_ns.copy(), interval.end_wall_ns
        self._means.add(at, start_ns, end_ns, interval.utilisation)

    def _publish(self, at: I64, interval: Interval, now_ns: I64) -> None:
        """The newest interval of each link, and what it completes."""
        self._put_pending(at, interval)
        measures = self._measures
        measures.counters_ns[at] = now_ns
        timed = interval.elapsed_ns > 0
        measures.interval_seconds[at] = np.where(timed, interval.elapsed_ns / NS, np.nan)
        measures.utilisation_in_ratio[at] = interval.utilisation_in
        measures.utilisation_out_ratio[at] = interval.utilisation_out
        measures.utilisation_ratio[at] = interval.utilisation
        measures.mean_ratio[at] = self._means.newest[at]
        measures.p95_ratio[at] = self._means.p95[at]
        age_ns = self._now.wall_ns[at] - self._means.ended_ns(at)
        measures.mean_ns[at] = np.where(np.isnan(self._means.newest[at]), NEVER, now_ns - age_ns)
        window = self._frames.reach(at, interval.frames, now_ns)
        # A discard may be counted in one interval and its frame in the one before.
        part = np.minimum(window.part, window.total)
        ratio = arithmetic.share(part, window.total, window.total > 0)
        measures.error_ratio[at] = np.fmax(ratio[0], ratio[1])
        measures.discard_ratio[at] = np.fmax(ratio[2], ratio[3])
        seconds = (now_ns - window.start_ns) / NS
        measures.error_window_seconds[at] = np.where(
            np.isnan(measures.error_ratio[at]), np.nan, seconds
        )

    def _put_pending(self, at: I64, interval: Interval) -> None:
        kept = self._pending
        kept.elapsed_ns[at] = interval.elapsed_ns
        kept.utilisation[at] = interval.utilisation
        kept.frames.part[:, at] = interval.frames.part
        kept.frames.total[:, at] = interval.frames.total
        kept.frames.start_ns[at] = interval.frames.start_ns
        kept.start_wall_ns[at] = interval.start_wall_ns
        kept.end_wall_ns[at] = interval.end_wall_ns

    def busy(self, link: int, now_ns: int) -> Busy:
        """P95 of the five-minute means of the last eight hours; ``now_ns`` is UTC."""
        return self._means.busy(link, now_ns)

    def means(self, link: int, now_ns: int) -> list[float | None]:
        """Those means, oldest first; None is missing."""
        return self._means.means(link, now_ns)


def _later(first: Sample, second: Sample) -> Flags:
    """Whether ``first`` was read after ``second``: by the agent's clock within one life of it."""
    alike = first.boot == second.boot
    later: Flags = np.where(alike, first.ns > second.ns, first.evidence_ns > second.evidence_ns)
    return later


def _frames(delta: U64, fine: Flags, start_ns: I64) -> Frames:
    """Errors in and out, discards in and out.

    Discarded frames are counted among those sent, and not among those received
    (:func:`controller.sla.errors.congestion_ratio`).
    """
    part = np.empty((KINDS, delta.shape[1]), np.uint64)
    total = np.empty_like(part)
    known = np.empty(part.shape, np.bool_)
    for row, way in enumerate(("in", "out")):
        sorts = [_AT[f"{way}_{sort}"] for sort in ("unicast", "multicast", "broadcast")]
        whole = delta[sorts[0]] + delta[sorts[1]] + delta[sorts[2]]
        counted = fine[sorts].all(axis=0)
        errors, discards = _AT[f"{way}_errors"], _AT[f"{way}_discards"]
        part[row], total[row] = delta[errors], whole + delta[errors]
        known[row] = counted & fine[errors]
        offered = whole if way == "out" else whole + delta[discards]
        part[row + 2], total[row + 2] = delta[discards], offered
        known[row + 2] = counted & fine[discards]
    return known_frames(part, total, known, start_ns)


def _nothing(count: int) -> Interval:
    def unknown() -> F64:
        return np.full(count, np.nan)

    def none() -> I64:
        return np.zeros(count, np.int64)

    frames = Frames(
        np.zeros((KINDS, count), np.uint64), np.zeros((KINDS, count), np.uint64), none()
    )
    return Interval(none(), unknown(), unknown(), unknown(), frames, none(), none())


def _forget(measures: Measures, at: I64) -> None:
    measures.counters_ns[at] = NEVER
    measures.mean_ns[at] = NEVER
    for column in (
        measures.interval_seconds,
        measures.utilisation_in_ratio,
        measures.utilisation_out_ratio,
        measures.utilisation_ratio,
        measures.mean_ratio,
        measures.p95_ratio,
        measures.error_ratio,
        measures.error_window_seconds,
        measures.discard_ratio,
    ):
        column[at] = np.nan
