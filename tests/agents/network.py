"""A broker and its wires as values: loses, duplicates, cuts and forgets by a seed."""

import random
from collections import deque
from collections.abc import AsyncIterator

from drivers.wire.mqtt_values import ConnectError, ConnectionLostError, Message, Will
from tenone.runtime.clock import Clock


class SimBroker:
    """Delivers in memory. ``loss`` is the share of QoS 0 messages that vanish."""

    def __init__(self, chance: random.Random, clock: Clock) -> None:
        self.loss = 0.0
        self.doubling = 0.0
        self.up = True
        self.chance = chance
        self.clock = clock
        self.ports: list[SimPort] = []
        self._retained: dict[str, bytes] = {}

    def deliver(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> None:
        if retain:
            self._retained[topic] = payload
        for port in self.ports:
            if not any(matches(one, topic) for one in port.filters):
                continue
            if qos == 0 and self.chance.random() < self.loss:
                continue
            port.hand(topic, payload, qos)
            if self.chance.random() < self.doubling:
                port.hand(topic, payload, qos)

    def retained(self, topic_filter: str) -> list[tuple[str, bytes]]:
        return [item for item in self._retained.items() if matches(topic_filter, item[0])]

    def cut(self, port: "SimPort") -> None:
        """The connection breaks; the will is told."""
        if port in self.ports:
            self.ports.remove(port)
            port.lost = True
            if port.will is not None:
                will = port.will
                self.deliver(will.topic, will.payload, will.qos, retain=will.retain)

    def kill(self) -> None:
        """Everything in memory is gone, wills and retained messages too."""
        self.up = False
        for port in self.ports:
            port.lost = True
        self.ports.clear()
        self._retained.clear()


class SimPort:
    """One connection, as :class:`agents.ports.Port` wants it."""

    def __init__(self, broker: SimBroker, will: Will | None) -> None:
        self.will = will
        self.filters: list[str] = []
        self.lost = False
        self._broker = broker
        self._inbox: deque[Message] = deque()
        self._open = False

    async def connect(self) -> None:
        await self._broker.clock.sleep(0.02)
        if not self._broker.up:
            raise ConnectError("the simulated broker is down")
        self._broker.ports.append(self)
        self._open = True

    async def disconnect(self, *, with_will: bool = False) -> None:
        del with_will  # agents never ask for it
        self._open = False
        if self in self._broker.ports:
            self._broker.ports.remove(self)

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        await self._broker.clock.sleep(0.001)
        self._check()
        self._broker.deliver(topic, payload, qos, retain=retain)

    async def subscribe(self, topic_filter: str, *, qos: int = 1) -> int:
        self._check()
        self.filters.append(topic_filter)
        for topic, payload in self._broker.retained(topic_filter):
            self.hand(topic, payload, 1)
        return qos

    async def messages(self) -> AsyncIterator[Message]:
        while True:
            while self._inbox:
                yield self._inbox.popleft()
            self._check()
            await self._broker.clock.sleep(0.01)

    def ack(self, message: Message) -> None:
        """Nothing waits for it here."""

    def hand(self, topic: str, payload: bytes, qos: int) -> None:
        self._inbox.append(
            Message(topic=topic, payload=payload, qos=qos, retain=False, duplicate=False)
        )

    def _check(self) -> None:
        if self.lost or not self._open:
            raise ConnectionLostError("the simulated connection is gone")


def matches(topic_filter: str, topic: str) -> bool:
    """MQTT 5.0, section 4.7."""
    wanted, levels = topic_filter.split("/"), topic.split("/")
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index >= len(levels) or level not in {"+", levels[index]}:
            return False
    return len(wanted) == len(levels)
