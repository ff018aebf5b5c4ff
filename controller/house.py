"""What the controller's later rooms are handed, and what they offer in return.

A room (incidents, topology, evidence ...) stands beside live state: it reads inboxes of the bus,
keeps its own tables among the records, has its own supervised tasks and its own word in /readyz.
:mod:`controller.service` lists the rooms; none of them knows another, except through the ports
it declares itself.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec, Protocol, TypeVar

from controller.api.services import Health
from controller.bus import Bus
from controller.plan import CityPlan
from controller.state.city import LiveCity
from controller.state.live import LiveState
from controller.store.blocks import SqliteBlockStore
from controller.store.records import SqlRecords
from controller.trust.entries import Ledger, NoLedger, Notes
from tenone.config.city import City as CityConfig
from tenone.runtime.clock import Clock
from tenone.trust.sealed_files import SealedFiles

P = ParamSpec("P")
T = TypeVar("T")


class InThread(Protocol):
    """Runs a blocking function in a thread of its own kind and waits for it."""

    async def __call__(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what ``work`` returns; raise what it raises."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What a room may use. Live state and city belong to the event loop's thread."""

    config: CityConfig
    plan: CityPlan
    clock: Clock
    folder: Path
    """``store.path`` of the configuration; a room keeps files of its own in a folder below it."""
    live: LiveState
    city: LiveCity
    store: SqliteBlockStore
    records: SqlRecords
    bus: Bus
    in_records: InThread
    """The one thread that writes the records; raises :class:`StoreError`."""
    ledger: Ledger = field(default_factory=NoLedger)
    """The audit ledger: written first, acted upon second."""
    notes: Notes = field(default_factory=NoLedger)
    """The same, for what happens by itself."""
    files: SealedFiles = field(default_factory=SealedFiles)
    """Reads and writes the secrets that TenOne makes itself."""


class Room(Protocol):
    """One room. Its maker takes a :class:`House` and does nothing yet."""

    name: str

    def open(self) -> None:
        """Learn from the records; called in their thread, before the tasks. StoreError."""
        ...

    def tasks(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """What the supervisor runs, by name."""
        ...

    def health(self) -> Health:
        """The room's word in /readyz."""
        ...

    def close(self) -> None:
        """Let go of files; called in the records' thread, after the tasks have ended."""
        ...


Maker = Callable[[House], Room]
