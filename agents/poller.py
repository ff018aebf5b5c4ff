"""Asks every switch at its own pace; a silent or slow one delays nobody else.

One sweep makes one block. A switch has one task, which asks one thing at a time, so sweeps
of a switch never overlap and need no lock. Slots that pass while it is busy are skipped.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass

from agents.ports import Keep
from agents.schedule import Grid, backoff_slots
from agents.switch import Kind, Switch
from agents.waiting import sleep_or
from tenone.runtime.clock import Clock
from tenone.runtime.supervisor import Supervisor

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """How often a switch is asked for what."""

    state_seconds: float = 10.0
    counters_seconds: float = 60.0
    inventory_seconds: float = 3600.0
    jitter_ratio: float = 0.1

    def grid(self, kind: Kind, switch: str, start_ns: int) -> Grid:
        """The slots of one sweep of one switch."""
        seconds = {
            Kind.STATE: self.state_seconds,
            Kind.COUNTERS: self.counters_seconds,
            Kind.INVENTORY: self.inventory_seconds,
        }[kind]
        return Grid.of(
            f"{switch}/{kind}", start_ns=start_ns, interval=seconds, jitter_ratio=self.jitter_ratio
        )


class PollError(Exception):
    """A switch that was asked for on demand is unknown or silent; the message says which."""


class SwitchPoller:
    """The sweeps of one switch. Give :meth:`run` to a supervisor."""

    def __init__(self, switch: Switch, *, clock: Clock, keep: Keep, cadence: Cadence) -> None:
        self.switch = switch
        self._clock = clock
        self._keep = keep
        self._cadence = cadence
        self._failures = 0
        self._asked = asyncio.Event()
        self._requests: list[asyncio.Future[None]] = []

    async def poll_now(self) -> None:
        """Sweep the state at once, between two other sweeps; raises :class:`PollError`."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests.append(future)
        self._asked.set()
        await future
        if not self.switch.answers:
            raise PollError(self.switch.error)

    async def run(self) -> None:
        """Sweep for ever, by the grids. The first state slot meets the switch."""
        start_ns = self._clock.monotonic_ns()
        grids = {kind: self._cadence.grid(kind, self.switch.name, start_ns) for kind in Kind}
        due = {kind: grid.after(start_ns - 1) for kind, grid in grids.items()}
        self.switch.start_over()
        while True:
            wait_ns = min(due.values()) - self._clock.monotonic_ns()
            if await sleep_or(self._clock, wait_ns / 1e9, self._asked):
                await self._answer()
                continue
            now_ns = self._clock.monotonic_ns()
            for kind in Kind:
                if due[kind] > now_ns:
                    continue
                await self._sweep(kind)
                skip = backoff_slots(self._failures) if kind is Kind.STATE else 0
                due[kind] = grids[kind].after(self._clock.monotonic_ns(), skip)
                if kind is Kind.STATE and self.switch.is_changed:
                    due[Kind.INVENTORY] = now_ns

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
            answered, drafts = self.switch.answers, await self.switch.ask_state()
            if self.switch.answers != answered or not (self.switch.answers or self._failures):
                log.info("switch %s: %s", self.switch.name, self.switch.error or "answers")
            self._failures = 0 if self.switch.answers else self._failures + 1
        else:
            drafts = await self.switch.ask(kind)
        await self._keep(drafts)


class Poller:
    """All switches of a school."""

    def __init__(self, switches: Iterable[SwitchPoller]) -> None:
        self._switches = {poller.switch.name: poller for poller in switches}

    def start(self, tasks: Supervisor) -> None:
        """One task a switch."""
        for name, poller in self._switches.items():
            tasks.start(f"switch {name}", poller.run)

    async def poll_now(self, switch: str) -> None:
        """Sweep one switch's state at once; raises :class:`PollError`."""
        poller = self._switches.get(switch)
        if poller is None:
            raise PollError(f"there is no switch {switch!r} in school.yaml")
        await poller.poll_now()
