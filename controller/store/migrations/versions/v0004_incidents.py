"""Incidents, their timelines, maintenance windows, the duty register, notices and tickets."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = ("incident", "incident_event", "maintenance", "duty", "notice", "ticket")
INCIDENT = sa.String(64)
LONG = sa.String(200)
SCOPE = sa.String(100)
SLUG = sa.String(32)
NS = sa.BigInteger
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _row() -> sa.Column[int]:
    return sa.Column("row", NUMBER, primary_key=True, autoincrement=True)


def _column(name: str, kind: Any, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=null)


def upgrade() -> None:
    """Make the tables."""
    _make_incidents()
    _make_people()


def _make_incidents() -> None:
    op.create_table(
        "incident",
        sa.Column("id", INCIDENT, primary_key=True),
        _column("school", SLUG),
        _column("district", SLUG),
        _column("subject", LONG),
        _column("state", sa.String(16)),
        _column("cause", sa.Integer),
        _column("severity", sa.Integer),
        _column("began_ns", NS),
        _column("opened_ns", NS),
        _column("resolved_ns", NS, null=True),
        _column("rest", sa.Text),
    )
    op.create_index("ix_incident_state_school", "incident", ["state", "school"])
    op.create_index("ix_incident_opened_ns", "incident", ["opened_ns"])
    op.create_table(
        "incident_event",
        _row(),
        _column("incident", INCIDENT),
        _column("at_ns", NS),
        _column("act", sa.String(24)),
        _column("who", LONG),
        _column("fields", sa.Text),
    )
    op.create_index("ix_incident_event_incident_row", "incident_event", ["incident", "row"])
    op.create_index("ix_incident_event_at_ns", "incident_event", ["at_ns"])
    op.create_table(
        "maintenance",
        sa.Column("id", INCIDENT, primary_key=True),
        _column("scope", SCOPE),
        _column("link", sa.String(65), null=True),
        _column("start_ns", NS),
        _column("end_ns", NS),
        _column("reason", sa.Text),
        _column("asked_by", LONG),
        _column("approved_by", LONG),
        _column("made_ns", NS),
        _column("ended_ns", NS, null=True),
        _column("ended_by", LONG),
    )
    op.create_index("ix_maintenance_end_ns", "maintenance", ["end_ns"])


def _make_people() -> None:
    op.create_table(
        "duty",
        _row(),
        _column("scope", SCOPE),
        _column("role", sa.String(24)),
        _column("name", LONG),
        _column("phone", sa.String(40)),
        _column("email", LONG),
        _column("valid_from_ns", NS),
        _column("valid_to_ns", NS, null=True),
        _column("entered_by", LONG),
    )
    op.create_index("ix_duty_scope", "duty", ["scope"])
    op.create_table(
        "notice",
        _row(),
        _column("incident", INCIDENT),
        _column("level", sa.Integer),
        _column("act", sa.String(24)),
        _column("channel", sa.String(16)),
        _column("made_ns", NS),
        _column("due_ns", NS),
        _column("state", sa.String(16)),
        _column("attempts", sa.Integer),
        _column("sent_ns", NS, null=True),
        _column("error", sa.Text),
    )
    op.create_index("ix_notice_state_due_ns", "notice", ["state", "due_ns"])
    op.create_index("ix_notice_incident", "notice", ["incident"])
    op.create_table(
        "ticket",
        sa.Column("number", INCIDENT, primary_key=True),
        _column("incident", INCIDENT),
        _column("school", SLUG),
        _column("state", sa.String(16)),
        _column("assignee", LONG),
        _column("note", sa.Text),
        _column("made_ns", NS),
        _column("changed_ns", NS),
        _column("changed_by", LONG),
        _column("version", sa.Integer),
    )
    op.create_index("ix_ticket_incident", "ticket", ["incident"])


def downgrade() -> None:
    """Drop them."""
    for table in reversed(TABLES):
        op.drop_table(table)
