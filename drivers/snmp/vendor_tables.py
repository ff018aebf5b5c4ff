"""Vendor tables as data: which object is which column of a stream, one YAML file a maker.

A file ``drivers/snmp/vendors/<maker>-wireless.yaml`` says for which devices it is (enterprise
numbers, or words in sysDescr) and lists tables: stream, root, how the index is read, how the
row's key is made of it, and for each column of the stream the object below the root and how its
value is read. ``required`` names the objects one of which must have answered for there to be
rows at all; the others are asked only then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from drivers.snmp.ber import Oid
from drivers.snmp.vendor_values import COLUMN_KINDS, INDEX_KINDS
from tenone.vocabulary.surroundings import SURROUNDINGS

SUFFIX = "-wireless.yaml"


class VendorFileError(ValueError):
    """A vendor file that cannot be used; the message names file and place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnSpec:
    """Where one column of a stream comes from: an object, a part of the index, or a sum."""

    name: str
    column: Oid = ()
    index: int | None = None
    total: tuple[str, ...] = ()
    kind: str = "text"
    words: Mapping[object, str] | None = None
    scale: float = 1.0
    low: float | None = None
    high: float | None = None
    """Values outside ``low`` to ``high`` are the vendor's marks for "unknown"."""
    add: bool = False
    """Rows of one key are added up; otherwise the first one counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSpec:
    """One table: rows of ``stream`` made of objects below ``root``."""

    source: str
    stream: str
    root: Oid
    index: tuple[str, ...]
    key: str
    name: Oid
    """The object whose value is ``{name}`` in the key; empty: not used."""
    columns: tuple[ColumnSpec, ...]
    required: tuple[Oid, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorSpec:
    """One file."""

    source: str
    enterprises: frozenset[int]
    sys_descr: tuple[str, ...]
    tables: tuple[TableSpec, ...]

    def fits(self, enterprise: int | None, descr: str) -> bool:
        """Whether a device with this sysObjectID and sysDescr is one of them.

        Where words are given they decide: such makers use others' enterprise numbers.
        """
        if self.sys_descr:
            return any(word in descr for word in self.sys_descr)
        return enterprise in self.enterprises


@cache
def vendor_specs() -> tuple[VendorSpec, ...]:
    """All files of the package; raises :class:`VendorFileError`."""
    folder = files("drivers.snmp").joinpath("vendors")
    found = sorted(
        (one for one in folder.iterdir() if one.name.endswith(SUFFIX)), key=lambda one: one.name
    )
    return tuple(parse_vendor(one.name, one.read_text("utf-8")) for one in found)


def parse_vendor(source: str, text: str) -> VendorSpec:
    """Read one file; raises :class:`VendorFileError`."""
    try:
        document = yaml.safe_load(text)
        return VendorSpec(
            source=source,
            enterprises=frozenset(int(number) for number in document["enterprises"]),
            sys_descr=tuple(str(word) for word in document.get("sys_descr", ())),
            tables=tuple(_table(source, table) for table in document["tables"]),
        )
    except VendorFileError:
        raise
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise VendorFileError(f"{source}: cannot be read: {error!r}") from error


def _table(source: str, document: Mapping[str, Any]) -> TableSpec:
    stream = str(document["stream"])
    where = f"{source}, stream {stream}"
    if stream not in SURROUNDINGS:
        raise VendorFileError(f"{where}: there is no such stream")
    index = tuple(str(kind) for kind in document["index"])
    if unknown := set(index) - INDEX_KINDS:
        raise VendorFileError(f"{where}: index kinds {sorted(unknown)} are not known")
    columns = tuple(
        _column(where, stream, str(name), one) for name, one in document["columns"].items()
    )
    return TableSpec(
        source=source,
        stream=stream,
        root=_oid(document["root"]),
        index=index,
        key=str(document["key"]),
        name=_oid(document["name"]["column"]) if "name" in document else (),
        columns=columns,
        required=tuple(_oid(one) for one in document["required"]),
    )


def _column(where: str, stream: str, name: str, document: Mapping[str, Any]) -> ColumnSpec:
    if name not in SURROUNDINGS[stream]:
        raise VendorFileError(f"{where}: {name} is no column of this stream")
    kind = str(document.get("as", "text"))
    if kind not in COLUMN_KINDS:
        raise VendorFileError(f"{where}, {name}: {kind!r} is no way to read a value")
    return ColumnSpec(
        name=name,
        column=_oid(document["column"]) if "column" in document else (),
        index=document.get("index"),
        total=tuple(document.get("sum", ())),
        kind=kind,
        words=document.get("words"),
        scale=float(document.get("scale", 1)),
        low=document.get("low"),
        high=document.get("high"),
        add=document.get("together") == "sum",
    )


def _oid(said: object) -> Oid:
    if isinstance(said, float):
        raise TypeError(f"{said} is read as a number: put the object between quotes")
    return tuple(int(arc) for arc in str(said).split("."))


def tables_for(specs: Sequence[VendorSpec], enterprise: int | None, descr: str) -> list[TableSpec]:
    """The tables to try on a device."""
    return [table for spec in specs if spec.fits(enterprise, descr) for table in spec.tables]
