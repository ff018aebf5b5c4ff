"""The tables of the records, dated from the start.

A dated row is true in the half-open interval ``[valid_from_ns, valid_to_ns)``; NULL is open.
Rows are never changed, only closed, so "as of" any moment is a query. Times are ns since 1970
UTC. Migrations in ``controller/store/migrations`` make these tables; a test compares the two.
"""

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
}
SLUG = String(32)
NAME = String(200)
Number = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows itself only in an INTEGER primary key; its integers have 64 bits anyway."""


class Base(DeclarativeBase):
    """All tables of the records."""

    metadata = MetaData(naming_convention=CONVENTION)


class Dated(Base):
    """What every dated row has. ``KEY`` names the columns that say what it is about."""

    __abstract__ = True
    KEY: tuple[str, ...] = ()

    row: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=True)
    valid_from_ns: Mapped[int] = mapped_column(BigInteger)
    valid_to_ns: Mapped[int | None] = mapped_column(BigInteger, index=True)

    @property
    def key(self) -> tuple[str, ...]:
        """The values of the key columns."""
        return tuple(getattr(self, name) for name in self.KEY)


class District(Dated):
    """A district's name over time."""

    __tablename__ = "district"
    KEY = ("id",)

    id: Mapped[str] = mapped_column(SLUG, index=True)
    name: Mapped[str] = mapped_column(NAME)
    name_zh: Mapped[str | None] = mapped_column(NAME)


class School(Dated):
    """Where a school belongs, over time."""

    __tablename__ = "school"
    KEY = ("id",)

    id: Mapped[str] = mapped_column(SLUG, index=True)
    district: Mapped[str] = mapped_column(SLUG)
    name: Mapped[str] = mapped_column(NAME)
    name_zh: Mapped[str | None] = mapped_column(NAME)
    profile: Mapped[str] = mapped_column(SLUG)


class Switch(Dated):
    """A switch's address over time."""

    __tablename__ = "switch"
    __table_args__ = (Index(None, "school", "name"),)
    KEY = ("school", "name")

    school: Mapped[str] = mapped_column(SLUG)
    name: Mapped[str] = mapped_column(SLUG)
    host: Mapped[str] = mapped_column(String(253))
    port: Mapped[int]


class Link(Dated):
    """A promise over time: tier, place, contract. It outlives every port that carries it."""

    __tablename__ = "link"
    __table_args__ = (Index(None, "school", "link"),)
    KEY = ("school", "link")

    school: Mapped[str] = mapped_column(SLUG)
    link: Mapped[str] = mapped_column(SLUG)
    name: Mapped[str] = mapped_column(NAME)
    tier: Mapped[str] = mapped_column(String(16))
    room: Mapped[str | None] = mapped_column(SLUG)
    contract_mbps: Mapped[int]


class Binding(Dated):
    """Which switch and port carried a link, over time."""

    __tablename__ = "binding"
    __table_args__ = (Index(None, "school", "link"),)
    KEY = ("school", "link")

    school: Mapped[str] = mapped_column(SLUG)
    link: Mapped[str] = mapped_column(SLUG)
    switch: Mapped[str] = mapped_column(SLUG)
    port: Mapped[str] = mapped_column(String(255))


class Device(Dated):
    """A device's name and place over time."""

    __tablename__ = "device"
    __table_args__ = (Index(None, "school", "kind", "serial"),)
    KEY = ("school", "kind", "serial")

    school: Mapped[str] = mapped_column(SLUG)
    kind: Mapped[str] = mapped_column(String(16))
    serial: Mapped[str] = mapped_column(SLUG)
    name: Mapped[str] = mapped_column(NAME)
    room: Mapped[str | None] = mapped_column(SLUG)


class PortInventory(Dated):
    """What a switch said about a port, over time."""

    __tablename__ = "port_inventory"
    __table_args__ = (Index(None, "school", "switch", "port"),)
    KEY = ("school", "switch", "port")

    school: Mapped[str] = mapped_column(SLUG)
    switch: Mapped[str] = mapped_column(SLUG)
    port: Mapped[str] = mapped_column(String(512))
    if_index: Mapped[int | None] = mapped_column(BigInteger)
    if_name: Mapped[str | None] = mapped_column(String(512))
    if_descr: Mapped[str | None] = mapped_column(String(512))
    if_alias: Mapped[str | None] = mapped_column(String(512))
    if_type: Mapped[int | None]
    mtu: Mapped[int | None] = mapped_column(BigInteger)
    mac: Mapped[str | None] = mapped_column(String(64))


class LinkChangeRow(Base):
    """The state changes of links: a small tier kept for years, with the block's hash."""

    __tablename__ = "link_change"
    __table_args__ = (Index(None, "school", "link", "at_ns"), Index(None, "at_ns"))

    row: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=True)
    school: Mapped[str] = mapped_column(SLUG)
    link: Mapped[str] = mapped_column(SLUG)
    at_ns: Mapped[int] = mapped_column(BigInteger)
    since_ns: Mapped[int] = mapped_column(BigInteger)
    verdict: Mapped[int]
    severity: Mapped[int]
    causes: Mapped[int] = mapped_column(BigInteger)
    oper: Mapped[int]
    admin: Mapped[int]
    speed_mbps: Mapped[int] = mapped_column(BigInteger)
    duplex: Mapped[int]
    block_hash: Mapped[bytes] = mapped_column(LargeBinary)
