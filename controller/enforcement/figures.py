"""What is counted of repairs since the start, for /metrics."""

from collections import Counter
from dataclasses import dataclass, field

BUCKETS = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 3600.0)
"""Seconds, upper bounds."""


@dataclass(slots=True)
class Figures:
    """Repairs by intent and outcome; seconds from fault to proof as a histogram."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    buckets: list[int] = field(default_factory=lambda: [0] * len(BUCKETS))
    """Not cumulative; what took longer is in :attr:`count` alone."""
    count: int = 0
    seconds: float = 0.0

    def ended(self, intent: str, outcome: str) -> None:
        """One more."""
        self.outcomes[intent, outcome] += 1

    def proved(self, seconds: float) -> None:
        """One more fault that was cured."""
        self.count += 1
        self.seconds += seconds
        for place, bound in enumerate(BUCKETS):
            if seconds <= bound:
                self.buckets[place] += 1
                break
