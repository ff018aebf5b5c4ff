"""Tickets about incidents: kept here, carried to another system as CSV and back."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Engine as Database

from controller.csv_cells import cell, plain
from controller.incidents.acts import StaleError
from controller.incidents.model import Act, Event, Incident
from controller.incidents.records import IncidentRecords
from controller.incidents.tables import TicketRow
from controller.incidents.views import Json
from controller.store.protocols import NS
from controller.store.records import Unit

STATES = ("open", "in-progress", "done", "closed")
COLUMNS = (
    "number", "state", "assignee", "note", "incident", "school", "subject", "cause", "severity",
    "incident_state", "opened", "resolved", "count",
)  # fmt: skip
MOST_TEXT = 2000


class TicketError(Exception):
    """A ticket that cannot be read; says the line and what to write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One ticket. ``number`` is unique; ``state`` is one of :data:`STATES`."""

    number: str
    incident: str
    school: str
    state: str = "open"
    assignee: str = ""
    note: str = ""
    made_ns: int
    changed_ns: int
    changed_by: str
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What a line of a CSV says about a ticket."""

    number: str
    state: str
    assignee: str
    note: str


class TicketRecords:
    """Tickets in the records. Methods block."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._incidents = IncidentRecords(database)

    def all(self) -> list[Ticket]:
        """Every ticket, by number."""
        with Unit(self._database) as session:
            rows = session.scalars(sa.select(TicketRow).order_by(TicketRow.number)).all()
        return [_ticket(row) for row in rows]

    def get(self, number: str) -> Ticket | None:
        """One ticket."""
        with Unit(self._database) as session:
            row = session.get(TicketRow, number)
        return None if row is None else _ticket(row)

    def put(self, ticket: Ticket, *, was: int | None) -> Ticket:
        """Keep a new ticket (``was`` None) or change one whose version was ``was``; StaleError."""
        values = {name: getattr(ticket, name) for name in ticket.__slots__}
        with Unit(self._database) as session:
            if was is None:
                session.add(TicketRow(**values))
                return ticket
            values["version"] = was + 1
            done = session.execute(
                sa.update(TicketRow)
                .where(TicketRow.number == ticket.number, TicketRow.version == was)
                .values(**values)
            )
            if done.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
                raise StaleError(
                    f"Somebody changed ticket {ticket.number} meanwhile: load it again."
                )
        return replace(ticket, version=was + 1)

    def take(self, updates: Iterable[Update], *, who: str, at_ns: int) -> tuple[int, list[str]]:
        """Take over what another system says; how many changed, and numbers nobody knows here.

        A change of state or assignee is a line in the incident's timeline.
        """
        changed, unknown, events = 0, [], []
        for update in updates:
            known = self.get(update.number)
            if known is None:
                unknown.append(update.number)
                continue
            new = replace(
                known,
                state=update.state,
                assignee=update.assignee or known.assignee,
                note=update.note or known.note,
                changed_ns=at_ns,
                changed_by=who,
            )
            if (new.state, new.assignee, new.note) == (known.state, known.assignee, known.note):
                continue
            self.put(new, was=known.version)
            changed += 1
            fields = {"ticket": new.number, "state": new.state, "assignee": new.assignee}
            events.append(
                Event(incident=new.incident, at_ns=at_ns, act=Act.TICKETED, who=who, fields=fields)
            )
        if events:
            self._incidents.write((), events)
        return changed, unknown


def to_csv(rows: Sequence[tuple[Ticket | None, Incident]]) -> str:
    """Incidents with their tickets as CSV (RFC 4180), one line each, moments as RFC 3339 UTC."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for ticket, incident in rows:
        own = (
            ("", "", "", "")
            if ticket is None
            else (ticket.number, ticket.state, ticket.assignee, ticket.note)
        )
        line = (
            *own,
            incident.id,
            incident.subject.school,
            str(incident.subject),
            incident.cause.label,
            incident.severity.label,
            incident.state.value,
            _moment(incident.opened_ns),
            _moment(incident.resolved_ns),
            incident.count,
        )
        writer.writerow([cell(value) for value in line])
    return out.getvalue()


def from_csv(text: str) -> list[Update]:
    """Read what another system sends back: ``number`` and ``state``, ``assignee`` and ``note`` too.

    Raises :class:`TicketError` naming the first line that is wrong; then nothing is taken.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    missing = {"number", "state"} - set(reader.fieldnames or ())
    if missing:
        raise TicketError(f"line 1: the column {min(missing)!r} is missing")
    updates, seen = [], set()
    for line, row in enumerate(reader, 2):
        number, state = plain((row.get("number") or "").strip()), (row.get("state") or "").strip()
        if not number:
            continue  # an incident that has no ticket
        if state not in STATES:
            raise TicketError(
                f"line {line}: the state {state[:40]!r} is unknown: use {', '.join(STATES)}"
            )
        if number in seen:
            raise TicketError(f"line {line}: ticket {number} stands here twice")
        seen.add(number)
        updates.append(
            Update(
                number=number,
                state=state,
                assignee=plain((row.get("assignee") or "").strip())[:200],
                note=plain((row.get("note") or "").strip())[:MOST_TEXT],
            )
        )
    return updates


def ticket_json(ticket: Ticket) -> Json:
    """A ticket as the API says it."""
    return {
        "id": ticket.number,
        "number": ticket.number,
        "incident": ticket.incident,
        "school": ticket.school,
        "state": ticket.state,
        "assignee": ticket.assignee,
        "note": ticket.note,
        "made": ticket.made_ns / NS,
        "changed": ticket.changed_ns / NS,
        "changed_by": ticket.changed_by,
        "version": ticket.version,
    }


def _moment(at_ns: int | None) -> str:
    if at_ns is None:
        return ""
    return datetime.fromtimestamp(at_ns // NS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _ticket(row: TicketRow) -> Ticket:
    return Ticket(
        number=row.number,
        incident=row.incident,
        school=row.school,
        state=row.state,
        assignee=row.assignee,
        note=row.note,
        made_ns=row.made_ns,
        changed_ns=row.changed_ns,
        changed_by=row.changed_by,
        version=row.version,
    )
