"""Inventory as NetBox's CSV bulk import takes it, and NetBox's CSV as a proposal for school.yaml.

Four tables, columns as NetBox's import forms name them (NetBox documentation, "Bulk import";
cables: ``side_a_device, side_a_type, side_a_name ...``). Sites are schools (slug = the school's
id), devices are switches and class boards, and carry the school in their name, since a cable
names its ends by device alone. An interface's ``label`` is the id of the link it carries, its
``description`` the link's name, its ``speed`` the contract in kbit/s. NetBox wants roles,
manufacturers and device types to be there first: :data:`ROLE_SWITCH`, :data:`ROLE_BOARD`,
:data:`MAKER`, :data:`TYPE_SWITCH`, :data:`TYPE_BOARD`.

Pure: texts in, texts out. What comes back changes nothing: it is a fragment of school.yaml and a
list of differences, for a person to take over.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from controller.csv_cells import cell, plain
from tenone.config.city import City
from tenone.config.school import Link, School
from tenone.vocabulary.scope import is_slug
from tenone.vocabulary.states import Tier

ROLE_SWITCH = "tenone-switch"
ROLE_BOARD = "tenone-class-board"
MAKER = "tenone-unknown"
TYPE_SWITCH = "tenone-switch"
TYPE_BOARD = "tenone-class-board"
BOARD_PORT = "eth0"
KBPS = 1000
TEN_GIGABIT_MBPS = 10_000
TYPES = {100: "100base-tx", 1000: "1000base-t", 2500: "2.5gbase-t", 10_000: "10gbase-x-sfpp"}
"""NetBox's interface types by speed in Mbit/s; others are ``other``."""
COLUMNS: Mapping[str, Sequence[str]] = {
    "sites": ("name", "slug", "status"),
    "devices": (
        "name", "role", "manufacturer", "device_type", "status", "site", "description",
    ),
    "interfaces": ("device", "name", "label", "type", "enabled", "speed", "description"),
    "cables": (
        "side_a_device", "side_a_type", "side_a_name",
        "side_b_device", "side_b_type", "side_b_name", "status", "label",
    ),
}  # fmt: skip
Row = dict[str, str]


class NetboxError(Exception):
    """A table that cannot be read; says which line and what to write."""


def export(city: City, schools: Iterable[School]) -> dict[str, str]:
    """The four tables by name, as CSV (RFC 4180)."""
    tables: dict[str, list[Row]] = {name: [] for name in COLUMNS}
    for school in schools:
        name = school.school.name
        tables["sites"].append({"name": name, "slug": school.id, "status": "active"})
        tables["devices"] += _devices(school)
        tables["interfaces"] += _interfaces(city, school)
        tables["cables"] += _cables(school)
    return {name: _csv(COLUMNS[name], rows) for name, rows in tables.items()}


def _devices(school: School) -> list[Row]:
    def row(name: str, role: str, kind: str, text: str) -> Row:
        return {
            "name": name,
            "role": role,
            "manufacturer": MAKER,
            "device_type": kind,
            "status": "active",
            "site": school.school.name,
            "description": text,
        }

    switches = [
        row(_device(school, switch.name), ROLE_SWITCH, TYPE_SWITCH, switch.host)
        for switch in school.switches
    ]
    boards = [
        row(_board(school, one.serial), ROLE_BOARD, TYPE_BOARD, one.room or "")
        for one in school.devices
        if one.kind.value == "board"
    ]
    return switches + boards


def _interfaces(city: City, school: School) -> list[Row]:
    rows = []
    for link in school.links:
        mbps = city.contract_mbps(school, link)
        rows.append({
            "device": _device(school, link.switch),
            "name": link.port,
            "label": link.id,
            "type": TYPES.get(mbps, "other"),
            "enabled": "true",
            "speed": str(mbps * KBPS),
            "description": link.label,
        })  # fmt: skip
    rows += [
        {
            "device": _board(school, one.serial),
            "name": BOARD_PORT,
            "label": "",
            "type": TYPES[1000],
            "enabled": "true",
            "speed": "",
            "description": "",
        }
        for one in school.devices
        if one.kind.value == "board"
    ]
    return rows


def _cables(school: School) -> list[Row]:
    """A link ends at the board of its room, where there is exactly one."""
    in_room: dict[str, list[str]] = {}
    for one in school.devices:
        if one.kind.value == "board" and one.room is not None:
            in_room.setdefault(one.room, []).append(one.serial)
    return [
        {
            "side_a_device": _device(school, link.switch),
            "side_a_type": "dcim.interface",
            "side_a_name": link.port,
            "side_b_device": _board(school, boards[0]),
            "side_b_type": "dcim.interface",
            "side_b_name": BOARD_PORT,
            "status": "connected",
            "label": link.id,
        }
        for link in school.links
        if link.tier is Tier.CLASS and len(boards := in_room.get(link.room or "", [])) == 1
    ]


@dataclass(frozen=True, slots=True)
class Bound:
    """What an inventory says of one link."""

    switch: str
    port: str
    name: str
    contract_mbps: int | None


@dataclass(slots=True)
class Proposal:
    """What another system's inventory would make of a school."""

    switches: list[str] = field(default_factory=list)
    links: dict[str, Bound] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What could not be taken over, and why."""


def propose(city: City, school: School, devices: str, interfaces: str) -> Proposal:
    """Compare NetBox's devices and interfaces with ``school``; raises :class:`NetboxError`."""
    made = Proposal()
    prefix = f"{school.id}-"
    for row in _read(devices, "devices", ("name", "role")):
        name = row["name"]
        if row["role"] != ROLE_SWITCH or not name.startswith(prefix):
            continue
        made.switches.append(name.removeprefix(prefix))
    for line, row in enumerate(_read(interfaces, "interfaces", ("device", "name", "label")), 2):
        if not row["label"] or not row["device"].startswith(prefix):
            continue
        if not is_slug(row["label"]):
            made.notes.append(f"interfaces line {line}: the label {row['label']!r} is no link id")
            continue
        if row["label"] in made.links:
            raise NetboxError(
                f"interfaces line {line}: link {row['label']} stands on two ports; keep one label"
            )
        made.links[row["label"]] = Bound(
            switch=row["device"].removeprefix(prefix),
            port=row["name"],
            name=row.get("description", ""),
            contract_mbps=_mbps(row.get("speed", ""), line),
        )
    _compare(city, school, made)
    return made


def _compare(city: City, school: School, made: Proposal) -> None:
    known = {switch.name for switch in school.switches}
    made.differences += [f"+ switch {name}" for name in made.switches if name not in known]
    made.differences += [f"- switch {name}" for name in sorted(known - set(made.switches))]
    links = {str(link.id): link for link in school.links}
    for link_id, bound in made.links.items():
        link = links.get(link_id)
        if bound.switch not in made.switches:
            made.notes.append(f"link {link_id}: its switch {bound.switch} is not among the devices")
        if link is None:
            made.differences.append(f"+ link {link_id}: {bound.switch} {bound.port}")
            continue
        made.differences += [
            f"~ link {link_id}: {what} {old} -> {new}"
            for what, old, new in _changes(city, school, link, bound)
        ]
    made.differences += [f"- link {name}" for name in links if name not in made.links]


def _changes(city: City, school: School, link: Link, bound: Bound) -> list[tuple[str, str, str]]:
    contract = city.contract_mbps(school, link)
    pairs = [
        ("switch", link.switch, bound.switch),
        ("port", link.port, bound.port),
        ("name", link.label, bound.name or link.label),
        ("contract_mbps", str(contract), str(bound.contract_mbps or contract)),
    ]
    return [pair for pair in pairs if pair[1] != pair[2]]


def fragment(school: School, made: Proposal) -> str:
    """``switches`` and ``links`` of a school.yaml; what NetBox does not know stays as it is."""
    switches = {str(switch.name): switch for switch in school.switches}
    links = {str(link.id): link for link in school.links}
    lines = ["switches:"]
    for name in made.switches:
        known = switches.get(name)
        if known is None:
            lines.append(f"  - {{name: {name}}}  # new: add host and snmp")
        else:
            lines.append(f"  - {{name: {name}, host: {_quoted(known.host)}}}  # snmp as it is")
    lines.append("links:")
    for link_id, bound in made.links.items():
        old = links.get(link_id)
        tier = _tier(bound) if old is None else old.tier
        parts = [
            f"id: {link_id}",
            f"tier: {tier.value}",
            f"switch: {bound.switch}",
            f"port: {_quoted(bound.port)}",
        ]
        if old is not None and old.room is not None:
            parts.append(f"room: {old.room}")
        if bound.name and bound.name != link_id:
            parts.append(f"name: {_quoted(bound.name)}")
        lines.append(f"  - {{{', '.join(parts)}}}")
    return "\n".join(lines) + "\n"


def _tier(bound: Bound) -> Tier:
    fast = bound.contract_mbps is not None and bound.contract_mbps >= TEN_GIGABIT_MBPS
    return Tier.UPLINK if fast else Tier.CLASS


def _quoted(text: str) -> str:
    """A YAML double-quoted scalar."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _mbps(kbps: str, line: int) -> int | None:
    if not kbps:
        return None
    if not kbps.isdigit():
        raise NetboxError(f"interfaces line {line}: the speed {kbps[:20]!r} is no number of kbit/s")
    return int(kbps) // KBPS


def _read(text: str, table: str, needed: Sequence[str]) -> list[Row]:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    for column in needed:
        if column not in (reader.fieldnames or ()):
            raise NetboxError(f"{table} line 1: the column {column!r} is missing")
    return [
        {name: plain((value or "").strip()) for name, value in row.items() if isinstance(name, str)}
        for row in reader
    ]


def _csv(columns: Sequence[str], rows: Sequence[Row]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: cell(value) for name, value in row.items()} for row in rows)
    return out.getvalue()


def _device(school: School, switch: str) -> str:
    return f"{school.id}-{switch}"


def _board(school: School, serial: str) -> str:
    return f"{school.id}-board-{serial}"
