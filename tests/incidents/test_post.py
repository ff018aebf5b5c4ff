"""Destinations that do not wait for each other: a slow, a silent, a refusing one, good ones."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from prometheus_client.metrics_core import Metric

from controller.api.metrics_incidents import incident_families
from controller.incidents import post
from controller.incidents.notices import GIVE_UP_NS, State
from controller.incidents.post import Destination, Postman
from controller.incidents.tables import NoticeRow
from tenone.config.escalation import Escalation
from tenone.runtime.clock import ManualClock
from tenone.runtime.supervisor import Supervisor

from .house import Town
from .test_telling import SECRET, SLOW

SECOND = 10**9


@dataclass
class Server:
    """Answers with ``status`` once ``go`` is set; remembers the order of what it took."""

    status: int = 204
    go: asyncio.Event = field(default_factory=asyncio.Event)
    rows: list[int] = field(default_factory=list)
    refused: set[int] = field(default_factory=set)
    asked: int = 0
    port: int = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        row = int(json.loads(await reader.readexactly(length))["id"].rpartition("/")[2])
        self.asked += 1
        await self.go.wait()
        status = 422 if row in self.refused else self.status
        if status == 204:
            self.rows.append(row)
        writer.write(
            f"HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode()
        )
        await writer.drain()
        writer.close()


@dataclass
class Place:
    """A town whose school hears by five channels."""

    town: Town
    slow: Server
    failing: Server
    good: Server
    folder: Path

    @property
    def postman(self) -> Postman:
        assert self.town.room.postman is not None
        return self.town.room.postman

    def to(self, number: int) -> Destination:
        return self.postman.destinations[number]

    def more(self, times: int) -> None:
        """More messages about the same incident to every channel, in one order."""
        with self.town.records.engine.begin() as connection:
            first = [
                dict(row) for row in connection.execute(sa.select(NoticeRow.__table__)).mappings()
            ]
            for nth in range(1, times + 1):
                for row in first:
                    values = row | {"row": None, "act": "resolved" if nth % 2 else "escalated"}
                    connection.execute(sa.insert(NoticeRow).values(values))

    def states(self, number: int) -> list[str]:
        query = sa.select(NoticeRow.state).where(NoticeRow.channel.startswith(f"{number}:"))
        with self.town.records.engine.connect() as connection:
            return list(connection.scalars(query.order_by(NoticeRow.row)))


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    monkeypatch.setenv("HOOK_KEY", SECRET)
    servers = [Server(), Server(status=503), Server()]
    servers[1].go.set()
    servers[2].go.set()
    async with AsyncExitStack() as stack:
        for server in servers:
            listening = await asyncio.start_server(server.answer, "127.0.0.1", 0)
            server.port = listening.sockets[0].getsockname()[1]
            stack.callback(listening.close)
        gone = await asyncio.start_server(servers[0].answer, "127.0.0.1", 0)
        refusing = gone.sockets[0].getsockname()[1]
        gone.close()
        ports = [servers[0].port, servers[1].port, refusing, servers[2].port]
        hooks: list[dict[str, Any]] = [
            {"kind": "webhook", "url": f"http://127.0.0.1:{port}/hook", "secret": "env:HOOK_KEY"}
            for port in ports
        ]
        mail = {"kind": "email-file", "path": str(tmp_path / "mail")}
        policy = {"school": {"after": {"warning": 0}, "channels": [*hooks, mail]}}
        town = Town(tmp_path, ManualClock(), Escalation.model_validate(policy))
        town.born("no1", "no2")
        await town.sweeps(20)
        await town.sweeps(30, **SLOW)
        made = Place(town, servers[0], servers[1], servers[2], tmp_path)
        yield made
        servers[0].go.set()
        await made.postman.sender.close()
        town.close()


async def until(fact: Any) -> None:
    async with asyncio.timeout(20):
        while not fact():  # noqa: ASYNC110 - facts of sockets and files, which set no event
            await asyncio.sleep(0.01)


async def test_the_good_do_not_wait_for_slow_failing_and_silent_ones(place: Place) -> None:
    place.more(9)
    async with Supervisor(place.town.clock) as tasks:
        for name, task in place.postman.tasks().items():
            tasks.start(name, task)
        await until(lambda: len(place.good.rows) == 10)
        await until(lambda: len(list((place.folder / "mail").iterdir())) == 10)
        assert place.good.rows == sorted(place.good.rows), "in the order they were made"
        assert (place.slow.asked, place.slow.rows) == (1, []), "it still has the first"
        await until(lambda: place.failing.asked == 1 and place.to(2).trouble)
        place.slow.go.set()
        await until(lambda: len(place.slow.rows) == 10)
        assert place.slow.rows == sorted(place.slow.rows)
        assert place.states(1) == place.states(2) == [State.WAITING] * 10
    health = place.town.room.health()
    assert health.ready
    assert "webhook 2 of the school: the webhook answered 503, 10 waiting" in health.sentence
    assert "webhook 3 of the school: the webhook does not answer" in health.sentence
    assert "webhook 4" not in health.sentence


async def test_a_dead_one_is_tried_by_its_oldest_alone_and_told(place: Place) -> None:
    place.more(4)
    failing = place.to(1)
    asked = []
    for wait in (0, 4, 2, 9, 2, 19, 2):
        place.town.clock.advance(wait)
        await failing.deliver()
        asked.append(place.failing.asked)
    assert asked == [1, 1, 2, 2, 3, 3, 4], "after 5, 10, 20 s, however many wait"
    assert "(dead)" in failing.trouble
    place.failing.status = 204
    place.town.clock.advance(41)
    assert await failing.deliver() == 5
    assert place.failing.rows == sorted(place.failing.rows)
    assert (failing.trouble, failing.view.failures, failing.view.waiting) == ("", 0, 0)


async def test_one_message_that_is_refused_holds_up_no_other(place: Place) -> None:
    place.more(4)
    with place.town.records.engine.connect() as connection:
        rows = list(
            connection.scalars(
                sa.select(NoticeRow.row)
                .where(NoticeRow.channel == "3:webhook")
                .order_by(NoticeRow.row)
            )
        )
    place.good.refused = {rows[1]}
    assert await place.to(3).deliver() == 4
    assert place.good.rows == [rows[0], *rows[2:]]
    place.good.refused = set()
    assert await place.to(3).deliver() == 0, "not yet"
    place.town.clock.advance(6)
    assert await place.to(3).deliver() == 1


async def test_a_restart_loses_nothing_and_keeps_the_order(place: Place, tmp_path: Path) -> None:
    place.more(2)
    failing = place.to(1)
    for _ in range(4):
        await failing.deliver()
        place.town.clock.advance(100)
    place.failing.status = 204
    place.town.room.close()
    again = Town(tmp_path, place.town.clock, place.town.house.config.escalation)
    assert again.room.postman is not None
    assert await again.room.postman.destinations[1].deliver() == 3
    assert place.failing.rows == sorted(place.failing.rows)
    await again.room.postman.sender.close()
    again.close()


async def test_what_waits_is_bounded_and_what_gives_way_is_told(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post, "MOST_WAITING", 3)
    place.more(9)
    failing = place.to(1)
    await failing.deliver()
    assert place.states(1) == [State.GIVEN_UP] * 7 + [State.WAITING] * 3
    assert "3 waiting, 7 given up" in failing.trouble
    assert await place.to(3).deliver() == 10, "the others have theirs"
    shown = {family.name: family for family in incident_families(place.town.desk)}
    assert of(shown["tenone_notices_dropped"], "1:webhook") == 7
    assert of(shown["tenone_notices_waiting"], "1:webhook") == 3
    assert of(shown["tenone_notice_failures"], "1:webhook") == 1
    assert of(shown["tenone_notice_failures"], "3:webhook") == 0


async def test_after_a_week_a_message_is_given_up_and_the_next_is_tried(place: Place) -> None:
    place.more(1)
    place.town.clock.advance(GIVE_UP_NS / SECOND)
    await place.to(1).deliver()
    assert place.states(1) == [State.GIVEN_UP, State.WAITING]
    await place.to(1).deliver()
    assert place.states(1) == [State.GIVEN_UP, State.GIVEN_UP]


async def test_messages_for_a_channel_that_is_gone_are_given_up(
    place: Place, tmp_path: Path
) -> None:
    policy = {
        "school": {
            "after": {"warning": 0},
            "channels": [{"kind": "email-file", "path": str(tmp_path / "mail")}],
        }
    }
    place.town.room.close()
    again = Town(tmp_path, place.town.clock, Escalation.model_validate(policy))
    assert {place.states(number)[0] for number in range(5)} == {State.GIVEN_UP}
    again.close()


def of(family: Metric, channel: str) -> float:
    return next(one.value for one in family.samples if one.labels["channel"] == channel)
