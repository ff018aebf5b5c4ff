"""How often the door may be tried: a limit for each caller and one for all of them."""

from collections import deque

WINDOW_SECONDS = 60.0
A_CLIENT = 10
IN_ALL = 100


class Attempts:
    """Counts what it is told of the last minute: failures, where what succeeds costs nothing."""

    def __init__(self, *, a_client: int = A_CLIENT, in_all: int = IN_ALL) -> None:
        self._a_client = a_client
        self._in_all = in_all
        self._failures: deque[tuple[float, str]] = deque()

    def wait(self, now: float, client: str) -> float:
        """How many seconds ``client`` must wait before it may try; 0: not at all."""
        while self._failures and self._failures[0][0] <= now - WINDOW_SECONDS:
            self._failures.popleft()
        own = [at for at, who in self._failures if who == client]
        waits = [0.0]
        if len(own) >= self._a_client:
            waits.append(own[-self._a_client] + WINDOW_SECONDS - now)
        if len(self._failures) >= self._in_all:
            waits.append(self._failures[-self._in_all][0] + WINDOW_SECONDS - now)
        return max(waits)

    def failed(self, now: float, client: str) -> None:
        """One more."""
        self._failures.append((now, client))
