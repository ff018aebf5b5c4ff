"""From durable blocks to days: equal to a brute-force count, whatever order blocks come in."""

import random
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from controller.sla.statistics import P95, nearest_rank
from controller.store.protocols import NS
from tenone.blocks.block import Block
from tests.evidence.world import DAY, HOLD, MORNING_NS, SPAN, World, random_morning

END_NS = MORNING_NS + 2700 * NS
SERVICE = (MORNING_NS, END_NS)
CONTRACT = {"no1/c301": 1000, "no1/up": 10_000}
ROW = {"no1/c301": 0, "no1/up": 1}


def brute(world: World, blocks: Sequence[Block], link: str) -> dict[str, float]:
    """Walk through the morning moment by moment, asking each time what the newest sample says."""
    layouts = {layout.id: layout for _, layout in world.journal.made}
    samples: list[tuple[int, int, str]] = []
    for block in blocks:
        layout = layouts[block.layout_id]
        wall = block.stamp.wall_ns
        if layout.stream == "switch-status":
            samples.append((wall, block.seq, "unknown"))
        elif layout.stream == "port-state":
            values = {c.metric.name: list(c)[ROW[link]] for c in block.columns(layout)}
            oper, speed = values["oper"], values["speed_mbps"] or 0
            assert isinstance(speed, int)
            if oper != 1:
                samples.append((wall, block.seq, "down"))
            elif speed == 0:
                samples.append((wall, block.seq, "unknown"))
            elif speed < CONTRACT[link]:
                samples.append((wall, block.seq, f"slow {speed}"))
            else:
                samples.append((wall, block.seq, "good"))
    samples.sort()
    edges = sorted(
        {
            *SERVICE,
            *(at for at, _, _ in samples),
            *(at + int(HOLD * NS) for at, _, _ in samples),
        }
    )
    found: dict[str, float] = dict.fromkeys(("good", "down", "slow", "unknown", "deficit"), 0)
    for start, end in pairwise(edges):
        if not SERVICE[0] <= start < SERVICE[1]:
            continue
        says = "unknown"
        for at, _, what in reversed(samples):
            if at <= start:
                says = what if start < at + int(HOLD * NS) else "unknown"
                break
        kind, _, speed_text = says.partition(" ")
        found[kind] += end - start
        carried = {"good": CONTRACT[link], "down": 0}.get(kind)
        if kind == "slow":
            carried = int(speed_text)
        if carried is not None:
            found["deficit"] += (CONTRACT[link] - carried) * (end - start)
    return found


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("link", ["no1/c301", "no1/up"])
def test_a_day_equals_a_brute_force_count(tmp_path: Path, seed: int, link: str) -> None:
    world = World(tmp_path)
    blocks = random_morning(world, seed)
    world.commit(blocks)
    world.settle(END_NS + NS)
    truth, row = brute(world, blocks, link), world.day(link)
    world.close()
    assert row["service_ns"] == SERVICE[1] - SERVICE[0]
    assert row["unknown_ns"] == truth["unknown"]
    assert row["down_ns"] == truth["down"]
    assert row["good_ns"] == truth["good"]
    assert row["measured_ns"] == truth["good"] + truth["down"] + truth["slow"]
    assert row["worst_ns"] == truth["down"] + truth["unknown"]
    assert row["deficit_mbps_us"] == truth["deficit"] // 1000
    assert row["bad_ns_link_down"] == truth["down"]
    assert row["bad_ns_speed"] == truth["slow"]


def rows(world: World) -> dict[str, dict[str, int | float]]:
    return {link: world.day(link) for link in ROW}


def test_late_doubled_and_shuffled_blocks_give_the_same_day(tmp_path: Path) -> None:
    straight = World(tmp_path / "a")
    blocks = random_morning(straight, 7)
    straight.commit(blocks)
    straight.settle(END_NS + NS)
    wanted = rows(straight)
    shuffled = World(tmp_path / "b", journal=straight.journal)
    mixed = [*blocks]
    random.Random(7).shuffle(mixed)
    for start in range(0, len(mixed), 40):
        shuffled.commit(mixed[start : start + 60], received_ns=END_NS)
        shuffled.read(END_NS + NS)
    shuffled.settle(END_NS + NS)
    assert shuffled.recorder.remade
    assert str(rows(shuffled)) == str(wanted)
    runs = [
        [(r.link, r.start_ns, r.last_ns, r.said, r.samples) for r in w.rollups.runs(DAY, DAY)]
        for w in (straight, shuffled)
    ]
    assert runs[0] == runs[1]
    straight.close()
    shuffled.close()


@pytest.mark.parametrize("saved", [True, False])
def test_a_restart_at_any_point_changes_nothing(tmp_path: Path, saved: bool) -> None:
    straight = World(tmp_path / "a")
    blocks = random_morning(straight, 3)
    straight.commit(blocks)
    straight.settle(END_NS + NS)
    wanted = rows(straight)
    broken = World(tmp_path / "b", journal=straight.journal)
    for start in range(0, len(blocks), 45):
        broken.commit(blocks[start : start + 45])
        now_ns = blocks[min(start + 44, len(blocks) - 1)].stamp.wall_ns + NS
        if saved:
            broken.read(now_ns)
        else:  # killed between two flushes
            list(broken.recorder.step(now_ns))
        broken.start(now_ns)
    broken.settle(END_NS + NS)
    assert str(rows(broken)) == str(wanted)
    straight.close()
    broken.close()


def test_means_and_their_p95(world: World) -> None:
    octets, blocks, ratios = 0, [], []
    for minute in range(46):
        wall_ns = MORNING_NS + minute * 60 * NS
        if minute:
            step = minute * 10_000_000
            octets += step
            ratios.append(8 * step * 1000 / (60 * NS * 1000))
        blocks += [world.state(wall_ns - 5 * NS), world.counters(wall_ns, [octets, 0])]
    world.commit(blocks)
    world.settle(END_NS + 60 * NS)
    # Between two polls the ratio is one; a bucket of five minutes is the mean of its five.
    means = [sum(ratios[at : at + 5]) / 5 for at in range(0, 45, 5)]
    row = world.day("no1/c301")
    assert (row["means"], row["means_missing"]) == (9, 0)
    assert row["p95_ratio"] == pytest.approx(nearest_rank(means, P95))
    found = [
        bucket.columns["in_octets"][list(bucket.links).index("no1/c301")].item()
        for bucket in world.rollups.means(300, (DAY, DAY), (MORNING_NS // NS, END_NS // NS - 1))
    ]
    assert len(found) == 9
    assert world.day("no1/up")["p95_ratio"] == 0.0, "an idle link was measured as idle"


def test_a_silent_day_is_unknown_not_left_out(world: World) -> None:
    world.judge.judge("east", DAY, ["no1"], END_NS + NS)
    row = world.day("no1/c301")
    assert row["service_ns"] == row["unknown_ns"] == SERVICE[1] - SERVICE[0]
    assert row["measured_ns"] == 0
    assert row["minutes_unknown"] == 25
    assert str(row["p95_ratio"]) == "nan"


def test_blocks_from_the_future_are_told_and_not_judged(world: World) -> None:
    block = world.state(MORNING_NS + 3 * 86_400 * NS)
    world.commit([block], received_ns=MORNING_NS)
    world.read(MORNING_NS)
    assert "not to be believed" in world.recorder.findings[0]
    assert not world.recorder.touched


def test_a_ups_that_answers_is_no_finding(world: World) -> None:
    world.commit([world.silent(MORNING_NS, "ups/u1")])
    world.read(END_NS)
    assert not world.recorder.findings
    assert not world.recorder.touched


def test_late_blocks_of_a_day_without_raw_blocks_are_told(world: World) -> None:
    world.commit([world.state(MORNING_NS + 60 * NS), world.state(MORNING_NS)])
    world.read(END_NS)
    assert world.recorder.late == 1
    world.recorder.reopen(END_NS + 3600 * NS, "2026-10-01", lambda _school, _day: True)
    assert "aged out" in world.recorder.findings[0]
    assert world.recorder.late == 0


@pytest.mark.parametrize(("aged", "findings"), [(False, 0), (True, 1)])
def test_late_blocks_of_a_city_s_first_day_are_made_anew(
    world: World, aged: bool, findings: int
) -> None:
    """Its first UTC day begins within a local day: what is before never was, or has aged out."""
    world.commit([world.state(MORNING_NS + 60 * NS), world.state(MORNING_NS)])
    world.read(END_NS)
    asked: list[tuple[str, date]] = []

    def has(school: str, day: date) -> bool:
        asked.append((school, day))
        return aged

    world.recorder.reopen(END_NS + 3600 * NS, str(DAY), has)
    assert len(world.recorder.findings) == findings
    assert asked == [("no1", DAY - timedelta(days=1))]


def test_the_day_before_speaks_into_the_morning(world: World) -> None:
    start = SPAN.start_ns
    world.commit([world.state(start - 5 * NS, oper=[2, 1]), world.state(start + 60 * NS)])
    world.settle(END_NS + NS)
    (out,) = [one for one in world.rollups.outages(DAY, DAY) if one.link == "no1/c301"]
    assert (out.start_ns, out.end_ns, out.cost_ns) == (start, start + 25 * NS, 0)
