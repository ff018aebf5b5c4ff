"""What the reader of a switch found wrong with it: the closed list of docs/agent-faults.md."""

from tenone.vocabulary.metric import ColumnType as T
from tenone.vocabulary.metric import Metric, port_metric

METRICS_FINDINGS: tuple[Metric, ...] = (
    port_metric("finding_code", "text", T.TEXT, "docs/agent-faults.md: what the agent gets wrong"),
    port_metric("finding_port", "text", T.TEXT, "port key; null: the device as a whole"),
    port_metric("finding_sentence", "text", T.TEXT, "what is wrong and how it is taken"),
    port_metric("finding_evidence", "text", T.TEXT, "object and raw value of the first sighting"),
)

FINDINGS = ("finding_code", "finding_port", "finding_sentence", "finding_evidence")
"""One row a fault and port. Sent when the set changes and with the inventory; no rows: none."""
