"""The streams of a switch: state of its ports, whether it answers, what its ports are called."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from controller.state.columns import NO_PORT, Links, Ports, Switches
from controller.state.counters import Counters
from controller.state.flaps import flapped, restarted
from controller.state.marks import Marks
from controller.state.numbering import Numbering
from controller.state.position import START, Position
from controller.state.resolve import VIRTUAL, bindings_of, resolve
from controller.state.samples import CounterCut
from controller.state.values import NUMPY, flag, rows_of
from controller.store.protocols import Arrival, Flap
from controller.store.records import PortFacts
from tenone.blocks.block import Block
from tenone.blocks.layout import Layout
from tenone.vocabulary.metrics import PORT_INVENTORY, PORT_STATE
from tenone.vocabulary.scope import DeviceId, DeviceKind

MAX_ROUTES = 200_000
"""Cached (subject, layout) pairs; a city of 10,800 switches has about 40,000."""
MAX_PORTS = 65_536
"""Ports of a switch that are remembered, shown or not; the largest real box shows 3,271."""


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
    cuts: dict[bytes, "_Cut"] = field(default_factory=dict)
    counter_cuts: dict[bytes, CounterCut] = field(default_factory=dict)
    """By layout; emptied when a link is bound to another port."""


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where the columns of a port-state block of one layout lie, from the end of its header."""

    numbers: npt.NDArray[np.int64]
    columns: tuple[tuple[str, str, int], ...]
    """Column, NumPy type, offset."""


class SwitchStreams:
    """Fills ports, switches and bindings of links. Nothing here blocks."""

    def __init__(
        self,
        numbering: Numbering,
        *,
        ports: Ports,
        links: Links,
        switches: Switches,
        counters: Counters,
        marks: Marks,
    ) -> None:
        self._numbering = numbering
        self._ports = ports
        self._links = links
        self._switches = switches
        self._counters = counters
        self._marks = marks
        self._own = [_Switch() for _ in numbering.switches]
        self._routes = 0
        for number, switch in enumerate(numbering.link_switch.tolist()):
            if switch >= 0:
                self._own[switch].links.append(number)

    def restore(self, key: tuple[str, str], ports: Sequence[PortFacts]) -> None:
        """The names of a switch's ports, as the records know them."""
        switch = self._numbering.switch_number.get(key)
        if switch is not None:
            self._own[switch].names = bindings_of(ports)

    def block_of(self, link: int) -> Block | None:
        """The newest port-state block of the switch that carries ``link``."""
        switch = int(self._numbering.link_switch[link])
        return None if switch < 0 else self._own[switch].block

    def shown(self, switch: int) -> frozenset[str]:
        """Keys of the ports a switch shows now."""
        return frozenset(self._own[switch].shown)

    def key_of(self, link: int) -> str | None:
        """Key of the port a link is bound to, as its switch shows it; None: it shows none."""
        switch = int(self._numbering.link_switch[link])
        text = self._numbering.links[link].port
        return None if switch < 0 or text is None else self.means(switch, text)

    def means(self, switch: int, text: str) -> str | None:
        """Key of the port of a switch that a text means now; None: no single one."""
        own = self._own[switch]
        if text in own.shown:
            return text
        named = own.names.get(text)
        return named if named in own.shown else None

    def oper(self, switch: int, key: str) -> int:
        """``OperStatus`` of a port; 0 where nothing was said."""
        number = self._own[switch].shown.get(key)
        return 0 if number is None else int(self._ports.oper[number])

    # -- port-state

    def port_state(self, arrival: Arrival, subject: DeviceId, at: Position) -> None:
        """The ports' state; in a layout that has counters, too, those are taken besides."""
        switch = self._switch_of(subject)
        if switch is None:
            return
        own = self._own[switch]
        if own.state.before(at):
            self._fill(switch, own, arrival, at)
        self._count(switch, arrival, at)

    def _fill(self, switch: int, own: _Switch, arrival: Arrival, at: Position) -> None:
        if len(own.keys) + arrival.block.rows > MAX_PORTS:
            self._forget_ports(own, arrival.layout)
        cut = self._cut(own, arrival.layout)
        own.state = at
        own.block = arrival.block
        if own.layout_id != arrival.layout.id:
            self._show(switch, own, arrival.layout, cut)
        ports, data, start = self._ports, arrival.block.data, arrival.block.header_bytes
        rows = arrival.block.rows
        seen_ns = ports.evidence_ns[cut.numbers]
        was_oper, changed = ports.oper[cut.numbers], ports.last_change_ticks[cut.numbers]
        was_speed, was_duplex = ports.speed_mbps[cut.numbers], ports.duplex[cut.numbers]
        for name, kind, offset in cut.columns:
            getattr(ports, name)[cut.numbers] = np.frombuffer(data, kind, rows, start + offset)
        ports.evidence_ns[cut.numbers] = at.evidence_ns
        moved = changed != ports.last_change_ticks[cut.numbers]
        # Another speed or duplex is there to be seen: the verdict tells it, and once is enough.
        moved &= was_speed == ports.speed_mbps[cut.numbers]
        moved &= was_duplex == ports.duplex[cut.numbers]
        if moved.any():
            stamp, numbers = arrival.block.stamp, cut.numbers[moved]
            away = flapped(
                ports,
                numbers,
                was_oper=was_oper[moved],
                seen_ns=seen_ns[moved],
                at=at,
                stamp=stamp,
            )
            self._flapped(own, away, arrival)
        if own.status.before(at):
            own.status = at
            self._reached(switch, reachable=1, error="")
        self._switches.heard_ns[switch] = at.evidence_ns
        self._uptime(switch, arrival, at)
        self._marks.dirty = True

    def _cut(self, own: _Switch, layout: Layout) -> _Cut:
        known = own.cuts.get(layout.id)
        if known is not None:
            return known
        new = [key for key in layout.rows if key not in own.keys]
        first = self._ports.add(max(len(new) - len(own.free), 0))
        free = [*own.free, *range(first, self._ports.count)]
        own.keys.update(zip(new, free, strict=False))
        own.free = free[len(new) :]
        rows = len(layout.rows)
        offset = len(layout.columns) * ((rows + 7) // 8)
        columns = []
        for metric in layout.metrics:
            if metric.type.width == 0:
                break  # behind a text column nothing lies where it always lies
            if metric.name in PORT_STATE:
                columns.append((metric.name, NUMPY[metric.type.code], offset))
            offset += metric.type.width * rows
        self._routes += 1
        if self._routes >= MAX_ROUTES:
            self._routes = 0
            for one in self._own:
                one.cuts.clear()
        numbers = np.array([own.keys[key] for key in layout.rows], np.int64)
        cut = own.cuts[layout.id] = _Cut(numbers, tuple(columns))
        return cut

    def _forget_ports(self, own: _Switch, layout: Layout) -> None:
        """Ports under ever new names take the rows of old ones; what is shown now keeps its own."""
        staying = {*own.shown, *layout.rows}
        freed = [own.keys.pop(key) for key in list(own.keys) if key not in staying]
        self._ports.clear(freed)
        own.free += freed
        own.cuts.clear()

    def _show(self, switch: int, own: _Switch, layout: Layout, cut: _Cut) -> None:
        """The switch shows another set of ports: what it no longer shows is missing."""
        ports = self._ports
        ports.present[list(own.keys.values())] = False
        ports.present[cut.numbers] = True
        ports.seen[cut.numbers] = True
        for name in set(PORT_STATE) - {name for name, _, _ in cut.columns}:
            getattr(ports, name)[cut.numbers] = 0  # no longer said is unknown
        own.layout_id = layout.id
        own.shown = {key: own.keys[key] for key in layout.rows}
        self._switches.has_layout[switch] = True
        self._bind(own)

    def _bind(self, own: _Switch) -> None:
        moved = []
        for number in own.links:
            text = self._numbering.links[number].port or ""
            port = resolve(text, own.shown, own.names)
            self._links.virtual[number] = own.names.get(text) == VIRTUAL
            # A port that is missing now still owns the counters it had.
            if port is not None and self._links.port_of_counters[number] != port:
                self._links.port_of_counters[number] = port
                moved.append(number)
            self._links.port[number] = NO_PORT if port is None else port
        self._counters.forget(moved)
        own.counter_cuts.clear()
        self._marks.dirty = True

    def _flapped(self, own: _Switch, away: dict[int, tuple[int, int]], arrival: Arrival) -> None:
        """``away``: of :func:`controller.state.flaps.flapped`."""
        wall_ns = arrival.received_ns - max(arrival.age_ns, 0)
        for link in own.links:
            ages = away.get(int(self._links.port[link]))
            if ages is None:
                continue
            back_age_ns, good_age_ns = ages
            self._links.flaps[link] += 1
            self._marks.flaps.append(
                Flap(
                    link=self._numbering.links[link].id,
                    back_ns=wall_ns - back_age_ns,
                    good_ns=wall_ns - good_age_ns,
                    restarted=restarted(arrival.block.stamp, good_age_ns),
                    block_hash=arrival.block.hash,
                )
            )

    # -- port-counters

    def port_counters(self, arrival: Arrival, subject: DeviceId, at: Position) -> None:
        """Counters alone, as agents send them."""
        switch = self._switch_of(subject)
        if switch is not None:
            self._count(switch, arrival, at)

    def _count(self, switch: int, arrival: Arrival, at: Position) -> None:
        own = self._own[switch]
        cut = own.counter_cuts.get(arrival.layout.id)
        if cut is None:
            rows = {key: row for row, key in enumerate(arrival.layout.rows)}
            bound = {
                number: resolve(self._numbering.links[number].port or "", rows, own.names)
                for number in own.links
            }
            where = {number: row for number, row in bound.items() if row is not None}
            cut = own.counter_cuts[arrival.layout.id] = CounterCut.of(arrival.layout, where)
        if len(cut.links):
            self._counters.take(switch, cut, arrival, at)
            self._marks.dirty = True

    # -- switch-status

    def switch_status(self, arrival: Arrival, subject: DeviceId, at: Position) -> None:
        """Whether the switch answers, and who it says it is."""
        switch = self._switch_of(subject)
        if switch is None or not self._own[switch].status.before(at):
            return
        self._own[switch].status = at
        values = rows_of(arrival)[0] if arrival.block.rows else {}
        reachable, error = flag(values.get("reachable")), values.get("poll_error") or ""
        # "Reachable" beside an error is what the last state sweep found: the newest asking of
        # something else may have met silence, and nobody has heard the switch since.
        if not (reachable == 1 and error):
            self._switches.heard_ns[switch] = at.evidence_ns
        self._reached(switch, reachable=reachable, error=error)
        self._switches.descr[switch] = values.get("sys_descr") or self._switches.descr[switch]
        self._uptime(switch, arrival, at, values.get("sys_uptime_ticks"))
        self._marks.switches.add(switch)
        self._marks.dirty = True

    def _reached(self, switch: int, *, reachable: int, error: str) -> None:
        switches = self._switches
        if switches.reachable[switch] != reachable or switches.poll_error[switch] != error:
            switches.reachable[switch] = reachable
            switches.poll_error[switch] = error
            self._marks.switches.add(switch)

    def _uptime(self, switch: int, arrival: Arrival, at: Position, told: int | None = None) -> None:
        ticks = arrival.block.stamp.uptime_ticks if told is None else told
        if ticks is not None:
            self._switches.uptime_ticks[switch] = ticks
            self._switches.uptime_ns[switch] = at.evidence_ns

    # -- port-inventory

    def port_inventory(self, arrival: Arrival, subject: DeviceId, at: Position) -> None:
        """What the ports are called: bindings by name are looked up anew."""
        switch = self._switch_of(subject)
        if switch is None or not self._own[switch].inventory.before(at):
            return
        own = self._own[switch]
        own.inventory = at
        ports = [
            PortFacts(port=key, **{name: row.get(name) for name in PORT_INVENTORY})
            for key, row in zip(arrival.layout.rows, rows_of(arrival), strict=True)
        ]
        own.names = bindings_of(ports)
        self._bind(own)
        self._marks.inventories.append((subject.school, subject.serial, ports))

    def _switch_of(self, subject: DeviceId) -> int | None:
        if subject.kind is DeviceKind.SWITCH:
            number = self._numbering.switch_number.get((subject.school, subject.serial))
            if number is not None:
                return number
        self._marks.unplanned_total += 1
        return None
