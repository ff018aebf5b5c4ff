"""The rows of a switch as last walked, and which of them a new walk keeps."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from drivers.snmp import mib
from drivers.snmp.faults import AgentFault, Finding
from drivers.snmp.portplan import NUMBER, TABLE_CHANGE, Choice, Plan
from drivers.snmp.ports import Port, PortTable
from drivers.snmp.sweep import Harvest, Slots
from tenone.blocks.columns import Column

MAX_MISSES = 3
"""Whole walks on end a port may be missing from before it is gone."""
NO_KEYS: frozenset[str] = frozenset()


@dataclass(slots=True)
class Table:
    """The rows as last walked and how to ask for them."""

    ports: tuple[Port, ...]
    keys: tuple[str, ...]
    state: Plan
    findings: tuple[Finding, ...]
    counters: Choice | None = None
    earlier: Choice | None = None
    """Which objects carried the counters before the rows changed."""
    if_number: int | None = None
    walked_number: int | None = None
    """ifNumber when the rows were walked."""
    last_change: int | None = None
    misses: dict[str, int] = field(default_factory=dict)
    """Port key -> in how many walks on end it was missing."""
    lost: frozenset[str] = frozenset()
    """Ports that were given up although ifNumber did not fall: they may come back unannounced."""
    widths: tuple[Choice | None, Column] | None = None
    """Which counters are 32 bits wide, and the choice it was made from."""
    counted: object = None
    """What the counters' columns were made of."""
    counter_columns: tuple[Column, ...] = ()
    state_slots: Slots | None = None
    state_unanswered: frozenset[int] = frozenset()
    state_columns: tuple[Column, ...] = ()
    state_findings: tuple[Finding, ...] = ()


def note_scalars(table: Table, harvest: Harvest) -> None:
    """Remember ifNumber and ifTableLastChange as they came with a sweep."""
    number, change = harvest.value(NUMBER), harvest.value(TABLE_CHANGE)
    table.if_number = number if number is not None else table.if_number
    table.last_change = change if change is not None else table.last_change
    if table.walked_number is None:
        table.walked_number = number


def merged(
    found: PortTable, before: Table | None
) -> tuple[tuple[Port, ...], dict[str, int], frozenset[str]]:
    """The ports found and those known before that are unknown rather than gone.

    A port is gone when ifNumber fell with it, or when it was missing from several whole walks
    on end; one that a cut walk did not reach stays. Also returns the count of misses, and the
    ports that were given up for their misses alone.
    """
    if before is None:
        return found.ports, {}, NO_KEYS
    shrunk = (
        before.if_number is not None
        and before.walked_number is not None
        and before.if_number < before.walked_number
    )
    if found.error is None and shrunk:
        return found.ports, {}, NO_KEYS
    indexes = {port.if_index for port in found.ports}
    keys = {port.key for port in found.ports}
    missing = [p for p in before.ports if p.if_index not in indexes and p.key not in keys]
    misses = {port.key: before.misses.get(port.key, 0) + (found.error is None) for port in missing}
    kept = [port for port in missing if misses[port.key] < MAX_MISSES]
    known = {port.if_index: port for port in before.ports}
    # A cut walk may lack a name: the port keeps the one it had.
    seen = [
        known.get(port.if_index, port) if found.error is not None else port for port in found.ports
    ]
    ports = tuple(sorted([*seen, *kept], key=lambda port: port.if_index))
    given_up = {port.key for port in missing} - {port.key for port in kept}
    lost = frozenset((before.lost | given_up) - keys)
    return ports, {port.key: misses[port.key] for port in kept}, lost


def swapped(ports: Iterable[Port], before: Table | None) -> list[Finding]:
    """Names that moved to another ifIndex while address and description stayed where they were.

    After a restart ifIndexes move with all that belongs to them, which is no fault.
    """
    known = {port.if_index: port for port in before.ports} if before is not None else {}
    keys = {port.key: port.if_index for port in known.values()}
    return [
        Finding(
            fault=AgentFault.NAMES_SWAPPED,
            oid=(*mib.IF_NAME, port.if_index),
            raw=f"{port.name} (was {old.name})",
            port=port.key,
        )
        for port in ports
        if (old := known.get(port.if_index)) is not None
        and port.key != old.key
        and keys.get(port.key) not in {None, port.if_index}
        and (port.descr, port.mac) == (old.descr, old.mac)
        and (port.mac is not None or port.descr is not None)
    ]
