"""A UPS says plainly what it runs on; numbers that stand for "none" are unknown."""

import pytest

from drivers.snmp import ups
from drivers.snmp.ber import Value
from drivers.snmp.cells import Index
from drivers.snmp.vendorfile import fitting
from tenone.vocabulary.body import BatteryStatus, PowerSource
from tests.snmp.body import body, oid, rows

UPS = "1.3.6.1.2.1.33.1"
APC = "1.3.6.1.4.1.318.1.1.1"
Told = dict[str, dict[Index, Value]]


def reading(columns: Told, object_id: tuple[int, ...] | None = None) -> dict[str, float | None]:
    made = body(columns)
    plan = ups.plan(fitting(object_id, ""), made.table)
    found = rows(ups.reading(plan, made.table.values()))
    return found.get("ups", {})


STANDARD: Told = {
    f"{UPS}.2.1": {(0,): 2},
    f"{UPS}.2.2": {(0,): 0},
    f"{UPS}.2.3": {(0,): 42},
    f"{UPS}.2.4": {(0,): 97},
    f"{UPS}.2.5": {(0,): 2707},
    f"{UPS}.2.7": {(0,): 21},
    f"{UPS}.3.3.1.2": {(1,): 500, (2,): 499},
    f"{UPS}.3.3.1.3": {(1,): 233, (2,): 229, (3,): 231},
    f"{UPS}.4.1": {(0,): 3},
    f"{UPS}.4.4.1.2": {(1,): 230},
    f"{UPS}.4.4.1.4": {(1,): 400, (2,): 500},
    f"{UPS}.4.4.1.5": {(1,): 27, (2,): 45},
    f"{UPS}.6.1": {(0,): 1},
}


def test_on_mains() -> None:
    row = reading(STANDARD)
    assert row["power_source"] == PowerSource.MAINS
    assert row["on_battery"] == 0
    assert row["battery_status"] == BatteryStatus.NORMAL
    assert row["battery_minutes_left"] == 42
    assert row["battery_charge_ratio"] == 0.97
    assert row["ups_battery_volts"] == 270.7
    # The weakest input line, the fullest output line, all power together.
    assert row["ups_input_volts"] == 229
    assert row["load_ratio"] == 0.45
    assert row["ups_output_watts"] == 900
    assert row["ups_input_hertz"] == 50
    assert row["ups_alarms"] == 1
    assert row["replace_battery"] is None


@pytest.mark.parametrize(
    ("code", "source", "on_battery"),
    [
        (5, PowerSource.BATTERY, 1),
        (4, PowerSource.BYPASS, 0),
        (2, PowerSource.NONE, 0),
        (6, PowerSource.BOOSTER, 0),
        (9, None, None),
    ],
)
def test_what_it_runs_on(code: int, source: PowerSource | None, on_battery: int | None) -> None:
    row = reading({**STANDARD, f"{UPS}.4.1": {(0,): code}})
    assert row["power_source"] == source
    assert row["on_battery"] == on_battery
    if on_battery:
        assert PowerSource(int(row["power_source"] or 0)).sentence == "on battery"


def test_none_is_unknown_never_zero() -> None:
    row = reading(
        {
            f"{UPS}.4.1": {(0,): 3},
            f"{UPS}.2.3": {(0,): 4294967295},
            f"{UPS}.2.4": {(0,): -1},
            f"{UPS}.2.7": {(0,): 2147483647},
        }
    )
    names = ("battery_minutes_left", "battery_charge_ratio", "ups_battery_celsius")
    assert [row[name] for name in names] == [None] * 3


def test_what_is_told_only_on_battery_is_asked_for_all_the_time() -> None:
    columns: Told = {f"{UPS}.4.1": {(0,): 3}, f"{UPS}.2.3": {(0,): -1}, f"{UPS}.2.4": {(0,): -1}}
    made = body(columns)
    plan = ups.plan(fitting(None, ""), made.table)
    minutes = (*oid(f"{UPS}.2.3"), 0)
    assert minutes in {cell.name for cell in plan.live()}
    values = {**made.table.values(), minutes: 12, (*oid(f"{UPS}.4.1"), 0): 5}
    now = rows(ups.reading(plan, values))["ups"]
    assert (now["on_battery"], now["battery_minutes_left"]) == (1, 12)
    assert now["battery_charge_ratio"] is None


def test_one_that_counts_in_finer_units() -> None:
    """A Huawei UPS5000, as recorded: tenths of volts, hundredths of hertz."""
    row = reading(
        {
            f"{UPS}.4.1": {(0,): 3},
            f"{UPS}.3.3.1.2": {(1,): 5000},
            f"{UPS}.3.3.1.3": {(1,): 2369},
            f"{UPS}.4.2": {(0,): 4999},
            f"{UPS}.4.4.1.2": {(1,): 2199},
        }
    )
    assert (row["ups_input_hertz"], row["ups_input_volts"]) == (50, 236.9)
    assert (row["ups_output_hertz"], row["ups_output_volts"]) == (49.99, 219.9)


def test_the_unit_is_judged_anew_each_time() -> None:
    """Learnt while the mains were out, at 0 V."""
    columns: Told = {f"{UPS}.4.1": {(0,): 5}, f"{UPS}.3.3.1.3": {(1,): 0}}
    made = body(columns)
    plan = ups.plan(fitting(None, ""), made.table)
    assert rows(ups.reading(plan, made.table.values()))["ups"]["ups_input_volts"] == 0
    values = {**made.table.values(), (*oid(f"{UPS}.3.3.1.3"), 1): 2369}
    assert rows(ups.reading(plan, values))["ups"]["ups_input_volts"] == 236.9


def test_a_maker_of_its_own() -> None:
    columns: Told = {
        f"{APC}.4.1.1": {(0,): 3},
        f"{APC}.2.1.1": {(0,): 3},
        f"{APC}.2.1.2": {(0,): 6_000},
        f"{APC}.2.2.3": {(0,): 180_000},
        f"{APC}.2.2.4": {(0,): 2},
        f"{APC}.2.3.1": {(0,): 815},
    }
    row = reading(columns, (1, 3, 6, 1, 4, 1, 318, 1))
    assert (row["on_battery"], row["battery_status"]) == (1, BatteryStatus.LOW)
    assert row["on_battery_seconds"] == 60
    assert row["battery_minutes_left"] == pytest.approx(30)
    assert (row["replace_battery"], row["battery_charge_ratio"]) == (1, 0.815)


def test_a_device_that_is_none_has_no_rows() -> None:
    assert reading({"1.3.6.1.2.1.99.1.1.1.1": {(1,): 8}}) == {}


def test_a_self_test_is_no_power_failure() -> None:
    columns: Told = {f"{APC}.4.1.1": {(0,): 15}, f"{UPS}.4.1": {(0,): 5}}
    row = reading(columns, (1, 3, 6, 1, 4, 1, 318, 1))
    assert (row["power_source"], row["on_battery"]) == (PowerSource.OTHER, 0)
