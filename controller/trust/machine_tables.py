"""Machines among the records: who is enrolled, every certificate, one-time tokens, factory keys.

Moments are ns since 1970 UTC but for what stands in certificates, which count whole seconds.
"""

from sqlalchemy import BigInteger, Boolean, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from controller.store.tables import Base

MACHINE = String(128)
DIGEST = String(64)
WHO = String(200)
WHY = String(400)


class MachineRow(Base):
    """A machine that was ever to be enrolled."""

    __tablename__ = "machine"

    name: Mapped[str] = mapped_column(MACHINE, primary_key=True)
    scope: Mapped[str] = mapped_column(String(200), index=True)
    invited_ns: Mapped[int] = mapped_column(BigInteger)
    enrolled_ns: Mapped[int | None] = mapped_column(BigInteger)
    revoked_ns: Mapped[int | None] = mapped_column(BigInteger)
    """Until it is enrolled again."""
    why: Mapped[str] = mapped_column(WHY)


class MachineCertificateRow(Base):
    """One certificate. Its row outlives it by a year."""

    __tablename__ = "machine_certificate"
    __table_args__ = (Index(None, "machine", "not_after"),)

    serial: Mapped[str] = mapped_column(String(40), primary_key=True)
    """Hex."""
    machine: Mapped[str] = mapped_column(MACHINE)
    authority: Mapped[str] = mapped_column(String(16))
    key: Mapped[str] = mapped_column(DIGEST, index=True)
    """SHA-256 of its SubjectPublicKeyInfo, hex."""
    how: Mapped[str] = mapped_column(String(16))
    """``token``, ``factory``, ``renewal``, ``console``, ``server``."""
    issued_ns: Mapped[int] = mapped_column(BigInteger)
    not_before: Mapped[int] = mapped_column(BigInteger)
    not_after: Mapped[int] = mapped_column(BigInteger, index=True)
    revoked_ns: Mapped[int | None] = mapped_column(BigInteger)
    told: Mapped[bool] = mapped_column(Boolean)
    """Whether the ledger has it; what is done beside a running controller it tells later."""
    chain: Mapped[str] = mapped_column(Text)
    """PEM, the certificate first."""


class EnrolmentTokenRow(Base):
    """A one-time token: its hash, never itself."""

    __tablename__ = "enrolment_token"

    digest: Mapped[str] = mapped_column(DIGEST, primary_key=True)
    machine: Mapped[str] = mapped_column(MACHINE, index=True)
    issued_by: Mapped[str] = mapped_column(WHO)
    issued_ns: Mapped[int] = mapped_column(BigInteger)
    expires_ns: Mapped[int] = mapped_column(BigInteger)
    used_ns: Mapped[int | None] = mapped_column(BigInteger)
    told: Mapped[bool] = mapped_column(Boolean)


class FactoryKeyRow(Base):
    """A key that a signed factory manifest binds to a machine."""

    __tablename__ = "factory_key"

    key: Mapped[str] = mapped_column(DIGEST, primary_key=True)
    machine: Mapped[str] = mapped_column(MACHINE, index=True)
    manifest: Mapped[str] = mapped_column(DIGEST)
    """SHA-256 of the manifest."""
    imported_ns: Mapped[int] = mapped_column(BigInteger)
    told: Mapped[bool] = mapped_column(Boolean)
