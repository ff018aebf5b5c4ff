"""How a device's own body is shown: JSON with words for numbers, tables a person reads."""

from io import StringIO

import pytest
from rich.console import Console
from rich.table import Table
from rich.text import Text

from drivers.snmp.reading import Reading
from tenone.blocks.columns import Column
from tenone.cli.snmp_body import measured, render, sections, ups_json
from tenone.vocabulary.body import CHASSIS, OPTICS, POE, SENSORS, UPS


def reading(stream: str, columns: tuple[str, ...], rows: dict[str, dict[str, object]]) -> Reading:
    return Reading(
        stream=stream,
        rows=tuple(rows),
        columns=tuple(
            Column.of(name, [row.get(name) for row in rows.values()])  # type: ignore[misc] # values are checked by Column.of
            for name in columns
        ),
    )


READINGS = (
    reading(
        "sensors",
        SENSORS,
        {
            "heat.1": {"sensor_kind": 2, "sensor_label": "Board", "sensor_value": 42.0},
            "fan.1": {
                "sensor_kind": 1, "sensor_label": "Fan", "sensor_health": 3, "sensor_code": 2,
            },
        },
    ),
    reading(
        "optics",
        OPTICS,
        {
            "Gi1": {"rx_dbm": -30.0, "rx_low_alarm_dbm": -14.0, "module_part": "LR", "rx_lost": 0},
            "Gi2": {"rx_lost": 1},
        },
    ),
    reading("poe", POE, {"Gi1": {"poe_role": 1, "poe_status": 3, "poe_watts": 6.95}}),
    reading(
        "ups",
        UPS,
        {"ups": {"power_source": 5, "on_battery": 1, "battery_minutes_left": 17.0}},
    ),
    reading(
        "chassis",
        CHASSIS,
        {"chassis 1": {"chassis_serial": "S1"}, "chassis 2": {"chassis_serial": "S2\x1b[31m"}},
    ),
)  # fmt: skip


def shown() -> dict[str, object]:
    found = sections(READINGS)
    return {**found, "ups": ups_json(found["ups"])}


def test_json_has_words_for_numbers_and_null_for_unknown() -> None:
    found = sections(READINGS)
    heat, fan = found["sensors"]
    assert (heat["key"], heat["sensor_kind"], heat["sensor_value"]) == (
        "heat.1", "temperature", 42,
    )  # fmt: skip
    assert (heat["sensor_health"], heat["sensor_code"]) == (None, None)
    assert (fan["sensor_health"], fan["sensor_code"]) == ("failed", 2)
    assert found["optics"][1]["rx_lost"] is True
    assert found["poe"][0]["poe_status"] == "delivering"
    ups = ups_json(found["ups"])
    assert ups is not None
    assert (ups["says"], ups["on_battery"], ups["load_ratio"]) == ("on battery", True, None)
    assert ups_json([]) is None


def test_tables() -> None:
    out = StringIO()

    def clean(text: str | None) -> Text:
        return Text("".join(letter for letter in text or "" if letter.isprintable()))

    def table(title: str, *columns: str) -> Table:
        made = Table(title=title)
        for column in columns:
            made.add_column(column)
        return made

    render(shown(), Console(file=out, width=100), table, clean)
    text = out.getvalue()
    for words in ("on battery", "42.0 °C", "failed", "-30.00", "lost", "delivering", "6.95", "S2"):
        assert words in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("temperature", 41.96, "42.0 °C"),
        ("cpu", 0.44, "44 %"),
        ("fan_speed", 4136.0, "4136 rpm"),
        ("state", None, ""),
        ("voltage", None, "?"),
        ("count", 19.0, "19"),
    ],
)
def test_a_value_has_its_unit(kind: str, value: float | None, expected: str) -> None:
    assert measured(kind, value) == expected
