"""What an agent did to a switch, step by step: evidence that outlives a cut uplink.

One block a step, one row: the action's id. So whoever reads the blocks knows how an action ended,
even one whose answer never came.
"""

from enum import IntEnum

from tenone.vocabulary.metric import ColumnType as T
from tenone.vocabulary.metric import Metric, port_metric


class RepairStep(IntEnum):
    """Where an action at a switch stands; ``final`` ones end it."""

    BEGUN = 1
    """The approval is used up, the switch is about to be told."""
    APPLIED = 2
    """All lines were taken by the switch."""
    GOOD = 3
    """The indicator is good for the first time: no proof yet."""
    PROVED = 4
    """Still good after the hold."""
    DONE = 5
    """Proved, and kept where there is something to keep. Also: measured, saved."""
    UNDOING = 6
    """It did not help, or something went wrong: the way back."""
    UNDONE = 7
    """As before, read back from the switch."""
    STUCK = 8
    """Neither: a person has to look, now."""
    ENDED = 9
    """A window of time is over, and what it had changed is as before."""

    @property
    def final(self) -> bool:
        """Nothing follows by itself (but :attr:`ENDED` a window)."""
        return self in {RepairStep.DONE, RepairStep.UNDONE, RepairStep.STUCK, RepairStep.ENDED}


METRICS_REPAIRS: tuple[Metric, ...] = (
    port_metric("repair_intent", "text", T.TEXT, "tenone.vocabulary.intents.Intent"),
    port_metric("repair_switch", "text", T.TEXT, "school.yaml: switches.name"),
    port_metric("repair_port", "text", T.TEXT, "port key; empty where it concerns the switch"),
    port_metric("repair_step", "1", T.UINT8, "tenone.vocabulary.repairs.RepairStep"),
    port_metric("repair_at_ms", "ms", T.INT64, "epoch, the agent's clock"),
    port_metric("repair_sentence", "text", T.TEXT, "what happened, one sentence"),
    port_metric("repair_cable", "text", T.TEXT, "cable test, JSON (drivers.cli.cable); or empty"),
    port_metric("repair_transcript", "text", T.TEXT, "lines and answers, secrets masked"),
    port_metric("repair_said", "text", T.TEXT, "the sentence's clauses, JSON (.sayings)"),
)

REPAIRS = tuple(metric.name for metric in METRICS_REPAIRS)
"""Stream ``repairs``, subject ``<school>/gateway/repairs``; row: the action's id."""
