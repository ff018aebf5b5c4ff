"""Refusals in the ledger: each one while they are few, counted together while they are a flood.

Anybody may knock at a door that everybody can reach: refused sign-ins, keys, machines. A thousand
a second would be gigabytes of ledger a day, and its writer would be theirs. So each address may
make ten entries a minute and each kind of act thirty; what is beyond is counted, and a minute's
count is one entry, ``refusals.sum``. What was *done* is never counted together.
"""

from collections import Counter

from controller.trust.entries import Entry, Outcome
from tenone.runtime.bucket import Buckets

SUM = "refusals.sum"
AN_ADDRESS, IN_ALL = 10, 30
"""Entries a minute; a burst may be as many at once."""
MOST_ADDRESSES = 10_000
"""Addresses told from each other; beyond it they are "or more"."""
SUM_SECONDS = 60.0


class Refusals:
    """Decides which refusals become entries. In the event loop's thread, no I/O."""

    def __init__(self, *, an_address: int = AN_ADDRESS, in_all: int = IN_ALL) -> None:
        self._an_address = an_address
        self._in_all = in_all
        self._addresses = Buckets(MOST_ADDRESSES)
        self._kinds = Buckets(MOST_ADDRESSES)
        self._acts: Counter[str] = Counter()
        self._from: set[str] = set()
        self._overflow = False
        self.total = 0
        """Refusals that were counted together, since the start."""

    def admits(self, entry: Entry, now_ns: int) -> bool:
        """Whether it becomes an entry of its own; if not, it is counted."""
        if entry.outcome is not Outcome.REFUSED:
            return True
        noun = entry.act.partition(".")[0]
        who = str(entry.detail.get("client") or entry.actor)
        if (
            self._take(self._addresses, f"{noun} {who}", now_ns, self._an_address) > 0
            or self._take(self._kinds, noun, now_ns, self._in_all) > 0
        ):
            self._count(entry.act, who)
            return False
        return True

    def sum_up(self) -> Entry | None:
        """The entry of what was counted since the last one; None: nothing was."""
        count = self._acts.total()
        if not count:
            return None
        detail: dict[str, str | int | float | bool | None] = {
            "count": count,
            "addresses": len(self._from),
            "acts": " ".join(f"{act}={one}" for act, one in sorted(self._acts.items()))[:1000],
        }
        if self._overflow:
            detail["or_more"] = True
        self._acts.clear()
        self._from.clear()
        self._overflow = False
        return Entry(act=SUM, actor="system", outcome=Outcome.REFUSED, detail=detail)

    def _count(self, act: str, who: str) -> None:
        self.total += 1
        self._acts[act] += 1
        if len(self._from) < MOST_ADDRESSES:
            self._from.add(who)
        else:
            self._overflow = self._overflow or who not in self._from

    @staticmethod
    def _take(buckets: Buckets, name: str, now_ns: int, a_minute: int) -> float:
        return buckets.take(name, now_ns, rate=a_minute / 60, burst=a_minute)
