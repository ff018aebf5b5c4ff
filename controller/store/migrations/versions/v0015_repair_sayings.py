"""Steps of repairs by codes, beside their English sentence."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what older agents told has none."""
    op.add_column("repair_step", sa.Column("said", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    """Forget it: the sentences stay."""
    with op.batch_alter_table("repair_step") as table:
        table.drop_column("said")
