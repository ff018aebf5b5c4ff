"""Counters and gauges of the audit ledger, for /metrics."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFigures:
    """As they stand."""

    writable: bool
    """False: what must be ledgered is refused."""
    entries: int
    """Number of the newest entry."""
    refused: int
    """Entries that could not be written since the start."""
    held: int
    """Notes that wait for the ledger."""
    lost: int
    """Notes that were too many to hold."""
    anchors: tuple[tuple[str, float | None, bool], ...] = ()
    """Name, seconds since it took a head (None: never), whether it contradicts the ledger."""
    witnesses: int = 0
    """Schools that keep a head of it."""
    contradicting: int = 0
    """Schools that keep what it does not hold."""
    summed: int = 0
    """Refusals that were counted together since the start."""
    exported: int | None = None
    """Number of the newest entry the SIEM has; None: there is none."""
