"""Wakes a switch when something of it is due, so that nobody has to ask it first."""

import asyncio

from firmware_sims.switch.model import Switch

_LATE_SECONDS = 0.002
"""Beyond the moment, so that the clock has passed it for certain."""


class Heart:
    """Lets the timers of one switch run in the running loop."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._waiting: set[asyncio.TimerHandle] = set()

    def attach(self) -> None:
        """Beat from now on."""
        self._switch.timers.on_set = self._set

    def close(self) -> None:
        """Stop."""
        self._switch.timers.on_set = None
        for handle in self._waiting:
            handle.cancel()
        self._waiting.clear()

    def _set(self, due: float) -> None:
        wait = max(0.0, due - self._switch.now()) + _LATE_SECONDS
        handle: asyncio.TimerHandle

        def beat() -> None:
            self._waiting.discard(handle)
            self._switch.tick()

        handle = asyncio.get_running_loop().call_later(wait, beat)
        self._waiting.add(handle)
