"""The tables of actions and of what people said of them. Times are ns since 1970 UTC."""

from sqlalchemy import BigInteger, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from controller.store.tables import SLUG, Base, Number

ACTION = String(64)
ACCOUNT = String(200)


class ActionRow(Base):
    """One change that somebody asked for. What it would do never changes; its state does."""

    __tablename__ = "action"
    __table_args__ = (
        UniqueConstraint("requester", "retry"),
        Index(None, "state", "ends_ns"),
        Index(None, "made_ns"),
    )

    id: Mapped[str] = mapped_column(ACTION, primary_key=True)
    scope: Mapped[str] = mapped_column(String(100))
    school: Mapped[str] = mapped_column(SLUG)
    intent: Mapped[str] = mapped_column(String(64))
    parameters: Mapped[str] = mapped_column(Text)
    """JSON: names and values, both text."""
    lines: Mapped[str] = mapped_column(Text)
    """JSON: the plan's exact lines, to be shown."""
    plan: Mapped[str] = mapped_column(String(64))
    """Hex: :func:`tenone.trust.approval.plan_hash`."""
    device_state: Mapped[str] = mapped_column(String(64))
    """Hex: :func:`tenone.trust.approval.state_hash`."""
    risk: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    requester: Mapped[str] = mapped_column(ACCOUNT)
    """The account, by what never changes of it."""
    requester_name: Mapped[str] = mapped_column(ACCOUNT)
    retry: Mapped[str] = mapped_column(String(64))
    """What the requester's client calls this request, so that asking twice asks once."""
    asked: Mapped[str] = mapped_column(String(64))
    """Hex: SHA-256 of what was asked, to tell a retry from another request of the same name."""
    made_ns: Mapped[int] = mapped_column(BigInteger)
    ends_ns: Mapped[int] = mapped_column(BigInteger)
    """Of a waiting one: when it stops waiting. Of a granted one: when its approval ends."""
    changed_ns: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(16))
    document: Mapped[str | None] = mapped_column(Text)
    """The signed approval's text, and its signature in hex."""
    signature: Mapped[str | None] = mapped_column(String(128))
    outcome: Mapped[str] = mapped_column(Text)
    """One sentence: what came of it."""


class VoiceRow(Base):
    """One person's approval of one action."""

    __tablename__ = "action_voice"
    __table_args__ = (UniqueConstraint("action", "account"), UniqueConstraint("action", "slot"))

    row: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=True)
    action: Mapped[str] = mapped_column(ACTION)
    account: Mapped[str] = mapped_column(ACCOUNT)
    name: Mapped[str] = mapped_column(ACCOUNT)
    slot: Mapped[int] = mapped_column(Integer)
    """1, 2: the database lets no two approvers take one place."""
    at_ns: Mapped[int] = mapped_column(BigInteger)
