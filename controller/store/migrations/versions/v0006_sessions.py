"""Sessions carry who acts and several grants; those of before are forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; its predecessor was made outside the migrations, or not yet."""
    op.execute("DROP TABLE IF EXISTS http_session")
    op.create_table(
        "web_session",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("grants", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("opened_at", sa.Float(), nullable=False),
        sa.Column("used_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_web_session"),
    )
    op.create_index("ix_web_session_actor", "web_session", ["actor"])
    op.create_index("ix_web_session_used_at", "web_session", ["used_at"])


def downgrade() -> None:
    """Drop the table: everybody signs in anew."""
    op.drop_table("web_session")
