"""The newest word of every switch's configuration."""

from sqlalchemy import BigInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from controller.store.tables import SLUG, Base


class ConfigurationRow(Base):
    """One switch; epoch milliseconds."""

    __tablename__ = "switch_configuration"

    school: Mapped[str] = mapped_column(SLUG, primary_key=True)
    switch: Mapped[str] = mapped_column(SLUG, primary_key=True)
    at_ms: Mapped[int] = mapped_column(BigInteger)
    error: Mapped[str] = mapped_column(Text)
    fetched_ms: Mapped[int | None] = mapped_column(BigInteger)
    hash: Mapped[str | None] = mapped_column(String(64))
    accepted: Mapped[str | None] = mapped_column(String(64))
    differences: Mapped[str] = mapped_column(Text)
    broken: Mapped[str] = mapped_column(Text)
