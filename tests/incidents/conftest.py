"""A school of two switches, and an engine around it that is fed by hand."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from controller.incidents.engine import Engine
from controller.incidents.maintenance import Window, Windows
from controller.incidents.mending import Repair
from controller.incidents.model import Act, Event, Fact, Incident, Kind, Subject, Timing
from controller.incidents.mute import Witness, nobody
from controller.incidents.parents import Parents, PlanParents
from controller.plan import CityPlan, DistrictPlan, LinkPlan, SchoolPlan, SwitchPlan
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Cause, Severity, Tier, Verdict

S = 1_000_000_000
T0 = 1_790_000_000 * S
SCHOOL = ScopePath.parse("binhai/east/no1")
AGENT = Subject.agent("no1")
UP = Subject.link("no1/up")
CORE = Subject("no1", Kind.SWITCH, "core")
EDGE = Subject("no1", Kind.SWITCH, "edge")
C1, C2, C3 = (Subject.link(f"no1/c{number}") for number in (1, 2, 3))
SUBJECTS = (AGENT, UP, CORE, EDGE, C1, C2, C3)
"""c1 hangs on core, which carries the uplink; c2 and c3 hang on edge."""


def plan() -> CityPlan:
    def link(name: str, switch: str, tier: Tier = Tier.CLASS) -> LinkPlan:
        return LinkPlan(
            school="no1",
            link=name,
            name=f"Class {name}",
            tier=tier,
            room=None,
            contract_mbps=1000,
            switch=switch,
            port=name,
        )

    return CityPlan(
        id="binhai",
        name="Binhai",
        districts=[DistrictPlan(id="east", name="East")],
        schools=[SchoolPlan(id="no1", district="east", name="No. 1")],
        switches=[
            SwitchPlan(school="no1", name="core", fed_by=("u1",)),
            SwitchPlan(school="no1", name="edge", fed_by=("u1",)),
        ],
        links=[
            link("up", "core", Tier.UPLINK),
            link("c1", "core"),
            link("c2", "edge"),
            link("c3", "edge"),
        ],
        devices=[],
    )


def cause_of(subject: Subject) -> Cause:
    match subject.kind:
        case Kind.AGENT:
            return Cause.AGENT_SILENT
        case Kind.SWITCH:
            return Cause.SWITCH_SILENT
        case _:
            return Cause.LINK_DOWN


def bad(
    subject: Subject,
    at: float,
    cause: Cause | None = None,
    severity: Severity = Severity.CRITICAL,
    **figures: int,
) -> Fact:
    return Fact(
        subject=subject,
        at_ns=T0 + round(at * S),
        verdict=Verdict.BAD,
        cause=cause_of(subject) if cause is None else cause,
        severity=severity,
        figures=tuple(sorted(figures.items())),
    )


def good(subject: Subject, at: float) -> Fact:
    return Fact(subject=subject, at_ns=T0 + round(at * S), verdict=Verdict.GOOD)


def unknown(subject: Subject, at: float) -> Fact:
    return Fact(subject=subject, at_ns=T0 + round(at * S), verdict=Verdict.UNKNOWN)


def everybody(_subject: Subject) -> int | None:
    """A witness who has just seen everything well."""
    return T0 + 10**6 * S


def but_no_link(subject: Subject) -> int | None:
    """A witness who has just seen all switches well, and no link: nothing that one carries."""
    return None if subject.kind is Kind.LINK else everybody(subject)


@dataclass
class Bench:
    """Engine, time in seconds since T0, and everything it ever said."""

    timing: Timing = field(default_factory=Timing)
    parents: Parents = field(default_factory=lambda: PlanParents(plan()))
    windows: Windows = field(default_factory=Windows)
    events: list[Event] = field(default_factory=list)
    said: dict[str, Incident] = field(default_factory=dict)
    repairs: list[Repair] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engine = Engine(
            self.parents,
            timing=self.timing,
            windows=self.windows,
            scope_of=lambda _school: SCHOOL,
        )

    def at(self, seconds: float, *facts: Fact, witness: Witness = everybody) -> list[Event]:
        now_ns = T0 + round(seconds * S)
        begun = [one for one in self.repairs if one.begun_ns <= now_ns]
        known = [
            one if one.ended_ns is None or one.ended_ns <= now_ns else replace(one, ended_ns=None)
            for one in begun
        ]
        outcome = self.engine.advance(now_ns, facts, witness, known)
        self.events += outcome.events
        self.said |= self.engine.incidents
        return outcome.events

    def run(
        self, facts: Sequence[Fact], until: int, *, start: int = 0, witness: Witness = nobody
    ) -> None:
        """Advance a second at a time; each fact comes in the second it is about."""
        for second in range(start, until + 1):
            end = T0 + second * S
            due = [fact for fact in facts if end - S < fact.at_ns <= end]
            self.at(second, *due, witness=witness)

    def open(self) -> dict[Subject, Incident]:
        found = {one.subject: one for one in self.engine.open()}
        assert len(found) == len(self.engine.open()), "two open incidents of one subject"
        return found

    def acts(self, subject: Subject, events: Iterable[Event] | None = None) -> list[Act]:
        ids = {one.id for one in self.said.values() if one.subject == subject}
        chosen = self.events if events is None else events
        return [event.act for event in chosen if event.incident in ids]

    def repair(
        self, start: float, end: float | None, *touched: Subject, longest: float = 120
    ) -> Repair:
        """An action that ends at ``end`` (seconds), and whose port takes 5 s to be seen again."""
        repair = Repair(
            action=f"a-{len(self.repairs)}",
            intent="bounce-port",
            touched=frozenset(touched),
            begun_ns=T0 + round(start * S),
            ended_ns=None if end is None else T0 + round(end * S),
            longest_ns=round(longest * S),
            settle_ns=5 * S,
        )
        self.repairs.append(repair)
        return repair

    def window(self, start: float, end: float, link: str | None = None) -> Window:
        window = Window(
            id=f"m{len(self.windows.all())}",
            scope=SCHOOL,
            link=link,
            start_ns=T0 + round(start * S),
            end_ns=T0 + round(end * S),
            reason="new cable",
            asked_by="Li",
            approved_by="Wang",
            made_ns=T0,
        )
        self.windows.put(window)
        return window


@pytest.fixture
def bench() -> Bench:
    return Bench()
