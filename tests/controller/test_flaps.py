"""Links that were away between two polls."""

from typing import Any

import pytest

from controller.state.flaps import SLACK_NS
from controller.store.protocols import NS, Flap
from tenone.blocks.block import Draft, Stamp
from tenone.blocks.columns import Column
from tenone.blocks.layout import Layout

from .conftest import NOON_NS
from .watched import Bench


def swept(bench: Bench, seconds: int, uptime: int | None, changed: int, **columns: Any) -> None:
    """A sweep of port states ``seconds`` after the first."""
    layout = Layout("port-state", ("oper", "speed_mbps", "duplex", "last_change_ticks"), ("GE1",))
    bench.now_ns = (200 + seconds) * NS
    bench.live.agent_heard("no1", now_ns=bench.now_ns, offset_seconds=0.0)
    stamp = Stamp(
        agent="no1/gateway/agent",
        subject="no1/switch/sw1",
        boot_id=bytes(16),
        wall_ns=1,
        monotonic_ns=1,
        uptime_ticks=uptime,
    )
    values = {"oper": [1], "speed_mbps": [1000], "duplex": [3], **columns}
    draft = Draft.of(
        layout,
        stamp,
        [
            Column.of(name, [changed] if name == "last_change_ticks" else values[name])
            for name in layout.columns
        ],
    )
    block = draft.seal(bench.journal.journal_id, 2000 + seconds, bytes(32))
    bench.journal.made.append((block, layout))
    bench.give(block)


START = {"uptime": 100_000, "changed": 50_000}


@pytest.mark.parametrize(
    ("uptime", "changed", "columns", "back_seconds_ago"),
    [
        (101_000, 50_000, {}, None),  # nothing happened
        (101_000, 100_700, {}, 3),  # came back three seconds ago
        (101_000, 40_000, {}, None),  # a moment before the last sweep: renumbered, or told anew
        (101_000, 100_700, {"oper": [2]}, None),  # it is away still: the verdict says so
        (101_000, 100_700, {"speed_mbps": [100]}, None),  # the verdict says so
        (101_000, 100_700, {"duplex": [2]}, None),  # the same
        (None, 100_700, {}, None),  # cannot be dated
        (700, 300, {}, 4),  # the switch restarted
        (101_000, 102_000, {}, None),  # later than now
    ],
)
def test_flaps(
    uptime: int | None, changed: int, columns: dict[str, Any], back_seconds_ago: int | None
) -> None:
    bench = Bench()
    swept(bench, 0, **START)
    assert bench.live.marks.flaps == []
    swept(bench, 10, uptime, changed, **columns)
    found: list[Flap] = bench.live.marks.flaps
    if back_seconds_ago is None:
        assert found == []
        return
    (flap,) = found
    assert flap.link == "no1/c301"
    assert flap.back_ns == NOON_NS + bench.now_ns - back_seconds_ago * NS
    assert flap.good_ns == NOON_NS + bench.now_ns - 10 * NS
    assert flap.restarted is (uptime == 700)
    assert flap.block_hash == bench.journal.made[-1][0].hash
    assert bench.live.links.flaps[bench.number("c301")] == 1
    bench.give(bench.journal.made[-1][0])
    assert len(bench.live.marks.flaps) == 1, "the same block again is nothing new"
    assert bench.judge()["c301"] == ("good", []), "a flap is counted, no downtime is made up"


def test_the_slack_is_shorter_than_a_poll() -> None:
    assert 0 < SLACK_NS < 10 * NS
