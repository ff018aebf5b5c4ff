"""Runs: what a switch says of its links, cut by silence, change and midnight."""

from datetime import date

import pytest

from controller.evidence.runs import MISSING, SILENT, Days, LateError, PortState, SwitchRuns
from controller.store.protocols import NS
from tests.evidence.world import MORNING_NS, SPAN, World

GOOD = PortState(1, 1, 1, 1000, 3)


def made(hold: int = 30) -> SwitchRuns:
    return SwitchRuns({"no1/a": "GE1", "no1/b": "nowhere"}, hold_ns=hold * NS, days=Days())


def add(runs: SwitchRuns, world: World, *blocks: object) -> None:
    layouts = {layout.id: layout for _, layout in world.journal.made}
    for block in blocks:
        runs.add(block, layouts[block.layout_id])  # type: ignore[attr-defined,arg-type]  # a Block


def told(runs: SwitchRuns, link: str = "no1/a") -> list[tuple[int, int, PortState, int]]:
    return [
        ((r.start_ns - MORNING_NS) // NS, (r.last_ns - MORNING_NS) // NS, r.state, r.samples)
        for r in sorted(runs.take(), key=lambda run: run.start_ns)
        if r.link == link
    ]


def test_samples_that_agree_are_one_run(world: World) -> None:
    runs = made()
    add(runs, world, *(world.state(MORNING_NS + at * NS) for at in (0, 10, 20)))
    assert told(runs) == [(0, 20, GOOD, 3)]
    add(runs, world, world.state(MORNING_NS + 30 * NS))
    assert told(runs) == [(0, 30, GOOD, 4)], "longer now, by the same start"
    assert told(runs) == []


def test_a_change_a_silence_and_a_missing_port(world: World) -> None:
    runs = made()
    add(runs, world, world.state(MORNING_NS), world.state(MORNING_NS + 10 * NS, oper=[2, 1]))
    add(runs, world, world.silent(MORNING_NS + 20 * NS), world.state(MORNING_NS + 90 * NS))
    down = GOOD._replace(oper=2)
    assert told(runs) == [
        (0, 0, GOOD, 1),
        (10, 10, down, 1),
        (20, 20, SILENT, 1),
        (90, 90, GOOD, 1),
    ]
    runs = made()
    add(runs, world, world.state(MORNING_NS))
    assert told(runs, "no1/b") == [(0, 0, MISSING, 1)]


def test_silence_longer_than_evidence_holds_breaks_a_run(world: World) -> None:
    runs = made()
    add(runs, world, *(world.state(MORNING_NS + at * NS) for at in (0, 30, 61)))
    assert told(runs) == [(0, 30, GOOD, 2), (61, 61, GOOD, 1)]


def test_midnight_cuts_and_late_blocks_are_refused(world: World) -> None:
    runs = made()
    add(runs, world, world.state(SPAN.start_ns - 5 * NS), world.state(SPAN.start_ns + 5 * NS))
    assert len(told(runs)) == 2
    with pytest.raises(LateError):
        add(runs, world, world.state(SPAN.start_ns))
    assert runs.state_of("no1/a") == GOOD
    assert runs.state_of("no1/z") is None


def test_restored_runs_grow_on(world: World) -> None:
    first, second = made(), made()
    add(first, world, world.state(MORNING_NS))
    kept = first.take()
    second.restore(kept)
    add(second, world, world.state(MORNING_NS + 10 * NS))
    assert told(second) == [(0, 10, GOOD, 2)]


def test_days_are_local() -> None:
    days = Days()
    assert days.of(SPAN.start_ns) == date(2026, 9, 22)
    assert days.of(SPAN.start_ns - 1) == date(2026, 9, 21)
    assert days.of(SPAN.end_ns) == date(2026, 9, 23)
