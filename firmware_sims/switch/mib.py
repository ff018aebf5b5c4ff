"""The objects a live switch serves and how they are read from its state.

SNMPv2-MIB system (RFC 3418), IF-MIB (RFC 2863), EtherLike-MIB duplex (RFC 3635), LLDP-MIB
(IEEE 802.1AB-2005), ENTITY-MIB chassis (RFC 6933). The encoded OIDs of a shape of switch
are made once and shared by every switch of that shape; values that only a change of state
moves are encoded once a change.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from firmware_sims.switch import ber
from firmware_sims.switch.ber import Arcs
from firmware_sims.switch.model import Neighbour, Port, Quirk, Switch
from firmware_sims.switch.vendors import DownSpeed
from tenone.vocabulary.states import Duplex, OperStatus

Value = int | bytes | Arcs

_MIB_2 = (1, 3, 6, 1, 2, 1)
_SYSTEM = (*_MIB_2, 1)
_IF_NUMBER = (*_MIB_2, 2, 1)
_ENGINE_BOOTS = (1, 3, 6, 1, 6, 3, 10, 2, 1, 2, 0)
IF_ENTRY = (*_MIB_2, 2, 2, 1)
IFX_ENTRY = (*_MIB_2, 31, 1, 1, 1)
DOT3_STATS_ENTRY = (*_MIB_2, 10, 7, 2, 1)
_ENT_PHYSICAL_ENTRY = (*_MIB_2, 47, 1, 1, 1, 1)
_LLDP = (1, 0, 8802, 1, 1, 2, 1)
_LLDP_LOCAL = (*_LLDP, 3)
_LLDP_LOCAL_PORT = (*_LLDP_LOCAL, 7, 1)
_LLDP_REMOTE = (*_LLDP, 4, 1, 1)

SYS_UP_TIME = (*_SYSTEM, 3, 0)
IF_DESCR = (*IF_ENTRY, 2)
IFX_NAME = (*IFX_ENTRY, 1)
IF_IN_OCTETS = (*IF_ENTRY, 10)
IF_HC_IN_OCTETS = (*IFX_ENTRY, 6)

_GAUGE_TOP = 2**32 - 1
_COUNTER32 = 2**32
_BITS_A_MEGABIT = 1_000_000
_ABSURD_HIGH_SPEED = 2**31 + 1
_LLDP_MAC, _LLDP_IF_NAME = 4, 5
"""LldpChassisIdSubtype macAddress and LldpPortIdSubtype interfaceName."""
_CHASSIS = 3
_PARTIAL_WINDOW_SECONDS = 7.0
_FRAMES_A_MULTICAST = 97
_FRAMES_A_BROADCAST = 41


@dataclass(frozen=True, slots=True)
class Column:
    """One object of a table; ``live`` values move with time and are never kept."""

    arcs: Arcs
    tag: int
    read: Callable[[Switch, Port, float], Value]
    live: bool = False


@dataclass(frozen=True, slots=True)
class Scalar:
    """One object of the switch as a whole; ``arcs`` include the instance."""

    arcs: Arcs
    tag: int
    read: Callable[[Switch, float], Value]
    live: bool = False


def _speed_bits(switch: Switch, port: Port, _: float) -> int:
    """The ifSpeed: bits a second, saturated at 2^32 - 1."""
    mbps = _reported_mbps(switch, port)
    if Quirk.SPEED_IN_MBPS in switch.quirks:
        return mbps
    if Quirk.SPEED_MODULO in switch.quirks:
        return mbps * _BITS_A_MEGABIT % _COUNTER32
    return min(mbps * _BITS_A_MEGABIT, _GAUGE_TOP)


def _high_speed(switch: Switch, port: Port, now: float) -> int:
    """The ifHighSpeed: Mb/s."""
    if port.oper is not OperStatus.UP and switch.style.down_speed is DownSpeed.HIGH_SPEED_ZERO:
        return 0
    if Quirk.HIGH_SPEED_ABSURD in switch.quirks and not port.virtual:
        return _ABSURD_HIGH_SPEED
    if Quirk.SPEED_MODULO in switch.quirks:
        return _speed_bits(switch, port, now) // _BITS_A_MEGABIT
    return _reported_mbps(switch, port)


def _reported_mbps(switch: Switch, port: Port) -> int:
    if port.oper is OperStatus.UP:
        return 0 if Quirk.SPEED_ZERO in switch.quirks else port.speed_mbps
    if switch.style.down_speed is DownSpeed.TEN_MEGABIT and not port.virtual:
        return 10
    return port.nominal_mbps


def _name(switch: Switch, port: Port, _: float) -> bytes:
    if Quirk.DUPLICATE_IF_NAME in switch.quirks and port is switch.ports[1]:
        port = switch.ports[0]
    return port.name.encode()


def _duplex(switch: Switch, port: Port, _: float) -> int:
    if Quirk.HALF_AT_GIGABIT in switch.quirks:
        return Duplex.HALF
    return port.duplex


def _hc(
    read: Callable[[Switch, Port, float], int],
) -> Callable[[Switch, Port, float], int]:
    def wide(switch: Switch, port: Port, now: float) -> int:
        return 0 if Quirk.HC_STUCK in switch.quirks else read(switch, port, now)

    return wide


def _low(
    read: Callable[[Switch, Port, float], int],
) -> Callable[[Switch, Port, float], int]:
    def narrow(switch: Switch, port: Port, now: float) -> int:
        return read(switch, port, now) % _COUNTER32

    return narrow


def _in_octets(_: Switch, port: Port, now: float) -> int:
    return port.traffic.in_octets(now)


def _out_octets(_: Switch, port: Port, now: float) -> int:
    return port.traffic.out_octets(now)


def _in_frames(_: Switch, port: Port, now: float) -> int:
    return port.traffic.in_octets(now) // port.traffic.unicast_octets


def _out_frames(_: Switch, port: Port, now: float) -> int:
    return port.traffic.out_octets(now) // port.traffic.unicast_octets


def _share(
    read: Callable[[Switch, Port, float], int], frames: int
) -> Callable[[Switch, Port, float], int]:
    def part(switch: Switch, port: Port, now: float) -> int:
        return read(switch, port, now) // frames

    return part


def _errors(_: Switch, port: Port, now: float) -> int:
    return port.traffic.errors(now)


def _discards(_: Switch, port: Port, now: float) -> int:
    return port.traffic.discards(now)


def _nothing(_: Switch, __: Port, ___: float) -> int:
    return 0


_in_multicast = _share(_in_frames, _FRAMES_A_MULTICAST)
_out_multicast = _share(_out_frames, _FRAMES_A_MULTICAST)
_in_broadcast = _share(_in_frames, _FRAMES_A_BROADCAST)
_out_broadcast = _share(_out_frames, _FRAMES_A_BROADCAST)

_I, _S = ber.INTEGER, ber.OCTET_STRING
_C32, _C64, _G, _T = ber.COUNTER32, ber.COUNTER64, ber.GAUGE32, ber.TIMETICKS

IF_TABLE = (
    Column((*IF_ENTRY, 1), _I, lambda _, p, __: p.if_index),
    Column((*IF_ENTRY, 2), _S, lambda _, p, __: p.descr.encode()),
    Column((*IF_ENTRY, 3), _I, lambda _, p, __: p.if_type),
    Column((*IF_ENTRY, 4), _I, lambda _, p, __: p.mtu),
    Column((*IF_ENTRY, 5), _G, _speed_bits),
    Column((*IF_ENTRY, 6), _S, lambda _, p, __: p.mac),
    Column((*IF_ENTRY, 7), _I, lambda _, p, __: p.admin),
    Column((*IF_ENTRY, 8), _I, lambda _, p, __: p.oper),
    Column((*IF_ENTRY, 9), _T, lambda _, p, __: p.last_change_ticks),
    Column(IF_IN_OCTETS, _C32, _low(_in_octets), live=True),
    Column((*IF_ENTRY, 11), _C32, _low(_in_frames), live=True),
    Column((*IF_ENTRY, 13), _C32, _low(_discards), live=True),
    Column((*IF_ENTRY, 14), _C32, _low(_errors), live=True),
    Column((*IF_ENTRY, 15), _C32, _nothing),
    Column((*IF_ENTRY, 16), _C32, _low(_out_octets), live=True),
    Column((*IF_ENTRY, 17), _C32, _low(_out_frames), live=True),
    Column((*IF_ENTRY, 19), _C32, _nothing),
    Column((*IF_ENTRY, 20), _C32, _nothing),
)
"""RFC 2863 without its deprecated objects."""

IFX_TABLE = (
    Column((*IFX_ENTRY, 1), _S, _name),
    Column((*IFX_ENTRY, 2), _C32, _low(_in_multicast), live=True),
    Column((*IFX_ENTRY, 3), _C32, _low(_in_broadcast), live=True),
    Column((*IFX_ENTRY, 4), _C32, _low(_out_multicast), live=True),
    Column((*IFX_ENTRY, 5), _C32, _low(_out_broadcast), live=True),
    Column(IF_HC_IN_OCTETS, _C64, _hc(_in_octets), live=True),
    Column((*IFX_ENTRY, 7), _C64, _hc(_in_frames), live=True),
    Column((*IFX_ENTRY, 8), _C64, _hc(_in_multicast), live=True),
    Column((*IFX_ENTRY, 9), _C64, _hc(_in_broadcast), live=True),
    Column((*IFX_ENTRY, 10), _C64, _hc(_out_octets), live=True),
    Column((*IFX_ENTRY, 11), _C64, _hc(_out_frames), live=True),
    Column((*IFX_ENTRY, 12), _C64, _hc(_out_multicast), live=True),
    Column((*IFX_ENTRY, 13), _C64, _hc(_out_broadcast), live=True),
    Column((*IFX_ENTRY, 14), _I, lambda _, __, ___: 1),
    Column((*IFX_ENTRY, 15), _G, _high_speed),
    Column((*IFX_ENTRY, 16), _I, lambda _, __, ___: 2),
    Column((*IFX_ENTRY, 17), _I, lambda _, p, __: 2 if p.virtual else 1),
    Column((*IFX_ENTRY, 18), _S, lambda _, p, __: p.alias.encode()),
    Column((*IFX_ENTRY, 19), _T, lambda _, p, __: p.discontinuity_ticks),
)
_HIGH_SPEED_COLUMN = (*IFX_ENTRY, 15)

DUPLEX = Column((*DOT3_STATS_ENTRY, 19), _I, _duplex)
DUPLEX_INDEX = Column((*DOT3_STATS_ENTRY, 1), _I, lambda _, p, __: p.if_index)

_LLDP_PORTS = (
    Column((*_LLDP_LOCAL_PORT, 2), _I, lambda _, __, ___: _LLDP_IF_NAME),
    Column((*_LLDP_LOCAL_PORT, 3), _S, _name),
    Column((*_LLDP_LOCAL_PORT, 4), _S, lambda _, p, __: p.descr.encode()),
)

_SCALARS = (
    Scalar((*_LLDP_LOCAL, 1, 0), _I, lambda _, __: _LLDP_MAC),
    Scalar((*_LLDP_LOCAL, 2, 0), _S, lambda s, _: s.mac),
    Scalar((*_LLDP_LOCAL, 3, 0), _S, lambda s, _: s.name.encode()),
    Scalar((*_LLDP_LOCAL, 4, 0), _S, lambda s, _: s.style.descr.encode()),
    Scalar((*_SYSTEM, 1, 0), _S, lambda s, _: s.style.descr.encode()),
    Scalar((*_SYSTEM, 2, 0), ber.OID, lambda s, _: s.style.object_id),
    Scalar(SYS_UP_TIME, _T, lambda s, now: s.uptime_ticks(now), live=True),
    Scalar((*_SYSTEM, 4, 0), _S, lambda _, __: b""),
    Scalar((*_SYSTEM, 5, 0), _S, lambda s, _: s.name.encode()),
    Scalar((*_SYSTEM, 6, 0), _S, lambda s, _: s.location.encode()),
    Scalar((*_SYSTEM, 7, 0), _I, lambda _, __: 2),
    Scalar((*_IF_NUMBER, 0), _I, lambda s, _: len(s.ports)),
    Scalar(_ENGINE_BOOTS, _I, lambda s, _: s.boots),
    Scalar((*_ENT_PHYSICAL_ENTRY, 2, 1), _S, lambda s, _: s.style.model.encode()),
    Scalar((*_ENT_PHYSICAL_ENTRY, 5, 1), _I, lambda _, __: _CHASSIS),
    Scalar((*_ENT_PHYSICAL_ENTRY, 7, 1), _S, lambda _, __: b"Chassis"),
    Scalar((*_ENT_PHYSICAL_ENTRY, 10, 1), _S, lambda s, _: s.style.version.encode()),
    Scalar((*_ENT_PHYSICAL_ENTRY, 11, 1), _S, lambda s, _: s.serial.encode()),
    Scalar((*_ENT_PHYSICAL_ENTRY, 13, 1), _S, lambda s, _: s.style.model.encode()),
)

_NEIGHBOUR_OBJECTS: tuple[tuple[int, int, Callable[[Neighbour], Value]], ...] = (
    (4, _I, lambda _: _LLDP_MAC),
    (5, _S, lambda n: n.mac),
    (6, _I, lambda _: _LLDP_IF_NAME),
    (7, _S, lambda n: n.remote_port.encode()),
    (8, _S, lambda n: n.remote_port.encode()),
    (9, _S, lambda n: n.name.encode()),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """Where one variable's value comes from: a scalar, or a column and the port's place."""

    source: Scalar | Column
    row: int = -1


@dataclass(frozen=True, slots=True)
class Shape:
    """The variables of every switch that has these rows, in order."""

    keys: tuple[bytes, ...]
    names: tuple[bytes, ...]
    cells: tuple[Cell, ...]


class ModelTree:
    """A live switch as :class:`firmware_sims.switch.tree.Tree`."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._generation = -1
        self._numbering = -1
        self._hidden = False
        self._shape = Shape((), (), ())
        self._kept: list[bytes | None] = []
        self._now = 0.0
        self.begin()

    @property
    def keys(self) -> Sequence[bytes]:
        """See :class:`firmware_sims.switch.tree.Tree`."""
        return self._shape.keys

    def begin(self) -> bool:
        """Take the moment for which one request is answered; whether there is an answer."""
        switch = self._switch
        switch.tick()
        self._now = now = switch.now()
        hidden = Quirk.PARTIAL_WALK in switch.quirks and int(now / _PARTIAL_WINDOW_SECONDS) % 2 == 1
        if switch.numbering != self._numbering or hidden != self._hidden:
            self._reshape(hidden=hidden)
        elif switch.generation != self._generation:
            self._kept = [None] * len(self._kept)
        self._generation = switch.generation
        return switch.answers(now)

    def _reshape(self, *, hidden: bool) -> None:
        switch = self._switch
        rows = tuple(
            (place, port.if_index, port.virtual)
            for place, port in enumerate(switch.ports)
            if not (hidden and place % 3 == 1)
        )
        heard = {n.port: n for n in switch.neighbours}
        neighbours = tuple(
            (port.if_index, heard[port.name]) for port in switch.ports if port.name in heard
        )
        self._shape = _shape(switch.quirks, rows, neighbours)
        self._kept = [None] * len(self._shape.keys)
        self._numbering = switch.numbering
        self._hidden = hidden

    def varbind(self, position: int) -> bytes:
        """See :class:`firmware_sims.switch.tree.Tree`."""
        kept = self._kept[position]
        if kept is not None:
            return kept
        cell = self._shape.cells[position]
        source = cell.source
        if isinstance(source, Scalar):
            content = source.read(self._switch, self._now)
        else:
            content = source.read(self._switch, self._switch.ports[cell.row], self._now)
        encoded = ber.tlv(
            ber.SEQUENCE, self._shape.names[position] + ber.value(source.tag, content)
        )
        if not source.live:
            self._kept[position] = encoded
        return encoded

    def knows_object(self, key: bytes) -> bool:
        """See :class:`firmware_sims.switch.tree.Tree`."""
        return any(key.startswith(prefix) for prefix in _objects(self._switch.quirks))


def columns(quirks: frozenset[Quirk]) -> tuple[Column, ...]:
    """The table columns a switch with these quirks serves for every port."""
    wide: tuple[Column, ...] = () if Quirk.NO_IFX in quirks else IFX_TABLE
    if Quirk.NO_HIGH_SPEED in quirks:
        wide = tuple(column for column in wide if column.arcs != _HIGH_SPEED_COLUMN)
    return (*IF_TABLE, *wide)


def _socket_columns(quirks: frozenset[Quirk]) -> tuple[Column, ...]:
    """The columns only a socket has a row in."""
    duplex = () if Quirk.NO_DUPLEX in quirks else (DUPLEX_INDEX, DUPLEX)
    return (*duplex, *_LLDP_PORTS)


@lru_cache(maxsize=64)
def _objects(quirks: frozenset[Quirk]) -> tuple[bytes, ...]:
    served = [column.arcs for column in (*columns(quirks), *_socket_columns(quirks))]
    served += [scalar.arcs[:-1] for scalar in _SCALARS]
    served += [(*_LLDP_REMOTE, number) for number, _, _ in _NEIGHBOUR_OBJECTS]
    return tuple(ber.sort_key(arcs) for arcs in served)


@lru_cache(maxsize=256)
def _shape(
    quirks: frozenset[Quirk],
    rows: tuple[tuple[int, int, bool], ...],
    neighbours: tuple[tuple[int, Neighbour], ...],
) -> Shape:
    """All variables in order; rows are (place in the port list, ifIndex, virtual)."""
    found: list[tuple[bytes, bytes, Cell]] = []

    def add(arcs: Arcs, cell: Cell) -> None:
        found.append((ber.sort_key(arcs), ber.oid(arcs), cell))

    for scalar in _SCALARS:
        add(scalar.arcs, Cell(scalar))
    for place, index, virtual in rows:
        for column in (*columns(quirks), *(() if virtual else _socket_columns(quirks))):
            add((*column.arcs, index), Cell(column, place))
    for index, neighbour in neighbours:
        for number, tag, read in _NEIGHBOUR_OBJECTS:
            arcs = (*_LLDP_REMOTE, number, 0, index, 1)
            content = read(neighbour)
            add(arcs, Cell(Scalar(arcs, tag, lambda _, __, content=content: content)))  # type: ignore[misc] # the default binds the loop's value
    found.sort(key=lambda item: item[0])
    return Shape(
        keys=tuple(key for key, _, _ in found),
        names=tuple(name for _, name, _ in found),
        cells=tuple(cell for _, _, cell in found),
    )
