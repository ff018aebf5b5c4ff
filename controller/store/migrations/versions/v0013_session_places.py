"""Sessions say where they were opened from."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; of sessions of before it is not known."""
    op.add_column(
        "web_session", sa.Column("client", sa.String(64), nullable=False, server_default="")
    )
    op.add_column(
        "web_session", sa.Column("device", sa.String(80), nullable=False, server_default="")
    )


def downgrade() -> None:
    """Forget it."""
    with op.batch_alter_table("web_session") as table:
        table.drop_column("device")
        table.drop_column("client")
