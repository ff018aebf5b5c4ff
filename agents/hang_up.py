"""Closing a connection without waiting for a peer that no longer listens."""

from agents.waiting import within
from drivers.wire.conversation import Connection
from tenone.runtime.clock import Clock

PATIENCE_SECONDS = 1.0


async def hang_up(clock: Clock, port: Connection) -> None:
    """Disconnect in order if that works soon, else let go of the socket."""
    try:
        await within(clock, PATIENCE_SECONDS, port.disconnect())
    except TimeoutError:
        await port.disconnect()  # a second call only lets go
