"""Several scopes as one: whoever serves three schools sees three schools, and their sums.

The scopes never lie inside each other (:func:`controller.api.access.asked_scopes`), so that
what is added is added once.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from controller.api.trend import Sample, Trend
from controller.sla.class_minutes import Tally as Minutes
from controller.views import City, Overview, Tally
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Tier

Item = TypeVar("Item")


class ClassMinutes(Protocol):
    """What :func:`minutes_of` asks."""

    def tally(self, scope: ScopePath) -> Minutes:
        """The local day's class-minutes inside ``scope``."""
        ...


def common(scopes: Sequence[ScopePath]) -> ScopePath:
    """The innermost scope that has all of ``scopes`` inside."""
    first, *others = scopes
    parts = first.parts
    while not all(ScopePath(parts).covers(other) for other in others):
        parts = parts[:-1]
    return ScopePath(parts)


def each(
    scopes: Iterable[ScopePath],
    items_of: Callable[[ScopePath], Iterable[Item]],
    id_of: Callable[[Item], object],
) -> list[Item]:
    """What ``items_of`` finds in each scope; what concerns several of them once."""
    found = {id_of(item): item for scope in scopes for item in items_of(scope)}
    return list(found.values())


async def each_waited(
    scopes: Iterable[ScopePath],
    items_of: Callable[[ScopePath], Awaitable[Iterable[Item]]],
    id_of: Callable[[Item], object],
) -> list[Item]:
    """:func:`each` of what is waited for."""
    found = {id_of(item): item for scope in scopes for item in await items_of(scope)}
    return list(found.values())


def overview_of(city: City, scopes: Sequence[ScopePath]) -> Overview:
    """The totals of ``scopes`` alone, under the name and path of what they have in common."""
    if len(scopes) == 1:
        return city.overview(scopes[0])
    views = [city.overview(scope) for scope in scopes]
    above = city.overview(common(scopes))
    ages = [view.data_age_seconds for view in views if view.data_age_seconds is not None]
    return Overview(
        scope=above.scope,
        name=above.name,
        name_zh=above.name_zh,
        schools_total=sum(view.schools_total for view in views),
        schools_reporting=sum(view.schools_reporting for view in views),
        schools_good=sum(view.schools_good for view in views),
        schools_unverified=sum(view.schools_unverified for view in views),
        schools_bad=sum(view.schools_bad for view in views),
        schools_unknown=sum(view.schools_unknown for view in views),
        tallies=_added([tally for view in views for tally in view.tallies]),
        boards_online=sum(view.boards_online for view in views),
        boards_total=sum(view.boards_total for view in views),
        data_age_seconds=min(ages, default=None),
        made_at=above.made_at,
    )


def samples_of(trend: Trend, scopes: Sequence[ScopePath]) -> list[Sample]:
    """The scopes' samples added up, moment by moment; each scope from its own first one on."""
    if len(scopes) == 1:
        return trend.of(scopes[0])
    by_moment: dict[float, Sample] = {}
    for scope in scopes:
        for one in trend.of(scope):
            kept = by_moment.get(one.at, Sample(one.at, 0, 0, 0))
            by_moment[one.at] = Sample(
                one.at, kept.good + one.good, kept.bad + one.bad, kept.unknown + one.unknown
            )
    return [by_moment[at] for at in sorted(by_moment)]


def _added(tallies: Iterable[Tally]) -> list[Tally]:
    by_tier: dict[Tier, Tally] = {}
    for one in tallies:
        kept = by_tier.get(one.tier, Tally(tier=one.tier))
        by_tier[one.tier] = Tally(
            tier=one.tier,
            good=kept.good + one.good,
            bad=kept.bad + one.bad,
            unknown=kept.unknown + one.unknown,
            unverified=kept.unverified + one.unverified,
        )
    return [by_tier[tier] for tier in sorted(by_tier)]


def minutes_of(minutes: ClassMinutes, scopes: Sequence[ScopePath]) -> Minutes:
    """The scopes' class-minutes of the day so far, added up."""
    return sum((minutes.tally(scope) for scope in scopes), start=Minutes())
