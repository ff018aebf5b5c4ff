"""A token bucket: how much one device may say before the others suffer."""


class TokenBucket:
    """``burst`` messages at once, ``rate`` a second in the long run.

    Time is monotonic nanoseconds, handed in.
    """

    __slots__ = ("_burst", "_rate", "_seen_ns", "_tokens")

    def __init__(self, *, rate: float, burst: float, now_ns: int) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._seen_ns = now_ns

    def take(self, now_ns: int) -> bool:
        """Whether one more message is within the bounds; uses one token if so."""
        elapsed = max(now_ns - self._seen_ns, 0) / 1e9
        self._seen_ns = now_ns
        self._tokens = min(self._burst, self._tokens + elapsed * self._rate)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
