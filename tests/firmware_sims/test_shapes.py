"""What the simulated consoles print, read by templates others wrote from real switches' output.

A judge that is not ours: ntc-templates refuses lines it does not know.
"""

from typing import Any

import pytest
from ntc_templates.parse import parse_output

from firmware_sims.switch.console import CommandLine
from firmware_sims.switch.model import Neighbour, Switch
from firmware_sims.switch.vendors import Vendor
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.intents import Dialect

VRP5, COMWARE, IOS, ZTE = (
    Dialect.HUAWEI_VRP5,
    Dialect.COMWARE,
    Dialect.CISCO_IOS,
    Dialect.ZTE,
)
VENDORS = {VRP5: Vendor.HUAWEI, COMWARE: Vendor.H3C, IOS: Vendor.CISCO, ZTE: Vendor.ZTE}
PLATFORMS = {VRP5: "huawei_vrp", COMWARE: "hp_comware", IOS: "cisco_ios", ZTE: "zte_zxros"}
NO_PAGES = {VRP5: "screen-length 0 temporary", COMWARE: "screen-length disable"}


def parsed(platform: str, command: str, printed: str) -> list[dict[str, Any]]:
    """Rows; raises TextFSMError for a line that no real switch printed."""
    rows: list[dict[str, Any]] = parse_output(platform, command, printed)  # type: ignore[no-untyped-call] # the library has no types
    return rows


@pytest.mark.parametrize(
    ("dialect", "line", "rows", "expected"),
    [
        (VRP5, "display interface brief", 4, {"phy": "up", "protocol": "up"}),
        (
            VRP5,
            "display interface {port}",
            1,
            {"link_status": "UP", "speed": "100", "duplex": "HALF", "negotiation": "DISABLE"},
        ),
        (COMWARE, "display interface brief", 3, {"link": "UP", "speed": "100M", "duplex": "H"}),
        (
            COMWARE,
            "display interface {port}",
            1,
            {"line_status": "UP", "speed": "100Mbps-speed", "duplex": "half-duplex"},
        ),
        (COMWARE, "display lldp neighbor-information list", 1, {"neighbor_name": "core"}),
        (IOS, "show interfaces status", 3, {"status": "connected", "speed": "100"}),
        (
            IOS,
            "show interfaces {port}",
            1,
            {"link_status": "up", "speed": "100Mb/s", "duplex": "Half-duplex"},
        ),
        (IOS, "show lldp neighbors", 1, {"neighbor_name": "core"}),
        (ZTE, "show interface brief", 3, {"bw": "100M", "mode": "Duplex/half", "admin": "up"}),
    ],
)
def test_templates_from_real_output_read_it(
    dialect: Dialect, line: str, rows: int, expected: dict[str, str]
) -> None:
    clock = ManualClock()
    switch = Switch(name="sw1", vendor=VENDORS[dialect], clock=clock, ports=2, uplinks=1)
    port = switch.sockets[0]
    switch.set_neighbours((Neighbour(port.name, "core", "GE1/0/9", b"\2\0\0\0\0\1"),))
    switch.configure(port.name, {"speed_mbps": 100, "duplex": "half"})
    clock.advance(2)
    seat = CommandLine(switch, dialect)
    seat.type(NO_PAGES.get(dialect, "terminal length 0"))
    printed = seat.type(line.format(port=port.descr)).removesuffix(seat.prompt)
    found = parsed(PLATFORMS[dialect], line.removesuffix(" {port}"), printed)
    assert len(found) == rows
    assert {key: found[0][key] for key in expected} == expected


def test_a_cable_test_of_huawei() -> None:
    switch = Switch(name="sw1", vendor=Vendor.HUAWEI, clock=ManualClock(), ports=2)
    switch.set_wire("GigabitEthernet0/0/1", {"pairs": {"D": {"state": "short", "metres": 7}}})
    seat = CommandLine(switch, VRP5)
    for line in ("system-view", "interface GigabitEthernet0/0/1"):
        seat.type(line)
    printed = seat.type("virtual-cable-test") + "Y\n" + seat.type("Y").removesuffix(seat.prompt)
    (found,) = parsed("huawei_vrp", "virtual-cable-test", printed)
    assert found == {
        "pair_a_length": "40meter(s)", "pair_a_state": "Ok",
        "pair_b_length": "40meter(s)", "pair_b_state": "Ok",
        "pair_c_length": "40meter(s)", "pair_c_state": "Ok",
        "pair_d_length": "7meter(s)", "pair_d_state": "Short",
    }  # fmt: skip
