from typing import Any

import pytest

from firmware_sims.control import CommandError
from firmware_sims.switch.model import Port, SimError, Switch
from firmware_sims.switch.vendors import Vendor
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.states import Duplex, OperStatus

UP, DOWN = OperStatus.UP, OperStatus.DOWN
State = tuple[OperStatus, int, Duplex]


class Bench:
    """A switch, its clock, and what was told of its first port."""

    def __init__(self, vendor: Vendor = Vendor.H3C) -> None:
        self.clock = ManualClock()
        self.switch = Switch(name="sw1", vendor=vendor, clock=self.clock, ports=2, uplinks=1)
        self.port: Port = self.switch.sockets[0]
        self.told: list[bool] = []
        self.switch.on_link = self._heard

    def _heard(self, port: Port, *, up: bool) -> None:
        assert port is self.port
        self.told.append(up)

    def state(self, after: float = 0.0) -> State:
        self.clock.advance(after)
        self.switch.tick()
        return self.port.oper, self.port.speed_mbps, self.port.duplex

    def wire(self, **changes: Any) -> None:
        self.switch.set_wire(self.port.name, changes)

    def configure(self, **changes: Any) -> None:
        self.switch.configure(self.port.name, changes)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_negotiation_takes_its_time_and_is_told(bench: Bench) -> None:
    bench.switch.wiring.negotiation_seconds = 3.0
    bench.configure(speed_mbps=100)
    changed = bench.port.last_change_ticks
    assert bench.state()[0] is DOWN
    assert bench.state(2.9)[0] is DOWN
    assert bench.state(0.1) == (UP, 100, Duplex.FULL)
    assert bench.told == [False, True]
    assert bench.port.last_change_ticks == changed + 300


def test_a_change_during_negotiation_begins_it_anew(bench: Bench) -> None:
    bench.configure(speed_mbps=100)
    bench.state(1.0)
    bench.configure(speed_mbps=None)
    assert bench.state(1.0)[0] is DOWN
    assert bench.state(0.5) == (UP, 1000, Duplex.FULL)
    assert bench.told == [False, True]


def test_forced_against_a_partner_that_negotiates_loses_frames(bench: Bench) -> None:
    bench.configure(speed_mbps=100, duplex="full")
    bench.state(2)
    bench.clock.advance(100)
    assert bench.port.traffic.errors(bench.switch.now()) >= 399
    bench.configure(speed_mbps=None)
    bench.state(2)
    before = bench.port.traffic.errors(bench.switch.now())
    bench.clock.advance(100)
    assert bench.port.traffic.errors(bench.switch.now()) == before


def test_a_stuck_negotiation_is_cured_by_a_bounce(bench: Bench) -> None:
    bench.wire(stuck={"speed_mbps": 100, "duplex": "half"})
    assert bench.state(2) == (UP, 100, Duplex.HALF)
    bench.configure(shutdown=True)
    assert bench.state(10)[0] is DOWN
    bench.configure(shutdown=False)
    assert bench.state(2) == (UP, 1000, Duplex.FULL)


def test_a_bounce_cures_what_a_control_line_set_but_no_more(bench: Bench) -> None:
    """``set`` says what the last negotiation came to; a cable that is pulled stays pulled."""
    bench.switch.set_port(bench.port.name, {"speed_mbps": 100})
    assert bench.state() == (UP, 100, Duplex.FULL)
    bench.switch.wiring.negotiate(bench.port)
    assert bench.state(2) == (UP, 1000, Duplex.FULL)
    bench.switch.set_port(bench.port.name, {"oper": "down"})
    bench.switch.wiring.negotiate(bench.port)
    assert bench.state(2)[0] is DOWN
    bench.switch.set_port(bench.port.name, {"oper": "up"})
    assert bench.state() == (UP, 1000, Duplex.FULL)


def test_a_control_line_ends_a_negotiation(bench: Bench) -> None:
    bench.configure(speed_mbps=100)
    bench.switch.set_port(bench.port.name, {"speed_mbps": 10})
    assert bench.state() == (UP, 10, Duplex.FULL)
    assert bench.state(5) == (UP, 10, Duplex.FULL)


@pytest.mark.parametrize("pair", "CD")
def test_a_bad_pair_gives_100_and_nothing_when_forced(bench: Bench, pair: str) -> None:
    bench.wire(pairs={pair: {"state": "open", "metres": 17}})
    assert bench.state(2) == (UP, 100, Duplex.FULL)
    bench.configure(speed_mbps=1000)
    assert bench.state(60)[0] is DOWN
    bench.configure(speed_mbps=None)
    assert bench.state(2)[1] == 100
    bench.wire(pairs={pair: None})
    assert bench.state(2) == (UP, 1000, Duplex.FULL)


def test_a_hung_station_comes_back_with_its_power_only(bench: Bench) -> None:
    bench.wire(draws=True, hung=True)
    assert bench.state(10)[0] is DOWN
    bench.configure(shutdown=True)
    bench.configure(shutdown=False)
    assert bench.state(10)[0] is DOWN
    bench.configure(poe=False)
    assert bench.state(10)[0] is DOWN
    bench.configure(poe=True)
    assert bench.state(2)[0] is DOWN
    assert bench.state(2) == (UP, 1000, Duplex.FULL)


def test_power_means_nothing_to_who_has_his_own(bench: Bench) -> None:
    bench.configure(poe=False)
    bench.switch.wiring.feed(bench.port, on=False)
    assert bench.state() == (UP, 1000, Duplex.FULL)
    assert bench.told == []


def test_the_vlan_of_a_station(bench: Bench) -> None:
    wiring = bench.switch.wiring
    assert wiring.vlan_of(bench.port) == 1
    bench.configure(vlan=99)
    assert wiring.vlan_of(bench.port) == 99
    assert bench.state() == (UP, 1000, Duplex.FULL)
    bench.configure(shutdown=True)
    assert wiring.vlan_of(bench.port) is None


def test_what_was_so_from_the_start_stays_so_after_a_bounce(bench: Bench) -> None:
    bench.switch.set_port(bench.port.name, {"speed_mbps": 100, "duplex": "half"})
    bench.switch.settle()
    bench.switch.wiring.negotiate(bench.port)
    assert bench.state(2) == (UP, 100, Duplex.HALF)


def test_a_restart_loads_what_is_saved(bench: Bench) -> None:
    store = bench.switch.store
    bench.configure(vlan=10)
    store.save()
    bench.configure(vlan=99, shutdown=True)
    store.try_for(60, bench.switch.wiring.running(), "someone")
    bench.switch.reboot(0)
    assert store.trial is None
    assert bench.switch.wiring.settings(bench.port).vlan == 10
    assert bench.state(2)[0] is UP


def test_without_a_console_a_restart_leaves_ports_as_they_are(bench: Bench) -> None:
    bench.switch.set_port(bench.port.name, {"admin": "down"})
    bench.switch.reboot(0)
    assert bench.state()[0] is DOWN


def test_ports_that_swap_names_keep_their_cables(bench: Bench) -> None:
    one, two = bench.switch.sockets[:2]
    bench.switch.set_wire(one.name, {"metres": 77})
    bench.switch.swap_names(one.name, two.name)
    assert bench.switch.wiring.of(one).cable.metres == 77
    assert bench.switch.wiring.of(two).cable.metres != 77


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"pairs": {"E": {"state": "open"}}}, "no pair is called 'E'"),
        ({"pairs": {"A": {"state": "gone"}}}, "A.state 'gone' must be one of ok, open, short"),
        ({"metres": -1}, "'metres' must be a number from 0 to 500"),
        ({"partner_speeds": [7]}, "must be a list of 10, 100, 1000 and 10000"),
        ({"partner_negotiates": False}, "has one speed: set partner_speeds too"),
        ({"stuck": {"speed_mbps": 3}}, "stuck.speed_mbps 3 must be"),
        ({"partner_duplex": "both"}, "must be one of full, half"),
        ({"hung": 1}, "'hung' must be true or false"),
        ({"colour": "blue"}, "'colour' is not known"),
    ],
)
def test_a_wrong_wire_changes_nothing(
    bench: Bench, changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(CommandError, match=complaint):
        bench.wire(**{"draws": True, **changes})
    assert bench.state() == (UP, 1000, Duplex.FULL)
    assert not bench.switch.wiring.of(bench.port).draws


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"speed_mbps": 7}, "speed_mbps 7 must be"),
        ({"vlan": 5000}, "'vlan' must be a number from 1 to 4094"),
        ({"shutdown": "yes"}, "'shutdown' must be true or false"),
        ({"mtu": 1}, "'mtu' is not known"),
    ],
)
def test_wrong_settings_change_nothing(
    bench: Bench, changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(CommandError, match=complaint):
        bench.configure(**{"poe": False, **changes})
    assert bench.switch.wiring.settings(bench.port).poe
    with pytest.raises(SimError, match="has no port"):
        bench.switch.configure("eth9", {})


def test_a_port_switched_off_and_on_is_told_once_each(bench: Bench) -> None:
    """Also where the console is first used in between."""
    bench.switch.set_port(bench.port.name, {"admin": "down"})
    assert bench.switch.store.startup.port(bench.port.name).shutdown
    bench.switch.set_port(bench.port.name, {"admin": "up"})
    assert bench.state()[0] is DOWN
    assert bench.state(2) == (UP, 1000, Duplex.FULL)
    assert bench.told == [False, True]
    bench.switch.set_port(bench.port.name, {"admin": "down"})
    bench.switch.set_port(bench.port.name, {"admin": "up"})
    assert bench.state(2)[0] is UP
    assert bench.told == [False, True, False, True]


def test_what_hangs_is_fed_by_the_port(bench: Bench) -> None:
    bench.wire(hung=True)
    assert bench.state(5)[0] is DOWN
    bench.switch.wiring.feed(bench.port, on=False)
    bench.switch.wiring.feed(bench.port, on=True)
    assert bench.state(5)[0] is UP
