"""Debian's real snmpd: processors and memory as the kernel itself says (HOST-RESOURCES, UCD)."""

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.snmp.chassis import ChassisReader
from drivers.snmp.client import SnmpClient
from drivers.snmp.errors import SnmpError
from drivers.snmp.health import HealthReader
from drivers.snmp.reading import Readings
from drivers.snmp.switch import SwitchReader
from drivers.snmp.target import Target
from tenone.runtime.clock import SystemClock
from tenone.vocabulary.body import SensorKind
from tests.snmp.body import rows

SNMPD = shutil.which("snmpd", path=os.environ["PATH"] + ":/usr/sbin")
pytestmark = pytest.mark.skipif(SNMPD is None, reason="not installed: snmpd")


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    settings = tmp_path / "snmpd.conf"
    settings.write_text(
        "rocommunity public 127.0.0.1\n"
        f"agentaddress udp:127.0.0.1:{port}\n"
        f"[snmp] persistentDir {tmp_path}\n"
    )
    assert SNMPD is not None
    process = subprocess.Popen(
        [SNMPD, "-f", "-C", "-c", str(settings), "-Lf", str(tmp_path / "log")]
    )
    try:
        yield port
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def kernel_total() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    pytest.fail("the kernel does not say how much memory there is")


def processors(readings: Readings) -> list[dict[str, Any]]:
    (sensors,) = (rows(one) for one in readings.readings if one.stream == "sensors")
    return [row for row in sensors.values() if row["sensor_kind"] == SensorKind.CPU]


async def first(reader: HealthReader) -> Readings:
    """The first pass, once the agent answers."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await reader.read()
            except SnmpError:
                await asyncio.sleep(0.1)


async def test_what_the_kernel_says_is_what_we_read(agent: int) -> None:
    target = Target(host="127.0.0.1", port=agent, community="public", retries=3)
    async with SnmpClient(clock=SystemClock()) as client:
        switch = SwitchReader(client, target)
        reader = HealthReader(switch)
        learnt = await first(reader)
        steady = await reader.read()
        chassis = await ChassisReader(switch).read()
    assert (learnt.errors, steady.errors, chassis.errors) == ((), (), ())
    streams = {one.stream: rows(one) for one in steady.readings}
    sensors = streams["sensors"]
    physical = next(row for row in sensors.values() if row["sensor_label"] == "Physical memory")
    assert physical["memory_total_bytes"] == pytest.approx(kernel_total(), rel=1e-3)
    assert 0 < physical["sensor_value"] < 1
    ucd = sensors["memAvailReal"]
    assert ucd["memory_total_bytes"] == pytest.approx(kernel_total(), rel=1e-3)
    disks = [row for row in sensors.values() if row["sensor_kind"] == SensorKind.STORAGE]
    assert all(row["sensor_value"] is None or 0 <= row["sensor_value"] <= 1 for row in disks)
    # A server has no ports that feed and is no UPS.
    assert (streams["poe"], streams["ups"], streams["optics"]) == ({}, {}, {})


@pytest.mark.slow
async def test_processors_that_are_named_a_minute_after_the_start(
    agent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.snmp.health.SOON_SECONDS", 2.0)
    target = Target(host="127.0.0.1", port=agent, community="public", retries=3)
    async with SnmpClient(clock=SystemClock()) as client:
        reader = HealthReader(SwitchReader(client, target))
        found = processors(await first(reader))
        async with asyncio.timeout(100):
            # A young agent is looked at again soon, without being told to.
            while not found:
                await asyncio.sleep(1)
                found = processors(await reader.read())
    assert len(found) == os.cpu_count()
    assert all(0 <= row["sensor_value"] <= 1 for row in found)
