"""Chinese names of districts and schools beside the first name."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = ("district", "school")


def upgrade() -> None:
    """Add the column; what was recorded before has none."""
    for table in TABLES:
        op.add_column(table, sa.Column("name_zh", sa.String(200), nullable=True))


def downgrade() -> None:
    """Take the column away."""
    for table in TABLES:
        op.drop_column(table, "name_zh")
