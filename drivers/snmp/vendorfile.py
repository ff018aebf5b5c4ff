"""What makers put where, as data: one YAML file a maker in ``drivers/snmp/vendors``.

A file says for which devices it holds (``match``) and which objects carry which of our columns.
The code knows shapes of tables and units, never a maker. Loading is strict: an unknown key, a
name that is no column, or an object identifier that is none ends in file, line and remedy.
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from drivers.snmp.ber import Oid
from tenone.config.base import ConfigModel, SchemaVersion
from tenone.config.document import Document, read_document
from tenone.config.explain import explain
from tenone.config.problems import ConfigError, KeyPath
from tenone.config.refusal import refusal
from tenone.vocabulary.body import (
    OPTICS,
    POE,
    UPS,
    BatteryStatus,
    Health,
    PoeRole,
    PoeStatus,
    PowerSource,
    SensorKind,
)

FOLDER = Path(__file__).parent / "vendors"
ELSEWHERE = "-wireless.yaml"
"""Files of another room: :mod:`drivers.snmp.vendor_tables`."""
MAX_ARCS = 128
_OID = re.compile(r"\d{1,10}(\.\d{1,10}){2,}")


def _oid(value: object) -> Oid:
    """Object identifier from its dotted form."""
    if isinstance(value, str) and _OID.fullmatch(value):
        arcs = tuple(int(arc) for arc in value.split("."))
        if len(arcs) <= MAX_ARCS and max(arcs) < 1 << 32:
            return arcs
    raise refusal(f"{value!r} is no object identifier", "write numbers with dots: 1.3.6.1.2.1.1.1")


def _regex(value: object) -> re.Pattern[str]:
    if isinstance(value, str):
        try:
            return re.compile(value)
        except re.error as error:
            what = f"{value!r} is no regular expression ({error})"
            raise refusal(what, "correct the expression") from error
    raise refusal("this is no regular expression", "write it in quotes")


def _kind(value: object) -> SensorKind:
    if isinstance(value, SensorKind):
        return value
    found = {kind.label: kind for kind in SensorKind}.get(str(value))
    if found is None:
        known = ", ".join(kind.label for kind in SensorKind)
        raise refusal(f"{value!r} is no kind of sensor", f"use one of {known}")
    return found


def _states(value: object) -> dict[int, Health]:
    known = {health.label: health for health in Health}
    if not isinstance(value, Mapping):
        raise refusal("this is no table of states", "write 'states: {1: ok, 2: failed}'")
    found: dict[int, Health] = {}
    for code, name in value.items():
        number = _code(code)
        if str(name) not in known:
            raise refusal(f"{name!r} is no health", f"use one of {', '.join(known)}")
        found[number] = known[str(name)]
    return found


def _code(code: object) -> int:
    if not re.fullmatch(r"-?\d{1,10}", str(code)):
        raise refusal(f"{code!r} is no number of a state", "write the agent's number, like 1")
    return int(str(code))


OidText = Annotated[Oid, BeforeValidator(_oid)]
Regex = Annotated[re.Pattern[str], BeforeValidator(_regex)]
Kind = Annotated[SensorKind, BeforeValidator(_kind)]
States = Annotated[dict[int, Health], BeforeValidator(_states)]
Arc = int | Literal["*", "port", "lane"]
ObjectName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z][\w-]*$")]


class Convert(StrEnum):
    """From what a device says to our unit."""

    NUMBER = "number"
    """As it is, times the factor; of a text, the number it begins with."""
    MILLIWATT = "milliwatt"
    """Light in mW (after the factor), to dBm."""
    MICROWATT = "microwatt"
    """Light in microwatts (after the factor), to dBm."""
    MICROWATT_OR_CENTIDBM = "microwatt_or_centidbm"
    """Light in microwatts where positive, in 0.01 dBm where negative."""
    UNSIGNED = "unsigned"
    """A negative number is what became of one past 2 GiB: 2 to the 32 more."""
    LONGEST = "longest"
    """Of a text like ``50(50um),100(OM3)`` the largest number before a bracket."""


class Number(ConfigModel):
    """Where a number is and how to read it."""

    oid: OidText
    """The column (or scalar) without its index."""
    at: tuple[Arc, ...] = ()
    """What the index looks like: a number must be that number, ``*`` may be any, ``port`` and
    ``lane`` are taken. Empty: any index."""
    factor: float = 1.0
    convert: Convert = Convert.NUMBER
    unknown: tuple[float, ...] = ()
    """Numbers (as the device says them) that stand for "none"."""
    least: float | None = None
    most: float | None = None
    """Bounds of what can be, in our unit; beyond them the device counts in another unit."""
    lanes: bool = False
    """The value is a list with commas, one number a lane."""
    values: dict[str, float | str] = Field(default_factory=dict)
    """The agent's number -> ours, or the name of ours."""


class When(ConfigModel):
    """A row counts only where another column of the same index says so."""

    oid: OidText
    is_: tuple[int | str, ...] = Field(default=(), alias="is")
    not_: tuple[int | str, ...] = Field(default=(), alias="not")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if bool(self.is_) == bool(self.not_):
            raise refusal("this condition says nothing", "give either 'is' or 'not', as a list")
        return self


class Row(ConfigModel):
    """What sensors and memories share: what they are called and when they count."""

    object: ObjectName
    """The MIB's name; with the index it is the row's key."""
    label: str = Field(default="{entity}", max_length=100)
    """``{entity}`` is the entity's name, ``{name}`` the text of ``names``, ``{0}`` the first arc
    of the index, ``{port}`` the key of the port whose ifIndex is the first arc."""
    names: OidText | None = None
    names_arcs: int | None = Field(default=None, ge=0)
    """So many arcs of the index are the index of ``names``; all where it is not said."""
    when: tuple[When, ...] = ()


class Sensor(Row, Number):
    """A column of sensors, or one."""

    kind: Kind
    states: States = Field(default_factory=dict)
    low: Number | None = None
    high: Number | None = None

    @model_validator(mode="after")
    def _has_states(self) -> Self:
        if (self.kind is SensorKind.STATE) != bool(self.states):
            raise refusal(
                "states and kind do not agree",
                "a sensor of kind 'state' lists its 'states', any other has none",
            )
        return self


class Memory(Row):
    """A memory or a store: its share used, and the bytes where they are told."""

    kind: Kind = SensorKind.MEMORY
    used: Number | None = None
    free: Number | None = None
    total: Number | None = None
    used_ratio: Number | None = None
    free_ratio: Number | None = None
    unit: Number | None = None
    """A column with the size of one unit of ``used``, ``free`` and ``total``, in bytes."""

    @model_validator(mode="after")
    def _enough(self) -> Self:
        parts = sum(part is not None for part in (self.used, self.free, self.total))
        if self.used_ratio is None and self.free_ratio is None and parts < 2:  # noqa: PLR2004 - two of three give the third
            raise refusal(
                "the share used cannot be found",
                "give used_ratio, free_ratio, or two of used, free, total",
            )
        return self

    @property
    def first(self) -> Number:
        """The column whose rows are the memories."""
        parts = (self.used_ratio, self.free_ratio, self.used, self.total, self.free)
        return next(part for part in parts if part is not None)


class EntitySensors(ConfigModel):
    """A table built as ENTITY-SENSOR-MIB's: type 1, scale 2, precision 3, value 4, status 5."""

    object: ObjectName
    oid: OidText
    """The entry (``...1``), whose columns are numbered as above."""
    types: dict[str, Kind]
    """EntitySensorDataType -> kind; others are not read."""
    receive: Regex
    transmit: Regex
    """What the name of a sensor within a port says about its light."""
    thresholds: OidText | None = None
    """An entry by entity and number: severity 2, relation 3, value 4 (CISCO-ENTITY-SENSOR-MIB)."""


def _columns(allowed: tuple[str, ...], found: Mapping[str, object]) -> None:
    for name in found:
        if name not in allowed:
            raise refusal(f"{name!r} is no column here", f"use {', '.join(allowed)}")


class PortTable(ConfigModel):
    """A table with rows of ports: optical modules, or power over Ethernet."""

    object: ObjectName
    port: Literal["ifindex", "entity", "name", "group_port", "supply"] = "ifindex"
    """What the arc ``port`` of the index is: an ifIndex; an entPhysicalIndex; a row of
    ``names``; ``group_port``: POWER-ETHERNET-MIB's group and port; a supply."""
    names: OidText | None = None
    """Where ``port: name``: the column with the port's name."""
    offset: int = 0
    """ifIndex is the arc plus this."""
    at: tuple[Arc, ...] = ("port",)
    first_lane: int = 1
    """What the arc ``lane`` says for lane 1."""
    columns: dict[str, tuple[Number, ...]]
    """Our column -> where it is; of several the first that says something."""
    when: tuple[When, ...] = ()
    role: Literal["port", "supply"] = "port"


class Optics(PortTable):
    """Optical modules."""

    @model_validator(mode="after")
    def _known(self) -> Self:
        _columns(OPTICS, self.columns)
        return self


class Poe(PortTable):
    """Ports that feed, or supplies that feed them."""

    @model_validator(mode="after")
    def _known(self) -> Self:
        _columns(POE, self.columns)
        return self


class Pick(StrEnum):
    """Which of several rows speaks."""

    FIRST = "first"
    MAX = "max"
    MIN = "min"
    SUM = "sum"


class UpsSource(Number):
    """Where a column of the UPS is."""

    pick: Pick = Pick.FIRST


class Said(ConfigModel):
    """Where a device says something about itself in words."""

    oid: OidText | None = None
    """A column or scalar; its first row that says something. None: sysDescr."""
    match: Regex | None = None
    """What part of the text; its groups, joined by blanks."""
    unless_entity: bool = False
    """Only where ENTITY-MIB's chassis says nothing."""


class System(ConfigModel):
    """The device as a whole; each list in order of trust."""

    model: tuple[Said, ...] = ()
    serial: tuple[Said, ...] = ()
    version: tuple[Said, ...] = ()


class Match(ConfigModel):
    """For which devices a file holds: any of the prefixes, and the text where one is given."""

    object_id: tuple[OidText, ...] = ()
    descr: Regex | None = None
    everything: bool = False

    def fits(self, object_id: Oid | None, descr: str) -> bool:
        """Whether a device with this sysObjectID and sysDescr is meant."""
        if self.everything:
            return True
        known = object_id is not None and any(
            object_id[: len(prefix)] == prefix for prefix in self.object_id
        )
        said = self.descr is not None and self.descr.search(descr) is not None
        if self.object_id and self.descr is not None:
            return known and said
        return known or said


class VendorFile(ConfigModel):
    """The whole of one file."""

    schema_version: SchemaVersion
    maker: str = Field(min_length=1, max_length=64)
    match: Match
    system: System = System()
    sensors: tuple[Sensor, ...] = ()
    memory: tuple[Memory, ...] = ()
    entity_sensors: tuple[EntitySensors, ...] = ()
    optics: tuple[Optics, ...] = ()
    poe: tuple[Poe, ...] = ()
    ups: dict[str, tuple[UpsSource, ...]] = Field(default_factory=dict)
    """Our column -> where it is; of several the first that says something."""

    @model_validator(mode="after")
    def _ups_columns(self) -> Self:
        _columns(UPS, self.ups)
        return self


NAMES: Mapping[str, Mapping[str, int]] = {
    "power_source": {source.label: source for source in PowerSource},
    "battery_status": {status.label: status for status in BatteryStatus},
    "poe_status": {status.label: status for status in PoeStatus},
    "poe_role": {role.label: role for role in PoeRole},
}
"""Columns whose ``values`` are written as names."""


def load(path: Path) -> VendorFile:
    """Read one file; raises :class:`ConfigError` with every problem found."""
    document = read_document(path)
    try:
        found = VendorFile.model_validate(document.values)
    except ValidationError as error:
        raise ConfigError(explain(document, VendorFile, error)) from error
    problems = _unknown_names(document, found)
    if problems:
        raise problems
    return found


def _unknown_names(document: Document, found: VendorFile) -> ConfigError | None:
    """A name in ``values`` that is none of the column's enumeration."""
    groups: list[tuple[KeyPath, Mapping[str, Sequence[Number]]]] = [(("ups",), found.ups)]
    groups += [(("poe", place, "columns"), one.columns) for place, one in enumerate(found.poe)]
    groups += [
        (("optics", place, "columns"), one.columns) for place, one in enumerate(found.optics)
    ]
    problems = [
        document.problem(
            (*path, column, place, "values", code),
            f"{column!r} cannot be {name!r}",
            f"use a number or one of {', '.join(NAMES.get(column, {})) or 'none: it has no names'}",
        )
        for path, columns in groups
        for column, numbers in columns.items()
        for place, number in enumerate(numbers)
        for code, name in number.values.items()
        if isinstance(name, str) and name not in NAMES.get(column, {})
    ]
    return ConfigError(problems) if problems else None


@lru_cache(maxsize=1)
def vendor_files() -> tuple[VendorFile, ...]:
    """All files that come with TenOne; raises :class:`ConfigError`."""
    return tuple(
        load(path) for path in sorted(FOLDER.glob("*.yaml")) if not path.name.endswith(ELSEWHERE)
    )


def fitting(object_id: Oid | None, descr: str) -> tuple[VendorFile, ...]:
    """The files that hold for a device: those of its maker first, then the common ones."""
    found = [file for file in vendor_files() if file.match.fits(object_id, descr)]
    return tuple(sorted(found, key=lambda file: file.match.everything))
