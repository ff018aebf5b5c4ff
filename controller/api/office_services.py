"""What the HTTP side asks of the duty register and of tickets; and nothing where there is none."""

from collections.abc import Sequence
from typing import Protocol

from controller.incidents.acts import ActError
from controller.incidents.duty import Duty, Gap
from controller.incidents.tickets import Ticket
from tenone.vocabulary.scope import ScopePath


class Office(Protocol):
    """Who answers for what, and tickets. Whoever calls has looked at scope and role."""

    async def duties(self, scope: ScopePath) -> Sequence[Duty]:
        """Rows of ``scope`` and inside it, past and future ones too."""
        ...

    async def gaps(self, scope: ScopePath, at_ns: int) -> Sequence[Gap]:
        """Roles nobody, or too few, hold at a moment."""
        ...

    async def add_duty(self, duty: Duty) -> Duty:
        """Enter somebody; raises ``ActError`` and ``StoreError``."""
        ...

    async def end_duty(self, number: int, at_ns: int) -> Duty:
        """Somebody no longer holds a role; ``LookupError`` where nobody did."""
        ...

    async def tickets(self) -> Sequence[Ticket]:
        """All tickets."""
        ...

    async def add_ticket(self, ticket: Ticket) -> Ticket:
        """Keep a new ticket."""
        ...

    async def change_ticket(self, ticket: Ticket, *, version: int) -> Ticket:
        """Change one seen in ``version``; raises ``ActError`` and ``StaleError``."""
        ...


class NoOffice:
    """A controller that keeps neither."""

    async def duties(self, _scope: ScopePath) -> Sequence[Duty]:
        """See :class:`Office`."""
        return ()

    async def gaps(self, _scope: ScopePath, _at_ns: int) -> Sequence[Gap]:
        """See :class:`Office`."""
        return ()

    async def add_duty(self, _duty: Duty) -> Duty:
        """See :class:`Office`."""
        raise ActError("This controller keeps no duty register.")

    async def end_duty(self, number: int, _at_ns: int) -> Duty:
        """See :class:`Office`."""
        raise LookupError(number)

    async def tickets(self) -> Sequence[Ticket]:
        """See :class:`Office`."""
        return ()

    async def add_ticket(self, _ticket: Ticket) -> Ticket:
        """See :class:`Office`."""
        raise ActError("This controller keeps no tickets.")

    async def change_ticket(self, ticket: Ticket, *, version: int) -> Ticket:
        """See :class:`Office`."""
        raise ActError(f"This controller keeps no ticket {ticket.number} of version {version}.")
