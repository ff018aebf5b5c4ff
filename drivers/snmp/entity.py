"""ENTITY-MIB (RFC 6933): what a device is made of, and which part is which port."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from drivers.snmp.ber import Oid, Value
from drivers.snmp.errors import SnmpError
from drivers.snmp.ports import Port, decode_text
from drivers.snmp.session import Session
from drivers.snmp.target import Budget

ENTRY: Oid = (1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1)
ALIASES: Oid = (1, 3, 6, 1, 2, 1, 47, 1, 3, 2, 1, 2)
"""entAliasMappingIdentifier, by entity and logical entity; its value names an ifIndex."""
_IF_INDEX_PREFIX: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1, 1)
DESCR, CONTAINED, CLASS, POSITION, NAME, HARDWARE, FIRMWARE, SOFTWARE, SERIAL, MAKER, MODEL = (
    2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
)  # fmt: skip
CHASSIS, SENSOR, MODULE, PORT, STACK = 3, 8, 9, 10, 11
MAX_ENTITIES = 4_096
MAX_CLIMB = 5
"""How far up a part is asked whether it sits in a port."""
MAX_NAME_WORDS = 3
"""So many words a port's name may have where a part's name begins with it."""
TREE = (CLASS, DESCR, CONTAINED, POSITION, NAME, HARDWARE, SERIAL, MAKER, MODEL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One physical part."""

    index: int
    kind: int | None = None
    """entPhysicalClass."""
    parent: int | None = None
    position: int | None = None
    """entPhysicalParentRelPos; None where there is none (-1)."""
    name: str | None = None
    descr: str | None = None
    serial: str | None = None
    maker: str | None = None
    model: str | None = None
    hardware: str | None = None
    firmware: str | None = None
    software: str | None = None


@dataclass(slots=True)
class EntityTree:
    """All parts, and the ports they are."""

    parts: Mapping[int, Entity] = field(default_factory=dict)
    interfaces: Mapping[int, int] = field(default_factory=dict)
    """Entity -> ifIndex, as the agent maps them."""
    error: SnmpError | None = None
    _ports: dict[int, Port | None] = field(default_factory=dict)

    def label(self, index: int) -> str | None:
        """What a person calls the part."""
        part = self.parts.get(index)
        return (part.name or part.descr) if part is not None else None

    def port(self, index: int, ports: "PortBook") -> Port | None:
        """The port that a part is, or sits in."""
        if index not in self._ports:
            self._ports[index] = self._find(index, ports)
        return self._ports[index]

    def _find(self, index: int, ports: "PortBook") -> Port | None:
        at: int | None = index
        for _ in range(MAX_CLIMB):
            if at is None:
                return None
            mapped = self.interfaces.get(at)
            if mapped is not None and mapped in ports.by_index:
                return ports.by_index[mapped]
            part = self.parts.get(at)
            if part is None or part.kind in {CHASSIS, STACK}:
                return None
            for text in (part.name, part.descr):
                found = ports.named(text) if text else None
                if found is not None:
                    return found
            at = part.parent
        return None


class PortBook:
    """Ports by number and by name."""

    def __init__(self, ports: Sequence[Port]) -> None:
        self.ports = ports
        self.by_index = {port.if_index: port for port in ports}
        self._by_name: dict[str, Port] = {}
        for port in ports:
            for name in (port.name, port.descr):
                if name:
                    self._by_name.setdefault(name.lower(), port)

    def named(self, text: str) -> Port | None:
        """The port with this name, or with which the text begins, by whole words."""
        lower = text.lower()
        exact = self._by_name.get(lower)
        if exact is not None:
            return exact
        words = re.split(r"[\s:,]+", lower)
        for count in range(min(len(words) - 1, MAX_NAME_WORDS), 0, -1):
            name = " ".join(words[:count])
            # A lone number names too much: "1 fan".
            if name in self._by_name and not name.isdigit():
                return self._by_name[name]
        return None


async def read_tree(
    session: Session, budget: Budget | None, columns: Iterable[int] = TREE
) -> EntityTree:
    """Walk the parts; a device without ENTITY-MIB has none and no error."""
    first = (CLASS, DESCR)
    found = await session.walk_all([(*ENTRY, column) for column in first], budget, MAX_ENTITIES)
    if not any(walk.varbinds for walk in found):
        return EntityTree(error=found[0].error)
    rest = [column for column in columns if column not in first]
    walks = await session.walk_all(
        [*((*ENTRY, column) for column in rest), ALIASES], budget, MAX_ENTITIES
    )
    cells: dict[int, dict[int, Value]] = {}
    # The last walk is that of the aliases.
    for column, walk in zip((*first, *rest), (*found, *walks[:-1]), strict=True):
        for bind in walk.varbinds:
            if len(bind.name) == len(ENTRY) + 2:
                cells.setdefault(bind.name[-1], {})[column] = bind.value
    interfaces: dict[int, int] = {}
    for bind in walks[-1].varbinds:
        value = bind.value
        if isinstance(value, tuple) and value[:-1] == _IF_INDEX_PREFIX:
            interfaces.setdefault(bind.name[len(ALIASES)], value[-1])
    error = next((walk.error for walk in (*found, *walks) if walk.error is not None), None)
    return EntityTree(
        {index: _entity(index, row) for index, row in cells.items()}, interfaces, error
    )


def _entity(index: int, row: Mapping[int, Value]) -> Entity:
    return Entity(
        index=index,
        kind=_number(row.get(CLASS)),
        parent=_number(row.get(CONTAINED)) or None,
        position=_number(row.get(POSITION)),
        name=text_of(row.get(NAME)),
        descr=text_of(row.get(DESCR)),
        serial=text_of(row.get(SERIAL)),
        maker=text_of(row.get(MAKER)),
        model=text_of(row.get(MODEL)),
        hardware=text_of(row.get(HARDWARE)),
        firmware=text_of(row.get(FIRMWARE)),
        software=text_of(row.get(SOFTWARE)),
    )


def _number(value: Value) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None


def text_of(value: Value) -> str | None:
    """Text without blanks at its ends; None where there is none."""
    if not isinstance(value, bytes):
        return None
    text = decode_text(value).strip().strip("\0").strip()
    return text or None
