"""Requests to agents: every outcome is a reply."""

import asyncio
import json

import pytest

from controller.ingest.commands import ASK_AGAIN_SECONDS, NO_ANSWER, CommandDesk
from drivers.wire.commands import CommandState, Reply, Request
from drivers.wire.mqtt import MqttError
from drivers.wire.sparkplug.codec import Metric
from drivers.wire.topics import NodeId
from tenone.runtime.clock import ManualClock

NODE = NodeId("east", "no1")


class Desk:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.desk = CommandDesk(self.clock)
        self.sent: list[Request] = []
        self.desk.send_by(self._send)

    async def _send(self, node: NodeId, metrics: tuple[Metric, ...]) -> None:
        assert node == NODE
        self.sent += [Request.read(metric) for metric in metrics]

    def ask(self, seconds: float = 10.0) -> "asyncio.Task[Reply]":
        asking = self.desk.ask(NODE, "Poll", {"switch": "sw1"}, deadline_seconds=seconds)
        return asyncio.create_task(asking)

    def reply(self, state: CommandState, message: str = "") -> Reply:
        return Reply(verb="Poll", id=self.sent[0].id, state=state, message=message)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_the_last_word_is_the_answer() -> None:
    bench = Desk()
    asking = bench.ask()
    await settle()
    (request,) = bench.sent
    assert (request.verb, dict(request.arguments)) == ("Poll", {"switch": "sw1"})
    assert request.deadline_ms == bench.clock.wall_ns() // 1_000_000 + 10_000
    bench.desk.replied(NODE, bench.reply(CommandState.EXECUTING))
    bench.desk.replied(NodeId("east", "no2"), bench.reply(CommandState.SUCCESSFUL))
    await settle()
    assert not asking.done()
    bench.desk.replied(NODE, bench.reply(CommandState.SUCCESSFUL, "sw1 answered"))
    assert (await asking).message == "sw1 answered"
    bench.desk.replied(NODE, bench.reply(CommandState.FAILED))


async def test_the_answer_says_how_often_was_asked() -> None:
    for times in (1, 3):
        bench = Desk()
        asking = bench.ask()
        await settle()
        for _ in range(times - 1):
            bench.clock.advance(ASK_AGAIN_SECONDS)
            await settle()
        bench.desk.replied(NODE, bench.reply(CommandState.FAILED, "used before"))
        assert (await asking).asked == times


async def test_a_request_is_repeated_under_the_same_id_until_the_deadline() -> None:
    bench = Desk()
    asking = bench.ask(5.0)
    for seconds in (ASK_AGAIN_SECONDS, ASK_AGAIN_SECONDS, 1.0):
        await settle()
        bench.clock.advance(seconds)
    reply = await asking
    assert len({request.id for request in bench.sent}) == 1
    assert len(bench.sent) == 3
    assert (reply.state, reply.code) == (CommandState.FAILED, NO_ANSWER)
    assert "did not answer in 5 s" in reply.message


async def test_without_a_connection_it_says_so() -> None:
    desk = CommandDesk(ManualClock())
    reply = await desk.ask(NODE, "Poll", {}, deadline_seconds=5)
    assert (reply.state, reply.code) == (CommandState.FAILED, NO_ANSWER)
    assert "no connection" in reply.message


async def test_a_lost_connection_in_between_says_so() -> None:
    bench = Desk()
    asking = bench.ask()
    await settle()

    async def broken(_node: NodeId, _metrics: tuple[Metric, ...]) -> None:
        raise MqttError("the connection is gone")

    bench.desk.send_by(broken)
    bench.clock.advance(ASK_AGAIN_SECONDS)
    assert (await asking).message == "the connection is gone"


@pytest.mark.parametrize("arguments", [{"id": "taken"}, {"switch": json}])
async def test_arguments_that_cannot_travel(arguments: dict[str, object]) -> None:
    bench = Desk()
    reply = await bench.desk.ask(NODE, "Poll", arguments, deadline_seconds=5)
    assert reply.state is CommandState.FAILED
    assert reply.message
