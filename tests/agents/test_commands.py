import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from agents.commands import AT_ONCE, REMEMBERED, Code, CommandFailed, Commands
from drivers.wire.commands import CommandState, Reply, Request
from tenone.runtime.clock import ManualClock
from tests.agents.conftest import Advance, settle


class Desk:
    """Commands with a verb that does as its arguments say."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.replies: list[Reply] = []
        self.done: list[object] = []
        self.commands = Commands({"Do": self._do}, clock=clock)
        self.commands.reply_to(self.replies.append)

    async def _do(self, arguments: Mapping[str, object]) -> str:
        seconds = arguments.get("seconds", 0)
        assert isinstance(seconds, int)
        await self.clock.sleep(seconds)
        if arguments.get("fail"):
            raise CommandFailed(Code.FAILED, "no luck")
        self.done.append(arguments.get("what"))
        return "well done"

    def ask(
        self, identity: str, *, verb: str = "Do", within: int = 10, **arguments: object
    ) -> None:
        deadline_ms = self.clock.wall_ns() // 10**6 + within * 1000
        self.commands.take(
            Request(verb=verb, id=identity, deadline_ms=deadline_ms, arguments=arguments)
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.commands.run())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def answers(self) -> list[tuple[str, CommandState, int]]:
        return [(reply.id, reply.state, reply.code) for reply in self.replies]


@pytest.fixture
def desk(clock: ManualClock) -> Desk:
    return Desk(clock)


async def test_executing_then_successful(desk: Desk) -> None:
    async with desk.open():
        desk.ask("a", what="x")
        await settle()
    assert desk.answers() == [("a", CommandState.EXECUTING, 0), ("a", CommandState.SUCCESSFUL, 0)]
    assert desk.replies[-1].message == "well done"
    assert desk.done == ["x"]


@pytest.mark.parametrize(
    ("asking", "code"),
    [
        ({"verb": "Other"}, Code.UNKNOWN_VERB),
        ({"within": -1}, Code.EXPIRED),
    ],
)
async def test_refused_at_once(asking: dict[str, object], code: Code, desk: Desk) -> None:
    async with desk.open():
        desk.ask("a", **asking)  # type: ignore[arg-type]  # a table of keywords
        await settle()
    assert desk.answers() == [("a", CommandState.FAILED, code)]
    assert not desk.done


async def test_failure_has_its_sentence(desk: Desk) -> None:
    async with desk.open():
        desk.ask("a", fail=True)
        await settle()
    assert (desk.replies[-1].code, desk.replies[-1].message) == (Code.FAILED, "no luck")


async def test_the_deadline_ends_the_work(desk: Desk, advance: Advance) -> None:
    async with desk.open():
        desk.ask("a", within=5, seconds=60)
        await advance(6)
    assert desk.answers()[-1] == ("a", CommandState.FAILED, Code.EXPIRED)
    assert not desk.done


async def test_an_id_is_carried_out_once(desk: Desk, advance: Advance) -> None:
    async with desk.open():
        desk.ask("a", seconds=3)
        await settle()
        desk.ask("a", seconds=3)
        await advance(4)
        desk.ask("a", seconds=3)
        desk.ask("a", within=-100)  # even past its deadline the answer is what happened
        await settle()
    states = [state for _, state, _ in desk.answers()]
    assert states == [CommandState.EXECUTING] * 2 + [CommandState.SUCCESSFUL] * 3
    assert len(desk.done) == 1


async def test_too_many_at_once_may_ask_again(desk: Desk, advance: Advance) -> None:
    async with desk.open():
        for index in range(AT_ONCE + 1):
            desk.ask(f"a{index}", seconds=2)
        assert desk.answers()[-1] == (f"a{AT_ONCE}", CommandState.FAILED, Code.BUSY)
        await advance(3)
        desk.ask(f"a{AT_ONCE}")
        await settle()
    assert len(desk.done) == AT_ONCE + 1


async def test_memory_of_answers_is_bounded(desk: Desk) -> None:
    async with desk.open():
        for index in range(2 * REMEMBERED):
            desk.ask(f"a{index}")
            await settle()
    assert len(desk.commands._answers) == REMEMBERED


async def test_without_a_way_back_nothing_breaks(clock: ManualClock) -> None:
    desk = Desk(clock)
    desk.commands = Commands({"Do": desk._do}, clock=clock)
    async with desk.open():
        desk.ask("a", what="x")
        await settle()
    assert desk.done == ["x"]


async def test_a_deadline_far_away_keeps_no_slot(desk: Desk, advance: Advance) -> None:
    """A verb that hangs ends after five minutes."""
    async with desk.open():
        for number in range(AT_ONCE):
            desk.ask(f"a{number}", within=315_576_000, seconds=10**6)
        await settle()
        desk.ask("full", what="x")
        await settle()
        assert desk.replies[-1].code == Code.BUSY
        await advance(301)
        desk.ask("free", what="x")
        await settle()
    assert desk.answers()[-1] == ("free", CommandState.SUCCESSFUL, 0)
    assert [r.code for r in desk.replies].count(Code.EXPIRED) == AT_ONCE
