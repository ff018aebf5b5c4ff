"""Names nobody has fail and lock as others do, within bounded memory.

What is forgotten under a flood of names is what was tried least: to have a name forgotten that is
locked, a flood must itself lock as many as are kept.
"""

from collections import OrderedDict

from controller.trust.people.model import FAILURES
from controller.trust.people.throttle import UNKNOWN, Tally, failed

MOST_STRANGERS = 10_000
"""Of each of the two kinds below; some 200 bytes a name."""
MOST_NAME = 64


class Strangers:
    """Tallies of names without an account."""

    def __init__(self, most: int = MOST_STRANGERS) -> None:
        self._most = most
        self._tried: OrderedDict[str, Tally] = OrderedDict()
        """Never locked yet; the one not tried for longest first."""
        self._locked: OrderedDict[str, Tally] = OrderedDict()
        self.dropped = 0
        """Names forgotten because there were too many."""

    def tally(self, name: str) -> Tally:
        """What is counted of a name."""
        key = name[:MOST_NAME]
        return self._locked.get(key) or self._tried.get(key) or Tally()

    def failed(self, name: str, now: float) -> Tally:
        """Count one more."""
        key = name[:MOST_NAME]
        after = failed(self.tally(key), now, UNKNOWN)
        self._tried.pop(key, None)
        self._locked.pop(key, None)
        kept = self._locked if after.failures >= FAILURES else self._tried
        kept[key] = after
        if len(kept) > self._most:
            kept.popitem(last=False)
            self.dropped += 1
        return after

    def __len__(self) -> int:
        """Names kept."""
        return len(self._tried) + len(self._locked)
