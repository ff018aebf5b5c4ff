"""Cells of tables: where one number is, how it becomes ours, and how many are asked for at once.

A table is walked when it is learnt; afterwards only the cells that rows were made of are asked
for by name.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from drivers.snmp.ber import Oid, Value
from drivers.snmp.errors import AgentError, ErrorStatus, SnmpError, Timeout
from drivers.snmp.ports import decode_text
from drivers.snmp.session import MAX_SILENCES, Session
from drivers.snmp.target import Budget
from drivers.snmp.vendorfile import NAMES, Convert, Number
from tenone.vocabulary.metric import ColumnType
from tenone.vocabulary.metrics import METRICS

MAX_ROWS = 4_096
"""Rows of one column that are learnt."""
MAX_REFUSALS = 16
"""Variables one pass may be refused singly before the rest of the request is given up."""
DIGITS = 6
_NUMBER = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)")
_OPAQUE_FLOAT = b"\x9f\x78\x04"

Index = tuple[int, ...]
Values = Mapping[Oid, Value]
"""What came for which name; a name that was not answered is not in it."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One number at one name."""

    name: Oid
    spec: Number
    column: str = ""
    """Our column, for the names in ``values``."""
    lane: int | None = None
    """Which of several numbers in a list, from 0."""
    scale: float = 1.0
    """A factor that the device told: of a unit, of a precision."""

    def read(self, values: Values) -> float | None:
        """Our number; None is unknown."""
        return number(values.get(self.name), self.spec, self.column, self.lane, self.scale)


def number(
    value: Value, spec: Number, column: str = "", lane: int | None = None, scale: float = 1.0
) -> float | None:
    """A device's value as ours; None where it is none, or says that it is none."""
    longest = spec.convert is Convert.LONGEST
    said = _longest(value) if longest else _said(value, lane)
    if said is None or not math.isfinite(said) or said in spec.unknown:
        return None
    if spec.values:
        key = str(int(said)) if said.is_integer() else str(said)
        mapped = spec.values.get(key)
        return NAMES[column][mapped] if isinstance(mapped, str) else mapped
    if spec.convert is Convert.UNSIGNED and said < 0:
        said += 1 << 32
    found = _converted(said * spec.factor * scale, spec.convert)
    if found is None or (spec.least is not None and found < spec.least):
        return None
    return None if spec.most is not None and found > spec.most else found


def _said(value: Value, lane: int | None) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return float(value)
    if not isinstance(value, bytes):
        return None
    if value.startswith(_OPAQUE_FLOAT):
        return None
    text = decode_text(value)
    if lane is not None:
        parts = text.split(",")
        if lane >= len(parts):
            return None
        text = parts[lane]
    found = _NUMBER.match(text)
    return float(found[1]) if found else None


def _longest(value: Value) -> float | None:
    if not isinstance(value, bytes):
        return None
    numbers = re.findall(r"(\d{1,6})\(", decode_text(value))
    return max(map(float, numbers), default=None)


_LIGHT = frozenset({Convert.MILLIWATT, Convert.MICROWATT, Convert.MICROWATT_OR_CENTIDBM})


def _converted(value: float, convert: Convert) -> float | None:
    if convert is Convert.MICROWATT_OR_CENTIDBM and value < 0:
        value /= 100
    elif convert in _LIGHT:
        milliwatts = value if convert is Convert.MILLIWATT else value / 1000
        if milliwatts <= 0:
            return None  # no light has no logarithm
        value = 10 * math.log10(milliwatts)
    return round(value, DIGITS)


def fit(name: str, value: float | str | None) -> int | float | str | None:
    """A value as its column takes it; unknown where the column cannot hold it."""
    kind = METRICS[name].type
    if value is None or isinstance(value, str) or kind in {ColumnType.FLOAT32, ColumnType.FLOAT64}:
        return value
    whole = round(value)
    signed = kind.name.startswith("INT")
    bits = 8 * kind.width - signed
    low = -(1 << bits) if signed else 0
    return whole if low <= whole < 1 << bits else None


def lanes_of(value: Value) -> int:
    """How many numbers a list with commas holds."""
    return decode_text(value).count(",") + 1 if isinstance(value, bytes) and value.strip() else 0


@dataclass(slots=True)
class Table:
    """Columns as walked: root -> index -> value."""

    columns: dict[Oid, dict[Index, Value]] = field(default_factory=dict)
    errors: dict[Oid, SnmpError] = field(default_factory=dict)

    def column(self, root: Oid) -> Mapping[Index, Value]:
        """One column; empty where the device has none."""
        return self.columns.get(root, {})

    def values(self) -> dict[Oid, Value]:
        """All cells by name."""
        return {
            (*root, *index): value
            for root, column in self.columns.items()
            for index, value in column.items()
        }

    def error(self, roots: Iterable[Oid]) -> SnmpError | None:
        """Why some of these columns are not known, if so."""
        return next((self.errors[root] for root in roots if root in self.errors), None)


async def walk_into(
    table: Table, session: Session, roots: Iterable[Oid], budget: Budget | None
) -> None:
    """Walk the columns that are not in the table yet."""
    wanted = [root for root in dict.fromkeys(roots) if root not in table.columns]
    for root, walk in zip(wanted, await session.walk_all(wanted, budget, MAX_ROWS), strict=True):
        table.columns[root] = {bind.name[len(root) :]: bind.value for bind in walk.varbinds}
        if walk.error is not None:
            table.errors[root] = walk.error


@dataclass(slots=True)
class Answers:
    """What came for the names asked; the rest is unknown, and why."""

    values: dict[Oid, Value] = field(default_factory=dict)
    errors: list[SnmpError] = field(default_factory=list)


async def ask(session: Session, names: Sequence[Oid], budget: Budget | None) -> Answers:
    """GET all names; raises :class:`SnmpError` if the device answered nothing.

    One name an agent refuses takes nothing from the others.
    """
    answers = Answers()
    queue = _parts(names, session.device.max_varbinds)[::-1]
    refusals = silences = 0
    while queue:
        part = queue.pop()
        try:
            for bind in await session.get(part, budget):
                answers.values[bind.name] = bind.value
            silences = 0
        except AgentError as error:
            blamed = 1 <= error.index <= len(part) and error.status != ErrorStatus.TOO_BIG
            refusals += 1
            if error.status != ErrorStatus.NO_SUCH_NAME:
                answers.errors.append(error)
            if blamed and len(part) > 1 and refusals <= MAX_REFUSALS:
                queue.append([*part[: error.index - 1], *part[error.index :]])
        except SnmpError as error:
            answers.errors.append(error)
            silences += isinstance(error, Timeout)
            if not answers.values or silences >= MAX_SILENCES or not isinstance(error, Timeout):
                break
    if names and not answers.values and answers.errors:
        raise answers.errors[0]
    return answers


def _parts(names: Sequence[Oid], size: int) -> list[list[Oid]]:
    return [list(names[start : start + size]) for start in range(0, len(names), size)]
