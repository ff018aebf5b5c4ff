"""Answers of the broker that are awaited, by packet id (PUBACK, SUBACK)."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from paho.mqtt.reasoncodes import ReasonCode

from drivers.wire.mqtt_values import MqttError, RefusedError

T = TypeVar("T")


class Answers(Generic[T]):
    """What awaits an answer of one kind; true while anything does.

    A refusal is raised as ``refusal``, its sentence begun by ``refused``.
    """

    def __init__(self, refusal: type[RefusedError], refused: str) -> None:
        self._refusal = refusal
        self._refused = refused
        self._waiting: dict[int, tuple[asyncio.Future[T], str]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    @contextmanager
    def expected(self, packet_id: int, topic: str) -> Iterator[asyncio.Future[T]]:
        """The future of one answer, forgotten on the way out; enter before the loop runs again."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting[packet_id] = (future, topic)
        try:
            yield future
        finally:
            self._waiting.pop(packet_id, None)

    def settle(self, packet_id: int, reason: ReasonCode, value: T) -> None:
        """The broker has answered: ``value``, unless ``reason`` is a refusal."""
        future, topic = self._waiting.pop(packet_id, (None, ""))
        if future is None or future.done():
            return
        if reason.is_failure:
            sentence = f"{self._refused} {topic}: {reason}"
            future.set_exception(self._refusal(sentence, topic, reason.value))
        else:
            future.set_result(value)

    def fail(self, error: MqttError) -> None:
        """No answer will come any more."""
        for future, _ in self._waiting.values():
            if not future.done():
                future.set_exception(error)
        self._waiting.clear()
