"""A board on the network: connects, speaks, loses the broker, comes back, by itself."""

import asyncio
import contextlib
import logging
import math
import random
import socket
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import aiomqtt

from drivers.probe.reflector import Reflector
from firmware_sims.board.board import Board, Outgoing
from tenone.runtime.clock import Clock

log = logging.getLogger(__name__)

_QUIET = logging.getLogger("firmware_sims.board.mqtt")
_QUIET.setLevel(logging.ERROR)  # a broker that is gone is the board's daily bread
KEEPALIVE_SECONDS = 20
TIMEOUT_SECONDS = 10.0
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 15.0
_MOST_IN_FLIGHT = 1_000

PROTOCOLS = {"5": aiomqtt.ProtocolVersion.V5, "3.1.1": aiomqtt.ProtocolVersion.V311}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How a board reaches its broker and how often it speaks."""

    host: str
    port: int
    interval_seconds: float = 30.0
    protocol: str = "5"
    faults_a_message: float = 0.0
    events: bool = False
    """Whether starts are told on ``e/start`` too."""


class Session:
    """Keeps one board connected. :meth:`wake` makes it heed a change at once."""

    def __init__(self, board: Board, line: Line, clock: Clock) -> None:
        self.board = board
        self.line = line
        self.connected = False
        self.reflector: Reflector | None = None
        self._clock = clock
        self._changed = asyncio.Event()
        self._pauses = random.Random(board.serial)

    def reflect(self, host: str, port: int) -> None:
        """Answer probes there from now on, while the board is on; raises OSError."""
        self.reflector = Reflector(host, port, is_awake=lambda: not self.board.away_seconds)

    def close(self) -> None:
        """Answer no probes any more."""
        if self.reflector is not None:
            self.reflector.close()

    def wake(self) -> None:
        """Something about the board has changed: speak or leave now."""
        self._changed.set()

    async def run(self) -> None:
        """Connect and speak for ever."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            _heed_cancellation()
            away = self.board.away_seconds
            if away:
                await self._wait(away)
                continue
            try:
                await self._connected()
            except aiomqtt.MqttError as error:
                log.debug("board %s: %s", self.board.serial, error)
                await self._wait(pause * self._pauses.uniform(0.5, 1.5))
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            else:
                pause = FIRST_PAUSE_SECONDS

    async def _connected(self) -> None:
        """One connection, until the board hangs up; raises MqttError when the broker is gone."""
        will = self.board.will()
        name = f"board.{self.board.serial}"
        async with aiomqtt.Client(
            self.line.host,
            self.line.port,
            identifier=name,
            username=name,
            protocol=PROTOCOLS[self.line.protocol],
            will=aiomqtt.Will(will.topic, will.payload, qos=1, retain=True),
            keepalive=KEEPALIVE_SECONDS,
            timeout=TIMEOUT_SECONDS,
            logger=_QUIET,
        ) as client:
            client.pending_calls_threshold = _MOST_IN_FLIGHT
            self.connected = True
            try:
                _heed_cancellation()
                await _first_to_end(_listen(client), self._speak(client))
            finally:
                self.connected = False
                await _drop(client)

    async def _speak(self, client: aiomqtt.Client) -> None:
        await _publish(client, self.board.online())
        if self.line.events:
            await _publish(client, self.board.event("start", {}))
        while True:
            sent = self.board.measurements(self.line.faults_a_message)
            await asyncio.gather(*(_publish(client, message) for message in sent))
            if not self.board.away_seconds:
                await self._wait(self.line.interval_seconds * self._pauses.uniform(0.9, 1.1))
            if self.board.away_seconds:
                return

    async def _wait(self, seconds: float) -> None:
        """Until ``seconds`` have passed or something has changed."""
        waiting: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._changed.wait())]
        if math.isfinite(seconds):
            waiting.append(asyncio.ensure_future(self._clock.sleep(seconds)))
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        self._changed.clear()


def _heed_cancellation() -> None:
    """Raise what ``asyncio.wait_for`` may have swallowed (it did until Python 3.12)."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _first_to_end(*work: Coroutine[Any, Any, None]) -> None:
    """Run all of ``work`` until one ends, end the others; raises what the first one raised.

    A TaskGroup would lose a cancellation that arrives together with a child's error.
    """
    tasks = {asyncio.create_task(one) for one in work}
    done: set[asyncio.Task[None]] = set()
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        running = tasks
        while running:
            for task in running:
                task.cancel()
            _, running = await asyncio.wait(running, timeout=1.0)
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _listen(client: aiomqtt.Client) -> None:
    """Nothing is subscribed to; this is how aiomqtt tells that the broker is gone."""
    async for _ in client.messages:
        pass


async def _publish(client: aiomqtt.Client, message: Outgoing) -> None:
    await client.publish(message.topic, message.payload, qos=1, retain=message.retain)


async def _drop(client: aiomqtt.Client) -> None:
    """End the connection as a pulled plug does, so that the broker publishes the will."""
    held = client._client.socket()  # noqa: SLF001 - aiomqtt itself only knows how to say goodbye
    if isinstance(held, socket.socket):
        with contextlib.suppress(OSError):
            held.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(aiomqtt.MqttError, TimeoutError):
        async with asyncio.timeout(1.0):
            await _listen(client)
