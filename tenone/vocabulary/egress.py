"""What the gateway did not send: destinations outside its egress list."""

from tenone.vocabulary.metric import ColumnType as T
from tenone.vocabulary.metric import Metric, node_metric

METRICS_EGRESS: tuple[Metric, ...] = (
    node_metric("egress_refused_total", "1", T.UINT64, "sendings outside school.yaml: egress"),
    node_metric("egress_destinations", "1", T.UINT32, "different destinations among them"),
    node_metric("egress_enforced", "bool", T.UINT8, "1: they were refused; 0: counted only"),
    node_metric("egress_last", "text", T.TEXT, "the newest of them, as a sentence"),
)

EGRESS = (
    "egress_refused_total",
    "egress_destinations",
    "egress_enforced",
    "egress_last",
)
"""One row: the gateway itself. Sent at start and when the count has grown."""
