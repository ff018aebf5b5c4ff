"""What the room of repairs asks of other rooms; :mod:`controller.repairs` fills it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from controller.enforcement.guards import Work
from controller.enforcement.reach import Cable, PortRef
from controller.trust.approval_model import Action, Asked, Executed, Person
from controller.trust.approval_own import Own
from controller.trust.approval_ports import Workshop


class Timeline(Protocol):
    """The incidents."""

    def incident_of(self, link: str, /) -> str | None:
        """The open incident of a link."""
        ...

    def shadow(self, link: str, /) -> str | None:
        """What other trouble a link lies behind, a key of ``diagnosis.WHY_ZH``; None: none."""
        ...

    async def said(self, incident: str, /) -> set[str]:
        """What TenOne has said in a timeline; StoreError."""
        ...

    async def say(self, incident: str, en: str, zh: str, /) -> None:
        """Add a line to a timeline; one that is history takes none. StoreError."""
        ...


class Cabling(Protocol):
    """The topology."""

    def cables(self, school: str, /) -> Sequence[Cable]:
        """As switches hear them now."""
        ...

    def emergency(self, school: str, /) -> Mapping[PortRef, str]:
        """Ports where an emergency device is seen."""
        ...


class Works(Protocol):
    """The planned work."""

    def over(self, school: str, link: str | None, at_ns: int, /) -> Sequence[Work]:
        """The windows that lie over a link, or a school, at a moment (wall clock)."""
        ...


class Approvals(Protocol):
    """The room of actions: :class:`controller.trust.approvals.ApprovalsRoom`."""

    own: Own
    workshop: Workshop

    async def get(self, action: str, /) -> Action | None:
        """One action; StoreError."""
        ...

    async def active(self, requester: str, /) -> list[Action]:
        """What somebody asked for and is not over; StoreError."""
        ...

    async def request(self, person: Person, asked: Asked, /) -> Action:
        """Plan and let wait; PlanError, StepError, LedgerError, StoreError."""
        ...

    async def approve(self, person: Person, action: Action, plan: str, /) -> Action:
        """StepError, LedgerError, StoreError."""
        ...

    async def withdraw(self, person: Person, action: Action, why: str, /) -> Action:
        """StepError, LedgerError, StoreError."""
        ...

    async def learn(self, action: str, done: Executed, /) -> bool:
        """The sealed word about an action whose answer never came; StoreError, LedgerError."""
        ...
