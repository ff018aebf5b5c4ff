"""What a switch or a UPS says about its own body: sensors, optics, PoE, power, chassis.

Rows are found at the first pass and keep their keys: a port's key, a port's key and lane, or
the MIB object's name and index. Unknown is validity 0; a number that a device uses to say
"none" (-255, 2147483647) is unknown, never a value.
"""

from enum import IntEnum

from tenone.vocabulary.metric import ColumnType as T
from tenone.vocabulary.metric import Metric, care_metric, port_metric


class _Labelled(IntEnum):
    @property
    def label(self) -> str:
        """The name used in the API: ``battery``, ``low_battery``."""
        return self.name.lower()


class SensorKind(_Labelled):
    """What is measured; it fixes the unit of ``sensor_value``."""

    STATE = 1
    """No value: ``sensor_health`` and the agent's own number in ``sensor_code``."""
    TEMPERATURE = 2
    """Degrees Celsius."""
    VOLTAGE = 3
    """Volts."""
    CURRENT = 4
    """Amperes."""
    POWER = 5
    """Watts."""
    FAN_SPEED = 6
    """Revolutions a minute."""
    FAN_RATIO = 7
    """Share of the fan's full speed, 0..1."""
    FREQUENCY = 8
    """Hertz."""
    HUMIDITY = 9
    """Relative humidity, 0..1."""
    CPU = 10
    """Share of time busy, 0..1."""
    MEMORY = 11
    """Share used, 0..1."""
    STORAGE = 12
    """Share used, 0..1."""
    CHARGE = 13
    """Charge of a battery, 0..1."""
    COUNT = 14
    """A number of things: sessions, terminals, pages."""
    AIRFLOW = 15
    """Cubic metres an hour."""
    LIGHT = 16
    """dBm, of a sensor that is no port's."""


class Health(_Labelled):
    """What a state means, whoever made the device."""

    OK = 1
    WARNING = 2
    FAILED = 3
    ABSENT = 4
    """Not fitted, or not plugged in; no fault by itself."""
    OFF = 5
    """Switched off, in standby, or asleep; no fault by itself."""
    UNKNOWN = 6
    """The device says that it does not know."""


class PoeRole(_Labelled):
    """What a row of the stream ``poe`` is about."""

    PORT = 1
    SUPPLY = 2


class PoeStatus(_Labelled):
    """POWER-ETHERNET-MIB pethPsePortDetectionStatus; a supply delivers, is off, or faulty."""

    DISABLED = 1
    SEARCHING = 2
    DELIVERING = 3
    FAULT = 4
    TEST = 5
    OTHER_FAULT = 6


class PowerSource(_Labelled):
    """Where what hangs on the UPS gets its power from (UPS-MIB upsOutputSource)."""

    OTHER = 1
    NONE = 2
    MAINS = 3
    BYPASS = 4
    BATTERY = 5
    BOOSTER = 6
    """Mains, raised."""
    REDUCER = 7
    """Mains, lowered."""

    @property
    def sentence(self) -> str:
        """Plain words: ``on battery``, ``on mains``."""
        return _SOURCES[self]


_SOURCES = {
    PowerSource.OTHER: "on another source",
    PowerSource.NONE: "no output",
    PowerSource.MAINS: "on mains",
    PowerSource.BYPASS: "on bypass",
    PowerSource.BATTERY: "on battery",
    PowerSource.BOOSTER: "on mains, raised",
    PowerSource.REDUCER: "on mains, lowered",
}


class BatteryStatus(_Labelled):
    """UPS-MIB upsBatteryStatus."""

    UNKNOWN = 1
    NORMAL = 2
    LOW = 3
    DEPLETED = 4
    FAULT = 5
    """Not in UPS-MIB; some makers say it in tables of their own."""


METRICS_BODY: tuple[Metric, ...] = (
    # A sensor.
    care_metric("sensor_kind", "enum", T.UINT8, "SensorKind"),
    care_metric("sensor_label", "text", T.TEXT, "entPhysicalName or the vendor's name for it"),
    care_metric("sensor_value", "by kind", T.FLOAT64, "ENTITY-SENSOR-MIB or vendor table"),
    care_metric("sensor_health", "enum", T.UINT8, "Health; from states, or from its bounds"),
    care_metric("sensor_code", "1", T.INT64, "the agent's own number for a state"),
    care_metric("sensor_low", "by kind", T.FLOAT64, "lower bound, as the device says"),
    care_metric("sensor_high", "by kind", T.FLOAT64, "upper bound, as the device says"),
    care_metric("memory_used_bytes", "byte", T.UINT64, "of memory and storage"),
    care_metric("memory_total_bytes", "byte", T.UINT64, "of memory and storage"),
    # A lane of an optical module.
    care_metric("optic_port", "text", T.TEXT, "key of the port it is plugged into"),
    care_metric("optic_lane", "1", T.UINT8, "from 1; unknown: the module as a whole"),
    care_metric("rx_dbm", "dBm", T.FLOAT64, "received light; unknown: none, or not told"),
    care_metric("tx_dbm", "dBm", T.FLOAT64, "sent light"),
    care_metric("bias_ma", "mA", T.FLOAT64, "laser bias current"),
    care_metric("module_celsius", "Cel", T.FLOAT64, "temperature of the module"),
    care_metric("module_volts", "V", T.FLOAT64, "supply voltage of the module"),
    *(
        care_metric(f"{side}_{bound}_dbm", "dBm", T.FLOAT64, f"threshold of the module: {bound}")
        for side in ("rx", "tx")
        for bound in ("low_alarm", "low_warning", "high_warning", "high_alarm")
    ),
    care_metric("bias_low_ma", "mA", T.FLOAT64, "threshold of the module: low alarm"),
    care_metric("bias_high_ma", "mA", T.FLOAT64, "threshold of the module: high alarm"),
    care_metric("module_low_celsius", "Cel", T.FLOAT64, "threshold of the module: low alarm"),
    care_metric("module_high_celsius", "Cel", T.FLOAT64, "threshold of the module: high alarm"),
    care_metric("module_low_volts", "V", T.FLOAT64, "threshold of the module: low alarm"),
    care_metric("module_high_volts", "V", T.FLOAT64, "threshold of the module: high alarm"),
    care_metric("rx_lost", "bool", T.UINT8, "1: the module reports loss of signal"),
    care_metric("tx_fault", "bool", T.UINT8, "1: the module reports a fault of its sender"),
    care_metric("module_vendor", "text", T.TEXT, "SFF-8472 vendor name"),
    care_metric("module_part", "text", T.TEXT, "SFF-8472 vendor part number"),
    care_metric("module_serial", "text", T.TEXT, "SFF-8472 vendor serial number"),
    care_metric("module_type", "text", T.TEXT, "1000BASE-LX and the like, as the device says"),
    care_metric("wavelength_nm", "nm", T.FLOAT64, "nominal wavelength"),
    care_metric("reach_m", "m", T.UINT32, "nominal distance"),
    # Power over Ethernet: a port, or a supply of such power.
    care_metric("poe_role", "enum", T.UINT8, "PoeRole"),
    care_metric("poe_enabled", "bool", T.UINT8, "POWER-ETHERNET-MIB pethPsePortAdminEnable"),
    care_metric("poe_status", "enum", T.UINT8, "PoeStatus; pethPsePortDetectionStatus"),
    care_metric("poe_class", "1", T.UINT8, "0 to 8; pethPsePortPowerClassifications"),
    care_metric("poe_watts", "W", T.FLOAT64, "drawn now; pethMainPseConsumptionPower"),
    care_metric("poe_limit_watts", "W", T.FLOAT64, "the most it may be; pethMainPsePower"),
    # A UPS: power leads the causes, so it travels with the links.
    port_metric("power_source", "enum", T.UINT8, "PowerSource; UPS-MIB upsOutputSource"),
    port_metric("on_battery", "bool", T.UINT8, "1: what hangs on it runs from the battery"),
    port_metric("battery_status", "enum", T.UINT8, "BatteryStatus; UPS-MIB upsBatteryStatus"),
    port_metric("battery_minutes_left", "min", T.FLOAT64, "upsEstimatedMinutesRemaining"),
    port_metric("battery_charge_ratio", "1", T.FLOAT64, "upsEstimatedChargeRemaining"),
    port_metric("load_ratio", "1", T.FLOAT64, "upsOutputPercentLoad, the fullest line"),
    port_metric("on_battery_seconds", "s", T.FLOAT64, "upsSecondsOnBattery"),
    port_metric("ups_input_volts", "V", T.FLOAT64, "upsInputVoltage, the lowest line"),
    port_metric("ups_output_volts", "V", T.FLOAT64, "upsOutputVoltage, the lowest line"),
    port_metric("ups_input_hertz", "Hz", T.FLOAT64, "upsInputFrequency"),
    port_metric("ups_output_hertz", "Hz", T.FLOAT64, "upsOutputFrequency"),
    port_metric("ups_bypass_hertz", "Hz", T.FLOAT64, "upsBypassFrequency"),
    port_metric("ups_bypass_volts", "V", T.FLOAT64, "upsBypassVoltage, the lowest line"),
    port_metric("ups_output_amps", "A", T.FLOAT64, "upsOutputCurrent, the fullest line"),
    port_metric("ups_output_watts", "W", T.FLOAT64, "upsOutputPower, all lines together"),
    port_metric("ups_battery_volts", "V", T.FLOAT64, "upsBatteryVoltage"),
    port_metric("ups_battery_amps", "A", T.FLOAT64, "upsBatteryCurrent"),
    port_metric("ups_battery_celsius", "Cel", T.FLOAT64, "upsBatteryTemperature"),
    port_metric("replace_battery", "bool", T.UINT8, "1: the UPS asks for a new battery"),
    port_metric("ups_alarms", "1", T.UINT32, "upsAlarmsPresent"),
    # A chassis, one row a member of a stack.
    care_metric("chassis_name", "text", T.TEXT, "ENTITY-MIB entPhysicalName, else Descr"),
    care_metric("chassis_model", "text", T.TEXT, "ENTITY-MIB entPhysicalModelName"),
    care_metric("chassis_serial", "text", T.TEXT, "ENTITY-MIB entPhysicalSerialNum"),
    care_metric("hardware_revision", "text", T.TEXT, "ENTITY-MIB entPhysicalHardwareRev"),
    care_metric("firmware_revision", "text", T.TEXT, "ENTITY-MIB entPhysicalFirmwareRev"),
    care_metric("software_revision", "text", T.TEXT, "ENTITY-MIB entPhysicalSoftwareRev"),
    care_metric("chassis_position", "1", T.INT32, "ENTITY-MIB entPhysicalParentRelPos"),
)

SENSORS = (
    "sensor_kind",
    "sensor_label",
    "sensor_value",
    "sensor_health",
    "sensor_code",
    "sensor_low",
    "sensor_high",
    "memory_used_bytes",
    "memory_total_bytes",
)
"""One row a sensor."""

OPTICS = (
    "optic_port",
    "optic_lane",
    "rx_dbm",
    "tx_dbm",
    "bias_ma",
    "module_celsius",
    "module_volts",
    "rx_lost",
    "tx_fault",
    "rx_low_alarm_dbm",
    "rx_low_warning_dbm",
    "rx_high_warning_dbm",
    "rx_high_alarm_dbm",
    "tx_low_alarm_dbm",
    "tx_low_warning_dbm",
    "tx_high_warning_dbm",
    "tx_high_alarm_dbm",
    "bias_low_ma",
    "bias_high_ma",
    "module_low_celsius",
    "module_high_celsius",
    "module_low_volts",
    "module_high_volts",
    "module_vendor",
    "module_part",
    "module_serial",
    "module_type",
    "wavelength_nm",
    "reach_m",
)
"""One row a lane of a module; a module of one lane has its port's key."""

POE = (
    "poe_role",
    "poe_enabled",
    "poe_status",
    "poe_class",
    "poe_watts",
    "poe_limit_watts",
)
"""One row a port that can feed, and one a supply (key ``pse <n>``)."""

UPS = (
    "power_source",
    "on_battery",
    "battery_status",
    "battery_minutes_left",
    "battery_charge_ratio",
    "load_ratio",
    "on_battery_seconds",
    "ups_input_volts",
    "ups_output_volts",
    "ups_input_hertz",
    "ups_output_hertz",
    "ups_bypass_hertz",
    "ups_bypass_volts",
    "ups_output_amps",
    "ups_output_watts",
    "ups_battery_volts",
    "ups_battery_amps",
    "ups_battery_celsius",
    "replace_battery",
    "ups_alarms",
)
"""One row, ``ups``."""

CHASSIS = (
    "chassis_name",
    "chassis_model",
    "chassis_serial",
    "hardware_revision",
    "firmware_revision",
    "software_revision",
    "chassis_position",
)
"""One row a chassis; of a stack, one a member."""
