"""The ``uplink`` stream: takeovers, refusals and cuts by the city's broker, told once it is back.

A connection that the network ended is no news; these have somebody behind them. Which of them a
broker says depends on it: Mosquitto 2.0.11 does not say 0x8E.
"""

import asyncio

from agents.origin import Origin
from agents.ports import Keep
from drivers.wire.mqtt_values import (
    SESSION_TAKEN_OVER,
    ConnectionLostError,
    MqttError,
    RefusedError,
)
from tenone.blocks.block import Draft
from tenone.blocks.columns import Column, Value
from tenone.blocks.layout import layout
from tenone.vocabulary.uplink import UPLINK

SUBJECT = "gateway/agent"
UPLINK_LAYOUT = layout("uplink", UPLINK, ["agent"])
NOT_AUTHORISED = 0x87
ADMINISTRATIVE = 0x98
"""MQTT 5.0, section 2.4."""
LEAST_SECONDS = 5.0
"""A storm of them makes one block in this time."""


class UplinkTold:
    """Give :meth:`run` to a supervisor, :meth:`note` to the uplink."""

    def __init__(self, *, origin: Origin, keep: Keep) -> None:
        self._origin = origin
        self._keep = keep
        self._takeovers = self._refusals = self._ended = 0
        self._last = ""
        self._news = asyncio.Event()

    def note(self, error: MqttError) -> None:
        """A session ended with ``error``; what is the network's is left alone."""
        match error:
            case RefusedError(reason_code=code) if code == NOT_AUTHORISED:
                self._refusals += 1
            case ConnectionLostError(reason_code=code) if code == SESSION_TAKEN_OVER:
                self._takeovers += 1
            case ConnectionLostError(reason_code=code) if code == ADMINISTRATIVE:
                self._ended += 1
            case _:
                return
        self._last = str(error)
        self._news.set()

    async def run(self) -> None:
        """A block each time one of the counts has grown."""
        while True:
            await self._news.wait()
            self._news.clear()
            await self._keep([self._draft()])
            await self._origin.clock.sleep(LEAST_SECONDS)

    def _draft(self) -> Draft:
        values: tuple[Value, ...] = (self._takeovers, self._refusals, self._ended, self._last)
        columns = [Column.of(name, [value]) for name, value in zip(UPLINK, values, strict=True)]
        return Draft.of(UPLINK_LAYOUT, self._origin.stamp(SUBJECT), columns)
