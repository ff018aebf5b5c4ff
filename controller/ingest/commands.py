"""Requests to agents and the replies that belong to them."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from drivers.wire.commands import CommandError, CommandState, Reply, Request
from drivers.wire.mqtt import MqttError
from drivers.wire.sparkplug.codec import Metric
from drivers.wire.sparkplug.messages import SessionError
from drivers.wire.topics import NodeId
from tenone.runtime.clock import Clock

ASK_AGAIN_SECONDS = 2.0
"""Commands travel at QoS 0; the agent answers a repeated id from memory."""

NO_ANSWER = -1
"""``code`` of a reply that no agent gave."""

Send = Callable[[NodeId, tuple[Metric, ...]], Awaitable[None]]


class CommandDesk:
    """Sends requests, matches replies. :meth:`ask` raises nothing: every outcome is a reply."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._send: Send = _nowhere
        self._waiting: dict[tuple[NodeId, str], asyncio.Future[Reply]] = {}

    def send_by(self, send: Send) -> None:
        """Say how a command leaves; raises :class:`MqttError` or :class:`SessionError`."""
        self._send = send

    def replied(self, node: NodeId, reply: Reply) -> None:
        """A reply came; those that nobody waits for, and interim ones, change nothing."""
        waiting = self._waiting.get((node, reply.id))
        if waiting is not None and not waiting.done() and reply.state is not CommandState.EXECUTING:
            waiting.set_result(reply)

    async def ask(
        self,
        node: NodeId,
        verb: str,
        arguments: Mapping[str, object],
        *,
        deadline_seconds: float,
    ) -> Reply:
        """Ask ``node`` and wait for its last word, or for the deadline."""
        identity = secrets.token_hex(8)
        now_ms = self._clock.wall_ns() // 1_000_000
        waiting: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[node, identity] = waiting
        sent: list[int] = []
        try:
            request = Request(
                verb=verb,
                id=identity,
                deadline_ms=now_ms + round(deadline_seconds * 1000),
                arguments=arguments,
            )
            asking = asyncio.ensure_future(self._keep_asking(node, request, sent))
            ending = asyncio.ensure_future(self._clock.sleep(deadline_seconds))
            try:
                everything: set[asyncio.Future[Any]] = {waiting, asking, ending}
                await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (asking, ending):
                    task.cancel()
                outcome, _ = await asyncio.gather(asking, ending, return_exceptions=True)
            if waiting.done():
                return replace(waiting.result(), asked=len(sent))
            if isinstance(outcome, MqttError | SessionError | CommandError):
                return _failed(verb, identity, str(outcome))
            return _failed(verb, identity, f"the agent did not answer in {deadline_seconds:g} s")
        except CommandError as error:
            return _failed("Command", identity, str(error))
        finally:
            del self._waiting[node, identity]

    async def _keep_asking(self, node: NodeId, request: Request, sent: list[int]) -> None:
        while True:
            now_ms = self._clock.wall_ns() // 1_000_000
            metric = request.metric(now_ms=now_ms)
            sent.append(now_ms)
            await self._send(node, (metric,))
            await self._clock.sleep(ASK_AGAIN_SECONDS)


def _failed(verb: str, identity: str, message: str) -> Reply:
    return Reply(verb=verb, id=identity, state=CommandState.FAILED, code=NO_ANSWER, message=message)


async def _nowhere(node: NodeId, _metrics: tuple[Metric, ...]) -> None:
    raise MqttError(f"there is no connection to the broker, so {node} cannot be asked")
