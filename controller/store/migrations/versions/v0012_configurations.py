"""Configurations of switches as their schools tell of them."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SLUG = sa.String(32)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "switch_configuration",
        sa.Column("school", SLUG, nullable=False),
        sa.Column("switch", SLUG, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("fetched_ms", sa.BigInteger()),
        sa.Column("hash", sa.String(64)),
        sa.Column("accepted", sa.String(64)),
        sa.Column("differences", sa.Text(), nullable=False),
        sa.Column("broken", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("school", "switch", name="pk_switch_configuration"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("switch_configuration")
