"""Actions and what people said of them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

WHO = sa.String(200)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "action",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("scope", sa.String(100), nullable=False),
        sa.Column("school", sa.String(32), nullable=False),
        sa.Column("intent", sa.String(64), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("plan", sa.String(64), nullable=False),
        sa.Column("device_state", sa.String(64), nullable=False),
        sa.Column("risk", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requester", WHO, nullable=False),
        sa.Column("requester_name", WHO, nullable=False),
        sa.Column("retry", sa.String(64), nullable=False),
        sa.Column("asked", sa.String(64), nullable=False),
        sa.Column("made_ns", sa.BigInteger(), nullable=False),
        sa.Column("ends_ns", sa.BigInteger(), nullable=False),
        sa.Column("changed_ns", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("document", sa.Text()),
        sa.Column("signature", sa.String(128)),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_action"),
        sa.UniqueConstraint("requester", "retry", name="uq_action_requester_retry"),
    )
    op.create_index("ix_action_state_ends_ns", "action", ["state", "ends_ns"])
    op.create_index("ix_action_made_ns", "action", ["made_ns"])
    op.create_table(
        "action_voice",
        sa.Column("row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("account", WHO, nullable=False),
        sa.Column("name", WHO, nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row", name="pk_action_voice"),
        sa.UniqueConstraint("action", "account", name="uq_action_voice_action_account"),
        sa.UniqueConstraint("action", "slot", name="uq_action_voice_action_slot"),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("action_voice")
    op.drop_table("action")
