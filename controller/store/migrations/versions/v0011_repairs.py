"""Repairs: red stops, what was begun, and its steps."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ACTION = sa.String(64)
SLUG = sa.String(32)
LONG = sa.String(200)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "enforcement_stop",
        sa.Column("scope", sa.String(100), nullable=False),
        sa.Column("by", LONG, nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("scope", name="pk_enforcement_stop"),
    )
    op.create_table(
        "repair_attempt",
        sa.Column("action", ACTION, nullable=False),
        sa.Column("school", SLUG, nullable=False),
        sa.Column("district", SLUG, nullable=False),
        sa.Column("intent", sa.String(64), nullable=False),
        sa.Column("switch", SLUG, nullable=False),
        sa.Column("port", LONG, nullable=False),
        sa.Column("link", sa.String(65)),
        sa.Column("cause", sa.Integer()),
        sa.Column("incident", sa.String(64)),
        sa.Column("automatic", sa.Integer(), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("begun_ns", sa.BigInteger(), nullable=False),
        sa.Column("faulted_ns", sa.BigInteger()),
        sa.Column("judged_ns", sa.BigInteger()),
        sa.Column("proved_ns", sa.BigInteger()),
        sa.Column("ended_ns", sa.BigInteger()),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("cable", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("action", name="pk_repair_attempt"),
    )
    op.create_index("ix_repair_attempt_begun_ns", "repair_attempt", ["begun_ns"])
    op.create_index("ix_repair_attempt_day_school", "repair_attempt", ["day", "school"])
    op.create_table(
        "repair_step",
        sa.Column("row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True),
        sa.Column("action", ACTION, nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("transcript", sa.Text(), nullable=False),
        sa.Column("cable", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("row", name="pk_repair_step"),
        sa.UniqueConstraint("action", "step", "at_ms", name="uq_repair_step_action_step_at_ms"),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("repair_step")
    op.drop_table("repair_attempt")
    op.drop_table("enforcement_stop")
