"""Sensors, processors, memories: which there are, and what they say now."""

from pathlib import Path

from drivers.snmp import sensors
from drivers.snmp.entity import Entity
from drivers.snmp.sensors import row_key
from tenone.vocabulary.body import Health, SensorKind
from tests.snmp.body import body, oid, port, rows, vendor

TEXT = """
sensors:
  - {kind: temperature, object: heat, oid: 1.3.6.1.4.1.9.1, factor: 0.1, unknown: [0], high: {oid: 1.3.6.1.4.1.9.2}}
  - {kind: state, object: fan, oid: 1.3.6.1.4.1.9.3, states: {1: ok, 2: failed}, label: "Fan {0}"}
  - {kind: count, object: calls, oid: 1.3.6.1.4.1.9.4, label: "{port} calls", when: [{oid: 1.3.6.1.4.1.9.5, is: [1, "yes"]}]}
memory:
  - object: ram
    used: {oid: 1.3.6.1.4.1.9.6}
    total: {oid: 1.3.6.1.4.1.9.7}
    unit: {oid: 1.3.6.1.4.1.9.8}
    label: "{name}"
    names: 1.3.6.1.4.1.9.9
  - object: free
    free_ratio: {oid: 1.3.6.1.4.1.9.10, factor: 0.01}
"""  # noqa: E501 - one sensor a line
HEAT = "1.3.6.1.4.1.9.1"


def test_rows_and_values(tmp_path: Path) -> None:
    files = vendor(tmp_path, TEXT)
    made = body(
        {
            HEAT: {(1,): 420, (2,): 0, (3,): 900},
            "1.3.6.1.4.1.9.2": {(1,): 60, (3,): 80},
            "1.3.6.1.4.1.9.3": {(1,): 1, (2,): 2, (3,): 7, (4,): b"x"},
            "1.3.6.1.4.1.9.4": {(10,): 5, (11,): 6, (12,): 7},
            "1.3.6.1.4.1.9.5": {(10,): 1, (11,): 2, (12,): b"yes"},
            "1.3.6.1.4.1.9.6": {(1,): 25},
            "1.3.6.1.4.1.9.7": {(1,): 100},
            "1.3.6.1.4.1.9.8": {(1,): 4096},
            "1.3.6.1.4.1.9.9": {(1,): b"Main memory "},
            "1.3.6.1.4.1.9.10": {(0,): 30},
        },
        ports=(port(10, "Gi0/1"),),
        parts=(Entity(index=1, name="Board"),),
    )
    plan = sensors.plan(files, made)
    found = rows(sensors.reading(plan, made.table.values()))
    assert list(found) == [
        "heat.1", "heat.3", "fan.1", "fan.2", "fan.3", "calls.10", "calls.12", "ram.1", "free",
    ]  # fmt: skip
    heat = found["heat.1"]
    assert (heat["sensor_label"], heat["sensor_value"]) == ("Board", 42)
    assert (heat["sensor_health"], heat["sensor_high"]) == (Health.OK, 60)
    assert found["heat.3"]["sensor_health"] == Health.WARNING
    assert [found[f"fan.{row}"]["sensor_health"] for row in (1, 2, 3)] == [
        Health.OK,
        Health.FAILED,
        Health.UNKNOWN,
    ]
    assert found["fan.2"]["sensor_code"] == 2
    assert found["fan.2"]["sensor_value"] is None
    assert found["calls.10"]["sensor_label"] == "Gi0/1 calls"
    ram = found["ram.1"]
    assert (ram["sensor_label"], ram["sensor_value"]) == ("Main memory", 0.25)
    assert (ram["memory_used_bytes"], ram["memory_total_bytes"]) == (102_400, 409_600)
    assert found["free"]["sensor_value"] == 0.7
    assert found["free"]["memory_total_bytes"] is None
    assert found["free"]["sensor_kind"] == SensorKind.MEMORY


def test_what_does_not_come_is_unknown_and_keeps_its_row(tmp_path: Path) -> None:
    files = vendor(tmp_path, TEXT)
    made = body({HEAT: {(1,): 420}, "1.3.6.1.4.1.9.3": {(1,): 1}})
    plan = sensors.plan(files, made)
    found = rows(sensors.reading(plan, {}))
    assert list(found) == ["heat.1", "fan.1"]
    assert found["heat.1"]["sensor_value"] is None
    assert found["fan.1"]["sensor_health"] is None
    # The device's own number for none is unknown too.
    assert rows(sensors.reading(plan, {(*oid(HEAT), 1): 0}))["heat.1"]["sensor_value"] is None


def test_the_index_pattern_picks_rows(tmp_path: Path) -> None:
    text = """
memory:
  - object: dram
    total: {oid: 1.3.6.1.4.1.9.1, at: ["*", 1]}
    used: {oid: 1.3.6.1.4.1.9.2, at: ["*", 1]}
"""
    made = body(
        {
            "1.3.6.1.4.1.9.1": {(1, 1): 100, (1, 2): 10, (2,): 1},
            "1.3.6.1.4.1.9.2": {(1, 1): 40, (1, 2): 9},
        }
    )
    plan = sensors.plan(vendor(tmp_path, text), made)
    found = rows(sensors.reading(plan, made.table.values()))
    assert {key: row["sensor_value"] for key, row in found.items()} == {"dram.1.1": 0.4}


def test_a_number_too_large_for_its_column_is_unknown(tmp_path: Path) -> None:
    text = """
memory:
  - {object: m, used: {oid: 1.3.6.1.4.1.9.1}, total: {oid: 1.3.6.1.4.1.9.2, factor: 1e30}}
"""
    made = body({"1.3.6.1.4.1.9.1": {(1,): 5}, "1.3.6.1.4.1.9.2": {(1,): 2**60}})
    plan = sensors.plan(vendor(tmp_path, text), made)
    found = rows(sensors.reading(plan, made.table.values()))
    assert found["m.1"]["memory_total_bytes"] is None


def test_keys() -> None:
    assert row_key("a", (0,)) == "a"
    assert row_key("a", ()) == "a"
    assert row_key("a", (1, 0)) == "a.1.0"
