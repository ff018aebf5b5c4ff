"""The ledger of a running controller with all that hangs on it: anchors, export, retention."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import TypeVar

from controller.api.services import Health
from controller.store.protocols import StoreError
from controller.trust.anchors import Anchoring, anchors_of
from controller.trust.audit_desk import AuditDesk
from controller.trust.book import FOLDER, Book, boot_id
from controller.trust.chain import Head
from controller.trust.entries import Entry, LedgerError, Outcome
from controller.trust.figures import AuditFigures
from controller.trust.ledger import AuditLedger
from controller.trust.queries import hash_of
from controller.trust.siem import SiemExport, sink_of
from controller.trust.starts import keep, start_entry
from controller.trust.witnesses import FILE as WITNESSES_FILE
from controller.trust.witnesses import ledger_now, unexcused
from controller.trust.witnessing import Witnessing
from tenone.config.city import City
from tenone.runtime.clock import Clock
from tenone.runtime.supervisor import Supervisor

T = TypeVar("T")
log = logging.getLogger(__name__)

CURSOR_FILE = "ledger-export.json"


class LedgerHouse:
    """Makes them. Raises SecretError, and StoreError for a ``ca`` that cannot be used."""

    def __init__(self, config: City, clock: Clock) -> None:
        trust = config.trust
        self._config = config
        self._clock = clock
        self._scopes = {
            one.id: f"{config.id}/{one.school.district}/{one.id}" for one in config.schools
        }
        self._store: Path = config.store.path
        self.folder: Path = config.store.path / FOLDER
        self.ledger = AuditLedger(
            Book(self.folder, city=config.id, boot=boot_id(), algorithm=trust.ledger.hash),
            clock,
            retention_days=trust.ledger.retention_days,
        )
        self.desk = AuditDesk(self.ledger, self.folder, clock, figures=self.figures)
        self.anchoring = Anchoring(
            _usable(lambda: anchors_of(trust, config.id)),
            seconds=trust.anchor_seconds,
            clock=clock,
            head=lambda: self.ledger.head,
            held=self._held,
            excused=self._excused,
        )
        self.witnesses = Witnessing(
            self._scopes,
            city=config.id,
            algorithm=trust.ledger.hash,
            seconds=trust.witness_seconds,
            folder=self.folder,
            file=config.store.path / WITNESSES_FILE,
            clock=clock,
            head=lambda: self.ledger.head,
            notes=self.ledger,
        )
        self.export: SiemExport | None = None
        siem = trust.siem
        if siem is not None:
            self.export = SiemExport(
                _usable(lambda: sink_of(siem, socket.gethostname())),
                folder=self.folder,
                cursor_file=config.store.path / CURSOR_FILE,
                clock=clock,
                head=lambda: self.ledger.head,
            )
            self.ledger.listen(self.export.wake)

    def figures(self) -> AuditFigures:
        """Counters and gauges for /metrics."""
        figures, head = self.ledger.figures, self.ledger.head
        now_ns = self._clock.wall_ns()
        return AuditFigures(
            writable=not figures.trouble,
            entries=head.seq if head else 0,
            refused=figures.refused,
            summed=figures.summed,
            held=figures.held,
            lost=figures.lost,
            anchors=tuple(
                (
                    one.name,
                    None if one.kept_ns is None else (now_ns - one.kept_ns) / 1e9,
                    bool(one.conflict),
                )
                for one in self.anchoring.figures
            ),
            witnesses=self.witnesses.having,
            contradicting=self.witnesses.contradicting,
            exported=None if self.export is None else self.export.figures.seq,
        )

    async def start(self, tasks: Supervisor) -> None:
        """Open the ledger, run its writer, tell it of the start.

        Measuring does not wait for a disk that is full: what cannot be written now is held.
        """
        await self.ledger.open()
        tasks.start("ledger", self.ledger.run)
        entry, digests = start_entry(self._config, self._store, metadata.version("tenone"))
        try:
            await self.ledger.write(entry)
            await asyncio.to_thread(keep, self._store, digests)
        except LedgerError:
            self.ledger.note(entry)
        except OSError as error:
            log.warning("what the configuration was cannot be remembered: %s", error)

    async def stopping(self) -> None:
        """Tell the ledger of the stop."""
        self.ledger.sum_up_now()
        try:
            await self.ledger.write(Entry(act="controller.stop", actor="system"))
        except LedgerError as error:
            log.warning("the stop could not be ledgered: %s", error)

    def passed(self, school: str, sentence: str) -> None:
        """A block that nobody can read was given up: the ledger hears of it (decision 0016)."""
        scope = self._scopes.get(school, "")
        entry = Entry(
            act="quarantine.pass",
            actor="system",
            scope=scope,
            outcome=Outcome.FAILED,
            detail={"sentence": sentence},
        )
        self.ledger.note(entry)

    def tasks(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """What the supervisor runs beside the ledger's writer, by name."""
        tasks: dict[str, Callable[[], Awaitable[None]]] = {
            "ledger care": self.ledger.care,
            "ledger refusals": self.ledger.sum_up,
        }
        if self.export is not None:
            tasks["ledger export"] = self.export.run
        if self.witnesses.asker is not None:
            tasks["witnesses"] = self.witnesses.run
        return tasks | dict(self.anchoring.tasks())

    def health(self) -> list[Callable[[], Health]]:
        """Words for /readyz."""
        return [
            self.ledger.health, self.anchoring.health, self.witnesses.health, self._export_health
        ]  # fmt: skip

    async def _excused(self, head: Head) -> bool:
        """Whether an entry admits that the ledger is not what an anchor saw; LedgerError."""
        now = await asyncio.to_thread(ledger_now, self.folder)
        return bool((await asyncio.to_thread(unexcused, [head], now))[1])

    def _export_health(self) -> Health:
        """A server that is away is no reason to call the controller unready."""
        if self.export is None:
            return Health(name="ledger export", ready=True, sentence="none is configured")
        figures = self.export.figures
        told = f"{figures.sent} entries exported, through {figures.seq}"
        return Health(name="ledger export", ready=True, sentence=figures.trouble or told)

    async def _held(self, seq: int) -> bytes | None:
        return await asyncio.to_thread(hash_of, self.folder, seq)


def _usable(make: Callable[[], T]) -> T:
    try:
        return make()
    except OSError as error:  # ssl's errors are some, too
        said = error.strerror or str(error)
        raise StoreError(
            f"a 'ca' of the group trust in city.yaml cannot be used: {said}"
        ) from error
