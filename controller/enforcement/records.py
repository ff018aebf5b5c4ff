"""Repairs among the records. Methods block and raise :class:`StoreError`."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from controller.enforcement.attempts import AGAIN_NS, Attempt, End
from controller.enforcement.model import Course, CourseStep, Stop
from controller.enforcement.tables import AttemptRow, StepRow, StopRow
from controller.foreign import read_foreign
from controller.store.protocols import NS
from controller.store.records import Unit
from controller.trust.approval_records import KEEP_NS
from tenone.vocabulary.intents import Intent
from tenone.vocabulary.repairs import RepairStep
from tenone.vocabulary.sayings import Clause, read_clauses
from tenone.vocabulary.scope import ScopePath

log = logging.getLogger(__name__)

MS_NS = 1_000_000
MOST_STEPS = 200
"""Of one action: five to eight are usual, an agent that is started anew tells some twice."""
MOST_ENDS = 20
"""So many more, of those that end it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One step as a block says it."""

    action: str
    step: RepairStep
    at_ms: int
    sentence: str
    transcript: str
    cable: str
    said: str = ""
    """The sentence's clauses, JSON as the agent sent it."""


class RepairRecords:
    """See the module."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def stops(self) -> list[Stop]:
        """Every stop that stands."""
        with Unit(self._engine) as unit:
            return [
                Stop(
                    scope=ScopePath.parse(row.scope) if row.scope else ScopePath(),
                    by=row.by,
                    at=row.at_ns / NS,
                    reason=row.reason,
                )
                for row in unit.scalars(sa.select(StopRow).order_by(StopRow.scope))
            ]

    def put_stop(self, stop: Stop) -> None:
        """Keep one; another one of the same scope is replaced."""
        with Unit(self._engine) as unit:
            unit.merge(
                StopRow(
                    scope=str(stop.scope),
                    by=stop.by,
                    at_ns=round(stop.at * NS),
                    reason=stop.reason,
                )
            )

    def end_stop(self, scope: ScopePath) -> None:
        """Take one back."""
        with Unit(self._engine) as unit:
            unit.execute(sa.delete(StopRow).where(StopRow.scope == str(scope)))

    def attempts(self, now_ns: int) -> list[Attempt]:
        """What still counts: of the last two days, and what has not ended."""
        query = sa.select(AttemptRow).where(
            sa.or_(AttemptRow.begun_ns > now_ns - 2 * AGAIN_NS, AttemptRow.ended_ns.is_(None))
        )
        with Unit(self._engine) as unit:
            return [_attempt(row) for row in unit.scalars(query.order_by(AttemptRow.begun_ns))]

    def put(self, attempt: Attempt) -> None:
        """Keep one as it stands now."""
        with Unit(self._engine) as unit:
            unit.merge(_row(attempt))

    def forget(self, action: str) -> None:
        """One that was not begun after all."""
        with Unit(self._engine) as unit:
            unit.execute(sa.delete(AttemptRow).where(AttemptRow.action == action))

    def add_steps(self, school: str, steps: Sequence[Told]) -> list[Told]:
        """Keep steps; returns those that were not known yet, in order.

        A school speaks of what was begun there, and of nothing else.
        """
        new: list[Told] = []
        with Unit(self._engine) as unit:
            for one in sorted(steps, key=lambda step: (step.at_ms, step.step)):
                attempt = unit.get(AttemptRow, one.action)
                if attempt is None or attempt.school != school:
                    log.warning("%s tells of %s, which was not begun there", school, one.action)
                    continue
                known = sa.select(StepRow.row).where(
                    StepRow.action == one.action,
                    StepRow.step == one.step,
                    StepRow.at_ms == one.at_ms,
                )
                if unit.scalars(known).first() is not None:
                    continue
                count = sa.select(sa.func.count()).where(StepRow.action == one.action)
                most = MOST_STEPS + MOST_ENDS * one.step.final
                if (unit.scalar(count) or 0) >= most:
                    log.warning("%s tells of more than %d steps of %s", school, most, one.action)
                    continue
                unit.add(
                    StepRow(
                        action=one.action,
                        step=int(one.step),
                        at_ms=one.at_ms,
                        sentence=one.sentence,
                        transcript=one.transcript,
                        cable=one.cable,
                        said=one.said,
                    )
                )
                unit.flush()
                new.append(one)
        return new

    def steps(self, action: str) -> tuple[CourseStep, ...]:
        """The steps of an action, oldest first."""
        query = sa.select(StepRow).where(StepRow.action == action)
        with Unit(self._engine) as unit:
            rows = unit.scalars(query.order_by(StepRow.at_ms, StepRow.row)).all()
            return tuple(
                CourseStep(
                    step=RepairStep(row.step),
                    at=row.at_ms * MS_NS / NS,
                    sentence=row.sentence,
                    transcript=row.transcript,
                    cable=row.cable,
                    clauses=clauses(row.said),
                )
                for row in rows
            )

    def course(self, action: str) -> Course | None:
        """How an action went; None: it was never begun."""
        with Unit(self._engine) as unit:
            row = unit.get(AttemptRow, action)
            kept = None if row is None else _attempt(row)
        if kept is None:
            return None
        return Course(
            action=action,
            intent=kept.intent.value,
            school=kept.school,
            link=kept.link,
            steps=self.steps(action),
            proved=_seconds(kept.proved_ns),
            faulted=_seconds(kept.faulted_ns),
            judged=_seconds(kept.judged_ns),
        )

    def prune(self, now_ns: int) -> None:
        """Forget what is as old as forgotten actions."""
        old = sa.select(AttemptRow.action).where(AttemptRow.begun_ns < now_ns - KEEP_NS)
        with Unit(self._engine) as unit:
            unit.execute(sa.delete(StepRow).where(StepRow.action.in_(old)))
            unit.execute(sa.delete(AttemptRow).where(AttemptRow.begun_ns < now_ns - KEEP_NS))


def clauses(said: str) -> tuple[Clause, ...]:
    """What a sentence is made of; nothing where the agent did not say, or nobody understands it."""
    try:
        return read_clauses(read_foreign(said))
    except ValueError:
        return ()


def _seconds(at_ns: int | None) -> float | None:
    return None if at_ns is None else at_ns / NS


def _attempt(row: AttemptRow) -> Attempt:
    return Attempt(
        action=row.action,
        school=row.school,
        district=row.district,
        intent=Intent(row.intent),
        switch=row.switch,
        port=row.port,
        link=row.link,
        cause=row.cause,
        incident=row.incident,
        automatic=bool(row.automatic),
        day=date.fromisoformat(row.day),
        begun_ns=row.begun_ns,
        faulted_ns=row.faulted_ns,
        judged_ns=row.judged_ns,
        proved_ns=row.proved_ns,
        ended_ns=row.ended_ns,
        end=End(row.outcome) if row.outcome else None,
        cable=row.cable,
    )


def _row(one: Attempt) -> AttemptRow:
    return AttemptRow(
        action=one.action,
        school=one.school,
        district=one.district,
        intent=one.intent.value,
        switch=one.switch,
        port=one.port,
        link=one.link,
        cause=one.cause,
        incident=one.incident,
        automatic=int(one.automatic),
        day=one.day.isoformat(),
        begun_ns=one.begun_ns,
        faulted_ns=one.faulted_ns,
        judged_ns=one.judged_ns,
        proved_ns=one.proved_ns,
        ended_ns=one.ended_ns,
        outcome="" if one.end is None else one.end.value,
        cable=one.cable,
    )
