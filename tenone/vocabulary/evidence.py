"""What an agent signs: checkpoints of its chains (BLOCKS.md, "Seal")."""

from tenone.vocabulary.metric import ColumnType as T
from tenone.vocabulary.metric import Metric, node_metric

METRICS_CHECKPOINT: tuple[Metric, ...] = (
    node_metric("checkpoint_text", "text", T.TEXT, "the canonical text, tenone/blocks/seal.py"),
    node_metric("checkpoint_key", "text", T.TEXT, "Ed25519 public key (RFC 8032), hex"),
    node_metric("checkpoint_signature", "text", T.TEXT, "Ed25519 over the text's UTF-8, hex"),
)

CHECKPOINT = ("checkpoint_text", "checkpoint_key", "checkpoint_signature")
"""One row: what an agent signs of its chain heads every minute and at every shutdown."""
