"""The generator's sweeps are real blocks: chained, changing, true to their layout."""

from itertools import pairwise

import numpy as np

from tenone.blocks.block import FIRST_PREVIOUS, Block
from tenone.cli.bench_agents import COLUMNS, Load, _Switch, port_names, school_name

LOAD = Load(
    port=1, schools=1, switches=1, ports=5, interval_seconds=1, seconds=1, warm_seconds=0, seed=1
)


def values(block: Block, switch: _Switch) -> dict[str, list[object]]:
    return {column.metric.name: list(column) for column in block.columns(switch.layout)}


def test_sweeps_follow_each_other_and_their_counters_move() -> None:
    switch = _Switch("s0000", 3, LOAD, np.random.default_rng(7))
    blocks: list[Block] = []
    previous = FIRST_PREVIOUS
    for seq in range(1, 200):
        blocks.append(switch.sweep(b"j" * 16, seq, previous))
        previous = blocks[-1].hash
    assert blocks[0].follows(None)
    assert all(after.follows(before) for before, after in pairwise(blocks))
    assert blocks[0].stamp.subject == "s0000/switch/sw3"
    first, last = values(blocks[0], switch), values(blocks[-1], switch)
    assert tuple(first) == COLUMNS
    assert len(COLUMNS) == 16
    assert all(a < b for a, b in zip(first["in_octets"], last["in_octets"], strict=True))  # type: ignore[operator]  # counters are numbers
    speeds = {speed for block in blocks for speed in values(block, switch)["speed_mbps"]}
    assert speeds == {100, 1000}, "verdicts change"
    assert last["speed_mbps"] == switch.speeds.tolist()
    assert {*last["oper"], *last["admin"]} == {1}


def test_names() -> None:
    assert school_name(7) == "s0007"
    assert port_names(2) == ("GigabitEthernet0/0/1", "GigabitEthernet0/0/2")
