"""Token buckets: how much one may say or ask before the others suffer.

Time is monotonic nanoseconds, handed in.
"""

from collections import OrderedDict


class TokenBucket:
    """``burst`` at once, ``rate`` a second in the long run."""

    __slots__ = ("_burst", "_rate", "_seen_ns", "_tokens")

    def __init__(self, *, rate: float, burst: float, now_ns: int) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._seen_ns = now_ns

    def take(self, now_ns: int) -> bool:
        """Whether one more is within the bounds; uses one token if so."""
        elapsed = max(now_ns - self._seen_ns, 0) / 1e9
        self._seen_ns = now_ns
        self._tokens = min(self._burst, self._tokens + elapsed * self._rate)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    @property
    def wait_seconds(self) -> float:
        """After a refusal: how long until there is a token."""
        return max(0.0, 1 - self._tokens) / self._rate


class Buckets:
    """A bucket a name; beyond ``most`` names the one not heard of for longest is forgotten."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._of: OrderedDict[str, TokenBucket] = OrderedDict()

    def take(self, name: str, now_ns: int, *, rate: float, burst: float) -> float:
        """0 where one more is within the bounds, else how many seconds to wait.

        Rate and burst are those of the first time the name is heard.
        """
        bucket = self._of.pop(name, None)
        if bucket is None:
            bucket = TokenBucket(rate=rate, burst=burst, now_ns=now_ns)
        self._of[name] = bucket
        if len(self._of) > self._most:
            self._of.popitem(last=False)
        return 0.0 if bucket.take(now_ns) else bucket.wait_seconds
