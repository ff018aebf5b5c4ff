"""Sessions in the records database, so that a restart signs nobody out."""

import contextlib
import json

from sqlalchemy import Float, String, Table, Text, create_engine, delete, func, select, update
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Mapped, mapped_column

from controller.api.sessions import MOST_CLIENT, MOST_DEVICE, Session, SessionKind
from controller.store.protocols import StoreError
from controller.store.records import Unit
from controller.store.tables import Base
from tenone.vocabulary.roles import Grant, Role
from tenone.vocabulary.scope import IdentifierError, ScopePath

WAIT_SECONDS = 0.25
"""Calls are made on the event loop: what others write into the same file holds it up no longer."""


class SessionRow(Base):
    """One session; holds the hash of its id, never the id."""

    __tablename__ = "web_session"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    actor: Mapped[str] = mapped_column(String(200), index=True)
    name: Mapped[str] = mapped_column(String(200))
    grants: Mapped[str] = mapped_column(Text)
    """JSON: a list of [role, scope]."""
    kind: Mapped[str] = mapped_column(String(16))
    opened_at: Mapped[float] = mapped_column(Float)
    used_at: Mapped[float] = mapped_column(Float, index=True)
    client: Mapped[str] = mapped_column(String(MOST_CLIENT), server_default="")
    device: Mapped[str] = mapped_column(String(MOST_DEVICE), server_default="")


class RecordsSessionStore:
    """:class:`controller.api.sessions.SessionStore` on SQLAlchemy; the tables are there."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def beside(cls, engine: Engine) -> "RecordsSessionStore":
        """In the same database; with SQLite by connections of its own, which do not wait long."""
        if engine.dialect.name != "sqlite":
            return cls(engine)
        waiting = {"timeout": WAIT_SECONDS}
        return cls(create_engine(engine.url, hide_parameters=True, connect_args=waiting))

    @classmethod
    def at(cls, url: str) -> "RecordsSessionStore":
        """A store of its own at a database URL, its table made."""
        engine = create_engine(url, hide_parameters=True)
        table = SessionRow.__table__
        assert isinstance(table, Table)  # noqa: S101 - SQLAlchemy types it wider
        Base.metadata.create_all(engine, tables=[table])
        return cls(engine)

    def get(self, key: str) -> Session | None:
        """See the protocol."""
        with Unit(self._engine) as unit:
            row = unit.get(SessionRow, key)
            return None if row is None else session_of_row(row)

    def of(self, actor: str) -> list[Session]:
        """See the protocol."""
        with Unit(self._engine) as unit:
            rows = unit.scalars(select(SessionRow).where(SessionRow.actor == actor))
            return [found for row in rows if (found := session_of_row(row)) is not None]

    def put(self, session: Session) -> None:
        """See the protocol."""
        with Unit(self._engine) as unit:
            unit.merge(row_of_session(session))

    def use(self, key: str, used_at: float) -> None:
        """See the protocol. What cannot be written now is noted at the next use."""
        with contextlib.suppress(StoreError), Unit(self._engine) as unit:
            unit.execute(update(SessionRow).where(SessionRow.key == key).values(used_at=used_at))

    def place(self, key: str, client: str, device: str) -> None:
        """See the protocol. Where it came from is for people: no sign-in fails for it."""
        placed = update(SessionRow).where(SessionRow.key == key)
        with contextlib.suppress(StoreError), Unit(self._engine) as unit:
            unit.execute(placed.values(client=client, device=device))

    def drop(self, key: str) -> None:
        """See the protocol."""
        with Unit(self._engine) as unit:
            unit.execute(delete(SessionRow).where(SessionRow.key == key))

    def drop_of(self, actor: str) -> None:
        """See the protocol."""
        with Unit(self._engine) as unit:
            unit.execute(delete(SessionRow).where(SessionRow.actor == actor))

    def drop_before(self, *, used_at: float, opened_at: float) -> None:
        """See the protocol."""
        old = (SessionRow.used_at < used_at) | (SessionRow.opened_at < opened_at)
        with Unit(self._engine) as unit:
            unit.execute(delete(SessionRow).where(old))

    def count(self) -> int:
        """See the protocol."""
        with Unit(self._engine) as unit:
            return unit.scalar(select(func.count()).select_from(SessionRow)) or 0

    def close(self) -> None:
        """Give the database connections back."""
        self._engine.dispose()


def row_of_session(session: Session) -> SessionRow:
    """How a session is kept."""
    return SessionRow(
        key=session.key,
        actor=session.actor,
        name=session.name,
        grants=json.dumps([[one.role.value, str(one.scope)] for one in session.grants]),
        kind=session.kind.value,
        opened_at=session.opened_at,
        used_at=session.used_at,
        client=session.client,
        device=session.device,
    )


def session_of_row(row: SessionRow) -> Session | None:
    """None for what this version does not understand: nobody is let in by a guess."""
    try:
        grants = tuple(
            Grant(Role(role), ScopePath.parse(scope)) for role, scope in json.loads(row.grants)
        )
        kind = SessionKind(row.kind)
    except (ValueError, TypeError, IdentifierError):
        return None
    return Session(
        key=row.key,
        actor=row.actor,
        name=row.name,
        grants=grants,
        kind=kind,
        opened_at=row.opened_at,
        used_at=row.used_at,
        client=row.client,
        device=row.device,
    )
