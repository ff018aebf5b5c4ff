"""Views of a whole city, taken school by school so that the event loop stays free in between."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import TypeVar

from controller.views import City, SchoolView
from tenone.vocabulary.scope import ScopePath

SCHOOLS_AT_ONCE = 8
"""Some 300 links: a few milliseconds."""

Item = TypeVar("Item")


async def by_school(
    city: City, scopes: Sequence[ScopePath], items_of: Callable[[SchoolView], Iterable[Item]]
) -> AsyncIterator[Iterable[Item]]:
    """What ``items_of`` finds in each school inside ``scopes``, each of its own moment."""
    schools = [one for scope in scopes for one in city.school_scopes(scope)]
    for number, one in enumerate(schools, 1):
        for school in city.schools(one):
            yield items_of(school)
        if number % SCHOOLS_AT_ONCE == 0:
            await asyncio.sleep(0)
