"""Links that were away between two polls: 1000-100-1000 inside one interval.

Both polls saw the port up, but its ifLastChange (RFC 2863: sysUpTime when the port entered its
current state) is another one and lies between them. How long the link was away nobody saw, so no
downtime is made up: the flap is dated and counted.
"""

import numpy as np
import numpy.typing as npt

from controller.arrays import I64, U8
from controller.state.columns import NEVER, Ports
from controller.state.position import Position
from controller.store.protocols import NS
from tenone.blocks.block import Stamp
from tenone.vocabulary.states import OperStatus

TICK_NS = 10_000_000
SLACK_NS = 2 * NS
"""How far the reading of sysUpTime and of a port's state may lie apart in one sweep."""


def flapped(
    ports: Ports,
    numbers: npt.NDArray[np.int64],
    *,
    was_oper: U8,
    seen_ns: I64,
    at: Position,
    stamp: Stamp,
) -> dict[int, tuple[int, int]]:
    """Port number -> how many ns before ``at`` it came back, and was last seen good.

    ``was_oper`` and ``seen_ns`` are those of the sweep before; the ports hold the new ones.
    Empty where the switch does not say its uptime: nothing can then be dated.
    """
    if stamp.uptime_ticks is None:
        return {}
    ticks = ports.last_change_ticks[numbers].astype(np.int64)
    age_ns = (stamp.uptime_ticks - ticks) * TICK_NS
    back_ns = at.evidence_ns - age_ns
    up = (was_oper == OperStatus.UP) & (ports.oper[numbers] == OperStatus.UP)
    between = (back_ns > seen_ns - SLACK_NS) & (age_ns >= -SLACK_NS) & (seen_ns != NEVER)
    found = np.flatnonzero(up & between & (ticks > 0))
    return {
        int(numbers[row]): (max(int(age_ns[row]), 0), at.evidence_ns - int(seen_ns[row]))
        for row in found
    }


def restarted(stamp: Stamp, good_age_ns: int) -> bool:
    """Whether the switch runs for less time than has passed since the sweep before."""
    ticks = stamp.uptime_ticks
    return ticks is not None and ticks * TICK_NS < good_age_ns - SLACK_NS
