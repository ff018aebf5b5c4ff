"""When a port counts as good, as the city's verdict has it."""

import pytest

from agents.indicator import GIGABIT_MBPS, good, lost, no_worse
from agents.port_look import PortSeen
from controller.sla.verdict import GIGABIT_MBPS as OF_THE_CITY
from tenone.vocabulary.states import AdminStatus, Duplex, OperStatus

FULL = PortSeen(admin=AdminStatus.UP, oper=OperStatus.UP, speed_mbps=1000, duplex=Duplex.FULL)
SLOW = PortSeen(admin=AdminStatus.UP, oper=OperStatus.UP, speed_mbps=100, duplex=Duplex.FULL)
HALF = PortSeen(admin=AdminStatus.UP, oper=OperStatus.UP, speed_mbps=1000, duplex=Duplex.HALF)
UNSAID = PortSeen(admin=AdminStatus.UP, oper=OperStatus.UP, speed_mbps=1000)
SLOW_UNSAID = PortSeen(
    admin=AdminStatus.UP, oper=OperStatus.UP, speed_mbps=100, duplex=Duplex.UNKNOWN
)
NO_SPEED = PortSeen(admin=AdminStatus.UP, oper=OperStatus.UP, duplex=Duplex.FULL)
DOWN = PortSeen(admin=AdminStatus.UP, oper=OperStatus.DOWN, speed_mbps=1000, duplex=Duplex.FULL)
SHUT = PortSeen(admin=AdminStatus.DOWN, oper=OperStatus.UP, speed_mbps=1000, duplex=Duplex.FULL)


def test_city_and_agent_mean_the_same_gigabit() -> None:
    assert GIGABIT_MBPS == OF_THE_CITY


@pytest.mark.parametrize(
    ("now", "contract", "before", "is_good"),
    [
        (FULL, 1000, DOWN, True),
        (SLOW, 1000, DOWN, False),
        (SLOW, 100, DOWN, True),
        (SLOW, 0, DOWN, True),
        (HALF, 1000, DOWN, False),
        (UNSAID, 1000, FULL, True),  # decision 0005
        (SLOW_UNSAID, 100, UNSAID, True),  # this switch never says
        (SLOW_UNSAID, 100, FULL, False),  # it has said before
        (NO_SPEED, 1000, DOWN, False),
        (NO_SPEED, 0, DOWN, True),
        (DOWN, 0, DOWN, False),
        (SHUT, 0, DOWN, False),
        (PortSeen(), 0, DOWN, False),
    ],
)
def test_good(now: PortSeen, contract: float, before: PortSeen, *, is_good: bool) -> None:
    assert good(now, contract_mbps=contract, before=before) is is_good


@pytest.mark.parametrize(
    ("now", "before", "is_no_worse"),
    [
        (DOWN, DOWN, True),
        (DOWN, SLOW, False),
        (SLOW, SLOW, True),
        (SLOW, FULL, False),
        (HALF, FULL, False),
        (FULL, HALF, True),
        (NO_SPEED, FULL, False),
    ],
)
def test_no_worse(now: PortSeen, before: PortSeen, *, is_no_worse: bool) -> None:
    assert no_worse(now, before) is is_no_worse


def test_what_was_down_before_is_not_lost() -> None:
    before = {"a": FULL, "b": DOWN, "c": FULL}
    assert lost(["a", "b", "c", "d"], {"a": FULL, "b": DOWN}, before) == ("c",)
