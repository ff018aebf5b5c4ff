"""The tables of API keys among the records. Of a key's secret only its SHA-256 stands in them."""

from sqlalchemy import Float, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from controller.store.tables import NAME, Base

KEY = String(16)


class ApiKeyRow(Base):
    """One key. Times are epoch seconds."""

    __tablename__ = "api_key"

    id: Mapped[str] = mapped_column(KEY, primary_key=True)
    name: Mapped[str] = mapped_column(NAME)
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the secret, hex."""
    created_by: Mapped[str] = mapped_column(NAME)
    created_at: Mapped[float] = mapped_column(Float)
    expires_at: Mapped[float] = mapped_column(Float)
    disabled_at: Mapped[float | None] = mapped_column(Float)
    used_at: Mapped[float | None] = mapped_column(Float)
    a_minute: Mapped[int] = mapped_column(Integer)


class ApiKeyGrantRow(Base):
    """A role of a key at a scope."""

    __tablename__ = "api_key_grant"

    key: Mapped[str] = mapped_column(KEY, primary_key=True)
    role: Mapped[str] = mapped_column(String(32), primary_key=True)
    scope: Mapped[str] = mapped_column(NAME, primary_key=True)
