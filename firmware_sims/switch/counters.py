"""Traffic of a port as a function of time and seed: no state but what a change folds in."""

import math
import random

_BYTES_A_MEGABIT = 125_000
_SWING = 0.8
"""How far the load moves around its mean; under 1, so that octets never go back."""


class Traffic:
    """Octets and frames of one port since its switch started.

    Times are seconds since the switch was made, and never go back.
    """

    def __init__(self, seed: str, started: float = 0.0) -> None:
        chance = random.Random(seed)
        self._share = chance.uniform(0.01, 0.12)
        self._out_share = chance.uniform(0.05, 0.6)
        self._period_seconds = chance.uniform(120, 900)
        self._phase = chance.uniform(0, 2 * math.pi)
        self.unicast_octets = chance.randint(420, 980)
        """Mean octets of a frame, by which unicast frames are counted."""
        self._since = started
        self._octets = 0.0
        self._errors = 0.0
        self._discards = 0.0
        self._octets_per_second = 0.0
        self._errors_per_second = 0.0
        self._discards_per_second = 0.0

    def load(
        self,
        now: float,
        *,
        speed_mbps: int,
        errors_per_second: float,
        discards_per_second: float,
    ) -> None:
        """From ``now`` on the port carries what its speed allows; 0 stops it."""
        self._fold(now)
        self._octets_per_second = self._share * speed_mbps * _BYTES_A_MEGABIT
        self._errors_per_second = errors_per_second if speed_mbps else 0.0
        self._discards_per_second = discards_per_second if speed_mbps else 0.0

    def restart(self, now: float) -> None:
        """All counters begin at 0 again."""
        self._fold(now)
        self._octets = self._errors = self._discards = 0.0

    def in_octets(self, now: float) -> int:
        """Octets received."""
        return int(self._octets + self._moved(now))

    def out_octets(self, now: float) -> int:
        """Octets sent: a fixed share of those received, as pupils mostly read."""
        return int((self._octets + self._moved(now)) * self._out_share)

    def errors(self, now: float) -> int:
        """Frames with errors."""
        return int(self._errors + self._errors_per_second * (now - self._since))

    def discards(self, now: float) -> int:
        """Frames thrown away for want of room."""
        return int(self._discards + self._discards_per_second * (now - self._since))

    def _fold(self, now: float) -> None:
        self._octets += self._moved(now)
        self._errors += self._errors_per_second * (now - self._since)
        self._discards += self._discards_per_second * (now - self._since)
        self._since = now

    def _moved(self, now: float) -> float:
        """The integral of mean x (1 + swing sin(w t + phase)) from the last fold to ``now``."""
        w = 2 * math.pi / self._period_seconds
        waves = math.cos(w * self._since + self._phase) - math.cos(w * now + self._phase)
        return self._octets_per_second * (now - self._since + _SWING / w * waves)
