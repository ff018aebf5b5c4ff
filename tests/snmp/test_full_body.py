"""Whole walks of real devices, most of Chinese makers: read without an error, and as they say.

There is no oracle with meaning for these: what is compared are facts of the recordings read by
eye, each a number or a word in one named object.
"""

import os
from pathlib import Path

import pytest

from drivers.snmp.chassis import ChassisReader
from drivers.snmp.client import SnmpClient
from drivers.snmp.health import HealthReader
from drivers.snmp.switch import SwitchReader
from drivers.snmp.target import Target
from firmware_sims.switch import fleet, replay
from firmware_sims.switch.server import Fleet
from tenone.runtime.clock import SystemClock
from tests.snmp.body import rows

FOLDER = (
    Path(os.environ.get("TENONE_CAPTURES", Path(__file__).parents[3] / "shared" / "data"))
    / "snmp-full"
)
NAMES = sorted(path.stem for path in FOLDER.glob("*.snmprec"))
pytestmark = [
    pytest.mark.skipif(not NAMES, reason=f"no recordings in {FOLDER}: set TENONE_CAPTURES"),
    pytest.mark.slow,
]
Streams = dict[str, dict[str, dict[str, object]]]


async def look(name: str) -> Streams:
    setting = fleet.Setting(clock=SystemClock())
    recording = replay.load(FOLDER / f"{name}.snmprec")
    unit = fleet.recorded(recording, name, "public", ("127.0.0.1", 0), setting)
    async with Fleet([unit.endpoint]), SnmpClient(clock=SystemClock()) as client:
        target = Target(host="127.0.0.1", port=unit.endpoint.port, community="public")
        switch = SwitchReader(client, target, sweep_seconds=60, inventory_seconds=120)
        await switch.inventory()
        reader = HealthReader(switch)
        learnt = await reader.read()
        steady = await reader.read()
        chassis = await ChassisReader(switch).read()
    assert [*learnt.errors, *steady.errors, *chassis.errors] == []
    assert {one.stream for one in learnt.readings} == {"sensors", "optics", "poe", "ups"}
    assert [one.rows for one in steady.readings] == [one.rows for one in learnt.readings]
    assert [one.columns for one in steady.readings] == [one.columns for one in learnt.readings]
    return {one.stream: rows(one) for one in (*steady.readings, *chassis.readings)}


@pytest.mark.parametrize("name", NAMES)
async def test_read_completely_without_errors(name: str) -> None:
    found = await look(name)
    counts = {stream: len(held) for stream, held in found.items()}
    print(f"\n{name:26} {counts}")


def value(found: Streams, key: str) -> object:
    return found["sensors"][key]["sensor_value"]


@pytest.mark.skipif("ruijie-s5750-24gt12sfp" not in NAMES, reason="not recorded")
async def test_ruijie() -> None:
    found = await look("ruijie-s5750-24gt12sfp")
    assert value(found, "ruijieNodeCPUTotal1min.1") == 0.45
    memory = found["sensors"]["ruijieNodeMemoryPool.1"]
    assert memory["memory_used_bytes"] == 130_012 * 1024
    assert memory["memory_total_bytes"] == 262_144 * 1024
    # The board's own 0 degrees is called "invalid" beside it: no sensor.
    assert not [key for key in found["sensors"] if "Temperature" in key]
    (chassis,) = (row for row in found["chassis"].values() if row["chassis_serial"])
    assert chassis["chassis_serial"] == "9017EHC410215"


@pytest.mark.skipif("huawei-gse200m" not in NAMES, reason="not recorded")
async def test_huawei_ups5000() -> None:
    row = (await look("huawei-gse200m"))["ups"]["ups"]
    assert (row["power_source"], row["on_battery"]) == (3, 0)
    assert (row["ups_input_volts"], row["ups_input_hertz"]) == (236.9, 50)
    assert (row["load_ratio"], row["ups_battery_volts"]) == (0.08, 538.5)
    assert (row["battery_minutes_left"], row["battery_charge_ratio"]) == (None, None)


@pytest.mark.skipif("h3c-e528-2" not in NAMES, reason="not recorded")
async def test_h3c() -> None:
    found = await look("h3c-e528-2")
    kinds = {row["sensor_kind"] for row in found["sensors"].values()}
    assert {10, 11} <= kinds


@pytest.mark.skipif("aruba-7210" not in NAMES, reason="not recorded")
async def test_aruba_controller() -> None:
    found = await look("aruba-7210")
    assert value(found, "wlsxSysExtInternalTemparature") == 22
    assert value(found, "wlsxSysExtProcessorLoad.1") == 0.08
    memory = found["sensors"]["wlsxSysExtMemory.1"]
    assert memory["memory_total_bytes"] == 5_170_880 * 1024
    assert memory["sensor_value"] == pytest.approx(0.507, abs=0.001)
    fans = [row["sensor_code"] for key, row in found["sensors"].items() if "FanStatus" in key]
    assert fans == [1, 1, 1, 1]


@pytest.mark.skipif("zte-zxr10-5250" not in NAMES, reason="not recorded")
async def test_zte() -> None:
    found = await look("zte-zxr10-5250")
    assert value(found, "zxr10AccessCpu") == 0.101
    assert value(found, "zxr10AccessMemory") == 0.825
    assert value(found, "zxr10AccessPower") == 41.9
    (chassis,) = found["chassis"].values()
    assert chassis["chassis_model"] == "5250-52TM-H"


@pytest.mark.skipif("cisco-c3560" not in NAMES, reason="not recorded")
async def test_cisco() -> None:
    found = await look("cisco-c3560")
    kinds = {row["sensor_kind"] for row in found["sensors"].values()}
    assert {1, 10, 11} <= kinds
    assert all(row["module_serial"] for row in found["optics"].values())
