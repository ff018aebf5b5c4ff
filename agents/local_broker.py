"""The school's own broker where it is the embedded one: started, watched, started again."""

import asyncio

from drivers.wire.embedded import EmbeddedBroker
from tenone.runtime.clock import Clock

LOOK_SECONDS = 1.0


class LocalBroker:
    """Give :meth:`run` to a supervisor; it fails, and so is run again, when the broker does."""

    def __init__(self, broker: EmbeddedBroker, *, clock: Clock) -> None:
        self.broker = broker
        self.up = asyncio.Event()
        self._clock = clock

    async def run(self) -> None:
        """Start the broker and watch it; raises when it has ended or cannot listen."""
        await asyncio.to_thread(self.broker.start)
        self.up.set()
        while self.broker.is_running:
            await self._clock.sleep(LOOK_SECONDS)
        self.up.clear()
        await asyncio.to_thread(self.broker.stop)
        raise RuntimeError("the embedded broker has ended by itself")
