"""Boards against real brokers: Debian's mosquitto and the embedded one."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from drivers.wire.embedded import EmbeddedBroker
from firmware_sims.board.board import Board
from firmware_sims.board.fleet import Controls, sessions
from firmware_sims.board.session import PROTOCOLS, Line, Session
from tenone.runtime.clock import SystemClock
from tenone.runtime.supervisor import Supervisor
from tests.mosquitto import Mosquitto


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.kill()


Place = tuple[int, str]


@pytest.fixture(params=["mosquitto-5", "mosquitto-3.1.1", "embedded-5", "embedded-3.1.1"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Port and protocol of a running broker."""
    kind, _, protocol = request.param.partition("-")
    if kind == "mosquitto":
        yield request.getfixturevalue("mosquitto").port, protocol
        return
    with EmbeddedBroker() as broker:
        yield broker.port if protocol == "5" else broker.port_311, protocol


class Ear:
    """Hears everything under ``t1`` and waits for facts."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client
        self.heard: list[tuple[str, bool, dict[str, Any]]] = []

    async def until(self, fact: Callable[[str, dict[str, Any]], bool]) -> dict[str, Any]:
        """The next message of which ``fact`` is true."""
        async with asyncio.timeout(20):
            async for message in self._client.messages:
                assert isinstance(message.payload, bytes)
                body = json.loads(message.payload)
                self.heard.append((str(message.topic), message.retain, body))
                if fact(str(message.topic), body):
                    return dict(body)
        raise AssertionError("the broker closed")


@asynccontextmanager
async def listening(port: int, protocol: str) -> AsyncIterator[Ear]:
    """An ear, tried until the broker is up."""
    async with asyncio.timeout(20):
        while True:
            client = aiomqtt.Client("127.0.0.1", port, protocol=PROTOCOLS[protocol])
            try:
                await client.__aenter__()
                break
            except aiomqtt.MqttError:
                await asyncio.sleep(0.05)
    try:
        await client.subscribe("t1/#", qos=1)
        yield Ear(client)
    finally:
        await client.__aexit__(None, None, None)


def one(port: int, protocol: str) -> Session:
    clock = SystemClock()
    line = Line(host="127.0.0.1", port=port, interval_seconds=0.2, protocol=protocol)
    return Session(Board("b-301", clock=clock), line, clock)


def online(topic: str, body: dict[str, Any]) -> bool:
    return topic == "t1/board/b-301/s" and body["v"] == {"online": True}


def gone(topic: str, body: dict[str, Any]) -> bool:
    return topic == "t1/board/b-301/s" and body["v"] == {"online": False}


def measured(topic: str, _: dict[str, Any]) -> bool:
    return topic == "t1/board/b-301/m"


async def test_a_board_speaks_is_cut_and_comes_back(place: Place) -> None:
    session = one(*place)
    async with listening(*place) as ear, Supervisor(SystemClock()) as tasks:
        tasks.start("board", session.run)
        await ear.until(online)
        first = await ear.until(measured)
        second = await ear.until(measured)
        assert second["boot"] == first["boot"]
        assert second["n"] > first["n"]
        session.board.set({"offline": True})
        session.wake()
        await ear.until(gone)  # the will: nobody said goodbye
        session.board.set({"offline": False})
        session.wake()
        await ear.until(online)
        assert (await ear.until(measured))["n"] > second["n"]


async def test_status_is_retained_and_the_end_of_the_simulator_is_a_pulled_plug(
    place: Place,
) -> None:
    session = one(*place)
    async with listening(*place) as ear:
        async with Supervisor(SystemClock()) as tasks:
            tasks.start("board", session.run)
            await ear.until(measured)
            async with listening(*place) as late:
                await late.until(online)
                assert late.heard[0][:2] == ("t1/board/b-301/s", True)
        await ear.until(gone)


async def test_a_reboot_is_a_cut_and_a_new_count(place: Place) -> None:
    session = one(*place)
    async with listening(*place) as ear, Supervisor(SystemClock()) as tasks:
        tasks.start("board", session.run)
        before = await ear.until(measured)
        Controls([session]).handle({"board": "b-301", "reboot": {"silent_seconds": 1}})
        await ear.until(gone)
        after = await ear.until(online)
        assert after["n"] == 1
        assert after["boot"] != before["boot"]


async def test_boards_survive_a_killed_broker(mosquitto: Mosquitto) -> None:
    session = one(mosquitto.port, "5")
    async with Supervisor(SystemClock()) as tasks:
        tasks.start("board", session.run)
        async with listening(mosquitto.port, "5") as ear:
            await ear.until(measured)
        mosquitto.kill()
        mosquitto.start()
        async with listening(mosquitto.port, "5") as ear:
            await ear.until(online)
            await ear.until(measured)
        assert [health.restarts for health in tasks.health] == [0]


@pytest.mark.parametrize("turns", range(6))
async def test_the_end_comes_though_the_broker_goes_at_the_same_moment(
    mosquitto: Mosquitto, turns: int
) -> None:
    clock = SystemClock()
    fleet = sessions(
        {f"b-{n}": f"127.0.0.1:{mosquitto.port}" for n in range(20)},
        clock=clock,
        seed=1,
        interval_seconds=0.1,
    )
    tasks = Supervisor(clock)
    for session in fleet:
        tasks.start(session.board.serial, session.run)
    async with listening(mosquitto.port, "5") as ear:
        await ear.until(lambda topic, _: topic == "t1/board/b-19/m")
    mosquitto.kill()
    for _ in range(turns):
        await asyncio.sleep(0)
    async with asyncio.timeout(20):
        await tasks.close()


async def test_a_flood_arrives_whole(mosquitto: Mosquitto) -> None:
    session = one(mosquitto.port, "5")
    session.board.set({"fault": "flood"})
    async with listening(mosquitto.port, "5") as ear, Supervisor(SystemClock()) as tasks:
        tasks.start("board", session.run)
        numbers = [(await ear.until(measured))["n"] for _ in range(200)]
    assert numbers == list(range(2, 202))


async def test_two_hundred_boards_in_one_process(mosquitto: Mosquitto) -> None:
    clock = SystemClock()
    serials = [f"b-{n}" for n in range(200)]
    fleet = sessions(
        dict.fromkeys(serials, f"127.0.0.1:{mosquitto.port}"),
        clock=clock,
        seed=1,
        interval_seconds=5,
    )
    waiting = set(serials)
    async with listening(mosquitto.port, "5") as ear, Supervisor(clock) as tasks:
        for session in fleet:
            tasks.start(session.board.serial, session.run)

        def all_there(topic: str, _: dict[str, Any]) -> bool:
            if topic.endswith("/m"):
                waiting.discard(topic.split("/")[2])
            return not waiting

        await ear.until(all_there)


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ({}, "'board' must be text"),
        ({"board": "b-9", "set": {}}, "no board here has the serial 'b-9'"),
        ({"board": "b-301"}, "this one holds nothing"),
        ({"board": "b-301", "reboot": {"silent_seconds": 0}}, "from 1 to 86400"),
        ({"board": "b-301", "reboot": {"clock_1970": 1}}, "true or false"),
        ({"board": "b-301", "reboot": {"x": 1}}, "'x' is not known"),
        ({"board": "b-301", "set": 1}, "'set' must be an object"),
        ({"board": "b-301", "reboot": {}, "set": {}}, "this one holds reboot, set"),
    ],
)
async def test_bad_commands(command: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Controls([one(1, "5")]).handle(command)
