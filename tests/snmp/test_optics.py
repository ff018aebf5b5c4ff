"""Optical modules: rows by port and lane, live values, bounds and facts."""

from pathlib import Path

import pytest

from drivers.snmp import optics
from drivers.snmp.cells import fit
from drivers.snmp.entity import MODULE, PORT, Entity
from drivers.snmp.optics import OpticPlan, lane_in
from drivers.snmp.sensors import Body
from tests.snmp.body import body, oid, port, rows, vendor

TEXT = """
optics:
  - object: modules
    columns:
      rx_dbm: [{oid: 1.3.6.1.4.1.9.1, factor: 0.01, unknown: [-9999]}]
      rx_low_alarm_dbm: [{oid: 1.3.6.1.4.1.9.2, factor: 0.01}]
      module_serial: [{oid: 1.3.6.1.4.1.9.3}]
      reach_m: [{oid: 1.3.6.1.4.1.9.4, unknown: [0]}, {oid: 1.3.6.1.4.1.9.5, convert: longest}]
    when: [{oid: 1.3.6.1.4.1.9.6, not: [0]}]
  - object: lanes
    columns:
      tx_dbm: [{oid: 1.3.6.1.4.1.9.7, lanes: true}]
  - object: tests
    columns:
      bias_ma: [{oid: 1.3.6.1.4.1.9.8, at: [port, 7, lane], factor: 0.001}]
    first_lane: 0
"""
PORTS = (port(9, "Gi9"), port(10, "Gi10"), port(11, "Gi11"))


def planned(folder: Path, made: Body) -> OpticPlan:
    plan = OpticPlan()
    optics.plan(vendor(folder, TEXT), made, plan)
    optics.plan_modules(made, plan)
    plan.prune()
    return plan


def test_modules_lanes_and_tests(tmp_path: Path) -> None:
    made = body(
        {
            "1.3.6.1.4.1.9.1": {(9,): -270, (10,): -9999, (11,): 0},
            "1.3.6.1.4.1.9.2": {(9,): -1400},
            "1.3.6.1.4.1.9.3": {(9,): b"S1 ", (10,): b"S2"},
            "1.3.6.1.4.1.9.4": {(9,): 0, (10,): 300},
            "1.3.6.1.4.1.9.5": {(9,): b"50(OM2),100(OM3)"},
            "1.3.6.1.4.1.9.6": {(9,): 1, (10,): 1, (11,): 0},
            "1.3.6.1.4.1.9.7": {(10,): b"-1.0,-2.0", (99,): b"-3.0"},
            "1.3.6.1.4.1.9.8": {(10, 7, 0): 6100, (10, 8, 0): 5, (10, 7, 1): 6200},
        },
        ports=PORTS,
    )
    plan = planned(tmp_path, made)
    found = rows(optics.reading(plan.rows, made.table.values()))
    assert list(found) == ["Gi9", "Gi10", "Gi10|1", "Gi10|2", "#99"]
    nine = found["Gi9"]
    assert (nine["rx_dbm"], nine["rx_low_alarm_dbm"], nine["reach_m"]) == (-2.7, -14, 100)
    assert (nine["module_serial"], nine["optic_port"], nine["optic_lane"]) == ("S1", "Gi9", None)
    # A module whose light is "none" is a module all the same.
    assert (found["Gi10"]["rx_dbm"], found["Gi10"]["module_serial"]) == (None, "S2")
    second = found["Gi10|2"]
    assert (second["tx_dbm"], second["bias_ma"], second["optic_lane"]) == (-2, 6.2, 2)
    assert (found["#99"]["optic_port"], found["#99"]["tx_dbm"]) == (None, -3)


def test_only_live_columns_are_asked_for_again(tmp_path: Path) -> None:
    made = body(
        {
            "1.3.6.1.4.1.9.1": {(9,): -270},
            "1.3.6.1.4.1.9.2": {(9,): -1400},
            "1.3.6.1.4.1.9.6": {(9,): 1},
        },
        ports=PORTS,
    )
    plan = planned(tmp_path, made)
    assert [cell.name for cell in optics.live(plan.rows)] == [(*oid("1.3.6.1.4.1.9.1"), 9)]
    now = rows(optics.reading(plan.rows, {(*oid("1.3.6.1.4.1.9.1"), 9): -9999}))
    assert (now["Gi9"]["rx_dbm"], now["Gi9"]["rx_low_alarm_dbm"]) == (None, -14)


def test_light_that_comes_later_is_seen(tmp_path: Path) -> None:
    made = body(
        {
            "1.3.6.1.4.1.9.1": {(9,): -9999, (10,): -9999},
            "1.3.6.1.4.1.9.3": {(9,): b"S1"},
            "1.3.6.1.4.1.9.6": {(9,): 1, (10,): 1},
        },
        ports=PORTS,
    )
    plan = planned(tmp_path, made)
    # Of port 10 nothing at all is known: no module.
    assert list(plan.rows) == ["Gi9"]
    name = (*oid("1.3.6.1.4.1.9.1"), 9)
    assert [cell.name for cell in optics.live(plan.rows)] == [name]
    assert rows(optics.reading(plan.rows, {name: -9999}))["Gi9"]["rx_dbm"] is None
    assert rows(optics.reading(plan.rows, {name: -300}))["Gi9"]["rx_dbm"] == -3


def test_a_part_with_a_serial_number_in_a_port_is_a_module(tmp_path: Path) -> None:
    parts = (
        Entity(index=1, kind=PORT, name="Gi9"),
        Entity(index=2, kind=MODULE, parent=1, serial="S", model="SFP-10G", descr="10G LR"),
        Entity(index=3, kind=PORT, name="Gi10", descr="Gi10", serial="T", maker="M"),
        Entity(index=4, kind=MODULE, serial="board", model="card"),
        Entity(index=5, kind=MODULE, parent=1, serial="", model="no serial"),
    )
    found = planned(tmp_path, body({}, ports=PORTS, parts=parts)).rows
    assert list(found) == ["Gi9", "Gi10"]
    assert found["Gi9"].facts == {
        "module_part": "SFP-10G",
        "module_serial": "S",
        "module_type": "10G LR",
    }
    # What only repeats the port's name is no type.
    assert found["Gi10"].facts == {"module_vendor": "M", "module_serial": "T"}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("rx_dbm", -2.71, -2.71),
        ("optic_lane", 3.0, 3),
        ("optic_lane", 256.0, None),
        ("optic_lane", -1.0, None),
        ("reach_m", 1e12, None),
        ("module_type", "SX", "SX"),
        ("rx_dbm", None, None),
    ],
)
def test_a_value_fits_its_column_or_is_unknown(
    name: str, value: float | str | None, expected: object
) -> None:
    assert fit(name, value) == expected


def test_lane_of_a_name() -> None:
    assert lane_in("Eth1/1 Lane 2 Receive Power") == 2
    assert lane_in("Eth1/1 Receive Power") is None
