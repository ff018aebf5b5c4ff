"""The tables of accounts among the records. No secret stands in them in clear."""

from sqlalchemy import Boolean, Float, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from controller.store.tables import NAME, Base, Number

ACCOUNT = String(64)
ENROL = "enrol"
RECOVERY = "recovery"


class AccountBookRow(Base):
    """One row: every change of accounts counts it up first, which makes changes wait in line."""

    __tablename__ = "account_book"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    revision: Mapped[int] = mapped_column(Number)


class AccountRow(Base):
    """One account."""

    __tablename__ = "account"
    __table_args__ = (Index(None, "provider", "subject"),)

    name: Mapped[str] = mapped_column(ACCOUNT, primary_key=True)
    display: Mapped[str] = mapped_column(NAME)
    enabled: Mapped[bool] = mapped_column(Boolean)
    password: Mapped[str | None] = mapped_column(String(200))
    """argon2id, with its parameters and salt."""
    second: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The secret of the second factor, sealed."""
    second_step: Mapped[int] = mapped_column(Number)
    """The last step a code was used of."""
    provider: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(255))
    failures: Mapped[int] = mapped_column(Integer)
    """In a row, by browsers the account does not know."""
    locked_until: Mapped[float] = mapped_column(Float)
    """For those."""
    version: Mapped[int] = mapped_column(Number)
    created_at: Mapped[float] = mapped_column(Float)
    signed_in_at: Mapped[float | None] = mapped_column(Float)


class AccountGrantRow(Base):
    """A role of an account at a scope."""

    __tablename__ = "account_grant"

    account: Mapped[str] = mapped_column(ACCOUNT, primary_key=True)
    role: Mapped[str] = mapped_column(String(32), primary_key=True)
    scope: Mapped[str] = mapped_column(NAME, primary_key=True)


class AccountCodeRow(Base):
    """A code that is good once: ``enrol`` opens the account's own page, ``recovery`` stands in."""

    __tablename__ = "account_code"

    account: Mapped[str] = mapped_column(ACCOUNT, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    until: Mapped[float] = mapped_column(Float)


class AccountBrowserRow(Base):
    """A browser the account has signed in by: its count of failures is its own."""

    __tablename__ = "account_browser"

    account: Mapped[str] = mapped_column(ACCOUNT, primary_key=True)
    browser: Mapped[str] = mapped_column(String(32), primary_key=True)
    """What its cookie holds, sealed; without the key of the cookies it is of no use."""
    failures: Mapped[int] = mapped_column(Integer)
    locked_until: Mapped[float] = mapped_column(Float)
    seen_at: Mapped[float] = mapped_column(Float)
    until: Mapped[float] = mapped_column(Float)


class AccountNoteRow(Base):
    """What the command line did, until the controller has told the ledger."""

    __tablename__ = "account_note"

    row: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=True)
    act: Mapped[str] = mapped_column(String(64))
    actor: Mapped[str] = mapped_column(NAME)
    subject: Mapped[str] = mapped_column(NAME)
    detail: Mapped[str] = mapped_column(Text)
    """JSON."""
