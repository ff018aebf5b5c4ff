"""What each page shows: views gathered, filtered and ordered; the templates only lay out."""

import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from controller.api.access import visible
from controller.api.services import Services
from controller.api.sessions import Session
from controller.api.together import common, minutes_of, overview_of, samples_of
from controller.api.trend import Sample
from controller.sla.class_minutes import Tally
from controller.views import AgentView, City, LinkView, Overview, SchoolView, SwitchView
from dashboards.ops.language import Language
from dashboards.ops.words import natural, worst_first
from tenone.vocabulary.roles import Permission, reach
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Tier, Verdict

SCHOOL_DEPTH = 3
DISTRICT_DEPTH = 2
MOST_ROWS = 200
"""Worst first; a phone gets 400 kB before compression. Beyond that people search."""
WORST_ROWS = 6
SAMPLES_A_MINUTE = 4
STATES = ("bad", "unknown", "good")
_ORDER = {Verdict.BAD: 0, Verdict.UNKNOWN: 1, Verdict.GOOD: 2}


@dataclass(frozen=True, slots=True)
class Crumb:
    """One step of the way down; without an address where the caller may not go."""

    name: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolFilter:
    """What the list of schools is narrowed to."""

    state: str = ""
    district: str = ""
    text: str = ""

    @property
    def active(self) -> bool:
        """Whether anything is left out."""
        return bool(self.state or self.district or self.text)

    def keeps(self, school: SchoolView) -> bool:
        """Whether the list shows ``school``."""
        text = self.text.casefold()
        return (
            (not self.state or school.verdict.label == self.state)
            and (not self.district or school.scope.parts[1:2] == (self.district,))
            and (not text or any(text in name for name in _names(school)))
        )


def _names(school: SchoolView) -> Iterator[str]:
    """All that people may type to find it."""
    yield school.name.casefold()
    yield school.id
    if school.name_zh:
        yield school.name_zh.casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewPage:
    """A city or a district."""

    overview: Overview
    districts: Sequence[Overview]
    worst: Sequence[SchoolView]
    schools: Sequence[SchoolView]
    found: int
    """Schools the filter keeps; ``schools`` may be fewer."""
    filter: SchoolFilter
    samples: Sequence[Sample]
    minutes: Tally
    """Class-minutes of today."""
    has_calendar: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolPage:
    """A school: its links by tier, its gateway and switches."""

    school: SchoolView
    links: Sequence[LinkView]
    uplinks: Sequence[LinkView]
    classes: Sequence[LinkView]
    others: Sequence[LinkView]
    switches: Sequence[SwitchView]
    agent: AgentView
    samples: Sequence[Sample]
    minutes: Tally
    """Class-minutes of today."""
    has_calendar: bool


def overview_page(
    services: Services, scopes: Sequence[ScopePath], chosen: SchoolFilter
) -> OverviewPage:
    """Gather the page of a city, of a district, or of several scopes together."""
    city = services.city
    schools = all_schools(city, scopes)
    kept = [school for school in schools if chosen.keeps(school)]
    # A city without a name of its own has one district list; a district has no list of itself.
    districts = [
        view
        for scope in scopes
        for view in city.districts(scope)
        if view.scope != scope or (len(scopes) > 1 and len(scope.parts) == DISTRICT_DEPTH)
    ]
    harmed = [school for school in schools if school.verdict is Verdict.BAD]
    return OverviewPage(
        overview=overview_of(city, scopes),
        districts=districts,
        worst=harmed[:WORST_ROWS],
        schools=kept[:MOST_ROWS],
        found=len(kept),
        filter=chosen,
        samples=by_minute(samples_of(services.trend, scopes)),
        minutes=minutes_of(services.minutes, scopes),
        has_calendar=any(_has_calendar(services, scope) for scope in scopes),
    )


def school_page(services: Services, scope: ScopePath) -> SchoolPage | None:
    """Gather a school's page; None where there is no such school."""
    city = services.city
    school = next(iter(city.schools(ScopePath(scope.parts[:SCHOOL_DEPTH]))), None)
    if school is None:
        return None
    links = worst_first(city.links(scope))
    return SchoolPage(
        school=school,
        links=links,
        uplinks=[link for link in links if link.tier is Tier.UPLINK],
        classes=[link for link in links if link.tier is Tier.CLASS],
        others=[link for link in links if link.tier not in {Tier.UPLINK, Tier.CLASS}],
        switches=sorted(city.switches(scope), key=lambda switch: natural(switch.name)),
        agent=school.agent,
        samples=by_minute(services.trend.of(school.scope)),
        minutes=services.minutes.tally(school.scope),
        has_calendar=_has_calendar(services, school.scope),
    )


def all_schools(city: City, scopes: Sequence[ScopePath]) -> list[SchoolView]:
    """The schools of several scopes, in the order a list of one has."""
    if len(scopes) == 1:
        return list(city.schools(scopes[0]))
    every = [school for scope in scopes for school in city.schools(scope)]
    return sorted(every, key=lambda one: (_ORDER[one.verdict], -one.severity, one.name))


def _has_calendar(services: Services, scope: ScopePath) -> bool:
    return any(school.taught is not None for school in services.minutes.schools(scope))


def crumbs(
    services: Services, session: Session, scope: ScopePath, language: Language | None = None
) -> list[Crumb]:
    """The way from the top of what the caller may see down to ``scope``."""
    seen = reach(session.grants, Permission.LOOK)
    several = len(seen) > 1
    steps = [Crumb(name_of(services, common(seen), language), "/")] if several else []
    for depth in range(1, len(scope.parts) + 1):
        step = ScopePath(scope.parts[:depth])
        if not visible(session, step):
            continue
        address = f"/at/{step}" if steps else "/"
        steps.append(Crumb(name_of(services, step, language), address))
    return steps or [Crumb(name_of(services, scope, language), "/")]


def name_of(services: Services, scope: ScopePath, language: Language | None = None) -> str:
    """What people call a scope, in a language or else by its first name."""
    called = operator.attrgetter("name") if language is None else language.name_of
    if len(scope.parts) >= SCHOOL_DEPTH:
        found = services.city.schools(ScopePath(scope.parts[:SCHOOL_DEPTH]))
        return str(called(found[0])) if found else scope.parts[-1]
    return called(services.city.overview(scope)) or str(scope) or "TenOne"


def by_minute(samples: Sequence[Sample]) -> list[Sample]:
    """One sample a minute, newest first: the table beside the chart."""
    return list(samples[::-1][::SAMPLES_A_MINUTE])
