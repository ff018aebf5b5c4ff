"""Facts bear the moment of what they tell, which is not always that of the port's last look."""

from pathlib import Path

import pytest

from controller.incidents.facts import BESIDE
from controller.store.protocols import LinkChange
from tenone.config.escalation import Escalation
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.states import Cause, Severity, Verdict

from .house import Town

SECOND = 1_000_000_000


@pytest.mark.parametrize("cause", [one for one in Cause if one < Cause.AGENT_SILENT])
async def test_what_others_know_is_not_as_old_as_the_ports_last_look(
    tmp_path: Path, cause: Cause
) -> None:
    """A class read 6 s ago that is cut off by an uplink that died now: it did not die before it."""
    clock = ManualClock()
    town = Town(tmp_path, clock, Escalation.model_validate({}))
    now_ns = clock.wall_ns()
    change = LinkChange(
        link="no1/c301",
        at_ns=now_ns - 6 * SECOND,
        since_ns=now_ns - 6 * SECOND,
        verdict=Verdict.BAD,
        severity=Severity.WARNING,
        causes=1 << cause,
        oper=1,
        admin=1,
        speed_mbps=1000,
        duplex=1,
        block_hash=b"",
    )
    town.bus.changed([change])
    fact, *_ = [one async for one in town.room._facts(now_ns)]
    assert (fact.cause, fact.subject.link_id) == (cause, "no1/c301")
    others = {Cause.POWER, Cause.UPLINK, Cause.LOSS, Cause.DNS, Cause.ENDPOINT}
    assert others == BESIDE
    assert fact.at_ns == (now_ns if cause in others else change.at_ns)
    town.close()
