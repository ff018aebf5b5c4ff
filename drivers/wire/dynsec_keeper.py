"""Keeps a broker's access control as it shall be: looks, repairs, tells what it found.

One connection of its own, with an account that may use the control topic and nothing else. It
looks when it has connected, when :meth:`DynsecKeeper.wake` is called, and every ``check_seconds``.
Urgent commands (a session is to be cut) go past the queue.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from drivers.wire.conversation import Connection, Conversation
from drivers.wire.dynsec import RESPONSE, Dynsec
from drivers.wire.dynsec_plan import Command, Desired, foreign, plan
from drivers.wire.dynsec_values import DynsecError
from drivers.wire.mqtt_values import Backoff, Message, MqttError
from tenone.runtime.clock import Clock

log = logging.getLogger(__name__)

CHECK_SECONDS = 120.0
LONGEST_PAUSE_SECONDS = 3.0
"""A broker that came back without its lists lets nobody in until it has them again."""
TRIES = 3
LOG_TOPIC = "$SYS/broker/log/#"


@dataclass(frozen=True, slots=True)
class Repair:
    """What one look found: commands that had to be given, accounts nobody knows."""

    commands: tuple[Command, ...]
    foreign: tuple[str, ...]
    first: bool
    """The first look of this process: what it did is a beginning, not a drift."""


async def _untold(_repair: Repair) -> None:
    """Nobody wants to know."""


class DynsecKeeper:
    """Give :meth:`run` to a supervisor."""

    def __init__(
        self,
        *,
        make_port: Callable[[], Connection],
        desired: Callable[[], Desired],
        clock: Clock,
        before_repair: Callable[[Repair], Awaitable[None]] = _untold,
        on_log: Callable[[str, str], None] | None = None,
        on_connected: Callable[[], None] = lambda: None,
        check_seconds: float = CHECK_SECONDS,
    ) -> None:
        """``before_repair`` is told first and may refuse by an exception of its own kind.

        ``on_log`` gets the broker's log lines: its severity letter and the text after the time.
        """
        self._make_port = make_port
        self._desired = desired
        self._clock = clock
        self._before_repair = before_repair
        self._on_log = on_log
        self._on_connected = on_connected
        self._check_seconds = check_seconds
        self._dynsec: Dynsec | None = None
        self._due = asyncio.Event()
        self._looked = False
        self.trouble = "not connected yet"
        """Why the broker's lists are not known to be right; empty while they are."""
        self.foreign: tuple[str, ...] = ()
        self.repairs = 0
        """Looks, after the first of this process, that found something to mend."""
        self.accounts = 0

    def wake(self) -> None:
        """Look at once: what is desired has changed."""
        self._due.set()

    async def execute(self, commands: Sequence[Command]) -> None:
        """Carry out ``commands`` now; raises :class:`DynsecError` or ``MqttError``."""
        if self._dynsec is None:
            raise DynsecError(f"there is no connection to the broker's control: {self.trouble}")
        await self._dynsec.run(*commands)

    async def run(self) -> None:
        """Connect, keep, and connect again, until cancelled."""
        backoff = Backoff(longest_seconds=LONGEST_PAUSE_SECONDS)
        while True:
            try:
                await self._serve(backoff)
            except* (MqttError, DynsecError) as group:
                said = "; ".join(str(error) for error in _leaves(group))
                if said != self.trouble:
                    log.warning("broker access control: %s", said)
                self.trouble = said
            pause = backoff.pause(self._clock.monotonic_ns())
            await self._clock.sleep(min(pause, LONGEST_PAUSE_SECONDS))

    async def _serve(self, backoff: Backoff) -> None:
        port = self._make_port()
        await port.connect()
        try:
            async with asyncio.TaskGroup() as group:
                dynsec = Dynsec(port)
                group.create_task(self._receive(port, dynsec))
                await dynsec.open()
                if self._on_log is not None:
                    await port.subscribe(LOG_TOPIC, qos=0)
                self._dynsec = dynsec
                self._on_connected()
                backoff.connected(self._clock.monotonic_ns())
                group.create_task(self._keep(dynsec))
        finally:
            self._dynsec = None
            with contextlib.suppress(MqttError):
                await port.disconnect()

    async def _receive(self, port: Conversation, dynsec: Dynsec) -> None:
        async for message in port.messages():
            if message.topic == RESPONSE:
                dynsec.answered(message)
            elif self._on_log is not None:
                self._log_line(message, self._on_log)
            port.ack(message)

    @staticmethod
    def _log_line(message: Message, on_log: Callable[[str, str], None]) -> None:
        _, _, text = message.payload.decode("utf-8", "replace").partition(": ")
        on_log(message.topic.rpartition("/")[2], text)

    async def _keep(self, dynsec: Dynsec) -> None:
        while True:
            self._due.clear()
            await self._look(dynsec)
            waiting = asyncio.ensure_future(self._due.wait())
            sleeping = asyncio.ensure_future(self._clock.sleep(self._check_seconds))
            try:
                await asyncio.wait({waiting, sleeping}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (waiting, sleeping):
                    task.cancel()
                await asyncio.gather(waiting, sleeping, return_exceptions=True)

    async def _look(self, dynsec: Dynsec) -> None:
        """Read, compare, tell, mend, and read again: the broker has the last word.

        What is desired may change meanwhile, so it ends when nothing is left to do.
        """
        given: Counter[str] = Counter()
        while True:
            desired = self._desired()
            actual = await dynsec.read()
            commands = plan(desired, actual)
            self.foreign = foreign(desired, actual)
            if not commands:
                break
            given.update(str(one) for one in commands)
            stubborn, times = given.most_common(1)[0]
            if times > TRIES:
                raise DynsecError(f"the broker takes a change and does not show it: {stubborn}")
            await self._before_repair(Repair(tuple(commands), self.foreign, not self._looked))
            await dynsec.run(*commands)
        self.repairs += bool(given) and self._looked
        self._looked = True
        self.accounts = len(actual.clients)
        self.trouble = ""


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found
