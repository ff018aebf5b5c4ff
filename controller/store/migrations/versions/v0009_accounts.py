"""Accounts, their grants and codes."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BIG = sa.BigInteger()
NUMBER = BIG.with_variant(sa.Integer(), "sqlite")
ACCOUNT = sa.String(64)
NAME = sa.String(200)


def upgrade() -> None:
    """Make the tables."""
    book = op.create_table(
        "account_book",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_account_book"),
    )
    op.bulk_insert(book, [{"id": 1, "revision": 0}])
    op.create_table(
        "account",
        sa.Column("name", ACCOUNT, nullable=False),
        sa.Column("display", NAME, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("password", sa.String(200), nullable=True),
        sa.Column("second", sa.LargeBinary(), nullable=True),
        sa.Column("second_step", NUMBER, nullable=False),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.Float(), nullable=False),
        sa.Column("version", NUMBER, nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("signed_in_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_account"),
    )
    op.create_index("ix_account_provider_subject", "account", ["provider", "subject"])
    op.create_table(
        "account_grant",
        sa.Column("account", ACCOUNT, nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("scope", NAME, nullable=False),
        sa.PrimaryKeyConstraint("account", "role", "scope", name="pk_account_grant"),
    )
    op.create_table(
        "account_code",
        sa.Column("account", ACCOUNT, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("account", "digest", name="pk_account_code"),
    )
    op.create_table(
        "account_note",
        sa.Column("row", NUMBER, autoincrement=True, nullable=False),
        sa.Column("act", sa.String(64), nullable=False),
        sa.Column("actor", NAME, nullable=False),
        sa.Column("subject", NAME, nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("row", name="pk_account_note"),
    )


def downgrade() -> None:
    """Drop the tables, and with them every account."""
    for name in ("account_note", "account_code", "account_grant", "account", "account_book"):
        op.drop_table(name)
