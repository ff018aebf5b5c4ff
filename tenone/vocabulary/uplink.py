"""What the city's broker did to the gateway's session that no network does."""

from tenone.vocabulary.metric import ColumnType as T
from tenone.vocabulary.metric import Metric, node_metric

METRICS_UPLINK: tuple[Metric, ...] = (
    node_metric("uplink_takeovers_total", "1", T.UINT32, "sessions ended by another one (0x8E)"),
    node_metric("uplink_refusals_total", "1", T.UINT32, "topics the broker refused (0x87)"),
    node_metric("uplink_ended_total", "1", T.UINT32, "sessions an administrator ended (0x98)"),
    node_metric("uplink_trouble_last", "text", T.TEXT, "the newest of them, as a sentence"),
)

UPLINK = (
    "uplink_takeovers_total",
    "uplink_refusals_total",
    "uplink_ended_total",
    "uplink_trouble_last",
)
"""One row: the gateway itself, since its start. Sent when one of the counts has grown."""
