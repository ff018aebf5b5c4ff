"""From counter blocks to 5-minute means of the links of one switch. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from controller.evidence.runs import LateError, PortState
from controller.sla.counters import (
    CLOCK_TOLERANCE,
    NARROW,
    WIDE,
    Gap,
    Moment,
    Reading,
    difference,
    elapsed_ns,
    octet_wrap_ns,
)
from controller.sla.utilisation import MEAN_NS, Share, five_minute_means, utilisation
from tenone.blocks.block import Block
from tenone.blocks.layout import Layout
from tenone.calendar.intervals import SECOND_NS
from tenone.vocabulary.metrics import PORT_COUNTERS
from tenone.vocabulary.states import Duplex

COUNTER_STREAM: Final = "port-counters"
GIGABIT_MBPS: Final = 1000
LONGEST_NS: Final = 2 * MEAN_NS
"""Two polls further apart make no mean: what happened between them is not known well enough."""


@dataclass(frozen=True, slots=True)
class Mean:
    """One link's five minutes. ``ratio`` None: too little of it was measured."""

    ratio: float | None
    in_octets: int
    out_octets: int
    """Of the polls that ended in it."""


@dataclass(slots=True)
class _Polled:
    block: Block
    readings: dict[str, tuple[Reading, Reading]]


class SwitchTraffic:
    """The means of all links that are bound to one switch, from its blocks in order of time.

    ``state_of``: what the newest state sample says of a link; its speed and duplex are used.
    """

    def __init__(
        self, ports: Mapping[str, str], state_of: Callable[[str], PortState | None]
    ) -> None:
        self._ports = dict(ports)
        self.state_of = state_of
        self._before: _Polled | None = None
        self._from_ns = 0
        """Buckets that begin earlier were not seen whole."""
        self._shares: dict[str, list[Share]] = {}
        self._octets: dict[tuple[int, str], tuple[int, int]] = {}
        self._told = 0

    @property
    def newest_ns(self) -> int:
        """The wall clock of the newest poll; 0 before the first."""
        return 0 if self._before is None else self._before.block.stamp.wall_ns

    def add(self, block: Block, layout: Layout) -> None:
        """Take a counter block; raises :class:`LateError`."""
        before = self._before
        if before is not None and block.stamp.wall_ns == before.block.stamp.wall_ns:
            return  # a poll that was told twice
        if before is not None and block.stamp.wall_ns < before.block.stamp.wall_ns:
            raise LateError(f"{block.stamp.wall_ns} is not after {before.block.stamp.wall_ns}")
        now = _Polled(block, _readings(block, layout, self._ports))
        if before is None:
            self._from_ns = self._told = block.stamp.wall_ns
        else:
            self._measure(before, now)
        self._before = now

    def _measure(self, before: _Polled, now: _Polled) -> None:
        passed = _elapsed(before.block, now.block)
        if passed is None:
            return
        start_ns, end_ns = before.block.stamp.wall_ns, now.block.stamp.wall_ns
        bucket = end_ns // MEAN_NS
        for link in self._ports:
            state = self.state_of(link)
            if state is None or not state.speed_mbps:
                continue
            octets = [
                None if isinstance(moved, Gap) else moved
                for old, new in zip(
                    before.readings.get(link, ()), now.readings.get(link, ()), strict=False
                )
                for moved in [_moved(old, new, passed, state.speed_mbps)]
            ]
            if len(octets) != len(("in", "out")):
                continue
            ratio = utilisation(
                octets[0],
                octets[1],
                elapsed_ns=passed,
                speed_mbps=state.speed_mbps,
                duplex=duplex_of(state),
            )
            if ratio is None:
                continue
            self._shares.setdefault(link, []).append(Share(start_ns, end_ns, ratio))
            known = self._octets.get((bucket, link), (0, 0))
            self._octets[bucket, link] = known[0] + (octets[0] or 0), known[1] + (octets[1] or 0)

    def take(self, *, everything: bool = False) -> dict[int, dict[str, Mean]]:
        """The buckets that are over and not yet told, by epoch second: every link is in each.

        A bucket is over once a poll after it has come. ``everything``: those begun as well.
        """
        first = -(-max(self._from_ns, self._told) // MEAN_NS)
        last = self.newest_ns // MEAN_NS + (1 if everything else 0)
        found: dict[int, dict[str, Mean]] = {}
        for bucket in range(first, last):
            start_ns = bucket * MEAN_NS
            means = {}
            for link in self._ports:
                shares = [s for s in self._shares.get(link, ()) if s.end_ns > start_ns]
                (ratio,) = five_minute_means(shares, start_ns=start_ns, end_ns=start_ns + MEAN_NS)
                means[link] = Mean(ratio, *self._octets.get((bucket, link), (0, 0)))
            found[start_ns // SECOND_NS] = means
        if last > first:
            self._told = last * MEAN_NS
            self._forget(self._told)
        return found

    def _forget(self, before_ns: int) -> None:
        for link, shares in self._shares.items():
            self._shares[link] = [share for share in shares if share.end_ns > before_ns]
        self._octets = {
            key: value for key, value in self._octets.items() if key[0] * MEAN_NS >= before_ns
        }


def duplex_of(state: PortState) -> Duplex | None:
    """As :mod:`controller.sla.verdict` reads it: unsaid is full where no half duplex exists."""
    if state.duplex == Duplex.HALF:
        return Duplex.HALF if state.speed_mbps < GIGABIT_MBPS else None
    by_standard = state.speed_mbps > GIGABIT_MBPS or (
        state.speed_mbps == GIGABIT_MBPS and state.duplex == 0
    )
    return Duplex.FULL if state.duplex == Duplex.FULL or by_standard else None


def _elapsed(before: Block, now: Block) -> int | None:
    """The switch's own time between two polls, where all clocks agree on it."""
    one, two = before.stamp, now.stamp
    wall = two.wall_ns - one.wall_ns
    if one.boot_id != two.boot_id or None in {one.uptime_ticks, two.uptime_ticks}:
        return None
    if not 0 < wall <= LONGEST_NS:
        return None
    passed = elapsed_ns(
        Moment(monotonic_ns=one.monotonic_ns, uptime_ticks=one.uptime_ticks or 0),
        Moment(monotonic_ns=two.monotonic_ns, uptime_ticks=two.uptime_ticks or 0),
    )
    if isinstance(passed, Gap) or abs(passed - wall) > CLOCK_TOLERANCE * wall:
        return None
    return passed


def _moved(old: Reading, new: Reading, passed: int, speed_mbps: int) -> int | Gap:
    wrap_ns = octet_wrap_ns(new.bits, speed_mbps)
    return difference(old, new, elapsed_ns=passed, wrap_ns=wrap_ns)


def _readings(
    block: Block, layout: Layout, ports: Mapping[str, str]
) -> dict[str, tuple[Reading, Reading]]:
    columns = {
        column.metric.name: list(column)
        for column in block.columns(layout)
        if column.metric.name
        in {"in_octets", "out_octets", "discontinuity_ticks", "narrow_counters"}
    }
    nothing = [None] * block.rows
    rows = {key: row for row, key in enumerate(layout.rows)}
    found: dict[str, tuple[Reading, Reading]] = {}
    for link, port in ports.items():
        row = rows.get(port)
        if row is None:
            continue
        narrow = int(columns.get("narrow_counters", nothing)[row] or 0)
        reset = columns.get("discontinuity_ticks", nothing)[row]
        one, two = (
            _reading(
                columns.get(name, nothing)[row], narrow >> PORT_COUNTERS.index(name) & 1, reset
            )
            for name in ("in_octets", "out_octets")
        )
        found[link] = (one, two)
    return found


def _reading(value: object, narrow: int, reset: object) -> Reading:
    bits = NARROW if narrow else WIDE
    known = value if isinstance(value, int) and value < 1 << bits else None
    ticks = reset if isinstance(reset, int) else None
    return Reading(value=known, bits=bits, discontinuity_ticks=ticks)
