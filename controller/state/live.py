"""Applies blocks to the columns and judges them. No I/O; time comes in as an argument."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from controller.sla.verdict import Evidence, judge
from controller.state.columns import (
    NEVER,
    NO_PORT,
    UNSAID,
    Agents,
    Boards,
    Links,
    Ports,
    Switches,
)
from controller.state.history import SHOWN, History
from controller.state.numbering import SHARED, Numbering
from controller.state.resolve import names_of, resolve
from controller.store.protocols import NS, Arrival, LinkChange
from controller.store.records import PortFacts
from tenone.blocks.block import Block
from tenone.blocks.layout import Layout
from tenone.vocabulary.metrics import PORT_INVENTORY, PORT_STATE
from tenone.vocabulary.scope import DeviceId, DeviceKind, IdentifierError
from tenone.vocabulary.states import Verdict

MAX_ROUTES = 200_000
"""Cached (subject, layout) pairs; a city of 10,800 switches has about 40,000."""
MAX_PORTS = 65_536
"""Ports of a switch that are remembered, shown or not; the largest real box shows 3,271."""
GRACE_NS = 60 * NS
"""After a start, silence is not yet news: agents first have to come back."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a block stands in time: by its chain where that can tell, else by its age."""

    journal_id: bytes
    seq: int
    evidence_ns: int

    def before(self, other: "Position") -> bool:
        """Whether ``other`` is newer than this, or the same."""
        if self.journal_id == other.journal_id:
            return self.seq <= other.seq
        return self.evidence_ns <= other.evidence_ns


START = Position(b"", 0, NEVER)


@dataclass(slots=True)
class _Switch:
    """What a switch needs besides its columns."""

    keys: dict[str, int] = field(default_factory=dict)
    """Port key -> number, of every port ever shown and not forgotten."""
    free: list[int] = field(default_factory=list)
    """Numbers of forgotten ports, for new ones."""
    shown: dict[str, int] = field(default_factory=dict)
    """The same, of the ports of the newest layout."""
    names: dict[str, str] = field(default_factory=dict)
    layout_id: bytes = b""
    state: Position = START
    status: Position = START
    inventory: Position = START
    block: Block | None = None
    """The newest port-state block: the evidence its links' changes name."""
    links: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where the columns of a port-state block of one layout lie, from the end of its header."""

    numbers: npt.NDArray[np.int64]
    columns: tuple[tuple[str, str, int], ...]
    """Column, NumPy type, offset."""


class LiveState:
    """The columns of a city. One owner; nothing here blocks."""

    def __init__(self, numbering: Numbering, *, now_ns: int) -> None:
        """``now_ns``: monotonic, the moment the controller started."""
        n = numbering
        self.numbering = n
        self.ports = Ports()
        self.links = Links(len(n.links))
        self.switches = Switches(len(n.switches))
        self.agents = Agents(len(n.schools))
        self.boards = Boards(len(n.boards))
        self.newest_ns = NEVER
        """When the newest report from anywhere was read."""
        self.unplanned_total = 0
        """Blocks about switches or boards that the configuration does not know."""
        self.dirty = True
        self.touched_switches: set[int] = set()
        self.touched_boards: set[int] = set()
        self.touched_agents: set[int] = set()
        self.inventories: list[tuple[str, str, list[PortFacts]]] = []
        """Inventories that came, for the records to keep; whoever keeps them clears the list."""
        self._started_ns = now_ns
        self._judged_ns = now_ns
        self._own = [_Switch() for _ in n.switches]
        self._cuts: dict[tuple[int, bytes], _Cut] = {}
        self._board_positions: dict[str, Position] = {}
        self._agent_positions: dict[str, Position] = {}
        self._history = History(n)
        self._handlers: dict[str, Callable[[Arrival, DeviceId, Position], None]] = {
            "port-state": self._port_state,
            "switch-status": self._switch_status,
            "port-inventory": self._port_inventory,
            "board-health": self._board_health,
            "agent-health": self._agent_health,
        }
        self._fill_links()

    def _fill_links(self) -> None:
        n, links = self.numbering, self.links
        for number, link in enumerate(n.links):
            links.contract_mbps[number] = link.contract_mbps
            links.shared[number] = link.tier in SHARED
            school = n.schools[n.link_school[number]]
            links.stale_after_seconds[number] = school.stale_after_seconds
            switch = n.link_switch[number]
            links.bound[number] = switch >= 0 and bool(link.port)
            if switch >= 0:
                self._own[switch].links.append(number)

    def restore(
        self,
        changes: Iterable[LinkChange],
        inventory: Iterable[tuple[tuple[str, str], Sequence[PortFacts]]] = (),
    ) -> None:
        """Take over what the records know from before the start."""
        self._history.restore(changes)
        for key, ports in inventory:
            switch = self.numbering.switch_number.get(key)
            if switch is not None:
                self._own[switch].names = names_of(ports)

    # -- agents

    def agent_born(self, school: str, version: str, *, now_ns: int) -> None:
        """NBIRTH: the agent is there."""
        number = self.numbering.school_number.get(school)
        if number is None:
            return
        self.agents.online[number] = True
        self.agents.heard_ns[number] = now_ns
        self.agents.version[number] = version or self.agents.version[number]
        self.touched_agents.add(number)
        self.dirty = True

    def agent_died(self, school: str) -> None:
        """NDEATH: everything it said is stale from now on."""
        number = self.numbering.school_number.get(school)
        if number is None:
            return
        self.agents.online[number] = False
        self.touched_agents.add(number)
        self.dirty = True

    def agent_heard(self, school: str, *, now_ns: int, offset_seconds: float) -> None:
        """Some message came from it; ``offset_seconds`` is our wall clock less its own."""
        number = self.numbering.school_number.get(school)
        if number is not None:
            self.agents.heard_ns[number] = now_ns
            self.agents.clock_offset_seconds[number] = offset_seconds

    # -- blocks

    def apply(self, arrival: Arrival) -> None:
        """Take a block in, unless something newer of the same kind is in already.

        Applying the same block again changes nothing.
        """
        handler = self._handlers.get(arrival.layout.stream)
        if handler is None:
            return
        try:
            subject = DeviceId.parse(arrival.block.stamp.subject)
        except IdentifierError:
            return  # kept and receipted; nothing here is about such a subject
        evidence_ns = arrival.monotonic_ns - max(arrival.age_ns, 0)
        self.newest_ns = max(self.newest_ns, evidence_ns)
        position = Position(arrival.block.journal_id, arrival.block.seq, evidence_ns)
        handler(arrival, subject, position)

    def _port_state(self, arrival: Arrival, subject: DeviceId, at: Position) -> None:
        switch = self._switch_of(subject)
        if switch is None or not self._own[switch].state.before(at):
            return
        own = self._own[switch]
        if len(own.keys) + arrival.block.rows > MAX_PORTS:
            self._forget_ports(switch, own, arrival.layout)
        cut = self._cut(switch, own, arrival.layout)
        own.state = at
        own.block = arrival.block
        if own.layout_id != arrival.layout.id:
            self._show(switch, own, arrival.layout, cut)
        ports, data, start = self.ports, arrival.block.data, arrival.block.header_bytes
        rows = arrival.block.rows
        for name, kind, offset in cut.columns:
            getattr(ports, name)[cut.numbers] = np.frombuffer(data, kind, rows, start + offset)
        ports.evidence_ns[cut.numbers] = at.evidence_ns
        if own.status.before(at):
            own.status = at
            self._reached(switch, reachable=1, error="")
        self.switches.heard_ns[switch] = at.evidence_ns
        self._uptime(switch, arrival, at)
        self.dirty = True

    def _cut(self, switch: int, own: _Switch, layout: Layout) -> _Cut:
        known = self._cuts.get((switch, layout.id))
        if known is not None:
            return known
        new = [key for key in layout.rows if key not in own.keys]
        first = self.ports.add(max(len(new) - len(own.free), 0))
        free = [*own.free, *range(first, self.ports.count)]
        own.keys.update(zip(new, free, strict=False))
        own.free = free[len(new) :]
        rows = len(layout.rows)
        offset = len(layout.columns) * ((rows + 7) // 8)
        columns = []
        for metric in layout.metrics:
            if metric.type.width == 0:
                break  # behind a text column nothing lies where it always lies
            if metric.name in PORT_STATE:
                columns.append((metric.name, f"<{_NUMPY[metric.type.code]}", offset))
            offset += metric.type.width * rows
        if len(self._cuts) >= MAX_ROUTES:
            self._cuts.clear()
        numbers = np.array([own.keys[key] for key in layout.rows], np.int64)
        cut = self._cuts[switch, layout.id] = _Cut(numbers, tuple(columns))
        return cut

    def _forget_ports(self, switch: int, own: _Switch, layout: Layout) -> None:
        """Ports under ever new names take the rows of old ones; what is shown now keeps its own."""
        staying = {*own.shown, *layout.rows}
        freed = [own.keys.pop(key) for key in list(own.keys) if key not in staying]
        self.ports.clear(freed)
        own.free += freed
        self._cuts = {key: cut for key, cut in self._cuts.items() if key[0] != switch}

    def _show(self, switch: int, own: _Switch, layout: Layout, cut: _Cut) -> None:
        """The switch shows another set of ports: what it no longer shows is missing."""
        self.ports.present[list(own.keys.values())] = False
        self.ports.present[cut.numbers] = True
        self.ports.seen[cut.numbers] = True
        for name in set(PORT_STATE) - {name for name, _, _ in cut.columns}:
            getattr(self.ports, name)[cut.numbers] = 0  # no longer said is unknown
        own.layout_id = layout.id
        own.shown = {key: own.keys[key] for key in layout.rows}
        self.switches.has_layout[switch] = True
        self._bind(own)

    def _bind(self, own: _Switch) -> None:
        for number in own.links:
            port = resolve(self.numbering.links[number].port or "", own.shown, own.names)
            self.links.port[number] = NO_PORT if port is None else port
        self.dirty = True

    def _switch_status(self, arrival: Arrival, subject: DeviceId, at: Position) -> None:
        switch = self._switch_of(subject)
        if switch is None or not self._own[switch].status.before(at):
            return
        self._own[switch].status = at
        values = _rows(arrival)[0] if arrival.block.rows else {}
        self.switches.heard_ns[switch] = at.evidence_ns
        self._reached(
            switch,
            reachable=_flag(values.get("reachable")),
            error=values.get("poll_error") or "",
        )
        self.switches.descr[switch] = values.get("sys_descr") or self.switches.descr[switch]
        self._uptime(switch, arrival, at, values.get("sys_uptime_ticks"))
        self.touched_switches.add(switch)
        self.dirty = True

    def _reached(self, switch: int, *, reachable: int, error: str) -> None:
        switches = self.switches
        if switches.reachable[switch] != reachable or switches.poll_error[switch] != error:
            switches.reachable[switch] = reachable
            switches.poll_error[switch] = error
            self.touched_switches.add(switch)

    def _uptime(self, switch: int, arrival: Arrival, at: Position, told: int | None = None) -> None:
        ticks = arrival.block.stamp.uptime_ticks if told is None else told
        if ticks is not None:
            self.switches.uptime_ticks[switch] = ticks
            self.switches.uptime_ns[switch] = at.evidence_ns

    def _port_inventory(self, arrival: Arrival, subject: DeviceId, at: Position) -> None:
        switch = self._switch_of(subject)
        if switch is None or not self._own[switch].inventory.before(at):
            return
        own = self._own[switch]
        own.inventory = at
        ports = [
            PortFacts(port=key, **{name: row.get(name) for name in PORT_INVENTORY})
            for key, row in zip(arrival.layout.rows, _rows(arrival), strict=True)
        ]
        own.names = names_of(ports)
        self._bind(own)
        self.inventories.append((subject.school, subject.serial, ports))

    def _switch_of(self, subject: DeviceId) -> int | None:
        if subject.kind is DeviceKind.SWITCH:
            number = self.numbering.switch_number.get((subject.school, subject.serial))
            if number is not None:
                return number
        self.unplanned_total += 1
        return None

    def _board_health(self, arrival: Arrival, subject: DeviceId, at: Position) -> None:
        if not self._board_positions.get(subject.school, START).before(at):
            return
        self._board_positions[subject.school] = at
        boards = self.boards
        for serial, row in zip(arrival.layout.rows, _rows(arrival), strict=True):
            number = self.numbering.board_number.get(f"{subject.school}/board/{serial}")
            if number is None:
                self.unplanned_total += 1
                continue
            online = _flag(row.get("online"))
            if boards.online[number] != online:
                boards.online[number] = online
                boards.since_ns[number] = arrival.received_ns - max(arrival.age_ns, 0)
            boards.screen_on[number] = _flag(row.get("screen_on"))
            for name in ("cpu_ratio", "temperature_celsius", "rssi_dbm"):
                value = row.get(name)
                getattr(boards, name)[number] = np.nan if value is None else value
            boards.app[number] = row.get("app")
            boards.firmware[number] = row.get("firmware")
            boards.evidence_ns[number] = at.evidence_ns
            self.touched_boards.add(number)

    def _agent_health(self, arrival: Arrival, subject: DeviceId, at: Position) -> None:
        number = self.numbering.school_number.get(subject.school)
        if number is None or not self._agent_positions.get(subject.school, START).before(at):
            return
        self._agent_positions[subject.school] = at
        values = _rows(arrival)[0] if arrival.block.rows else {}
        agents = self.agents
        agents.version[number] = values.get("agent_version") or agents.version[number]
        for name in ("outbox_bytes", "outbox_blocks", "quarantined_total"):
            getattr(agents, name)[number] = _count(values.get(name))
        self.touched_agents.add(number)

    # -- judging

    def judge(self, *, now_ns: int, wall_ns: int) -> tuple[npt.NDArray[np.int64], list[LinkChange]]:
        """Judge every link; return those that look different now, and what to record of them."""
        links = self.links
        elapsed = max(now_ns - self._judged_ns, 0)
        links.unknown_ns[links.verdict == Verdict.UNKNOWN] += elapsed
        self._judged_ns = now_ns
        self.dirty = False
        evidence = self._evidence(now_ns)
        judged = judge(evidence)
        now = {
            "verdict": judged.verdict,
            "severity": judged.severity,
            "causes": judged.causes,
            "oper": evidence.oper,
            "admin": evidence.admin,
            "speed_mbps": evidence.speed_mbps,
            "duplex": evidence.duplex,
        }
        looks_new = judged.stale != links.stale
        turned = (judged.verdict != links.verdict) | (links.since_ns == 0)
        looks_new |= turned
        for name in SHOWN:
            looks_new |= now[name] != getattr(links, name)
            setattr(links, name, now[name])
        links.stale = judged.stale
        self._history.date(links, turned, evidence.age_seconds, wall_ns)
        changes = self._history.changes(
            links,
            silence_counts=now_ns - self._started_ns >= GRACE_NS,
            block_of=lambda number: self._own[self.numbering.link_switch[number]].block,
        )
        return np.flatnonzero(looks_new), changes

    def _evidence(self, now_ns: int) -> Evidence:
        links, ports, n = self.links, self.ports, self.numbering
        port = links.port
        links.evidence_ns = ports.evidence_ns[port]
        # A link whose switch is not in the plan is not bound; its last row is then never asked.
        switch, school = n.link_switch, n.link_school
        if len(n.switches):
            has_layout = self.switches.has_layout[switch]
            reachable = self.switches.reachable[switch]
        else:
            has_layout = np.zeros(len(port), np.bool_)
            reachable = np.full(len(port), UNSAID, np.int8)
        silence = (now_ns - self.agents.heard_ns[school]) / NS
        return Evidence(
            bound=links.bound,
            seen=ports.seen[port],
            present=np.where(port == NO_PORT, ~has_layout, ports.present[port]),
            agent_heard=self.agents.online[school] & (silence <= links.stale_after_seconds),
            reachable=reachable,
            age_seconds=(now_ns - links.evidence_ns) / NS,
            stale_after_seconds=links.stale_after_seconds,
            admin=ports.admin[port],
            oper=ports.oper[port],
            speed_mbps=ports.speed_mbps[port],
            duplex=ports.duplex[port],
            contract_mbps=links.contract_mbps,
            shared=links.shared,
        )

    def coverage(self, number: int) -> float | None:
        """1 less the unknown share of the time since the controller started; None at first."""
        span = self._judged_ns - self._started_ns
        return None if span <= 0 else 1.0 - int(self.links.unknown_ns[number]) / span


_MAX_COUNT = 2**63 - 1
_NUMPY = {
    "B": "u1", "H": "u2", "I": "u4", "Q": "u8", "b": "i1", "h": "i2", "i": "i4", "q": "i8",
    "f": "f4", "d": "f8",
}  # fmt: skip


def _rows(arrival: Arrival) -> list[dict[str, Any]]:
    """A small block as rows of values; None is unknown."""
    columns = arrival.block.columns(arrival.layout)
    names = [column.metric.name for column in columns]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def _flag(value: int | None) -> int:
    """A yes/no column's code, whatever number a device sent for yes."""
    return UNSAID if value is None else int(value != 0)


def _count(value: int | None) -> int:
    return UNSAID if value is None else min(value, _MAX_COUNT)
