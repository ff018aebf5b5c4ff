"""From blocks to runs: stretches in which a link's port said one thing. Pure.

Times are the sealed ones, the agent's own wall clock in each block, so that anybody who holds the
blocks comes to the same runs (docs/decisions, "Reports are judged by sealed time"). A sample speaks
until the next one, but no longer than evidence holds; runs are cut at local midnight, so that a day
can be judged anew by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from tenone.blocks.block import Block
from tenone.blocks.layout import Layout
from tenone.calendar.zone import CITY_ZONE, day_span, local_date

STATE_STREAM: Final = "port-state"
STATUS_STREAM: Final = "switch-status"
MAX_SEQ: Final = 2**63
READ: Final = ("admin", "oper", "speed_mbps", "duplex")


class PortState(NamedTuple):
    """What one sample says of a port: MIB codes, 0 where nothing was said.

    ``seen``: 1 the port was among those its switch showed, 0 it was not, -1 the switch was silent.
    """

    seen: int
    admin: int = 0
    oper: int = 0
    speed_mbps: int = 0
    duplex: int = 0


SILENT: Final = PortState(-1)
MISSING: Final = PortState(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Samples of one link that say the same, none further from the next than evidence holds."""

    link: str
    start_ns: int
    last_ns: int
    state: PortState
    samples: int
    first_hash: bytes
    last_hash: bytes
    """Of the blocks of the first and the last sample."""


class LateError(Exception):
    """A block that is older than the newest one taken: its day has to be made anew."""


class Days:
    """Local dates of moments, the latest one remembered: most blocks are of today."""

    def __init__(self, zone: ZoneInfo | None = None) -> None:
        self.zone = zone or ZoneInfo(CITY_ZONE)
        self._span = (0, 0)
        self._day = date.min

    def of(self, moment_ns: int) -> date:
        """The local date at ``moment_ns``."""
        if not self._span[0] <= moment_ns < self._span[1]:
            self._day = local_date(moment_ns, self.zone)
            self._span = day_span(self._day, self.zone)
        return self._day


class SwitchRuns:
    """The runs of all links that are bound to one switch, from its blocks in order of time."""

    def __init__(self, ports: Mapping[str, str], *, hold_ns: int, days: Days) -> None:
        """``ports``: link id -> what the binding calls its port, resolved to the port's key."""
        self.ports = dict(ports)
        self._hold_ns = hold_ns
        self._days = days
        self._at = (0, 0)
        self._hash = b""
        self._samples = 0
        """Samples taken since the start."""
        self._counted: dict[str, int] = {}
        """Of each link, how many of them are in its open run, or in those before it."""
        self._body: tuple[bytes, bytes] | None = None
        self._open: dict[str, Run] = {}
        self._changed: dict[tuple[str, int], Run] = {}

    @property
    def newest_ns(self) -> int:
        """The wall clock of the newest sample; 0 before the first."""
        return self._at[0]

    def state_of(self, link: str) -> PortState | None:
        """What the newest sample says of a link."""
        run = self._open.get(link)
        return None if run is None else run.state

    def restore(self, runs: Sequence[Run]) -> None:
        """Go on from runs that were kept: the newest of each link."""
        for run in runs:
            known = self._open.get(run.link)
            if known is None or known.start_ns < run.start_ns:
                self._open[run.link] = run
            if run.last_ns > self._at[0]:
                self._at, self._hash = (run.last_ns, MAX_SEQ), run.last_hash

    def add(self, block: Block, layout: Layout) -> None:
        """Take a block of the two streams; raises :class:`LateError`."""
        if layout.stream == STATUS_STREAM and not _silent(block, layout):
            return
        at = (block.stamp.wall_ns, block.seq)
        if at <= self._at:
            raise LateError(f"{at} is not after {self._at}")
        before_ns = self._at[0]
        breaks = at[0] - before_ns > self._hold_ns or self._days.of(at[0]) != self._days.of(
            before_ns
        )
        body = (layout.id, block.data[block.header_bytes :])
        if breaks or body != self._body or len(self._open) != len(self.ports):
            for link, state in self._states(block, layout).items():
                run = self._open.get(link)
                went_on = self._samples > self._counted.get(link, 0) or (
                    run is not None and run.last_ns == before_ns
                )
                if not breaks and run is not None and run.state == state and went_on:
                    continue
                self._settle(link)
                self._counted[link] = self._samples
                self._open[link] = Run(
                    link=link,
                    start_ns=at[0],
                    last_ns=at[0],
                    state=state,
                    samples=0,
                    first_hash=block.hash,
                    last_hash=block.hash,
                )
        self._body, self._at, self._hash = body, at, block.hash
        self._samples += 1

    def take(self) -> list[Run]:
        """Runs that are new or longer since the last call; link and start name a run."""
        for link in self._open:
            self._settle(link)
        taken, self._changed = list(self._changed.values()), {}
        return taken

    def _settle(self, link: str) -> None:
        """Write what came since the link's last change into its open run."""
        run = self._open.get(link)
        more = self._samples - self._counted.get(link, 0)
        if run is None or not more:
            return
        longer = replace(run, last_ns=self._at[0], last_hash=self._hash, samples=run.samples + more)
        self._open[link] = self._changed[link, run.start_ns] = longer
        self._counted[link] = self._samples

    def _states(self, block: Block, layout: Layout) -> Mapping[str, PortState]:
        if layout.stream == STATUS_STREAM:
            return dict.fromkeys(self.ports, SILENT)
        return port_states(block, layout, self.ports)


def _silent(block: Block, layout: Layout) -> bool:
    """Whether a status block says that the switch did not answer."""
    return any(
        column.metric.name == "reachable" and list(column)[:1] == [0]
        for column in block.columns(layout)
    )


def port_states(block: Block, layout: Layout, ports: Mapping[str, str]) -> dict[str, PortState]:
    """What a port-state block says of each link's port."""
    columns = {
        column.metric.name: list(column)
        for column in block.columns(layout)
        if column.metric.name in READ
    }
    nothing = [None] * block.rows
    rows = {key: row for row, key in enumerate(layout.rows)}
    states: dict[str, PortState] = {}
    for link, port in ports.items():
        row = rows.get(port)
        if row is None:
            states[link] = MISSING
            continue
        values = (columns.get(name, nothing)[row] for name in READ)
        states[link] = PortState(1, *(int(value) if value else 0 for value in values))
    return states
