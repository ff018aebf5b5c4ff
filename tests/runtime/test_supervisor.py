import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from tenone.runtime.clock import ManualClock
from tenone.runtime.supervisor import CALM_SECONDS, LONGEST_PAUSE_SECONDS, Supervisor, ToldError

Work = Callable[[], Awaitable[None]]


async def settle() -> None:
    """Let every task that can run do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def forever() -> None:
    await asyncio.Event().wait()


class Stumbling:
    """Work that fails as it is told: an exception to raise, None to return, "run" to go on."""

    def __init__(self, *script: BaseException | str | None) -> None:
        self.script = list(script)
        self.starts = 0

    async def run(self) -> None:
        self.starts += 1
        step = self.script.pop(0) if self.script else "run"
        if isinstance(step, BaseException):
            raise step
        if step == "run":
            await forever()


async def test_a_task_runs_until_the_supervisor_closes() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await forever()
        finally:
            ended.set()

    async with Supervisor(ManualClock()) as tasks:
        tasks.start("work", work)
        await settle()
        (health,) = tasks.health
        assert (health.name, health.running, health.restarts) == ("work", True, 0)
    assert ended.is_set()
    assert tasks.health == []


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (OSError("no route"), "OSError: no route"),
        (ExceptionGroup("several", [ValueError("x")]), "ExceptionGroup: several"),
        (GeneratorExit("odd"), "GeneratorExit: odd"),
        (None, "returned"),
    ],
)
async def test_what_fails_is_named_and_started_again(
    step: BaseException | None, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    work = Stumbling(step)
    async with Supervisor(clock) as tasks:
        tasks.start("poller", work.run)
        await settle()
        (health,) = tasks.health
        assert (work.starts, health.running, health.restarts) == (1, False, 1)
        assert says in health.last_error
        clock.advance(0.5)
        await settle()
        assert (work.starts, health.running, health.restarts) == (2, True, 1)
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "poller" in record.getMessage()
    assert (record.exc_info is not None) == (step is not None)


async def test_the_pause_doubles_up_to_its_bound_and_calm_resets_it() -> None:
    clock = ManualClock()
    failures = [RuntimeError(str(n)) for n in range(9)]
    work = Stumbling(*failures, "run")
    async with Supervisor(clock) as tasks:
        tasks.start("work", work.run)
        pauses = []
        for _ in failures:
            await settle()
            before = work.starts
            waited = 0.0
            while work.starts == before:
                clock.advance(0.5)
                waited += 0.5
                await settle()
            pauses.append(waited)
        assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
        assert pauses[-1] == LONGEST_PAUSE_SECONDS


async def test_a_calm_run_starts_over_with_the_first_pause() -> None:
    clock = ManualClock()
    gate = asyncio.Event()
    starts = 0

    async def work() -> None:
        nonlocal starts
        starts += 1
        if starts == 2:
            await gate.wait()
        if starts < 4:
            raise RuntimeError

    async with Supervisor(clock) as tasks:
        tasks.start("work", work)
        await settle()
        clock.advance(0.5)
        await settle()
        assert starts == 2
        clock.advance(CALM_SECONDS + 1)
        gate.set()
        await settle()
        clock.advance(0.5)
        await settle()
        assert starts == 3


async def test_one_failure_leaves_the_others_alone() -> None:
    clock = ManualClock()
    good, bad = Stumbling(), Stumbling(ValueError("x"))
    async with Supervisor(clock) as tasks:
        tasks.start("good", good.run)
        tasks.start("bad", bad.run)
        await settle()
        by_name = {health.name: health for health in tasks.health}
        assert by_name["good"].running
        assert not by_name["bad"].running
        assert good.starts == 1


async def test_a_name_is_given_once_and_free_again_after_stop() -> None:
    async with Supervisor(ManualClock()) as tasks:
        tasks.start("work", forever)
        with pytest.raises(ValueError, match="work already runs"):
            tasks.start("work", forever)
        await tasks.stop("work")
        tasks.start("work", forever)
        assert [health.name for health in tasks.health] == ["work"]


async def test_close_ends_a_task_that_waits_to_be_started_again() -> None:
    clock = ManualClock()
    work = Stumbling(ValueError("x"))
    tasks = Supervisor(clock)
    tasks.start("work", work.run)
    await settle()
    await asyncio.wait_for(tasks.close(), 5)
    clock.advance(100)
    await settle()
    assert work.starts == 1


@pytest.mark.parametrize("failing", [False, True])
async def test_close_ends_a_task_that_swallows_its_cancellation(failing: bool) -> None:
    starts = 0

    async def stubborn() -> None:
        nonlocal starts
        starts += 1
        try:
            await forever()
        except asyncio.CancelledError:
            if failing:
                raise RuntimeError("while cleaning up") from None

    tasks = Supervisor(ManualClock())
    tasks.start("stubborn", stubborn)
    await settle()
    await asyncio.wait_for(tasks.close(), 5)
    assert starts == 1


async def test_a_task_that_loses_its_cancellation_is_told_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tenone.runtime.supervisor.PATIENCE_SECONDS", 0.01)
    lost = 0

    async def work() -> None:
        nonlocal lost
        while True:
            try:
                await forever()
            except asyncio.CancelledError:
                if lost == 2:
                    raise
                lost += 1

    tasks = Supervisor(ManualClock())
    tasks.start("stubborn", work)
    await settle()
    async with asyncio.timeout(10):
        await tasks.close()
    assert lost == 2
    assert "task stubborn does not end" in caplog.text


async def test_what_was_expected_is_told_without_a_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with Supervisor(ManualClock()) as tasks:
        tasks.start("broker", Stumbling(ToldError("port 1883 is taken: name another one")).run)
        await settle()
        (health,) = tasks.health
        assert health.last_error == "port 1883 is taken: name another one"
    (record,) = caplog.records
    assert record.exc_info is None
    assert "task broker: port 1883 is taken: name another one; starting" in record.getMessage()
