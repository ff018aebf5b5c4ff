"""Schools are asked, given, believed: on a manual clock, with what real agents keep."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from controller.trust.book import Book
from controller.trust.chain import Told
from controller.trust.entries import Entry
from controller.trust.witnesses import ADMIT, FILE
from controller.trust.witnessing import FIRST_ONES, Witnessing
from drivers.wire.commands import CommandState, Reply
from tenone.runtime.clock import ManualClock
from tenone.trust.witness import told
from tests.trust.witnessed import ENTRY, NS, Schools, cut_off, looks_whole, rewritten

MINUTES = 60.0


@pytest.fixture(autouse=True)
def without_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is a manual one: a thread would take time that it does not show."""

    async def at_once(work: Callable[..., Any], *args: Any) -> Any:
        return work(*args)

    monkeypatch.setattr("asyncio.to_thread", at_once)


class Notes:
    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def note(self, entry: Entry) -> None:
        self.entries.append(entry)


class City:
    """A ledger and its witnesses; time passes by :meth:`pass_by`."""

    def __init__(self, folder: Path, schools: int = 3, seconds: float = 1800.0) -> None:
        self.folder = folder
        self.clock = ManualClock()
        self.ledger = folder / "ledger"
        self.names = [f"no{number}" for number in range(1, schools + 1)]
        self.schools = Schools(folder / "schools", self.names, self.clock)
        self.seconds = seconds
        self.book = Book(self.ledger, city="city", boot="b")
        self.notes = Notes()
        self.write(19)

    def write(self, count: int = 1, entry: Entry = ENTRY) -> None:
        self.book.append([Told(entry, self.clock.wall_ns(), 1)] * count)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Witnessing]:
        """A start of the controller; whatever was done to the files is what it opens."""
        self.book = Book(self.ledger, city="city", boot="b")
        self.book.open(Told(ENTRY, self.clock.wall_ns(), 1))
        self.notes = Notes()
        witnesses = Witnessing(
            {name: f"city/east/{name}" for name in self.names},
            city="city",
            algorithm="sha256",
            seconds=self.seconds,
            folder=self.ledger,
            file=self.folder / FILE,
            clock=self.clock,
            head=lambda: self.book.head,
            notes=self.notes,
        )
        witnesses.asker = self.schools
        task = asyncio.create_task(witnesses.run())
        try:
            yield witnesses
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self.book.close()

    async def pass_by(self, seconds: float, step: float = 0.5) -> None:
        for _ in range(round(seconds / step)):
            self.clock.advance(step)
            await self.settled()

    async def settled(self) -> None:
        """Everybody does what there is to do."""
        for _ in range(30):
            await asyncio.sleep(0)

    async def until(self, witnesses: Witnessing, *, asked: int) -> None:
        for _ in range(400):
            await self.pass_by(0.5)
            sentence = witnesses.health().sentence
            if f"{asked} were asked" in sentence or witnesses.conflict:
                break
        await self.pass_by(8)

    def acts(self) -> list[str]:
        return [one.act for one in self.notes.entries]


async def test_schools_get_the_head_and_keep_it(tmp_path: Path) -> None:
    city = City(tmp_path)
    async with city.running() as witnesses:
        await city.until(witnesses, asked=3)
        assert [one.newest.seq for one in city.schools.kept.values() if one.newest] == [20] * 3
        assert witnesses.health().ready
        assert witnesses.having == 3
        before = len(city.schools.asked)
        await city.pass_by(3600, step=60)
        assert len(city.schools.asked) == before, "nothing new is not told again"
        city.write()
        await city.pass_by(1860, step=30)
        assert [one.newest.seq for one in city.schools.kept.values() if one.newest] == [21] * 3
    assert city.acts() == []
    assert len((tmp_path / FILE).read_text().splitlines()) == 3


async def test_at_most_so_often_and_no_crowd(tmp_path: Path) -> None:
    """60 schools, an entry every five minutes, two and a half hours of 30 minutes a turn."""
    city = City(tmp_path, schools=60)
    async with city.running():
        for _ in range(30):
            city.write()
            await city.pass_by(300, step=10)
    times: dict[str, list[int]] = {}
    for at_ns, school, verb in city.schools.asked:
        if verb == "Witness":
            times.setdefault(school, []).append(at_ns)
    gaps = [b - a for some in times.values() for a, b in pairwise(some)]
    assert len(times) == 60
    assert min(gaps) >= 0.75 * 1800 * NS
    assert max(gaps) <= 1900 * NS
    assert city.schools.most_at_once <= 8
    a_minute: dict[int, int] = {}
    for at_ns, _, _ in city.schools.asked[2 * FIRST_ONES :]:
        a_minute[at_ns // (60 * NS)] = a_minute.get(at_ns // (60 * NS), 0) + 1
    print(f"60 schools: at most {max(a_minute.values())} messages a minute")
    assert max(a_minute.values()) <= 24


async def test_what_was_cut_off_or_rewritten_while_it_was_not_running(tmp_path: Path) -> None:
    for number, harm in enumerate((cut_off, rewritten)):
        city = City(tmp_path / str(number))
        async with city.running() as witnesses:
            await city.until(witnesses, asked=3)
            city.write(5)
            await city.pass_by(1860, step=30)
        harm(city.ledger, 15)
        (city.folder / FILE).unlink()
        assert looks_whole(city.ledger)
        async with city.running() as witnesses:
            city.write()
            await city.until(witnesses, asked=3)
            await city.pass_by(1860, step=30)
            assert not witnesses.health().ready
            assert "3 of 3 schools" in witnesses.conflict
            assert witnesses.contradicting == 3
            kept = [one.newest.seq for one in city.schools.kept.values() if one.newest]
            assert kept == [25] * 3, "it is not papered over"
        assert city.acts() == ["witness.conflict"] * 3
        assert {one.scope for one in city.notes.entries} == {f"city/east/no{n}" for n in (1, 2, 3)}
        if harm is cut_off:
            assert all("cut off" in one.trouble for one in city.schools.kept.values())


async def test_what_schools_said_before_is_enough_where_none_is_there(tmp_path: Path) -> None:
    city = City(tmp_path)
    async with city.running() as witnesses:
        await city.until(witnesses, asked=3)
    cut_off(city.ledger, 10)
    city.schools.away = {*city.names}
    async with city.running() as witnesses:
        await city.pass_by(5)
        assert "3 of 3 schools" in witnesses.conflict


async def test_an_admission_lets_the_city_go_on(tmp_path: Path) -> None:
    city = City(tmp_path)
    async with city.running() as witnesses:
        await city.until(witnesses, asked=3)
    cut_off(city.ledger, 15)
    async with city.running() as witnesses:
        await city.until(witnesses, asked=3)
        assert not witnesses.health().ready
        await city.pass_by(60, step=10)
        detail: dict[str, str | int | float | bool | None] = {
            "first": 15,
            "reason": "disk died, backup of yesterday",
        }
        city.write(1, Entry(act=ADMIT, actor="console:li", detail=detail))
        await city.pass_by(1860, step=30)
        city.write(2)
        await city.pass_by(3700, step=30)
        assert witnesses.health().ready
        assert "disk died" in witnesses.health().sentence
        kept = [one.newest for one in city.schools.kept.values()]
        assert [one.seq for one in kept if one] == [17] * 3
        assert [one.trouble for one in city.schools.kept.values()] == [""] * 3
    assert city.acts() == ["witness.conflict"] * 3 + ["witness.excuse"]
    lines = (tmp_path / "schools/no1/ledger-heads").read_text().splitlines()
    assert [json.loads(one).get("admission", {}).get("reason", "") for one in lines][-2:][0]
    rewritten(city.ledger, 12)
    async with city.running() as witnesses:
        await city.until(witnesses, asked=3)
        assert not witnesses.health().ready, "it excuses nothing that comes later"


async def test_agents_of_before_and_liars_do_no_harm(tmp_path: Path) -> None:
    city = City(tmp_path)
    said = "this agent does not know the verb Witness"
    for message, state in (
        (said, CommandState.FAILED),
        ("no json", CommandState.SUCCESSFUL),
        ('{"heads": [[1]], "more": true}', CommandState.SUCCESSFUL),
        (json.dumps({"heads": [], "more": True}), CommandState.SUCCESSFUL),
    ):
        code = 2 if state is CommandState.FAILED else 0

        def lie(
            _school: str, verb: str, m: str = message, s: CommandState = state, c: int = code
        ) -> Reply:
            return Reply(verb=verb, id="1", state=s, code=c, message=m)

        city.schools.liar = lie
        async with city.running() as witnesses:
            await city.pass_by(30)
            assert witnesses.health().ready
            assert witnesses.conflict == ""
        assert len(city.schools.asked) < 200


@pytest.mark.slow
async def test_a_city_of_2700_schools(tmp_path: Path) -> None:
    """What two hours cost, with an entry every minute and nothing but agreement."""
    city = City(tmp_path, schools=2700)

    def agree(_school: str, verb: str) -> Reply:
        message = told([], more=False, refused=0) if verb == "Witnessed" else "entry is kept"
        return Reply(verb=verb, id="1", state=CommandState.SUCCESSFUL, message=message)

    city.schools.liar = agree
    began = time.process_time()
    async with city.running() as witnesses:
        for _ in range(120):
            city.write()
            await city.pass_by(60, step=1)
        assert witnesses.having == 2700
    used = time.process_time() - began
    a_second = Counter(at_ns // NS for at_ns, _, _ in city.schools.asked)
    del a_second[min(a_second)]  # the sixteen that are asked at once
    count = sum(a_second.values())
    print(
        f"2,700 schools, two hours: {count} messages, {count / 7200:.1f} a second, at most "
        f"{max(a_second.values())} in one, {used:.0f} s of CPU with the test's own"
    )
    assert count / 7200 < 3
    assert max(a_second.values()) < 20
