"""A whole city school by school: nothing left out, and others run in between."""

import asyncio

from controller.api.gathering import SCHOOLS_AT_ONCE, by_school
from tenone.vocabulary.scope import ScopePath
from tests.api.fake_city import FakeCity, FakeSchool, agent, link


async def test_every_school_once_and_only_those_inside(city: FakeCity) -> None:
    found = [
        one async for one in by_school(city, [ScopePath.parse("binhai/east")], lambda s: [s.id])
    ]
    assert sorted(map(list, found)) == [["no1"], ["no12"], ["no3"]]


async def test_others_run_in_between(city: FakeCity) -> None:
    for number in range(SCHOOLS_AT_ONCE * 5):
        name = f"x{number}"
        school = FakeSchool(name, name, "east", agent(name))
        city.add(school, [link(name, "c-1-1", "1-1", city.now)])
    rounds = 0

    async def other() -> None:
        nonlocal rounds
        while True:
            rounds += 1
            await asyncio.sleep(0)

    running = asyncio.create_task(other())
    async for _ in by_school(city, [ScopePath()], lambda school: city.links(school.scope)):
        pass
    running.cancel()
    assert rounds >= 5
