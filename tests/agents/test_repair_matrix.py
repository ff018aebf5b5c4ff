"""Abuse case 23: the session cut at every line, the agent killed at every line, of every dialect.

Of a switch that says by its own timer, its candidate or line by line what it runs, each intent is
carried out once in peace. Then once for every line that was typed (the way back and the taking up
again included), with the line lost and with only its answer lost, with the session cut and with
the agent killed and its disk's power cut. At the end, and once more when every timer of the
switch has run out, the port is as before or as after, and as the agent has told.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from agents.commands import CommandFailed
from tenone.trust.approval import Refused
from tenone.vocabulary.intents import Dialect, Intent
from tenone.vocabulary.repairs import RepairStep
from tenone.vocabulary.states import Duplex
from tests.agents.conftest import Kept
from tests.agents.repair_bench import (
    VENDORS,
    Killed,
    Life,
    SimSchool,
    drive,
    sentences_of,
    steps_of,
)
from tests.journal.conftest import PowerCutDisk

pytestmark = pytest.mark.usefixtures("inline_threads")

SAFE_SECONDS = 60.0
TIMERS_SECONDS = 900.0
"""Longer than any switch waits before it goes back by itself."""
SPEED_ENDS_NEGOTIATION = (Dialect.COMWARE, Dialect.RUIJIE, Dialect.CISCO_IOS)
CANNOT = {
    (Dialect.ZTE, Intent.CYCLE_POE),
    (Dialect.ZTE, Intent.EXAM_PRIORITY),
    (Dialect.ZTE, Intent.CABLE_DIAGNOSIS),
}
"""Refused with a sentence: what would be typed is not known."""


def forced(sim: SimSchool) -> None:
    port = sim.switch.port(sim.port)
    now = sim.switch.wiring.settings(port)
    auto = None if sim.dialect in SPEED_ENDS_NEGOTIATION else False
    new = replace(now, auto=auto, speed_mbps=100, duplex=Duplex.FULL)
    sim.switch.wiring.configure(port, new)


def stuck(sim: SimSchool) -> None:
    sim.switch.set_wire(sim.port, {"stuck": {"speed_mbps": 100, "duplex": "full"}})


def hung(sim: SimSchool) -> None:
    sim.switch.set_wire(sim.port, {"draws": True, "hung": True})


def shut(sim: SimSchool) -> None:
    port = sim.switch.port(sim.port)
    sim.switch.wiring.configure(port, replace(sim.switch.wiring.settings(port), shutdown=True))


def bad_pair(sim: SimSchool) -> None:
    forced(sim)
    sim.switch.set_wire(sim.port, {"pairs": {"A": {"state": "open", "metres": 9}}})


def nothing(_: SimSchool) -> None:
    """All is well."""


CASES: tuple[tuple[str, Intent, Callable[[SimSchool], None]], ...] = (
    ("forced", Intent.RESTORE_NEGOTIATION, forced),
    ("forced, and a dead pair: put back", Intent.RESTORE_NEGOTIATION, bad_pair),
    ("stuck", Intent.BOUNCE_PORT, stuck),
    ("shut", Intent.ENABLE_PORT, shut),
    ("hung", Intent.CYCLE_POE, hung),
    ("exam", Intent.EXAM_PRIORITY, nothing),
    ("quarantine", Intent.QUARANTINE, nothing),
    ("release", Intent.RELEASE, nothing),
    ("save", Intent.SAVE_CONFIGURATION, nothing),
    ("cable", Intent.CABLE_DIAGNOSIS, nothing),
)


@dataclass
class Run:
    """What came of one."""

    sim: SimSchool
    kept: Kept
    before: Any
    end: Any
    lines: int
    late_seconds: float
    """From the switch being reachable again to the result."""
    seen: list[tuple[float, Any]]
    """How the port was set, and when: seconds from then on."""

    @property
    def step(self) -> RepairStep | None:
        steps = steps_of(self.kept)
        return steps[-1] if steps else None


async def lives(
    sim: SimSchool, disk: PowerCutDisk, kept: Kept, first: Awaitable[Any] | None, life: Life
) -> str:
    """Until nothing is under way any more, however many agents it takes."""
    while True:
        try:
            return await until_killed(life, life.ended() if first is None else first)
        except CommandFailed as error:
            return str(error)
        except Killed:
            first = None
            await life.close()
            disk.cut()
            await sim.clock.sleep(2.0)
            life = Life(sim, disk, kept)
            sim.lives.append(life)


async def until_killed(life: Life, work: Awaitable[Any]) -> str:
    task = asyncio.ensure_future(work)
    await asyncio.wait({task, life.worker}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        return str(task.result())
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    life.worker.result()
    raise AssertionError("the worker ended by itself")


async def run(
    folder: Path, dialect: Dialect, intent: Intent, prepare: Callable[[SimSchool], None],
    cut_at: int | None, *, taken: bool, killing: bool, seed: int = 0,
) -> Run:  # fmt: skip
    sim, kept, disk = SimSchool(folder, dialect), Kept(), PowerCutDisk(seed)
    disk.make_folder(sim.config.outbox.path)
    if dialect is Dialect.CISCO_IOS:  # queues are served, and it can go back by itself
        sim.switch.lines = ("mls qos", "archive", " path flash:back")
    prepare(sim)
    sim.clock.pass_on(120)
    sim.switch.tick()
    if intent is Intent.RELEASE:
        life = Life(sim, disk, kept)
        await drive(sim.clock, life.act("quarantine", port=sim.port))
        await life.close()
        kept = Kept()
    port = sim.switch.port(sim.port)

    def state() -> Any:
        return sim.switch.wiring.settings(port)

    before = state()
    parameters = {} if intent is Intent.SAVE_CONFIGURATION else {"port": sim.port}
    if intent is Intent.EXAM_PRIORITY:
        parameters["until_ms"] = str(sim.clock.wall_ns() // 1_000_000 + 36_000_000)
    sim.wire.armed, sim.wire.taken, sim.wire.killing = cut_at, taken, killing
    seen: list[tuple[float, Any]] = []

    async def watch() -> None:
        while True:
            sim.switch.tick()
            seen.append((sim.clock.seconds, state()))
            await sim.clock.sleep(0.2)

    watching = asyncio.ensure_future(watch())
    life = Life(sim, disk, kept)
    sim.lives = [life]
    try:
        await drive(sim.clock, lives(sim, disk, kept, life.act(intent, **parameters), life))
    finally:
        watching.cancel()
        await sim.lives[-1].close()
    ended, lines = sim.clock.seconds, sim.wire.typed
    end = state()
    reached = min(max(sim.wire.down_until, 0.0), ended)
    sim.clock.pass_on(TIMERS_SECONDS)
    sim.switch.tick()
    assert state() == end, "a timer of the switch has changed it afterwards"
    return Run(
        sim=sim,
        kept=kept,
        before=before,
        end=end,
        lines=lines,
        late_seconds=ended - reached if reached else 0.0,
        seen=[(at - reached, what) for at, what in seen if at > reached],
    )


def check(after: Any, cut: Run) -> None:
    """Before or after, and as told."""
    assert cut.end in (cut.before, after), "between"
    assert cut.step is not None, "it was never told that it began"
    if cut.step is RepairStep.DONE:
        assert cut.end == after
    else:
        assert cut.step is RepairStep.UNDONE, sentences_of(cut.kept)
        assert cut.end == cut.before
    assert cut.late_seconds <= SAFE_SECONDS, cut.late_seconds


@dataclass
class Figures:
    """What all runs together come to."""

    runs: int = 0
    done: int = 0
    undone: int = 0
    late_seconds: float = 0.0
    between_seconds: float = 0.0

    def add(self, cut: Run, after: Any) -> None:
        """One more."""
        self.runs += 1
        self.done += cut.step is RepairStep.DONE
        self.undone += cut.step is RepairStep.UNDONE
        self.late_seconds = max(self.late_seconds, cut.late_seconds)
        since: float | None = 0.0
        for at, what in cut.seen:
            if what in {cut.before, after}:
                since = None
                continue
            since = at if since is None else since
            self.between_seconds = max(self.between_seconds, at - since)

    def __str__(self) -> str:
        return (
            f"{self.runs} cuts: {self.done} done, {self.undone} as before, 0 between in the end; "
            f"from when the switch could be reached again at most {self.between_seconds:.1f} s in "
            f"between, {self.late_seconds:.1f} s to the result"
        )


async def matrix(folder: Path, dialect: Dialect, only: set[str] | None = None) -> Figures:
    """Every cut of every case."""
    figures = Figures()
    ends: dict[Intent, Any] = {}
    for name, intent, prepare in CASES:
        if only is not None and name not in only:
            continue

        async def once(cut_at: int | None, *, taken: bool = True, killing: bool = False) -> Run:
            return await run(
                folder / name, dialect, intent, prepare,  # noqa: B023 - awaited in this round
                cut_at, taken=taken, killing=killing, seed=figures.runs,
            )  # fmt: skip

        if (dialect, intent) in CANNOT:
            with pytest.raises(Refused):
                await once(None)
            continue
        peace = await once(None)
        wanted = RepairStep.UNDONE if prepare is bad_pair else RepairStep.DONE
        assert peace.step is wanted, (dialect, name, sentences_of(peace.kept))
        after = ends.setdefault(intent, peace.end)  # of the first case, which is one that helps
        for number, taken, killing in product(range(peace.lines), (False, True), (False, True)):
            try:
                cut = await once(number, taken=taken, killing=killing)
                check(after, cut)
            except AssertionError as error:
                where = (dialect.value, name, number, taken, killing)
                raise AssertionError(f"{where}: {error}") from error
            figures.add(cut, after)
    return figures


async def test_abuse_23_one_dialect_two_intents(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = await matrix(tmp_path, Dialect.HUAWEI_VRP5, {"forced", "stuck"})
    with capsys.disabled():
        print(f"\n{figures}")


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("dialect", VENDORS)
async def test_abuse_23_every_intent(
    tmp_path: Path, dialect: Dialect, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = await matrix(tmp_path, dialect)
    with capsys.disabled():
        print(f"\n{dialect.value}: {figures}")
