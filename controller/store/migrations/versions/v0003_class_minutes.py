"""The running count of class-minutes, an hour a row."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger()
ROW = BIG.with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "class_minute_hour",
        sa.Column("row", ROW, autoincrement=True, nullable=False),
        sa.Column("school", sa.String(32), nullable=False),
        sa.Column("hour_ns", BIG, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("row", name="pk_class_minute_hour"),
    )
    op.create_index(
        "ix_class_minute_hour_school_hour_ns",
        "class_minute_hour",
        ["school", "hour_ns"],
        unique=True,
    )
    op.create_index("ix_class_minute_hour_hour_ns", "class_minute_hour", ["hour_ns"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("class_minute_hour")
