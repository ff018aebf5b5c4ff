"""Duty register and tickets as the API asks for them; each call runs in the records' thread."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from controller.house import InThread
from controller.incidents.acts import ActError
from controller.incidents.duty import Duty, DutyRecords, Gap, gaps, of_scope
from controller.incidents.tickets import STATES, Ticket, TicketRecords
from tenone.vocabulary.scope import ScopePath


class Office:
    """See :class:`controller.api.office_services.Office`."""

    def __init__(
        self,
        duties: DutyRecords,
        tickets: TicketRecords,
        *,
        in_records: InThread,
        scopes: Mapping[ScopePath, int | None],
    ) -> None:
        """``scopes``: city, districts and schools; of a school its students where known."""
        self._duties = duties
        self._tickets = tickets
        self._in_records = in_records
        self._scopes = scopes

    async def duties(self, scope: ScopePath) -> Sequence[Duty]:
        """See the protocol."""
        return of_scope(await self._in_records(self._duties.all), scope)

    async def gaps(self, scope: ScopePath, at_ns: int) -> Sequence[Gap]:
        """See the protocol."""
        inside = {one: count for one, count in self._scopes.items() if scope.covers(one)}
        return gaps(inside, await self._in_records(self._duties.all), at_ns)

    async def add_duty(self, duty: Duty) -> Duty:
        """See the protocol."""
        if duty.valid_to_ns is not None and duty.valid_to_ns <= duty.valid_from_ns:
            raise ActError("valid_to: the duty has to end after it begins.")
        return await self._in_records(self._duties.add, duty)

    async def end_duty(self, number: int, at_ns: int) -> Duty:
        """See the protocol."""
        ended = await self._in_records(self._duties.end, number, at_ns)
        if ended is None:
            raise LookupError(number)
        return ended

    async def tickets(self) -> Sequence[Ticket]:
        """See the protocol."""
        return await self._in_records(self._tickets.all)

    async def add_ticket(self, ticket: Ticket) -> Ticket:
        """See the protocol."""
        return await self._in_records(self._tickets.put, ticket, was=None)

    async def change_ticket(self, ticket: Ticket, *, version: int) -> Ticket:
        """See the protocol."""
        if ticket.state not in STATES:
            raise ActError(f"state: {ticket.state!r} is unknown: use {', '.join(STATES)}.")
        return await self._in_records(
            self._tickets.put, replace(ticket, version=version), was=version
        )
