"""Runs: what a switch says of its links, cut by silence, change and midnight."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.evidence.runs import MISSING, SILENT, Days, LateError, PortState, SwitchRuns
from controller.store.protocols import NS
from tenone.blocks.block import Draft, Stamp
from tenone.blocks.columns import Column
from tenone.blocks.layout import Layout
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


STATES = st.tuples(*[st.none() | st.sampled_from([1, 2])] * 2, *[st.sampled_from([100, 1000])] * 2)


@given(steps=st.lists(st.none() | st.tuples(STATES, st.booleans()), min_size=1, max_size=12))
@settings(max_examples=60)
def test_runs_are_those_of_a_count_by_hand(
    steps: list[tuple[tuple[int | None, int | None, int, int], bool] | None],
) -> None:
    """None: the switch is silent. The flag: an hour has passed, longer than anything holds."""
    ports = {"no1/a": "GE1", "no1/b": "GE2", "no1/c": "GE1"}
    runs = SwitchRuns(ports, hold_ns=30 * NS, days=Days())
    layout = Layout("port-state", ("oper", "speed_mbps"), ("GE1", "GE2"))
    quiet = Layout("switch-status", ("reachable",), ("sw1",))
    expected: dict[str, list[tuple[int, int, PortState, int]]] = {link: [] for link in ports}
    at = MORNING_NS
    for number, step in enumerate(steps, 1):
        breaks = step is not None and step[1]
        at += 3600 * NS if breaks else 10 * NS
        stamp = Stamp(
            agent="a", subject="no1/switch/sw1", boot_id=bytes(16), wall_ns=at, monotonic_ns=at
        )
        if step is None:
            made, columns = quiet, [Column.of("reachable", [0])]
            said = dict.fromkeys(ports, SILENT)
        else:
            a, b, fast, slow = step[0]
            made = layout
            columns = [Column.of("oper", [a, b]), Column.of("speed_mbps", [fast, slow])]
            first = PortState(1, 0, a or 0, fast, 0)
            said = {"no1/a": first, "no1/b": PortState(1, 0, b or 0, slow, 0), "no1/c": first}
        runs.add(Draft.of(made, stamp, columns).seal(b"j" * 16, number, bytes(32)), made)
        for link, state in said.items():
            known = expected[link]
            if known and not breaks and known[-1][2] == state:
                known[-1] = (known[-1][0], at, state, known[-1][3] + 1)
            else:
                known.append((at, at, state, 1))
    told = sorted(runs.take(), key=lambda run: run.start_ns)
    for link, known in expected.items():
        mine = [(r.start_ns, r.last_ns, r.state, r.samples) for r in told if r.link == link]
        assert mine == known
