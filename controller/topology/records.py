"""Cables, baselines and drift among the records. Methods block: call them in their thread."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from controller.store.records import SqlRecords
from controller.store.tables import Dated
from controller.topology.drift import Drift, DriftKind, DriftView
from controller.topology.model import Edge, Heard, Identity, Place
from controller.topology.net import Kept
from controller.topology.standing import Standing
from controller.topology.tables import DriftRow, TopologyBaselineRow, TopologyEdgeRow

KEEP_NS = 3 * 366 * 86_400 * 1_000_000_000
"""What is over is kept three years, as the changes of links are."""
_TABLES: Mapping[str, type[Dated]] = {
    "edge": TopologyEdgeRow,
    "baseline": TopologyBaselineRow,
    "drift": DriftRow,
}
T = TypeVar("T", bound=Dated)
_IDENTITY = frozenset(field.name for field in fields(Identity))


class TopologyRecords:
    """See the module; raises :class:`StoreError`."""

    def __init__(self, records: SqlRecords) -> None:
        self._records = records

    def load(self) -> list[tuple[str, Standing]]:
        """Everything in force, school by school."""
        found: dict[str, Standing] = {}

        def of(school: str) -> Standing:
            return found.setdefault(school, Standing())

        with self._records.unit() as unit:
            for edge in unit.scalars(_open(TopologyEdgeRow)):
                one = _edge(edge)
                of(edge.school).edges[one.heard.key] = one
            for base in unit.scalars(_open(TopologyBaselineRow)):
                value = json.loads(base.value)
                standing = of(base.school)
                if base.kind == "home":
                    standing.homes[base.name] = Place(value["switch"], value["port"])
                else:
                    said = Identity(**{k: v for k, v in value.items() if k in _IDENTITY})
                    into = standing.accepted if base.kind == "accepted" else standing.identities
                    into[base.name] = said
            for drift in unit.scalars(_open(DriftRow)):
                of(drift.school).drifts.append(view_of_row(drift))
        return sorted(found.items())

    def write(self, kept: Iterable[Kept]) -> None:
        """Close what was in force under each key and open what is now; in order."""
        with self._records.unit() as unit:
            for one in kept:
                _write(unit, one)

    def past(self, schools: set[str], limit: int) -> list[DriftView]:
        """Drift that is over, newest first."""
        query = sa.select(DriftRow).where(
            DriftRow.valid_to_ns.is_not(None), DriftRow.school.in_(schools)
        )
        with self._records.unit() as unit:
            rows = unit.scalars(query.order_by(DriftRow.valid_to_ns.desc()).limit(limit)).all()
        return [view_of_row(row) for row in rows]

    def prune(self, now_ns: int) -> None:
        """Forget what was over three years ago."""
        with self._records.unit() as unit:
            for table in _TABLES.values():
                unit.execute(sa.delete(table).where(table.valid_to_ns < now_ns - KEEP_NS))


def _write(unit: Session, one: Kept) -> None:
    table = _TABLES[one.table]
    key = dict(zip(table.KEY, (one.school, *one.key), strict=True))
    is_it = [getattr(table, name) == value for name, value in key.items()]
    unit.execute(
        sa.update(table).where(*is_it, table.valid_to_ns.is_(None)).values(valid_to_ns=one.at_ns)
    )
    if one.values is not None:
        values = dict(one.values)
        if one.table == "baseline":
            values = {"value": json.dumps(values)}
        row = {**key, **values, "valid_from_ns": one.at_ns, "valid_to_ns": None}
        unit.execute(sa.insert(table), [row])


def _open(table: type[T]) -> sa.Select[T]:
    return sa.select(table).where(table.valid_to_ns.is_(None))


def _edge(row: TopologyEdgeRow) -> Edge:
    capabilities = None if row.capabilities is None else frozenset(row.capabilities.split())
    return Edge(
        heard=Heard(
            switch=row.switch,
            port=row.port,
            protocol=row.protocol,
            chassis_id=row.chassis_id,
            mac=row.mac,
            remote_port=row.remote_port,
            name=row.name,
            address=row.address,
            capabilities=capabilities,
        ),
        since_ns=row.valid_from_ns,
    )


def view_of_row(row: DriftRow) -> DriftView:
    """A kept drift."""
    drift = Drift(
        school=row.school,
        kind=DriftKind(row.kind),
        subject=row.subject,
        link=row.link,
        place=row.place,
        expected=row.expected,
        seen=row.seen,
    )
    return DriftView(drift=drift, since_ns=row.valid_from_ns, resolved_ns=row.valid_to_ns)
