"""The 35 recorded devices' own bodies against the independent oracle: wrong fields 0."""

from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from drivers.snmp import mib
from drivers.snmp.ber import Oid, Value
from drivers.snmp.chassis import ChassisReader
from drivers.snmp.client import SnmpClient
from drivers.snmp.entity import text_of
from drivers.snmp.health import HealthReader
from drivers.snmp.reading import Reading
from drivers.snmp.switch import SwitchReader
from drivers.snmp.target import Target
from drivers.snmp.vendorfile import Number, When, fitting
from firmware_sims.switch import fleet, replay
from firmware_sims.switch.server import Fleet
from tenone.runtime.clock import SystemClock
from tests.snmp import body_oracle as oracle
from tests.snmp.body_oracle import Code, Score
from tests.snmp.oracle import captures, devices

NAMES = devices()
pytestmark = pytest.mark.skipif(
    not NAMES, reason=f"no recorded devices in {captures()}: set TENONE_CAPTURES"
)

NOT_READ = {
    "4.1.11.2.3.9.4.2.1.3.3.1.13": "a printer's paper size is no health",
    "2.1.25.3.5.1.2": "a printer's error bits: hrDeviceStatus beside it says that there is one",
    "4.1.11863.6.56.1.1.1.4": "what is left of PoE is its limit without its draw, both read",
    "4.1.2011.6.139.11.1.83": "roles of a pair of wireless controllers, whose numbers makers swap",
}
"""Objects (without 1.3.6.1) the oracle reads and TenOne does not -> why."""
REACH_NOT_READ = {"fs-centec_s5850-48s2q4c": "the length of a fibre in a unit nobody names"}


def variables(name: str) -> dict[Oid, Value]:
    found: dict[Oid, Value] = {}
    for line in (captures() / f"{name}.snmprec").read_bytes().splitlines():
        if line.strip() and not line.startswith(b"#"):
            one = replay.parse_line(line)
            found.setdefault(one.arcs, one.content)
    return found


def numbers(
    part: object, conditions: tuple[When, ...] = ()
) -> Iterator[tuple[Number, tuple[When, ...]]]:
    """Every number a file names, and when its rows count."""
    conditions = getattr(part, "when", conditions)
    if isinstance(part, Number):
        yield part, conditions
    if isinstance(part, BaseModel):
        for name in type(part).model_fields:
            yield from numbers(getattr(part, name), conditions)
    elif isinstance(part, dict):
        for one in part.values():
            yield from numbers(one, conditions)
    elif isinstance(part, tuple):
        for one in part:
            yield from numbers(one, conditions)


def known(name: str) -> oracle.Device:
    recorded = variables(name)
    object_id, descr = recorded.get(mib.SYS_OBJECT_ID), recorded.get(mib.SYS_DESCR)
    specs: dict[Oid, list[tuple[Number, tuple[When, ...]]]] = {}
    files = fitting(object_id if isinstance(object_id, tuple) else None, text_of(descr) or "")
    for spec, conditions in numbers(files):
        specs.setdefault(spec.oid, []).append((spec, conditions))
    reach = {"reach": REACH_NOT_READ[name]} if name in REACH_NOT_READ else {}
    return oracle.Device(oracle.truth_of(name), recorded, specs, {**NOT_READ, **reach})


async def look(name: str) -> Score:
    setting = fleet.Setting(clock=SystemClock())
    unit = fleet.recorded(
        replay.load(captures() / f"{name}.snmprec"), name, "public", ("127.0.0.1", 0), setting
    )
    async with Fleet([unit.endpoint]), SnmpClient(clock=SystemClock()) as client:
        target = Target(host="127.0.0.1", port=unit.endpoint.port, community="public")
        switch = SwitchReader(client, target, sweep_seconds=60, inventory_seconds=60)
        inventory = await switch.inventory()
        reader = HealthReader(switch)
        learnt = await reader.read()
        steady = await reader.read()
        chassis = await ChassisReader(switch).read()
    assert reader.plan is not None
    # What is asked for by name says the same as what was walked.
    assert [one.rows for one in steady.readings] == [one.rows for one in learnt.readings]
    assert [one.columns for one in steady.readings] == [one.columns for one in learnt.readings]
    streams = {one.stream: oracle.by_key(one) for one in (*steady.readings, *chassis.readings)}
    device = known(name)
    score = Score()
    score.wrong += [str(error) for error in (*learnt.errors, *steady.errors, *chassis.errors)]
    claimed = oracle.claims(reader.plan, streams)
    oracle.score_sensors(device, claimed, score)
    oracle.score_processors(device, claimed, score)
    oracle.score_memory(device, streams["sensors"], score)
    ports = {port.if_index: port.key for port in switch.ports}
    oracle.score_transceivers(device, streams["optics"], ports, score)
    system = {what: getattr(inventory.system, what) for what in ("model", "version", "serial")}
    oracle.score_device(device, system, score)
    oracle.score_chassis(device, streams["chassis"], score)
    return score


async def test_all_recorded_bodies() -> None:
    total = Score()
    lines = []
    for name in NAMES:
        score = await look(name)
        lines.append(score.line(name))
        total.add(score, name)
    print("\n" + "\n".join([*lines, total.line("all")]))
    for what, counts in sorted(total.by_field.items()):
        shown = ", ".join(f"{verdict} {count}" for verdict, count in counts.items())
        print(f"  {what:24} {shown}")
    for code, sentence in total.evidence.items():
        print(f"  {code}: {sentence[:160]}")
    assert total.wrong == []
    assert set(total.explained) <= set(Code)
    # Lists of excuses that grow are a reader that got worse.
    assert total.equal >= 840
    assert sum(total.explained.values()) <= 120
    assert total.explained[Code.NOT_READ] <= 10


@pytest.mark.parametrize(
    ("stream", "column", "value", "name"),
    [
        ("sensors", "sensor_value", 1.0, "vrp_5720"),
        ("sensors", "sensor_code", 2, "ios_2960x"),
        ("optics", "rx_dbm", -30.0, "vrp_5720"),
        ("optics", "module_serial", "somebody else's", "comware_a5500"),
        ("ups", "load_ratio", 0.5, "huaweiups_ups2000"),
        ("ups", "power_source", 5, "apc_smt750x-nmc2"),
        ("poe", "poe_watts", 99.0, "jetstream_sg2218p"),
        ("chassis", "chassis_serial", "X", "ios_2960x"),
    ],
)
async def test_the_comparison_can_fail(
    stream: str, column: str, value: object, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = oracle.by_key

    def lie(reading: Reading) -> oracle.Rows:
        rows = true(reading)
        if reading.stream == stream:
            for row in rows.values():
                if row[column] is not None:
                    row[column] = value
        return rows

    monkeypatch.setattr(oracle, "by_key", lie)
    assert (await look(name)).wrong
