import re
from typing import Any

import pytest

from firmware_sims.switch.model import Quirk, SimError, Switch
from firmware_sims.switch.vendors import STYLES, Vendor
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.states import OperStatus


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def switch(clock: ManualClock, **options: Any) -> Switch:
    settings: dict[str, Any] = {"name": "sw1", "vendor": Vendor.HUAWEI, "ports": 4, "uplinks": 1}
    return Switch(clock=clock, **{**settings, **options})


@pytest.mark.parametrize(
    ("vendor", "names"),
    [
        (Vendor.HUAWEI, ["GigabitEthernet0/0/1", "GigabitEthernet0/0/2", "XGigabitEthernet0/0/1"]),
        (Vendor.H3C, ["GigabitEthernet1/0/1", "GigabitEthernet1/0/2", "Ten-GigabitEthernet1/0/3"]),
        (Vendor.RUIJIE, ["Gi0/1", "Gi0/2", "Te0/3"]),
        (Vendor.ZTE, ["gei-0/1/1/1", "gei-0/1/1/2", "xgei-0/1/2/1"]),
    ],
)
def test_ports_are_called_as_the_vendor_calls_them(
    clock: ManualClock, vendor: Vendor, names: list[str]
) -> None:
    made = switch(clock, vendor=vendor, ports=2)
    assert [port.name for port in made.sockets] == names
    assert [port.nominal_mbps for port in made.sockets] == [1000, 1000, 10_000]
    assert [port.name for port in made.ports if port.virtual] == [STYLES[vendor].management]
    assert len({port.mac for port in made.ports}) == 4


def test_a_change_of_the_link_moves_last_change_and_generation(clock: ManualClock) -> None:
    made = switch(clock)
    port = made.sockets[1]
    before = port.last_change_ticks
    clock.advance(10)
    made.set_port(port.name, {"alias": "3-2", "errors_per_second": 5})
    assert (port.last_change_ticks, made.generation) == (before, 1)
    made.set_port(port.name, {"speed_mbps": 100})
    assert port.last_change_ticks == made.uptime_ticks(made.now()) > before
    clock.advance(10)
    made.set_port(port.name, {"oper": "down"})
    assert port.oper is OperStatus.DOWN
    assert port.last_change_ticks == made.uptime_ticks(made.now())


def test_admin_down_takes_the_link_down_and_gives_it_back(clock: ManualClock) -> None:
    made = switch(clock)
    port = made.sockets[0]
    made.set_port(port.name, {"admin": "down"})
    assert port.oper.label == "down"
    made.set_port(port.name, {"admin": "up"})
    assert port.oper.label == "up"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"speed_mbps": -1}, "from 0 to 800000"),
        ({"speed_mbps": 1.5}, "whole number"),
        ({"speed_mbps": True}, "whole number"),
        ({"duplex": "both"}, "one of full, half, unknown"),
        ({"oper": True}, "one of up, down"),
        ({"admin": "off"}, "one of up, down"),
        ({"errors_per_second": "many"}, "a number from 0"),
        ({"alias": "x" * 65}, "at most 64 bytes"),
        ({"mtu": 9000}, "cannot be set"),
    ],
)
def test_a_wrong_change_changes_nothing(
    clock: ManualClock, changes: dict[str, object], complaint: str
) -> None:
    made = switch(clock)
    port = made.sockets[0]
    with pytest.raises(SimError, match=re.escape(complaint)):
        made.set_port(port.name, {"duplex": "half", **changes})
    assert (port.duplex.label, made.generation) == ("full", 0)


def test_an_unknown_port_is_named(clock: ManualClock) -> None:
    with pytest.raises(SimError, match="switch sw1 has no port 'eth9'"):
        switch(clock).set_port("eth9", {"oper": "down"})


def test_reboot_restarts_uptime_and_counters_and_is_silent_meanwhile(clock: ManualClock) -> None:
    made = switch(clock)
    port = made.sockets[0]
    assert made.uptime_ticks(made.now()) >= 86_400 * 100
    assert port.traffic.in_octets(made.now()) > 0
    clock.advance(30)
    made.reboot(5)
    assert not made.answers(made.now())
    assert port.traffic.in_octets(made.now()) == 0
    clock.advance(5)
    assert made.answers(made.now())
    assert made.uptime_ticks(made.now()) == 500


@pytest.mark.parametrize("seconds", [-1, 86_400, float("nan")])
def test_reboot_refuses_absurd_silence(clock: ManualClock, seconds: float) -> None:
    with pytest.raises(SimError, match="from 0 to 86400"):
        switch(clock).reboot(seconds)


def test_renumbering_changes_every_index_each_time(clock: ManualClock) -> None:
    made = switch(clock, quirks=frozenset({Quirk.RENUMBER_ON_REBOOT}))
    seen = [tuple(port.if_index for port in made.ports)]
    for _ in range(4):
        made.reboot(0)
        now = tuple(port.if_index for port in made.ports)
        assert all(new != old for new, old in zip(now, seen[-1], strict=True))
        assert len(set(now)) == len(now)
        seen.append(now)


def test_uptime_wraps_at_497_days(clock: ManualClock) -> None:
    made = switch(clock)
    made.reboot(0)
    clock.advance(2**32 / 100 - 0.01)
    assert made.uptime_ticks(made.now()) == 2**32 - 1
    clock.advance(0.02)
    assert made.uptime_ticks(made.now()) == 1


def test_the_same_seed_makes_the_same_switch(clock: ManualClock) -> None:
    one, two, other = switch(clock), switch(clock), switch(clock, seed=1)
    assert one.serial == two.serial != other.serial
    assert one.mac == two.mac == other.mac != switch(clock, name="sw2").mac
