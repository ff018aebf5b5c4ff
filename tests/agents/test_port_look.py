"""Looks: never an old sweep, never a port that has gone."""

import pytest

from agents.origin import Origin
from agents.poller import Cadence, Poller, SwitchPoller
from agents.port_look import LookError, PortSeen, names_of
from agents.switch import Switch
from drivers.snmp.errors import Timeout
from tenone.blocks.columns import Column
from tenone.runtime.clock import ManualClock
from tenone.runtime.supervisor import Supervisor
from tenone.vocabulary.states import AdminStatus, Duplex, OperStatus
from tests.agents.conftest import FakeSweep, FakeSwitch, Kept


@pytest.fixture
async def poller(clock: ManualClock, kept: Kept) -> Poller:
    fake = FakeSwitch(clock)
    origin = Origin(school="no3", boot_id=bytes(16), clock=clock)
    switch = Switch("core", reader=fake, origin=origin, budget_seconds=8)
    poller = Poller(
        [SwitchPoller(switch, clock=clock, keep=kept.keep, cadence=Cadence())],
        own_ports=lambda _: frozenset({"GE0/0/2"}),
    )
    poller.fake = fake  # type: ignore[attr-defined] # for the tests below
    return poller


async def test_each_look_is_a_sweep_of_its_own(poller: Poller, clock: ManualClock) -> None:
    fake: FakeSwitch = poller.fake  # type: ignore[attr-defined] # see above
    tasks = Supervisor(clock)
    poller.start(tasks)
    first = await poller.look("core")
    clock.advance(1)
    fake.oper = 2
    second = await poller.look("core")
    assert (first.ports["GE0/0/1"].up, second.ports["GE0/0/1"].up) == (True, False)
    assert second.asked_ns > first.asked_ns
    assert poller.reported("core") == frozenset({"GE0/0/1", "GE0/0/2"})
    assert poller.identity("core") == "core 1.3.6.1.4.1.2011"
    assert poller.means("core", "GE0/0/1") == "GE0/0/1"
    assert poller.means("core", "x") is None  # both ports are called so
    assert poller.own_ports("core") == {"GE0/0/2"}
    fake.error["state"] = Timeout("no answer")
    with pytest.raises(LookError, match="no answer"):
        await poller.look("core")
    with pytest.raises(LookError, match="no switch 'other'"):
        await poller.look("other")
    await tasks.close()


def test_words() -> None:
    up = PortSeen(admin=AdminStatus.UP, oper=OperStatus.UP, speed_mbps=100, duplex=Duplex.HALF)
    assert str(up) == "up, 100 Mb/s, half"
    assert str(PortSeen(admin=AdminStatus.DOWN, oper=OperStatus.DOWN)) == "down, shut"
    assert str(PortSeen()) == "nobody knows"


def test_a_text_that_two_ports_have_means_none() -> None:
    sweep = FakeSweep(
        rows=("1", "2", "3"),
        columns=(
            Column.of("if_name", ["GE1", "GE2", None]),
            Column.of("if_alias", ["class", "class", "GE1"]),
        ),
        uptime_ticks=1,
        sent_ns=1,
        received_ns=1,
        rebooted=False,
        errors=(),
    )
    assert names_of(sweep) == {"GE2": "2"}
