"""Sessions in the records database, so that a restart signs nobody out."""

from sqlalchemy import Float, String, create_engine, delete, func, select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.orm import Session as Unit

from controller.api.sessions import Role, Session
from tenone.vocabulary.scope import ScopePath


class Base(DeclarativeBase):
    """Tables of this module."""


class SessionRow(Base):
    """One session; holds the hash of its id, never the id."""

    __tablename__ = "http_session"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    role: Mapped[str] = mapped_column(String(32))
    scope: Mapped[str] = mapped_column(String(200))
    opened_at: Mapped[float] = mapped_column(Float)
    used_at: Mapped[float] = mapped_column(Float, index=True)


class RecordsSessionStore:
    """:class:`controller.api.sessions.SessionStore` on SQLAlchemy."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        Base.metadata.create_all(engine)

    @classmethod
    def at(cls, url: str) -> "RecordsSessionStore":
        """A store at a database URL such as ``sqlite:////var/lib/tenone/sessions.db``."""
        return cls(create_engine(url, hide_parameters=True))

    def get(self, key: str) -> Session | None:
        """See the protocol."""
        with Unit(self._engine) as unit:
            row = unit.get(SessionRow, key)
            return None if row is None else _session(row)

    def put(self, session: Session) -> None:
        """See the protocol."""
        with Unit(self._engine) as unit, unit.begin():
            unit.merge(
                SessionRow(
                    key=session.key,
                    role=session.role.value,
                    scope=str(session.scope),
                    opened_at=session.opened_at,
                    used_at=session.used_at,
                )
            )

    def drop(self, key: str) -> None:
        """See the protocol."""
        with Unit(self._engine) as unit, unit.begin():
            unit.execute(delete(SessionRow).where(SessionRow.key == key))

    def drop_before(self, *, used_at: float, opened_at: float) -> None:
        """See the protocol."""
        old = (SessionRow.used_at < used_at) | (SessionRow.opened_at < opened_at)
        with Unit(self._engine) as unit, unit.begin():
            unit.execute(delete(SessionRow).where(old))

    def count(self) -> int:
        """See the protocol."""
        with Unit(self._engine) as unit:
            return unit.scalar(select(func.count()).select_from(SessionRow)) or 0

    def close(self) -> None:
        """Give the database connections back."""
        self._engine.dispose()


def _session(row: SessionRow) -> Session | None:
    """None for a role this version does not know: nobody is let in by a guess."""
    if row.role not in set(Role):
        return None
    return Session(
        key=row.key,
        role=Role(row.role),
        scope=ScopePath.parse(row.scope),
        opened_at=row.opened_at,
        used_at=row.used_at,
    )
