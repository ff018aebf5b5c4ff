"""Keys of programs."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

KEY = sa.String(16)
NAME = sa.String(200)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "api_key",
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("created_by", NAME, nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.Column("disabled_at", sa.Float(), nullable=True),
        sa.Column("used_at", sa.Float(), nullable=True),
        sa.Column("a_minute", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
    )
    op.create_table(
        "api_key_grant",
        sa.Column("key", KEY, nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("scope", NAME, nullable=False),
        sa.PrimaryKeyConstraint("key", "role", "scope", name="pk_api_key_grant"),
    )


def downgrade() -> None:
    """Forget them."""
    op.drop_table("api_key_grant")
    op.drop_table("api_key")
