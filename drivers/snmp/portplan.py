"""Which instances of which columns are asked for in a sweep, and how they become columns."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from struct import unpack

from drivers.snmp import mib, truth
from drivers.snmp.ber import Oid
from drivers.snmp.chunks import Chunk, chunks
from drivers.snmp.errors import BudgetExceeded, SnmpError, Timeout
from drivers.snmp.faults import AgentFault, Finding
from drivers.snmp.message import Envelope, Version
from drivers.snmp.ports import Port
from drivers.snmp.sheet import Board, Matter
from drivers.snmp.sweep import Harvest, Slots
from drivers.snmp.target import Device
from tenone.blocks.columns import Column, ColumnError, all_valid
from tenone.vocabulary.metric import ColumnType
from tenone.vocabulary.metrics import METRICS
from tenone.vocabulary.states import Duplex, OperStatus

SCALARS = (mib.SYS_UPTIME, mib.IF_NUMBER, mib.IF_TABLE_LAST_CHANGE)
"""Asked first in every sweep; their slots come before those of the rows."""
UPTIME, NUMBER, TABLE_CHANGE = range(len(SCALARS))

STATE_OBJECTS = (
    mib.IF_ADMIN_STATUS,
    mib.IF_OPER_STATUS,
    mib.IF_SPEED,
    mib.IF_HIGH_SPEED,
    mib.DOT3_DUPLEX,
    mib.IF_LAST_CHANGE,
)
_ADMIN, _OPER, _SPEED, _HIGH_SPEED, _DUPLEX, _LAST_CHANGE = range(len(STATE_OBJECTS))

COUNTER_OBJECTS: dict[str, tuple[Oid, Oid | None]] = {
    "in_octets": (mib.IF_HC_IN_OCTETS, mib.IF_IN_OCTETS),
    "out_octets": (mib.IF_HC_OUT_OCTETS, mib.IF_OUT_OCTETS),
    "in_unicast": (mib.IF_HC_IN_UCAST, mib.IF_IN_UCAST),
    "out_unicast": (mib.IF_HC_OUT_UCAST, mib.IF_OUT_UCAST),
    "in_multicast": (mib.IF_HC_IN_MULTICAST, mib.IF_IN_MULTICAST),
    "out_multicast": (mib.IF_HC_OUT_MULTICAST, mib.IF_OUT_MULTICAST),
    "in_broadcast": (mib.IF_HC_IN_BROADCAST, mib.IF_IN_BROADCAST),
    "out_broadcast": (mib.IF_HC_OUT_BROADCAST, mib.IF_OUT_BROADCAST),
    "in_errors": (mib.IF_IN_ERRORS, None),
    "out_errors": (mib.IF_OUT_ERRORS, None),
    "in_discards": (mib.IF_IN_DISCARDS, None),
    "out_discards": (mib.IF_OUT_DISCARDS, None),
    "discontinuity_ticks": (mib.IF_COUNTER_DISCONTINUITY, None),
}
"""Metric -> the object that carries it, and its 32-bit twin where the object is a 64-bit one."""
COUNTERS = tuple(COUNTER_OBJECTS.values())
_WIDTH = len(COUNTERS)


PAUSE_NS = 600 * 10**9
"""How long a group that met only silence is left alone."""


@dataclass(slots=True)
class Plan:
    """The instances of one sweep; ``names[slot]`` is None for a slot that is not asked for.

    ``groups`` are asked in requests of their own, so that a subtree in which an agent hangs
    takes nothing from the others; a group that met only silence is then left alone for a while.
    """

    names: list[Oid | None]
    groups: tuple[Sequence[int], ...]
    refused: frozenset[int] = frozenset()
    """Slots the device has and will not tell."""
    settled: bool = False
    """What the device does not have has been left out; from now on an absence is a change."""
    paused: dict[int, tuple[int, SnmpError]] = field(default_factory=dict)
    """Group -> until when (monotonic ns) it is left alone, and why."""
    board: Board = field(default_factory=Board)
    """The last whole sweep by this plan."""
    _chunks: tuple[tuple[Chunk, ...], ...] = ()
    _all: tuple[Chunk, ...] = ()
    _chunk_size: int = 0
    _chunk_of: Envelope | None = None

    def chunks(self, device: Device, now_ns: int) -> Sequence[Chunk]:
        """The requests of every group that is not paused; built once a device and size.

        The envelope is in their bytes: with another one (a new community) they are others.
        """
        known = self._chunk_size == device.max_varbinds and self._chunk_of is device.envelope
        if not known or not self._chunks:
            self._chunks = tuple(
                chunks(
                    device.envelope,
                    ((name, s) for s in group if (name := self.names[s]) is not None),
                    device.max_varbinds,
                    probing=device.envelope.version is Version.V1 and not self.settled,
                )
                for group in self.groups
            )
            self._all = tuple(chunk for part in self._chunks for chunk in part)
            self._chunk_size = device.max_varbinds
            self._chunk_of = device.envelope
        if not self.paused:
            return self._all
        for number in [n for n, (until, _) in self.paused.items() if now_ns >= until]:
            del self.paused[number]
        wanted = (part for n, part in enumerate(self._chunks) if n not in self.paused)
        return [chunk for part in wanted for chunk in part]

    def note_silence(self, harvest: Harvest, now_ns: int) -> None:
        """Pause the groups that met nothing but silence; say so in the harvest's errors."""
        silences = [e for e in harvest.errors if isinstance(e, Timeout | BudgetExceeded)]
        harvest.errors += [error for _, error in self.paused.values()]
        if not silences:
            return
        absent = set(harvest.absent)
        unheard: list[int] = []
        for number, group in enumerate(self.groups):
            asked = [slot for slot in group if self.names[slot] is not None]
            heard = any(harvest.slots[slot] is not None or slot in absent for slot in asked)
            if asked and not heard:
                unheard.append(number)
        if not isinstance(silences[0], Timeout) and len(unheard) == len(self.groups):
            return  # too little time for anything says nothing about a group
        for number in unheard:
            self.paused.setdefault(number, (now_ns + PAUSE_NS, silences[0]))

    def settle(self, harvest: Harvest) -> None:
        """Leave out what the device said it does not have or will not tell."""
        for slot in (*harvest.absent, *harvest.refused):
            self.names[slot] = None
        self.refused = frozenset(harvest.refused)
        self._chunks = ()
        self.settled = True

    def unanswered(self, harvest: Harvest) -> frozenset[int]:
        """Slots without a value although the device did not say that there is none."""
        if not (harvest.errors or self.refused or harvest.odd):
            return frozenset()
        known = set(harvest.absent)
        asked = {slot for slot, name in enumerate(self.names) if name is not None} | self.refused
        return frozenset(s for s in asked - known if harvest.slots[s] is None)


@lru_cache(maxsize=65_536)
def instance(column: Oid, if_index: int) -> Oid:
    """The name of one cell, one object for all switches that have it."""
    return (*column, if_index)


def state_plan(ports: Sequence[Port]) -> Plan:
    """Scalars, then the state objects of each port."""
    rows = [instance(column, port.if_index) for port in ports for column in STATE_OBJECTS]
    duplex = range(len(SCALARS) + _DUPLEX, len(SCALARS) + len(rows), len(STATE_OBJECTS))
    apart = set(duplex)
    others = [slot for slot in range(len(SCALARS) + len(rows)) if slot not in apart]
    return Plan([*SCALARS, *rows], (others, duplex))


def probe_plan(ports: Sequence[Port]) -> Plan:
    """Scalars, then of each port all narrow twins, then all counters: twins are read first."""
    rows: list[Oid | None] = []
    for port in ports:
        rows += [None if twin is None else instance(twin, port.if_index) for _, twin in COUNTERS]
        rows += [instance(column, port.if_index) for column, _ in COUNTERS]
    return _one_group([*SCALARS, *rows])


def _one_group(names: list[Oid | None], *, settled: bool = False) -> Plan:
    # The steady one lies in rows; a probe's slots are read one by one.
    board = Board(len(SCALARS), _WIDTH) if settled else Board()
    return Plan(names, (range(len(names)),), settled=settled, board=board)


@dataclass(frozen=True, slots=True)
class Choice:
    """After a probe: the steady plan, its first values, which are 32 bits wide, what was odd."""

    plan: Plan
    slots: Slots
    narrow: frozenset[tuple[str, str]]
    """(port key, metric) whose value comes from the 32-bit object, from the beginning."""
    wide: dict[tuple[str, str], tuple[int, int]]
    """(port key, metric) -> 64-bit value and its twin, for the next probe to compare with."""
    findings: tuple[Finding, ...]


def choose(ports: Sequence[Port], probe: Harvest, before: Choice | None) -> Choice:
    """Decide which object carries each counter of each port.

    The 64-bit one where there is one and it is not stuck at 0; else its twin. Once decided it
    stays: a series never changes its width in the middle while its object is there.
    """
    names: list[Oid | None] = list(SCALARS)
    slots: Slots = probe.slots[: len(SCALARS)]
    narrow: set[tuple[str, str]] = set()
    wide: dict[tuple[str, str], tuple[int, int]] = {}
    findings: list[Finding] = []
    for row, port in enumerate(ports):
        start = len(SCALARS) + row * 2 * _WIDTH
        for place, (metric, (column, twin)) in enumerate(COUNTER_OBJECTS.items()):
            small, big = probe.slots[start + place], probe.slots[start + _WIDTH + place]
            series = (port.key, metric)
            use_twin = small is not None and big is None
            if small is not None and big is not None:
                wide[series] = (big, small)
                earlier = before.wide.get(series) if before is not None else None
                use_twin = truth.hc_stuck(big, small)
                if use_twin or (earlier is not None and _stalled(earlier, (big, small))):
                    oid = (*column, port.if_index)
                    raw = f"{big} while the 32-bit object says {small}"
                    findings.append(
                        Finding(fault=AgentFault.HC_STUCK, oid=oid, raw=raw, port=port.key)
                    )
            if before is not None and (series in before.narrow or series in before.wide):
                use_twin = series in before.narrow
            if use_twin and twin is not None:
                narrow.add(series)
            source = twin if use_twin and twin is not None else column
            names.append(
                instance(source, port.if_index)
                if (small if use_twin else big) is not None
                else None
            )
            slots.append(small if use_twin else big)
    return Choice(_one_group(names, settled=True), slots, frozenset(narrow), wide, tuple(findings))


def _stalled(before: tuple[int, int], now: tuple[int, int]) -> bool:
    return truth.hc_stalled((before[0], now[0]), (before[1], now[1]))


def counter_columns(source: Slots | Matter, before: tuple[Column, ...] = ()) -> tuple[Column, ...]:
    """The columns of ``PORT_COUNTERS`` but the last, from a steady sweep.

    Of those of the sweep ``before`` that have not moved it returns the same objects.
    """
    first = len(SCALARS)
    if not isinstance(source, Matter):
        return tuple(
            column(name, source[first + place :: _WIDTH])
            for place, name in enumerate(COUNTER_OBJECTS)
        )
    rows, numbers, valid = source.columns()
    columns: list[Column] = []
    for place, metric in enumerate(_COUNTER_METRICS):
        data, known = numbers[place], valid[place]
        if metric.type is not ColumnType.UINT64:
            try:
                data = array(metric.type.code, unpack(f"<{rows}Q", data)).tobytes()
            except OverflowError:  # too large for the type
                columns.append(column(metric.name, source.slots[first + place :: _WIDTH]))
                continue
        if before and before[place].data == data and before[place].validity == known:
            columns.append(before[place])
        else:
            columns.append(Column(metric, rows, data, known))
    return tuple(columns)


_COUNTER_METRICS = tuple(METRICS[name] for name in COUNTER_OBJECTS)


def width_column(ports: Sequence[Port], narrow: frozenset[tuple[str, str]]) -> Column:
    """``narrow_counters``: on each port, which counters are 32 bits wide.

    ``narrow``: (port key, metric) of those that have a 64-bit form and do not use it.
    """
    always = sum(
        1 << place
        for place, (name, (_, twin)) in enumerate(COUNTER_OBJECTS.items())
        if twin is None and METRICS[name].counter
    )
    places = {name: 1 << place for place, name in enumerate(COUNTER_OBJECTS)}
    masks = dict.fromkeys((port.key for port in ports), always)
    for key, name in narrow:
        masks[key] |= places[name]
    return Column.of("narrow_counters", list(masks.values()))


def state_columns(
    ports: Sequence[Port], slots: Slots, unanswered: frozenset[int] = frozenset()
) -> tuple[tuple[Column, ...], tuple[Finding, ...]]:
    """The columns of ``PORT_STATE`` and what was wrong, from a state sweep's slots.

    A duplex among the ``unanswered`` slots is unknown(1); null says that there is no such row.
    """
    rows, width = slots[len(SCALARS) :], len(STATE_OBJECTS)
    findings: list[Finding] = []
    admin: Slots = []
    oper: Slots = []
    speed: Slots = []
    duplex: Slots = []
    for place, port in enumerate(ports):
        raw = rows[place * width : (place + 1) * width]
        ethernet = port.type in truth.ETHERNET_TYPES
        mbps, speed_fault = truth.speed_mbps(raw[_SPEED], raw[_HIGH_SPEED], ethernet=ethernet)
        if mbps is None and speed_fault is None and ethernet and raw[_OPER] == OperStatus.UP:
            speed_fault = AgentFault.NO_SPEED_WHILE_UP
        if raw[_DUPLEX] is None and len(SCALARS) + place * width + _DUPLEX in unanswered:
            raw[_DUPLEX] = Duplex.UNKNOWN
        judged = (
            (_ADMIN, *truth.admin(raw[_ADMIN])),
            (_OPER, *truth.oper(raw[_OPER])),
            (_SPEED if raw[_SPEED] is not None else _HIGH_SPEED, mbps, speed_fault),
            (_DUPLEX, *truth.duplex(raw[_DUPLEX], mbps)),
        )
        for values, (what, value, fault) in zip((admin, oper, speed, duplex), judged, strict=True):
            values.append(value)
            if fault is not None:
                findings.append(_finding(port, what, raw, fault))
    columns = (
        column("if_index", [port.if_index for port in ports]),
        column("admin", admin),
        column("oper", oper),
        column("speed_mbps", speed),
        column("duplex", duplex),
        column("last_change_ticks", rows[_LAST_CHANGE::width]),
    )
    return columns, tuple(findings)


_HIGH_SPEED_FAULTS = frozenset(
    {AgentFault.HIGH_SPEED_IMPLAUSIBLE, AgentFault.HIGH_SPEED_ZERO, AgentFault.SPEED_WRAPPED}
)


def _finding(port: Port, what: int, raw: Slots, fault: AgentFault) -> Finding:
    if fault in _HIGH_SPEED_FAULTS and raw[_HIGH_SPEED] is not None:
        what = _HIGH_SPEED
    if fault is AgentFault.HALF_DUPLEX_AT_GIGABIT:
        what = _DUPLEX
    said = raw[what]
    return Finding(
        fault=fault,
        oid=(*STATE_OBJECTS[what], port.if_index),
        raw="nothing" if said is None else str(said),
        port=port.key,
    )


def inventory_columns(ports: Sequence[Port]) -> tuple[Column, ...]:
    """The columns of ``PORT_INVENTORY``."""
    return (
        column("if_index", [port.if_index for port in ports]),
        Column.of("if_name", [port.name for port in ports]),
        Column.of("if_descr", [port.descr for port in ports]),
        Column.of("if_alias", [port.alias for port in ports]),
        column("if_type", [port.type for port in ports]),
        column("mtu", [port.mtu for port in ports]),
        Column.of("mac", [port.mac for port in ports]),
    )


def column(name: str, values: Slots) -> Column:
    """A numeric column; a value its type cannot hold is unknown."""
    metric = METRICS[name]
    if values and values[0] is None and values.count(None) == len(values):
        return _unknown(name, len(values))
    try:
        data = array(metric.type.code, values).tobytes()  # type: ignore[type-var] # see below
        return Column(metric, len(values), data, all_valid(len(values)))
    except (OverflowError, TypeError):
        pass  # too large for the type, or None
    limit = 1 << (8 * metric.type.width)
    fitting = [value if value is not None and 0 <= value < limit else None for value in values]
    try:
        return Column.of(name, fitting)
    except ColumnError:
        return Column.of(name, [None] * len(values))


@lru_cache(maxsize=1024)
def _unknown(name: str, rows: int) -> Column:
    """A column of which nothing came: one object for all switches that lack it."""
    return Column.of(name, [None] * rows)
