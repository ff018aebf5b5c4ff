"""The owner of background tasks: restarts what fails and says so.

It is the only place that catches everything.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tenone.runtime.clock import Clock

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
CALM_SECONDS = 60.0
"""A task that ran this long before failing starts over with the first pause."""
PATIENCE_SECONDS = 5.0
"""A task that has not ended so long after its cancellation is cancelled again."""


@dataclass(slots=True)
class TaskHealth:
    """What the supervisor knows of one task."""

    name: str
    running: bool = False
    restarts: int = 0
    last_error: str = ""


class Supervisor:
    """Runs named tasks until closed; a task that raises or returns is started again.

    ``async with Supervisor(clock) as tasks: tasks.start("poller", poller.run)``
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._health: dict[str, TaskHealth] = {}

    @property
    def health(self) -> list[TaskHealth]:
        """One entry a task, for /readyz and /metrics."""
        return list(self._health.values())

    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run ``work`` for ever under ``name``; the name must be free."""
        if name in self._tasks:
            raise ValueError(f"a task called {name} already runs")
        self._health[name] = TaskHealth(name)
        self._tasks[name] = asyncio.create_task(self._keep(name, work), name=name)

    async def stop(self, name: str) -> None:
        """Cancel one task and wait until it has ended."""
        task = self._tasks.pop(name)
        self._health.pop(name)
        task.cancel()
        while not (await asyncio.wait({task}, timeout=PATIENCE_SECONDS))[0]:
            # A TaskGroup or a timeout can lose a cancellation that comes as it ends by itself.
            log.warning("task %s does not end; it is told again", name)
            task.cancel()
        if not task.cancelled():
            task.exception()  # it has been said; nobody else asks for it

    async def close(self) -> None:
        """Cancel all tasks and wait until they have ended."""
        for name in list(self._tasks):
            await self.stop(name)

    async def _keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        health = self._health[name]
        pause = FIRST_PAUSE_SECONDS
        while True:
            started_ns = self._clock.monotonic_ns()
            health.running = True
            failure: BaseException | None = None
            try:
                await work()
            except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # noqa: BLE001 - a supervisor catches everything, and says it
                failure = error
            finally:
                health.running = False
            if self._clock.monotonic_ns() - started_ns > CALM_SECONDS * 1e9:
                pause = FIRST_PAUSE_SECONDS
            _report(health, failure, pause)
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                return  # the work swallowed its cancellation; being asked to stop still holds
            health.restarts += 1
            await self._clock.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


class ToldError(Exception):
    """An expected failure whose message says what and how to mend: no traceback is needed."""


def _report(health: TaskHealth, failure: BaseException | None, pause: float) -> None:
    if failure is None:
        health.last_error = "the task returned, which it should not"
        log.error("task %s returned; starting it again in %.1f s", health.name, pause)
    elif isinstance(failure, ToldError):
        health.last_error = str(failure)
        log.error("task %s: %s; starting it again in %.1f s", health.name, failure, pause)
    else:
        health.last_error = f"{type(failure).__name__}: {failure}"
        log.error(
            "task %s failed; starting it again in %.1f s", health.name, pause, exc_info=failure
        )
