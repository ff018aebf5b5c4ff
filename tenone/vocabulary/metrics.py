"""The metric catalogue: one entry a column, from the device's value to the pixel.

A column that is not listed here cannot be put into a layout, and an entry without a
grade and a purpose cannot be built: that is how ungraded data is kept out (R27).
"""

from types import MappingProxyType

from tenone.vocabulary.body import METRICS_BODY
from tenone.vocabulary.configurations import METRICS_CONFIGURATIONS
from tenone.vocabulary.egress import METRICS_EGRESS
from tenone.vocabulary.evidence import METRICS_CHECKPOINT
from tenone.vocabulary.findings import METRICS_FINDINGS
from tenone.vocabulary.metric import ColumnType as T
from tenone.vocabulary.metric import Metric, care_metric, node_metric, port_metric
from tenone.vocabulary.probes import METRICS_PROBES
from tenone.vocabulary.repairs import METRICS_REPAIRS
from tenone.vocabulary.surroundings import METRICS_SURROUNDINGS
from tenone.vocabulary.uplink import METRICS_UPLINK

_ALL: tuple[Metric, ...] = (
    # State of a port: asked for every few seconds.
    port_metric("if_index", "1", T.UINT32, "IF-MIB ifIndex"),
    port_metric("admin", "enum", T.UINT8, "IF-MIB ifAdminStatus"),
    port_metric("oper", "enum", T.UINT8, "IF-MIB ifOperStatus"),
    port_metric("speed_mbps", "Mbit/s", T.UINT32, "IF-MIB ifHighSpeed, else ifSpeed"),
    port_metric("duplex", "enum", T.UINT8, "EtherLike-MIB dot3StatsDuplexStatus"),
    port_metric("last_change_ticks", "10 ms", T.UINT32, "IF-MIB ifLastChange (TimeTicks)"),
    # Counters of a port: asked for every minute.
    port_metric("in_octets", "byte", T.UINT64, "IF-MIB ifHCInOctets", counter=True),
    port_metric("out_octets", "byte", T.UINT64, "IF-MIB ifHCOutOctets", counter=True),
    port_metric("in_unicast", "frame", T.UINT64, "IF-MIB ifHCInUcastPkts", counter=True),
    port_metric("out_unicast", "frame", T.UINT64, "IF-MIB ifHCOutUcastPkts", counter=True),
    port_metric("in_multicast", "frame", T.UINT64, "IF-MIB ifHCInMulticastPkts", counter=True),
    port_metric("out_multicast", "frame", T.UINT64, "IF-MIB ifHCOutMulticastPkts", counter=True),
    port_metric("in_broadcast", "frame", T.UINT64, "IF-MIB ifHCInBroadcastPkts", counter=True),
    port_metric("out_broadcast", "frame", T.UINT64, "IF-MIB ifHCOutBroadcastPkts", counter=True),
    port_metric("in_errors", "frame", T.UINT64, "IF-MIB ifInErrors", counter=True),
    port_metric("out_errors", "frame", T.UINT64, "IF-MIB ifOutErrors", counter=True),
    port_metric("in_discards", "frame", T.UINT64, "IF-MIB ifInDiscards", counter=True),
    port_metric("out_discards", "frame", T.UINT64, "IF-MIB ifOutDiscards", counter=True),
    port_metric("discontinuity_ticks", "10 ms", T.UINT32, "IF-MIB ifCounterDiscontinuityTime"),
    port_metric(
        "narrow_counters",
        "bits",
        T.UINT16,
        "bit k: on this port the k-th column of PORT_COUNTERS has 32 bits",
    ),
    # Inventory of a port: asked for hourly and on change.
    port_metric("if_name", "text", T.TEXT, "IF-MIB ifName"),
    port_metric("if_descr", "text", T.TEXT, "IF-MIB ifDescr"),
    port_metric("if_alias", "text", T.TEXT, "IF-MIB ifAlias"),
    port_metric("if_type", "enum", T.UINT16, "IF-MIB ifType (IANAifType)"),
    port_metric("mtu", "byte", T.UINT32, "IF-MIB ifMtu"),
    port_metric("mac", "text", T.TEXT, "IF-MIB ifPhysAddress, lower-case hex with colons"),
    # A switch as a whole, one row a switch.
    port_metric("reachable", "bool", T.UINT8, "1 answered in its budget, 0 did not"),
    port_metric("poll_error", "text", T.TEXT, "why the last sweep failed; empty if not"),
    port_metric("sys_descr", "text", T.TEXT, "SNMPv2-MIB sysDescr"),
    port_metric("sys_object_id", "text", T.TEXT, "SNMPv2-MIB sysObjectID"),
    port_metric("sys_name", "text", T.TEXT, "SNMPv2-MIB sysName"),
    port_metric("sys_uptime_ticks", "10 ms", T.UINT32, "SNMPv2-MIB sysUpTime"),
    # Class board, one row a board (device contract, CONTRACT "MQTT").
    care_metric("online", "bool", T.UINT8, "status topic or MQTT will: 1 connected, 0 not"),
    care_metric("screen_on", "bool", T.UINT8, "board m: screen"),
    care_metric("app", "text", T.TEXT, "board m: foreground application"),
    care_metric("firmware", "text", T.TEXT, "board m: firmware version"),
    care_metric("cpu_ratio", "1", T.FLOAT32, "board m: CPU share 0..1"),
    care_metric("storage_free_bytes", "byte", T.UINT64, "board m: free storage"),
    care_metric("rssi_dbm", "dBm", T.INT8, "board m: Wi-Fi signal; null on a wired board"),
    care_metric("temperature_celsius", "Cel", T.FLOAT32, "board m: board temperature"),
    care_metric("volume_ratio", "1", T.FLOAT32, "board m: loudspeaker volume 0..1"),
    care_metric("message_counter", "1", T.UINT64, "device body n: counter since boot"),
    care_metric("device_time_ms", "ms", T.INT64, "device body ts: epoch ms as the device said it"),
    # The gateway itself, one row.
    node_metric("agent_version", "text", T.TEXT, "the agent's package version"),
    node_metric("uptime_seconds", "s", T.FLOAT64, "since the agent process started"),
    node_metric("outbox_bytes", "byte", T.UINT64, "bytes kept in the journal"),
    node_metric("outbox_blocks", "1", T.UINT64, "blocks kept and not yet receipted"),
    node_metric("quarantined_total", "1", T.UINT64, "device messages refused since start"),
    node_metric("quarantine_reasons", "text", T.TEXT, "how many of them for which reason"),
    node_metric("rss_bytes", "byte", T.UINT64, "resident memory of the agent process"),
    node_metric("hints_total", "1", T.UINT64, "traps, informs and syslog lines believed"),
    node_metric("hint_polls_total", "1", T.UINT64, "state sweeps asked for because of them"),
    node_metric("hints_refused_total", "1", T.UINT64, "datagrams to the hint ports not believed"),
    node_metric("hint_reasons", "text", T.TEXT, "how many of them for which reason"),
    node_metric("certificate_seconds_left", "s", T.FLOAT64, "until the agent's certificate ends"),
    node_metric("certificate_finding", "text", T.TEXT, "why it needs care; empty: it does not"),
    node_metric("repair_trouble", "text", T.TEXT, "what does not come to its end; empty: nothing"),
    node_metric("vault_trouble", "text", T.TEXT, "why the vault is not as it was, or empty"),
    node_metric("ledger_trouble", "text", T.TEXT, "what the city's ledger contradicts, or empty"),
    # A gap record: what eviction took out of a class's chain (BLOCKS.md).
    node_metric("gap_first_seq", "1", T.UINT64, "first sequence number evicted"),
    node_metric("gap_last_seq", "1", T.UINT64, "last sequence number evicted"),
    node_metric("gap_count", "1", T.UINT64, "blocks evicted"),
    node_metric("gap_reason", "text", T.TEXT, "why, in one word"),
    node_metric("gap_last_hash", "text", T.TEXT, "SHA-256 of the last evicted block, hex"),
    *METRICS_CHECKPOINT,
    *METRICS_FINDINGS,
    *METRICS_EGRESS,
    *METRICS_UPLINK,
    *METRICS_PROBES,
    *METRICS_BODY,
    *METRICS_CONFIGURATIONS,
    *METRICS_REPAIRS,
    *METRICS_SURROUNDINGS,
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
    "narrow_counters",
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
    "hints_total",
    "hint_polls_total",
    "hints_refused_total",
    "hint_reasons",
    "certificate_seconds_left",
    "certificate_finding",
    "repair_trouble",
    "ledger_trouble",
    "vault_trouble",
)
"""One row: the gateway itself."""

GAP = ("gap_first_seq", "gap_last_seq", "gap_count", "gap_reason", "gap_last_hash")
"""One row: what an eviction took out of a chain."""
