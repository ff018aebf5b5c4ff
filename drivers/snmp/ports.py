"""Which ports a switch has and what they are called: read hourly and when the rows change."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from drivers.snmp import mib
from drivers.snmp.ber import Oid, Value
from drivers.snmp.errors import SnmpError
from drivers.snmp.faults import AgentFault, Finding
from drivers.snmp.session import Session, Walk
from drivers.snmp.target import Budget
from tenone.blocks.layout import MAX_ROWS

MAX_PORTS = 8_192
"""More interfaces than any one device of a school has; 3,271 were seen on one (SWITCHES.md)."""
_WALKED = (
    mib.IF_DESCR,
    mib.IF_TYPE,
    mib.IF_MTU,
    mib.IF_PHYS_ADDRESS,
    mib.IF_ADMIN_STATUS,
    mib.IF_OPER_STATUS,
    mib.IF_NAME,
    mib.IF_ALIAS,
)
_IF_TABLE_COLUMNS = 6
"""The first of the walked columns, which say what rows there are."""
_MAC_BYTES = range(1, 33)


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """One interface as the agent describes it; None is unknown."""

    key: str
    """ifName, else ifDescr, else ``#<ifIndex>``; with ``#<ifIndex>`` appended where not unique."""
    if_index: int
    name: str | None
    descr: str | None
    alias: str | None
    type: int | None
    mtu: int | None
    mac: str | None


@dataclass(frozen=True, slots=True)
class PortTable:
    """The ports in ifIndex order, what was wrong with them, and what could not be read."""

    ports: tuple[Port, ...]
    findings: tuple[Finding, ...]
    error: SnmpError | None
    """Why some column is incomplete, if one is."""


async def read_ports(session: Session, budget: Budget | None = None) -> PortTable:
    """Walk the naming columns; raises :class:`SnmpError` when none of them could be read."""
    walks = await session.walk_all(_WALKED, budget, MAX_PORTS)
    if walks[0].error is not None and not any(walk.varbinds for walk in walks):
        raise walks[0].error
    columns = [_column(walk, root) for walk, root in zip(walks, _WALKED, strict=True)]
    rows = sorted(set().union(*columns[:_IF_TABLE_COLUMNS]))[: min(MAX_PORTS, MAX_ROWS)]
    findings = [
        Finding(fault=AgentFault.WALK_CUT, oid=root, raw=str(walk.error))
        for walk, root in zip(walks, _WALKED, strict=True)
        if walk.error is not None
    ]
    named = [(row, _text(columns[6].get(row)), _text(columns[0].get(row)), columns) for row in rows]
    keys, duplicates = port_keys([(row, name, descr) for row, name, descr, _ in named])
    findings += [
        Finding(
            fault=AgentFault.DUPLICATE_NAME,
            oid=(*mib.IF_NAME, row) if name else (*mib.IF_DESCR, row),
            raw=name or descr or "",
            port=key,
        )
        for (row, name, descr, _), key in zip(named, keys, strict=True)
        if row in duplicates
    ]
    ports = tuple(
        Port(
            key=key,
            if_index=row,
            name=name,
            descr=descr,
            alias=_alias(columns[7].get(row)),
            type=_number(columns[1].get(row)),
            mtu=_number(columns[2].get(row)),
            mac=mac_text(columns[3].get(row)),
        )
        for (row, name, descr, _), key in zip(named, keys, strict=True)
    )
    error = next((walk.error for walk in walks if walk.error is not None), None)
    return PortTable(ports, tuple(findings), error)


def port_keys(rows: Sequence[tuple[int, str | None, str | None]]) -> tuple[list[str], set[int]]:
    """Keys of (ifIndex, ifName, ifDescr) rows, and the ifIndexes whose names were not unique."""
    plain = [name or descr or f"#{index}" for index, name, descr in rows]
    times = Counter(plain)
    duplicates = {row[0] for row, key in zip(rows, plain, strict=True) if times[key] > 1}
    keys = [
        f"{key}#{row[0]}" if row[0] in duplicates else key
        for row, key in zip(rows, plain, strict=True)
    ]
    while clashes := _clashes(rows, keys):
        # A port called "a#2" beside two called "a": only the number is left to tell by.
        for place in clashes:
            keys[place] = f"#{rows[place][0]}"
            duplicates.add(rows[place][0])
    return keys, duplicates


def _clashes(rows: Sequence[tuple[int, str | None, str | None]], keys: list[str]) -> list[int]:
    times = Counter(keys)
    return [
        place
        for place, row in enumerate(rows)
        if times[keys[place]] > 1 and keys[place] != f"#{row[0]}"
    ]


def decode_text(data: bytes) -> str:
    """Octets a person typed: UTF-8, else GB 18030 as older Chinese switches store it, else Latin-1.

    Padding at the end (spaces, NULs) is not part of the text.
    """
    data = data.rstrip(b"\0 \t\r\n")
    for encoding in ("utf-8", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def mac_text(value: Value) -> str | None:
    """A hardware address as lower-case hex with colons; None if there is none."""
    if isinstance(value, bytes) and len(value) in _MAC_BYTES:
        return value.hex(":")
    return None


def _column(walk: Walk, root: Oid) -> dict[int, Value]:
    size = len(root)
    return {bind.name[size]: bind.value for bind in walk.varbinds if len(bind.name) == size + 1}


def _text(value: Value) -> str | None:
    return decode_text(value) or None if isinstance(value, bytes) else None


def _alias(value: Value) -> str | None:
    # Nobody having written anything is known, and another thing than not being told.
    return decode_text(value) if isinstance(value, bytes) else None


def _number(value: Value) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None
