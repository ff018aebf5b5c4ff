"""What the ledger is told, and the port by which it is told. The ledger itself is elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class LedgerError(Exception):
    """An entry could not be written durably; what it was about must not happen. One sentence."""


class Outcome(StrEnum):
    """How it went."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened, in the words of who did what to what. Never a secret."""

    act: str
    """``noun.verb``, one of :data:`controller.trust.acts.ACTS`."""
    actor: str
    """As :data:`controller.trust.acts.ACTOR` has it: ``account:<name>``, ``console:<user>`` ..."""
    scope: str = ""
    """Scope path of what it is about; empty: the whole city."""
    subject: str = ""
    """Id of what it is about."""
    outcome: Outcome = Outcome.DONE
    detail: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    """What else matters, flat; of what is longer than 4 KiB as JSON texts are cut."""


class Ledger(Protocol):
    """The append-only record."""

    async def write(self, entry: Entry) -> None:
        """Return when the entry is on disk; raises :class:`LedgerError`.

        Whoever is about to do something privileged writes first and does it second. What must
        go on without the ledger (telemetry) never calls this.
        """
        ...


class Notes(Protocol):
    """The same record, for what happened by itself and asks nobody's leave."""

    def note(self, entry: Entry) -> None:
        """Have it written soon; held while the ledger cannot be. In the event loop's thread."""
        ...


class NoLedger:
    """A controller without one (tests, demonstrations of single parts): keeps nothing."""

    def note(self, entry: Entry) -> None:
        """See :class:`Notes`."""

    async def write(self, entry: Entry) -> None:
        """See :class:`Ledger`."""
