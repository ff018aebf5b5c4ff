"""The tables of repairs. Times are ns since 1970 UTC, NULL is not (yet)."""

from sqlalchemy import BigInteger, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from controller.store.tables import SLUG, Base, Number

ACTION = String(64)
SCOPE = String(100)
LONG = String(200)


class StopRow(Base):
    """A red stop that stands; the ledger has those that are over."""

    __tablename__ = "enforcement_stop"

    scope: Mapped[str] = mapped_column(SCOPE, primary_key=True)
    by: Mapped[str] = mapped_column(LONG)
    at_ns: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)


class AttemptRow(Base):
    """An action that was begun: what the day's counts and "not again" are made of."""

    __tablename__ = "repair_attempt"
    __table_args__ = (Index(None, "begun_ns"), Index(None, "day", "school"))

    action: Mapped[str] = mapped_column(ACTION, primary_key=True)
    school: Mapped[str] = mapped_column(SLUG)
    district: Mapped[str] = mapped_column(SLUG)
    intent: Mapped[str] = mapped_column(String(64))
    switch: Mapped[str] = mapped_column(SLUG)
    port: Mapped[str] = mapped_column(LONG)
    link: Mapped[str | None] = mapped_column(String(65))
    cause: Mapped[int | None] = mapped_column(Integer)
    """The gravest cause of the link then."""
    incident: Mapped[str | None] = mapped_column(String(64))
    automatic: Mapped[int] = mapped_column(Integer)
    day: Mapped[str] = mapped_column(String(10))
    """The local date it was begun on."""
    begun_ns: Mapped[int] = mapped_column(BigInteger)
    faulted_ns: Mapped[int | None] = mapped_column(BigInteger)
    judged_ns: Mapped[int | None] = mapped_column(BigInteger)
    proved_ns: Mapped[int | None] = mapped_column(BigInteger)
    ended_ns: Mapped[int | None] = mapped_column(BigInteger)
    outcome: Mapped[str] = mapped_column(String(16))
    """:class:`controller.enforcement.attempts.End`; empty while it is under way."""
    cable: Mapped[str] = mapped_column(Text)


class StepRow(Base):
    """One step of an action, as the agent's sealed blocks say it."""

    __tablename__ = "repair_step"
    __table_args__ = (UniqueConstraint("action", "step", "at_ms"),)

    row: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=True)
    action: Mapped[str] = mapped_column(ACTION)
    step: Mapped[int] = mapped_column(Integer)
    at_ms: Mapped[int] = mapped_column(BigInteger)
    sentence: Mapped[str] = mapped_column(Text)
    transcript: Mapped[str] = mapped_column(Text)
    cable: Mapped[str] = mapped_column(Text)
    said: Mapped[str] = mapped_column(Text, server_default="")
    """The sentence's clauses (:mod:`tenone.vocabulary.sayings`), JSON; empty: an older agent."""
