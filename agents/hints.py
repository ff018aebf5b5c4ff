"""Traps and log lines as hints: who sent it is looked at, at once and once more; nothing else.

A hint decides nothing. It makes the poller sweep the switch it came from, and what that sweep
says is kept. So a forged hint costs one sweep, and a storm of them no more than
:data:`LOOKS_A_SECOND`, shared fairly: a switch waits in the queue once, however often it
calls, and in the long run is looked at once in :data:`GAP_SECONDS`.

The second look comes because switches send traps before their tables move.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from agents.poller import PollError
from agents.waiting import sleep_or
from drivers.snmp.endpoint import Address
from tenone.runtime.bucket import TokenBucket
from tenone.runtime.clock import Clock
from tenone.vocabulary.hints import Hint, Refusal

log = logging.getLogger(__name__)

GAP_SECONDS, AT_ONCE = 2.0, 3
"""One switch is looked at once in so long, but so many times on end after a calm."""
SECOND_LOOK_SECONDS = 2.0
LOOKS_A_SECOND, LOOKS_AT_ONCE = 20.0, 40.0
"""Of all switches together."""
UNDER_WAY = 16
"""Looks at the same time: silent switches take long to be found silent."""
SOURCE_RATE, SOURCE_BURST = 10.0, 50.0
"""Datagrams a second that one address has decoded."""
ALL_RATE, ALL_BURST = 100.0, 200.0
"""Datagrams a second that all addresses together have decoded."""
IDLE_SECONDS = 3_600.0
_GAP_NS = round(GAP_SECONDS * 1e9)

Look = Callable[[str], Awaitable[None]]
"""Sweeps one switch; raises :class:`PollError` when it is silent."""
Read = Callable[[bytes, Address], Hint | Refusal | None]


@dataclass(slots=True)
class _Due:
    """When a switch is to be looked at, in monotonic nanoseconds; None: not."""

    soon_ns: int | None = None
    later_ns: int | None = None
    paid_ns: int = -(2**62)
    """Until when the looks taken have used up what is allowed (a leaky bucket of time)."""
    busy: bool = False

    def at_ns(self) -> int | None:
        """The next look, if there is to be one."""
        wanted = [at for at in (self.soon_ns, self.later_ns) if at is not None]
        if not wanted or self.busy:
            return None
        return max(min(wanted), self.paid_ns - (AT_ONCE - 1) * _GAP_NS)

    def begin(self, now_ns: int) -> None:
        """A look begins."""
        self.paid_ns = max(self.paid_ns, now_ns) + _GAP_NS
        self.soon_ns = None
        if self.later_ns is not None and self.later_ns <= now_ns:
            self.later_ns = None


@dataclass(slots=True)
class _Source:
    bucket: TokenBucket
    is_trusted: bool = False
    """Whether the last datagram that was read from here was believed."""


class Hints:
    """Maps sources to switches and bounds what they may cause. Give :meth:`run` to a supervisor.

    ``sources`` are the numeric addresses of each switch; several switches may share one (a
    relay, a simulator), then all of them are looked at.
    """

    def __init__(self, *, clock: Clock, look: Look, sources: Mapping[str, Sequence[str]]) -> None:
        self.total = 0
        """Hints believed."""
        self.polls = 0
        """Looks begun."""
        self._clock = clock
        self._look = look
        self._refusals: Counter[Refusal] = Counter()
        self._switches: dict[str, list[str]] = {}
        self._due: dict[str, _Due] = {}
        now_ns = clock.monotonic_ns()
        self._all = TokenBucket(rate=ALL_RATE, burst=ALL_BURST, now_ns=now_ns)
        self._looks = TokenBucket(rate=LOOKS_A_SECOND, burst=LOOKS_AT_ONCE, now_ns=now_ns)
        self._buckets: dict[str, _Source] = {}
        self._called = asyncio.Event()
        for switch, addresses in sources.items():
            self.known(switch, addresses)

    @property
    def refused(self) -> int:
        """Datagrams not believed."""
        return self._refusals.total()

    @property
    def reasons(self) -> str:
        """How many for which reason, such as ``community=3 flood=1``."""
        return " ".join(f"{why.value}={count}" for why, count in sorted(self._refusals.items()))

    def known(self, switch: str, addresses: Sequence[str]) -> None:
        """What ``switch`` sends from; replaces what was known of it."""
        for switches in self._switches.values():
            if switch in switches:
                switches.remove(switch)
        for address in addresses:
            switches = self._switches.setdefault(address, [])
            if switch not in switches:
                switches.append(switch)
        self._due.setdefault(switch, _Due())

    def take(self, data: bytes, address: Address, read: Read) -> None:
        """One datagram; ``read`` decodes it if its source may still have one decoded."""
        host = address[0].partition("%")[0].removeprefix("::ffff:")
        switches = self._switches.get(host)
        if not switches:
            self._refusals[Refusal.UNKNOWN_SOURCE] += 1
            return
        now_ns = self._clock.monotonic_ns()
        source = self._buckets.get(host)
        if source is None:
            bucket = TokenBucket(rate=SOURCE_RATE, burst=SOURCE_BURST, now_ns=now_ns)
            source = self._buckets[host] = _Source(bucket)
        if not (source.bucket.take(now_ns) and self._all.take(now_ns)):
            self._refusals[Refusal.FLOOD] += 1
            if source.is_trusted:
                # It may hold what matters; a look at the switch says so either way.
                self._call(switches, now_ns)
            return
        found = read(data, address)
        if isinstance(found, Hint):
            source.is_trusted = True
            self.total += 1
            log.debug("%s of %s says: %s", host, ", ".join(switches), _words(found))
            if found.kind.is_worth_a_look:
                self._call(switches, now_ns)
        elif found is not None:
            source.is_trusted = False
            self._refusals[found] += 1

    def _call(self, switches: Sequence[str], now_ns: int) -> None:
        for switch in switches:
            due = self._due[switch]
            due.soon_ns = now_ns if due.soon_ns is None else due.soon_ns
            due.later_ns = now_ns + round(SECOND_LOOK_SECONDS * 1e9)
        self._called.set()

    async def run(self) -> None:
        """Look at switches as they fall due, the one that has waited longest first."""
        async with asyncio.TaskGroup() as group:
            for due in self._due.values():
                due.busy = False
            under_way: set[asyncio.Task[None]] = set()
            while True:
                self._called.clear()
                now_ns = self._clock.monotonic_ns()
                waiting = sorted(
                    (at, switch)
                    for switch, due in self._due.items()
                    if (at := due.at_ns()) is not None
                )
                wait_seconds = IDLE_SECONDS
                for at_ns, switch in waiting:
                    wait_seconds = (at_ns - now_ns) / 1e9
                    if wait_seconds > 0 or len(under_way) >= UNDER_WAY:
                        break
                    if not self._looks.take(now_ns):
                        wait_seconds = 1 / LOOKS_A_SECOND
                        break
                    wait_seconds = IDLE_SECONDS
                    self._due[switch].busy = True
                    task = group.create_task(self._look_at(switch), name=f"look at {switch}")
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)
                if len(under_way) >= UNDER_WAY:
                    wait_seconds = IDLE_SECONDS  # one that ends calls
                await sleep_or(self._clock, max(wait_seconds, 0.001), self._called)

    async def _look_at(self, switch: str) -> None:
        due = self._due[switch]
        due.begin(self._clock.monotonic_ns())
        self.polls += 1
        log.info("looking at %s because of a hint", switch)
        try:
            await self._look(switch)
        except PollError as error:
            log.info("look at %s: %s", switch, error)
        finally:
            due.busy = False
            self._called.set()


def _words(hint: Hint) -> str:
    return hint.kind.value if hint.port is None else f"{hint.kind.value} of {hint.port!r}"
