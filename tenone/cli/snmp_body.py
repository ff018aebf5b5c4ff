"""What a switch or UPS says of its own body, as ``tenone snmp show`` shows it."""

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from drivers.snmp.reading import Reading
from tenone.vocabulary.body import (
    BatteryStatus,
    Health,
    PoeRole,
    PoeStatus,
    PowerSource,
    SensorKind,
)

Json = dict[str, Any]
_KINDS: Mapping[str, type[IntEnum]] = {
    "sensor_kind": SensorKind,
    "sensor_health": Health,
    "poe_role": PoeRole,
    "poe_status": PoeStatus,
    "power_source": PowerSource,
    "battery_status": BatteryStatus,
}
_FLAGS = frozenset({"poe_enabled", "rx_lost", "tx_fault", "on_battery", "replace_battery"})
_UNITS = {
    SensorKind.TEMPERATURE: ("{:.1f} °C", 1),
    SensorKind.VOLTAGE: ("{:.2f} V", 1),
    SensorKind.CURRENT: ("{:.2f} A", 1),
    SensorKind.POWER: ("{:.1f} W", 1),
    SensorKind.FAN_SPEED: ("{:.0f} rpm", 1),
    SensorKind.FREQUENCY: ("{:.1f} Hz", 1),
    SensorKind.LIGHT: ("{:.2f} dBm", 1),
    SensorKind.COUNT: ("{:.0f}", 1),
    SensorKind.AIRFLOW: ("{:.0f} m³/h", 1),
}
_PER_CENT = ("{:.0f} %", 100)
_STYLES = {"ok": "green", "warning": "yellow", "failed": "red", "absent": "dim", "off": "dim"}


def sections(readings: Sequence[Reading]) -> dict[str, list[Json]]:
    """Stream -> its rows; names are those of the vocabulary, unknown is None."""
    return {reading.stream: _rows(reading) for reading in readings}


def ups_json(rows: Sequence[Json]) -> Json | None:
    """The UPS, with what it runs on in plain words; None where the device is none."""
    if not rows:
        return None
    row = {name: value for name, value in rows[0].items() if name != "key"}
    named = row["power_source"]
    said = next((source.sentence for source in PowerSource if source.label == named), None)
    return {"says": said, **row}


def _rows(reading: Reading) -> list[Json]:
    held = {column.metric.name: list(column) for column in reading.columns}
    return [
        {"key": key, **{name: _shown(name, values[place]) for name, values in held.items()}}
        for place, key in enumerate(reading.rows)
    ]


def _shown(name: str, value: float | str | None) -> float | str | None:
    if value is None:
        return None
    if name in _KINDS and isinstance(value, int):
        return _KINDS[name](value).name.lower()
    return bool(value) if name in _FLAGS else value


# -- for people ------------------------------------------------------------------------


def render(
    shown: Json, console: Console, table: Callable[..., Table], clean: Callable[[str | None], Text]
) -> None:
    """Print what there is; ``table`` makes an empty table, ``clean`` makes text safe."""
    if shown["ups"] is not None:
        console.print(_ups(shown["ups"]))
    if len(shown["chassis"]) > 1:
        made = table("Chassis", "Chassis", "Model", "Serial", "Software")
        for one in shown["chassis"]:
            names = ("chassis_name", "chassis_model", "chassis_serial", "software_revision")
            made.add_row(*(clean(one[name]) for name in names))
        console.print(made)
    if shown["sensors"]:
        made = table("Sensors", "Sensor", "Kind", "Value", "State")
        for one in shown["sensors"]:
            made.add_row(
                clean(one["sensor_label"]),
                Text(one["sensor_kind"].replace("_", " ")),
                Text(measured(one["sensor_kind"], one["sensor_value"])),
                _health(one["sensor_health"]),
            )
        console.print(made)
    if shown["optics"]:
        made = table("Optics", "Port", "Rx dBm", "Tx dBm", "Bias mA", "°C", "V", "Module")
        for one in shown["optics"]:
            module = (one["module_vendor"], one["module_part"], one["module_serial"])
            made.add_row(
                clean(one["key"]),
                _light(one, "rx"),
                _light(one, "tx"),
                Text(_plain(one["bias_ma"])),
                Text(_plain(one["module_celsius"])),
                Text(_plain(one["module_volts"])),
                clean(" ".join(part for part in module if part)),
            )
        console.print(made)
    if shown["poe"]:
        made = table("PoE", "Port", "State", "Class", "W", "Limit W")
        for one in shown["poe"]:
            made.add_row(
                clean(one["key"]),
                Text((one["poe_status"] or "?").replace("_", " ")),
                Text(_plain(one["poe_class"])),
                Text(_plain(one["poe_watts"])),
                Text(_plain(one["poe_limit_watts"])),
            )
        console.print(made)


def measured(kind: str, value: float | None) -> str:
    """A value with its unit; empty where a sensor has none."""
    if kind == SensorKind.STATE.label:
        return ""
    if value is None:
        return "?"
    form, factor = _UNITS.get(SensorKind[kind.upper()], _PER_CENT)
    return form.format(value * factor)


def _health(health: str | None) -> Text:
    return Text(health or "", style=_STYLES.get(health or "", ""))


def _light(row: Json, side: str) -> Text:
    """Light, red where it is past the module's own bounds or lost."""
    value = row[f"{side}_dbm"]
    if row["rx_lost"] and side == "rx":
        return Text("lost", style="red")
    if value is None:
        return Text("?")
    low, high = row[f"{side}_low_alarm_dbm"], row[f"{side}_high_alarm_dbm"]
    outside = (low is not None and value < low) or (high is not None and value > high)
    return Text(f"{value:.2f}", style="red" if outside else "")


def _plain(value: float | None) -> str:
    return "?" if value is None else f"{value:.4g}"


def _ups(ups: Json) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    minutes, charge, load = (
        ups["battery_minutes_left"], ups["battery_charge_ratio"], ups["load_ratio"],
    )  # fmt: skip
    rows = (
        ("Runs", Text(ups["says"] or "?", style="red" if ups["on_battery"] else "green")),
        ("Battery", Text((ups["battery_status"] or "?").replace("_", " "))),
        ("Minutes left", Text(_plain(minutes))),
        ("Charge", Text("?" if charge is None else f"{charge * 100:.0f} %")),
        ("Load", Text("?" if load is None else f"{load * 100:.0f} %")),
        ("Input", Text(f"{_plain(ups['ups_input_volts'])} V")),
        ("Output", Text(f"{_plain(ups['ups_output_volts'])} V")),
    )
    for name, value in rows:
        grid.add_row(name, value)
    return grid
