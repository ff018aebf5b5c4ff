"""Views of a whole city, taken school by school so that the event loop stays free in between."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import TypeVar

from controller.views import City, SchoolView
from tenone.vocabulary.scope import ScopePath

SCHOOLS_AT_ONCE = 8
"""Some 300 links: a few milliseconds."""

Item = TypeVar("Item")


async def by_school(
    city: City, scope: ScopePath, items_of: Callable[[SchoolView], Iterable[Item]]
) -> AsyncIterator[Iterable[Item]]:
    """What ``items_of`` finds in each school inside ``scope``, each of its own moment."""
    for number, one in enumerate(city.school_scopes(scope), 1):
        for school in city.schools(one):
            yield items_of(school)
        if number % SCHOOLS_AT_ONCE == 0:
            await asyncio.sleep(0)
