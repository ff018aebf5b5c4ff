"""Asks every switch at its own pace; a silent or slow one delays nobody else.

One sweep makes one block. A switch has two tasks, each of which asks one thing at a time: what
its ports do (state, counters), and what is walked (inventory, further tables), which may take
long and must not make a link's state wait. Slots that pass while a task is busy are skipped.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from agents.port_look import Look, LookError, look_of
from agents.ports import Keep
from agents.schedule import Grid, backoff_slots
from agents.switch import Kind, Switch
from agents.waiting import sleep_or
from tenone.runtime.clock import Clock
from tenone.runtime.supervisor import Supervisor
from tenone.vocabulary.scope import DeviceKind

log = logging.getLogger(__name__)

RETRY_SECONDS = 60.0
"""An inventory that came in part is asked for again so much later; then twice that, ..."""
QUICK_RETRIES = 10
"""After a change the inventory is tried with every state sweep, but no more often than this: a
switch that chokes on its own tables is not walked without end."""
REWIRED_SECONDS = 45.0
"""After a link came up its neighbour says who it is within 30 s (IEEE 802.1AB msgTxInterval)."""
REWIRED_GAP_SECONDS = 300.0
"""A port that goes up and down does not have the tables walked more often."""
_FAR_NS = 2**62
_PORTS = (Kind.STATE, Kind.COUNTERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """How often a switch is asked for what."""

    state_seconds: float = 10.0
    counters_seconds: float = 60.0
    inventory_seconds: float = 3600.0
    """The surroundings follow it."""
    health_seconds: float = 60.0
    jitter_ratio: float = 0.1

    def grid(self, kind: Kind, switch: str, start_ns: int) -> Grid:
        """The slots of one sweep of one switch."""
        seconds = {
            Kind.STATE: self.state_seconds,
            Kind.COUNTERS: self.counters_seconds,
            Kind.INVENTORY: self.inventory_seconds,
            Kind.HEALTH: self.health_seconds,
        }[kind]
        return Grid.of(
            f"{switch}/{kind}", start_ns=start_ns, interval=seconds, jitter_ratio=self.jitter_ratio
        )


class PollError(Exception):
    """A switch that was asked for on demand is unknown or silent; the message says which."""


class SwitchPoller:
    """The sweeps of one switch. Give :meth:`run` and :meth:`run_walks` to a supervisor."""

    def __init__(self, switch: Switch, *, clock: Clock, keep: Keep, cadence: Cadence) -> None:
        self.switch = switch
        self._clock = clock
        self._keep = keep
        self._cadence = cadence
        self._failures = 0
        self._cut = 0
        """Inventories on end that came in part."""
        self._asked = asyncio.Event()
        self._requests: list[asyncio.Future[None]] = []
        self._walks_due = dict.fromkeys((Kind.INVENTORY, *switch.tables), _FAR_NS)
        self._hastened = asyncio.Event()
        self._walked_ns: int | None = None
        """When the surroundings were last asked for."""

    @property
    def now_ns(self) -> int:
        """The monotonic time by which sweeps are stamped."""
        return self._clock.monotonic_ns()

    async def poll_now(self) -> None:
        """Sweep the state at once, between two other sweeps; raises :class:`PollError`.

        Of what has no ports to look at, such as a UPS, the health is read as well.
        """
        if self.switch.kind is not DeviceKind.SWITCH:
            self._hasten(self._clock.monotonic_ns(), Kind.HEALTH)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests.append(future)
        self._asked.set()
        await future
        if not self.switch.answers:
            raise PollError(self.switch.error)

    async def run(self) -> None:
        """Sweep for ever, by the grids. The first state slot meets the switch."""
        start_ns = self._clock.monotonic_ns()
        grids = {kind: self._cadence.grid(kind, self.switch.name, start_ns) for kind in _PORTS}
        due = {kind: grid.after(start_ns - 1) for kind, grid in grids.items()}
        self.switch.start_over()
        while True:
            wait_ns = min(due.values()) - self._clock.monotonic_ns()
            if await sleep_or(self._clock, wait_ns / 1e9, self._asked):
                await self._answer()
                continue
            now_ns = self._clock.monotonic_ns()
            for kind in _PORTS:
                if due[kind] > now_ns:
                    continue
                await self._sweep(kind)
                skip = backoff_slots(self._failures) if kind is Kind.STATE else 0
                due[kind] = grids[kind].after(self._clock.monotonic_ns(), skip)

    async def run_walks(self) -> None:
        """Walk for ever: inventory and health by their grids, all of them when there is reason."""
        start_ns = self._clock.monotonic_ns()
        grids = {
            kind: self._cadence.grid(kind, self.switch.name, start_ns)
            for kind in (Kind.INVENTORY, Kind.HEALTH)
        }
        self._hasten(grids[Kind.INVENTORY].after(start_ns - 1), Kind.INVENTORY)
        if self.switch.answers:
            self._hasten(start_ns, *self.switch.tables)
        while True:
            self._hastened.clear()
            wait_ns = min(self._walks_due.values()) - self._clock.monotonic_ns()
            if await sleep_or(self._clock, wait_ns / 1e9, self._hastened):
                continue
            for kind, at_ns in list(self._walks_due.items()):
                now_ns = self._clock.monotonic_ns()
                if at_ns > now_ns:
                    continue
                self._walks_due[kind] = _FAR_NS
                if kind is Kind.SURROUNDINGS:
                    self._walked_ns = now_ns
                drafts = await self.switch.ask(kind)
                if kind in grids:
                    self._hasten(grids[kind].after(self._clock.monotonic_ns()), kind)
                if kind is Kind.INVENTORY:
                    self._inventory_read()
                    self._hasten_surroundings(0.0)
                await self._keep(drafts)

    def _hasten(self, at_ns: int, *kinds: Kind) -> None:
        """Ask for these no later than ``at_ns``."""
        for kind in kinds:
            if self._walks_due.get(kind, at_ns) > at_ns:
                self._walks_due[kind] = at_ns
                self._hastened.set()

    def _hasten_surroundings(self, wait_seconds: float) -> None:
        at_ns = self._clock.monotonic_ns() + round(wait_seconds * 1e9)
        if self._walked_ns is not None:
            at_ns = max(at_ns, self._walked_ns + round(REWIRED_GAP_SECONDS * 1e9))
        self._hasten(at_ns, Kind.SURROUNDINGS)

    def _inventory_read(self) -> None:
        """One that came in part is asked for again, ever later."""
        self._cut = self._cut + 1 if self.switch.is_partial(Kind.INVENTORY) else 0
        if self._cut:
            again_seconds = RETRY_SECONDS * 2 ** min(self._cut - 1, 6)
            again_ns = self._clock.monotonic_ns() + round(again_seconds * 1e9)
            self._hasten(again_ns, Kind.INVENTORY)

    def _state_read(self, *, came_back: bool) -> None:
        """What a state sweep means for what is walked."""
        if came_back:
            self._inventory_read()
            self._hasten(self._clock.monotonic_ns(), *self.switch.tables)
        elif self.switch.is_rewired:
            self._hasten_surroundings(REWIRED_SECONDS)
        self.switch.is_rewired = False
        if self.switch.is_changed and self._cut <= QUICK_RETRIES:
            self._hasten(self._clock.monotonic_ns(), Kind.INVENTORY)

    async def _answer(self) -> None:
        self._asked.clear()
        requests, self._requests = self._requests, []
        try:
            await self._sweep(Kind.STATE)
        except BaseException:
            self._requests = requests + self._requests  # answered when the task runs again
            self._asked.set()
            raise
        for future in requests:
            if not future.done():
                future.set_result(None)

    async def _sweep(self, kind: Kind) -> None:
        if kind is Kind.STATE:
            answered = self.switch.answers
            drafts = await self.switch.ask_state()
            if self.switch.answers != answered or not (self.switch.answers or self._failures):
                log.info("%s: %s", self.switch.subject, self.switch.error or "answers")
            self._failures = 0 if self.switch.answers else self._failures + 1
            self._state_read(came_back=self.switch.answers and not answered)
        else:
            drafts = await self.switch.ask(kind)
        await self._keep(drafts)


class Poller:
    """All switches of a school, and the other devices that are polled.

    A switch is known by its name, another device by ``<kind>/<serial>``.
    """

    def __init__(
        self,
        switches: Iterable[SwitchPoller],
        *,
        own_ports: Callable[[str], frozenset[str]] = lambda _: frozenset(),
    ) -> None:
        self._own_ports = own_ports
        self._switches = {
            poller.switch.subject.removeprefix("switch/"): poller for poller in switches
        }

    def start(self, tasks: Supervisor) -> None:
        """Two tasks a switch."""
        for poller in self._switches.values():
            kind, _, name = poller.switch.subject.partition("/")
            tasks.start(f"{kind} {name}", poller.run)
            tasks.start(f"walks of {kind} {name}", poller.run_walks)

    async def poll_now(self, switch: str) -> None:
        """Sweep one switch or UPS at once; raises :class:`PollError`."""
        poller = self._switches.get(switch)
        if poller is None:
            raise PollError(f"there is no switch {switch!r} in school.yaml")
        await poller.poll_now()

    # -- for whoever changes a port (agents.port_look.Eyes) --------------------------------

    async def look(self, switch: str) -> Look:
        """Sweep a switch at once; what it said. Raises :class:`LookError`."""
        asked_ns = self._find(switch).now_ns
        try:
            await self.poll_now(switch)
        except PollError as error:
            raise LookError(f"{switch} does not answer: {error}") from error
        sweep = self._find(switch).switch.last_state
        if sweep is None or sweep.sent_ns < asked_ns:
            raise LookError(f"{switch} has said nothing new of its ports")
        return look_of(sweep)

    def reported(self, switch: str) -> frozenset[str] | None:
        """The ports of its last inventory sweep; None before the first. :class:`LookError`."""
        return self._find(switch).switch.reported

    def means(self, switch: str, text: str) -> str | None:
        """The port key that a text in school.yaml means there. :class:`LookError`."""
        found = self._find(switch).switch
        if found.reported is not None and text in found.reported:
            return text
        return found.port_names.get(text)

    def own_ports(self, switch: str) -> frozenset[str]:
        """Ports behind which the switch has seen this gateway, as far as is known."""
        return self._own_ports(switch)

    def identity(self, switch: str) -> str:
        """Who it said it was then. :class:`LookError`."""
        return self._find(switch).switch.identity

    def _find(self, switch: str) -> SwitchPoller:
        poller = self._switches.get(switch)
        if poller is None:
            raise LookError(f"there is no switch {switch!r} in school.yaml")
        return poller
