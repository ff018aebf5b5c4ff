"""Cables, baselines and drift of the topology room."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BIG = sa.BigInteger()
ROW = BIG.with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    text = sa.String
    _dated(
        "topology_edge",
        ("school", "switch"),
        sa.Column("school", text(32), nullable=False),
        sa.Column("switch", text(32), nullable=False),
        sa.Column("port", text(512), nullable=False),
        sa.Column("whom", text(512), nullable=False),
        sa.Column("protocol", text(8), nullable=False),
        sa.Column("chassis_id", text(512), nullable=True),
        sa.Column("mac", text(64), nullable=True),
        sa.Column("remote_port", text(512), nullable=True),
        sa.Column("name", text(512), nullable=True),
        sa.Column("address", text(64), nullable=True),
        sa.Column("capabilities", text(200), nullable=True),
    )
    _dated(
        "topology_baseline",
        ("school", "kind"),
        sa.Column("school", text(32), nullable=False),
        sa.Column("kind", text(16), nullable=False),
        sa.Column("name", text(64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
    )
    _dated(
        "drift",
        ("school", "kind"),
        sa.Column("school", text(32), nullable=False),
        sa.Column("kind", text(24), nullable=False),
        sa.Column("subject", text(600), nullable=False),
        sa.Column("link", text(65), nullable=True),
        sa.Column("place", text(600), nullable=False),
        sa.Column("expected", text(600), nullable=False),
        sa.Column("seen", text(600), nullable=False),
    )


def _dated(name: str, index: tuple[str, ...], *columns: sa.Column[object]) -> None:
    op.create_table(
        name,
        sa.Column("row", ROW, autoincrement=True, nullable=False),
        sa.Column("valid_from_ns", BIG, nullable=False),
        sa.Column("valid_to_ns", BIG, nullable=True),
        *columns,
        sa.PrimaryKeyConstraint("row", name=f"pk_{name}"),
    )
    op.create_index(f"ix_{name}_{'_'.join(index)}", name, list(index))
    op.create_index(f"ix_{name}_valid_to_ns", name, ["valid_to_ns"])


def downgrade() -> None:
    """Drop the tables."""
    for name in ("drift", "topology_baseline", "topology_edge"):
        op.drop_table(name)
