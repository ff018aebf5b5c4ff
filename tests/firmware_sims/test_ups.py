"""A UPS runs down, says so as RFC 1628 has it, and takes what it feeds down with it."""

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.snmp.traps import hint_of
from firmware_sims import control
from firmware_sims.switch import plan
from firmware_sims.switch.fleet import Controls, Setting
from firmware_sims.switch.fleet import live as live_switch
from firmware_sims.switch.plan import Plan
from firmware_sims.switch.server import Fleet
from firmware_sims.switch.vendors import Vendor
from firmware_sims.ups.model import Happening, Ups
from firmware_sims.ups.unit import UpsPlan, live
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.hints import HintKind

MIB = (1, 3, 6, 1, 2, 1, 33, 1)
STATUS, SECONDS, MINUTES, CHARGE = ((*MIB, 2, number, 0) for number in (1, 2, 3, 4))
SOURCE, PRESENT = (*MIB, 4, 1, 0), (*MIB, 6, 1, 0)
UPTIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)


def made(clock: ManualClock, **options: float) -> tuple[Ups, list[Happening]]:
    told: list[Happening] = []
    ups = Ups(name="u", clock=clock, **options)
    ups.on_happening = told.append
    return ups, told


def test_a_battery_falls_is_low_is_empty_and_fills_again() -> None:
    clock = ManualClock()
    ups, told = made(clock, runtime_seconds=300, load_ratio=0.5)
    assert (ups.battery().minutes_left, ups.battery().on_battery_seconds) == (10, 0)
    assert ups.next_seconds() is None
    ups.change({"mains": False})
    assert told == [Happening.ON_BATTERY]
    clock.advance(300)
    assert ups.battery().charge_ratio == pytest.approx(0.5)
    assert (ups.battery().minutes_left, ups.battery().on_battery_seconds) == (5, 300)
    assert not ups.battery().is_low
    assert ups.next_seconds() == pytest.approx(180)
    clock.advance(181)
    assert ups.answers()
    assert ups.battery().is_low
    assert told == [Happening.ON_BATTERY, Happening.LOW]
    clock.advance(120)
    assert not ups.answers()
    assert told[2:] == [Happening.EMPTY]
    assert ups.next_seconds() is None
    ups.change({"mains": True})
    assert told[3:] == [Happening.MAINS]
    assert ups.answers()
    assert ups.uptime_ticks == 0  # its card has been dead
    clock.advance(3000)
    assert ups.battery().charge_ratio == pytest.approx(1.0)


@given(
    st.lists(
        st.tuples(
            st.floats(0, 5000),
            st.sampled_from([
                {"mains": False}, {"mains": True}, {"charge_ratio": 0.3}, {"load_ratio": 1.2},
                {"runtime_seconds": 60},
            ]),
        ),
        max_size=12,
    )
)  # fmt: skip
def test_whatever_happens_it_has_output_while_there_is_mains_or_charge(
    steps: list[tuple[float, dict[str, object]]],
) -> None:
    clock = ManualClock()
    ups, told = made(clock)
    for seconds, change in steps:
        clock.advance(seconds)
        ups.step()
        ups.change(change)
        battery = ups.battery()
        assert 0.0 <= battery.charge_ratio <= 1.0
        assert ups.has_output or not ups.mains
        assert ups.has_output == (told[-1:] != [Happening.EMPTY])
        if ups.has_output and not ups.mains:
            assert battery.charge_ratio > 0.0


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"mains": "off"}, "'mains' must be true or false"),
        ({"charge_ratio": 2}, "'charge_ratio' must be a number from 0 to 1"),
        ({"volts": 3}, "'volts' is not known"),
    ],
)
def test_a_change_that_cannot_be_is_refused_whole(
    changes: dict[str, object], sentence: str
) -> None:
    ups, told = made(ManualClock())
    with pytest.raises(control.CommandError, match=sentence):
        ups.change({"load_ratio": 0.9, **changes})
    assert (ups.mains, ups.load_ratio, told) == (True, 0.4, [])


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"kind": "ups"}, "ups 1: 'name' must be text"),
        ({"kind": "ups", "name": "u", "feeds": "sw1"}, "ups 1: 'feeds' must be a list"),
        ({"kind": "ups", "name": "u", "ports": 3}, "ups 1: 'ports' is not known"),
        ({"kind": "lamp", "name": "u"}, "entry 1: no kind is called 'lamp'"),
    ],
)
def test_a_fleet_file_that_cannot_be_says_where(
    tmp_path: Path, entry: dict[str, object], sentence: str
) -> None:
    path = tmp_path / "fleet"
    path.write_text(json.dumps([entry]), encoding="utf-8")
    with pytest.raises(ValueError, match=sentence):
        plan.read(path)


def test_a_fleet_file_holds_what_was_written(tmp_path: Path) -> None:
    wanted = [Plan(name="sw1", vendor=Vendor.ZTE), UpsPlan(name="u", feeds=("sw1",), traps="::1:9")]
    path = tmp_path / "fleet"
    assert isinstance(wanted[0], Plan)
    assert isinstance(wanted[1], UpsPlan)
    path.write_text(plan.write([wanted[0]], [wanted[1].entry]), encoding="utf-8")
    assert plan.read(path) == wanted


def test_it_feeds_only_switches_that_are_there() -> None:
    with pytest.raises(control.CommandError, match="feeds 'sw9', which no switch is called"):
        live(UpsPlan(name="u", feeds=("sw9",)), ("127.0.0.1", 0), ManualClock(), {})


async def test_it_tells_by_snmp_and_trap_and_cuts_what_it_feeds(v2c: Any) -> None:
    clock = ManualClock()
    loop = asyncio.get_running_loop()
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.settimeout(0)
    sink.bind(("127.0.0.1", 0))
    switch = live_switch(
        Plan(name="sw1", vendor=Vendor.HUAWEI), ("127.0.0.1", 0), Setting(clock=clock)
    )
    assert switch.switch is not None
    to = f"127.0.0.1:{sink.getsockname()[1]}"
    wanted = UpsPlan(name="u", feeds=("sw1",), traps=to, load_ratio=1.0, boot_seconds=0.0)
    ups = live(wanted, ("127.0.0.1", 0), clock, {"sw1": switch.switch})
    controls = Controls([switch], [ups])

    async def asked(port: int, *oids: tuple[int, ...]) -> list[Any]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(0)
            await loop.sock_sendto(client, v2c.request("Get", list(oids)), ("127.0.0.1", port))
            async with asyncio.timeout(10):
                reply = v2c.reply((await loop.sock_recvfrom(client, 65_535))[0])
        return [int(value) for _, _, value in reply[2]]

    async def trapped() -> HintKind:
        async with asyncio.timeout(10):
            data, _ = await loop.sock_recvfrom(sink, 65_535)
        return hint_of([(name, value) for name, _, value in v2c.reply(data)[2]]).kind

    with sink:
        async with Fleet([*switch.parts, *ups.parts]):
            port = ups.endpoint.port
            told = (SOURCE, STATUS, SECONDS, MINUTES, CHARGE, PRESENT)
            assert await asked(port, *told) == [3, 2, 0, 10, 100, 0]
            controls.handle({"ups": "u", "set": {"mains": False}})
            assert await trapped() is HintKind.POWER
            clock.advance(500)
            assert await asked(port, *told) == [5, 3, 500, 1, 16, 3]
            assert await trapped() is HintKind.POWER  # low
            assert await asked(switch.endpoint.port, UPTIME)
            clock.advance(101)
            ups.ups.step()
            assert not switch.switch.answers(switch.switch.now())
            assert not ups.ups.answers()
            controls.handle({"ups": "u", "set": {"mains": True}})
            assert await trapped() is HintKind.POWER
            assert await asked(port, *told) == [3, 2, 0, 0, 0, 0]
            assert await asked(switch.endpoint.port, UPTIME) == [0]
            for command, sentence in (
                ({"ups": "v", "silent": True}, "no UPS here is called 'v'"),
                ({"ups": "u", "reboot": {}}, "holds set, or silent"),
            ):
                with pytest.raises(control.CommandError, match=sentence):
                    controls.handle(command)
