"""The records of part 1: dated inventory and bindings, state changes of links."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SLUG = sa.String(32)
NAME = sa.String(200)
TEXT = sa.String(512)


def upgrade() -> None:
    """Make the tables."""
    _dated("district", ("id",), _column("id", SLUG), _column("name", NAME))
    _dated(
        "school",
        ("id",),
        _column("id", SLUG),
        _column("district", SLUG),
        _column("name", NAME),
        _column("profile", SLUG),
    )
    _dated(
        "switch",
        ("school", "name"),
        _column("school", SLUG),
        _column("name", SLUG),
        _column("host", sa.String(253)),
        _column("port", sa.Integer()),
    )
    _dated(
        "link",
        ("school", "link"),
        _column("school", SLUG),
        _column("link", SLUG),
        _column("name", NAME),
        _column("tier", sa.String(16)),
        _column("room", SLUG, null=True),
        _column("contract_mbps", sa.Integer()),
    )
    _dated(
        "binding",
        ("school", "link"),
        _column("school", SLUG),
        _column("link", SLUG),
        _column("switch", SLUG),
        _column("port", sa.String(255)),
    )
    _dated(
        "device",
        ("school", "kind", "serial"),
        _column("school", SLUG),
        _column("kind", sa.String(16)),
        _column("serial", SLUG),
        _column("name", NAME),
        _column("room", SLUG, null=True),
    )
    _dated(
        "port_inventory",
        ("school", "switch", "port"),
        _column("school", SLUG),
        _column("switch", SLUG),
        _column("port", TEXT),
        _column("if_index", sa.BigInteger(), null=True),
        _column("if_name", TEXT, null=True),
        _column("if_descr", TEXT, null=True),
        _column("if_alias", TEXT, null=True),
        _column("if_type", sa.Integer(), null=True),
        _column("mtu", sa.BigInteger(), null=True),
        _column("mac", sa.String(64), null=True),
    )
    _table(
        "link_change",
        _column("school", SLUG),
        _column("link", SLUG),
        _column("at_ns", sa.BigInteger()),
        _column("since_ns", sa.BigInteger()),
        *(_column(name, sa.Integer()) for name in ("verdict", "severity")),
        _column("causes", sa.BigInteger()),
        *(_column(name, sa.Integer()) for name in ("oper", "admin")),
        _column("speed_mbps", sa.BigInteger()),
        _column("duplex", sa.Integer()),
        _column("block_hash", sa.LargeBinary()),
    )
    _index("link_change", ("school", "link", "at_ns"))
    _index("link_change", ("at_ns",))


def downgrade() -> None:
    """Drop the tables."""
    for name in ("district", "school", "switch", "link", "binding", "device", "port_inventory"):
        op.drop_table(name)
    op.drop_table("link_change")


def _dated(name: str, key: tuple[str, ...], *columns: sa.Column[Any]) -> None:
    _table(
        name,
        *columns,
        _column("valid_from_ns", sa.BigInteger()),
        _column("valid_to_ns", sa.BigInteger(), null=True),
    )
    _index(name, key)
    _index(name, ("valid_to_ns",))


def _table(name: str, *columns: sa.Column[Any]) -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        name,
        sa.Column("row", number, autoincrement=True, nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("row", name=f"pk_{name}"),
    )


def _index(table: str, columns: tuple[str, ...]) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def _column(
    name: str,
    kind: sa.types.TypeEngine[Any],
    *,
    null: bool = False,
) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=null)
