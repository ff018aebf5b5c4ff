"""What recorded devices say of their own body, against an oracle that is not ours.

The oracle names for each sensor the object it read, its divisor and the value. A field is equal,
explained by a code of the closed list below, or wrong. ``not-read`` is counted, never hidden.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from drivers.snmp.ber import Oid, Value, oid_text
from drivers.snmp.cells import Cell, number
from drivers.snmp.entity import text_of
from drivers.snmp.health import Plan
from drivers.snmp.reading import Reading
from drivers.snmp.vendorfile import Number, When
from tenone.vocabulary.body import SensorKind
from tests.snmp.oracle import captures

Rows = dict[str, dict[str, Any]]


class Code(StrEnum):
    """Why a field differs, or was not compared with a value."""

    NOT_READ = "not-read"
    """TenOne deliberately does not read this object."""
    NONE_TOLD = "none-told"
    """The device's number stands for "none"; we say unknown, the oracle shows the number."""
    ORACLE_UNIT = "oracle-unit"
    """The oracle scaled by another unit than the MIB says; raw and MIB unit give our value."""
    OWN_WORDS = "own-words"
    """Both say the same with other words: one contains the other."""
    SUSPECT_FIELD = "suspect-field"
    """The oracle shows in one field what the device says in another."""
    BOTH_SAID = "both-said"
    """The device says both, in different objects; we take another one."""
    ORACLE_DERIVED = "oracle-derived"
    """The oracle's words stand in no text of the recording."""
    ORACLE_LOST = "oracle-lost"
    """The oracle's name for the object cannot be asked, so it says 0; ours is what was recorded."""
    OWN_KIND = "own-kind"
    """The same number; the oracle calls it a state, we a count."""


KINDS: Mapping[str, frozenset[str]] = {
    "temperature": frozenset({"temperature", "module_celsius", "ups_battery_celsius"}),
    "voltage": frozenset(
        {"voltage", "module_volts", "ups_input_volts", "ups_output_volts", "ups_battery_volts"}
    ),
    "current": frozenset({"current", "bias_ma", "ups_output_amps", "ups_battery_amps"}),
    "power": frozenset({"power", "poe_watts", "poe_limit_watts", "ups_output_watts"}),
    "fanspeed": frozenset({"fan_speed"}),
    "percent": frozenset({"fan_ratio"}),
    "frequency": frozenset(
        {"frequency", "ups_input_hertz", "ups_output_hertz", "ups_bypass_hertz"}
    ),
    "dbm": frozenset({"rx_dbm", "tx_dbm", "light"}),
    "charge": frozenset({"charge", "battery_charge_ratio"}),
    "load": frozenset({"load_ratio"}),
    "runtime": frozenset({"battery_minutes_left", "on_battery_seconds"}),
    "count": frozenset({"count"}),
    "state": frozenset(
        {
            "state",
            "poe_status",
            "poe_enabled",
            "rx_lost",
            "tx_fault",
            "power_source",
            "battery_status",
            "replace_battery",
        }
    ),
}
_TO_THEIRS = {
    "bias_ma": 1 / 1000,
    "fan_ratio": 100,
    "charge": 100,
    "battery_charge_ratio": 100,
    "load_ratio": 100,
    "on_battery_seconds": 1 / 60,
}


@dataclass
class Score:
    """The result of one device, or of all."""

    equal: int = 0
    explained: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    by_field: dict[str, Counter[str]] = field(default_factory=dict)
    evidence: dict[str, str] = field(default_factory=dict)

    def note(self, what: str, verdict: str, sentence: str = "") -> None:
        counts = self.by_field.setdefault(what, Counter())
        if verdict == "equal":
            self.equal += 1
        elif verdict == "wrong":
            self.wrong.append(sentence)
        else:
            self.explained[verdict] += 1
            self.evidence.setdefault(verdict, sentence)
        counts[verdict] += 1

    def add(self, other: "Score", name: str) -> None:
        self.equal += other.equal
        self.explained += other.explained
        self.wrong += [f"{name} {sentence}" for sentence in other.wrong]
        for what, counts in other.by_field.items():
            self.by_field.setdefault(what, Counter()).update(counts)
        for code, sentence in other.evidence.items():
            self.evidence.setdefault(code, f"{name} {sentence}")

    def line(self, name: str) -> str:
        codes = ", ".join(f"{code} {count}" for code, count in sorted(self.explained.items()))
        return (
            f"{name:28} {self.equal:5} equal {sum(self.explained.values()):4} explained "
            f"{len(self.wrong):4} wrong  {codes}"
        )


def truth_of(name: str) -> dict[str, Any]:
    found = json.loads((captures() / f"{name}.truth.json").read_text())
    assert isinstance(found, dict)
    return found


def rows_of(truth: Mapping[str, Any], table: str) -> list[dict[str, Any]]:
    part = truth.get(table)
    if part is None:
        return []
    return [dict(zip(part["columns"], row, strict=True)) for row in part["rows"]]


def by_key(reading: Reading) -> Rows:
    columns = {column.metric.name: list(column) for column in reading.columns}
    return {
        key: {name: cells[place] for name, cells in columns.items()}
        for place, key in enumerate(reading.rows)
    }


@dataclass(frozen=True)
class Claim:
    """One number of ours: which object it is from, what it is called, its value."""

    what: str
    ours: Any
    cell: Cell | None


def claims(plan: Plan, streams: Mapping[str, Rows]) -> dict[str, list[Claim]]:
    """Object identifier -> what we make of it."""
    found: dict[str, list[Claim]] = {}

    def claim(cell: Cell | None, what: str, ours: Any) -> None:
        if cell is not None:
            found.setdefault("." + oid_text(cell.name), []).append(Claim(what, ours, cell))

    for row in plan.sensors:
        ours = streams["sensors"][row.key]
        claim(row.value, row.kind.label, ours["sensor_value"])
        claim(row.status, "state", ours["sensor_code"])
    for key, optic in plan.optics.items():
        for column, cell in optic.cells.items():
            claim(cell, column, streams["optics"][key][column])
    for key, poe in plan.poe.items():
        for column, cell in poe.cells.items():
            claim(cell, column, streams["poe"][key][column])
    for column, sources in plan.ups.sources.items():
        for cell in (cell for source in sources for cell in source.cells):
            claim(cell, column, streams["ups"]["ups"][column])
    return found


def close(mine: float, his: float) -> bool:
    """Equal but for the digits the oracle kept."""
    return math.isclose(mine, his, rel_tol=1e-6, abs_tol=5e-4)


@dataclass(frozen=True)
class Device:
    """One recorded device: what was recorded, what the oracle says, what files hold for it."""

    truth: Mapping[str, Any]
    recorded: Mapping[Oid, Value]
    specs: Mapping[Oid, Sequence[tuple[Number, tuple[When, ...]]]]
    """Column -> how the files for this device read it, and when its rows count."""
    not_read: Mapping[str, str]
    """Object prefix (without 1.3.6.1) -> why TenOne does not read it."""

    def texts(self) -> list[str]:
        """All text the device says."""
        return [
            text.lower()
            for value in self.recorded.values()
            if isinstance(value, bytes) and (text := text_of(value))
        ]

    def left_out(self, oid: str) -> bool:
        """Whether the object is one of those deliberately not read."""
        return any(
            oid == f".1.3.6.1.{prefix}" or oid.startswith(f".1.3.6.1.{prefix}.")
            for prefix in self.not_read
        )

    def says_none(self, oid: str) -> bool:
        """Whether we read this object and the device's own number stands for "none" in it.

        Either the number is listed as such, or the row does not count (a cage without a module).
        """
        name = tuple(int(arc) for arc in oid.strip(".").split("."))
        raw = self.recorded.get(name)
        return raw is not None and any(
            number(raw, spec) is None or self._left_aside(conditions, name[size:])
            for size in range(len(name) - 1, 6, -1)
            for spec, conditions in self.specs.get(name[:size], ())
        )

    def _left_aside(self, conditions: Sequence[When], index: Oid) -> bool:
        """Whether the device says in another column that this row is none."""
        said = [(when, self.recorded.get((*when.oid, *index))) for when in conditions]
        return any(value in when.not_ for when, value in said if when.not_)


def score_sensors(device: Device, found: Mapping[str, list[Claim]], score: Score) -> None:
    """Each sensor of the oracle: its kind and its value."""
    for row in rows_of(device.truth, "sensors"):
        kind, oid, his = row["sensor_class"], row["sensor_oid"], row["sensor_current"]
        what = f"sensors.{kind}"
        where = f"{kind} {oid} {row['sensor_descr']!r}"
        mine = [one for one in found.get(oid, []) if one.what in KINDS[kind]]
        if mine:
            verdicts = [_judge(one, kind, row, device.recorded) for one in mine]
            best = min(verdicts, key=("equal", *Code, "wrong").index)
            shown = ", ".join(f"{one.what} {one.ours}" for one in mine)
            score.note(what, best, f"{where}: {shown} not {his}")
        elif any(one.what == "count" and one.ours == his for one in found.get(oid, [])):
            score.note(what, Code.OWN_KIND, f"{where}: {his}")
        elif device.left_out(oid):
            score.note(what, Code.NOT_READ, f"{where} = {his}")
        elif device.says_none(oid):
            score.note(what, Code.NONE_TOLD, f"{where} = {his}")
        else:
            score.note(what, "wrong", f"{where} = {his}: not found")


def _judge(one: Claim, kind: str, row: Mapping[str, Any], recorded: Mapping[Oid, Value]) -> str:
    his, mine = row["sensor_current"], one.ours
    assert one.cell is not None
    raw = recorded.get(one.cell.name)
    if kind == "state" and one.cell.spec.values:
        expected = number(his, one.cell.spec, one.cell.column)
        return "equal" if expected == mine else "wrong"
    if mine is None:
        told = number(raw, one.cell.spec, one.cell.column, one.cell.lane, one.cell.scale)
        return Code.NONE_TOLD if raw is not None and told is None else "wrong"
    theirs = mine * _TO_THEIRS.get(one.what, 1)
    if his is not None and close(theirs, float(his)):
        return "equal"
    # A matter of the unit where ours is the raw number in the MIB's unit and his ten times less.
    if isinstance(raw, int) and his and raw and one.what.startswith("ups_"):
        power = math.log10(abs(theirs / float(his)))
        fits = close(mine, raw * one.cell.spec.factor) and close(power, round(power))
        return Code.ORACLE_UNIT if fits else "wrong"
    return "wrong"


def score_processors(device: Device, found: Mapping[str, list[Claim]], score: Score) -> None:
    for row in rows_of(device.truth, "processors"):
        # One device's oracle has the index's first number as its name in the MIB.
        lost = ".stack." in row["processor_oid"]
        oid, his = row["processor_oid"].replace(".stack.", ".2."), row["processor_usage"]
        mine = [one.ours for one in found.get(oid, []) if one.what == "cpu"]
        sentence = f"cpu {oid} {row['processor_descr']!r}: {mine} not {his}"
        same = any(one is not None and abs(one * 100 - his) <= 1 for one in mine)  # 16.5 may be 17
        verdict = "equal" if same else "wrong"
        if not same and lost and mine:
            raw = device.recorded[tuple(map(int, oid.strip(".").split(".")))]
            verdict = Code.ORACLE_LOST if [raw] == [round(one * 100) for one in mine] else "wrong"
        score.note("processors.usage", verdict, sentence)


_PER_CENT = {None, 100, 100 * 2**20}
"""Totals that are no size: the oracle was told a share only."""


def score_memory(device: Device, sensors: Rows, score: Score) -> None:
    """Memories have no object in the oracle: the one of ours that fits is taken, once."""
    kinds = {SensorKind.MEMORY, SensorKind.STORAGE}
    ours = [row for row in sensors.values() if row["sensor_kind"] in kinds]
    for row in rows_of(device.truth, "mempools"):
        total = row["mempool_total"]
        in_bytes = total not in _PER_CENT
        best: dict[str, Any] | None = None
        for one in ours:
            if one["sensor_value"] is None:
                continue
            fits = abs(one["sensor_value"] * 100 - row["mempool_perc"]) <= 1
            if in_bytes:
                fits = fits and _scale(one["memory_total_bytes"], total) is not None
            if fits:
                best = one
                break
        sentence = f"memory {row['mempool_descr']!r} {row['mempool_perc']} % of {total}: " + str(
            [(one["sensor_label"], one["sensor_value"], one["memory_total_bytes"]) for one in ours]
        )
        if best is None:
            other = _storage_other(device, row)
            score.note("mempools.share", Code.NOT_READ if other else "wrong", sentence)
            continue
        ours.remove(best)
        score.note("mempools.share", "equal")
        if in_bytes:
            scale = _scale(best["memory_total_bytes"], total)
            assert scale is not None
            score.note("mempools.total", "equal" if scale == 1 else Code.ORACLE_UNIT, sentence)
            used = best["memory_used_bytes"]
            near = used is not None and math.isclose(
                used, row["mempool_used"] * scale, rel_tol=0.01, abs_tol=4096
            )
            verdict = "equal" if scale == 1 else Code.ORACLE_UNIT
            score.note("mempools.used", verdict if near else "wrong", f"{sentence}: used {used}")


_HR_TYPE: Oid = (1, 3, 6, 1, 2, 1, 25, 2, 3, 1, 2)
_HR_OTHER: Oid = (1, 3, 6, 1, 2, 1, 25, 2, 1, 1)


def _storage_other(device: Device, row: Mapping[str, Any]) -> bool:
    """Whether it is a part of memory (buffers, cache), which HOST-RESOURCES-MIB calls other."""
    if row["mempool_type"] != "hrstorage":
        return False
    return device.recorded.get((*_HR_TYPE, int(row["mempool_index"]))) == _HR_OTHER


def _scale(mine: float | None, his: float) -> int | None:
    """1 where equal; a power of 1024 where the oracle left out the unit."""
    for scale in (1, 1024, 1024 * 1024):
        if mine is not None and math.isclose(mine, his * scale, rel_tol=1e-3):
            return scale
    return None


_OPTIC_FIELDS = {
    "vendor": "module_vendor",
    "model": "module_part",
    "serial": "module_serial",
    "type": "module_type",
    "wavelength": "wavelength_nm",
    "distance": "reach_m",
}


def score_transceivers(
    device: Device, optics: Rows, ports: Mapping[int, str], score: Score
) -> None:
    texts = device.texts()
    for row in rows_of(device.truth, "transceivers"):
        key = ports.get(row["ifIndex"]) if row["ifIndex"] is not None else None
        ours = optics.get(key) if key is not None else None
        if key is None:
            ours = next(
                (one for one in optics.values() if one["module_serial"] == row["serial"]), None
            )
        told = {field: row[field] for field in _OPTIC_FIELDS if row[field] not in {None, ""}}
        if ours is None:
            # The oracle lists every cage; one of which nothing is known holds no module.
            verdict = "wrong" if told else Code.NONE_TOLD
            score.note("transceivers.port", verdict, f"no module in {row['ifIndex']}: {row}")
            continue
        score.note("transceivers.port", "equal")
        for theirs, his in told.items():
            mine = ours[_OPTIC_FIELDS[theirs]]
            verdict = same_words(mine, his, texts)
            sentence = f"{theirs} of {key}: {mine!r} not {his!r}"
            if verdict != "equal" and theirs == "distance" and device.left_out(".1.3.6.1.reach"):
                verdict = Code.NOT_READ
            elif verdict == "wrong" and isinstance(mine, int) and mine == 1000 * his:
                verdict = Code.ORACLE_UNIT  # kilometres
            elif verdict == "wrong" and _elsewhere(device, told, theirs, his):
                verdict = Code.SUSPECT_FIELD
            score.note(f"transceivers.{theirs}", verdict, sentence)


_ENT_HARDWARE: Oid = (1, 3, 6, 1, 4, 1, 9, 6, 1, 101, 217, 1, 3)


def _elsewhere(device: Device, told: Mapping[str, Any], theirs: str, his: object) -> bool:
    """Whether the oracle has it in another field too, or it is the module's revision."""
    twice = any(field != theirs and value == his for field, value in told.items())
    revisions = {
        text_of(value)
        for name, value in device.recorded.items()
        if name[: len(_ENT_HARDWARE)] == _ENT_HARDWARE
    }
    return twice or his in revisions


def _words(text: object) -> set[str]:
    return set(re.findall(r"[\w.]+", str(text).lower()))


def same_words(mine: Any, his: Any, texts: Sequence[str]) -> str:
    """Equal, one within the other, both from the device, the oracle's own, or wrong."""
    if isinstance(his, (int, float)) and isinstance(mine, (int, float)):
        return "equal" if close(float(mine), float(his)) else "wrong"
    right = str(his).strip().lower()
    his_is_said = any(right in text for text in texts)
    if mine is None:
        return "wrong" if his_is_said else Code.ORACLE_DERIVED
    left = str(mine).strip().lower()
    if left == right:
        return "equal"
    mine_is_said = any(left in text for text in texts)
    if left and (_words(left) <= _words(right) or _words(right) <= _words(left)):
        return Code.OWN_WORDS
    if mine_is_said and his_is_said:
        return Code.BOTH_SAID
    return Code.ORACLE_DERIVED if mine_is_said else "wrong"


def score_device(device: Device, system: Mapping[str, Any], score: Score) -> None:
    texts = device.texts()
    pairs = (("hardware", "model"), ("version", "version"), ("serial", "serial"))
    for theirs, ours in pairs:
        his = device.truth["device"][theirs]
        if his is None:
            continue
        verdict = same_words(system[ours], his, texts)
        score.note(f"device.{theirs}", verdict, f"{theirs}: {system[ours]!r} not {his!r}")


CHASSIS_CLASS = "chassis"


def score_chassis(device: Device, chassis: Rows, score: Score) -> None:
    """Every chassis of the oracle with a model or a serial number is one of ours."""
    texts = device.texts()
    for row in rows_of(device.truth, "entity"):
        if row["entPhysicalClass"] != CHASSIS_CLASS:
            continue
        key = f"chassis {row['entPhysicalIndex']}"
        for theirs, column in (
            ("entPhysicalModelName", "chassis_model"),
            ("entPhysicalSerialNum", "chassis_serial"),
        ):
            his = (row[theirs] or "").strip()
            if not his:
                continue
            mine = chassis.get(key, {}).get(column)
            verdict = "equal" if mine == his else "wrong"
            if mine is None and not any(his.lower() in text for text in texts):
                verdict = Code.ORACLE_DERIVED
            score.note(f"entity.{column}", verdict, f"{key} {column}: {mine!r} not {his!r}")
