"""The metric catalogue: one entry a column, from the device's value to the pixel.

A column that is not listed here cannot be put into a layout, and an entry without a
grade and a purpose cannot be built: that is how ungraded data is kept out (R27).
"""

from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

from tenone.vocabulary.states import DataGrade, PriorityClass, Purpose


class ColumnType(IntEnum):
    """How a column's values lie in a block: little-endian, fixed width, or text.

    ``TEXT`` is NUL-terminated UTF-8, one string a row: the encoding of a Sparkplug
    StringArray, so the bytes of a block are also the bytes on the wire.
    """

    UINT8 = 1
    UINT16 = 2
    UINT32 = 3
    UINT64 = 4
    INT8 = 5
    INT16 = 6
    INT32 = 7
    INT64 = 8
    FLOAT32 = 9
    FLOAT64 = 10
    TEXT = 11

    @property
    def width(self) -> int:
        """Bytes a row; 0 for text, whose rows vary."""
        return _WIDTHS[self]

    @property
    def code(self) -> str:
        """The ``struct`` and ``array`` type code; empty for text."""
        return _CODES[self]


_WIDTHS = {
    ColumnType.UINT8: 1,
    ColumnType.UINT16: 2,
    ColumnType.UINT32: 4,
    ColumnType.UINT64: 8,
    ColumnType.INT8: 1,
    ColumnType.INT16: 2,
    ColumnType.INT32: 4,
    ColumnType.INT64: 8,
    ColumnType.FLOAT32: 4,
    ColumnType.FLOAT64: 8,
    ColumnType.TEXT: 0,
}
_CODES = {
    ColumnType.UINT8: "B",
    ColumnType.UINT16: "H",
    ColumnType.UINT32: "I",
    ColumnType.UINT64: "Q",
    ColumnType.INT8: "b",
    ColumnType.INT16: "h",
    ColumnType.INT32: "i",
    ColumnType.INT64: "q",
    ColumnType.FLOAT32: "f",
    ColumnType.FLOAT64: "d",
    ColumnType.TEXT: "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One named quantity: its unit, how it is stored, how urgent and how sensitive it is."""

    name: str
    unit: str
    type: ColumnType
    priority: PriorityClass
    grade: DataGrade
    purpose: Purpose
    source: str
    """Where the value comes from: MIB object, standard's section, or device contract."""
    counter: bool = False


def _port(name: str, unit: str, kind: ColumnType, source: str, *, counter: bool = False) -> Metric:
    return Metric(
        name=name,
        unit=unit,
        type=kind,
        priority=PriorityClass.P1,
        grade=DataGrade.INTERNAL,
        purpose=Purpose.SLA,
        source=source,
        counter=counter,
    )


def _board(name: str, unit: str, kind: ColumnType, source: str) -> Metric:
    return Metric(
        name=name,
        unit=unit,
        type=kind,
        priority=PriorityClass.P2,
        grade=DataGrade.INTERNAL,
        purpose=Purpose.DEVICE_CARE,
        source=source,
    )


def _node(name: str, unit: str, kind: ColumnType, source: str) -> Metric:
    return Metric(
        name=name,
        unit=unit,
        type=kind,
        priority=PriorityClass.P2,
        grade=DataGrade.INTERNAL,
        purpose=Purpose.OPERATION,
        source=source,
    )


T = ColumnType
_ALL = (
    # State of a port: asked for every few seconds.
    _port("if_index", "1", T.UINT32, "IF-MIB ifIndex"),
    _port("admin", "enum", T.UINT8, "IF-MIB ifAdminStatus"),
    _port("oper", "enum", T.UINT8, "IF-MIB ifOperStatus"),
    _port("speed_mbps", "Mbit/s", T.UINT32, "IF-MIB ifHighSpeed, else ifSpeed (SLA.md traps)"),
    _port("duplex", "enum", T.UINT8, "EtherLike-MIB dot3StatsDuplexStatus"),
    _port("last_change_ticks", "10 ms", T.UINT32, "IF-MIB ifLastChange (TimeTicks)"),
    # Counters of a port: asked for every minute.
    _port("in_octets", "byte", T.UINT64, "IF-MIB ifHCInOctets", counter=True),
    _port("out_octets", "byte", T.UINT64, "IF-MIB ifHCOutOctets", counter=True),
    _port("in_unicast", "frame", T.UINT64, "IF-MIB ifHCInUcastPkts", counter=True),
    _port("out_unicast", "frame", T.UINT64, "IF-MIB ifHCOutUcastPkts", counter=True),
    _port("in_multicast", "frame", T.UINT64, "IF-MIB ifHCInMulticastPkts", counter=True),
    _port("out_multicast", "frame", T.UINT64, "IF-MIB ifHCOutMulticastPkts", counter=True),
    _port("in_broadcast", "frame", T.UINT64, "IF-MIB ifHCInBroadcastPkts", counter=True),
    _port("out_broadcast", "frame", T.UINT64, "IF-MIB ifHCOutBroadcastPkts", counter=True),
    _port("in_errors", "frame", T.UINT64, "IF-MIB ifInErrors", counter=True),
    _port("out_errors", "frame", T.UINT64, "IF-MIB ifOutErrors", counter=True),
    _port("in_discards", "frame", T.UINT64, "IF-MIB ifInDiscards", counter=True),
    _port("out_discards", "frame", T.UINT64, "IF-MIB ifOutDiscards", counter=True),
    _port("discontinuity_ticks", "10 ms", T.UINT32, "IF-MIB ifCounterDiscontinuityTime"),
    # Inventory of a port: asked for hourly and on change.
    _port("if_name", "text", T.TEXT, "IF-MIB ifName"),
    _port("if_descr", "text", T.TEXT, "IF-MIB ifDescr"),
    _port("if_alias", "text", T.TEXT, "IF-MIB ifAlias"),
    _port("if_type", "enum", T.UINT16, "IF-MIB ifType (IANAifType)"),
    _port("mtu", "byte", T.UINT32, "IF-MIB ifMtu"),
    _port("mac", "text", T.TEXT, "IF-MIB ifPhysAddress, lower-case hex with colons"),
    # A switch as a whole, one row a switch.
    _port("reachable", "bool", T.UINT8, "1 answered in its budget, 0 did not"),
    _port("poll_error", "text", T.TEXT, "why the last sweep failed, in one sentence; empty if not"),
    _port("sys_descr", "text", T.TEXT, "SNMPv2-MIB sysDescr"),
    _port("sys_object_id", "text", T.TEXT, "SNMPv2-MIB sysObjectID"),
    _port("sys_name", "text", T.TEXT, "SNMPv2-MIB sysName"),
    _port("sys_uptime_ticks", "10 ms", T.UINT32, "SNMPv2-MIB sysUpTime"),
    # Class board, one row a board (device contract, CONTRACT "MQTT").
    _board("online", "bool", T.UINT8, "status topic or MQTT will: 1 connected, 0 not"),
    _board("screen_on", "bool", T.UINT8, "board m: screen"),
    _board("app", "text", T.TEXT, "board m: foreground application"),
    _board("firmware", "text", T.TEXT, "board m: firmware version"),
    _board("cpu_ratio", "1", T.FLOAT32, "board m: CPU share 0..1"),
    _board("storage_free_bytes", "byte", T.UINT64, "board m: free storage"),
    _board("rssi_dbm", "dBm", T.INT8, "board m: Wi-Fi signal; null on a wired board"),
    _board("temperature_celsius", "Cel", T.FLOAT32, "board m: board temperature"),
    _board("volume_ratio", "1", T.FLOAT32, "board m: loudspeaker volume 0..1"),
    _board("message_counter", "1", T.UINT64, "device body n: counter since boot"),
    _board("device_time_ms", "ms", T.INT64, "device body ts: epoch ms as the device said it"),
    # The gateway itself, one row.
    _node("agent_version", "text", T.TEXT, "the agent's package version"),
    _node("uptime_seconds", "s", T.FLOAT64, "since the agent process started"),
    _node("outbox_bytes", "byte", T.UINT64, "bytes kept in the journal"),
    _node("outbox_blocks", "1", T.UINT64, "blocks kept and not yet receipted"),
    _node("quarantined_total", "1", T.UINT64, "device messages refused since start"),
    _node("quarantine_reasons", "text", T.TEXT, "how many of them for which reason"),
    _node("rss_bytes", "byte", T.UINT64, "resident memory of the agent process"),
    # A gap record: what eviction took out of a class's chain (BLOCKS.md).
    _node("gap_first_seq", "1", T.UINT64, "first sequence number evicted"),
    _node("gap_last_seq", "1", T.UINT64, "last sequence number evicted"),
    _node("gap_count", "1", T.UINT64, "blocks evicted"),
    _node("gap_reason", "text", T.TEXT, "why, in one word"),
    _node("gap_last_hash", "text", T.TEXT, "SHA-256 of the last evicted block, hex"),
)

METRICS = MappingProxyType({metric.name: metric for metric in _ALL})
"""Every metric by name."""

PORT_STATE = ("if_index", "admin", "oper", "speed_mbps", "duplex", "last_change_ticks")
"""Columns of the fast sweep (default every 10 s)."""

PORT_COUNTERS = (
    "in_octets",
    "out_octets",
    "in_unicast",
    "out_unicast",
    "in_multicast",
    "out_multicast",
    "in_broadcast",
    "out_broadcast",
    "in_errors",
    "out_errors",
    "in_discards",
    "out_discards",
    "discontinuity_ticks",
)
"""Columns of the slow sweep (default every 60 s)."""

PORT_INVENTORY = ("if_index", "if_name", "if_descr", "if_alias", "if_type", "mtu", "mac")
"""Columns read hourly and whenever the row set changes."""

SWITCH_STATUS = (
    "reachable",
    "poll_error",
    "sys_descr",
    "sys_object_id",
    "sys_name",
    "sys_uptime_ticks",
)
"""One row a switch: whether it answers, and who it says it is."""

BOARD_HEALTH = (
    "online",
    "screen_on",
    "app",
    "firmware",
    "cpu_ratio",
    "storage_free_bytes",
    "rssi_dbm",
    "temperature_celsius",
    "volume_ratio",
    "message_counter",
    "device_time_ms",
)
"""One row a class board."""

AGENT_HEALTH = (
    "agent_version",
    "uptime_seconds",
    "outbox_bytes",
    "outbox_blocks",
    "quarantined_total",
    "quarantine_reasons",
    "rss_bytes",
)
"""One row: the gateway itself."""

GAP = ("gap_first_seq", "gap_last_seq", "gap_count", "gap_reason", "gap_last_hash")
"""One row: what an eviction took out of a chain."""
