"""The duty register (R21): who answers for a school, a district, the city, and where nobody does.

Names, phones and mail addresses are personal data: they are told to whoever may act inside the
scope, and stand in no log and no metric.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine as Database

from controller.incidents.tables import DutyRow
from controller.incidents.views import Json, seconds
from controller.store.protocols import NS
from controller.store.records import Unit
from tenone.vocabulary.scope import ScopePath

STUDENTS_A_TECHNICIAN = 1000
SCHOOL_DEPTH = 3


class DutyRole(StrEnum):
    """What somebody answers for."""

    LEADER = "leader"
    """分管领导"""
    HEAD = "head"
    """部门负责人"""
    TECHNICIAN = "technician"
    """运维技术人员"""
    MAINTAINER = "maintainer"
    """An outsourced maintainer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """One person in one role for one scope, in ``[valid_from_ns, valid_to_ns)``."""

    row: int = 0
    scope: ScopePath
    role: DutyRole
    name: str = field(repr=False)
    phone: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    valid_from_ns: int
    valid_to_ns: int | None = None
    entered_by: str = ""

    def holds(self, at_ns: int) -> bool:
        """Whether it is in force."""
        return self.valid_from_ns <= at_ns and (
            self.valid_to_ns is None or at_ns < self.valid_to_ns
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A role that nobody, or too few, hold: ``have`` of ``need``."""

    scope: ScopePath
    role: DutyRole
    have: int
    need: int


def gaps(scopes: Mapping[ScopePath, int | None], duties: Iterable[Duty], at_ns: int) -> list[Gap]:
    """What is missing in ``scopes`` (scope -> students, None where not known or no school).

    Every scope needs a leader and a head; a school a technician for each 1,000 students begun.
    """
    held: dict[tuple[ScopePath, DutyRole], int] = {}
    for duty in duties:
        if duty.holds(at_ns):
            key = duty.scope, duty.role
            held[key] = held.get(key, 0) + 1
    found = []
    for scope, students in scopes.items():
        needed = {DutyRole.LEADER: 1, DutyRole.HEAD: 1}
        if len(scope.parts) >= SCHOOL_DEPTH:
            needed[DutyRole.TECHNICIAN] = max(1, math.ceil((students or 0) / STUDENTS_A_TECHNICIAN))
        for role, need in needed.items():
            have = held.get((scope, role), 0)
            if have < need:
                found.append(Gap(scope=scope, role=role, have=have, need=need))
    return sorted(found, key=lambda gap: (str(gap.scope), gap.role))


class DutyRecords:
    """The register in the records. Rows are closed, never changed. Methods block."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Duty]:
        """Every row, oldest first."""
        with Unit(self._database) as session:
            rows = session.scalars(sa.select(DutyRow).order_by(DutyRow.row)).all()
        return [_duty(row) for row in rows]

    def add(self, duty: Duty) -> Duty:
        """Keep a new row and say its number."""
        values: dict[str, Any] = {
            name: getattr(duty, name) for name in duty.__slots__ if name != "row"
        }
        row = DutyRow(**(values | {"scope": str(duty.scope), "role": duty.role.value}))
        with Unit(self._database) as session:
            session.add(row)
            session.flush()
            return _duty(row)

    def end(self, number: int, at_ns: int) -> Duty | None:
        """Close a row; None where there is no such open one."""
        with Unit(self._database) as session:
            row = session.get(DutyRow, number)
            if row is None or (row.valid_to_ns is not None and row.valid_to_ns <= at_ns):
                return None
            row.valid_to_ns = max(at_ns, row.valid_from_ns)
            return _duty(row)


def duty_json(duty: Duty, *, personal: bool) -> Json:
    """A row as the API says it; ``personal`` False leaves phone and mail address out."""
    return {
        "id": str(duty.row),
        "scope": str(duty.scope),
        "role": duty.role.value,
        "name": duty.name,
        "phone": duty.phone if personal else None,
        "email": duty.email if personal else None,
        "valid_from": duty.valid_from_ns / NS,
        "valid_to": seconds(duty.valid_to_ns),
    }


def gap_json(gap: Gap) -> Json:
    """A gap as the API says it."""
    return {
        "scope": str(gap.scope),
        "role": gap.role.value,
        "have": gap.have,
        "need": gap.need,
    }


def of_scope(duties: Sequence[Duty], scope: ScopePath) -> list[Duty]:
    """Rows of ``scope`` and all inside it."""
    return [duty for duty in duties if scope.covers(duty.scope)]


def _duty(row: DutyRow) -> Duty:
    return Duty(
        row=row.row,
        scope=ScopePath.parse(row.scope),
        role=DutyRole(row.role),
        name=row.name,
        phone=row.phone,
        email=row.email,
        valid_from_ns=row.valid_from_ns,
        valid_to_ns=row.valid_to_ns,
        entered_by=row.entered_by,
    )
