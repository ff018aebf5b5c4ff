import asyncio
from typing import cast

import pytest

from agents.hang_up import PATIENCE_SECONDS, hang_up
from drivers.wire.conversation import Connection
from drivers.wire.mqtt import ConnectionLostError
from tenone.runtime.clock import ManualClock
from tests.agents.conftest import Advance


class Line:
    """A connection whose peer answers a goodbye when told to; a second goodbye lets go."""

    def __init__(self, *, lost: bool = False) -> None:
        self.answered = asyncio.Event()
        self.calls: list[str] = []
        self._lost = lost

    async def disconnect(self) -> None:
        if self.calls:
            self.calls.append("let go")
            return
        self.calls.append("goodbye")
        if self._lost:
            raise ConnectionLostError("gone")
        try:
            await self.answered.wait()
        except asyncio.CancelledError:
            self.calls.append("given up")
            raise

    @property
    def port(self) -> Connection:
        return cast("Connection", self)


async def test_a_peer_that_answers_gets_an_orderly_end(clock: ManualClock) -> None:
    line = Line()
    line.answered.set()
    await hang_up(clock, line.port)
    assert line.calls == ["goodbye"]


async def test_a_peer_that_hangs_is_let_go_of_after_the_patience(
    clock: ManualClock, advance: Advance
) -> None:
    line = Line()
    ending = asyncio.create_task(hang_up(clock, line.port))
    await advance(PATIENCE_SECONDS / 2)
    assert line.calls == ["goodbye"]
    await advance(PATIENCE_SECONDS / 2)
    await ending
    assert line.calls == ["goodbye", "given up", "let go"]


async def test_what_the_goodbye_raises_comes_out(clock: ManualClock) -> None:
    line = Line(lost=True)
    with pytest.raises(ConnectionLostError, match="gone"):
        await hang_up(clock, line.port)
    assert line.calls == ["goodbye"]
