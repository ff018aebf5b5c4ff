"""The tables of incidents among the records. Times are ns since 1970 UTC, NULL is not yet."""

from sqlalchemy import BigInteger, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from controller.store.tables import NAME, SLUG, Base, Number

INCIDENT = String(64)
SCOPE = String(100)
LONG = String(200)


class IncidentRow(Base):
    """One incident as it stands, with what the engine needs to go on with it."""

    __tablename__ = "incident"
    __table_args__ = (Index(None, "state", "school"), Index(None, "opened_ns"))

    id: Mapped[str] = mapped_column(INCIDENT, primary_key=True)
    school: Mapped[str] = mapped_column(SLUG)
    district: Mapped[str] = mapped_column(SLUG)
    subject: Mapped[str] = mapped_column(LONG)
    state: Mapped[str] = mapped_column(String(16))
    cause: Mapped[int]
    severity: Mapped[int]
    began_ns: Mapped[int] = mapped_column(BigInteger)
    opened_ns: Mapped[int] = mapped_column(BigInteger)
    resolved_ns: Mapped[int | None] = mapped_column(BigInteger)
    rest: Mapped[str] = mapped_column(Text)
    """JSON: every other field of the incident, and its case."""


class IncidentEventRow(Base):
    """One line of a timeline; never changed."""

    __tablename__ = "incident_event"
    __table_args__ = (Index(None, "incident", "row"), Index(None, "at_ns"))

    row: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=True)
    incident: Mapped[str] = mapped_column(INCIDENT)
    at_ns: Mapped[int] = mapped_column(BigInteger)
    act: Mapped[str] = mapped_column(String(24))
    who: Mapped[str] = mapped_column(LONG)
    fields: Mapped[str] = mapped_column(Text)


class MaintenanceRow(Base):
    """A maintenance window."""

    __tablename__ = "maintenance"
    __table_args__ = (Index(None, "end_ns"),)

    id: Mapped[str] = mapped_column(INCIDENT, primary_key=True)
    scope: Mapped[str] = mapped_column(SCOPE)
    link: Mapped[str | None] = mapped_column(String(65))
    start_ns: Mapped[int] = mapped_column(BigInteger)
    end_ns: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    asked_by: Mapped[str] = mapped_column(LONG)
    approved_by: Mapped[str] = mapped_column(LONG)
    made_ns: Mapped[int] = mapped_column(BigInteger)
    ended_ns: Mapped[int | None] = mapped_column(BigInteger)
    ended_by: Mapped[str] = mapped_column(LONG)


class DutyRow(Base):
    """Who answers for a scope in a role, in ``[valid_from_ns, valid_to_ns)``. Personal data."""

    __tablename__ = "duty"
    __table_args__ = (Index(None, "scope"),)

    row: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=True)
    scope: Mapped[str] = mapped_column(SCOPE)
    role: Mapped[str] = mapped_column(String(24))
    name: Mapped[str] = mapped_column(NAME)
    phone: Mapped[str] = mapped_column(String(40))
    email: Mapped[str] = mapped_column(LONG)
    valid_from_ns: Mapped[int] = mapped_column(BigInteger)
    valid_to_ns: Mapped[int | None] = mapped_column(BigInteger)
    entered_by: Mapped[str] = mapped_column(LONG)


class NoticeRow(Base):
    """One message to one level by one channel: kept until it is delivered or given up."""

    __tablename__ = "notice"
    __table_args__ = (Index(None, "state", "due_ns"), Index(None, "incident"))

    row: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=True)
    incident: Mapped[str] = mapped_column(INCIDENT)
    level: Mapped[int]
    act: Mapped[str] = mapped_column(String(24))
    channel: Mapped[str] = mapped_column(String(16))
    made_ns: Mapped[int] = mapped_column(BigInteger)
    due_ns: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(Integer)
    sent_ns: Mapped[int | None] = mapped_column(BigInteger)
    error: Mapped[str] = mapped_column(Text)


class TicketRow(Base):
    """A ticket about an incident, here or in another system."""

    __tablename__ = "ticket"
    __table_args__ = (Index(None, "incident"),)

    number: Mapped[str] = mapped_column(INCIDENT, primary_key=True)
    incident: Mapped[str] = mapped_column(INCIDENT)
    school: Mapped[str] = mapped_column(SLUG)
    state: Mapped[str] = mapped_column(String(16))
    assignee: Mapped[str] = mapped_column(LONG)
    note: Mapped[str] = mapped_column(Text)
    made_ns: Mapped[int] = mapped_column(BigInteger)
    changed_ns: Mapped[int] = mapped_column(BigInteger)
    changed_by: Mapped[str] = mapped_column(LONG)
    version: Mapped[int] = mapped_column(Integer)
