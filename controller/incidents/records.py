"""Incidents among the records. Methods block: call them in the records' thread."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine as Database

from controller.incidents.case import Case
from controller.incidents.maintenance import Window
from controller.incidents.model import Act, Event, Incident, State, Subject
from controller.incidents.tables import IncidentEventRow, IncidentRow, MaintenanceRow, NoticeRow
from controller.store.records import Unit
from controller.store.tables import Base
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Cause, Severity, Verdict

AT_ONCE = 500
"""Rows of one statement; SQLite takes 32,766 parameters (SQLITE_MAX_VARIABLE_NUMBER)."""
KEEP_NS = 3 * 366 * 86_400 * 1_000_000_000
"""Resolved incidents are kept three years, as the changes of links are."""
_OWN = ("id", "began_ns", "opened_ns", "resolved_ns")
_PLAIN = (
    "alarmed_ns", "clearing_ns", "resolved_by", "count", "owner", "maintenance",
    "acknowledged_ns", "acknowledged_by", "acknowledged_level", "assignee", "ticket", "level",
    "version",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What was known before a restart."""

    incidents: Sequence[Incident]
    cases: Sequence[Case]
    windows: Sequence[Window]


class IncidentRecords:
    """Keeps incidents, timelines and windows in the database the records hold."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self, resolved_since_ns: int) -> Kept:
        """Everything open, what was resolved since, and all windows."""
        with Unit(self._database) as session:
            rows = session.scalars(
                sa.select(IncidentRow).where(
                    sa.or_(
                        IncidentRow.state == State.OPEN.value,
                        IncidentRow.resolved_ns >= resolved_since_ns,
                    )
                )
            ).all()
            windows = session.scalars(sa.select(MaintenanceRow)).all()
        pairs = [_incident(row) for row in rows]
        return Kept(
            incidents=[incident for incident, _ in pairs],
            cases=[case for _, case in pairs if case is not None],
            windows=[_window(row) for row in windows],
        )

    def write(
        self,
        incidents: Iterable[tuple[Incident, Case | None, str]],
        events: Iterable[Event],
        notices: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """Keep incidents (each with its case and its district), new events and new notices."""
        with Unit(self._database) as session:
            rows = [_row(incident, case, district) for incident, case, district in incidents]
            # Old rows out, new rows in: a storm's incidents are not read back one by one.
            for first in range(0, len(rows), AT_ONCE):
                some = rows[first : first + AT_ONCE]
                old = IncidentRow.id.in_([row["id"] for row in some])
                session.execute(sa.delete(IncidentRow).where(old))
                session.connection().execute(sa.insert(IncidentRow), some)
            lines = [_event_row(event) for event in events]
            if lines:
                session.connection().execute(sa.insert(IncidentEventRow), lines)
            if notices:
                session.execute(sa.insert(Base.metadata.tables["notice"]), list(notices))

    def put_window(self, window: Window) -> None:
        """Keep a window."""
        values = {name: getattr(window, name) for name in window.__slots__}
        with Unit(self._database) as session:
            session.merge(MaintenanceRow(**(values | {"scope": str(window.scope)})))

    def timeline(self, incident: str) -> list[Event]:
        """All events of one incident, as they were kept."""
        query = sa.select(IncidentEventRow).where(IncidentEventRow.incident == incident)
        with Unit(self._database) as session:
            rows = session.scalars(query.order_by(IncidentEventRow.row)).all()
        return [
            Event(
                incident=row.incident,
                at_ns=row.at_ns,
                act=Act(row.act),
                who=row.who,
                fields=json.loads(row.fields),
            )
            for row in rows
        ]

    def past(self, schools: Sequence[str], from_ns: int, limit: int) -> list[Incident]:
        """Resolved incidents of ``schools`` that opened since ``from_ns``, newest first."""
        query = sa.select(IncidentRow).where(
            IncidentRow.state == State.RESOLVED.value, IncidentRow.opened_ns >= from_ns
        )
        if schools:
            query = query.where(IncidentRow.school.in_(schools))
        query = query.order_by(IncidentRow.opened_ns.desc(), IncidentRow.id).limit(limit)
        with Unit(self._database) as session:
            rows = session.scalars(query).all()
        return [_incident(row)[0] for row in rows]

    def one(self, incident: str) -> Incident | None:
        """One incident, however long ago."""
        with Unit(self._database) as session:
            row = session.get(IncidentRow, incident)
        return None if row is None else _incident(row)[0]

    def prune(self, now_ns: int) -> None:
        """Forget what was resolved before its years; open ones stay."""
        old = sa.select(IncidentRow.id).where(
            IncidentRow.state == State.RESOLVED.value,
            IncidentRow.resolved_ns < now_ns - KEEP_NS,
        )
        with Unit(self._database) as session:
            session.execute(sa.delete(IncidentEventRow).where(IncidentEventRow.incident.in_(old)))
            session.execute(sa.delete(NoticeRow).where(NoticeRow.incident.in_(old)))
            session.execute(
                sa.delete(IncidentRow).where(
                    IncidentRow.state == State.RESOLVED.value,
                    IncidentRow.resolved_ns < now_ns - KEEP_NS,
                )
            )


def _row(incident: Incident, case: Case | None, district: str) -> dict[str, object]:
    rest: dict[str, object] = {name: getattr(incident, name) for name in _PLAIN}
    rest["shadowed"] = sorted(incident.shadowed)
    rest["figures"] = dict(incident.figures)
    rest["proofs"] = list(incident.proofs)
    rest["repair"], rest["cable"] = incident.repair, incident.cable
    rest["case"] = None if case is None else _case_json(case)
    return {
        "id": incident.id,
        "school": incident.subject.school,
        "district": district,
        "subject": str(incident.subject),
        "state": incident.state.value,
        "cause": int(incident.cause),
        "severity": int(incident.severity),
        "began_ns": incident.began_ns,
        "opened_ns": incident.opened_ns,
        "resolved_ns": incident.resolved_ns,
        "rest": json.dumps(rest, ensure_ascii=False),
    }


def _incident(row: IncidentRow) -> tuple[Incident, Case | None]:
    rest = json.loads(row.rest)
    case = rest.pop("case", None)
    incident = Incident(
        **{name: getattr(row, name) for name in _OWN},
        **{name: rest[name] for name in _PLAIN},
        subject=Subject.parse(row.subject),
        cause=Cause(row.cause),
        severity=Severity(row.severity),
        state=State(row.state),
        shadowed=frozenset(rest["shadowed"]),
        figures=rest["figures"],
        proofs=tuple(rest["proofs"]),
        repair=rest.get("repair", ""),  # older rows have none
        cable=rest.get("cable", ""),
    )
    return incident, None if case is None else _case(incident, case)


def _case_json(case: Case) -> dict[str, object]:
    return {
        "bad": case.bad,
        "cause": int(case.cause),
        "severity": int(case.severity),
        "since_ns": case.since_ns,
        "good_ns": case.good_ns,
        "onsets": case.onsets,
        "released_ns": case.released_ns,
    }


def _case(incident: Incident, kept: Mapping[str, Any]) -> Case:
    """After a restart everything is unknown until it is seen again."""
    return Case(
        subject=incident.subject,
        verdict=Verdict.UNKNOWN,
        bad=kept["bad"],
        cause=Cause(kept["cause"]),
        severity=Severity(kept["severity"]),
        figures=dict(incident.figures),
        proof=bytes.fromhex(incident.proofs[-1]) if incident.proofs else b"",
        since_ns=kept["since_ns"],
        onsets=list(kept["onsets"]),
        incident=incident.id,
        released_ns=kept["released_ns"],
    )


def _event_row(event: Event) -> dict[str, object]:
    return {
        "incident": event.incident,
        "at_ns": event.at_ns,
        "act": event.act.value,
        "who": event.who,
        "fields": json.dumps(dict(event.fields), ensure_ascii=False),
    }


def _window(row: MaintenanceRow) -> Window:
    return Window(
        id=row.id,
        scope=ScopePath.parse(row.scope),
        link=row.link,
        start_ns=row.start_ns,
        end_ns=row.end_ns,
        reason=row.reason,
        asked_by=row.asked_by,
        approved_by=row.approved_by,
        made_ns=row.made_ns,
        ended_ns=row.ended_ns,
        ended_by=row.ended_by,
    )
