"""What is used of an MQTT connection, :class:`drivers.wire.mqtt.MqttPort`, by those handed one.

All raise :class:`drivers.wire.mqtt_values.MqttError`.
"""

from collections.abc import AsyncIterator
from typing import Protocol

from drivers.wire.mqtt_values import Message


class Conversation(Protocol):
    """An open connection: say, hear, confirm."""

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        """Send one message."""
        ...

    async def subscribe(self, topic_filter: str, *, qos: int = 1) -> int:
        """Subscribe; returns the granted QoS."""
        ...

    def messages(self) -> AsyncIterator[Message]:
        """What arrives, for one consumer."""
        ...

    def ack(self, message: Message) -> None:
        """Say that ``message`` is safe, or needs no safety."""
        ...


class Connection(Conversation, Protocol):
    """One that is opened and closed by its holder."""

    async def connect(self) -> object:
        """Open it, once."""
        ...

    async def disconnect(self, *, with_will: bool = False) -> None:
        """Close it, ``with_will`` so that the broker tells the others; nothing on an ended one."""
        ...
