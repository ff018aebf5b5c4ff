"""Machines, their certificates, one-time tokens and factory keys."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BIG = sa.BigInteger()


def upgrade() -> None:
    """Make the tables."""
    text = sa.String
    op.create_table(
        "machine",
        sa.Column("name", text(128), nullable=False),
        sa.Column("scope", text(200), nullable=False),
        sa.Column("invited_ns", BIG, nullable=False),
        sa.Column("enrolled_ns", BIG, nullable=True),
        sa.Column("revoked_ns", BIG, nullable=True),
        sa.Column("why", text(400), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_machine"),
    )
    op.create_index("ix_machine_scope", "machine", ["scope"])
    op.create_table(
        "machine_certificate",
        sa.Column("serial", text(40), nullable=False),
        sa.Column("machine", text(128), nullable=False),
        sa.Column("authority", text(16), nullable=False),
        sa.Column("key", text(64), nullable=False),
        sa.Column("how", text(16), nullable=False),
        sa.Column("issued_ns", BIG, nullable=False),
        sa.Column("not_before", BIG, nullable=False),
        sa.Column("not_after", BIG, nullable=False),
        sa.Column("revoked_ns", BIG, nullable=True),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("serial", name="pk_machine_certificate"),
    )
    op.create_index(
        "ix_machine_certificate_machine_not_after", "machine_certificate", ["machine", "not_after"]
    )
    op.create_index("ix_machine_certificate_key", "machine_certificate", ["key"])
    op.create_index("ix_machine_certificate_not_after", "machine_certificate", ["not_after"])
    op.create_table(
        "enrolment_token",
        sa.Column("digest", text(64), nullable=False),
        sa.Column("machine", text(128), nullable=False),
        sa.Column("issued_by", text(200), nullable=False),
        sa.Column("issued_ns", BIG, nullable=False),
        sa.Column("expires_ns", BIG, nullable=False),
        sa.Column("used_ns", BIG, nullable=True),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_enrolment_token"),
    )
    op.create_index("ix_enrolment_token_machine", "enrolment_token", ["machine"])
    op.create_table(
        "factory_key",
        sa.Column("key", text(64), nullable=False),
        sa.Column("machine", text(128), nullable=False),
        sa.Column("manifest", text(64), nullable=False),
        sa.Column("imported_ns", BIG, nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_factory_key"),
    )
    op.create_index("ix_factory_key_machine", "factory_key", ["machine"])


def downgrade() -> None:
    """Drop the tables: every machine enrols anew."""
    for name in ("factory_key", "enrolment_token", "machine_certificate", "machine"):
        op.drop_table(name)
