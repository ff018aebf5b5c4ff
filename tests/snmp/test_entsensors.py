"""ENTITY-SENSOR-MIB: units and powers of ten, what belongs to a module, bounds."""

from drivers.snmp import entsensors
from drivers.snmp.ber import Value
from drivers.snmp.cells import Index
from drivers.snmp.entity import CHASSIS, PORT, SENSOR, Entity
from drivers.snmp.optics import OpticPlan, live
from drivers.snmp.optics import reading as optic_reading
from drivers.snmp.sensors import reading
from drivers.snmp.vendorfile import fitting
from tenone.vocabulary.body import Health, SensorKind
from tests.snmp.body import body, oid, port, rows

ENTRY = "1.3.6.1.2.1.99.1.1.1"
CISCO = "1.3.6.1.4.1.9.9.91.1.1.1.1"
BOUNDS = "1.3.6.1.4.1.9.9.91.1.2.1.1"


def table(
    entry: str, cells: dict[int, tuple[int, int, int, int, int]]
) -> dict[str, dict[Index, Value]]:
    """Entity -> type, scale, precision, value, status."""
    return {
        f"{entry}.{column}": {(row,): told[column - 1] for row, told in cells.items()}
        for column in range(1, 6)
    }


def test_units_and_powers_of_ten() -> None:
    made = body(
        table(
            ENTRY,
            {
                1: (8, 9, 3, 27_375, 1),
                2: (10, 9, 0, 4_136, 1),
                3: (6, 9, 0, 48, 2),
                4: (4, 8, 0, 12_034, 1),
                5: (9, 9, 0, 40, 1),
                6: (8, 9, 0, 99, 3),
                7: (8, 10, -1, 2, 1),
                8: (12, 9, 0, 1, 1),
                9: (8, 2**31 - 1, 2**31 - 1, 5, 1),
            },
        ),
        parts=(Entity(index=1, name="Inlet"), Entity(index=2, descr="Fan 1")),
    )
    plan = entsensors.plan(fitting(None, ""), made, OpticPlan())
    found = rows(reading(plan, made.table.values()))
    assert [row["sensor_value"] for row in found.values()] == [
        27.375, 4136, None, 12.034, 0.4, None, 20_000, 0,
    ]  # fmt: skip
    assert found["entPhySensorValue.1"]["sensor_label"] == "Inlet"
    assert found["entPhySensorValue.5"]["sensor_kind"] == SensorKind.HUMIDITY
    # An unavailable sensor says nothing, a broken one that it is broken; truthValue is not read.
    assert found["entPhySensorValue.3"]["sensor_health"] == Health.UNKNOWN
    assert found["entPhySensorValue.6"]["sensor_health"] == Health.FAILED
    assert "entPhySensorValue.8" not in found


def test_a_sensor_in_a_port_belongs_to_its_module() -> None:
    columns = table(
        CISCO,
        {
            11: (8, 9, 1, 346, 1),
            12: (4, 9, 2, 332, 1),
            13: (5, 8, 1, 61, 1),
            14: (14, 9, 1, -50, 1),
            15: (14, 9, 1, -47, 1),
            16: (14, 9, 1, -48, 1),
            17: (14, 9, 1, 0, 1),
            20: (8, 9, 0, 44, 1),
        },
    )
    columns[f"{BOUNDS}.2"] = {(15, 1): 20, (15, 2): 10, (15, 3): 30, (13, 1): 20, (20, 1): 20}
    columns[f"{BOUNDS}.3"] = {(15, 1): 4, (15, 2): 3, (15, 3): 1, (13, 1): 4, (20, 1): 4}
    columns[f"{BOUNDS}.4"] = {(15, 1): 0, (15, 2): -30, (15, 3): -200, (13, 1): 150, (20, 1): 68}
    module = Entity(index=10, kind=PORT, parent=1, name="GigabitEthernet1/0/52")
    names = {
        11: "Module",
        12: "Supply Voltage",
        13: "Bias Current",
        14: "Transmit Power",
        15: "Receive Power",
        16: "Lane 2 Receive Power",
        17: "Power of nobody knows what",
    }
    parts = [
        Entity(index=row, kind=SENSOR, parent=10, name=f"Gi1/0/52 {name} Sensor")
        for row, name in names.items()
    ]
    parts += [module, Entity(index=1, kind=CHASSIS), Entity(index=20, kind=SENSOR, name="Board")]
    made = body(columns, ports=(port(10152, "Gi1/0/52"),), parts=tuple(parts))
    light = OpticPlan()
    plan = entsensors.plan(fitting((1, 3, 6, 1, 4, 1, 9, 1), ""), made, light)
    values = made.table.values()
    optic = rows(optic_reading(light.rows, values))
    assert list(optic) == ["Gi1/0/52", "Gi1/0/52|2"]
    row = optic["Gi1/0/52"]
    measured = ("module_celsius", "module_volts", "bias_ma", "tx_dbm", "rx_dbm")
    assert [row[name] for name in measured] == [34.6, 3.32, 6.1, -5, -4.7]
    assert row["rx_high_alarm_dbm"] == 0
    assert row["rx_high_warning_dbm"] == -3
    assert row["rx_low_alarm_dbm"] == -20
    assert row["bias_high_ma"] == 15
    assert optic["Gi1/0/52|2"]["rx_dbm"] == -4.8
    # The board's own sensor stays with the device.
    (board,) = rows(reading(plan, values)).values()
    assert (board["sensor_value"], board["sensor_high"]) == (44, 68)
    # An unavailable or broken sensor still answers, often with 0: 0 dBm would be plenty of light.
    status = f"{CISCO}.5"
    for said in (2, 3):
        now = {**values, (*oid(status), 15): said}
        dark = rows(optic_reading(light.rows, now))["Gi1/0/52"]
        assert (dark["rx_dbm"], dark["tx_dbm"]) == (None, -5)
    assert {(*oid(status), row) for row in range(11, 17)} <= {one.name for one in live(light.rows)}
