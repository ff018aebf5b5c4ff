"""Writes to the records what links and ports became, and holds it while that fails."""

import asyncio
import logging
from collections.abc import Iterable

from controller.api.services import Health
from controller.store.protocols import LinkChange, StoreError
from controller.store.records import PortFacts, SqlRecords
from controller.threads import Thread
from tenone.runtime.clock import Clock

log = logging.getLogger(__name__)

MAX_UNKEPT = 100_000
"""Changes held while the records cannot be written; beyond it the oldest are given up, loudly."""


class Keeping:
    """What is not yet in the records. Give :meth:`run` to a supervisor."""

    def __init__(self, records: SqlRecords, thread: Thread, clock: Clock) -> None:
        self._records = records
        self._thread = thread
        self._clock = clock
        self._changes: list[LinkChange] = []
        self._ports: dict[tuple[str, str], list[PortFacts]] = {}
        """By school and switch: of each only its newest inventory."""
        self._some = asyncio.Event()
        self._trouble = ""

    def take(
        self,
        changes: Iterable[LinkChange],
        ports: Iterable[tuple[str, str, list[PortFacts]]] = (),
    ) -> None:
        """Take over what should be kept; never waits."""
        self._changes += changes
        for school, switch, facts in ports:
            self._ports[school, switch] = facts
        if len(self._changes) > MAX_UNKEPT:
            lost = len(self._changes) - MAX_UNKEPT
            del self._changes[:lost]
            log.error("%d changes of links are given up: the records cannot be written", lost)
        if self._changes or self._ports:
            self._some.set()

    async def run(self) -> None:
        """Write for ever what comes."""
        while True:
            await self._some.wait()
            self._some.clear()
            await self.write()

    async def write(self) -> None:
        """What cannot be written stays for the next time; raises :class:`StoreError`."""
        changes, self._changes = self._changes, []
        ports, self._ports = self._ports, {}
        try:
            await self._thread(self._records.append_changes, changes)
            changes = []
            while ports:
                (school, switch), facts = next(iter(ports.items()))
                now_ns = self._clock.wall_ns()
                await self._thread(self._records.learn_ports, school, switch, facts, now_ns)
                del ports[school, switch]
            self._trouble = ""
        except StoreError as error:
            self._trouble = str(error)
            self._changes = changes + self._changes
            self._ports = ports | self._ports
            self._some.set()
            raise

    def health(self) -> Health:
        """For /readyz."""
        trouble = self._trouble
        return Health(name="records", ready=not trouble, sentence=trouble or "records are kept")
