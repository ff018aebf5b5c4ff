"""What was promised when: links, contracts and bindings from the dated records."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from controller.evidence.day import Promise
from controller.plan import CityPlan, SchoolPlan
from controller.sla.availability import Maintenance
from controller.store import tables as t
from controller.store.protocols import StoreError
from tenone.calendar.intervals import Intervals
from tenone.calendar.school import SchoolCalendar, Service
from tenone.vocabulary.states import Tier

SHARED = frozenset({Tier.UPLINK.value, Tier.BACKBONE.value})


Works = Callable[[str], Sequence[Maintenance]]
"""A link -> the maintenance announced for it, ever; the incidents' room knows."""


def no_works(link: str) -> Sequence[Maintenance]:  # noqa: ARG001 - a default for Works
    """Nothing was ever announced."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A promise with the port that carried it."""

    promise: Promise
    switch: str | None
    port: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFacts:
    """One link with all it was, oldest first."""

    link: str
    school: str
    name: str
    tier: str
    room: str | None
    bounds: tuple[Bound, ...]

    def between(self, start_ns: int, end_ns: int) -> list[Bound]:
        """What was in force in ``[start, end)``."""
        return [
            one
            for one in self.bounds
            if one.promise.from_ns < end_ns
            and (one.promise.to_ns is None or one.promise.to_ns > start_ns)
        ]


@dataclass(frozen=True, slots=True)
class School:
    """What a school's days are measured by."""

    plan: SchoolPlan
    links: tuple[LinkFacts, ...] = field(default=())

    @property
    def hold_ns(self) -> int:
        """How long evidence speaks."""
        return round(self.plan.stale_after_seconds * 1e9)


def service_of(calendar: SchoolCalendar | None, start_ns: int, end_ns: int) -> Service:
    """W of a span; without a calendar all of it, and no lessons."""
    if calendar is not None:
        return calendar.service(start_ns, end_ns)
    return Service(Intervals.of([(start_ns, end_ns)]), Intervals(), Intervals(), ())


def read_schools(engine: Engine, plan: CityPlan) -> dict[str, School]:
    """Everything that was ever promised to the schools of ``plan``; raises :class:`StoreError`."""
    try:
        with engine.connect() as unit:
            links = unit.execute(sa.select(t.Link.__table__)).all()
            bindings = unit.execute(sa.select(t.Binding.__table__)).all()
    except sa.exc.SQLAlchemyError as error:
        raise StoreError(f"the records could not be read: {error}") from error
    dated: dict[str, list[sa.Row[tuple[object, ...]]]] = {}
    for row in bindings:
        dated.setdefault(f"{row.school}/{row.link}", []).append(row)
    versions: dict[str, list[sa.Row[tuple[object, ...]]]] = {}
    for row in links:
        versions.setdefault(f"{row.school}/{row.link}", []).append(row)
    facts: dict[str, list[LinkFacts]] = {}
    for name, rows in versions.items():
        one = _facts(name, rows, dated.get(name, []))
        facts.setdefault(one.school, []).append(one)
    return {
        school.id: School(school, tuple(sorted(facts.get(school.id, ()), key=lambda f: f.link)))
        for school in plan.schools
    }


def _facts(
    name: str,
    rows: Iterable[sa.Row[tuple[object, ...]]],
    bindings: Sequence[sa.Row[tuple[object, ...]]],
) -> LinkFacts:
    ordered = sorted(rows, key=lambda row: row.valid_from_ns)
    newest = ordered[-1]
    bounds = [
        bound
        for row in ordered
        for bound in _bounds(
            Promise(
                link=name,
                contract_mbps=row.contract_mbps,
                shared=row.tier in SHARED,
                from_ns=row.valid_from_ns,
                to_ns=row.valid_to_ns,
            ),
            bindings,
        )
    ]
    return LinkFacts(
        link=name,
        school=newest.school,
        name=newest.name,
        tier=newest.tier,
        room=newest.room,
        bounds=tuple(bounds),
    )


def _bounds(promise: Promise, bindings: Sequence[sa.Row[tuple[object, ...]]]) -> Iterable[Bound]:
    """Cut a promise where its binding changed."""
    inside = {promise.from_ns}
    for row in bindings:
        inside |= {row.valid_from_ns, row.valid_to_ns or 0}
    end = promise.to_ns
    cuts = sorted(at for at in inside if at >= promise.from_ns and (end is None or at < end))
    for start, stop in pairwise((*cuts, end)):
        bound = next(
            (
                row
                for row in bindings
                if row.valid_from_ns <= (start or 0)
                and (row.valid_to_ns is None or row.valid_to_ns > (start or 0))
            ),
            None,
        )
        part = replace(promise, from_ns=start or 0, to_ns=stop, bound=bound is not None)
        yield Bound(
            promise=part,
            switch=None if bound is None else bound.switch,
            port=None if bound is None else bound.port,
        )


def ports_of(
    links: Iterable[LinkFacts], switch: str, start_ns: int, end_ns: int
) -> dict[str, tuple[str, int, int | None]]:
    """Link -> the port of ``switch`` its binding names in the span, and from when to when."""
    found: dict[str, tuple[str, int, int | None]] = {}
    for link in links:
        for one in link.between(start_ns, end_ns):
            if one.switch == switch and one.port:
                first = found.get(link.link)
                begin = one.promise.from_ns if first is None or first[0] != one.port else first[1]
                found[link.link] = (one.port, begin, one.promise.to_ns)
    return found
