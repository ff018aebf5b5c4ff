"""What an agent says of the configurations of its switches: never the text, never a secret."""

from tenone.vocabulary.metric import ColumnType as T
from tenone.vocabulary.metric import Metric, care_metric

METRICS_CONFIGURATIONS: tuple[Metric, ...] = (
    care_metric("config_at_ms", "ms", T.INT64, "epoch: when the configuration was fetched"),
    care_metric("config_hash", "text", T.TEXT, "SHA-256 (hex) of its lines, secrets masked"),
    care_metric("config_accepted", "text", T.TEXT, "that of the accepted one; equal: no drift"),
    care_metric("config_differences", "text", T.TEXT, "accepted to found, secrets masked; cut"),
    care_metric("config_broken", "text", T.TEXT, "rules that do not hold: JSON, en and zh"),
    care_metric("config_error", "text", T.TEXT, "why it could not be fetched or kept; or empty"),
)

CONFIGURATIONS = tuple(metric.name for metric in METRICS_CONFIGURATIONS)
"""Stream ``configurations``, subject ``<school>/gateway/configurations``; row: the switch."""
