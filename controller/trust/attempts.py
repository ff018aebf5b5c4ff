"""How often the door may be tried: a limit for each caller and, where wanted, one for all of them.

What is kept is bounded by what may be tried: a caller who must wait is not counted further. A
caller is an address; of IPv6 the network of 64 bits, for whoever has one address has them all.
"""

import ipaddress
from collections import OrderedDict, deque

WINDOW_SECONDS = 60.0
A_CLIENT = 10
IN_ALL = 100
MOST_CLIENTS = 10_000
V6_BITS = 64


class Attempts:
    """Counts what it is told of the last minute: failures, where what succeeds costs nothing."""

    def __init__(
        self, *, a_client: int = A_CLIENT, in_all: int | None = IN_ALL, most: int = MOST_CLIENTS
    ) -> None:
        """``in_all`` None: nobody waits for what others do. ``most``: callers remembered."""
        self._a_client = a_client
        self._in_all = in_all
        self._most = most
        self._of: OrderedDict[str, deque[float]] = OrderedDict()
        """By caller, the one who failed last at the end."""
        self._all: deque[float] = deque(maxlen=in_all or 1)
        self.dropped = 0
        """Callers forgotten before their minute was over, because there were too many."""

    def wait(self, now: float, client: str) -> float:
        """How many seconds ``client`` must wait before it may try; 0: not at all."""
        self._forget(now)
        waits = [0.0]
        own = self._of.get(caller_of(client))
        if own is not None and len(own) >= self._a_client:
            waits.append(own[0] + WINDOW_SECONDS - now)
        if self._in_all is not None and len(self._all) >= self._in_all:
            waits.append(self._all[0] + WINDOW_SECONDS - now)
        return max(waits)

    def failed(self, now: float, client: str) -> None:
        """One more."""
        caller = caller_of(client)
        own = self._of.setdefault(caller, deque(maxlen=self._a_client))
        own.append(now)
        self._of.move_to_end(caller)
        self._all.append(now)
        while len(self._of) > self._most:
            self._of.popitem(last=False)
            self.dropped += 1

    def __len__(self) -> int:
        """Callers kept."""
        return len(self._of)

    def _forget(self, now: float) -> None:
        while self._of:
            caller, own = next(iter(self._of.items()))
            if own[-1] > now - WINDOW_SECONDS:
                break
            del self._of[caller]


def caller_of(client: str) -> str:
    """Who counts as one: an IPv4 address, mapped or not; the /64 of an IPv6 address."""
    try:
        address = ipaddress.ip_address(client.partition("%")[0])
    except ValueError:
        return client
    if address.version == 4:  # noqa: PLR2004 - of IP
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, V6_BITS), strict=False))
